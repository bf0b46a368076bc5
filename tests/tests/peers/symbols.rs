//! Programs that R8 and esbuild made small: their errors are recorded by the engine, and get the names of the source again.

use crate::{Skipped, cached};
use rez_inspect::source::{self, Ask, Query};
use rez_inspect::symbols::{Outcome, Symbols};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

const DEBUG_ID: &str = "85314830-023f-4cf1-a267-535f4e37bb17";

/// The sources of the programs.
fn app(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/app").join(file)
}

/// Runs a program to its end. Returns its output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text.into_owned()
}

fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Records items, and returns the error as the queue has it.
fn recorded(folder: &Path, items: &Value) -> Value {
    let config = Config::builder(folder, "shop", "shop@1.4.0+77")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .build()
        .unwrap();
    let monitor = Monitor::open(config).unwrap();
    assert!(monitor.record_batch(&json!({"v": 1, "items": items}).to_string()));
    monitor.close(WAIT);
    let source = source::open(folder.to_str().unwrap()).unwrap();
    let mut events = Ask(&*source).list(&Query { json: true, ..Query::default() }).unwrap().events;
    assert_eq!(events.len(), 1);
    events.remove(0).json
}

fn named(event: &mut Value, files: &Path) -> Outcome {
    Symbols::open(&[files.to_owned()]).unwrap().name(event)
}

/// A frame as `class.method file:line`.
fn place(frame: &Value) -> String {
    let text = |name: &str| frame[name].as_str().unwrap_or_default();
    format!("{}.{} {}:{}", text("module"), text("function"), text("file"), frame["line"])
}

/// Frames of the app's own code, as the Kotlin API records them, in the order of the stack.
fn exceptions(printed: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for line in printed.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["exception", class, message] => all.push(json!({"type": class, "message": message, "frames": []})),
            ["frame", class, method, file, number] => {
                let frames = all.last_mut().unwrap()["frames"].as_array_mut().unwrap();
                let line: u32 = number.parse().unwrap();
                let is_in_app = !class.starts_with("java.");
                let frame =
                    json!({"module": class, "function": method, "file": file, "line": line, "in_app": is_in_app});
                frames.insert(0, frame);
            }
            _ => panic!("{line}"),
        }
    }
    all
}

fn places(exception: &Value) -> Vec<String> {
    exception["frames"].as_array().unwrap().iter().map(place).collect()
}

