//! Screen loads, API calls, image loads and app starts: what is timed, and under which name.

pub(crate) mod template;
