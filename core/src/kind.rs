//! The kinds of events, their lanes and the purposes they serve.
//!
//! Lane and purposes are constant functions of the kind. `level` never changes them. The documentation of
//! `crate::event` lists the steps to add a kind.

/// Defines the kinds from one table: number, spelling, lane and purposes.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal $word:literal, $lane:ident, [$($purpose:ident),+];)+) => {
        /// The kind of an event. The number is part of the ring's format: append, never renumber.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $name = $number),+
        }

        impl Kind {
            /// All kinds in order of their number.
            pub const ALL: [Kind; [$($number),+].len()] = [$(Kind::$name),+];

            /// Length of a table that is indexed by the number of the kind.
            pub(crate) const SLOTS: usize = {
                let numbers = [$($number),+];
                numbers[numbers.len() - 1] + 1
            };

            /// The spelling in rows, in the inspector and at the server.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$name => $word),+
                }
            }

            /// Its lane.
            #[must_use]
            pub fn lane(self) -> Lane {
                match self {
                    $(Kind::$name => Lane::$lane),+
                }
            }

            /// The purposes of the kind. One of them must be granted for the event to be sent.
            #[must_use]
            pub const fn purposes(self) -> &'static [Purpose] {
                match self {
                    $(Kind::$name => &[$(Purpose::$purpose),+]),+
                }
            }
        }
    };
}

kinds! {
    /// An error that ended the process, recorded by `fatal()`.
    Crash = 0 "crash", Crash, [Monitoring];
    /// An error that the app handled or survived.
    Error = 1 "error", Critical, [Monitoring];
    /// The main thread did not respond.
    Hang = 2 "hang", Critical, [Monitoring];
    /// The system ended an earlier process.
    AppExit = 3 "app_exit", Critical, [Monitoring];
    /// Revenue.
    Revenue = 4 "revenue", Critical, [Analytics];
    /// Feedback from a user.
    Feedback = 5 "feedback", Critical, [Monitoring];
    /// The start or end of a session.
    Session = 6 "session", Critical, [Monitoring, Analytics];
    /// A screen from navigation to display.
    ScreenLoad = 7 "screen_load", Normal, [Monitoring];
    /// Process start to first screen.
    AppStart = 8 "app_start", Normal, [Monitoring];
    /// One HTTP exchange.
    ApiCall = 9 "api_call", Normal, [Monitoring];
    /// One image fetched and decoded.
    ImageLoad = 10 "image_load", Normal, [Monitoring];
    /// A tap, swipe or other interaction.
    Interaction = 11 "interaction", Normal, [Monitoring, Analytics];
    /// A screen was shown.
    ScreenView = 12 "screen_view", Normal, [Monitoring, Analytics];
    /// An analytics event with a name that the app chooses.
    Analytics = 13 "analytics", Normal, [Analytics];
    /// A property of the user was set, incremented or appended to.
    UserProp = 14 "user_prop", Normal, [Analytics];
    /// A message with a level.
    Message = 15 "message", Normal, [Monitoring];
    /// A counter, gauge or distribution value.
    Metric = 16 "metric", Bulk, [Monitoring];
    /// Slow, frozen and total frames of a screen.
    Frames = 17 "frames", Bulk, [Monitoring];
    /// The main thread was busy for a long time.
    LongTask = 18 "long_task", Bulk, [Monitoring];
    /// A span that the app defines: a piece of its own work.
    Span = 19 "span", Bulk, [Monitoring];
    /// An entry of the app's log.
    Log = 20 "log", Bulk, [Monitoring];
    /// Something that a person must know of now, with a title and a severity.
    Alert = 21 "alert", Critical, [Monitoring];
}

/// Order of delivery and of eviction: lane 0 is sent first and never evicted for space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// Crashes.
    Crash = 0,
    /// Errors, hangs, exits, revenue, feedback, sessions, alerts.
    Critical = 1,
    /// Everything else.
    Normal = 2,
    /// Metrics, frames, long tasks, spans, log entries.
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

    /// Its spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Crash => "crash",
            Lane::Critical => "critical",
            Lane::Normal => "normal",
            Lane::Bulk => "bulk",
        }
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
    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The kind with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether its rows have `conditions`: facts about the device at that moment.
    pub(crate) const fn has_conditions(self) -> bool {
        matches!(self, Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit)
    }

    /// Its bit in a set of kinds.
    #[inline]
    pub(crate) const fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// The bits of [`Kind::purposes`], from a table because each recorded event needs them.
    #[inline]
    pub(crate) const fn purpose_bits(self) -> u8 {
        PURPOSE_BITS[self as usize]
    }
}

/// The bits of the purposes of each kind, by its number.
const PURPOSE_BITS: [u8; Kind::SLOTS] = {
    let mut bits = [0; Kind::SLOTS];
    let mut at = 0;
    while at < Kind::ALL.len() {
        let kind = Kind::ALL[at];
        let purposes = kind.purposes();
        let mut index = 0;
        while index < purposes.len() {
            bits[kind as usize] |= purposes[index].bit();
            index += 1;
        }
        at += 1;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_maps_back_from_its_number_and_its_spelling() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind as u8), Some(kind));
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::from_number(Kind::SLOTS as u8), None);
        assert!(Kind::ALL.windows(2).all(|pair| (pair[0] as u8) < pair[1] as u8));
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
