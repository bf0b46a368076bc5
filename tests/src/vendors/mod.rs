//! What a vendor's server would object to, written from its own rules, and how it tells one event from another.

mod ga4;
mod lines;
mod mixpanel;
mod rez;

pub use ga4::Ga4Rules;
pub use lines::{DatadogLines, OtlpLines, SentryLines};
pub use mixpanel::MixpanelRules;
pub use rez::RezRules;

use crate::standin::{Reply, Seen};
use serde_json::Value;

/// A vendor, as its server sees itself.
pub trait Vendor: Send + Sync + 'static {
    /// Name of the route a request belongs to.
    fn route(&self, seen: &Seen) -> &'static str;

    /// A key for each event of the request. Where the vendor knows a second copy, it is what it knows it by.
    ///
    /// # Errors
    /// Everything the vendor's rules forbid.
    fn read(&self, seen: &Seen) -> Result<Vec<String>, Vec<String>>;

    /// The answer to a good request with so many events.
    fn answer(&self, seen: &Seen, events: usize) -> Reply;
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn unless(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.0.push(what());
        }
    }

    pub(crate) fn or(self, keys: Vec<String>) -> Result<Vec<String>, Vec<String>> {
        if self.0.is_empty() { Ok(keys) } else { Err(self.0) }
    }
}

/// The body as JSON.
pub(crate) fn json(seen: &Seen) -> Result<Value, Vec<String>> {
    serde_json::from_slice(&seen.body).map_err(|error| vec![format!("the body is no JSON: {error}")])
}

/// The value of a query's parameter.
pub(crate) fn parameter<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
