//! The programs that read the configuration: from Debian's packages, and from the Go module proxy where Debian's are too old.
//!
//! They are unpacked into the cache folder, not installed: the packages would start servers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian::{self, Program};
use crate::ops::collector;
use crate::peers::{self, Build};
use crate::process;
use crate::workspace::Workspace;

/// Debian packages whose versions have everything that the configuration uses.
const PACKAGES: [&str; 4] =
    ["prometheus", "prometheus-blackbox-exporter", "prometheus-nginx-exporter", "prometheus-redis-exporter"];

/// The folder of their programs.
const PROMETHEUS: &str = "prometheus-of-debian";

/// Versions from the Go module proxy.
const ALERTMANAGER: &str = "0.35.0";
const NODE_EXPORTER: &str = "1.12.1";
const SLOTH: &str = "0.16.0";
const ACTIONLINT: &str = "1.7.12";
const COMPOSE_GO: &str = "2.16.2";

/// Renovate from npm: only the schema of its configuration.
const RENOVATE: &str = "44.121.2";
const VERSITYGW: &str = "1.8.0";

/// What the backups use: restic needs nothing but itself, Redis needs libraries and is installed.
const RESTIC: &str = "restic-of-debian";
const REDIS: Program = Program { name: "redis-server", version: "--version", packages: &["redis-server"] };

/// Source of a program that evaluates a maintenance window at any time, with Alertmanager's own code.
const MAINTENANCE_SOURCE: &str = include_str!("../../peers/maintenance.go");

/// Returns the folder with promtool, and downloads it first if it is missing.
pub fn prometheus(workspace: &Workspace) -> io::Result<Option<PathBuf>> {
    let Some(cache) = peers::cache() else { return Ok(None) };
    peers::provide(
        workspace,
        &cache,
        "Prometheus and the blackbox, nginx and Redis exporters",
        PROMETHEUS,
        prometheus_of_debian,
    )
}

/// The same folder, whether it is there or not.
pub fn prometheus_folder() -> Option<PathBuf> {
    Some(peers::cache()?.join(PROMETHEUS))
}

/// Returns the folders of the programs that are available, and builds the missing ones first.
pub fn provide(workspace: &Workspace) -> io::Result<Vec<PathBuf>> {
    let Some(cache) = peers::cache() else {
        println!("note: no cache folder (HOME is not set); only programs in PATH are used");
        return Ok(Vec::new());
    };
    if let Some(why) = debian::missing(workspace, &REDIS) {
        println!("note: {why}");
    }
    let programs: [(&str, String, Build); 8] = [
        ("Alertmanager", format!("alertmanager-{ALERTMANAGER}"), alertmanager),
        ("node_exporter", format!("node_exporter-{NODE_EXPORTER}"), node_exporter),
        ("sloth", format!("sloth-{SLOTH}"), sloth),
        ("actionlint", format!("actionlint-{ACTIONLINT}"), actionlint),
        ("compose-go", format!("compose-go-{COMPOSE_GO}"), compose_go),
        ("Renovate's schema", format!("renovate-schema-{RENOVATE}"), renovate_schema),
        ("restic", RESTIC.to_string(), restic),
        ("versitygw", format!("versitygw-{VERSITYGW}"), versitygw),
    ];
    let mut folders: Vec<PathBuf> = prometheus(workspace)?.into_iter().collect();
    folders.extend(collector::provide(workspace)?);
    for (what, name, build) in programs {
        if let Some(folder) = peers::provide(workspace, &cache, what, &name, build)? {
            folders.push(folder);
        }
    }
    Ok(folders)
}

fn prometheus_of_debian(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    unpack(workspace, folder, log, &PACKAGES)
}

fn restic(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    unpack(workspace, folder, log, &["restic"])
}

/// Downloads packages and keeps their programs.
fn unpack(workspace: &Workspace, folder: &Path, log: &Path, packages: &[&str]) -> Result<(), String> {
    let download = |log: &Path| {
        let mut command = workspace.command("apt-get");
        peers::step(command.current_dir(folder).arg("download").args(packages), log)
    };
    if download(log).is_err() {
        // The lists may be old, or empty. Only root can update them.
        let _ = process::is_installed(workspace.command("apt-get").arg("update"));
        download(log)?;
    }
    let unpacked = folder.join("unpacked");
    for package in files(folder)?.iter().filter(|file| file.extension().is_some_and(|kind| kind == "deb")) {
        let mut command = workspace.command("dpkg-deb");
        peers::step(command.arg("--extract").arg(package).arg(&unpacked), log)?;
        fs::remove_file(package).map_err(text)?;
    }
    for program in files(&unpacked.join("usr/bin"))? {
        let name = program.file_name().ok_or("a program without a name")?;
        fs::rename(&program, folder.join(name)).map_err(text)?;
    }
    fs::remove_dir_all(unpacked).map_err(text)
}

