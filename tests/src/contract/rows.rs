//! The expected rows of all vectors, as input for tests of encoders.

use super::{expected, server_vectors, vectors};
use rez_monitor::destination::{Batch, Granted, Stamp};
use rez_monitor::{Kind, Lost, Reason, Row, Run};
use serde_json::Value;

/// The rows and runs of a vector.
#[derive(Debug)]
pub struct Stock {
    /// The name of the vector.
    pub name: String,
    /// Its rows, in order.
    pub rows: Vec<Row>,
    /// Its runs.
    pub runs: Vec<Run>,
    /// Losses to report, the same for all vectors.
    pub lost: Vec<Lost>,
}

/// Returns the expected rows by vector, without vectors that have no row.
#[must_use]
pub fn stock() -> Vec<Stock> {
    let all = vectors().into_iter().chain(server_vectors()).map(|vector| {
        let text = std::fs::read_to_string(expected("rows", &vector.name)).expect("the expected rows of the vector");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let list = |key: &str| json[key].as_array().cloned().unwrap_or_default();
        let runs = list("runs").into_iter().map(|run| serde_json::from_value(run).expect("a run")).collect();
        let lost = vec![
            Lost { reason: Reason::EvictedBytes, kind: Some(Kind::ApiCall), count: 7 },
            Lost { reason: Reason::PowerLoss, kind: None, count: 1 },
        ];
        Stock { name: vector.name, rows: list("rows").iter().map(row).collect(), runs, lost }
    });
    all.filter(|stock| !stock.rows.is_empty()).collect()
}

fn row(json: &Value) -> Row {
    let int = |key: &str| json[key].as_i64().expect("a whole number");
    Row {
        seq: json["seq"].as_u64().expect("a seq"),
        id: json["id"].as_str().and_then(|id| id.parse().ok()).expect("an id"),
        kind: json["kind"].as_str().and_then(Kind::parse).expect("a kind"),
        run: int("run"),
        wall_ms: int("wall_ms"),
        mono_ms: int("mono_ms"),
        targets: Vec::new(),
        json: json["json"].to_string(),
    }
}

impl Stock {
    /// The batch of these rows.
    #[must_use]
    pub fn batch<'a>(&'a self, rows: &'a [Row]) -> Batch<'a> {
        Batch {
            batch_id: "01a2062d-e200-7007-afb8-000000000001",
            install: "11111111-0000-4000-8000-000000000001",
            epoch: 1,
            rows,
            runs: &self.runs,
            lost: &self.lost,
            granted: Granted { monitoring: true, analytics: true },
        }
    }
}

/// The moment of sending.
pub const STAMP: Stamp<'static> = Stamp {
    boot: "44444444-0000-4000-8000-000000000001",
    wall_ms: 1_795_400_100_000,
    mono_ms: 1_100_000,
    attempt: 0,
    last_status: 0,
};
