//! Google Analytics 4: the Measurement Protocol, for a web stream or an app stream.
//!
//! The protocol has no key for deduplication and responds with 2xx to any request. The route is therefore at-most-once, and
//! names, lengths and numbers of parameters are brought within Google's limits before the request is sent.

mod becomes;
mod commerce;
mod device;
mod encode;
mod name;
mod value;

use super::fields::{Notes, fields, query_value, text};
use super::response::unsuccessful;
use super::settings::{Settings, check_credential, encoder, request, stable_hash};
use super::{Action, Backoff, Batch, Destination, DestinationError, Note, RouteSpec, RowOutcome, Stamp, Verdict, Want};
use crate::kind::{Kind, Purpose};
use crate::row::Row;
use crate::transport::{Request, Response};
use std::time::Duration;

/// Raised when the body for the same rows changes.
const VERSION: u32 = 2;

/// Limit of events in one request.
const EVENTS: usize = 25;

/// Limit of row JSON in one request, in bytes. With what the encoder adds to 25 events, the body stays below Google's
/// 130 kB.
const ROWS_BYTES: usize = 50_000;

/// Google moves older events to this age, which dates them wrong.
const MAX_AGE: Duration = Duration::from_secs(72 * 3600);

/// Google's address.
const ENDPOINT: &str = "https://www.google-analytics.com";

/// Google's address inside the European Union.
const ENDPOINT_EU: &str = "https://region1.google-analytics.com";

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "ga4.collect",
    at_most_once: true,
    max_events: EVENTS,
    max_bytes: ROWS_BYTES,
    backoff: Backoff::STANDARD,
    // Google does not document compressed requests.
    gzip: false,
    reports_losses: false,
    adds_losses: false,
}];

/// The Measurement Protocol of Google Analytics 4.
#[derive(Clone)]
pub struct Ga4 {
    url: String,
    /// Instance id made by Firebase; app streams only.
    instance: Option<String>,
    purposes: Vec<Purpose>,
    interactions: bool,
    api_calls: bool,
    key_hash: u64,
}

/// A data stream of a property.
#[derive(Clone)]
enum Stream {
    Web { measurement_id: String },
    App { firebase_app_id: String, instance: String },
}

/// Builds a [`Ga4`].
#[derive(Clone)]
pub struct Ga4Builder {
    stream: Stream,
    api_secret: String,
    settings: Settings,
    interactions: bool,
    api_calls: bool,
}

impl Ga4 {
    /// A builder for a web stream, which is the one to use in an app without Firebase. The client id is the id of the
    /// installation.
    ///
    /// The measurement id looks like `G-1A2B3C4D5E`. The secret is created under *Measurement Protocol API secrets*.
    #[must_use]
    pub fn web_stream(measurement_id: impl Into<String>, api_secret: impl Into<String>) -> Ga4Builder {
        Ga4Builder::new(Stream::Web { measurement_id: measurement_id.into() }, api_secret.into())
    }

    /// A builder for an app stream. Google accepts only an instance id (32 hex digits) that the Firebase SDK in the
    /// same app has created. The Firebase app id looks like `1:1234567890:android:321abc456def7890`.
    #[must_use]
    pub fn app_stream(
        firebase_app_id: impl Into<String>,
        app_instance_id: impl Into<String>,
        api_secret: impl Into<String>,
    ) -> Ga4Builder {
        let stream = Stream::App { firebase_app_id: firebase_app_id.into(), instance: app_instance_id.into() };
        Ga4Builder::new(stream, api_secret.into())
    }
}

impl Ga4Builder {
    fn new(stream: Stream, api_secret: String) -> Ga4Builder {
        Ga4Builder {
            stream,
            api_secret,
            settings: Settings::new(ENDPOINT, &[Purpose::Analytics]),
            interactions: true,
            api_calls: false,
        }
    }

    /// Sends to Google's address inside the European Union.
    #[must_use]
    pub fn eu(mut self) -> Self {
        self.settings.endpoint = ENDPOINT_EU.into();
        self
    }

