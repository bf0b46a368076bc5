//! What the declared destinations decide about a trace, for the headers that the app gives out.
//!
//! The destinations belong to the delivery thread. Callers read a snapshot of their rates, which is replaced as a whole when
//! a destination is added, removed, paused or resumed: a header costs two short locks, and no allocation unless one is paused.

use super::Inner;
use crate::Consent;
use crate::config::Config;
use crate::destination::Destination;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::trace::{Baggage, Decision, Sampling, TraceContext, TraceStyle};
use std::sync::{Arc, Mutex, PoisonError};

/// Pauses and resumes that are remembered beside the list of the writer.
const SWITCHED: usize = 2 * limits::PAUSED;

/// The snapshot, and a lock for those who replace it.
pub(super) struct Samplers {
    snapshot: Mutex<Arc<Declared>>,
    changes: Mutex<()>,
}

/// The destinations that keep traces, in the order of their declaration.
#[derive(Clone, Default)]
pub(super) struct Declared {
    entries: Vec<Entry>,
    /// What this process paused (`true`) or resumed last, by name: in effect when the call returns, before the writer knows it.
    /// The writer knows those that are older than the last [`SWITCHED`].
    switched: Vec<(String, bool)>,
    release: String,
    environment: Option<String>,
}

/// A destination that keeps traces.
#[derive(Clone)]
struct Entry {
    name: String,
    sampling: Sampling,
    baggage: Option<Baggage>,
}

impl Samplers {
    pub(super) fn new(config: &Config) -> Samplers {
        let (release, environment) = (config.release.clone(), config.environment.clone());
        let declared = Declared { release, environment, ..Declared::default() };
        let samplers = Samplers { snapshot: Mutex::new(Arc::new(declared)), changes: Mutex::default() };
        for (name, destination) in &config.destinations {
            samplers.add(name, &**destination);
        }
        samplers
    }

    /// Adds the destination of this name, or replaces it in its place.
    pub(super) fn add(&self, name: &str, destination: &dyn Destination) {
        // Calls are sent for monitoring; who does not get them keeps no trace.
        let gets_calls = destination.purposes().contains(&Purpose::Monitoring);
        let sampling = destination.sampling().filter(|_| gets_calls);
        self.change(|declared| {
            let entries = &mut declared.entries;
            match (entries.iter_mut().find(|known| known.name == name), sampling) {
                (Some(place), Some(sampling)) => place.sampling = sampling,
                (Some(_), None) => entries.retain(|known| known.name != name),
                (None, Some(sampling)) => entries.push(Entry { name: name.to_owned(), sampling, baggage: None }),
                (None, None) => {}
            }
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.change(|declared| declared.entries.retain(|known| known.name != name));
    }

    /// A destination is paused or resumed, whether it is declared or not. Its place in the order stays.
    pub(super) fn pause(&self, name: &str, paused: bool) {
        self.change(|declared| {
            declared.switched.retain(|(known, _)| known != name);
            declared.switched.push((name.to_owned(), paused));
            let older = declared.switched.len().saturating_sub(SWITCHED);
            declared.switched.drain(..older);
        });
    }

    /// Sets the release that headers name from now on.
    pub(super) fn set_release(&self, release: &str) {
        self.change(|declared| release.clone_into(&mut declared.release));
    }

    fn change(&self, change: impl FnOnce(&mut Declared)) {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut declared = Declared::clone(&self.read());
        change(&mut declared);
        for entry in &mut declared.entries {
            entry.baggage = entry.sampling.baggage(&declared.release, declared.environment.as_deref());
        }
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(declared);
    }

    fn read(&self) -> Arc<Declared> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Declared {
    /// The destinations that get what is recorded now. `paused`: those that the stored scope names.
    fn active<'d>(&'d self, paused: &'d [String]) -> impl Iterator<Item = &'d Entry> + Clone {
        self.entries.iter().filter(move |entry| {
            let switched = self.switched.iter().find(|(name, _)| *name == entry.name);
            !switched.map_or_else(|| paused.contains(&entry.name), |(_, paused)| *paused)
        })
    }

    /// What the headers of a trace say. `session`: the share of the session in which the span is recorded. `recorded`: false
    /// if no row of the span is going to exist.
    fn decide<'d>(
        &'d self,
        trace: &TraceContext,
        session: Option<f64>,
        recorded: bool,
        paused: &'d [String],
    ) -> Decision<'d> {
        let active = self.active(paused);
        // The first destination of a style speaks for it.
        let first = |style| active.clone().find(|entry| entry.sampling.has_style(style));
        let keeps = |entry: &Entry| recorded && entry.sampling.keeps_share(trace, session);
        // Without a destination of its own, a style says what `traceparent` says.
        let anybody = match trace.sampled() {
            Some(sampled) => recorded && sampled,
            None => active.clone().any(keeps),
        };
        let of = |style| first(style).map_or(anybody, keeps);
        Decision {
            anybody,
            datadog: of(TraceStyle::Datadog),
            sentry: of(TraceStyle::Sentry),
            baggage: first(TraceStyle::Sentry).and_then(|entry| entry.baggage.as_ref()),
        }
    }
}

impl Inner {
    /// Calls `out` with the headers of a trace.
    pub(super) fn headers(&self, trace: &TraceContext, session: Option<f64>, out: &mut dyn FnMut(&str, &str)) {
        let [monitoring, _] = self.shared.ring.consent();
        let denied = monitoring == Consent::Denied.number();
        let recorded = !self.is_sampled_out(Kind::ApiCall) && !denied && self.refused_here().is_none();
        let (declared, paused) = (self.samplers.read(), self.shared.paused());
        trace.headers(&self.shared.config.trace_styles, &declared.decide(trace, session, recorded, &paused), out);
    }
}
