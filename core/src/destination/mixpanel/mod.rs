//! Mixpanel: `/import` for events, `/engage` for user profiles.
//!
//! | route | content | repeated after an unknown outcome |
//! | --- | --- | --- |
//! | `mixpanel.import` | events with an `$insert_id`, by which Mixpanel deduplicates | yes |
//! | `mixpanel.set` | `$set`, `$set_once`, `$unset`, `$union`, `$remove`, `$delete`, which are idempotent | yes |
//! | `mixpanel.add` | `$add` and `$append`, which have no key for deduplication | no |
//!
//! Geolocation is off: every request sends `ip` as 0. `/engage` does not accept compressed bodies.

mod becomes;
mod device;
mod encode;
mod response;
mod value;

use super::base64::base64;
use super::fields::{Notes, fields, text};
use super::settings::{Settings, check_credential, encoder, request, stable_hash};
use super::{Backoff, Batch, Destination, DestinationError, Note, RouteSpec, Stamp, Verdict, Want};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Request, Response};
use std::time::Duration;

/// Raised when the body for the same rows changes.
const VERSION: u32 = 2;

/// The backoff that Mixpanel asks for: exponential from 2 s to 60 s.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

/// Limit of profile updates in one request. Mixpanel accepts 2,000, but responds to the request as a whole, so that one
/// refused update makes the whole request fail.
const UPDATES: usize = 50;

/// 500 events are well below Mixpanel's limits of 2,000 events and 10 MB.
const IMPORT: RouteSpec = RouteSpec {
    name: "mixpanel.import",
    at_most_once: false,
    max_events: limits::BATCH_MAX_EVENTS,
    max_bytes: limits::BATCH_MAX_BYTES,
    backoff: BACKOFF,
    gzip: true,
    reports_losses: false,
    adds_losses: false,
};
const SET: RouteSpec = RouteSpec { name: "mixpanel.set", max_events: UPDATES, gzip: false, ..IMPORT };
const ADD: RouteSpec = RouteSpec { name: "mixpanel.add", at_most_once: true, ..SET };
const ROUTES: &[RouteSpec] = &[IMPORT, SET, ADD];

/// The three routes.
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

/// The region in which the project's data is stored.
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
    settings: Settings,
    errors: bool,
    interactions: bool,
    api_calls: bool,
}

impl Mixpanel {
    /// A builder with the project token, as shown in the project's settings.
    #[must_use]
    pub fn builder(token: impl Into<String>) -> MixpanelBuilder {
        MixpanelBuilder {
            token: token.into(),
            settings: Settings::new(MixpanelRegion::Us.endpoint(), &[Purpose::Analytics]),
            errors: false,
            interactions: false,
            api_calls: false,
        }
    }
}

impl MixpanelBuilder {
    /// The region in which the project's data is stored. Default: the United States.
    #[must_use]
    pub fn region(mut self, region: MixpanelRegion) -> Self {
        self.settings.endpoint = region.endpoint().into();
        self
    }

    /// Sends to this base address instead of a region's, for example to a relay of the team; `/import` and `/engage`
    /// are appended. The address uses `https`; `http` is allowed to a loopback address only.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self
    }

    /// The purposes for which Mixpanel gets data. Default: analytics. With monitoring it also gets screen loads, and
    /// the kinds that are switched on below.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.settings.set_purposes(purposes);
        self
    }

    /// Sends errors as `App Error` and crashes as `App Crash`. Default: false. Requires the purpose monitoring.
    #[must_use]
    pub fn errors(mut self, errors: bool) -> Self {
        self.errors = errors;
        self
    }

    /// Sends interactions as `Interaction`. Default: false.
    #[must_use]
    pub fn interactions(mut self, interactions: bool) -> Self {
        self.interactions = interactions;
        self
    }

    /// Sends API calls as `API Call`. Default: false. Requires the purpose monitoring.
    #[must_use]
    pub fn api_calls(mut self, api_calls: bool) -> Self {
        self.api_calls = api_calls;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Mixpanel, DestinationError> {
        let base = self.settings.base_url(&["/import", "/engage"])?;
        check_credential("project token", &self.token)?;
        if self.token.contains(':') {
            return Err(DestinationError::Form { part: "project token", why: "a token does not contain `:`" });
        }
        Ok(Mixpanel {
            import: format!("{base}/import?strict=1"),
            engage: format!("{base}/engage?verbose=1&ip=0"),
            authorization: format!("Basic {}", base64(format!("{}:", self.token).as_bytes())),
            key_hash: stable_hash(&[&base, &self.token]),
            token: self.token,
            purposes: self.settings.into_purposes()?,
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
        f.debug_struct("MixpanelBuilder").field("endpoint", &self.settings.endpoint()).finish_non_exhaustive()
    }
}

impl Mixpanel {
    fn takes(&self, route: Route, row: &Row) -> bool {
        match (route, row.kind) {
            (Route::Import, Kind::ScreenView) => text(&fields(row), "op") != Some("stop"),
            (Route::Import, Kind::Analytics | Kind::ScreenLoad) => true,
            (Route::Import, Kind::Error | Kind::Crash) => self.errors,
            (Route::Import, Kind::Interaction) => self.interactions,
            (Route::Import, Kind::ApiCall) => self.api_calls,
            // An amount alone (`trackRevenue`) updates the profile only; a purchase with items or an id is an event as
            // well.
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
        const JSON: (&str, &str) = ("Content-Type", "application/json");
        const ACCEPT: (&str, &str) = ("Accept", "application/json");
        match Route::of(route) {
            Route::Import => {
                let headers = [JSON, ("Authorization", self.authorization.as_str()), ACCEPT];
                request(&self.import, &headers, encode::events(batch))
            }
            Route::Set | Route::Add => request(&self.engage, &[JSON, ACCEPT], encode::updates(&self.token, batch)),
        }
    }

    fn notes(&self, route: &RouteSpec, row: &Row) -> Vec<Note> {
        let mut notes = Notes::default();
        match Route::of(route) {
            Route::Import => drop(encode::event("", None, row, &mut notes)),
            Route::Set | Route::Add => drop(encode::update("", "", row, &mut notes)),
        }
        notes.0
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        match Route::of(route) {
            Route::Import => response::import(batch, response),
            Route::Set => response::set(batch, response),
            Route::Add => response::add(batch, response),
        }
    }

    fn encoder(&self) -> u32 {
        encoder("mixpanel", VERSION, &[])
    }
}

#[cfg(test)]
mod tests;
