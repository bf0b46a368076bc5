//! What a batch of 100 events costs on its way to the wire, before compression and with it.

use super::{Line, Result, Scale, Times};
use flate2::Compression;
use flate2::write::GzEncoder;
use rez_monitor::destination::{Batch, Datadog, Destination, Granted, Otlp, Stamp, Want};
use rez_monitor::{EventId, Kind, Row, Run};
use std::io::Write;

const EVENTS: u8 = 100;

/// The promise, in microseconds for the batch.
const TARGET_US: f64 = 400.0;

/// A row of the usual size with the usual stamp.
fn row(n: u8, kind: Kind, fields: &str) -> Row {
    let stamp = r#""session":"5e550000-0000-4000-8000-000000000001","view":{"id":"aaaaaaaa-0000-4000-8000-000000000001","name":"Cart","version":3,"counts":{"error":1,"resource":2},"started_ms":1795399999000},"user":{"id":"u-4711"},"trace":{"trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"1112131415161718"}"#;
    let mut id = [0x55; 16];
    id[15] = n;
    Row {
        seq: u64::from(n),
        id: EventId::from_bytes(id),
        kind,
        run: 1,
        wall_ms: 1_795_400_000_000 + i64::from(n),
        mono_ms: 1_000,
        targets: Vec::new(),
        json: format!("{{{fields},{stamp}}}"),
    }
}

/// What an app records: half of it calls, the rest logs, taps and errors. A route takes its own of them.
fn rows(destination: &dyn Destination, route: usize) -> Vec<Row> {
    let call = r#""method":"GET","url":"https://api.rezapp.com/products/17","endpoint":"/products/{id}","start_ms":1795400000000,"duration_us":120000,"status":200,"response_bytes":18211,"attrs":{"cache":"miss"}"#;
    let error = r#""type":"PaymentError","message":"card declined","level":"error","handled":true,"severity":"high","frames":[{"function":"pay","module":"shop","file":"pay.kt","line":7,"in_app":true},{"function":"charge","file":"net.kt","line":70,"in_app":true}],"attrs":{"order_id":"RZ-1042"}"#;
    let tap = r#""action":"tap","component":"PayButton","attrs":{"items":3}"#;
    let text = r#""message":"cart restored","level":"info","attrs":{"order_id":"RZ-1042","items":3,"source":"disk"}"#;
    let metric = r#""name":"cart.items","type":"gauge","value":3"#;
    let mix = [
        (Kind::ApiCall, call),
        (Kind::Error, error),
        (Kind::Interaction, tap),
        (Kind::Message, text),
        (Kind::Metric, metric),
    ];
    let Some(spec) = destination.routes().get(route) else { return Vec::new() };
    let wanted: Vec<_> =
        mix.into_iter().filter(|(kind, fields)| destination.wants(spec, &row(0, *kind, fields)) == Want::Yes).collect();
    (0..EVENTS)
        .filter_map(|n| {
            let (kind, fields) = wanted.get(usize::from(n) % wanted.len().max(1))?;
            Some(row(n, *kind, fields))
        })
        .collect()
}

fn gzip(body: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len()), Compression::new(3));
    encoder.write_all(body)?;
    Ok(encoder.finish()?.len())
}

pub fn run(scale: Scale, say: &mut dyn FnMut(Line)) -> Result<()> {
    let otlp = Otlp::builder("https://otlp.example.com").build()?;
    let datadog = Datadog::builder("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "token").build()?;
    line(scale, "encode_otlp_100", &otlp, say)?;
    line(scale, "encode_datadog_100", &datadog, say)
}

/// The slowest route is the line; the others stand in its note.
fn line(scale: Scale, name: &'static str, destination: &dyn Destination, say: &mut dyn FnMut(Line)) -> Result<()> {
    let run = Run {
        number: 1,
        id: "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b".into(),
        app: "shop".into(),
        release: "shop@1.4.0+77".into(),
        os: "Android 15".into(),
        ..Run::default()
    };
    let runs = [run];
    let stamp = Stamp { boot: "b", wall_ms: 1_795_400_100_000, mono_ms: 1, attempt: 0, last_status: 0 };
    let (mut worst, mut floor, mut note) = (0.0f64, 0.0, String::from("p50;"));
    for (at, spec) in destination.routes().iter().enumerate() {
        let rows = rows(destination, at);
        let batch = Batch {
            batch_id: "01a2062d-e200-7007-afb8-000000000001",
            install: "11111111-0000-4000-8000-000000000001",
            epoch: 1,
            rows: &rows,
            runs: &runs,
            lost: &[],
            granted: Granted { monitoring: true, analytics: true },
        };
        let [mut ours, mut parse, mut zip] = [Times::new(), Times::new(), Times::new()];
        let (mut bytes, mut zipped) = (0, 0);
        for _ in 0..scale.of(400, 60) {
            let request = ours.time(|| destination.encode(spec, &batch, &stamp));
            // The floor: no encoder can do without reading the rows.
            parse.time(|| -> Result<()> {
                for row in &rows {
                    serde_json::from_str::<serde::de::IgnoredAny>(&row.json)?;
                }
                Ok(())
            })?;
            bytes = request.body.len();
            zipped = zip.time(|| gzip(&request.body))?;
        }
        let us = ours.quantile(0.5) / 1e3;
        note.push_str(&format!(
            " {} {us:.0} us, {bytes} B, gzip {:.0} us more to {zipped} B;",
            spec.name,
            zip.quantile(0.5) / 1e3
        ));
        if us > worst {
            (worst, floor) = (us, parse.quantile(0.5) / 1e3);
        }
    }
    say(Line::new(name, worst, "us", TARGET_US).floor("scan_100_rows_p50", floor).note(note));
    Ok(())
}
