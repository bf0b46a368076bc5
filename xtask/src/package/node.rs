//! The packages for Node.js: that of servers, and one with the addon for this machine.

use std::io;

use super::{Report, fresh_folder};
use crate::addon;
use crate::backend::Package;
use crate::workspace::Workspace;

/// Lays out both packages. `backend/pack.mjs` says what is in them.
pub fn package(workspace: &Workspace) -> io::Result<Report> {
    let mut report = Report::default();
    let out = fresh_folder(workspace, "node")?;
    if let Some(why) = crate::backend::missing(workspace)? {
        report.missing.push(format!("the packages for Node.js: {why}"));
        return Ok(report);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = addon::release(workspace, &out)? else {
        report.wrong.push("the addon: it does not compile".to_string());
        return Ok(report);
    };
    let mut pack = package.node("pack.mjs", &addon);
    pack.arg(&addon).arg(platform()).arg(&out);
    let passed = package.install()?
        && package.quiet("tsdown", package.tool("tsdown", &["--no-color"]))?
        && package.quiet("pack", pack)?;
    let laid_out = if passed { Ok(out.display().to_string()) } else { Err("not laid out".to_string()) };
    report.check("monitor-node, and its addon for this machine", laid_out);
    Ok(report)
}

/// The end of the name of the package with the addon for this machine.
fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let cpu = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x64" };
    let libc = match (os, cfg!(target_env = "musl")) {
        ("linux", true) => "-musl",
        ("linux", false) => "-gnu",
        _ => "",
    };
    format!("{os}-{cpu}{libc}")
}
