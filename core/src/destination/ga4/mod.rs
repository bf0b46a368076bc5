//! Google Analytics 4: the Measurement Protocol, for a web stream or an app stream.
//!
//! The protocol has no key by which a second copy of an event could be told, and answers 2xx to anything. So the route is
//! at most once, and what cannot be right is put right before it is sent: names, lengths and numbers of parameters.

mod becomes;
mod commerce;
mod encode;
mod name;

use super::server_message::server_message;
use super::write::{Notes, fields, query_value};
use super::{
    Action, Backoff, Batch, Destination, DestinationError, Note, RouteSpec, RowOutcome, Stamp, Verdict, Want,
    header_value, stable_hash,
};
use crate::kind::{Kind, Purpose};
use crate::row::Row;
use crate::transport::{Answer, Endpoint, Request};
use std::time::Duration;

/// Version of the encoder.
const VERSION: u32 = 1;

/// Most events in one request.
const EVENTS: usize = 25;

/// Most bytes of row JSON in one request: what an event adds to it stays under Google's 130 kB for 25 of them.
const ROWS_BYTES: usize = 50_000;

/// Older events are moved to this age by Google, to a day on which they did not happen.
const MAX_AGE: Duration = Duration::from_secs(72 * 3600);

/// Where the protocol is served.
const ENDPOINT: &str = "https://www.google-analytics.com";

/// The same inside the European Union.
const ENDPOINT_EU: &str = "https://region1.google-analytics.com";

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "ga4.collect",
    at_most_once: true,
    max_events: EVENTS,
    max_bytes: ROWS_BYTES,
    backoff: Backoff::STANDARD,
    // Compression of requests is not documented.
    gzip: false,
    reports_losses: false,
    adds_losses: false,
}];

/// The Measurement Protocol of Google Analytics 4.
#[derive(Clone)]
pub struct Ga4 {
    url: String,
    /// Of an app stream: the instance id that Firebase made.
    instance: Option<String>,
    purposes: Vec<Purpose>,
    interactions: bool,
    api_calls: bool,
    key_hash: u64,
}

/// A property's data stream.
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
    endpoint: String,
    purposes: Vec<Purpose>,
    interactions: bool,
    api_calls: bool,
}

impl Ga4 {
    /// A web stream: the right one for an app without Firebase. The client id is the installation's own id.
    ///
    /// The measurement id looks like `G-1A2B3C4D5E`; the secret is made under *Measurement Protocol API secrets*.
    #[must_use]
    pub fn web_stream(measurement_id: impl Into<String>, api_secret: impl Into<String>) -> Ga4Builder {
        Ga4Builder::new(Stream::Web { measurement_id: measurement_id.into() }, api_secret.into())
    }

    /// An app stream. Google takes it only with the instance id (32 hex digits) that the Firebase SDK in the same app
    /// has made; the Firebase app id looks like `1:1234567890:android:321abc456def7890`.
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
            endpoint: ENDPOINT.to_owned(),
            purposes: vec![Purpose::Analytics],
            interactions: true,
            api_calls: false,
        }
    }

    /// Google's address inside the European Union.
    #[must_use]
    pub fn eu(mut self) -> Self {
        ENDPOINT_EU.clone_into(&mut self.endpoint);
        self
    }

    /// A proxy of the team, or a stand-in on this machine; `/mp/collect` is appended. `https`, or `http` to this machine.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// What it gets. Analytics by default; with monitoring it also gets errors as `sdk_error` and screen loads as
    /// `screen_load`.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.purposes = Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose)).collect();
        self
    }

    /// Taps and the like as `ui_interaction` (default: yes).
    #[must_use]
    pub fn interactions(mut self, interactions: bool) -> Self {
        self.interactions = interactions;
        self
    }

    /// HTTP calls as `api_call` (default: no). Needs the purpose monitoring.
    #[must_use]
    pub fn api_calls(mut self, api_calls: bool) -> Self {
        self.api_calls = api_calls;
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`DestinationError`] names the part that cannot work.
    pub fn build(self) -> Result<Ga4, DestinationError> {
        let endpoint = Endpoint::parse(&self.endpoint)?;
        header_value("API secret", &self.api_secret)?;
        let (key, id, instance) = match self.stream {
            Stream::Web { measurement_id } => {
                header_value("measurement id", &measurement_id)?;
                ("measurement_id", measurement_id, None)
            }
            Stream::App { firebase_app_id, instance } => {
                header_value("Firebase app id", &firebase_app_id)?;
                if instance.len() != 32 || !instance.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let why = "32 hex digits, as Firebase's getAppInstanceId() gives them";
                    return Err(DestinationError::Form { part: "app instance id", why });
                }
                ("firebase_app_id", firebase_app_id, Some(instance.to_ascii_lowercase()))
            }
        };
        if self.purposes.is_empty() {
            return Err(DestinationError::NoPurpose);
        }
        let base = format!("{}{}/mp/collect", endpoint.origin, endpoint.path);
        let key_hash = stable_hash(&[&base, &id, &self.api_secret]);
        let url = format!("{base}?{key}={}&api_secret={}", query_value(&id), query_value(&self.api_secret));
        Ok(Ga4 {
            url,
            instance,
            purposes: self.purposes,
            interactions: self.interactions,
            api_calls: self.api_calls,
            key_hash,
        })
    }
}

impl std::fmt::Debug for Ga4 {
    /// Without the query, which holds the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Ga4").field("url", &url).field("purposes", &self.purposes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ga4Builder {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ga4Builder").field("endpoint", &self.endpoint).finish_non_exhaustive()
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
        let yes = match row.kind {
            Kind::Analytics | Kind::ScreenView | Kind::ScreenLoad | Kind::Revenue => true,
            // Lists have no place in a user property.
            Kind::UserProp => fields(row).get("op").and_then(|op| op.as_str()) != Some("append"),
            Kind::Error | Kind::Crash => true,
            Kind::Interaction => self.interactions,
            Kind::ApiCall => self.api_calls,
            _ => false,
        };
        if yes { Want::Yes } else { Want::No }
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        Request {
            url: self.url.clone(),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: encode::body(batch, self.instance.as_deref()).into_bytes(),
        }
    }

    fn fits(&self, _route: &RouteSpec, first: &Row, _taken: usize, next: &Row) -> bool {
        // A request is about one user of one client.
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

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict {
        let kind = answer.header("content-type").unwrap_or_default().trim_start().to_ascii_lowercase();
        let action = match answer.status {
            // A page is a portal's, not Google's; anything else, mostly nothing at all, is a yes.
            200..=299 if kind.starts_with("text/html") => Action::Ambiguous("the answer is a page".into()),
            200..=299 => Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()]),
            300..=399 => Action::Stop(match answer.header("location") {
                Some(to) => format!("the endpoint redirects to {}", server_message(to)),
                None => "the endpoint redirects".to_owned(),
            }),
            401 | 403 => Action::Stop(format!("the API secret was refused ({})", answer.status)),
            404 | 405 | 410 => {
                Action::Stop(format!("there is no Measurement Protocol at this address ({})", answer.status))
            }
            429 | 503 => Action::Keep(answer.retry_after()),
            status @ (408 | 425 | 500..=599) => Action::Ambiguous(format!("status {status}")),
            400..=499 => Action::Split,
            status => Action::Ambiguous(format!("status {status} means nothing here")),
        };
        Verdict::of(action)
    }

    fn encoder(&self) -> u32 {
        crc32fast::hash(concat!("ga4 ", env!("CARGO_PKG_VERSION")).as_bytes()) ^ VERSION
    }
}

#[cfg(test)]
mod tests;
