//! Checks OTLP bodies with the types of the protocol: every row of the vectors in both encodings. Invalid bodies must be
//! rejected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest as Logs;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest as Metrics;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest as Traces;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use rez_monitor::destination::{Destination, Otlp, OtlpEncoding, Want};
use rez_monitor::{Kind, Purpose, Row};
use rez_monitor_tests::contract::rows::{STAMP, Stock, stock};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn otlp(encoding: OtlpEncoding) -> Otlp {
    Otlp::builder("https://otlp.example.com").purposes(&Purpose::ALL).encoding(encoding).build().unwrap()
}

/// Returns the body of a route, for the rows of a vector that it wants.
fn body(encoding: OtlpEncoding, route: &str, stock: &Stock) -> (Vec<Row>, Vec<u8>) {
    let otlp = otlp(encoding);
    let spec = otlp.routes().iter().find(|spec| spec.name == route).unwrap();
    let rows: Vec<Row> = stock.rows.iter().filter(|row| otlp.wants(spec, row) == Want::Yes).cloned().collect();
    let bytes = otlp.encode(spec, &stock.batch(&rows), &STAMP).body;
    (rows, bytes)
}

/// Checks that both encodings are equal, and that the protobuf bytes match those of the reference encoder.
fn both<M: Message + Default + PartialEq + DeserializeOwned + std::fmt::Debug>(
    route: &str,
    stock: &Stock,
) -> (Vec<Row>, M) {
    let (rows, bytes) = body(OtlpEncoding::Protobuf, route, stock);
    let message = M::decode(&*bytes).unwrap_or_else(|error| panic!("{}: {route}: {error}", stock.name));
    assert!(message.encode_to_vec() == bytes, "{}: {route}: the reference encoder writes other bytes", stock.name);
    let (_, json) = body(OtlpEncoding::Json, route, stock);
    let json: M = serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{}: {route}: {error}", stock.name));
    assert!(json == message, "{}: {route}: JSON {json:?} differs from protobuf {message:?}", stock.name);
    (rows, message)
}

/// Checks what the types do not: names are unique and not empty.
fn names(what: &str, attributes: &[KeyValue], problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for attribute in attributes {
        if attribute.key.is_empty() || !seen.insert(&attribute.key) {
            problems.push(format!("{what}: `{}` is empty or there twice", attribute.key));
        }
    }
}

fn id(what: &str, id: &[u8], len: usize, may_be_absent: bool, problems: &mut Vec<String>) {
    let fine = id.len() == len && id.iter().any(|byte| *byte != 0);
    if !(fine || may_be_absent && id.is_empty()) {
        problems.push(format!("{what}: an id of {} bytes, or zero", id.len()));
    }
}

/// Checks that a time is between 2020 and 2100.
fn time(what: &str, ns: u64, problems: &mut Vec<String>) {
    if !(1_577_836_800_000_000_000..4_102_444_800_000_000_000).contains(&ns) {
        problems.push(format!("{what}: the time {ns}"));
    }
}

fn check_logs(logs: &Logs) -> Vec<String> {
    let mut problems = Vec::new();
    for resource in &logs.resource_logs {
        names("resource", &resource.resource.as_ref().map(|r| r.attributes.clone()).unwrap_or_default(), &mut problems);
        for record in resource.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            names("log", &record.attributes, &mut problems);
            time("log", record.time_unix_nano, &mut problems);
            id("trace", &record.trace_id, 16, true, &mut problems);
            id("span", &record.span_id, 8, true, &mut problems);
            if !(1..=24).contains(&record.severity_number) {
                problems.push(format!("the severity {}", record.severity_number));
            }
            if !record.attributes.iter().any(|attribute| attribute.key == "log.record.uid") {
                problems.push("a log without an id".to_owned());
            }
        }
    }
    problems
}

fn check_traces(traces: &Traces) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    let scopes = traces.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    for span in scopes.flat_map(|scope| &scope.spans) {
        names("span", &span.attributes, &mut problems);
        id("trace", &span.trace_id, 16, false, &mut problems);
        id("span", &span.span_id, 8, false, &mut problems);
        id("parent", &span.parent_span_id, 8, true, &mut problems);
        time("span", span.start_time_unix_nano, &mut problems);
        if span.end_time_unix_nano < span.start_time_unix_nano || span.name.is_empty() {
            problems.push("a span that ends before it starts, or has no name".to_owned());
        }
        if span.parent_span_id == span.span_id || !ids.insert((&span.trace_id, &span.span_id)) {
            problems.push("a span twice, or its own parent".to_owned());
        }
    }
    problems
}

