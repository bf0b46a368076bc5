//! Whether a trace is kept. One rule for the rows of a destination and for the headers that speak for it, so that they
//! never disagree.
//!
//! A destination keeps a trace whose share is below its rate. The share is a number from 0 to below 1 that depends on the
//! trace's id or on the session's id alone: it is the same on every device, in every process and at every attempt.

use super::baggage::Baggage;
use super::share::{session_share, trace_share};
use super::{TraceContext, TraceStyle};

/// How a destination samples traces; see [`crate::destination::Destination::sampling`].
#[derive(Clone, Debug)]
pub struct Sampling {
    by: By,
    rate: f64,
    style: Option<TraceStyle>,
    project: Option<Project>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Trace,
    Session,
}

/// A project at Sentry, as `baggage` names it.
#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) public_key: String,
    /// The form in which the project gets the name of a release, and of an environment.
    pub(crate) release: fn(&str) -> Option<String>,
    pub(crate) environment: fn(&str) -> Option<String>,
    /// Of the organisation, where the host of the DSN shows it.
    pub(crate) org_id: Option<String>,
}

impl std::fmt::Debug for Project {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project").field("org_id", &self.org_id).finish_non_exhaustive()
    }
}

impl Sampling {
    /// Keeps this share (0 to 1) of the traces, by the id of the trace. A decision that a server has sent takes precedence.
    #[must_use]
    pub fn by_trace(rate: f64) -> Sampling {
        Sampling { by: By::Trace, rate, style: None, project: None }
    }

    /// Keeps the traces of this share (0 to 1) of the sessions. A decision that a server has sent takes precedence.
    #[must_use]
    pub fn by_session(rate: f64) -> Sampling {
        Sampling { by: By::Session, ..Sampling::by_trace(rate) }
    }

    /// The destination's own style of headers, which then carry its decision. The first destination of a style speaks for it.
    #[must_use]
    pub fn style(mut self, style: TraceStyle) -> Sampling {
        self.style = Some(style);
        self
    }

    #[cfg(feature = "destination-sentry")]
    pub(crate) fn project(mut self, project: Project) -> Sampling {
        self.project = Some(project);
        self
    }

    /// Whether the destination keeps the trace; `session` is the id of the session in which the span was recorded, if there
    /// is one. Without one, traces are sampled by their own id.
    #[must_use]
    pub fn keeps(&self, trace: &TraceContext, session: Option<&str>) -> bool {
        let session = session.filter(|_| self.by == By::Session).map(session_share);
        self.keeps_share(trace, session)
    }

    /// The same with the share of the session.
    pub(crate) fn keeps_share(&self, trace: &TraceContext, session: Option<f64>) -> bool {
        trace.sampled().unwrap_or_else(|| {
            let share = session.filter(|_| self.by == By::Session);
            share.unwrap_or_else(|| trace_share(trace.trace_id())) < self.rate
        })
    }

    pub(crate) fn has_style(&self, style: TraceStyle) -> bool {
        self.style == Some(style)
    }

    /// The `baggage` of a project at Sentry.
    pub(crate) fn baggage(&self, release: &str, environment: Option<&str>) -> Option<Baggage> {
        let project = self.project.as_ref()?;
        let release = (project.release)(release);
        let environment = environment.and_then(project.environment);
        let others = [
            ("release", release.as_deref()),
            ("environment", environment.as_deref()),
            ("org_id", project.org_id.as_deref()),
        ];
        Some(Baggage::new(&project.public_key, self.rate, &others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(id: u128) -> TraceContext {
        TraceContext::new(id, 1).unwrap()
    }

    #[test]
    fn a_rate_of_0_keeps_no_trace_and_a_rate_of_1_every_trace() {
        for id in [1, 1 << 62, (1 << 62) - 1, u128::MAX, 1 << 64] {
            for by in [Sampling::by_trace, Sampling::by_session] {
                assert!(!by(0.0).keeps(&trace(id), Some("s")), "{id}");
                assert!(by(1.0).keeps(&trace(id), Some("s")), "{id}");
            }
        }
    }

    #[test]
    fn a_decision_of_a_server_takes_precedence() {
        let sent = trace(1);
        for by in [Sampling::by_trace, Sampling::by_session] {
            assert!(by(0.0).keeps(&sent.with_sampled(Some(true)), Some("s")));
            assert!(!by(1.0).keeps(&sent.with_sampled(Some(false)), Some("s")));
        }
    }

    #[test]
    fn sessions_are_kept_whole_and_traces_without_one_by_their_own_id() {
        let half = Sampling::by_session(0.5);
        let kept = (0..1_000).filter(|n| half.keeps(&trace(1), Some(&format!("session-{n}")))).count();
        assert!((400..600).contains(&kept), "{kept}");
        let of_one: std::collections::HashSet<_> =
            (1..1_000).map(|n: u128| half.keeps(&trace(n << 40), Some("session-1"))).collect();
        assert_eq!(of_one.len(), 1);
        assert_eq!(half.keeps(&trace(u128::MAX), None), Sampling::by_trace(0.5).keeps(&trace(u128::MAX), None));
    }

    proptest! {
        #[test]
        fn a_higher_rate_keeps_every_trace_of_a_lower_one(id: u128, one in 0.0..=1.0f64, other in 0.0..=1.0f64) {
            let id = trace(id.max(1));
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(!Sampling::by_trace(low).keeps(&id, None) || Sampling::by_trace(high).keeps(&id, None));
        }
    }
}
