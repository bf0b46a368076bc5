//! Levels. A level never changes the kind or the lane of an event.

/// The level of a message, an error or a breadcrumb. The number is part of the ring's format: append, never renumber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Useful to developers only.
    Debug = 0,
    /// An expected event.
    #[default]
    Info = 1,
    /// Unexpected, but the user could continue.
    Warning = 2,
    /// An operation of the user failed.
    Error = 3,
    /// The process ended.
    Fatal = 4,
}

impl Level {
    /// All levels, in ascending order.
    pub const ALL: [Level; 5] = [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal];

    /// The level with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Level> {
        Level::ALL.get(usize::from(number)).copied()
    }

    /// Its number, 0 to 4.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The spelling in rows, in the inspector and at the server.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// The level with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_maps_back_from_its_number_and_its_spelling() {
        for (number, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(level as usize, number);
            assert_eq!(Level::from_number(number as u8), Some(level));
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!(Level::from_number(5), None);
        assert_eq!(Level::parse("warn"), None);
    }

    #[test]
    fn levels_are_in_ascending_order() {
        assert!(Level::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Level::default(), Level::Info);
    }
}
