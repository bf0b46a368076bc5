//! The user's decision about a purpose.

/// The user's decision about a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consent {
    /// No decision yet: events are stored on the device and not sent.
    Pending,
    /// Events are recorded and sent.
    Granted,
    /// Nothing is recorded, and stored events are erased.
    Denied,
}

impl Consent {
    pub(crate) fn number(self) -> u8 {
        match self {
            Consent::Pending => 1,
            Consent::Granted => 2,
            Consent::Denied => 3,
        }
    }

    /// The inverse of [`Consent::number`]; 0 = never set.
    pub(crate) fn of(number: u8) -> Option<Consent> {
        [Consent::Pending, Consent::Granted, Consent::Denied].into_iter().find(|consent| consent.number() == number)
    }
}
