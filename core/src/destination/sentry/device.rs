//! Device, system and app as Sentry's contexts `device`, `os`, `app` and `culture`.
//!
//! Facts and conditions for which these contexts have no member are in the context `rez`.

use super::fields::Fields;
use crate::destination::system::system;
use crate::facts::Facts;
use crate::json::Object;
use crate::json::split::{self, members};
use crate::row::Run;

/// The contexts whose names are `free`.
pub(super) fn contexts(out: &mut Object<'_>, fields: &Fields<'_>, free: impl Fn(&str) -> bool) {
    let now = Conditions::of(fields);
    let (run, facts) = (fields.run, &fields.run.facts);
    if free("os") && !run.os.is_empty() {
        os(out, run);
    }
    if free("device") && (run.device.is_some() || has_device(facts) || !now.0.is_empty()) {
        out.object("device", |device| write_device(device, run, &now));
    }
    if free("app") && !run.app.is_empty() {
        out.object("app", |app| {
            app.text("app_name", &run.app);
            app.time("app_start_time", run.wall_ms);
            app.text_if_some("app_version", facts.app_version.as_deref());
            app.text_if_some("app_build", facts.app_build.as_deref());
            app.text_if_some("app_identifier", facts.app_id.as_deref());
            app.json_if_some("in_foreground", now.get("foreground"));
        });
    }
    if free("runtime")
        && let Some(framework) = &facts.framework
    {
        out.object("runtime", |runtime| {
            runtime.text("name", &framework.name);
            runtime.text_if_some("version", framework.version.as_deref());
        });
    }
    if free("culture") && (facts.locale.is_some() || facts.time_zone.is_some()) {
        out.object("culture", |culture| {
            culture.text_if_some("locale", facts.locale.as_deref());
            culture.text_if_some("timezone", facts.time_zone.as_deref());
        });
    }
}

/// The name of the SDK, in Sentry's form `entity.ecosystem.flavor`.
pub(super) fn sdk(run: &Run) -> &'static str {
    match run.facts.framework.as_ref().map(|framework| framework.name.as_str()) {
        Some("react-native" | "expo") => "rez.javascript.react-native",
        Some("node") => "rez.javascript.node",
        Some("android") => "rez.java.android",
        Some("ios") => "rez.cocoa",
        _ => super::SDK,
    }
}

/// What none of Sentry's own contexts has a member for, for the context `rez`.
pub(super) fn rest(rez: &mut Object<'_>, fields: &Fields<'_>) {
    let (now, facts) = (Conditions::of(fields), &fields.run.facts);
    rez.text_if_some("install_source", facts.install_source.as_deref());
    if let Some(start) = facts.start_kind {
        rez.text("start_kind", start.as_str());
    }
    for name in ["connection", "carrier_technology", "metered", "low_power"] {
        rez.json_if_some(name, now.get(name));
    }
}

fn os(out: &mut Object<'_>, run: &Run) {
    // Without facts the text has one form only: the name is its first word.
    let (name, version) = match run.facts.os_name {
        Some(_) => system(run),
        None => run.os.split_once(' ').map_or((run.os.as_str(), None), |(name, version)| (name, Some(version))),
    };
    out.object("os", |os| {
        os.text("name", name);
        os.text_if_some("version", version.filter(|version| !version.is_empty()));
        os.text_if_some("build", run.facts.os_build.as_deref());
        flag(os, "rooted", run.facts.rooted);
    });
}

/// Whether there is a fact that the context `device` has a member for.
fn has_device(facts: &Facts) -> bool {
    let texts = [&facts.manufacturer, &facts.brand, &facts.family, &facts.architecture];
    texts.into_iter().any(Option::is_some)
        || facts.memory_bytes.is_some()
        || facts.storage_bytes.is_some()
        || facts.screen_width_px.is_some()
        || facts.screen_height_px.is_some()
        || facts.density.is_some()
        || facts.emulator.is_some()
}

fn write_device(device: &mut Object<'_>, run: &Run, now: &Conditions<'_>) {
    let facts = &run.facts;
    device.text_if_some("model", run.device.as_deref());
    device.text_if_some("manufacturer", facts.manufacturer.as_deref());
    device.text_if_some("brand", facts.brand.as_deref());
    device.text_if_some("family", facts.family.as_deref());
    device.text_if_some("arch", facts.architecture.as_deref());
    number(device, "memory_size", facts.memory_bytes);
    number(device, "storage_size", facts.storage_bytes);
    number(device, "screen_width_pixels", facts.screen_width_px);
    number(device, "screen_height_pixels", facts.screen_height_px);
    number(device, "screen_density", facts.density);
    number(device, "screen_dpi", facts.dpi());
    flag(device, "simulator", facts.emulator);
    device.json_if_some("free_memory", now.get("free_memory_bytes"));
    device.json_if_some("free_storage", now.get("free_storage_bytes"));
    // In percent.
    number(device, "battery_level", now.get("battery").and_then(|level| level.parse().ok()).map(percent));
    device.json_if_some("charging", now.get("charging"));
    device.json_if_some("orientation", now.get("orientation"));
    flag(device, "online", now.get("connection").map(|connection| split::text(connection) != "none"));
}

/// A share as percent, to two decimals: the product of two binary numbers has more digits than the battery knows.
fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

/// The conditions of a row; empty if it has none.
struct Conditions<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Conditions<'a> {
    fn of(fields: &Fields<'a>) -> Conditions<'a> {
        Conditions(fields.get("conditions").map(|json| members(json).collect()).unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, json)| *json)
    }
}

fn number(out: &mut Object<'_>, key: &str, number: Option<impl std::fmt::Display>) {
    number.into_iter().for_each(|number| out.number(key, number));
}

fn flag(out: &mut Object<'_>, key: &str, flag: Option<bool>) {
    flag.into_iter().for_each(|flag| out.flag(key, flag));
}

impl super::Sentry {
    /// Where Sentry gets a fact or a condition, for the user guide; empty = nowhere.
    #[doc(hidden)]
    #[must_use]
    pub fn place_of(name: &str) -> &'static str {
        match name {
            "framework" => "runtime.name",
            "manufacturer" => "device.manufacturer",
            "brand" => "device.brand",
            "model" => "device.model",
            "family" => "device.family",
            "architecture" => "device.arch",
            "memory_bytes" => "device.memory_size",
            "storage_bytes" => "device.storage_size",
            "screen_width_px" => "device.screen_width_pixels",
            "screen_height_px" => "device.screen_height_pixels",
            "density" => "device.screen_density",
            "emulator" => "device.simulator",
            "rooted" => "os.rooted",
            "locale" => "culture.locale",
            "time_zone" => "culture.timezone",
            "os_name" => "os.name",
            "os_version" => "os.version",
            "os_build" => "os.build",
            "app_version" => "app.app_version",
            "app_build" => "app.app_build",
            "app_id" => "app.app_identifier",
            "install_source" => "rez.install_source",
            "start_kind" => "rez.start_kind",
            "free_memory_bytes" => "device.free_memory",
            "free_storage_bytes" => "device.free_storage",
            "battery" => "device.battery_level",
            "charging" => "device.charging",
            "low_power" => "rez.low_power",
            "orientation" => "device.orientation",
            "connection" => "rez.connection",
            "carrier_technology" => "rez.carrier_technology",
            "metered" => "rez.metered",
            "foreground" => "app.in_foreground",
            _ => "",
        }
    }
}
