//! The hot record: equal calls give equal rows, and bytes of any kind harm nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod engine;

use proptest::prelude::*;
use rezmonitor::attributes::{Attr, AttrValue};
use rezmonitor::events::*;
use rezmonitor::{hot, record};
use serde_json::Value as Json;

fn rows(calls: impl FnOnce(u64)) -> Json {
    engine::rows(serde_json::json!({"recordedHeaders": ["x-cache"]}), calls)
}

/// An encoder as a face writes it.
struct Hot(Vec<u8>);

impl Hot {
    fn new(call: u8) -> Hot {
        Hot(vec![1, call, 0, 0])
    }

    fn bit(&mut self, bit: u8) -> &mut Self {
        self.0[2 + usize::from(bit / 8)] |= 1 << (bit % 8);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(&(text.len() as u16).to_le_bytes()).bytes(text.as_bytes())
    }

    fn value(&mut self, value: &AttrValue) {
        match value {
            AttrValue::Null => drop(self.bytes(&[0])),
            AttrValue::Bool { value } => drop(self.bytes(&[1 + u8::from(*value)])),
            AttrValue::Int { value } => drop(self.bytes(&[3]).bytes(&value.to_le_bytes())),
            AttrValue::Float { value } => drop(self.bytes(&[5]).bytes(&value.to_le_bytes())),
            AttrValue::Text { value } => drop(self.bytes(&[6]).text(value)),
            AttrValue::List { values } => {
                self.bytes(&[7]).bytes(&(values.len() as u16).to_le_bytes());
                values.iter().for_each(|value| self.value(value));
            }
            AttrValue::Map { entries } => {
                self.bytes(&[8]).bytes(&(entries.len() as u16).to_le_bytes());
                for entry in entries {
                    self.text(&entry.name).value(&entry.value);
                }
            }
        }
    }

    fn attrs(&mut self, attrs: &[Attr]) -> &mut Self {
        if !attrs.is_empty() {
            self.bit(3).bytes(&[attrs.len() as u8]);
            for attr in attrs {
                self.text(&attr.name).value(&attr.value);
            }
        }
        self
    }

    fn trace(&mut self, trace: &TraceContext) -> &mut Self {
        let id = u128::from_str_radix(&trace.trace_id, 16).unwrap();
        let span = |text: &str| u64::from_str_radix(text, 16).unwrap();
        self.bit(1).bytes(&((id >> 64) as u64).to_le_bytes()).bytes(&(id as u64).to_le_bytes());
        self.bytes(&span(&trace.span_id).to_le_bytes());
        self.bytes(&trace.parent.as_deref().map_or(0, span).to_le_bytes());
        self.bytes(&[trace.sampled.map_or(0, |sampled| 1 + u8::from(sampled))])
    }

    fn common(&mut self, extras: &Extras) -> Vec<u8> {
        if let Some(at_ms) = extras.at_ms {
            self.bit(0).bytes(&at_ms.to_le_bytes());
        }
        if let Some(trace) = &extras.trace {
            self.trace(trace);
        }
        if !extras.targets.is_empty() {
            self.bit(2).bytes(&[extras.targets.len() as u8]);
            for target in &extras.targets {
                self.text(target);
            }
        }
        self.attrs(&extras.attrs);
        self.0.clone()
    }
}

fn of_timing(timing: &Timing) -> Vec<u8> {
    let mut hot = Hot::new(1);
    hot.bytes(&[timing.kind as u8]).bytes(&timing.duration_us.max(0).to_le_bytes()).text(&timing.name);
    if let Some(method) = &timing.method {
        hot.bit(4).text(method);
    }
    if let Some(status) = timing.status {
        hot.bit(5).bytes(&status.to_le_bytes());
    }
    if timing.request_bytes.is_some() || timing.response_bytes.is_some() {
        let bytes = |bytes: Option<i64>| bytes.unwrap_or(0).max(0).to_le_bytes();
        hot.bit(6).bytes(&bytes(timing.request_bytes)).bytes(&bytes(timing.response_bytes));
    }
    if let Some(error) = &timing.error {
        hot.bit(7).text(error);
    }
    if let Some(endpoint) = &timing.endpoint {
        hot.bit(8).text(endpoint);
    }
    if let Some(started_ms) = timing.started_ms {
        hot.bit(9).bytes(&started_ms.to_le_bytes());
    }
    if let Some(initial_us) = timing.initial_us {
        hot.bit(10).bytes(&initial_us.max(0).to_le_bytes());
    }
    for (bit, headers) in [(11, &timing.request_headers), (12, &timing.response_headers)] {
        if !headers.is_empty() {
            hot.bit(bit).bytes(&[headers.len() as u8]);
            for header in headers {
                hot.text(&header.name).text(&header.value);
            }
        }
    }
    let common = Extras {
        at_ms: timing.at_ms,
        trace: timing.trace.clone(),
        targets: timing.targets.clone(),
        attrs: timing.attrs.clone(),
        ..Extras::default()
    };
    hot.common(&common)
}

