//! The state of an event over all routes.

/// The state of an event over all routes: the first of these that applies to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Queued,
    Dead,
    Dropped,
    Delivered,
    /// No destination takes it, or nothing is known of it any more.
    Settled,
}

impl State {
    pub(crate) const ALL: [State; 5] = [State::Queued, State::Dead, State::Dropped, State::Delivered, State::Settled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Dead => "dead",
            State::Dropped => "dropped",
            State::Delivered => "delivered",
            State::Settled => "settled",
        }
    }
}
