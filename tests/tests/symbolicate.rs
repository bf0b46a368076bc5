//! From a crash to named frames: a program dies of a signal, and its own file names the place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

use rez_inspect::source::{self, Ask, Event, Query};
use rez_inspect::symbols::Symbols;
use rez_monitor_tests::scenario::Scenario;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Lets a child die, starts it again, and returns the crash that the queue has.
fn crash(scenario: &Scenario, how: &str) -> Event {
    let options = format!("url=none sessions=1 native=1 how={how}");
    let mut dying = Command::new(CHILD);
    dying.args(scenario.args("crash", &options)).env_remove("REZ_FAULT").stdin(Stdio::null());
    assert!(!dying.output().unwrap().status.success());
    let _ = scenario.run(&format!("folder={} url=none n=0 sessions=1 native=1 end=close", scenario.folder().display()));
    let source = source::open(scenario.folder().to_str().unwrap()).unwrap();
    let query = Query { filter: vec![("kind", "crash".to_owned())], json: true, ..Query::default() };
    let mut crashes = Ask(&*source).list(&query).unwrap().events;
    assert_eq!(crashes.len(), 1);
    crashes.remove(0)
}

fn symbols(path: &Path) -> Symbols {
    Symbols::open(&[path.to_owned()]).unwrap()
}

#[test]
fn a_crash_of_a_rust_program_has_its_function_and_line() {
    let scenario = Scenario::new(CHILD);
    let mut event = crash(&scenario, "write").json;
    let outcome = symbols(Path::new(CHILD)).name(&mut event);
    let innermost = event["frames"].as_array().unwrap().last().unwrap();
    let function = innermost["function"].as_str().unwrap();
    assert!(function.ends_with("write_to_0x10") || innermost["inlined"] == true, "{event:#}");
    let file = innermost["file"].as_str().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/child/crash.rs");
    let text = std::fs::read_to_string(source).unwrap();
    let line = text.lines().position(|line| line.contains("nowhere.write_volatile(7)")).unwrap() + 1;
    let frames = event["frames"].as_array().unwrap();
    let written =
        frames.iter().rev().find(|frame| frame["file"].as_str().is_some_and(|file| file.ends_with("child/crash.rs")));
    assert_eq!(written.unwrap()["line"], line, "{file} {event:#}");
    // What is not the app's is named by no file here, and does not count.
    assert_eq!(outcome.unnamed, 0, "{outcome:?} {event:#}");
}

#[test]
fn the_debug_file_of_a_stripped_program_names_its_crash() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Scenario::new(CHILD);
    let event = crash(&scenario, "write").json;
    let objcopy = |arguments: &[&str], to: &Path| {
        let mut command = Command::new("objcopy");
        command.args(arguments).arg(CHILD).arg(to);
        command.status().is_ok_and(|status| status.success())
    };
    let (debug, stripped) = (folder.path().join("symbols/child.debug"), folder.path().join("app/child"));
    [&debug, &stripped].iter().for_each(|path| std::fs::create_dir_all(path.parent().unwrap()).unwrap());
    let arguments = ["--only-keep-debug", "--compress-debug-sections=zlib"];
    if !objcopy(&arguments, &debug) || !objcopy(&["--strip-all"], &stripped) {
        return rez_monitor_tests::skipped("the debug file of a stripped program", "there is no objcopy");
    }
    let place = |path: &Path| {
        let mut event: Value = event.clone();
        let outcome = symbols(path).name(&mut event);
        let innermost = event["frames"].as_array().unwrap().last().unwrap().clone();
        (outcome, innermost)
    };
    let (_, whole) = place(Path::new(CHILD));
    let (_, of_debug_file) = place(folder.path());
    assert_eq!((&of_debug_file["file"], &of_debug_file["line"]), (&whole["file"], &whole["line"]));
    let (outcome, _) = place(&stripped);
    assert!(!outcome.problems.is_empty(), "{outcome:?}");
}

#[test]
fn a_program_of_another_build_is_refused() {
    let scenario = Scenario::new(CHILD);
    let mut event = crash(&scenario, "write").json;
    let folder = tempfile::tempdir().unwrap();
    let other: PathBuf = folder.path().join("child");
    std::fs::copy(std::env::current_exe().unwrap(), &other).unwrap();
    let build_id = event["debug_images"]["child"]["code_id"].as_str().unwrap().to_owned();
    let before = event.clone();
    let outcome = symbols(folder.path()).name(&mut event);
    let why = outcome.problems.iter().find(|why| why.starts_with(&format!("{} has build id", other.display())));
    assert!(why.unwrap().ends_with(&format!("the event needs build id {build_id} of `child`")), "{outcome:?}");
    assert_eq!((event, outcome.named), (before, 0));
}