fn value() -> impl Strategy<Value = AttrValue> {
    let leaf = prop_oneof![
        Just(AttrValue::Null),
        any::<bool>().prop_map(|value| AttrValue::Bool { value }),
        any::<i64>().prop_map(|value| AttrValue::Int { value }),
        any::<f64>().prop_map(|value| AttrValue::Float { value }),
        ".{0,40}".prop_map(|value| AttrValue::Text { value }),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|values| AttrValue::List { values }),
            prop::collection::vec(("[a-z]{1,8}", inner), 0..6).prop_map(|entries| AttrValue::Map {
                entries: entries.into_iter().map(|(name, value)| Attr { name, value }).collect()
            }),
        ]
    })
}

fn attrs() -> impl Strategy<Value = Vec<Attr>> {
    let attr = ("[a-z_]{1,12}", value()).prop_map(|(name, value)| Attr { name, value });
    prop::collection::vec(attr, 0..24)
}

fn trace() -> impl Strategy<Value = Option<TraceContext>> {
    let ids = (1..u128::MAX, 1..u64::MAX, prop::option::of(1..u64::MAX), any::<Option<bool>>());
    prop::option::of(ids.prop_map(|(trace, span, parent, sampled)| TraceContext {
        trace_id: format!("{trace:032x}"),
        span_id: format!("{span:016x}"),
        parent: parent.map(|parent| format!("{parent:016x}")),
        sampled,
    }))
}

fn time() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(prop_oneof![Just(0), Just(i64::MAX), 1_795_300_000_000..1_795_400_000_000_i64])
}

fn timing() -> impl Strategy<Value = Timing> {
    let kinds = prop_oneof![
        Just(TimingKind::ScreenLoad),
        Just(TimingKind::ApiCall),
        Just(TimingKind::ImageLoad),
        Just(TimingKind::LongTask)
    ];
    let first = (kinds, ".{0,60}", -5..20_000_000_i64, prop::option::of("[A-Z]{3,6}"), time(), time());
    let second = (
        prop::option::of(0..9_000_000_i64),
        any::<Option<u16>>(),
        any::<Option<i64>>(),
        any::<Option<i64>>(),
        prop::option::of(".{0,20}"),
        prop::option::of("/[a-z]{1,12}"),
    );
    (first, second, trace(), attrs(), prop::collection::vec("[a-z]{1,6}", 0..3)).prop_map(
        |(first, second, trace, attrs, targets)| Timing {
            kind: first.0,
            name: first.1,
            duration_us: first.2,
            method: first.3,
            started_ms: first.4,
            at_ms: first.5,
            initial_us: second.0,
            status: second.1,
            request_bytes: second.2,
            response_bytes: second.3,
            error: second.4,
            endpoint: second.5,
            request_headers: Vec::new(),
            response_headers: vec![rezmonitor::attributes::TextPair { name: "X-Cache".into(), value: "hit".into() }],
            trace,
            attrs,
            targets,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hot_record_gives_the_row_of_the_generated_call(
        timings in prop::collection::vec(timing(), 1..12), attrs in attrs(), trace in trace(), at_ms in time(),
    ) {
        let _one = engine::alone();
        let extras = Extras { attrs, trace, at_ms, targets: vec!["ga4".into()], ..Extras::default() };
        let generated = rows(|handle| {
            for one in &timings {
                let _ = record::timing(handle, one.clone());
            }
            let _ = record::track(handle, "name".into(), extras.clone());
            let _ = record::screen_view(handle, "Home".into(), Some("HomeActivity".into()), extras.clone());
            let _ = record::interaction(handle, "tap".into(), "Pay".into(), extras.clone());
            let _ = record::message(handle, "text".into(), Level::Warning, extras.clone());
            let _ = record::metric(handle, "m".into(), Metric::Distribution { value: 1.5 });
        });
        let hot = rows(|handle| {
            let submit = |record: Vec<u8>| drop(hot::submit_hot(handle, record));
            timings.iter().for_each(|one| submit(of_timing(one)));
            submit(Hot::new(3).text("name").common(&extras));
            submit(Hot::new(4).bit(4).text("Home").text("HomeActivity").common(&extras));
            submit(Hot::new(5).text("tap").text("Pay").common(&extras));
            submit(Hot::new(6).bytes(&[3]).text("text").common(&extras));
            submit(Hot::new(8).bytes(&[2]).bytes(&1.5_f64.to_le_bytes()).text("m").common(&Extras::default()));
        });
        prop_assert_eq!(generated, hot);
    }

    #[test]
    fn bytes_of_any_kind_are_recorded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), call in 0..12_u8) {
        let _one = engine::alone();
        let handle = engine::kept();
        let _ = hot::submit_hot(handle, bytes.clone());
        let mut record = vec![1, call];
        record.extend_from_slice(&bytes);
        let _ = hot::submit_hot(handle, record);
    }
}

