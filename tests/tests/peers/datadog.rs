//! Validates Datadog events with the vendor's schemas and types: every row of the vectors, and invalid events.

use crate::schema::Schemas;
use crate::{Skipped, cached, shared};
use rez_monitor::destination::{Datadog, Destination, Want};
use rez_monitor::{Purpose, Row};
use rez_monitor_tests::contract::rows::{STAMP, stock};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Schema errors for documented members: the log schema requires every unknown member, also of `usr`, to be an object.
const LOG_MEMBERS: [&str; 4] = ["/application_id", "/session_id", "/ddsource", "/version"];

/// The path of the RUM schema to which the log schema refers.
const COMMON: &str = "dd-sdk-android-rum/src/main/json/rum/_common-schema.json";

/// Returns the events of both routes for the rows of the vectors, by vector.
fn sent(route: &str) -> Vec<(String, Value)> {
    let datadog = Datadog::builder("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "token")
        .purposes(&Purpose::ALL)
        .forward_errors_to_logs(true)
        .build()
        .unwrap();
    let spec = datadog.routes().iter().find(|spec| spec.name == route).unwrap();
    let mut all = Vec::new();
    for stock in stock() {
        let rows: Vec<Row> = stock.rows.iter().filter(|row| datadog.wants(spec, row) == Want::Yes).cloned().collect();
        if rows.is_empty() {
            continue;
        }
        let body = String::from_utf8(datadog.encode(spec, &stock.batch(&rows), &STAMP).body).unwrap();
        let events: Vec<Value> = if route == "datadog.rum" {
            body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        } else {
            serde_json::from_str(&body).unwrap()
        };
        all.extend(events.into_iter().map(|event| (stock.name.clone(), event)));
    }
    assert!(all.len() > 50, "only {} events", all.len());
    all
}

fn schemas() -> Result<Schemas, String> {
    let folder = shared("peers/datadog").ok_or("the vendor's schemas are not beside this checkout")?;
    let (rum, log) = (folder.join("rum-schemas/rum"), folder.join("log-schema.json"));
    let common = rum.join("_common-schema.json");
    Ok(Schemas::read("rum/", &rum, &[("log-schema.json", &log), (COMMON, &common)]))
}

/// Returns the schema of an event.
fn schema_of(event: &Value) -> String {
    match event["type"].as_str().unwrap_or_default() {
        "vital" if event["vital"]["type"] == "operation_step" => "rum/vital-operation-step-schema.json".to_owned(),
        "vital" => "rum/vital-duration-schema.json".to_owned(),
        kind => format!("rum/{kind}-schema.json"),
    }
}

fn rum_problems(schemas: &Schemas, event: &Value) -> Vec<String> {
    let schema = schema_of(event);
    let problems = schemas.problems(&schema, event).into_iter().map(|(at, what)| format!("{at}: {what}"));
    problems.chain(schemas.unknown(&schema, event).into_iter().map(|at| format!("{at} is in no schema"))).collect()
}

fn log_problems(schemas: &Schemas, log: &Value) -> Vec<String> {
    let problems = schemas.problems("log-schema.json", log).into_iter();
    let known = |at: &str| LOG_MEMBERS.contains(&at) || at.starts_with("/usr/");
    problems.filter(|(at, _)| !known(at)).map(|(at, what)| format!("{at}: {what}")).collect()
}

/// Validation is slow, so only a few events of each shape are checked. The shape is the set of members with their types.
fn few_of_each_shape(events: Vec<(String, Value)>) -> Vec<(String, Value)> {
    fn shape(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                members.iter().map(|(key, value)| format!("{key}:{},", shape(value))).collect::<String>()
            }
            Value::Array(values) => values.iter().map(shape).collect::<String>(),
            Value::String(_) => "s".into(),
            other => {
                if other.is_i64() {
                    "i".into()
                } else {
                    other.to_string()
                }
            }
        }
    }
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut kept = Vec::new();
    for (name, event) in events {
        let times = seen.entry(format!("{}{}", event["type"], shape(&event))).or_default();
        *times += 1;
        if *times <= 3 {
            kept.push((name, event));
        }
    }
    kept
}

