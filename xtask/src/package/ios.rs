//! The XCFramework: a static library for each platform with its headers, in the layout that Xcode reads.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::{Report, VERSION, checks, copy, fresh_folder};
use crate::app_library::{self, Target};
use crate::process;
use crate::workspace::Workspace;

/// Features of the library on Apple's platforms. JNI is of no use there.
const FEATURES: &str = "destinations,transport-reqwest";

/// A folder of the XCFramework. Those of the simulator hold both architectures in one file.
struct Slice {
    name: &'static str,
    triples: &'static [&'static str],
    /// The variant of the platform, in the words of Xcode.
    variant: Option<&'static str>,
}

const SLICES: [Slice; 2] = [
    Slice { name: "ios-arm64", triples: &["aarch64-apple-ios"], variant: None },
    Slice {
        name: "ios-arm64_x86_64-simulator",
        triples: &["aarch64-apple-ios-sim", "x86_64-apple-ios"],
        variant: Some("simulator"),
    },
];

const ARCHIVE: &str = "librezmonitor.a";
const HEADERS: &str = "ios/Sources/RezMonitorFFI/include";
const PRIVACY: &str = "ios/Sources/RezMonitor/Resources/PrivacyInfo.xcprivacy";

pub(super) fn package(workspace: &Workspace) -> io::Result<Report> {
    let folder = fresh_folder(workspace, "ios")?;
    let (framework, mut report) = (folder.join("RezMonitorFFI.xcframework"), Report::default());
    let mut made = Vec::new();
    for slice in &SLICES {
        let place = framework.join(slice.name);
        match build_slice(workspace, slice, &place) {
            Ok(()) => {
                report.check(slice.name, checks::exports(&place.join(ARCHIVE), false));
                made.push(slice);
            }
            Err(why) => report.missing.push(format!("{}: {why}", slice.name)),
        }
        headers(workspace, &place)?;
    }
    fs::write(framework.join("Info.plist"), info(&made))?;
    report.check("headers", module_map(&framework));
    report.check("privacy manifest", privacy(&workspace.root().join(PRIVACY)));
    report.check("versions", podspecs(workspace));
    host_archive(workspace, &folder, &mut report);
    report.made.push(format!("written to {}", folder.display()));
    Ok(report)
}

fn build_slice(workspace: &Workspace, slice: &Slice, place: &Path) -> Result<(), String> {
    if !process::is_installed(Command::new("xcrun").args(["--sdk", "iphoneos", "--show-sdk-path"])) {
        return Err("no SDK of Apple: build on a Mac with Xcode".to_owned());
    }
    let mut hidden = Vec::new();
    for triple in slice.triples {
        let target = Target { triple, kind: "staticlib", file: ARCHIVE.to_owned(), linker: None, link: &[] };
        let built = app_library::build(workspace, &target, FEATURES)?;
        let out = place.join(triple).with_extension("a");
        app_library::hide_symbols(&built, &out)?;
        hidden.push(out);
    }
    let mut join = Command::new("lipo");
    join.arg("-create").args(&hidden).arg("-output").arg(place.join(ARCHIVE));
    if !process::succeeds(&mut join) {
        return Err("lipo failed".to_owned());
    }
    hidden.iter().try_for_each(|file| fs::remove_file(file).map_err(|error| error.to_string()))
}

/// Proves on the archive of this machine that nothing but our functions stays visible.
fn host_archive(workspace: &Workspace, folder: &Path, report: &mut Report) {
    let out = folder.join("host").join(ARCHIVE);
    let hidden = app_library::archive(workspace, FEATURES).and_then(|built| app_library::hide_symbols(&built, &out));
    let found = hidden.and_then(|()| checks::exports(&out, false));
    report.check("archive of this machine", found);
}

fn headers(workspace: &Workspace, place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(workspace.root().join(HEADERS))? {
        let path = entry?.path();
        if let Some(name) = path.file_name() {
            copy(&path, &place.join("Headers").join(name))?;
        }
    }
    Ok(())
}

