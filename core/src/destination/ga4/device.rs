//! The device of a request.

use super::super::Batch;
use super::super::system::system;
use super::value::VALUE;
use crate::row::Run;
use crate::sorted::collected;
use serde_json::{Map, Value};

/// The `device` of a request, if the facts of all its rows agree: Google accepts one per request.
pub(super) fn of(batch: &Batch<'_>) -> Option<Value> {
    let mut runs: Vec<i64> = batch.rows.iter().map(|row| row.run).collect();
    runs.sort_unstable();
    runs.dedup();
    let run = |number: i64| batch.runs.iter().find(|run| run.number == number);
    let mut all = runs.into_iter().map(|number| run(number).and_then(describe));
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

fn describe(run: &Run) -> Option<Value> {
    let facts = &run.facts;
    if facts.is_empty() {
        return None;
    }
    let text = |text: Option<&str>| text.map(|text| text.chars().take(VALUE).collect::<String>());
    let tablet = facts.family.as_deref().is_some_and(|family| family.starts_with("iPad"));
    let (os, version) = system(run);
    let mobile = ["android", "ios", "ipados"].iter().any(|known| os.eq_ignore_ascii_case(known));
    let size = facts.screen_width_px.zip(facts.screen_height_px);
    let members = [
        ("category", mobile.then(|| if tablet { "tablet" } else { "mobile" }.to_owned())),
        ("language", text(facts.locale.as_deref()).map(|locale| locale.to_ascii_lowercase())),
        ("screen_resolution", size.map(|(width, height)| format!("{width}x{height}"))),
        ("operating_system", text(Some(os).filter(|os| !os.is_empty()))),
        ("operating_system_version", text(version)),
        ("model", text(run.device.as_deref())),
        ("brand", text(facts.brand.as_deref().or(facts.manufacturer.as_deref()))),
    ];
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    Some(Value::Object(collected(known))).filter(|device| *device != Value::Object(Map::new()))
}

impl super::Ga4 {
    /// Where Google gets a fact or a condition, for the user guide; empty = nowhere.
    #[doc(hidden)]
    #[must_use]
    pub fn place_of(name: &str) -> &'static str {
        match name {
            "brand" | "manufacturer" => "device.brand",
            "model" => "device.model",
            "screen_width_px" | "screen_height_px" => "device.screen_resolution",
            "locale" => "device.language",
            "os_name" => "device.operating_system",
            "os_version" => "device.operating_system_version",
            _ => "",
        }
    }
}
