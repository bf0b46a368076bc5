//! Where the checkout is, and how cargo is called inside it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout this program works on.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the checkout: from what `cargo run` says, else upwards from the current folder.
    pub fn find() -> io::Result<Workspace> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => env::current_dir()?,
        };
        let root = start.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
        match root {
            Some(root) => Ok(Workspace { root: root.to_path_buf() }),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no Cargo.lock in this folder or above it")),
        }
    }

    /// The folder that holds `Cargo.lock`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the finished programs of the dev profile: this very program lies there.
    pub fn programs(&self) -> io::Result<PathBuf> {
        let own = env::current_exe()?;
        match own.parent() {
            Some(folder) => Ok(folder.to_path_buf()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the folder of this program")),
        }
    }

    /// A command in the root of the checkout.
    ///
    /// What `cargo run` told *us* about our own package is taken out of its environment: build scripts that watch
    /// those variables (ring's does) would otherwise run again each time one changes between `cargo xtask test`
    /// and a plain `cargo build`.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_about_our_own_package) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Cargo itself, the one that started us.
    pub fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
    }
}

fn is_about_our_own_package(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    const NAMES: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_describes_our_own_package_is_taken_out() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_NAME", "OUT_DIR"] {
            assert!(is_about_our_own_package(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_NET_OFFLINE", "PATH", "RUSTFLAGS"] {
            assert!(!is_about_our_own_package(name), "{name}");
        }
    }

    #[test]
    fn the_checkout_is_found_from_a_folder_inside_it() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("xtask").is_dir());
    }
}
