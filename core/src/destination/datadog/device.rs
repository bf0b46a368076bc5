//! Device, system and network in Datadog's terms.
//!
//! Facts for which Datadog has no member are in `context.facts` of views and errors, conditions in `context.conditions` of
//! errors.

use super::super::system::system;
use super::origin::System;
use crate::json::{Json, Object, push_text};
use crate::row::Run;

/// Bytes of the unit in which Datadog counts memory.
const MEGABYTE: u64 = 1024 * 1024;

/// Operating system and device. With `required`, as for logs, missing values are sent as `unknown`.
pub(super) fn write(o: &mut Object<'_>, run: Option<&Run>, fields: Option<&Json<'_>>, required: bool) {
    let (name, version) = run.map_or(("", None), system);
    if required || (!name.is_empty() && version.is_some()) {
        let version = version.unwrap_or("unknown");
        o.object("os", |o| {
            o.text("name", if name.is_empty() { "unknown" } else { name });
            o.text("version", version);
            o.text_if_some("build", run.and_then(|run| run.facts.os_build.as_deref()));
            o.text("version_major", version.split('.').next().unwrap_or(version));
        });
    }
    let now = fields.and_then(|fields| fields.get("conditions"));
    if required || now.is_some() || run.is_some_and(has_device) {
        o.object("device", |o| {
            o.text("type", kind(run));
            if let Some(run) = run {
                describe(o, run);
            }
            if let Some(level) = now.and_then(|now| now.float("battery")) {
                o.float("battery_level", level);
            }
            if let Some(Json::Bool(saving)) = now.and_then(|now| now.get("low_power")) {
                o.flag("power_saving_mode", *saving);
            }
        });
    }
}

fn has_device(run: &Run) -> bool {
    let facts = &run.facts;
    let texts = [&run.device, &facts.brand, &facts.manufacturer, &facts.architecture, &facts.locale, &facts.time_zone];
    texts.into_iter().any(Option::is_some) || facts.memory_bytes.is_some()
}

/// The type of the device, one of Datadog's words.
fn kind(run: Option<&Run>) -> &'static str {
    let family = run.and_then(|run| run.facts.family.as_deref()).unwrap_or_default();
    match System::of(run) {
        System::Other => "other",
        System::Ios if family.starts_with("iPad") => "tablet",
        _ => "mobile",
    }
}

fn describe(o: &mut Object<'_>, run: &Run) {
    let facts = &run.facts;
    o.text_if_some("name", run.device.as_deref());
    o.text_if_some("model", run.device.as_deref());
    o.text_if_some("brand", facts.brand.as_deref().or(facts.manufacturer.as_deref()));
    o.text_if_some("architecture", facts.architecture.as_deref());
    o.text_if_some("locale", facts.locale.as_deref());
    o.text_if_some("time_zone", facts.time_zone.as_deref());
    if let Some(bytes) = facts.memory_bytes {
        o.number("total_ram", i64::try_from(bytes / MEGABYTE).unwrap_or(i64::MAX));
    }
}

/// The network of a RUM event; nothing if it is not known.
pub(super) fn connectivity(o: &mut Object<'_>, fields: &Json<'_>) {
    let Some(now) = fields.get("conditions") else { return };
    let Some(connection) = now.text("connection") else { return };
    o.object("connectivity", |o| {
        o.text("status", if connection == "none" { "not_connected" } else { "connected" });
        o.array("interfaces", [connection], push_text);
        if let Some(technology) = now.text("carrier_technology") {
            o.object("cellular", |o| o.text("technology", technology));
        }
    });
}

/// The network of a log, in the words of the vendor's Android SDK; nothing if it is not known.
pub(super) fn network(o: &mut Object<'_>, fields: &Json<'_>) {
    let Some(now) = fields.get("conditions") else { return };
    let word = match (now.text("connection"), now.text("carrier_technology")) {
        (None, _) => return,
        (Some("none"), _) => "network_not_connected",
        (Some("wifi"), _) => "network_wifi",
        (Some("ethernet"), _) => "network_ethernet",
        (Some("bluetooth"), _) => "network_bluetooth",
        (Some("cellular"), Some("2g")) => "network_2G",
        (Some("cellular"), Some("3g")) => "network_3G",
        (Some("cellular"), Some("4g")) => "network_4G",
        (Some("cellular"), Some("5g")) => "network_5G",
        (Some("cellular"), _) => "network_cellular",
        (Some(_), _) => "network_other",
    };
    o.object("network", |o| o.object("client", |o| o.text("connectivity", word)));
}

