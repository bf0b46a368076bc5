//! The AAR: the Kotlin of `android/monitor`, the library for each ABI, and what the tools of Android read beside them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Report, VERSION, checks, copy, fresh_folder};
use crate::app_library::{self, FEATURES, Target};
use crate::kotlin;
use crate::process;
use crate::workspace::Workspace;

/// The lowest version of Android, whose libraries the linker takes.
const API: u32 = 24;

/// Name in the AAR, Rust's name, prefix of the linker in the NDK.
const ABIS: [(&str, &str, &str); 3] = [
    ("arm64-v8a", "aarch64-linux-android", "aarch64-linux-android"),
    ("armeabi-v7a", "armv7-linux-androideabi", "armv7a-linux-androideabi"),
    ("x86_64", "x86_64-linux-android", "x86_64-linux-android"),
];

/// The version of Android that the library is compiled against and tested with.
const TARGET_API: u32 = 35;

const MANIFEST: &str = "android/monitor/src/main/AndroidManifest.xml";

/// Files of the module, and their names in the AAR.
const FILES: [(&str, &str); 2] = [
    ("android/monitor/consumer-rules.pro", "proguard.txt"),
    ("android/monitor/src/main/baseline-prof.txt", "baseline-prof.txt"),
];

pub(super) fn package(workspace: &Workspace) -> io::Result<Report> {
    let folder = fresh_folder(workspace, "android")?;
    let (aar, mut report) = (folder.join("aar"), Report::default());
    fs::create_dir_all(&aar)?;
    for (from, to) in FILES {
        copy(&workspace.root().join(from), &aar.join(to))?;
    }
    let manifest = fs::read_to_string(workspace.root().join(MANIFEST))?;
    let manifest =
        packaged_manifest(&manifest).ok_or_else(|| io::Error::other(format!("{MANIFEST} has another start")))?;
    fs::write(aar.join("AndroidManifest.xml"), manifest)?;
    // An AAR without resources has this file, empty.
    fs::write(aar.join("R.txt"), "")?;
    let classes = kotlin_classes(workspace, &aar)?;
    for (abi, triple, prefix) in ABIS {
        match build_abi(workspace, &aar, (abi, triple, prefix)) {
            Ok(path) => {
                report.check(abi, checks::exports(&path, true));
                if abi.contains("64") {
                    report.check(abi, checks::page_alignment(&path));
                }
            }
            Err(why) => report.missing.push(format!("{abi}: {why}")),
        }
    }
    let rules = fs::read_to_string(aar.join("proguard.txt"))?;
    report.check("proguard.txt", checks::kept_classes(&rules, &classes));
    report.check("versions", same_version(workspace));
    let archive = folder.join(format!("monitor-{VERSION}.aar"));
    zip(&aar, &archive)?;
    report.check("contents", contents(&archive));
    for_unit_tests(workspace, &folder, &mut report)?;
    report.made.push(format!("written to {}", folder.display()));
    Ok(report)
}

/// The manifest with what Gradle takes from its build file. Without the package an app does not build; without the versions the
/// merger takes the library for one of Android 1 and asks the user for more permissions.
fn packaged_manifest(manifest: &str) -> Option<String> {
    const START: &str = "<manifest xmlns:android=\"http://schemas.android.com/apk/res/android\">\n";
    let (before, after) = manifest.split_once(START)?;
    let start = START.replace("<manifest ", "<manifest package=\"app.rez.monitor\" ");
    let versions =
        format!("  <uses-sdk android:minSdkVersion=\"{API}\" android:targetSdkVersion=\"{TARGET_API}\" />\n");
    Some([before, &start, &versions, after].concat())
}

/// Puts the compiled Kotlin into the package as `classes.jar`. Returns the names of the classes.
fn kotlin_classes(workspace: &Workspace, aar: &Path) -> io::Result<Vec<String>> {
    let jar = aar.join("classes.jar");
    zip(&kotlin::compile(workspace)?, &jar)?;
    entries(&jar).map_err(io::Error::other)
}

