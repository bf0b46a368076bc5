//! Settings, events and responses of Datadog.

mod events;
mod responses;
mod settings;

use super::*;
use crate::destination::Granted;
use crate::row::Lost;
use serde_json::Value;

const APPLICATION: &str = "0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11";
const SESSION: &str = "5e550000-0000-4000-8000-000000000001";
const VIEW: &str = "aaaaaaaa-0000-4000-8000-000000000001";

fn datadog() -> DatadogBuilder {
    Datadog::builder(APPLICATION, "pub0123")
}

fn row(n: u8, kind: Kind, json: &str) -> Row {
    let mut id = *b"\x01\x9f\x0c\x1e\x7c\x1e\x7a\x53\x9b\x0e\x3b\x6a\x3f\x0d\x9c\x00";
    id[15] = n;
    Row {
        seq: (1 << 40) + u64::from(n),
        id: crate::EventId::from_bytes(id),
        kind,
        run: 1,
        wall_ms: 1_795_400_000_000 + i64::from(n),
        mono_ms: 1_000,
        targets: Vec::new(),
        json: json.to_owned(),
    }
}

/// A row on a screen at this version, with more fields.
fn on(n: u8, kind: Kind, view: &str, version: u8, fields: &str) -> Row {
    let comma = if fields.is_empty() { "" } else { "," };
    let view = format!(
        r#"{{"id":"{view}","name":"My cart","version":{version},"counts":{{"error":1,"resource":{version}}},"started_ms":1795399999000,"loading_us":800000,"frames":{{"slow":4,"frozen":1,"total":600}}}}"#
    );
    row(n, kind, &format!(r#"{{{fields}{comma}"session":"{SESSION}","view":{view}}}"#))
}

fn run() -> Run {
    Run {
        number: 1,
        id: "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b".into(),
        boot: "b".into(),
        app: "Rez App".into(),
        release: "rezapp@1.4.0+52".into(),
        dist: Some("52".into()),
        environment: Some("CI".into()),
        os: "Android 15.1".into(),
        device: Some("Pixel 9".into()),
        wall_ms: 1_795_399_990_000,
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

fn stamp(attempt: u32, last_status: u16) -> Stamp<'static> {
    Stamp { boot: "b", wall_ms: 1_795_400_009_000, mono_ms: 9_000, attempt, last_status }
}

/// The RUM events of these rows: what happened, then the views.
fn rum(builder: DatadogBuilder, rows: &[Row]) -> Vec<Value> {
    let runs = [run()];
    let body = builder.build().unwrap().encode(&RUM, &batch(rows, &runs, &[]), &stamp(0, 0)).body;
    let text = String::from_utf8(body).unwrap();
    assert!(!text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logs(builder: DatadogBuilder, rows: &[Row], lost: &[Lost]) -> Vec<Value> {
    let runs = [run()];
    let body = builder.build().unwrap().encode(&LOGS, &batch(rows, &runs, lost), &stamp(0, 0)).body;
    serde_json::from_slice(&body).unwrap()
}
