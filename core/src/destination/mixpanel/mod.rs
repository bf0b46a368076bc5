//! Mixpanel: `/import` for events, `/engage` for what is known of a user.
//!
//! | route | carries | resent when its fate is unknown |
//! | --- | --- | --- |
//! | `mixpanel.import` | events, each with its `$insert_id`, by which Mixpanel drops a second copy | yes |
//! | `mixpanel.set` | `$set`: the same value twice is the same value | yes |
//! | `mixpanel.add` | `$add`, `$append`: no key to tell a second copy by | no |
//!
//! Geolocation is off (`ip` is 0 everywhere). `/engage` takes no compressed bodies.

mod answer;
mod becomes;
mod encode;
mod value;

use super::base64::base64;
use super::write::{Notes, fields, text};
use super::{
    Backoff, Batch, Destination, DestinationError, Note, RouteSpec, Stamp, Verdict, Want, header_value, stable_hash,
};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Answer, Endpoint, Request};
use std::time::Duration;

/// Version of the encoder.
const VERSION: u32 = 1;

/// Waits as Mixpanel asks for them: exponential from 2 s to 60 s.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

/// Most updates of profiles in one request. Mixpanel takes 2,000; it answers for all of them with one digit, so that a
/// refused one takes its company along.
const UPDATES: usize = 50;

/// `mixpanel.import`: 500 events are far under Mixpanel's 2,000 and 10 MB.
const IMPORT: RouteSpec = RouteSpec {
    name: "mixpanel.import",
    at_most_once: false,
    max_events: limits::CUT_EVENTS,
    max_bytes: limits::CUT_BYTES,
    backoff: BACKOFF,
    gzip: true,
    reports_losses: false,
    adds_losses: false,
};
const SET: RouteSpec = RouteSpec { name: "mixpanel.set", max_events: UPDATES, gzip: false, ..IMPORT };
const ADD: RouteSpec = RouteSpec { name: "mixpanel.add", at_most_once: true, ..SET };
const ROUTES: &[RouteSpec] = &[IMPORT, SET, ADD];

/// Which of the three this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Import,
    Set,
    Add,
}

impl Route {
    fn of(spec: &RouteSpec) -> Route {
        match spec.name {
            "mixpanel.set" => Route::Set,
            "mixpanel.add" => Route::Add,
            _ => Route::Import,
        }
    }
}

/// Where the project's data lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MixpanelRegion {
    /// The United States: `api.mixpanel.com`.
    #[default]
    Us,
    /// The European Union: `api-eu.mixpanel.com`.
    Eu,
    /// India: `api-in.mixpanel.com`.
    India,
}

impl MixpanelRegion {
    fn endpoint(self) -> &'static str {
        match self {
            MixpanelRegion::Us => "https://api.mixpanel.com",
            MixpanelRegion::Eu => "https://api-eu.mixpanel.com",
            MixpanelRegion::India => "https://api-in.mixpanel.com",
        }
    }
}

/// Mixpanel's ingestion API.
#[derive(Clone)]
pub struct Mixpanel {
    import: String,
    engage: String,
    token: String,
    authorization: String,
    purposes: Vec<Purpose>,
    errors: bool,
    interactions: bool,
    api_calls: bool,
    key_hash: u64,
}

/// Builds a [`Mixpanel`].
#[derive(Clone)]
pub struct MixpanelBuilder {
    token: String,
    endpoint: String,
    purposes: Vec<Purpose>,
    errors: bool,
    interactions: bool,
    api_calls: bool,
}

impl Mixpanel {
    /// The project token, as in the project's settings.
    #[must_use]
    pub fn builder(token: impl Into<String>) -> MixpanelBuilder {
        MixpanelBuilder {
            token: token.into(),
            endpoint: MixpanelRegion::Us.endpoint().to_owned(),
            purposes: vec![Purpose::Analytics],
            errors: false,
            interactions: false,
            api_calls: false,
        }
    }
}

impl MixpanelBuilder {
    /// Where the project's data lives; the United States by default.
    #[must_use]
    pub fn region(mut self, region: MixpanelRegion) -> Self {
        region.endpoint().clone_into(&mut self.endpoint);
        self
    }

