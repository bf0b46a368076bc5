//! Third-party programs and packages for the tests. Each is downloaded or built once per version, into the cache folder of
//! the user, which all checkouts share.
//!
//! They are optional: if one is not available, a note says so, and the tests that need it are skipped by name.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Command as Subcommand;

use crate::process::{self, End};
use crate::workspace::Workspace;

/// Version of the OpenTelemetry Collector. The tests use it in the path of the program.
const COLLECTOR: &str = "0.155.0";

/// Version of its stable modules.
const COLLECTOR_STABLE: &str = "1.61.0";

/// Source of the Collector program: a receiver and an exporter, as the Collector builder generates it.
const COLLECTOR_SOURCE: &str = include_str!("../peers/collector.go");

/// Versions of Datadog's event types, and of the compiler that checks them.
const DATADOG_TYPES: &str = "7.16.2";
const TYPESCRIPT: &str = "5.9.3";

/// R8, which makes the classes of an app small. The tests use its version in the path of the archive.
const R8: &str = "9.5.28";

/// esbuild, which bundles JavaScript. The tests use its version in the path of the package.
const ESBUILD: &str = "0.28.2";

/// Node.js for the package of servers: the present line, and the oldest one. A package of npm contains the program.
const NODE: &str = "24.21.0";
const OLDEST_NODE: &str = "22.22.3";

/// FerretDB, which speaks MongoDB's protocol, with its store in SQLite.
const FERRETDB: &str = "1.24.2";

/// Source of the FerretDB program.
const FERRETDB_SOURCE: &str = include_str!("../peers/ferretdb.go");

/// Time limit. A build with an empty cache takes two to five minutes on two cores.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Builds a peer in a folder. The last path is the log file.
pub type Build = fn(&Workspace, &Path, &Path) -> Result<(), String>;

/// A program or a package.
pub struct Peer {
    /// As a note names it.
    what: &'static str,
    /// Its folder is named after it and the version.
    name: &'static str,
    version: &'static str,
    build: Build,
}

impl Peer {
    /// Returns its folder in the cache.
    pub fn folder(&self) -> Option<PathBuf> {
        Some(cache()?.join(format!("{}-{}", self.name, self.version)))
    }
}

/// The Collector, built with the parts that the tests use.
pub const OTELCOL: Peer =
    Peer { what: "the OpenTelemetry Collector", name: "otelcol", version: COLLECTOR, build: collector };

/// Node.js as the package of servers needs it. That of the machine can be older.
pub const NODE_JS: Peer = Peer { what: "Node.js", name: "node", version: NODE, build: node };

/// The oldest line of Node.js that the package supports.
pub const OLDEST_NODE_JS: Peer =
    Peer { what: "the oldest Node.js", name: "node", version: OLDEST_NODE, build: oldest_node };

/// A server of MongoDB's protocol.
pub const MONGODB: Peer = Peer { what: "FerretDB", name: "ferretdb", version: FERRETDB, build: ferretdb };

/// What the integration tests of Rust use.
pub const OF_RUST: [&Peer; 4] = [
    &OTELCOL,
    &Peer { what: "Datadog's types", name: "datadog-types", version: DATADOG_TYPES, build: datadog_types },
    &Peer { what: "R8", name: "r8", version: R8, build: r8 },
    &Peer { what: "esbuild", name: "esbuild", version: ESBUILD, build: esbuild },
];

/// What the tests of the package for servers use.
pub const OF_BACKEND: [&Peer; 4] = [&NODE_JS, &OLDEST_NODE_JS, &MONGODB, &OTELCOL];

/// Returns the command line of `peers`.
pub fn command_line() -> Subcommand {
    Subcommand::new("peers").about("Prepare third-party programs for the tests, in the cache folder of the user")
}

/// Prepares all peers.
pub fn prepare_all(workspace: &Workspace) -> io::Result<bool> {
    Ok(prepare(workspace, &OF_RUST)? & prepare(workspace, &OF_BACKEND)?)
}

/// Prepares missing peers, and prints a note for each that is not available. Returns true if all are available.
pub fn prepare(workspace: &Workspace, peers: &[&Peer]) -> io::Result<bool> {
    let Some(cache) = cache() else {
        println!("note: no cache folder (HOME is not set); tests with third-party programs are skipped");
        return Ok(false);
    };
    let mut all = true;
    for peer in peers {
        let name = format!("{}-{}", peer.name, peer.version);
        all &= provide(workspace, &cache, peer.what, &name, peer.build)?.is_some();
    }
    Ok(all)
}

