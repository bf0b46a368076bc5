//! `cargo xtask audit`: licences, versions and sources of all dependencies, by cargo-deny and `deny.toml`.
//!
//! cargo-deny comes only from source here, which takes about eight minutes on two cores. So only this command
//! installs it, once, into a folder outside the checkout named by its version.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::process;
use crate::workspace::Workspace;

/// The version `deny.toml` was written for.
const VERSION: &str = "0.20.2";

/// Its command line.
pub fn command_line() -> Command {
    Command::new("audit").about("Check the licences, versions and sources of all dependencies with cargo-deny").arg(
        Arg::new("no-install")
            .long("no-install")
            .help("Fail instead of installing cargo-deny")
            .action(ArgAction::SetTrue),
    )
}

/// Runs the audit; true if nothing was found.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    let Some(program) = program(workspace, !arguments.get_flag("no-install"))? else { return Ok(false) };
    // Advisories would need a database from the network; they are no part of a reproducible check.
    Ok(process::succeeds(workspace.command(program).args(["--all-features", "check", "licenses", "bans", "sources"])))
}

/// cargo-deny: the one on the path, the cached one, or a fresh one in the cache.
fn program(workspace: &Workspace, may_install: bool) -> io::Result<Option<OsString>> {
    let on_path = OsString::from("cargo-deny");
    if process::is_installed(workspace.command(on_path.clone()).arg("--version")) {
        return Ok(Some(on_path));
    }
    let folder = cache()?.join(format!("cargo-deny-{VERSION}"));
    let cached = folder.join("bin/cargo-deny").into_os_string();
    if process::is_installed(workspace.command(cached.clone()).arg("--version")) {
        return Ok(Some(cached));
    }
    if !may_install {
        eprintln!("skipped: audit: cargo-deny {VERSION} is not installed");
        return Ok(None);
    }
    println!("installing cargo-deny {VERSION} once, about eight minutes");
    let mut install = workspace.cargo();
    install.args(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"]).arg(&folder);
    // Its build must not fill the checkout's target folder.
    install.env("CARGO_TARGET_DIR", folder.join("target"));
    if !process::succeeds(&mut install) {
        eprintln!("skipped: audit: cargo-deny {VERSION} could not be installed");
        return Ok(None);
    }
    std::fs::remove_dir_all(folder.join("target"))?;
    Ok(Some(cached))
}

/// Where heavy tools are kept: `REZ_CACHE`, else the user's cache folder.
fn cache() -> io::Result<PathBuf> {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("REZ_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|folder| folder.join("rez-monitor")))
        .or_else(|| from("HOME").map(|folder| folder.join(".cache/rez-monitor")))
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "set REZ_CACHE to a folder for tools"))
}
