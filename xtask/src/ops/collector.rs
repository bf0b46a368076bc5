//! The OpenTelemetry Collector, built from its manifest in `ops/collector` by the Collector's own builder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ops::programs::{go_install, text};
use crate::peers;
use crate::workspace::Workspace;

/// What the Collector consists of.
const MANIFEST: &str = "ops/collector/manifest.yml";

/// The program, as the manifest names it.
pub const PROGRAM: &str = "rez-otelcol";

const BUILDER: &str = "go.opentelemetry.io/collector/cmd/builder";

/// Modules that the generated source imports, and that no component of the manifest names.
const MODULES: [&str; 2] =
    ["go.opentelemetry.io/collector/otelcol", "go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"];

/// Returns the folder with the Collector, and builds it first if it is missing: 8 minutes on two cores with an empty cache.
pub fn provide(workspace: &Workspace) -> io::Result<Option<PathBuf>> {
    let Some(cache) = peers::cache() else { return Ok(None) };
    let manifest = Manifest::read(workspace)?;
    let name = format!("{PROGRAM}-{}-{:08x}", manifest.version(), manifest.hash());
    peers::provide(workspace, &cache, "the OpenTelemetry Collector of ops/collector", &name, build)
}

fn build(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let manifest = Manifest::read(workspace).map_err(text)?;
    let version = manifest.version();
    peers::step(&mut go_install(workspace, folder, BUILDER, version), log)?;
    let mut generate = workspace.command(folder.join("builder"));
    generate.current_dir(folder).arg("--config").arg(workspace.root().join(MANIFEST));
    // Not its own `go mod tidy`, which also downloads the test dependencies of all modules.
    peers::step(generate.args(["--skip-get-modules", "--skip-compilation"]), log)?;
    let source = folder.join("build");
    let go = |arguments: &[&str]| {
        let mut command = workspace.command("go");
        peers::step(command.current_dir(&source).args(arguments), log)
    };
    go(&["mod", "init", PROGRAM])?;
    for (module, by) in manifest.replaced() {
        go(&["mod", "edit", &format!("-replace={module}={by}")])?;
    }
    let core = MODULES.iter().map(|module| format!("{module}@v{version}"));
    let modules: Vec<String> = manifest.modules().chain(core).collect();
    let get: Vec<&str> = ["get"].into_iter().chain(modules.iter().map(String::as_str)).collect();
    go(&get)?;
    go(&["build", "-trimpath", "-ldflags=-s", "-o", &format!("../{PROGRAM}"), "."])?;
    fs::remove_file(folder.join("builder")).and_then(|()| fs::remove_dir_all(&source)).map_err(text)
}

/// The text of the manifest: a line has one value.
struct Manifest(String);

impl Manifest {
    fn read(workspace: &Workspace) -> io::Result<Manifest> {
        fs::read_to_string(workspace.root().join(MANIFEST)).map(Manifest)
    }

    /// The version of the builder and of all components that are not stable yet.
    fn version(&self) -> &str {
        self.0.lines().find_map(|line| line.strip_prefix("  version: ")).unwrap_or_default()
    }

    /// Changes with what is built: comments are no part of it.
    fn hash(&self) -> u32 {
        let lines = self.0.lines().filter(|line| !line.trim_start().starts_with('#'));
        // FNV-1a: the same in every version of Rust.
        lines.flat_map(str::bytes).fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }

    /// `module@version` of each component.
    fn modules(&self) -> impl Iterator<Item = String> {
        self.0.lines().filter_map(|line| Some(line.strip_prefix("  - gomod: ")?.replace(' ', "@")))
    }

    /// Modules of which another version is taken, and `module@version` of that.
    fn replaced(&self) -> impl Iterator<Item = (&str, String)> {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix("  - ")?.split_once(" => "));
        lines.map(|(module, by)| (module, by.replace(' ', "@")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A comment.\ndist:\n  version: 0.155.0\n\nreceivers:\n  - gomod: a.example/otlp v0.155.0\n\nreplaces:\n  - a.example/b => a.example/b v0.154.0\n";

    #[test]
    fn versions_components_and_replacements_are_read_from_a_manifest() {
        let manifest = Manifest(TEXT.to_string());
        assert_eq!(manifest.version(), "0.155.0");
        assert_eq!(manifest.modules().collect::<Vec<_>>(), ["a.example/otlp@v0.155.0"]);
        assert_eq!(manifest.replaced().collect::<Vec<_>>(), [("a.example/b", "a.example/b@v0.154.0".to_string())]);
    }

    #[test]
    fn another_component_is_another_program_and_another_comment_is_not() {
        let hash = |text: &str| Manifest(text.to_string()).hash();
        assert_ne!(hash(TEXT), hash(&TEXT.replace("otlp", "kafka")));
        assert_eq!(hash(TEXT), hash(&TEXT.replace("A comment", "Another one")));
    }
}
