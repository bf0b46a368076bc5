//! Device, system and app as properties of an event.

use super::super::fields::Notes;
use super::super::system::system;
use super::value::limited;
use crate::row::Run;
use serde_json::{Map, Value};

/// Adds what the facts and the conditions say, where the app has not set a property of this name.
pub(super) fn add(out: &mut Map<String, Value>, run: Option<&Run>, fields: &Map<String, Value>, notes: &mut Notes) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.entry(name).or_insert_with(|| limited(&value, 0, name, notes));
        }
    };
    if let Some(run) = run {
        let facts = &run.facts;
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        if facts.os_name.is_some() {
            put("$os_version", system(run).1.map(Value::from));
        }
        put("$manufacturer", text(&facts.manufacturer));
        put("$brand", text(&facts.brand));
        put("$screen_width", facts.screen_width_px.map(Value::from));
        put("$screen_height", facts.screen_height_px.map(Value::from));
        put("$screen_dpi", facts.dpi().map(Value::from));
        put("locale", text(&facts.locale));
    }
    let connection = fields.get("conditions").and_then(|now| now.get("connection")).and_then(Value::as_str);
    put("$wifi", connection.map(|connection| Value::from(connection == "wifi")));
}

impl super::Mixpanel {
    /// Where Mixpanel gets a fact or a condition, for the user guide; empty = nowhere.
    #[doc(hidden)]
    #[must_use]
    pub fn place_of(name: &str) -> &'static str {
        match name {
            "manufacturer" => "$manufacturer",
            "brand" => "$brand",
            "model" => "$model",
            "screen_width_px" => "$screen_width",
            "screen_height_px" => "$screen_height",
            "density" => "$screen_dpi",
            "locale" => "locale",
            "os_name" => "$os",
            "os_version" => "$os_version",
            "app_version" => "$app_version_string",
            "app_build" => "$app_build_number",
            "connection" => "$wifi",
            _ => "",
        }
    }
}
