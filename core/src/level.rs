//! How bad something is. A level never changes the kind or the lane of an event: those are functions of the kind.

/// How bad a message, an error or a breadcrumb is. The number is part of the ring's format: append, never renumber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Of use to a developer only.
    Debug = 0,
    /// Something happened, as expected.
    #[default]
    Info = 1,
    /// Not as expected, but the user could go on.
    Warning = 2,
    /// Something the user wanted did not work.
    Error = 3,
    /// The process ended.
    Fatal = 4,
}

impl Level {
    /// All levels, mildest first.
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

    /// The one spelling in rows, inspector and server.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// The level of this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_found_again_by_number_and_by_spelling() {
        for (number, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(level as usize, number);
            assert_eq!(Level::from_number(number as u8), Some(level));
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!(Level::from_number(5), None);
        assert_eq!(Level::parse("warn"), None);
    }

    #[test]
    fn levels_are_ordered_by_how_bad_they_are() {
        assert!(Level::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Level::default(), Level::Info);
    }
}
