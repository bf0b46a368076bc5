//! A row and the headers of its request never disagree: whatever the rates, the ids, the destinations, the sessions and the
//! way in which the trace began.

use super::tests::config;
use super::{ApiCall, From, Monitor, ScopeChange};
use crate::destination::{Batch, Datadog, Destination, Otlp, Rez, RouteSpec, Sentry, Stamp, Verdict, Want};
use crate::inspect::{Filter, Reader};
use crate::trace::{TraceContext, TraceStyle};
use crate::transport::{Request, Response};
use crate::{Consent, ErrorEvent, EventId, Outcome, Purpose, Row, Timing};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const URL: &str = "https://api.rezapp.com/orders/17";

/// A way in which a call comes about.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A call of the engine, which fails or not.
    Call { fails: bool },
    /// A call while a screen loads.
    InScreen,
    /// A call inside a span of the app.
    InSpan,
    /// A call inside a trace that a server has begun.
    OfServer { sampled: bool },
    /// A call that a face measures: headers at its start, one crossing at its end.
    OfFace { child: bool },
    /// A call during which a session ends.
    OverSession,
    /// The same call measured by a face.
    OfFaceOverSession,
    /// Sentry is declared anew with another rate.
    OtherRate(f64),
    /// A destination is removed.
    Without(usize),
}

fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0f64]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(|fails| Step::Call { fails }),
        4 => Just(Step::InScreen),
        4 => Just(Step::InSpan),
        4 => any::<bool>().prop_map(|sampled| Step::OfServer { sampled }),
        4 => any::<bool>().prop_map(|child| Step::OfFace { child }),
        2 => Just(Step::OverSession),
        2 => Just(Step::OfFaceOverSession),
        1 => rate().prop_map(Step::OtherRate),
        1 => (0..4usize).prop_map(Step::Without),
    ]
}

const NAMES: [&str; 4] = ["sentry", "datadog", "otlp", "rez"];

fn destination(name: &str, rate: f64) -> Arc<dyn Destination> {
    match name {
        "sentry" => {
            Arc::new(Sentry::builder("https://k@o7.ingest.sentry.io/42").traces_sample_rate(rate).build().unwrap())
        }
        "datadog" => {
            let datadog = Datadog::builder("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "pub1");
            Arc::new(datadog.session_sample_rate(rate).build().unwrap())
        }
        "otlp" => Arc::new(Otlp::builder("https://otlp.example").traces_sample_rate(rate).build().unwrap()),
        _ => Arc::new(Rez::builder("https://in.example", "key").build().unwrap()),
    }
}

/// Wants every row and has no part in tracing, so that rows which nobody else wants stay in the queue.
struct Keeper(Arc<dyn Destination>);

impl Destination for Keeper {
    fn routes(&self) -> &'static [RouteSpec] {
        self.0.routes()
    }

    fn purposes(&self) -> &[Purpose] {
        self.0.purposes()
    }

    fn key_hash(&self) -> u64 {
        self.0.key_hash()
    }

    fn wants(&self, _: &RouteSpec, _: &Row) -> Want {
        Want::Yes
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        self.0.encode(route, batch, stamp)
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        self.0.verdict(route, batch, response)
    }

    fn encoder(&self) -> u32 {
        self.0.encoder()
    }
}

/// A call, its headers, and the destinations that were declared when it got them.
struct Made {
    step: Step,
    trace: TraceContext,
    id: EventId,
    headers: HashMap<String, String>,
    declared: Vec<(&'static str, Arc<dyn Destination>)>,
}

struct App {
    monitor: Monitor,
    clock: crate::Clock,
    declared: Vec<(&'static str, Arc<dyn Destination>)>,
    made: Vec<Made>,
}

fn id(outcome: Outcome) -> EventId {
    outcome.id().expect("recorded")
}

impl App {
    fn keep(&mut self, step: Step, trace: TraceContext, headers: HashMap<String, String>, id: EventId) {
        self.made.push(Made { step, trace, id, headers, declared: self.declared.clone() });
    }

