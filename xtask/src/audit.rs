//! `cargo xtask audit`: checks licenses, versions and sources of all dependencies with cargo-deny and `deny.toml`. With `--advisories` it
//! looks for known vulnerabilities of crates and of npm packages instead.
//!
//! cargo-deny is built from source, which takes about eight minutes on two cores. Only this command installs it, once per
//! version, into the cache folder.

use std::ffi::OsString;
use std::io;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::workspace::Workspace;
use crate::{peers, process};

/// The version that `deny.toml` was written for.
const VERSION: &str = "0.20.2";

/// Runs `npm audit` for each lock file, and prints until when a critical or high finding has to be deployed.
const NPM_AUDIT: &str = "ops/maintenance/github/maintenance/audit.mjs";

/// Returns the command line of `audit`.
pub fn command_line() -> Command {
    Command::new("audit")
        .about("Check the licenses, versions and sources of all dependencies with cargo-deny")
        .arg(
            Arg::new("no-install")
                .long("no-install")
                .help("Fail instead of installing cargo-deny")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("advisories")
                .long("advisories")
                .help("Look for known vulnerabilities of crates and npm packages, which needs the network")
                .action(ArgAction::SetTrue),
        )
}

/// Runs the audit. Returns true if it found nothing.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    let advisories = arguments.get_flag("advisories");
    // First: it is done in seconds, and says by itself which audit was not possible.
    let packages = !advisories || process::succeeds(workspace.command("node").arg(NPM_AUDIT));
    let Some(program) = program(workspace, !arguments.get_flag("no-install"))? else { return Ok(false) };
    if advisories {
        let crates = process::succeeds(workspace.command(program).args(["--all-features", "check", "advisories"]));
        return Ok(crates && packages);
    }
    // Without advisories: they need a database from the network, so the result would not be reproducible.
    Ok(process::succeeds(workspace.command(program).args(["--all-features", "check", "licenses", "bans", "sources"])))
}

/// Returns cargo-deny: from the path, from the cache, or newly installed into the cache.
fn program(workspace: &Workspace, may_install: bool) -> io::Result<Option<OsString>> {
    let on_path = OsString::from("cargo-deny");
    if process::is_installed(workspace.command(on_path.clone()).arg("--version")) {
        return Ok(Some(on_path));
    }
    let cache =
        peers::cache().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no cache folder; set REZ_CACHE"))?;
    let folder = cache.join(format!("cargo-deny-{VERSION}"));
    let cached = folder.join("bin/cargo-deny").into_os_string();
    if process::is_installed(workspace.command(cached.clone()).arg("--version")) {
        return Ok(Some(cached));
    }
    if !may_install {
        eprintln!("skipped: audit: cargo-deny {VERSION} is not installed");
        return Ok(None);
    }
    println!("installing cargo-deny {VERSION}, which takes about eight minutes");
    let mut install = workspace.cargo();
    install.args(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"]).arg(&folder);
    // Keep its build out of the target folder of the checkout.
    install.env("CARGO_TARGET_DIR", folder.join("target"));
    if !process::succeeds(&mut install) {
        eprintln!("skipped: audit: cargo-deny {VERSION} could not be installed");
        return Ok(None);
    }
    std::fs::remove_dir_all(folder.join("target"))?;
    Ok(Some(cached))
}