fn check_metrics(metrics: &Metrics) -> Vec<String> {
    let mut problems = Vec::new();
    let scopes = metrics.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        let mut point = |attributes: &[KeyValue], from: u64, to: u64| {
            names(&metric.name, attributes, &mut problems);
            time(&metric.name, to, &mut problems);
            if from > to || metric.name.is_empty() {
                problems.push(format!("`{}`: from {from} to {to}", metric.name));
            }
        };
        match &metric.data {
            Some(Data::Gauge(gauge)) => {
                gauge.data_points.iter().for_each(|p| point(&p.attributes, 0, p.time_unix_nano))
            }
            Some(Data::Sum(sum)) => {
                sum.data_points.iter().for_each(|p| point(&p.attributes, p.start_time_unix_nano, p.time_unix_nano));
                if ![1, 2].contains(&sum.aggregation_temporality) {
                    problems.push(format!("`{}` has no temporality", metric.name));
                }
            }
            Some(Data::Histogram(histogram)) => {
                for p in &histogram.data_points {
                    point(&p.attributes, p.start_time_unix_nano, p.time_unix_nano);
                }
                for p in &histogram.data_points {
                    let sorted = p.explicit_bounds.windows(2).all(|pair| pair[0] < pair[1]);
                    let whole = p.bucket_counts.iter().sum::<u64>() == p.count;
                    if !sorted || !whole || p.bucket_counts.len() != p.explicit_bounds.len() + 1 {
                        problems.push(format!("`{}`: buckets that do not add up", metric.name));
                    }
                }
            }
            _ => problems.push(format!("`{}` has no data", metric.name)),
        }
    }
    problems
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    match &attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value {
        Some(Any::StringValue(text)) => Some(text),
        _ => None,
    }
}

#[test]
fn every_row_of_the_vectors_is_encoded_once_in_both_encodings() {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for stock in stock() {
        let (rows, logs) = both::<Logs>("otlp.logs", &stock);
        assert_eq!(check_logs(&logs), [""; 0], "{}", stock.name);
        let scopes = logs.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        let ids: Vec<&str> = scopes
            .flat_map(|scope| &scope.log_records)
            .filter_map(|record| attribute(&record.attributes, "log.record.uid"))
            .filter(|id| !id.contains('/'))
            .collect();
        assert_eq!(ids, rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), "{}", stock.name);
        rows.iter().for_each(|row| *kinds.entry(row.kind).or_default() += 1);

        let (rows, traces) = both::<Traces>("otlp.traces", &stock);
        assert_eq!(check_traces(&traces), [""; 0], "{}", stock.name);
        let scopes = traces.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
        assert_eq!(spans, rows.len(), "{}", stock.name);
        rows.iter().for_each(|row| *kinds.entry(row.kind).or_default() += 1);

        let (rows, metrics) = both::<Metrics>("otlp.metrics", &stock);
        assert_eq!(check_metrics(&metrics), [""; 0], "{}", stock.name);
        rows.iter().for_each(|row| *kinds.entry(row.kind).or_default() += 1);
    }
    let missing: Vec<_> = Kind::ALL.into_iter().filter(|kind| !kinds.contains_key(kind)).collect();
    assert!(missing.is_empty(), "no vector has a row of {missing:?}");
    println!("{kinds:?}");
}

#[test]
fn spans_of_a_screen_are_its_children() {
    let all = stock();
    let stock = all.iter().find(|stock| stock.name == "screen_children").unwrap();
    let (rows, traces) = both::<Traces>("otlp.traces", stock);
    let scopes = traces.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let spans: Vec<_> = scopes.flat_map(|scope| &scope.spans).collect();
    assert!(rows.len() > 2);
    let root = spans.iter().find(|span| span.parent_span_id.is_empty()).expect("the screen");
    for span in &spans {
        assert_eq!(span.trace_id, root.trace_id, "{}", span.name);
        assert!(span.span_id == root.span_id || span.parent_span_id == root.span_id, "{}", span.name);
    }
}

/// Returns a valid body, from which invalid ones are made.
fn good<M: Message + Default + Clone + PartialEq + DeserializeOwned + std::fmt::Debug>(
    vector: &str,
    route: &str,
) -> (Vec<u8>, Value, M) {
    let all = stock();
    let stock = all.iter().find(|stock| stock.name == vector).unwrap();
    let (_, message) = both::<M>(route, stock);
    let json = serde_json::from_slice(&body(OtlpEncoding::Json, route, stock).1).unwrap();
    (message.encode_to_vec(), json, message)
}

