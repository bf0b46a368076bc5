//! The reasons why an event was not delivered: a closed list with one spelling in core, inspector and server.

/// Why an event was not delivered. The number is part of the ring's counters: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Reason {
    /// The ring had no room for its lane.
    RingFull = 0,
    /// Too large even after its fields were cut.
    TooLarge = 1,
    /// It could not be read.
    Malformed = 2,
    /// The sampling rate of its kind left it out.
    Sampled = 3,
    /// A `before_send` hook returned false.
    Filtered = 4,
    /// A hook panicked or took too long.
    HookFailed = 5,
    /// Every purpose of its kind is denied.
    Consent = 6,
    /// A repetition of the same error or message within a minute, or a second report of one crash.
    Collapsed = 7,
    /// Recorded on a thread of the engine.
    Reentrant = 8,
    /// Recorded in a child process created by `fork`.
    Forked = 9,
    /// Recorded after the monitor was closed.
    StoreUnavailable = 10,
    /// The disk was full.
    DiskFull = 11,
    /// Evicted because the queue reached its size cap.
    EvictedBytes = 12,
    /// Evicted because it was too old.
    EvictedAge = 13,
    /// Older than the destination accepts.
    Expired = 14,
    /// The destination forbids resending after a rate limit.
    RateLimited = 15,
    /// The destination refused it.
    Rejected = 16,
    /// It alone made its batch fail.
    Poison = 17,
    /// It may have arrived; sending it again could duplicate it.
    Ambiguous = 18,
    /// Its destination was removed.
    DestinationRemoved = 19,
    /// Its row failed its checksum.
    CorruptRow = 20,
    /// The file that held it was damaged.
    CorruptFile = 21,
    /// No longer used: found in a damaged file, but already settled or erased.
    CarvedStale = 22,
    /// Written in a format this build cannot read.
    Migration = 23,
    /// Lost by a power failure.
    PowerLoss = 24,
    /// Erased at the user's request.
    ClearedByUser = 25,
    /// A log entry below the configured level. Counted only if it came in a batch.
    LogLevel = 26,
}

impl Reason {
    /// All reasons in order of their number.
    pub const ALL: [Reason; 27] = [
        Reason::RingFull,
        Reason::TooLarge,
        Reason::Malformed,
        Reason::Sampled,
        Reason::Filtered,
        Reason::HookFailed,
        Reason::Consent,
        Reason::Collapsed,
        Reason::Reentrant,
        Reason::Forked,
        Reason::StoreUnavailable,
        Reason::DiskFull,
        Reason::EvictedBytes,
        Reason::EvictedAge,
        Reason::Expired,
        Reason::RateLimited,
        Reason::Rejected,
        Reason::Poison,
        Reason::Ambiguous,
        Reason::DestinationRemoved,
        Reason::CorruptRow,
        Reason::CorruptFile,
        Reason::CarvedStale,
        Reason::Migration,
        Reason::PowerLoss,
        Reason::ClearedByUser,
        Reason::LogLevel,
    ];

    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Reason> {
        Reason::ALL.get(usize::from(number)).copied()
    }

