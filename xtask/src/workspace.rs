//! Locates the checkout and runs commands in it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the checkout from `CARGO_MANIFEST_DIR`, or upwards from the current folder.
    pub fn find() -> io::Result<Workspace> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => env::current_dir()?,
        };
        let root = start.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
        match root {
            Some(root) => Ok(Workspace { root: root.to_path_buf() }),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no Cargo.lock in this folder or a parent folder")),
        }
    }

    /// Returns the folder that contains `Cargo.lock`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of the programs of the dev profile, which is the folder of this program.
    pub fn programs(&self) -> io::Result<PathBuf> {
        let own = env::current_exe()?;
        match own.parent() {
            Some(folder) => Ok(folder.to_path_buf()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "cannot determine the folder of this program")),
        }
    }

    /// Returns a command that runs in the root of the checkout.
    ///
    /// The variables that `cargo run` set for this package are removed. Build scripts that watch them (that of ring does)
    /// would otherwise run again after each change between `cargo xtask test` and `cargo build`.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(describes_own_package) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Returns a command for the cargo that started this program.
    pub fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
    }
}

/// Returns PATH with these folders before all others.
pub fn path_with(folders: impl IntoIterator<Item = PathBuf>) -> io::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folders.into_iter().chain(env::split_paths(&path))).map_err(io::Error::other)
}

fn describes_own_package(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    const NAMES: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_of_this_package_are_removed() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_NAME", "OUT_DIR"] {
            assert!(describes_own_package(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_NET_OFFLINE", "PATH", "RUSTFLAGS"] {
            assert!(!describes_own_package(name), "{name}");
        }
    }

    #[test]
    fn the_checkout_is_found_from_a_subfolder() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("xtask").is_dir());
    }
}