/// The facts for which Datadog has no member.
pub(super) fn other_facts(run: Option<&Run>) -> Option<Json<'static>> {
    let facts = &run?.facts;
    let text = |name: &'static str, value: Option<&str>| (name, value.map(|text| Json::Text(text.to_owned().into())));
    let int = |name: &'static str, value: Option<u64>| {
        (name, value.map(|number| i64::try_from(number).map_or(Json::Uint(number), Json::Int)))
    };
    let all = [
        text("manufacturer", facts.manufacturer.as_deref().filter(|_| facts.brand.is_some())),
        text("family", facts.family.as_deref()),
        int("storage_bytes", facts.storage_bytes),
        int("screen_width_px", facts.screen_width_px.map(u64::from)),
        int("screen_height_px", facts.screen_height_px.map(u64::from)),
        ("density", facts.density.map(Json::Float)),
        ("emulator", facts.emulator.map(Json::Bool)),
        ("rooted", facts.rooted.map(Json::Bool)),
        text("app_version", facts.app_version.as_deref()),
        text("app_build", facts.app_build.as_deref()),
        text("app_id", facts.app_id.as_deref()),
        text("install_source", facts.install_source.as_deref()),
        text("start_kind", facts.start_kind.map(crate::StartKind::as_str)),
    ];
    let known = all.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    Some(Json::Map(known.collect())).filter(|map| !map.entries().is_empty())
}

/// The conditions for which Datadog has no member.
pub(super) fn other_conditions<'a>(fields: &Json<'a>) -> Option<Json<'a>> {
    let mapped = ["battery", "low_power", "connection", "carrier_technology"];
    let rest = fields.map("conditions").iter().filter(|(name, _)| !mapped.contains(&name.as_ref())).cloned();
    Some(Json::Map(rest.collect())).filter(|map| !map.entries().is_empty())
}

impl super::Datadog {
    /// Where Datadog gets a fact or a condition, for the user guide; empty = nowhere.
    #[doc(hidden)]
    #[must_use]
    pub fn place_of(name: &str) -> &'static str {
        match name {
            "framework" => "source",
            "manufacturer" => "context.facts.manufacturer",
            "brand" => "device.brand",
            "model" => "device.model",
            "family" => "context.facts.family",
            "architecture" => "device.architecture",
            "memory_bytes" => "device.total_ram",
            "storage_bytes" => "context.facts.storage_bytes",
            "screen_width_px" => "context.facts.screen_width_px",
            "screen_height_px" => "context.facts.screen_height_px",
            "density" => "context.facts.density",
            "emulator" => "context.facts.emulator",
            "rooted" => "context.facts.rooted",
            "locale" => "device.locale",
            "time_zone" => "device.time_zone",
            "os_name" => "os.name",
            "os_version" => "os.version",
            "os_build" => "os.build",
            "app_version" => "context.facts.app_version",
            "app_build" => "context.facts.app_build",
            "app_id" => "context.facts.app_id",
            "install_source" => "context.facts.install_source",
            "start_kind" => "context.facts.start_kind",
            "free_memory_bytes" => "context.conditions.free_memory_bytes",
            "free_storage_bytes" => "context.conditions.free_storage_bytes",
            "battery" => "device.battery_level",
            "charging" => "context.conditions.charging",
            "low_power" => "device.power_saving_mode",
            "orientation" => "context.conditions.orientation",
            "connection" => "connectivity.interfaces",
            "carrier_technology" => "connectivity.cellular.technology",
            "metered" => "context.conditions.metered",
            "foreground" => "context.conditions.foreground",
            _ => "",
        }
    }
}