    /// The spelling in rows, in the inspector and at the server.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::RingFull => "ring_full",
            Reason::TooLarge => "too_large",
            Reason::Malformed => "malformed",
            Reason::Sampled => "sampled",
            Reason::Filtered => "filtered",
            Reason::HookFailed => "hook_failed",
            Reason::Consent => "consent",
            Reason::Collapsed => "collapsed",
            Reason::Reentrant => "reentrant",
            Reason::Forked => "forked",
            Reason::StoreUnavailable => "store_unavailable",
            Reason::DiskFull => "disk_full",
            Reason::EvictedBytes => "evicted_bytes",
            Reason::EvictedAge => "evicted_age",
            Reason::Expired => "expired",
            Reason::RateLimited => "rate_limited",
            Reason::Rejected => "rejected",
            Reason::Poison => "poison",
            Reason::Ambiguous => "ambiguous",
            Reason::DestinationRemoved => "destination_removed",
            Reason::CorruptRow => "corrupt_row",
            Reason::CorruptFile => "corrupt_file",
            Reason::CarvedStale => "carved_stale",
            Reason::Migration => "migration",
            Reason::PowerLoss => "power_loss",
            Reason::ClearedByUser => "cleared_by_user",
            Reason::LogLevel => "log_level",
        }
    }

    /// A sentence that says what it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Reason::RingFull => "The ring had no room for its lane.",
            Reason::TooLarge => "Too large even after its fields were cut.",
            Reason::Malformed => "It could not be read.",
            Reason::Sampled => "The sampling rate of its kind left it out.",
            Reason::Filtered => "A `before_send` hook returned false.",
            Reason::HookFailed => "A hook panicked or took too long.",
            Reason::Consent => "Every purpose of its kind is denied.",
            Reason::Collapsed => {
                "A repetition of the same error or message within a minute, or of the same alert within its window, or a second report of one crash."
            }
            Reason::Reentrant => "Recorded on a thread of the engine.",
            Reason::Forked => "Recorded in a child process created by `fork`.",
            Reason::StoreUnavailable => "Recorded after the monitor was closed.",
            Reason::DiskFull => "The disk was full.",
            Reason::EvictedBytes => "Evicted because the queue reached its size cap.",
            Reason::EvictedAge => "Evicted because it was too old.",
            Reason::Expired => "Older than the destination accepts.",
            Reason::RateLimited => "The destination forbids resending after a rate limit.",
            Reason::Rejected => "The destination refused it.",
            Reason::Poison => "It alone made its batch fail.",
            Reason::Ambiguous => "It may have arrived; sending it again could duplicate it.",
            Reason::DestinationRemoved => "Its destination was removed.",
            Reason::CorruptRow => "Its row failed its checksum.",
            Reason::CorruptFile => "The file that held it was damaged.",
            Reason::CarvedStale => "No longer used: found in a damaged file, but already settled or erased.",
            Reason::Migration => "Written in a format this build cannot read.",
            Reason::PowerLoss => "Lost by a power failure.",
            Reason::ClearedByUser => "Erased at the user's request.",
            Reason::LogLevel => "A log entry below the configured level. Counted only if it came in a batch.",
        }
    }

    /// The reason in a Sentry client report; `None` = not reported, because the server counted it or nothing was lost.
    #[must_use]
    pub fn sentry(self) -> Option<&'static str> {
        match self {
            Reason::RingFull => Some("buffer_overflow"),
            Reason::TooLarge | Reason::Malformed => Some("invalid"),
            Reason::Sampled => Some("sample_rate"),
            Reason::Filtered => Some("before_send"),
            Reason::HookFailed => Some("event_processor"),
            Reason::Consent | Reason::Collapsed | Reason::ClearedByUser | Reason::DestinationRemoved => Some("ignored"),
            Reason::DiskFull | Reason::EvictedBytes | Reason::EvictedAge | Reason::Expired => Some("cache_overflow"),
            Reason::Rejected | Reason::Poison => Some("send_error"),
            Reason::Ambiguous => Some("network_error"),
            Reason::Reentrant
            | Reason::Forked
            | Reason::StoreUnavailable
            | Reason::CorruptRow
            | Reason::CorruptFile
            | Reason::Migration
            | Reason::PowerLoss => Some("internal_sdk_error"),
            // The server counts its own 429 responses; a stale carved row was delivered or erased; the app chose the log level.
            Reason::RateLimited | Reason::CarvedStale | Reason::LogLevel => None,
        }
    }

    /// The reason with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_maps_back_from_its_number_and_its_spelling() {
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
            assert_eq!(Reason::from_number(number as u8), Some(reason));
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::from_number(27), None);
    }

    #[test]
    fn every_reported_reason_is_one_that_sentry_knows() {
        let known =
            "queue_overflow cache_overflow ratelimit_backoff network_error sample_rate before_send event_processor
            send_error internal_sdk_error insufficient_data backpressure buffer_overflow ignored invalid";
        for reason in Reason::ALL.into_iter().filter_map(Reason::sentry) {
            assert!(known.split_whitespace().any(|word| word == reason), "{reason}");
        }
        assert_eq!(Reason::RateLimited.sentry(), None);
    }
}
