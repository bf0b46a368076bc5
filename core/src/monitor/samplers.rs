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
    release: String,
    environment: Option<String>,
}

/// The destinations that keep traces, in the order of their declaration.
#[derive(Default)]
pub(super) struct Declared {
    named: Vec<(String, Sampling)>,
    /// Of the first destination with Sentry's style.
    baggage: Option<Baggage>,
}

impl Samplers {
    pub(super) fn new(config: &Config) -> Samplers {
        let samplers = Samplers {
            snapshot: Mutex::default(),
            changes: Mutex::default(),
            release: config.release.clone(),
            environment: config.environment.clone(),
        };
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
        self.change(|named| match (named.iter_mut().find(|(known, _)| known == name), sampling) {
            (Some(place), Some(sampling)) => place.1 = sampling,
            (Some(_), None) => named.retain(|(known, _)| known != name),
            (None, Some(sampling)) => named.push((name.to_owned(), sampling)),
            (None, None) => {}
        });
    }

    pub(super) fn remove(&self, name: &str) {
        self.change(|named| named.retain(|(known, _)| known != name));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<(String, Sampling)>)) {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut named = self.read().named.clone();
        change(&mut named);
        let sentry = first(&named, TraceStyle::Sentry);
        let baggage = sentry.and_then(|sampling| sampling.baggage(&self.release, self.environment.as_deref()));
        let declared = Arc::new(Declared { named, baggage });
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = declared;
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