    /// Sends to this base address instead of Google's, for example to a relay of the team; `/mp/collect` is appended.
    /// The address uses `https`; `http` is allowed to a loopback address only.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self
    }

    /// The purposes for which GA4 gets data. Default: analytics. With monitoring it also gets errors as `sdk_error` and
    /// screen loads as `screen_load`.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.settings.set_purposes(purposes);
        self
    }

    /// Sends interactions as `ui_interaction`. Default: true.
    #[must_use]
    pub fn interactions(mut self, interactions: bool) -> Self {
        self.interactions = interactions;
        self
    }

    /// Sends API calls as `api_call`. Default: false. Requires the purpose monitoring.
    #[must_use]
    pub fn api_calls(mut self, api_calls: bool) -> Self {
        self.api_calls = api_calls;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Ga4, DestinationError> {
        let base = format!("{}/mp/collect", self.settings.base_url(&["/mp/collect"])?);
        check_credential("API secret", &self.api_secret)?;
        let (key, id, instance) = match self.stream {
            Stream::Web { measurement_id } => {
                check_credential("measurement id", &measurement_id)?;
                ("measurement_id", measurement_id, None)
            }
            Stream::App { firebase_app_id, instance } => {
                check_credential("Firebase app id", &firebase_app_id)?;
                if instance.len() != 32 || !instance.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let why = "expected 32 hex digits, as returned by Firebase's getAppInstanceId()";
                    return Err(DestinationError::Form { part: "app instance id", why });
                }
                ("firebase_app_id", firebase_app_id, Some(instance.to_ascii_lowercase()))
            }
        };
        let key_hash = stable_hash(&[&base, &id, &self.api_secret]);
        let url = format!("{base}?{key}={}&api_secret={}", query_value(&id), query_value(&self.api_secret));
        Ok(Ga4 {
            url,
            instance,
            purposes: self.settings.into_purposes()?,
            interactions: self.interactions,
            api_calls: self.api_calls,
            key_hash,
        })
    }
}

impl std::fmt::Debug for Ga4 {
    /// Without the query, which contains the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Ga4").field("url", &url).field("purposes", &self.purposes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ga4Builder {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ga4Builder").field("endpoint", &self.settings.endpoint()).finish_non_exhaustive()
    }
}

impl Destination for Ga4 {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, _route: &RouteSpec, row: &Row) -> Want {
        let wanted = match row.kind {
            // The end of a view is no event of Google's.
            Kind::ScreenView => text(&fields(row), "op") != Some("stop"),
            Kind::Analytics | Kind::ScreenLoad | Kind::Revenue => true,
            // A user property cannot be a list, and the protocol cannot delete a user.
            Kind::UserProp => !matches!(text(&fields(row), "op"), Some("append" | "union" | "remove" | "delete")),
            Kind::Error | Kind::Crash => true,
            Kind::Interaction => self.interactions,
            Kind::ApiCall => self.api_calls,
            _ => false,
        };
        if wanted { Want::Yes } else { Want::No }
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let body = encode::body(batch, self.instance.as_deref());
        request(&self.url, &[("Content-Type", "application/json")], body)
    }

    fn fits(&self, _route: &RouteSpec, first: &Row, _taken: usize, next: &Row) -> bool {
        // A request names one client and one user.
        encode::identity(&fields(first)) == encode::identity(&fields(next))
    }

    fn max_age(&self, _route: &RouteSpec) -> Option<Duration> {
        Some(MAX_AGE)
    }

    fn notes(&self, _route: &RouteSpec, row: &Row) -> Vec<Note> {
        let mut notes = Notes::default();
        if row.kind == Kind::UserProp {
            drop(encode::user_property(&fields(row), &mut notes));
        } else {
            drop(encode::event(None, row, &mut notes));
        }
        notes.0
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        let action = match response.status {
            // The endpoint responds with 2xx to every request it can read; the body says nothing.
            200..=299 => Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()]),
            503 => Action::Keep(response.retry_after()),
            // The vendor cannot recognise a second copy, and the events may have been stored.
            status @ (408 | 425 | 500..=599) => Action::Ambiguous(format!("status {status}")),
            _ => unsuccessful(
                response,
                "the API secret was refused",
                "there is no Measurement Protocol endpoint at this address",
            ),
        };
        Verdict::of(action)
    }

    fn encoder(&self) -> u32 {
        encoder("ga4", VERSION, &[])
    }
}

#[cfg(test)]
mod tests;