fn build_abi(
    workspace: &Workspace,
    aar: &Path,
    (abi, triple, prefix): (&str, &'static str, &str),
) -> Result<PathBuf, String> {
    let tools = ndk()?;
    let target = Target {
        triple,
        kind: "cdylib",
        file: "librezmonitor.so".to_owned(),
        linker: Some(tools.join(format!("{prefix}{API}-clang"))),
        link: app_library::ANDROID,
    };
    let built = app_library::build(workspace, &target, FEATURES)?;
    let path = aar.join("jni").join(abi).join(&target.file);
    app_library::strip(&tools.join("llvm-strip"), &built, &path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// The folder of the programs of the NDK.
fn ndk() -> Result<PathBuf, String> {
    let missing = "no NDK: set ANDROID_NDK_HOME to the folder of r28 or later";
    let ndk = std::env::var_os("ANDROID_NDK_HOME").ok_or(missing)?;
    let hosts = PathBuf::from(ndk).join("toolchains/llvm/prebuilt");
    let host = fs::read_dir(&hosts).ok().and_then(|mut hosts| hosts.next()).and_then(Result::ok);
    host.map(|host| host.path().join("bin")).ok_or_else(|| format!("{} has no toolchain", hosts.display()))
}

/// The library of this machine in a jar, in the folder where JNA looks: for tests of an app on the JVM.
fn for_unit_tests(workspace: &Workspace, folder: &Path, report: &mut Report) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        report.missing.push("for unit tests: only built on Linux".to_owned());
        return Ok(());
    }
    let built = match app_library::shared(workspace, FEATURES) {
        Ok(built) => built,
        Err(why) => {
            report.missing.push(format!("for unit tests: {why}"));
            return Ok(());
        }
    };
    let jar = folder.join("unit-tests");
    let place = if cfg!(target_arch = "x86_64") { "linux-x86-64" } else { "linux-aarch64" };
    let path = jar.join(place).join("librezmonitor.so");
    app_library::strip(Path::new("strip"), &built, &path)?;
    report.check("for unit tests", checks::exports(&path, true));
    report.check("for unit tests", checks::page_alignment(&path));
    zip(&jar, &folder.join(format!("monitor-{VERSION}-forUnitTests.jar")))
}

fn zip(folder: &Path, file: &Path) -> io::Result<()> {
    let mut jar = Command::new("jar");
    jar.args(["--create", "--no-manifest", "--file"]).arg(file);
    if process::succeeds(jar.arg("-C").arg(folder).arg(".")) {
        return Ok(());
    }
    Err(io::Error::other(format!("jar cannot write {}", file.display())))
}

/// Names of the files in an archive.
fn entries(archive: &Path) -> Result<Vec<String>, String> {
    let list = checks::output(Command::new("jar").args(["--list", "--file"]).arg(archive))?;
    Ok(list.lines().filter(|line| !line.ends_with('/')).map(str::to_owned).collect())
}

/// The AAR has what the Android Gradle plugin asks for, and nothing of the tests.
fn contents(aar: &Path) -> Result<String, String> {
    let entries = entries(aar)?;
    for needed in ["AndroidManifest.xml", "classes.jar", "R.txt", "proguard.txt", "baseline-prof.txt"] {
        if !entries.iter().any(|entry| entry == needed) {
            return Err(format!("{needed} is missing"));
        }
    }
    let odd = |entry: &&String| !entry.starts_with("jni/") && entry.contains('/');
    match entries.iter().find(odd) {
        Some(odd) => Err(format!("{odd} does not belong in it")),
        None => Ok(format!("{} files", entries.len())),
    }
}

/// The Maven build has the version of the library.
fn same_version(workspace: &Workspace) -> Result<String, String> {
    for file in ["android/pom.xml", "android/monitor/pom.xml"] {
        let pom = fs::read_to_string(workspace.root().join(file)).map_err(|error| format!("{file}: {error}"))?;
        let first = pom.split("<version>").nth(1).and_then(|rest| rest.split("</version>").next());
        if first != Some(VERSION) {
            return Err(format!("{file} has {} instead of {VERSION}", first.unwrap_or("no version")));
        }
    }
    Ok(format!("{VERSION} everywhere"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_manifest_names_its_package_and_its_versions() {
        let manifest = fs::read_to_string(Workspace::find().unwrap().root().join(MANIFEST)).unwrap();
        let packaged = packaged_manifest(&manifest).unwrap();
        assert!(packaged.contains("<manifest package=\"app.rez.monitor\" xmlns:android="));
        assert!(packaged.contains("<uses-sdk android:minSdkVersion=\"24\" android:targetSdkVersion=\"35\" />"));
        assert!(packaged.contains("android.permission.INTERNET"));
        assert_eq!(packaged_manifest("<manifest/>"), None);
    }
}
