//! `cargo xtask bindings`: writes the Kotlin and Swift of `bindings/uniffi` from the library, and checks that what is committed is
//! what it would write.
//!
//! UniFFI reads the calls from the symbols of the library, so a stripped one has none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::process;
use crate::workspace::Workspace;

/// The package of the bindings.
pub const PACKAGE: &str = "rez-monitor-ffi";

/// Where the generated files are committed, and what is generated there.
const KOTLIN: &str = "android/monitor/src/main/kotlin";
const SWIFT: &str = "ios/Sources/RezMonitorCore";
const SWIFT_HEADERS: &str = "ios/Sources/RezMonitorFFI/include";

/// Returns the command line of `bindings`.
pub fn command_line() -> Command {
    Command::new("bindings").about("Write the Kotlin and Swift of bindings/uniffi from the library").arg(
        Arg::new("check")
            .long("check")
            .help("Write nothing; fail if the committed files differ")
            .action(ArgAction::SetTrue),
    )
}

/// Writes or checks the bindings. Returns true if it worked and nothing differs.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    let Some(library) = library(workspace, &[])? else { return Ok(false) };
    let fresh = workspace.programs()?.join("bindings");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    let folders = [(KOTLIN, "kotlin"), (SWIFT, "swift"), (SWIFT_HEADERS, "headers")];
    let [kotlin, swift, headers] = folders.map(|(_, name)| fresh.join(name));
    let written =
        write_kotlin(workspace, &library, &kotlin, None)? && write_all_swift(workspace, &library, &swift, &headers)?;
    if !written {
        return Ok(false);
    }
    let check = arguments.get_flag("check");
    let mut same = true;
    for (committed, name) in folders {
        for file in files(&fresh.join(name))? {
            let Ok(relative) = file.strip_prefix(fresh.join(name)) else { continue };
            let target = workspace.root().join(committed).join(relative);
            let text = finish(&file, &fs::read_to_string(&file)?);
            if fs::read_to_string(&target).is_ok_and(|there| there == text) {
                continue;
            }
            if check {
                println!("{committed}/{} differs; run `cargo xtask bindings`", relative.display());
                same = false;
                continue;
            }
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&target, text)?;
            println!("wrote {committed}/{}", relative.display());
        }
    }
    Ok(same)
}

/// Builds the library with these features in addition, and returns its path.
pub fn library(workspace: &Workspace, features: &[&str]) -> io::Result<Option<PathBuf>> {
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "--package", PACKAGE, "--lib"]);
    if !features.is_empty() {
        build.args(["--features", &features.join(",")]);
    }
    if !process::succeeds(&mut build) {
        return Ok(None);
    }
    Ok(Some(workspace.programs()?.join(library_name())))
}

/// Builds the library in the release profile, and returns its path.
pub fn release_library(workspace: &Workspace) -> io::Result<Option<PathBuf>> {
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "--release", "--package", PACKAGE, "--lib"]);
    if !process::succeeds(&mut build) {
        return Ok(None);
    }
    let debug = workspace.programs()?;
    Ok(debug.parent().map(|target| target.join("release").join(library_name())))
}

