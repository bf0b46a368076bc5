//! A snapshot of the engine's state, taken without a database query.

use super::Monitor;
use crate::delivery::{DestinationNote, RouteStatus};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Run;
use crate::support_code::support_code;
use crate::writer::shared::StoreState;

/// A snapshot of the engine's state. See [`Status::lines`] for it as text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The folder in use. A path that is no Unicode is shown with replacement characters.
    pub folder: String,
    /// Whether the database can be used.
    pub store: StoreState,
    /// What is known about this start of the app.
    pub start: Start,
    /// Id of the current session, if there is one.
    pub session: Option<String>,
    /// The [support code](crate::support_code()) of the current session, for the user to read to a tester or to support.
    pub support_code: Option<String>,
    /// Whether the engine is in [test mode](crate::ConfigBuilder::test_mode).
    pub test_mode: bool,
    /// Events accepted by the ring since its file was created.
    pub accepted: u64,
    /// How many of them are folded into the database.
    pub folded: u64,
    /// Events refused at the call since the file was created.
    pub refused: Vec<Refused>,
    /// Erased data is still in the log of the queue, because another program reads the queue. The engine tries again
    /// every second, and before the next start reads anything.
    pub erasure_blocked: bool,
    /// Every route: what waits for it and why.
    pub routes: Vec<RouteStatus>,
    /// Values of the configuration that a destination sends in another form, because its vendor does not accept them. For
    /// example a release with a slash at Sentry.
    pub notes: Vec<DestinationNote>,
}

/// What is known about a start of the app, for a layer that records first starts and updates.
#[derive(Clone, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Start {
    /// The folder had no queue: the app starts for the first time since it was installed, or since its data was cleared. Neither
    /// [`Monitor::forget_user`] nor a damaged file makes it true again.
    pub first: bool,
    /// The version of the app: the fact `app_version`, else the release.
    pub version: String,
    /// The version of the last run whose records were stored; `None` if it is not known. A run that was killed before that is not
    /// counted: the start after an update that crashes at once is told again.
    pub version_before: Option<String>,
}

impl Start {
    /// The version of a run.
    pub(super) fn version_of(run: &Run) -> String {
        run.facts.app_version.clone().unwrap_or_else(|| run.release.clone())
    }
}

/// A count of events that were refused at the call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// Their kind; `None` for breadcrumbs, and for what is no event of a known kind: a document or an item that cannot be read.
    pub kind: Option<Kind>,
    /// How many.
    pub count: u64,
}

impl Monitor {
    /// Returns a snapshot of the engine's state. Allocates; does not query the database and does not block.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = &self.0.shared;
        let refused = shared.ring.refusals().into_iter();
        let session = self.0.current_session().map(|session| session.id.clone());
        Status {
            folder: shared.folder.to_string_lossy().into_owned(),
            store: shared.state(),
            start: Start { version: Start::version_of(&self.0.run()), ..self.0.start.clone() },
            support_code: session.as_deref().and_then(support_code).map(str::to_owned),
            session,
            test_mode: shared.config.is_test(),
            accepted: shared.ring.last().1,
            folded: shared.ring.superblock().fold_total,
            refused: refused.map(|(reason, kind, count)| Refused { reason, kind, count }).collect(),
            erasure_blocked: shared.erasure_blocked.load(std::sync::atomic::Ordering::Relaxed),
            routes: shared.delivery.get().map(crate::delivery::DeliveryHandle::snapshot).unwrap_or_default(),
            notes: shared.notes(&self.0.run()),
        }
    }
}
