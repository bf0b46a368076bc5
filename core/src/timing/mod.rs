//! The names under which durations are recorded.

pub(crate) mod measured;
pub(crate) mod template;