/// Every folder has a module map, and every header it names.
fn module_map(framework: &Path) -> Result<String, String> {
    for slice in &SLICES {
        let path = framework.join(slice.name).join("Headers/module.modulemap");
        let map = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let named: Vec<&str> =
            map.lines().filter_map(|line| line.trim().strip_prefix("header \"")?.strip_suffix('"')).collect();
        let there = |name: &&str| path.with_file_name(name).is_file();
        if !map.contains("module RezMonitorFFI") || named.is_empty() || !named.iter().all(there) {
            return Err(format!("{} names another module, or a header that is not there", path.display()));
        }
    }
    Ok(format!("{} module maps", SLICES.len()))
}

/// The manifest is a property list that says for what the library uses the APIs that Apple wants explained.
fn privacy(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    for key in
        ["NSPrivacyTracking", "NSPrivacyTrackingDomains", "NSPrivacyCollectedDataTypes", "NSPrivacyAccessedAPITypes"]
    {
        if !text.contains(&format!("<key>{key}</key>")) {
            return Err(format!("{key} is missing"));
        }
    }
    let reasons = text.matches("<key>NSPrivacyAccessedAPITypeReasons</key>").count();
    Ok(format!("all keys, {reasons} kinds of API with reasons"))
}

/// The podspecs take the version from `Cargo.toml`.
fn podspecs(workspace: &Workspace) -> Result<String, String> {
    let folder = workspace.root().join("ios");
    let files = fs::read_dir(&folder).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
    let mut count = 0;
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "podspec")) {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let reads = text.lines().any(|line| line.contains("spec.version =") && line.contains("'Cargo.toml'"));
        if !reads {
            return Err(format!("{} has a version of its own", path.display()));
        }
        count += 1;
    }
    Ok(format!("{count} podspecs have {VERSION} of Cargo.toml"))
}

/// The property list of an XCFramework.
fn info(slices: &[&Slice]) -> String {
    let libraries: String = slices.iter().map(|slice| library_entry(slice)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\t<key>AvailableLibraries</key>\n\t<array>\n{libraries}\t</array>\n\
         \t<key>CFBundlePackageType</key>\n\t<string>XFWK</string>\n\
         \t<key>XCFrameworkFormatVersion</key>\n\t<string>1.0</string>\n</dict>\n</plist>\n"
    )
}

fn library_entry(slice: &Slice) -> String {
    let text = |key: &str, value: &str| format!("\t\t\t<key>{key}</key>\n\t\t\t<string>{value}</string>\n");
    let architectures: String = slice
        .triples
        .iter()
        .map(|triple| if triple.starts_with("aarch64") { "arm64" } else { "x86_64" })
        .map(|name| format!("\t\t\t\t<string>{name}</string>\n"))
        .collect();
    [
        "\t\t<dict>\n".to_owned(),
        text("BinaryPath", ARCHIVE),
        text("HeadersPath", "Headers"),
        text("LibraryIdentifier", slice.name),
        text("LibraryPath", ARCHIVE),
        format!("\t\t\t<key>SupportedArchitectures</key>\n\t\t\t<array>\n{architectures}\t\t\t</array>\n"),
        text("SupportedPlatform", "ios"),
        slice.variant.map(|variant| text("SupportedPlatformVariant", variant)).unwrap_or_default(),
        "\t\t</dict>\n".to_owned(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_property_list_names_each_slice_with_its_architectures() {
        let list = info(&[&SLICES[0], &SLICES[1]]);
        assert_eq!(list.matches("<key>LibraryIdentifier</key>").count(), 2);
        assert_eq!(list.matches("<string>arm64</string>").count(), 2);
        assert_eq!(list.matches("<string>x86_64</string>").count(), 1);
        assert_eq!(list.matches("<key>SupportedPlatformVariant</key>").count(), 1);
        assert_eq!(list.matches("<dict>").count(), list.matches("</dict>").count());
        assert_eq!(list.matches("<array>").count(), list.matches("</array>").count());
    }
}