/// Returns the folder of a peer in the cache, and builds it first if it is missing. `None`, and a note, if that fails.
pub fn provide(
    workspace: &Workspace,
    cache: &Path,
    what: &str,
    name: &str,
    build: Build,
) -> io::Result<Option<PathBuf>> {
    let folder = cache.join(name);
    if folder.is_dir() {
        return Ok(Some(folder));
    }
    println!("preparing {what}");
    // Build in a temporary folder and rename it, so that an interrupted run leaves no incomplete folder.
    let part = cache.join(format!("{name}.{}", std::process::id()));
    fs::create_dir_all(&part)?;
    let log = cache.join(format!("{name}.log"));
    let built = build(workspace, &part, &log);
    if let Err(why) = built {
        println!("note: {what} is not available: {why}; see {}", log.display());
    } else if let Err(error) = fs::rename(&part, &folder)
        && !folder.is_dir()
    {
        println!("note: {what}: {error}");
    }
    // Does not exist after the rename.
    let _ = fs::remove_dir_all(&part);
    Ok(folder.is_dir().then_some(folder))
}

/// Returns `rez-monitor` in `REZ_CACHE`, or in the cache folder of the user.
pub fn cache() -> Option<PathBuf> {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder =
        from("REZ_CACHE").or_else(|| from("XDG_CACHE_HOME")).or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(folder.join("rez-monitor"))
}

/// Runs one command of a preparation.
pub fn step(command: &mut Command, log: &Path) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match process::run(command, log, LIMIT) {
        Ok(End::Succeeded) => Ok(()),
        Ok(End::Failed(status)) => Err(format!("{program}: {status}")),
        Ok(End::TimedOut) => Err(format!("{program} exceeded the time limit")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn collector(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let core = "go.opentelemetry.io/collector";
    let modules = [
        format!("{core}/otelcol@v{COLLECTOR}"),
        format!("{core}/service/telemetry/otelconftelemetry@v{COLLECTOR}"),
        format!("{core}/confmap/provider/fileprovider@v{COLLECTOR_STABLE}"),
        format!("{core}/receiver/otlpreceiver@v{COLLECTOR}"),
        format!("github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter@v{COLLECTOR}"),
    ];
    go(workspace, folder, log, "otelcol", COLLECTOR_SOURCE, &modules)
}

fn ferretdb(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let modules = [format!("github.com/FerretDB/FerretDB/ferretdb@v{FERRETDB}")];
    go(workspace, folder, log, "ferretdb", FERRETDB_SOURCE, &modules)
}

/// Builds a program of Go from one file and the modules that it imports.
fn go(
    workspace: &Workspace,
    folder: &Path,
    log: &Path,
    program: &str,
    main: &str,
    modules: &[String],
) -> Result<(), String> {
    let source = folder.join("source");
    let write = fs::create_dir_all(&source).and_then(|()| fs::write(source.join("main.go"), main));
    write.map_err(|error| error.to_string())?;
    let go = |arguments: &[&str]| {
        let mut command = workspace.command("go");
        command.current_dir(&source).args(arguments);
        step(&mut command, log)
    };
    go(&["mod", "init", &format!("rez-{program}")])?;
    // Not `go mod tidy`: it would also download the test dependencies of these modules.
    let get: Vec<&str> = ["get"].into_iter().chain(modules.iter().map(String::as_str)).collect();
    go(&get)?;
    go(&["build", "-trimpath", "-ldflags=-s", "-o", &format!("../{program}"), "."])?;
    fs::remove_dir_all(&source).map_err(|error| error.to_string())
}

/// The package of npm that contains Node.js for this platform, with the program in its folder `bin`.
fn node(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    npm(workspace, folder, &[format!("{}@{NODE}", node_package())], log)
}

fn oldest_node(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    npm(workspace, folder, &[format!("{}@{OLDEST_NODE}", node_package())], log)
}

fn node_package() -> String {
    let os = match env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    };
    let cpu = if env::consts::ARCH == "aarch64" { "arm64" } else { "x64" };
    format!("node-{os}-{cpu}")
}

/// Returns the folder with the program of a line of Node.js.
pub fn node_programs(node: &Peer) -> Option<PathBuf> {
    Some(node.folder()?.join("node_modules").join(node_package()).join("bin"))
}

fn datadog_types(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let datadog = format!("@datadog/browser-rum-core@{DATADOG_TYPES}");
    npm(workspace, folder, &[datadog, format!("typescript@{TYPESCRIPT}")], log)
}

fn esbuild(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    npm(workspace, folder, &[format!("esbuild@{ESBUILD}")], log)
}

/// Installs packages of npm.
fn npm(workspace: &Workspace, folder: &Path, packages: &[String], log: &Path) -> Result<(), String> {
    fs::write(folder.join("package.json"), "{\"private\": true}\n").map_err(|error| error.to_string())?;
    let mut npm = workspace.command("npm");
    npm.current_dir(folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).args(packages);
    step(&mut npm, log)
}

/// Without Maven, the tests with R8 are skipped.
fn r8(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let mut maven = workspace.command("mvn");
    maven.current_dir(folder).args(["--quiet", "--batch-mode"]);
    maven.arg("org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy");
    maven.arg(format!("-Dartifact=com.android.tools:r8:{R8}"));
    maven.args(["-Dmdep.stripVersion=true", "-DoutputDirectory=."]);
    step(&mut maven, log)
}