pub fn rum_fits_the_schemas() -> Skipped {
    let schemas = match schemas() {
        Ok(schemas) => schemas,
        Err(why) => return Some(why),
    };
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let mut problems = Vec::new();
    for (vector, event) in few_of_each_shape(sent("datadog.rum")) {
        *kinds.entry(event["type"].to_string()).or_default() += 1;
        problems.extend(rum_problems(&schemas, &event).into_iter().map(|what| format!("{vector}: {what}")));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    None
}

pub fn logs_fit_the_schema() -> Skipped {
    let schemas = match schemas() {
        Ok(schemas) => schemas,
        Err(why) => return Some(why),
    };
    let mut problems = Vec::new();
    for (vector, log) in few_of_each_shape(sent("datadog.logs")) {
        problems.extend(log_problems(&schemas, &log).into_iter().map(|what| format!("{vector}: {what}")));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    None
}

/// Returns a valid event of each kind.
fn samples() -> BTreeMap<String, Value> {
    let all = sent("datadog.rum").into_iter();
    all.map(|(_, event)| (event["type"].as_str().unwrap_or_default().to_owned(), event)).collect()
}

/// Returns events with one fault each.
fn broken_rum() -> Vec<(&'static str, Value)> {
    let samples = samples();
    let broken = |kind: &str, at: &str, value: Value| {
        let mut event = samples[kind].clone();
        let (parent, key) = at.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = value;
        event
    };
    let without = |kind: &str, parent: &str, key: &str| {
        let mut event = samples[kind].clone();
        event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        event
    };
    vec![
        ("a view without time_spent", without("view", "/view", "time_spent")),
        ("a view without its version", without("view", "/_dd", "document_version")),
        ("an action of type press", broken("action", "/action/type", json!("press"))),
        ("an error of source rust", broken("error", "/error/source", json!("rust"))),
        ("an error without a message", without("error", "/error", "message")),
        ("an event of source rust", broken("error", "/source", json!("rust"))),
        ("a resource without an address", without("resource", "/resource", "url")),
        ("a resource with a status in words", broken("resource", "/resource/status_code", json!("200"))),
        ("a long task without a duration", without("long_task", "/long_task", "duration")),
        ("a vital of type timer", broken("vital", "/vital/type", json!("timer"))),
        ("a date in words", broken("view", "/date", json!("2026-11-23"))),
        ("an event without an application", without("action", "", "application")),
    ]
}

/// Returns events with faults that a schema detects and a type does not.
fn broken_for_schemas() -> Vec<(&'static str, Value)> {
    let samples = samples();
    let broken = |kind: &str, at: &str, value: Value| {
        let mut event = samples[kind].clone();
        let (parent, key) = at.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[key] = value;
        event
    };
    vec![
        ("a negative duration", broken("resource", "/resource/duration", json!(-1))),
        ("a session that is no UUID", broken("error", "/session/id", json!("s-1"))),
        ("an unknown member", broken("error", "/bogus", json!(1))),
        ("an unknown member inside", broken("error", "/error/msg", json!("x"))),
    ]
}

pub fn broken_events_are_refused() -> Skipped {
    let schemas = match schemas() {
        Ok(schemas) => schemas,
        Err(why) => return Some(why),
    };
    for (what, event) in broken_rum().into_iter().chain(broken_for_schemas()) {
        assert!(!rum_problems(&schemas, &event).is_empty(), "{what} was taken");
    }
    let (_, log) = sent("datadog.logs").remove(0);
    assert_eq!(log_problems(&schemas, &log), [""; 0]);
    for (key, value) in
        [("status", json!("fatal")), ("message", json!(7)), ("service", Value::Null), ("own", json!("scalar"))]
    {
        let mut broken = log.clone();
        broken[key] = value;
        assert!(!log_problems(&schemas, &broken).is_empty(), "a log with a wrong {key} was taken");
    }
    None
}

/// Returns the folder with the vendor's package and a TypeScript compiler.
fn types() -> Result<PathBuf, String> {
    let runs = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !runs {
        return Err("there is no node".into());
    }
    let folder = cached("datadog-types-7.16.2")
        .ok_or("the vendor's package is not in the cache: `cargo xtask peers` fetches it where there is npm")?;
    let whole = folder.join("node_modules/typescript/lib/tsc.js").is_file();
    if whole { Ok(folder) } else { Err("the vendor's package in the cache is not whole".into()) }
}

/// Returns the indexes of the events that do not compile.
fn compile(folder: &Path, events: &[&Value]) -> Vec<usize> {
    let dir = tempfile::tempdir_in(folder).unwrap();
    let mut source = String::from(
        "import type { RumActionEvent, RumErrorEvent, RumLongTaskEvent, RumResourceEvent, RumViewEvent, \
         RumVitalDurationEvent, RumVitalOperationStepEvent } from '@datadog/browser-rum-core/cjs/rumEvent.types'\n",
    );
    for (index, event) in events.iter().enumerate() {
        let name = match event["type"].as_str().unwrap_or_default() {
            "action" => "RumActionEvent",
            "error" => "RumErrorEvent",
            "long_task" => "RumLongTaskEvent",
            "resource" => "RumResourceEvent",
            "view" => "RumViewEvent",
            "vital" if event["vital"]["type"] == "operation_step" => "RumVitalOperationStepEvent",
            _ => "RumVitalDurationEvent",
        };
        // The types of the browser SDK spell this source in another way than the schemas do.
        let event = event.to_string().replace("\"source\":\"rum-cpp\"", "\"source\":\"cpp\"");
        source.push_str(&format!("export const event{index}: {name} = {event}\n"));
    }
    std::fs::write(dir.path().join("events.ts"), source).unwrap();
    let output = Command::new("node")
        .arg(folder.join("node_modules/typescript/lib/tsc.js"))
        .args(["--noEmit", "--strict", "--target", "es2022", "--moduleResolution", "bundler", "--module", "esnext"])
        .args(["--skipLibCheck", "--pretty", "false", "events.ts"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines =
        stdout.lines().filter_map(|line| line.strip_prefix("events.ts(")?.split(',').next()?.parse::<usize>().ok());
    // The import is line 1.
    let mut wrong: Vec<usize> = lines.map(|line| line.checked_sub(2).expect("the vendor's types are found")).collect();
    wrong.dedup();
    assert_eq!(wrong.is_empty(), output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    wrong
}

pub fn rum_fits_the_types() -> Skipped {
    let folder = match types() {
        Ok(folder) => folder,
        Err(why) => return Some(why),
    };
    let events = few_of_each_shape(sent("datadog.rum"));
    let wrong = compile(&folder, &events.iter().map(|(_, event)| event).collect::<Vec<_>>());
    let shown: Vec<_> = wrong.iter().map(|at| format!("{}: {}", events[*at].0, events[*at].1)).collect();
    assert!(shown.is_empty(), "{} events do not compile:\n{}", shown.len(), shown.join("\n"));
    None
}

pub fn broken_events_do_not_compile() -> Skipped {
    let folder = match types() {
        Ok(folder) => folder,
        Err(why) => return Some(why),
    };
    let broken = broken_rum();
    let wrong = compile(&folder, &broken.iter().map(|(_, event)| event).collect::<Vec<_>>());
    let taken: Vec<_> = (0..broken.len()).filter(|at| !wrong.contains(at)).map(|at| broken[at].0).collect();
    assert!(taken.is_empty(), "taken: {taken:?}");
    None
}
