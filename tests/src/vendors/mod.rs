//! The rules of each vendor's server, written from its documentation: which requests it rejects, and the key by which it
//! recognises a second copy of an event.

mod ga4;
mod lines;
mod mixpanel;
mod pagerduty;
mod rez;
mod slack;

pub use ga4::Ga4Rules;
pub use lines::{DatadogLines, OtlpLines, SentryLines};
pub use mixpanel::MixpanelRules;
pub use pagerduty::PagerDutyRules;
pub use rez::RezRules;
pub use slack::SlackRules;

use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::Value;

/// The server side of a vendor's protocol.
pub trait Vendor: Send + Sync + 'static {
    /// The name of the route that a request belongs to.
    fn route(&self, request: &ReceivedRequest) -> &'static str;

    /// Returns a key for each event of the request. If the vendor deduplicates events, it is the value by which it does.
    ///
    /// # Errors
    /// Every violation of the vendor's rules.
    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>>;

    /// The response to a valid request with this number of events.
    fn respond(&self, request: &ReceivedRequest, events: usize) -> Response;
}

/// Collects violations.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn unless(&mut self, valid: bool, what: impl FnOnce() -> String) {
        if !valid {
            self.0.push(what());
        }
    }

    pub(crate) fn or(self, keys: Vec<String>) -> Result<Vec<String>, Vec<String>> {
        if self.0.is_empty() { Ok(keys) } else { Err(self.0) }
    }
}

/// The body as JSON.
pub(crate) fn json(request: &ReceivedRequest) -> Result<Value, Vec<String>> {
    serde_json::from_slice(&request.body).map_err(|error| vec![format!("the body is not JSON: {error}")])
}

/// The value of a query parameter.
pub(crate) fn parameter<'a>(request: &'a ReceivedRequest, name: &str) -> Option<&'a str> {
    request.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
