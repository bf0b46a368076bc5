//! Levels. A level never changes the kind or the lane of an event.

use std::cmp::Ordering;

/// The level of a log entry, a message, an error or a breadcrumb. Levels are ordered by severity, not by number. The number
/// is part of the interface of other languages: append, never renumber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    /// The steps of one operation; below `Debug`.
    Trace = 5,
}

impl Level {
    /// All levels, in ascending order of severity.
    pub const ALL: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal];

    /// The spelling of each, in the order of [`Level::ALL`].
    pub(crate) const NAMES: [&str; Level::ALL.len()] = {
        let mut names = [""; Level::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Level::ALL[at].as_str();
            at += 1;
        }
        names
    };

    /// The level with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.number() == number)
    }

    /// Its number, 0 to 5.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its place in the order of severity, 0 to 5.
    fn severity(self) -> u8 {
        match self {
            Level::Trace => 0,
            Level::Debug => 1,
            Level::Info => 2,
            Level::Warning => 3,
            Level::Error => 4,
            Level::Fatal => 5,
        }
    }

    /// The spelling in rows, in the inspector and at the server.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
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

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Level) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Level {
    fn cmp(&self, other: &Level) -> Ordering {
        self.severity().cmp(&other.severity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_maps_back_from_its_number_and_its_spelling() {
        for level in Level::ALL {
            assert_eq!(Level::from_number(level.number()), Some(level));
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!(Level::from_number(0), Some(Level::Debug), "numbers are never changed");
        assert_eq!(Level::from_number(4), Some(Level::Fatal));
        assert_eq!(Level::from_number(6), None);
        assert_eq!(Level::parse("warn"), None);
    }

    #[test]
    fn levels_are_ordered_by_severity_whatever_their_numbers_are() {
        assert!(Level::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Level::Trace < Level::Debug && Level::Trace.number() > Level::Fatal.number());
        assert_eq!(Level::default(), Level::Info);
    }
}
