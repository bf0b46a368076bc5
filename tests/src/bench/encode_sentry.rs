//! What a request costs before it is compressed, beside serde_json writing a value of the same content.

use super::{Line, Result, Scale, Times};
use flate2::{Compression, write::GzEncoder};
use rez_monitor::destination::{Batch, Destination, Granted, Sentry, Stamp};
use rez_monitor::{EventId, Kind, Row, Run};
use serde_json::{Value, json};
use std::hint::black_box;
use std::io::Write as _;

/// The level the delivery thread compresses with.
const GZIP: u32 = 3;

const WALL_MS: i64 = 1_795_400_000_000;

/// Measures one encoder over these rows: its time beside the floor, gzip apart in the note.
fn line(
    name: &'static str,
    target_us: f64,
    destination: &dyn Destination,
    rows: &[Row],
    value: &Value,
    scale: Scale,
) -> Result<Line> {
    let run =
        Run { number: 1, app: "rezapp".into(), release: "rezapp@1".into(), os: "Android 15".into(), ..Run::default() };
    let batch = Batch {
        batch_id: "01a2062d-e200-7002-a7eb-7d184d5d112e",
        install: "11111111-0000-4000-8000-000000000001",
        epoch: 1,
        rows,
        runs: &[run],
        lost: &[],
        granted: Granted { monitoring: true, analytics: true },
    };
    let stamp = Stamp { boot: "boot", wall_ms: WALL_MS, mono_ms: 1_000, attempt: 0, last_status: 0 };
    let route = destination.routes().first().ok_or("a destination without routes")?;
    let [mut encode, mut floor, mut gzip] = [Times::new(), Times::new(), Times::new()];
    let mut sizes = (0, 0);
    for _ in 0..scale.of(4_000, 200) {
        let request = encode.time(|| black_box(destination).encode(route, black_box(&batch), &stamp));
        floor.time(|| black_box(serde_json::to_vec(black_box(value)).map(|body| body.len())).is_ok());
        let packed = gzip.time(|| -> std::io::Result<Vec<u8>> {
            let mut encoder = GzEncoder::new(Vec::with_capacity(request.body.len() / 4), Compression::new(GZIP));
            encoder.write_all(&request.body)?;
            encoder.finish()
        })?;
        sizes = (request.body.len(), packed.len());
    }
    let us = |times: &mut Times| times.quantile(0.5) / 1_000.0;
    let note = format!("gzip apart: {:.1} us, {} -> {} bytes", us(&mut gzip), sizes.0, sizes.1);
    Ok(Line::new(name, us(&mut encode), "us", target_us).floor("serde_json of the value", us(&mut floor)).note(note))
}

/// An error with its hundred breadcrumbs, as the writer stores it.
fn error_with_trail() -> Row {
    let crumb = |n: i64| {
        let data = json!({"duration": n, "endpoint": "/products/{id}", "status_code": 200});
        format!(
            r#"{{"ts":{},"type":"http","category":"api","message":"API call to /products/{n}","level":"info","data":{data}}}"#,
            WALL_MS + n
        )
    };
    let trail: Vec<String> = (0..100).map(crumb).collect();
    let frame = r#"{"function":"pay","module":"rezapp::pay","file":"src/pay.rs","line":77,"in_app":true}"#;
    let json = format!(
        r#"{{"type":"PaymentError","message":"card declined","level":"error","handled":true,"severity":"high","frames":[{}],"user":{{"id":"u-42"}},"tags":{{"flavour":"beta"}},"trail":[{}]}}"#,
        [frame; 12].join(","),
        trail.join(",")
    );
    Row {
        seq: 1,
        id: EventId::from_bytes([7; 16]),
        kind: Kind::Error,
        run: 1,
        wall_ms: WALL_MS,
        mono_ms: 5,
        targets: vec![],
        json,
    }
}

pub fn run(scale: Scale, say: &mut impl FnMut(Line)) -> Result<()> {
    let sentry = Sentry::builder("https://key@o1.ingest.sentry.io/42").build()?;
    let row = error_with_trail();
    let value: Value = serde_json::from_str(&row.json)?;
    say(line("encode_sentry_event_100_crumbs", 25.0, &sentry, &[row], &value, scale)?);
    Ok(())
}
