//! What the declared destinations decide about a trace, for the headers that the app gives out.
//!
//! The destinations belong to the delivery thread. Callers read a snapshot of their rates, which is replaced as a whole when
//! a destination is added or removed: a header costs one short lock and no allocation.

use super::Inner;
use crate::Consent;
use crate::config::Config;
use crate::destination::Destination;
use crate::kind::{Kind, Purpose};
use crate::trace::{Baggage, Decision, Sampling, TraceContext, TraceStyle};
use std::sync::{Arc, Mutex, PoisonError};

/// The snapshot, and a lock for those who replace it.
pub(super) struct Samplers {
    snapshot: Mutex<Arc<Declared>>,
    changes: Mutex<()>,
}

/// The destinations that keep traces, in the order of their declaration.
#[derive(Clone, Default)]
pub(super) struct Declared {
    named: Vec<(String, Sampling)>,
    /// Of the first destination with Sentry's style.
    baggage: Option<Baggage>,
    release: String,
    environment: Option<String>,
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
            let named = &mut declared.named;
            match (named.iter_mut().find(|(known, _)| known == name), sampling) {
                (Some(place), Some(sampling)) => place.1 = sampling,
                (Some(_), None) => named.retain(|(known, _)| known != name),
                (None, Some(sampling)) => named.push((name.to_owned(), sampling)),
                (None, None) => {}
            }
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.change(|declared| declared.named.retain(|(known, _)| known != name));
    }

    /// Sets the release that headers name from now on.
    pub(super) fn set_release(&self, release: &str) {
        self.change(|declared| release.clone_into(&mut declared.release));
    }

    fn change(&self, change: impl FnOnce(&mut Declared)) {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut declared = Declared::clone(&self.read());
        change(&mut declared);
        let sentry = first(&declared.named, TraceStyle::Sentry);
        declared.baggage =
            sentry.and_then(|sampling| sampling.baggage(&declared.release, declared.environment.as_deref()));
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(declared);
    }

    fn read(&self) -> Arc<Declared> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first destination of this style speaks for it.
fn first(named: &[(String, Sampling)], style: TraceStyle) -> Option<&Sampling> {
    named.iter().map(|(_, sampling)| sampling).find(|sampling| sampling.has_style(style))
}

impl Declared {
    /// What the headers of a trace say. `session`: the share of the session in which the span is recorded. `recorded`: false
    /// if no row of the span is going to exist.
    fn decide(&self, trace: &TraceContext, session: Option<f64>, recorded: bool) -> Decision<'_> {
        let keeps = |sampling: &Sampling| recorded && sampling.keeps_share(trace, session);
        // Without a destination of its own, a style says what `traceparent` says.
        let anybody = match trace.sampled() {
            Some(sampled) => recorded && sampled,
            None => self.named.iter().any(|(_, sampling)| keeps(sampling)),
        };
        let of = |style| first(&self.named, style).map_or(anybody, keeps);
        Decision {
            anybody,
            datadog: of(TraceStyle::Datadog),
            sentry: of(TraceStyle::Sentry),
            baggage: self.baggage.as_ref(),
        }
    }
}

impl Inner {
    /// Calls `out` with the headers of a trace.
    pub(super) fn headers(&self, trace: &TraceContext, session: Option<f64>, out: &mut dyn FnMut(&str, &str)) {
        let [monitoring, _] = self.shared.ring.consent();
        let denied = monitoring == Consent::Denied.number();
        let recorded = !self.is_sampled_out(Kind::ApiCall) && !denied && self.refused_here().is_none();
        let declared = self.samplers.read();
        trace.headers(&self.shared.config.trace_styles, &declared.decide(trace, session, recorded), out);
    }
}
