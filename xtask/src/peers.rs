//! Programs and packages of others that the tests talk to. Each is fetched or built once, into a folder of the user's cache
//! that is keyed by version; a checkout stays clean, and a second checkout finds them there.
//!
//! Nothing here is needed: what cannot be had is said once, and the test that wants it is skipped by its name.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Command as Subcommand;

use crate::process::{self, End};
use crate::workspace::Workspace;

/// The Collector's version; the folder in the cache and the tests name it too.
const COLLECTOR: &str = "0.155.0";

/// Its stable modules, which have numbers of their own.
const COLLECTOR_STABLE: &str = "1.61.0";

/// Its program: a receiver and an exporter around the Collector's own library, as its builder would write it.
const COLLECTOR_SOURCE: &str = include_str!("../peers/collector.go");

/// Datadog's package with the types of its events, and the compiler that reads them.
const DATADOG_TYPES: &str = "7.16.2";
const TYPESCRIPT: &str = "5.9.3";

/// A build from nothing takes two to five minutes on two cores.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Makes one of them in the folder it is given; the last path is the log's.
type Make = fn(&Workspace, &Path, &Path) -> Result<(), String>;

/// Its command line.
pub fn command_line() -> Subcommand {
    Subcommand::new("peers").about("Make ready the programs of others that the tests talk to, in the user's cache")
}

/// Makes ready what is missing and can be had; says what cannot. True if all is there.
pub fn prepare(workspace: &Workspace) -> io::Result<bool> {
    let Some(cache) = cache() else {
        println!("note: no folder for a cache (HOME is not set): tests with programs of others are skipped");
        return Ok(false);
    };
    let mut all = true;
    let wanted: [(&str, String, Make); 2] = [
        ("an OpenTelemetry Collector", format!("otelcol-{COLLECTOR}"), collector),
        ("Datadog's types", format!("datadog-types-{DATADOG_TYPES}"), datadog_types),
    ];
    for (what, name, make) in wanted {
        let folder = cache.join(&name);
        if folder.is_dir() {
            continue;
        }
        println!("making {what} ready, once");
        // Made beside its place and moved there when it is whole, so that an interrupted run leaves nothing half done.
        let part = cache.join(format!("{name}.{}", std::process::id()));
        fs::create_dir_all(&part)?;
        let log = cache.join(format!("{name}.log"));
        let made = make(workspace, &part, &log);
        if let Err(why) = made {
            println!("note: {what} cannot be had: {why}; see {}", log.display());
        } else if let Err(error) = fs::rename(&part, &folder)
            && !folder.is_dir()
        {
            println!("note: {what}: {error}");
        }
        all &= folder.is_dir();
        // Gone if it was moved; otherwise a rest of no use.
        let _ = fs::remove_dir_all(&part);
    }
    Ok(all)
}

/// `rez-monitor` in the user's cache.
fn cache() -> Option<PathBuf> {
    let folder = match env::var_os("REZ_CACHE").or_else(|| env::var_os("XDG_CACHE_HOME")) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME")?).join(".cache"),
    };
    Some(folder.join("rez-monitor"))
}

fn step(command: &mut Command, log: &Path) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match process::run(command, log, LIMIT) {
        Ok(End::Succeeded) => Ok(()),
        Ok(End::Failed(status)) => Err(format!("{program}: {status}")),
        Ok(End::TimedOut) => Err(format!("{program} took too long")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn collector(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    let source = folder.join("source");
    let write = fs::create_dir_all(&source).and_then(|()| fs::write(source.join("main.go"), COLLECTOR_SOURCE));
    write.map_err(|error| error.to_string())?;
    let go = |arguments: &[String]| {
        let mut command = workspace.command("go");
        command.current_dir(&source).args(arguments);
        step(&mut command, log)
    };
    let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    go(&words("mod init rez-otelcol"))?;
    // Asked for by name: `go mod tidy` would want the modules of other people's tests as well.
    let core = "go.opentelemetry.io/collector";
    go(&[
        "get".to_string(),
        format!("{core}/otelcol@v{COLLECTOR}"),
        format!("{core}/service/telemetry/otelconftelemetry@v{COLLECTOR}"),
        format!("{core}/confmap/provider/fileprovider@v{COLLECTOR_STABLE}"),
        format!("{core}/receiver/otlpreceiver@v{COLLECTOR}"),
        format!("github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter@v{COLLECTOR}"),
    ])?;
    go(&words("build -trimpath -ldflags=-s -o ../otelcol ."))?;
    fs::remove_dir_all(&source).map_err(|error| error.to_string())
}

fn datadog_types(workspace: &Workspace, folder: &Path, log: &Path) -> Result<(), String> {
    fs::write(folder.join("package.json"), "{\"private\": true}\n").map_err(|error| error.to_string())?;
    let mut npm = workspace.command("npm");
    npm.current_dir(folder)
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .arg(format!("@datadog/browser-rum-core@{DATADOG_TYPES}"))
        .arg(format!("typescript@{TYPESCRIPT}"));
    step(&mut npm, log)
}
