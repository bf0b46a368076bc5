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
const PACKAGE: &str = "rez-monitor-ffi";

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
    let written = write_kotlin(workspace, &library, &kotlin, None)?
        && write_swift(workspace, &library, &["--swift-sources"], &swift)?
        && write_swift(
            workspace,
            &library,
            &["--headers", "--modulemap", "--module-name", "RezMonitorFFI", "--modulemap-filename", "module.modulemap"],
            &headers,
        )?;
    if !written {
        return Ok(false);
    }
    let check = arguments.get_flag("check");
    let mut same = true;
    for (committed, name) in folders {
        for file in files(&fresh.join(name))? {
            let Ok(relative) = file.strip_prefix(fresh.join(name)) else { continue };
            let target = workspace.root().join(committed).join(relative);
            let text = tidy(&fs::read_to_string(&file)?);
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
    let name = format!("{}rezmonitor{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    Ok(Some(workspace.programs()?.join(name)))
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

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
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
    fn generated_text_ends_its_lines_and_itself_without_space() {
        assert_eq!(tidy("a  \n\tb\t\n\n\n"), "a\n\tb\n");
        let code = tidy("// This file was autogenerated by a program.\n// More of it.\n\nfun a() {}\n");
        assert!(
            code.starts_with("// Generated by UniFFI from bindings/uniffi.") && code.ends_with("`.\n\nfun a() {}\n")
        );
    }
}