#[test]
fn a_record_that_ends_early_or_goes_on_is_malformed_and_a_whole_one_is_not() {
    let _one = engine::alone();
    let attrs = [Attr { name: "list".into(), value: AttrValue::List { values: vec![AttrValue::Null] } }];
    let whole = Hot::new(3).text("name").attrs(&attrs).0.clone();
    let found = rows(|handle| {
        for end in 0..whole.len() {
            let outcome = hot::submit_hot(handle, whole[..end].to_vec());
            assert_eq!(outcome, Outcome::Dropped { reason: "malformed".into() }, "{end}");
        }
        let more = [whole.as_slice(), &[0]].concat();
        assert_eq!(hot::submit_hot(handle, more), Outcome::Dropped { reason: "malformed".into() });
        let mut newer = whole.clone();
        newer[0] = 2;
        assert_eq!(hot::submit_hot(handle, newer), Outcome::Dropped { reason: "malformed".into() });
        assert!(matches!(hot::submit_hot(handle, whole.clone()), Outcome::Recorded { .. }));
        // Lists nested deeper than any row, and a count of elements that is not there.
        let mut deep = Hot::new(3);
        deep.text("deep").bit(3).bytes(&[1]).text("k");
        deep.bytes(&[7, 1, 0].repeat(1_000));
        assert_eq!(hot::submit_hot(handle, deep.0), Outcome::Dropped { reason: "malformed".into() });
        let mut lies = Hot::new(3);
        lies.text("lies").bit(3).bytes(&[1]).text("k").bytes(&[7, 255, 255]);
        assert_eq!(hot::submit_hot(handle, lies.0), Outcome::Dropped { reason: "malformed".into() });
    });
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[test]
fn the_records_of_the_contract_give_their_rows() {
    let _one = engine::alone();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/hot/v1.json");
    let contract: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let records = contract["records"].as_array().unwrap();
    assert!(records.len() >= 20);
    for record in records {
        let hex = record["hex"].as_str().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        let found = rows(|handle| {
            let outcome = hot::submit_hot(handle, bytes.collect());
            assert!(matches!(outcome, Outcome::Recorded { .. }), "{outcome:?}: {record}");
            if record["call"]["do"] == "breadcrumb" {
                let after = Hot::new(9).bytes(&[1]).text("After").text("it").common(&Extras::default());
                let _ = hot::submit_hot(handle, after);
            }
        });
        let found = serde_json::json!({"kind": found[0]["kind"], "json": found[0]["json"]});
        assert_eq!(found, record["row"], "{}", record["what"]);
    }
}
