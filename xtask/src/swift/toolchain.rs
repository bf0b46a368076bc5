//! The Swift toolchain: that of the search path, or one inside a Debian that is installed into the cache folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers;
use crate::process;
use crate::workspace::Workspace;

/// The Debian that has Swift, and the version of Swift that it has. Both are in the name of the folder in the cache.
const DEBIAN: &str = "trixie";
const SWIFT: &str = "6.0";

/// `libc6-dev` has the start files that the linker needs; SwiftPM runs git.
const PACKAGES: [&str; 5] = ["swiftlang", "libc6-dev", "libstdc++-14-dev", "git", "ca-certificates"];

/// A Swift that runs.
pub enum Toolchain {
    /// On the search path.
    Installed,
    /// In the Debian in this folder.
    Inside(PathBuf),
}

/// Prepares a toolchain. Returns a reason if there is none.
pub fn prepare(workspace: &Workspace) -> Option<String> {
    find(workspace).err()
}

/// Finds a toolchain, and installs one if there is none.
pub fn find(workspace: &Workspace) -> Result<Toolchain, String> {
    if process::is_installed(Command::new("swift").arg("--version")) {
        return Ok(Toolchain::Installed);
    }
    if !cfg!(target_os = "linux") {
        return Err("swift is not installed".into());
    }
    let cache = peers::cache().ok_or("no cache folder (HOME is not set)")?;
    let folder = cache.join(format!("swift-{DEBIAN}-{SWIFT}"));
    if !process::is_root() {
        return Err("swift is not installed, and only root can install it into the cache".into());
    }
    if !process::is_installed(Command::new("unshare").args(["--mount", "true"])) {
        return Err("swift is not installed, and this system does not let root mount".into());
    }
    if !folder.is_dir() {
        install(workspace, &cache, &folder)?;
    }
    Ok(Toolchain::Inside(folder))
}

/// Installs Debian with Swift. In a temporary folder that is renamed, so that an interrupted run leaves no incomplete one.
fn install(workspace: &Workspace, cache: &Path, folder: &Path) -> Result<(), String> {
    println!("preparing Swift (3 GB, about 4 minutes)");
    let part = cache.join(format!("swift-{DEBIAN}-{SWIFT}.{}", std::process::id()));
    let log = cache.join(format!("swift-{DEBIAN}-{SWIFT}.log"));
    let text = |error: std::io::Error| error.to_string();
    fs::create_dir_all(&part).map_err(text)?;
    let done = fill(workspace, &part, &log).and_then(|()| match fs::rename(&part, folder) {
        Err(error) if !folder.is_dir() => Err(error.to_string()),
        _ => Ok(()),
    });
    // Does not exist after the rename.
    let _ = fs::remove_dir_all(&part);
    done.map_err(|why| format!("Swift cannot be installed: {why}; see {}", log.display()))
}

fn fill(workspace: &Workspace, part: &Path, log: &Path) -> Result<(), String> {
    let mirror = mirror(workspace)?;
    if !process::is_installed(Command::new("debootstrap").arg("--version")) {
        let install = ["install", "--yes", "--no-install-recommends", "debootstrap"];
        peers::step(workspace.command("apt-get").args(install), log)?;
    }
    let mut debootstrap = workspace.command("debootstrap");
    debootstrap.args(["--variant=minbase", DEBIAN]).arg(part).arg(mirror);
    peers::step(&mut debootstrap, log)?;
    let mut packages = String::from("apt-get update && apt-get install --yes --no-install-recommends");
    for package in PACKAGES {
        packages.push(' ');
        packages.push_str(package);
    }
    packages.push_str(" && apt-get clean");
    let mut install = inside(workspace, part, Path::new("/"), &[], &["sh".into(), "-c".into(), packages]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    peers::step(&mut install, log)
}

/// The mirror from which this system gets the packages of Debian.
fn mirror(workspace: &Workspace) -> Result<String, String> {
    let mut list = workspace.command("apt-get");
    list.args(["indextargets", "--format", "$(ORIGIN) $(RELEASE) $(SITE)", "Created-By: Packages"]);
    let output = list.output().map_err(|error| format!("apt-get: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    mirror_in(&text).ok_or_else(|| "apt-get lists no mirror of Debian".into())
}

fn mirror_in(list: &str) -> Option<String> {
    list.lines().find_map(|line| {
        let [origin, release, site] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        (origin == "Debian" && !release.contains("security")).then(|| site.to_string())
    })
}

impl Toolchain {
    /// Returns a command that runs in `folder`. `visible` are the folders of this system that it may use.
    pub fn command(&self, workspace: &Workspace, folder: &Path, visible: &[PathBuf], arguments: &[String]) -> Command {
        match self {
            Toolchain::Installed => {
                let mut command = workspace.command(&arguments[0]);
                command.current_dir(folder).args(&arguments[1..]);
                command
            }
            Toolchain::Inside(root) => inside(workspace, root, folder, visible, arguments),
        }
    }
}

/// A command inside the Debian. Its mounts belong to a mount namespace of its own, so they end with its last process, however it
/// ends. Without `/proc` the compiler does not find its own libraries.
fn inside(workspace: &Workspace, root: &Path, folder: &Path, visible: &[PathBuf], arguments: &[String]) -> Command {
    const SCRIPT: &str = r#"
        root=$1; folder=$2; shift 2
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        while [ "$1" != -- ]; do
            mkdir -p "$root$1"
            mount --bind "$1" "$root$1"
            shift
        done
        shift
        exec chroot "$root" sh -ec 'cd "$1"; shift; exec "$@"' sh "$folder" "$@"
    "#;
    let mut command = workspace.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-ec", SCRIPT, "sh"]);
    command.arg(root).arg(folder).args(visible).arg("--").args(arguments);
    command.env("HOME", "/root").env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_first_of_debian_that_is_not_for_security_updates() {
        let list = "cloud stable https://packages.example.com/apt\n\
                    Debian bookworm-security http://security.example.org/debian-security\n\
                    Debian bookworm http://mirror.example.org/debian\n";
        assert_eq!(mirror_in(list).unwrap(), "http://mirror.example.org/debian");
        assert_eq!(mirror_in("Ubuntu noble http://archive.example.org/ubuntu\n"), None);
    }
}