/// Builds Alertmanager, amtool and `maintenance` in a copy of the module: the module contains no web pages, and does not compile
/// without them.
fn alertmanager(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let module = format!("github.com/prometheus/alertmanager@v{ALERTMANAGER}");
    let mut command = workspace.command("go");
    peers::step(command.current_dir(folder).args(["mod", "download", &module]), log)?;
    let output = workspace.command("go").args(["env", "GOMODCACHE"]).output().map_err(text)?;
    let modules = String::from_utf8_lossy(&output.stdout).trim().to_string();
    let source = folder.join("source");
    copy(&Path::new(&modules).join(module), &source)?;
    let add = |file: &str, content: &str| {
        let file = source.join(file);
        let parent = file.parent().unwrap_or(&source);
        fs::create_dir_all(parent).and_then(|()| fs::write(&file, content)).map_err(text)
    };
    add("ui/app/dist/index.html", "")?;
    add("cmd/maintenance/main.go", MAINTENANCE_SOURCE)?;
    let mut command = workspace.command("go");
    command.current_dir(&source).args(["build", "-trimpath", "-ldflags=-s", "-o"]).arg(folder);
    peers::step(command.args(["./cmd/alertmanager", "./cmd/amtool", "./cmd/maintenance"]), log)?;
    fs::remove_dir_all(&source).map_err(text)
}

fn node_exporter(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    peers::step(&mut go_install(workspace, folder, "github.com/prometheus/node_exporter", NODE_EXPORTER), log)
}

fn sloth(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    peers::step(&mut go_install(workspace, folder, "github.com/slok/sloth/cmd/sloth", SLOTH), log)
}

fn actionlint(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    peers::step(&mut go_install(workspace, folder, "github.com/rhysd/actionlint/cmd/actionlint", ACTIONLINT), log)
}

/// What Docker Compose reads its files with, as a program. It is named after its folder, `cmd`.
fn compose_go(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    peers::step(&mut go_install(workspace, folder, "github.com/compose-spec/compose-go/v2/cmd", COMPOSE_GO), log)?;
    fs::rename(folder.join("cmd"), folder.join("compose-go")).map_err(text)
}

/// Renovate with its dependencies is 700 MB; its package alone is 3 MB.
fn renovate_schema(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let mut npm = workspace.command("npm");
    peers::step(npm.current_dir(folder).args(["pack", &format!("renovate@{RENOVATE}")]), log)?;
    let archive = format!("renovate-{RENOVATE}.tgz");
    let mut tar = workspace.command("tar");
    tar.current_dir(folder).args(["--strip-components=1", "-xzf", &archive, "package/renovate-schema.json"]);
    peers::step(&mut tar, log)?;
    fs::remove_file(folder.join(archive)).map_err(text)
}

fn versitygw(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    peers::step(&mut go_install(workspace, folder, "github.com/versity/versitygw/cmd/versitygw", VERSITYGW), log)
}

/// Installs a program of Go in a folder.
pub fn go_install(workspace: &Workspace, folder: &Path, package: &str, version: &str) -> Command {
    let mut command = workspace.command("go");
    command.current_dir(folder).env("GOBIN", folder);
    command.args(["install", "-trimpath", "-ldflags=-s", &format!("{package}@v{version}")]);
    command
}

/// Copies a folder. Files of the module cache are read-only, new folders are not.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(text)?;
    for file in files(from)? {
        let Some(name) = file.file_name() else { continue };
        if file.is_dir() {
            copy(&file, &to.join(name))?;
        } else {
            fs::copy(&file, to.join(name)).map_err(text)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(text)).collect()
}

pub fn text(error: io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_with_everything_in_it() {
        let folder = std::env::temp_dir().join(format!("xtask-copy-{}", std::process::id()));
        fs::create_dir_all(folder.join("from/inner")).unwrap();
        fs::write(folder.join("from/inner/a.go"), "package a\n").unwrap();
        copy(&folder.join("from"), &folder.join("to")).unwrap();
        assert_eq!(fs::read_to_string(folder.join("to/inner/a.go")).unwrap(), "package a\n");
        assert!(copy(&folder.join("none"), &folder.join("to")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
