//! Device, system and app as attributes of the resource, and the conditions of a record.

use super::attributes::Attributes;
use super::names::{conditions as now_names, resource as names};
use super::wire::Wire;
use crate::destination::system::system;
use crate::facts::Framework;
use crate::json::Json;
use crate::row::Run;

/// The attributes of a run's device, system and app.
pub(super) fn describe<W: Wire>(a: &mut Attributes<'_, W>, run: &Run) {
    let facts = &run.facts;
    let (name, version) = system(run);
    a.text(names::OS_NAME, Some(name).filter(|name| !name.is_empty()));
    a.text(names::OS_VERSION, version);
    a.text(names::OS_BUILD, facts.os_build.as_deref());
    a.text(names::DEVICE_MODEL, run.device.as_deref());
    a.text(names::DEVICE_MANUFACTURER, facts.manufacturer.as_deref());
    a.text(names::HOST_ARCH, facts.architecture.as_deref().map(architecture));
    a.text(names::BUILD, run.dist.as_deref().or(facts.app_build.as_deref()));
    // Not in the conventions.
    a.text(names::DEVICE_BRAND, facts.brand.as_deref());
    a.text(names::DEVICE_FAMILY, facts.family.as_deref());
    a.int(names::DEVICE_MEMORY, facts.memory_bytes.map(bytes));
    a.int(names::DEVICE_STORAGE, facts.storage_bytes.map(bytes));
    a.int(names::SCREEN_WIDTH, facts.screen_width_px.map(i64::from));
    a.int(names::SCREEN_HEIGHT, facts.screen_height_px.map(i64::from));
    a.float(names::SCREEN_DENSITY, facts.density);
    a.maybe_flag(names::EMULATOR, facts.emulator);
    a.maybe_flag(names::ROOTED, facts.rooted);
    a.text(names::LOCALE, facts.locale.as_deref());
    a.text(names::TIME_ZONE, facts.time_zone.as_deref());
    a.text(names::APP_VERSION, facts.app_version.as_deref());
    a.text(names::APP_BUILD, facts.app_build.as_deref());
    a.text(names::APP_ID, facts.app_id.as_deref());
    a.text(names::INSTALL_SOURCE, facts.install_source.as_deref());
    if let Some(framework) = &facts.framework {
        a.text(names::RUNTIME_NAME, Some(&framework.name));
        a.text(names::RUNTIME_VERSION, framework.version.as_deref());
    }
    a.text(names::START_KIND, facts.start_kind.map(crate::StartKind::as_str));
}

/// The language of the app's code, one of the words of the conventions; that of the engine if the framework is not known.
pub(super) fn sdk_language(framework: Option<&Framework>) -> &'static str {
    match framework.map(|framework| framework.name.as_str()) {
        Some("react-native" | "expo") => "webjs",
        Some("node") => "nodejs",
        Some("android") => "java",
        Some("ios") => "swift",
        _ => "rust",
    }
}

/// The conditions of a record.
pub(super) fn conditions<W: Wire>(a: &mut Attributes<'_, W>, fields: &Json<'_>) {
    let Some(now) = fields.get("conditions") else { return };
    let connection = now.text("connection").map(|word| match word {
        "none" => "unavailable",
        "cellular" => "cell",
        "ethernet" => "wired",
        "wifi" => "wifi",
        _ => "unknown",
    });
    // The conventions name single technologies; the second and third generation have several.
    let technology = now.text("carrier_technology").map(|word| match word {
        "4g" => "lte",
        "5g" => "nr",
        other => other,
    });
    a.text(now_names::CONNECTION, connection);
    a.text(now_names::TECHNOLOGY, technology);
    for (key, name) in now_names::OURS {
        a.any(key, now.get(name));
    }
}

/// A number of bytes: at most 1 PiB, so that it always fits.
fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The architecture in the words of the conventions; another one as it is given.
fn architecture(given: &str) -> &str {
    match given.to_ascii_lowercase().as_str() {
        "arm64" | "arm64-v8a" | "arm64e" | "aarch64" => "arm64",
        "armeabi-v7a" | "armeabi" | "armv7" | "armv7s" | "arm" => "arm32",
        "x86_64" | "x86-64" | "x64" | "amd64" => "amd64",
        "x86" | "i386" | "i686" => "x86",
        _ => given,
    }
}

impl super::Otlp {
    /// Where OpenTelemetry gets a fact or a condition, for the user guide; empty = nowhere.
    #[doc(hidden)]
    #[must_use]
    pub fn place_of(name: &str) -> &'static str {
        let ours = now_names::OURS.into_iter().find(|(_, known)| *known == name).map(|(key, _)| key);
        match name {
            "manufacturer" => names::DEVICE_MANUFACTURER,
            "brand" => names::DEVICE_BRAND,
            "model" => names::DEVICE_MODEL,
            "family" => names::DEVICE_FAMILY,
            "architecture" => names::HOST_ARCH,
            "memory_bytes" => names::DEVICE_MEMORY,
            "storage_bytes" => names::DEVICE_STORAGE,
            "screen_width_px" => names::SCREEN_WIDTH,
            "screen_height_px" => names::SCREEN_HEIGHT,
            "density" => names::SCREEN_DENSITY,
            "emulator" => names::EMULATOR,
            "rooted" => names::ROOTED,
            "locale" => names::LOCALE,
            "time_zone" => names::TIME_ZONE,
            "os_name" => names::OS_NAME,
            "os_version" => names::OS_VERSION,
            "os_build" => names::OS_BUILD,
            "app_version" => names::APP_VERSION,
            "app_build" => names::APP_BUILD,
            "app_id" => names::APP_ID,
            "install_source" => names::INSTALL_SOURCE,
            "start_kind" => names::START_KIND,
            "framework" => names::RUNTIME_NAME,
            "connection" => now_names::CONNECTION,
            "carrier_technology" => now_names::TECHNOLOGY,
            _ => ours.unwrap_or(""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_have_the_names_of_the_conventions() {
        for (given, word) in [
            ("arm64-v8a", "arm64"),
            ("armeabi-v7a", "arm32"),
            ("x86_64", "amd64"),
            ("i686", "x86"),
            ("riscv64", "riscv64"),
        ] {
            assert_eq!(architecture(given), word);
        }
    }
}