    /// A proxy of the team, or a stand-in on this machine, instead of a region's address: `/import` and `/engage` are
    /// appended. `https`, or `http` to this machine.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// What it gets. Analytics by default; with monitoring it also gets screen loads, and what the switches below name.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.purposes = Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose)).collect();
        self
    }

    /// Errors as `App Error` and crashes as `App Crash` (default: no). Needs the purpose monitoring.
    #[must_use]
    pub fn errors(mut self, errors: bool) -> Self {
        self.errors = errors;
        self
    }

    /// Taps and the like as `Interaction` (default: no).
    #[must_use]
    pub fn interactions(mut self, interactions: bool) -> Self {
        self.interactions = interactions;
        self
    }

    /// HTTP calls as `API Call` (default: no). Needs the purpose monitoring.
    #[must_use]
    pub fn api_calls(mut self, api_calls: bool) -> Self {
        self.api_calls = api_calls;
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`DestinationError`] names the part that cannot work.
    pub fn build(self) -> Result<Mixpanel, DestinationError> {
        let endpoint = Endpoint::parse(&self.endpoint)?;
        header_value("project token", &self.token)?;
        if self.token.contains(':') {
            return Err(DestinationError::Form { part: "project token", why: "a token has no `:` in it" });
        }
        if self.purposes.is_empty() {
            return Err(DestinationError::NoPurpose);
        }
        let base = format!("{}{}", endpoint.origin, endpoint.path);
        Ok(Mixpanel {
            import: format!("{base}/import?strict=1"),
            engage: format!("{base}/engage?verbose=1&ip=0"),
            authorization: format!("Basic {}", base64(format!("{}:", self.token).as_bytes())),
            key_hash: stable_hash(&[&base, &self.token]),
            token: self.token,
            purposes: self.purposes,
            errors: self.errors,
            interactions: self.interactions,
            api_calls: self.api_calls,
        })
    }
}

impl std::fmt::Debug for Mixpanel {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mixpanel")
            .field("import", &self.import)
            .field("purposes", &self.purposes)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MixpanelBuilder {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MixpanelBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Mixpanel {
    fn takes(&self, route: Route, row: &Row) -> bool {
        match (route, row.kind) {
            (Route::Import, Kind::Analytics | Kind::ScreenView | Kind::ScreenLoad) => true,
            (Route::Import, Kind::Error | Kind::Crash) => self.errors,
            (Route::Import, Kind::Interaction) => self.interactions,
            (Route::Import, Kind::ApiCall) => self.api_calls,
            // A charge alone (the guide's `trackRevenue`) is no event; a purchase with its items or its id is.
            (Route::Import, Kind::Revenue) => {
                let fields = fields(row);
                text(&fields, "transaction_id").is_some() || fields.contains_key("items")
            }
            (Route::Add, Kind::Revenue) => true,
            (Route::Set | Route::Add, Kind::UserProp) => {
                let adds = matches!(text(&fields(row), "op"), Some("increment" | "append"));
                adds == (route == Route::Add)
            }
            _ => false,
        }
    }
}

impl Destination for Mixpanel {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        if self.takes(Route::of(route), row) { Want::Yes } else { Want::No }
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let (url, body) = match Route::of(route) {
            Route::Import => {
                headers.push(("Authorization".to_owned(), self.authorization.clone()));
                (&self.import, encode::events(batch))
            }
            Route::Set | Route::Add => (&self.engage, encode::updates(&self.token, batch)),
        };
        headers.push(("Accept".to_owned(), "application/json".to_owned()));
        Request { url: url.clone(), headers, body: body.into_bytes() }
    }

    fn notes(&self, route: &RouteSpec, row: &Row) -> Vec<Note> {
        let mut notes = Notes::default();
        match Route::of(route) {
            Route::Import => drop(encode::event("", None, row, &mut notes)),
            Route::Set | Route::Add => drop(encode::update("", "", row, &mut notes)),
        }
        notes.0
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict {
        match Route::of(route) {
            Route::Import => answer::import(batch, answer),
            Route::Set => answer::set(batch, answer),
            Route::Add => answer::add(batch, answer),
        }
    }

    fn encoder(&self) -> u32 {
        // The body names the version of the library, so another version writes another body.
        crc32fast::hash(concat!("mixpanel ", env!("CARGO_PKG_VERSION")).as_bytes()) ^ VERSION
    }
}

#[cfg(test)]
mod tests;
