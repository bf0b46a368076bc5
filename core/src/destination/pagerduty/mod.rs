//! PagerDuty: critical alerts as trigger events of the Events API v2.
//!
//! The id of the event is the `dedup_key`, so that a request that is sent again is the same alert to PagerDuty. See ADR 0045.

mod event;
mod verdict;

use super::fields::{Notes, fields};
use super::settings::{Settings, encoder, request, stable_hash};
use super::{Backoff, Batch, Destination, DestinationError, Note, RouteSpec, Stamp, Verdict, Want};
use crate::event::AlertSeverity;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Request, Response};

/// Raised when the body for the same rows changes.
const VERSION: u32 = 1;

/// The address of accounts in the United States.
const ENDPOINT: &str = "https://events.pagerduty.com";

/// The address of accounts in the service region Europe.
const ENDPOINT_EU: &str = "https://events.eu.pagerduty.com";

/// Length of a routing key.
const KEY: usize = 32;

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "pagerduty.enqueue",
    at_most_once: false,
    // The API takes one event in a request.
    max_events: 1,
    max_bytes: limits::ROW_BYTES,
    backoff: Backoff::STANDARD,
    // PagerDuty does not document compressed requests.
    gzip: false,
    reports_losses: false,
    adds_losses: false,
}];

/// The Events API v2 of PagerDuty.
#[derive(Clone)]
pub struct PagerDuty {
    url: String,
    routing_key: String,
    origin: event::Origin,
    key_hash: u64,
}

/// Builds a [`PagerDuty`].
#[derive(Clone)]
pub struct PagerDutyBuilder {
    routing_key: String,
    settings: Settings,
    origin: event::Origin,
}

impl PagerDuty {
    /// A builder with the integration key of an *Events API v2* integration: 32 letters and digits.
    #[must_use]
    pub fn builder(routing_key: impl Into<String>) -> PagerDutyBuilder {
        PagerDutyBuilder {
            routing_key: routing_key.into(),
            settings: Settings::new(ENDPOINT, &[Purpose::Monitoring]),
            origin: event::Origin::default(),
        }
    }

    /// What PagerDuty gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Alert => "event `trigger`, if its severity is critical",
            _ => "not sent",
        }
    }
}

impl PagerDutyBuilder {
    /// Sends to the address of the service region Europe.
    #[must_use]
    pub fn eu(mut self) -> Self {
        self.settings.endpoint = ENDPOINT_EU.into();
        self
    }

    /// Sends to this base address instead of PagerDuty's, for example to a relay of the team; `/v2/enqueue` is appended. The address
    /// uses `https`; `http` is allowed to a loopback address only.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self
    }

    /// Sets the affected system, preferably the name of its host. Default: the app's name.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.origin.source = Some(source.into()).filter(|source| !source.is_empty());
        self
    }

    /// Sets the part of the affected system that is responsible, for example `payments`. Default: none.
    #[must_use]
    pub fn component(mut self, component: impl Into<String>) -> Self {
        self.origin.component = Some(component.into()).filter(|component| !component.is_empty());
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<PagerDuty, DestinationError> {
        let url = format!("{}/v2/enqueue", self.settings.base_url(&["/v2/enqueue"])?);
        let part = "routing key";
        if self.routing_key.is_empty() {
            return Err(DestinationError::Empty { part });
        }
        if self.routing_key.len() != KEY || !self.routing_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let why = "expected 32 letters and digits, the integration key of an Events API v2 integration";
            return Err(DestinationError::Form { part, why });
        }
        let key_hash = stable_hash(&[&url, &self.routing_key]);
        Ok(PagerDuty { url, routing_key: self.routing_key, origin: self.origin, key_hash })
    }
}

impl std::fmt::Debug for PagerDuty {
    /// Without the routing key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty").field("url", &self.url).field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PagerDutyBuilder {
    /// Without the routing key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDutyBuilder").field("endpoint", &self.settings.endpoint()).finish_non_exhaustive()
    }
}

impl Destination for PagerDuty {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &[Purpose::Monitoring]
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, _route: &RouteSpec, row: &Row) -> Want {
        let is_critical = || super::alert::severity(&fields(row)) == AlertSeverity::Critical;
        if row.kind == Kind::Alert && is_critical() { Want::Yes } else { Want::No }
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let event = batch
            .rows
            .first()
            .map(|row| event::trigger(row, batch.run_of(row), &self.routing_key, &self.origin, &mut Notes::default()));
        request(&self.url, &[("Content-Type", "application/json")], event.unwrap_or_default().to_string())
    }

    fn notes(&self, _route: &RouteSpec, row: &Row) -> Vec<Note> {
        let mut notes = Notes::default();
        event::trigger(row, None, "", &self.origin, &mut notes);
        notes.0
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        verdict::of(batch.rows.len(), response)
    }

    fn encoder(&self) -> u32 {
        let Self { origin: event::Origin { source, component }, .. } = self;
        let texts = [source, component].map(|text| text.as_deref().unwrap_or_default());
        encoder("pagerduty", VERSION, texts.join("\n").as_bytes())
    }
}

#[cfg(test)]
mod tests;