#[test]
fn invalid_protobuf_is_rejected() {
    let (bytes, ..) = good::<Logs>("error_scope", "otlp.logs");
    // Truncate anywhere except between two members of the outermost message.
    for len in 1..bytes.len() {
        assert!(Logs::decode(&bytes[..len]).is_err(), "cut at {len} of {}", bytes.len());
    }
    let broken: [&[u8]; 4] =
        [b"\x0a\xff\xff\xff\xff\x7f", b"\x0d\0\0\0\0", b"\x0a\x03\x0a\x05x", b"{\"resourceLogs\":[]}"];
    for bytes in broken {
        assert!(Logs::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn json_that_violates_the_protocol_is_rejected() {
    let (_, json, _) = good::<Traces>("guide_track_api_call", "otlp.traces");
    let span = "/resourceSpans/0/scopeSpans/0/spans/0";
    for (member, value) in [
        ("traceId", Value::from("zz")),
        ("spanId", Value::from("0g0g0g0g0g0g0g0g")),
        ("startTimeUnixNano", Value::from("soon")),
        ("startTimeUnixNano", Value::from(-5)),
        ("name", Value::from(7)),
        ("attributes", Value::from("none")),
        ("kind", Value::from("SPAN")),
    ] {
        let mut broken = json.clone();
        broken.pointer_mut(span).unwrap()[member] = value.clone();
        assert!(serde_json::from_value::<Traces>(broken).is_err(), "{member}: {value} was accepted");
    }
}

#[test]
fn faults_that_the_types_do_not_detect_are_found_by_our_own_checks() {
    let (.., mut logs) = good::<Logs>("error_scope", "otlp.logs");
    let broken = |change: &dyn Fn(&mut Logs)| {
        let mut logs = logs.clone();
        change(&mut logs);
        check_logs(&logs).len()
    };
    fn record(logs: &mut Logs) -> &mut opentelemetry_proto::tonic::logs::v1::LogRecord {
        &mut logs.resource_logs[0].scope_logs[0].log_records[0]
    }
    assert_eq!(broken(&|_| {}), 0);
    assert_eq!(broken(&|logs| record(logs).time_unix_nano = 1_795_400_000_000), 1);
    assert_eq!(broken(&|logs| record(logs).trace_id = vec![1; 8]), 1);
    assert_eq!(broken(&|logs| record(logs).span_id = vec![0; 8]), 1);
    assert_eq!(broken(&|logs| record(logs).severity_number = 0), 1);
    let twice = |logs: &mut Logs| {
        let first = record(logs).attributes[0].clone();
        record(logs).attributes.push(first);
    };
    assert_eq!(broken(&twice), 1);
    record(&mut logs).attributes.clear();
    assert_eq!(check_logs(&logs), ["a log without an id"]);

    let (.., traces) = good::<Traces>("guide_track_api_call", "otlp.traces");
    let broken = |change: &dyn Fn(&mut opentelemetry_proto::tonic::trace::v1::ScopeSpans)| {
        let mut traces = traces.clone();
        change(&mut traces.resource_spans[0].scope_spans[0]);
        check_traces(&traces).len()
    };
    assert_eq!(broken(&|_| {}), 0);
    assert_eq!(broken(&|scope| scope.spans[0].end_time_unix_nano = 1), 1);
    assert_eq!(broken(&|scope| scope.spans[0].span_id.clear()), 2);
    assert_eq!(broken(&|scope| scope.spans[0].name.clear()), 1);
    assert_eq!(broken(&|scope| scope.spans.push(scope.spans[0].clone())), 1);

    let (.., metrics) = good::<Metrics>("metrics", "otlp.metrics");
    let broken = |change: &dyn Fn(&mut opentelemetry_proto::tonic::metrics::v1::Metric)| {
        let mut metrics = metrics.clone();
        metrics.resource_metrics[0].scope_metrics[0].metrics.iter_mut().for_each(change);
        check_metrics(&metrics).len()
    };
    assert_eq!(broken(&|_| {}), 0);
    assert!(broken(&|metric| metric.data = None) > 0);
    let lose = |metric: &mut opentelemetry_proto::tonic::metrics::v1::Metric| {
        if let Some(Data::Histogram(histogram)) = &mut metric.data {
            histogram.data_points[0].bucket_counts[0] += 1;
        }
    };
    assert_eq!(broken(&lose), 1);
}
