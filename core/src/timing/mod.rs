//! The names under which durations are recorded.

pub(crate) mod template;