/// The program with its own names says what the small one has to get.
pub fn r8_names_are_those_of_the_source() -> Skipped {
    let Some(r8) = cached("r8-9.5.28/r8.jar") else { return Some("R8 is not available".to_owned()) };
    if !has("javac", "-version") || !has("jar", "--version") {
        return Some("there is no JDK".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    run(Command::new("javac").args(["--release", "17", "-g", "-d"]).arg(path("classes")).arg(app("Main.java")));
    run(Command::new("jar").arg("cf").arg(path("app.jar")).arg("-C").arg(path("classes")).arg("."));
    let javac = std::fs::canonicalize(which("javac")).unwrap();
    let jdk = javac.ancestors().nth(2).unwrap();
    run(Command::new("java")
        .arg("-cp")
        .arg(&r8)
        .args(["com.android.tools.r8.R8", "--classfile", "--release", "--pg-conf"])
        .arg(app("rules.pro"))
        .arg("--pg-map-output")
        .arg(path("maps/mapping.txt"))
        .arg("--output")
        .arg(path("small.jar"))
        .arg("--lib")
        .arg(jdk)
        .arg(path("app.jar")));
    let start = |jar: &str| exceptions(&run(Command::new("java").arg("-cp").arg(path(jar)).arg("shop.Main")));
    let (source, small) = (start("app.jar"), start("small.jar"));
    assert_ne!(places(&small[1]), places(&source[1]), "R8 has changed names");

    let mut error = small[0].clone();
    error["kind"] = "error".into();
    error["language"] = "java".into();
    error["causes"] = json!([small[1]]);
    let mut event = recorded(&path("queue"), &json!([error]));
    let before = event.clone();
    let outcome = named(&mut event, &path("maps"));
    assert_eq!((outcome.unnamed, &outcome.problems[..]), (0, &[][..]));
    for (of_source, of_event) in [(&source[0], &event), (&source[1], &event["causes"][0])] {
        assert_eq!(places(of_event), places(of_source), "{event:#}");
        assert_eq!(of_event["type"], of_source["type"]);
    }
    let cause = event["causes"][0]["frames"].as_array().unwrap();
    assert!(cause.iter().any(|frame| frame["inlined"] == true), "R8 has inlined a call: {event:#}");

    // The mapping of another build.
    let mapping = std::fs::read_to_string(path("maps/mapping.txt")).unwrap();
    let other: String =
        mapping.lines().filter(|line| !line.starts_with("# pg_map_")).flat_map(|line| [line, "\n"]).collect();
    std::fs::create_dir(path("other")).unwrap();
    std::fs::write(path("other/mapping.txt"), format!("# pg_map_id: 0077\n{other}")).unwrap();
    let mut event = before.clone();
    let outcome = named(&mut event, &path("other"));
    assert!(outcome.problems[0].contains("has mapping id 0077; the event needs mapping id"), "{outcome:?}");
    assert_eq!(event, before);
    None
}

fn which(program: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file()).unwrap()
}

/// The bundle has the parser of stacks and the registry of ids that apps get.
pub fn bundle_names_are_those_of_the_source() -> Skipped {
    let Some(esbuild) = cached("esbuild-0.28.2/node_modules/esbuild") else {
        return Some("esbuild is not available".to_owned());
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    run(Command::new("node").arg(app("bundle.cjs")).arg(&esbuild).arg(path("maps/shop.js")).arg(DEBUG_ID));
    let mut error: Value = serde_json::from_str(&run(Command::new("node").arg(path("maps/shop.js")))).unwrap();
    let ids = error.as_object_mut().unwrap().remove("ids").unwrap();
    error["kind"] = "error".into();
    error["language"] = "javascript".into();
    let context = json!({"scope": "context", "name": "debug_ids", "value": ids});
    let mut event = recorded(&path("queue"), &json!([context, error]));
    let before = event.clone();

    let source = std::fs::read_to_string(app("checkout.ts")).unwrap();
    let line = |mark: &str| source.lines().position(|line| line.ends_with(mark)).unwrap() + 1;
    let outcome = named(&mut event, &path("maps"));
    assert_eq!((outcome.unnamed, &outcome.problems[..]), (0, &[][..]), "{event:#}");
    let frames: Vec<&Value> = event["frames"].as_array().unwrap().iter().rev().collect();
    for (frame, function, mark) in [(0, "amountOf", "// here"), (1, "totalOfCart", "// its caller")] {
        let frame = frames[frame];
        assert_eq!((&frame["function"], &frame["line"]), (&json!(function), &json!(line(mark))), "{event:#}");
        assert!(frame["file"].as_str().unwrap().ends_with("app/checkout.ts"), "{frame}");
        assert_ne!(frame["was"]["function"], json!(function), "esbuild has changed names");
    }

    // The map of another bundle of the same name.
    let map = std::fs::read_to_string(path("maps/shop.js.map")).unwrap();
    let other = DEBUG_ID.replace("8531", "1111");
    std::fs::create_dir(path("other")).unwrap();
    std::fs::write(path("other/shop.js.map"), map.replace(DEBUG_ID, &other)).unwrap();
    let mut event = before.clone();
    let outcome = named(&mut event, &path("other"));
    assert!(
        outcome.problems[0].contains(&format!("has debug id {}; the event needs", other.replace('-', ""))),
        "{outcome:?}"
    );
    assert_eq!(event, before);
    None
}
