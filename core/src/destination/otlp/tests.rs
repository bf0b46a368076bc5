//! Settings, bodies and responses of OTLP.

mod bodies;
mod responses;
mod settings;

use super::*;
use crate::destination::Granted;
use crate::row::{Lost, Run};
use serde_json::Value;

fn otlp() -> OtlpBuilder {
    Otlp::builder("https://otlp.example.com")
}

fn row(n: u8, kind: Kind, run: i64, json: &str) -> Row {
    let mut id = *b"\x01\x9f\x0c\x1e\x7c\x1e\x7a\x53\x9b\x0e\x3b\x6a\x3f\x0d\x9c\x00";
    id[15] = n;
    Row {
        seq: u64::from(n),
        id: crate::EventId::from_bytes(id),
        kind,
        run,
        wall_ms: 1_795_400_000_000 + i64::from(n),
        mono_ms: 1_000,
        targets: Vec::new(),
        json: json.to_owned(),
    }
}

fn run(number: i64) -> Run {
    Run {
        number,
        id: format!("0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b{number:02}"),
        boot: "b".into(),
        app: "shop".into(),
        release: format!("shop@1.{number}.0+52"),
        dist: Some("52".into()),
        environment: Some("ci".into()),
        os: "Android 15".into(),
        device: Some("Pixel 9".into()),
        wall_ms: 0,
        mono_ms: 0,
        ..Run::default()
    }
}

fn batch<'a>(rows: &'a [Row], runs: &'a [Run], lost: &'a [Lost]) -> Batch<'a> {
    Batch {
        batch_id: "019f0c1e-7c1e-7a53-9b0e-aaaaaaaaaaaa",
        install: "11111111-2222-4333-8444-555555555555",
        epoch: 2,
        rows,
        runs,
        lost,
        granted: Granted { monitoring: true, analytics: true },
    }
}

fn stamp() -> Stamp<'static> {
    Stamp { boot: "b", wall_ms: 1_795_400_009_000, mono_ms: 9_000, attempt: 0, last_status: 0 }
}

/// The body of a signal's request in JSON.
fn json(builder: OtlpBuilder, signal: OtlpSignal, rows: &[Row], lost: &[Lost]) -> Value {
    let otlp = builder.encoding(OtlpEncoding::Json).build().unwrap();
    let runs = [run(1), run(2)];
    serde_json::from_slice(&otlp.body(signal, &batch(rows, &runs, lost))).unwrap()
}

/// The records of the n-th resource of a body.
fn records(body: &Value, resource: usize) -> Vec<Value> {
    let (outer, scopes, records) = match body.as_object().unwrap().keys().next().unwrap().as_str() {
        "resourceLogs" => ("resourceLogs", "scopeLogs", "logRecords"),
        "resourceSpans" => ("resourceSpans", "scopeSpans", "spans"),
        _ => ("resourceMetrics", "scopeMetrics", "metrics"),
    };
    body[outer][resource][scopes][0][records].as_array().unwrap().clone()
}

/// An attribute's value, whatever its form.
fn attribute<'a>(record: &'a Value, key: &str) -> Option<&'a Value> {
    let list = record["attributes"].as_array()?;
    let found: Vec<&Value> = list.iter().filter(|pair| pair["key"] == key).collect();
    assert!(found.len() <= 1, "{key} is there {} times", found.len());
    found.first()?["value"].as_object()?.values().next()
}