/// The file name of the shared library on this machine.
pub fn library_name() -> String {
    format!("{}rezmonitor{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Writes the Swift and the headers of a library into a copy of the package `ios`.
pub fn swift_of(workspace: &Workspace, library: &Path, package: &Path) -> io::Result<bool> {
    let fresh = workspace.programs()?.join("bindings-test");
    let [swift, headers] = ["swift", "headers"].map(|name| fresh.join(name));
    if !write_all_swift(workspace, library, &swift, &headers)? {
        return Ok(false);
    }
    for (folder, below) in [(&swift, SWIFT), (&headers, SWIFT_HEADERS)] {
        let Some(below) = below.strip_prefix("ios/") else { continue };
        for file in files(folder)? {
            let Ok(relative) = file.strip_prefix(folder) else { continue };
            let (target, text) = (package.join(below).join(relative), finish(&file, &fs::read_to_string(&file)?));
            if !fs::read_to_string(&target).is_ok_and(|there| there == text) {
                fs::write(&target, text)?;
            }
        }
    }
    Ok(true)
}

fn write_all_swift(workspace: &Workspace, library: &Path, swift: &Path, headers: &Path) -> io::Result<bool> {
    const HEADERS: [&str; 6] =
        ["--headers", "--modulemap", "--module-name", "RezMonitorFFI", "--modulemap-filename", "module.modulemap"];
    Ok(write_swift(workspace, library, &["--swift-sources"], swift)?
        && write_swift(workspace, library, &HEADERS, headers)?)
}

/// Writes the Kotlin of a library into a folder; into another package if one is given.
pub fn write_kotlin(workspace: &Workspace, library: &Path, out: &Path, package: Option<&str>) -> io::Result<bool> {
    let config = match package {
        None => workspace.root().join("uniffi.toml"),
        Some(package) => {
            let text = fs::read_to_string(workspace.root().join("uniffi.toml"))?;
            let path = out.with_extension("toml");
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text.replace("app.rez.monitor.internal", package))?;
            path
        }
    };
    let mut generate = generator(workspace, "uniffi-bindgen");
    generate.args(["generate", "--language", "kotlin", "--no-format", "--config"]).arg(config);
    generate.arg("--out-dir").arg(out).arg(library);
    Ok(process::succeeds(&mut generate))
}

fn write_swift(workspace: &Workspace, library: &Path, what: &[&str], out: &Path) -> io::Result<bool> {
    let mut generate = generator(workspace, "uniffi-bindgen-swift");
    generate.args(what).arg("--config").arg(workspace.root().join("uniffi.toml")).arg(library).arg(out);
    Ok(process::succeeds(&mut generate))
}

fn generator(workspace: &Workspace, program: &str) -> std::process::Command {
    let mut command = workspace.cargo();
    command.args(["run", "--quiet", "--package", PACKAGE, "--features", "bindgen", "--bin", program, "--"]);
    command
}

/// Added to the generated Swift. Its own check of the library ends the process, and is private to its file: the face asks here
/// first, and makes no call if the library is another one.
const SWIFT_CHECK: &str = "
// The face asks before the first call, which ends the process if the library is another one.
public func libraryMatches() -> Bool {
    if case .ok = initializationResult { return true }
    return false
}
";

/// Makes a generated file ready for use.
pub fn finish(file: &Path, text: &str) -> String {
    let text = tidy(text);
    if file.ends_with("module.modulemap") {
        // The call of a hot record has a header written by hand.
        const GENERATED: &str = "    header \"RezMonitorFFI.h\"\n";
        return text.replace(GENERATED, &format!("{GENERATED}    header \"RezMonitorHot.h\"\n"));
    }
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("swift") => text + SWIFT_CHECK,
        Some("kt") => internal(&text),
        _ => text,
    }
}

/// With a first line of ours, and without spaces at the ends of lines, which editors and reviewers would fight over.
fn tidy(text: &str) -> String {
    const OWN: &str = "// Generated by UniFFI from bindings/uniffi. Do not edit; run `cargo xtask bindings`.";
    let mut lines = text.lines().peekable();
    let is_code = lines.next_if(|line| line.starts_with("// This file was autogenerated")).is_some();
    if is_code {
        lines.next_if(|line| line.starts_with("//"));
    }
    let first = if is_code { Some(OWN) } else { None };
    let mut tidy: String = first.into_iter().chain(lines).flat_map(|line| [line.trim_end(), "\n"]).collect();
    tidy.truncate(tidy.trim_end().len());
    tidy.push('\n');
    tidy
}

/// Makes the declarations of generated Kotlin internal: an app sees the names of the face only. A text with half of a surrogate
/// pair, which a user can type, gets a replacement character instead of an exception. `List` inside `AttrValue` would be its variant.
fn internal(kotlin: &str) -> String {
    const DECLARATIONS: [&str; 10] =
        ["abstract ", "class ", "data ", "enum ", "fun ", "inline ", "interface ", "object ", "open ", "sealed "];
    let mut changed = String::with_capacity(kotlin.len());
    for line in kotlin.lines() {
        let line = line.strip_prefix("public ").unwrap_or(line);
        let is_top = DECLARATIONS.iter().any(|word| line.starts_with(word));
        changed.push_str(if is_top { "internal " } else { "" });
        // The exported functions follow the end of their comments or their exceptions.
        let line = line.replace("*/ fun `", "*/ internal fun `").replace("::class) fun `", "::class) internal fun `");
        let line = line.replace("CodingErrorAction.REPORT", "CodingErrorAction.REPLACE");
        changed.push_str(&line.replace(": List<", ": kotlin.collections.List<"));
        changed.push('\n');
    }
    changed
}

/// Returns all files below a folder, in order.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_generated_kotlin_are_internal_and_their_members_are_not_changed() {
        let text =
            "data class A(\n    val a: Int)\n    fun b() {}\npublic fun c() {}\ninternal object D\n  */ fun `e`()\n";
        let wanted = "internal data class A(\n    val a: Int)\n    fun b() {}\ninternal fun c() {}\ninternal object D\n  */ internal fun `e`()\n";
        assert_eq!(internal(text), wanted);
    }

    #[test]
    fn generated_text_ends_its_lines_and_itself_without_space() {
        assert_eq!(tidy("a  \n\tb\t\n\n\n"), "a\n\tb\n");
        let code = tidy("// This file was autogenerated by a program.\n// More of it.\n\nfun a() {}\n");
        assert!(
            code.starts_with("// Generated by UniFFI from bindings/uniffi.") && code.ends_with("`.\n\nfun a() {}\n")
        );
    }
}