    fn finish(&mut self, step: Step, call: ApiCall) {
        let mut headers = HashMap::new();
        call.headers(|name, value| _ = headers.insert(name.to_owned(), value.to_owned()));
        if let Step::OverSession = step {
            self.clock.advance(MS);
            self.monitor.scope(ScopeChange::NewSession);
        }
        let trace = call.context();
        let fails = matches!(step, Step::Call { fails: true });
        self.clock.advance(MS);
        let id = id(if fails { call.fail("offline") } else { call.finish(200, 5) });
        self.keep(step, trace, headers, id);
    }

    fn make(&mut self, step: Step) {
        let monitor = self.monitor.clone();
        let ids = monitor.ids();
        match step {
            Step::Call { .. } | Step::OverSession => self.finish(step, monitor.api_call("GET", URL)),
            Step::InScreen => {
                let screen = monitor.screen("Cart");
                self.finish(step, monitor.api_call("GET", URL));
                let _ = screen.finish();
            }
            Step::InSpan => {
                let span = monitor.span("checkout", "task");
                let child = span.child("pay", "task");
                self.finish(step, child.api_call("GET", URL));
                drop(child);
                let _ = span.finish();
            }
            Step::OfServer { sampled } => {
                let sent = ids.root().with_sampled(Some(sampled));
                self.finish(step, monitor.api_call_in(&sent, "GET", URL));
            }
            Step::OfFace { .. } | Step::OfFaceOverSession => {
                let root = ids.root();
                let trace = if matches!(step, Step::OfFace { child: true }) { root.child(&ids) } else { root };
                let mut headers = HashMap::new();
                monitor.trace_headers(&trace, URL, |name, value| _ = headers.insert(name.into(), value.into()));
                self.clock.advance(MS);
                if let Step::OfFaceOverSession = step {
                    monitor.scope(ScopeChange::NewSession);
                }
                self.clock.advance(MS);
                let made = monitor.timing(Timing::api_call("GET", URL, 2 * MS).status(200).trace(trace));
                let _ = monitor.error(ErrorEvent::new("E", "in the call").trace(trace));
                self.keep(step, trace, headers, id(made));
            }
            Step::OtherRate(rate) => {
                let sentry = destination("sentry", rate);
                monitor.add_destination("sentry", Arc::clone(&sentry), From::Now).unwrap();
                match self.declared.iter_mut().find(|(name, _)| *name == "sentry") {
                    Some(place) => place.1 = sentry,
                    None => self.declared.push(("sentry", sentry)),
                }
            }
            Step::Without(which) => {
                monitor.remove_destination(NAMES[which]);
                self.declared.retain(|(name, _)| *name != NAMES[which]);
            }
        }
    }
}

fn route(name: &str) -> RouteSpec {
    let wanted = match name {
        "sentry" => "sentry.envelope",
        "datadog" => "datadog.rum",
        "otlp" => "otlp.traces",
        _ => "rez.batch",
    };
    *destination(name, 1.0).routes().iter().find(|route| route.name == wanted).unwrap()
}

/// Whether a destination keeps the row: on its own, or inside the row of the screen or span it is a child of.
fn keeps(name: &str, destination: &dyn Destination, row: &Row, rows: &HashMap<EventId, Row>) -> bool {
    let json: Json = serde_json::from_str(&row.json).unwrap();
    if let Some(root) = json["child_of"].as_str().filter(|_| name == "sentry") {
        // Its row lists the child.
        let of = |other: &&Row| other.id != row.id && other.json.contains(&row.id.to_string());
        let found = rows.values().find(of).expect("the row of the root");
        assert!(found.json.contains(root), "{} {}", row.json, found.json);
        return destination.wants(&route(name), found) == Want::Yes;
    }
    destination.wants(&route(name), row) == Want::Yes
}

fn check(made: &Made, rows: &HashMap<EventId, Row>) {
    let row = &rows[&made.id];
    let context = format!("{:?} {} {:?}", made.step, row.json, made.headers);
    let header = |name: &str| made.headers.get(name).map(String::as_str).unwrap_or_default();
    let kept: Vec<_> = made.declared.iter().map(|(name, one)| (*name, keeps(name, &**one, row, rows))).collect();
    let by = |name: &str| kept.iter().find(|(known, _)| *known == name).map(|(_, kept)| *kept);
    let flag = header("traceparent").ends_with("-01");
    match made.trace.sampled() {
        None => assert_eq!(flag, kept.iter().any(|(_, kept)| *kept), "{context}"),
        Some(sampled) => assert_eq!(flag, sampled, "{context}"),
    }
    assert_eq!(header("sentry-trace").ends_with("-1"), by("sentry").unwrap_or(flag), "{context}");
    assert_eq!(header("x-datadog-sampling-priority") == "1", by("datadog").unwrap_or(flag), "{context}");
    // A destination that samples follows what a server has decided.
    if let Some(sampled) = made.trace.sampled() {
        assert!(kept.iter().all(|(name, kept)| *name == "rez" || *kept == sampled), "{kept:?} {context}");
    }
    let entries: HashMap<_, _> = header("baggage").split(',').filter_map(|entry| entry.split_once('=')).collect();
    assert_eq!(entries.contains_key("sentry-public_key"), by("sentry").is_some(), "{context}");
    if by("sentry").is_some() {
        assert_eq!(entries["sentry-sampled"] == "true", by("sentry").unwrap(), "{context}");
        assert_eq!(entries["sentry-trace_id"], format!("{:032x}", made.trace.trace_id()));
        assert_eq!((entries["sentry-org_id"], entries["sentry-release"]), ("7", "shop%401"));
        let number = |name: &str| entries.get(name).map(|number| number.parse::<f64>().unwrap());
        if let (Some(rand), Some(rate)) = (number("sentry-sample_rand"), number("sentry-sample_rate")) {
            assert_eq!(rand < rate, by("sentry").unwrap(), "{context}");
            assert!((0.0..1.0).contains(&rand), "{context}");
        }
        assert_eq!(entries.contains_key("sentry-sample_rand"), made.trace.sampled().is_none());
    }
    // The ids of all styles and of the row are the same.
    let json: Json = serde_json::from_str(&row.json).unwrap();
    let (trace_id, span) = (json["trace"]["trace_id"].as_str().unwrap(), json["trace"]["span_id"].as_str().unwrap());
    assert!(header("traceparent").starts_with(&format!("00-{trace_id}-{span}-")), "{context}");
    assert!(header("sentry-trace").starts_with(&format!("{trace_id}-{span}-")), "{context}");
    assert_eq!(header("x-datadog-parent-id"), made.trace.span_id().to_string());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_row_and_its_headers_never_disagree(
        rates in [rate(), rate(), rate()],
        key: [u8; 16],
        sessions: bool,
        declared in prop::collection::vec(0..4usize, 0..6),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let clock = crate::Clock::manual(1_795_400_000_000, 1_000);
        let mut all: Vec<(&'static str, Arc<dyn Destination>)> = Vec::new();
        for which in declared {
            if !all.iter().any(|(name, _)| *name == NAMES[which]) {
                all.push((NAMES[which], destination(NAMES[which], rates.get(which).copied().unwrap_or(1.0))));
            }
        }
        // Pending consent: nothing is sent, and the rows stay in the queue.
        let mut config = config(folder.path())
            .consent(Purpose::Monitoring, Consent::Pending)
            .sessions(sessions)
            .clock(clock.clone())
            .destination("keeper", Keeper(destination("rez", 1.0)))
            .trace_targets(["rezapp.com"])
            .trace_styles([TraceStyle::W3c, TraceStyle::Sentry, TraceStyle::Datadog]);
        for (name, destination) in &all {
            config = config.destination(*name, Arc::clone(destination));
        }
        let mut config = config.build().unwrap();
        config.ids = crate::sys::ids::Ids::counted(key);
        let mut app = App { monitor: Monitor::open(config).unwrap(), clock, declared: all, made: Vec::new() };
        for step in steps {
            app.make(step);
        }
        let App { monitor, made, .. } = app;
        monitor.close(Duration::from_secs(60));
        let reader = Reader::open(folder.path()).unwrap();
        let listed = reader.list(&Filter::default()).unwrap();
        let rows: HashMap<EventId, Row> = listed.into_iter().map(|listed| (listed.row.id, listed.row)).collect();
        for made in &made {
            check(made, &rows);
        }
    }
}
