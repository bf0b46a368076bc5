//! The kinds of events, their lanes and the purposes they serve.
//!
//! Lane and purposes are constant functions of the kind. `level` never changes them.

/// The kind of an event. The number is part of the ring's format: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An error that ended the process, recorded by `fatal()`.
    Crash = 0,
    /// An error that the app handled or survived.
    Error = 1,
    /// The main thread did not respond.
    Hang = 2,
    /// The system ended an earlier process.
    AppExit = 3,
    /// Revenue.
    Revenue = 4,
    /// Feedback from a user.
    Feedback = 5,
    /// The start or end of a session.
    Session = 6,
    /// A screen from navigation to display.
    ScreenLoad = 7,
    /// Process start to first screen.
    AppStart = 8,
    /// One HTTP exchange.
    ApiCall = 9,
    /// One image fetched and decoded.
    ImageLoad = 10,
    /// A tap, swipe or other interaction.
    Interaction = 11,
    /// A screen was shown.
    ScreenView = 12,
    /// An analytics event with a name that the app chooses.
    Analytics = 13,
    /// A property of the user was set, incremented or appended to.
    UserProp = 14,
    /// A message with a level.
    Message = 15,
    /// A counter, gauge or distribution value.
    Metric = 16,
    /// Slow, frozen and total frames of a screen.
    Frames = 17,
    /// The main thread was busy for a long time.
    LongTask = 18,
}

/// Order of delivery and of eviction: lane 0 is sent first and never evicted for space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// Crashes.
    Crash = 0,
    /// Errors, hangs, exits, revenue, feedback, sessions.
    Critical = 1,
    /// Everything else.
    Normal = 2,
    /// Metrics, frames, long tasks.
    Bulk = 3,
}

impl Lane {
    /// All lanes, most important first.
    pub const ALL: [Lane; 4] = [Lane::Crash, Lane::Critical, Lane::Normal, Lane::Bulk];

    /// The lane with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Lane> {
        Lane::ALL.get(usize::from(number)).copied()
    }

    /// Its number, 0 to 3.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What a user can consent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Errors, crashes, timing: keeping the app working.
    Monitoring = 0,
    /// What users do: analytics events, revenue, user properties.
    Analytics = 1,
}

impl Purpose {
    /// Both purposes.
    pub const ALL: [Purpose; 2] = [Purpose::Monitoring, Purpose::Analytics];

    /// The spelling in configuration, inspector and documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Monitoring => "monitoring",
            Purpose::Analytics => "analytics",
        }
    }

    /// The bit of every purpose.
    pub(crate) const ALL_BITS: u8 = Purpose::Monitoring.bit() | Purpose::Analytics.bit();

    /// Its bit in a set of purposes.
    pub(crate) const fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

impl Kind {
    /// All kinds in order of their number.
    pub const ALL: [Kind; 19] = [
        Kind::Crash,
        Kind::Error,
        Kind::Hang,
        Kind::AppExit,
        Kind::Revenue,
        Kind::Feedback,
        Kind::Session,
        Kind::ScreenLoad,
        Kind::AppStart,
        Kind::ApiCall,
        Kind::ImageLoad,
        Kind::Interaction,
        Kind::ScreenView,
        Kind::Analytics,
        Kind::UserProp,
        Kind::Message,
        Kind::Metric,
        Kind::Frames,
        Kind::LongTask,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(number)).copied()
    }

    /// The spelling in rows, in the inspector and at the server.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Crash => "crash",
            Kind::Error => "error",
            Kind::Hang => "hang",
            Kind::AppExit => "app_exit",
            Kind::Revenue => "revenue",
            Kind::Feedback => "feedback",
            Kind::Session => "session",
            Kind::ScreenLoad => "screen_load",
            Kind::AppStart => "app_start",
            Kind::ApiCall => "api_call",
            Kind::ImageLoad => "image_load",
            Kind::Interaction => "interaction",
            Kind::ScreenView => "screen_view",
            Kind::Analytics => "analytics",
            Kind::UserProp => "user_prop",
            Kind::Message => "message",
            Kind::Metric => "metric",
            Kind::Frames => "frames",
            Kind::LongTask => "long_task",
        }
    }

    /// The kind with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Its lane.
    #[must_use]
    pub fn lane(self) -> Lane {
        match self {
            Kind::Crash => Lane::Crash,
            Kind::Error | Kind::Hang | Kind::AppExit | Kind::Revenue | Kind::Feedback | Kind::Session => Lane::Critical,
            Kind::Metric | Kind::Frames | Kind::LongTask => Lane::Bulk,
            _ => Lane::Normal,
        }
    }

    /// The purposes of the kind. One of them must be granted for the event to be sent.
    #[must_use]
    pub const fn purposes(self) -> &'static [Purpose] {
        match self {
            Kind::Analytics | Kind::UserProp | Kind::Revenue => &[Purpose::Analytics],
            Kind::ScreenView | Kind::Interaction | Kind::Session => &Purpose::ALL,
            _ => &[Purpose::Monitoring],
        }
    }

    /// Whether its rows have `conditions`: facts about the device at that moment.
    pub(crate) const fn has_conditions(self) -> bool {
        matches!(self, Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit)
    }

    /// The bits of [`Kind::purposes`], from a table because each recorded event needs them.
    #[inline]
    pub(crate) const fn purpose_bits(self) -> u8 {
        PURPOSE_BITS[self as usize]
    }
}

/// The bits of the purposes of each kind, by its number.
const PURPOSE_BITS: [u8; Kind::ALL.len()] = {
    let mut bits = [0; Kind::ALL.len()];
    let mut number = 0;
    while number < bits.len() {
        let purposes = Kind::ALL[number].purposes();
        let mut index = 0;
        while index < purposes.len() {
            bits[number] |= purposes[index].bit();
            index += 1;
        }
        number += 1;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_maps_back_from_its_number_and_its_spelling() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(Kind::from_number(number as u8), Some(kind));
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::from_number(19), None);
        assert_eq!(Kind::parse("Crash"), None);
    }

    #[test]
    fn the_purpose_bits_of_every_kind_are_those_of_its_purposes() {
        for kind in Kind::ALL {
            let bits = kind.purposes().iter().fold(0, |bits, purpose| bits | 1 << (*purpose as u8));
            assert_eq!(kind.purpose_bits(), bits, "{kind:?}");
        }
        assert_eq!(Kind::Error.purpose_bits(), 0b01);
        assert_eq!(Kind::Revenue.purpose_bits(), 0b10);
        assert_eq!(Kind::Session.purpose_bits(), Purpose::ALL_BITS);
    }
}
