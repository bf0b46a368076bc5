//! The calls, with their answers as text.

use crate::engine::{Engine, Opening, guarded, text};
use rez_monitor::{
    Conditions, Consent, Durability, EventId, Facts, From, Monitor, Purpose, ScopeChange, Settings, Spelling,
    TestCrash, TraceContext,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The longest time that a fatal error waits for the disk.
const FATAL: Duration = Duration::from_millis(500);

/// `{"seed", "joined"}`, or `{"error"}`.
pub fn opened(opening: Result<Opening, String>) -> String {
    match opening {
        Ok(Opening { seed, joined }) => {
            json!({"seed": format!("{:032x}", u128::from_be_bytes(seed)), "joined": joined}).to_string()
        }
        Err(error) => failed(&error),
    }
}

/// `{"error"}`.
pub fn failed(error: &str) -> String {
    json!({"error": error}).to_string()
}

/// Records a batch whose last event ends the process.
pub fn record_fatal(engine: &Engine, json: &str) -> bool {
    engine.with(false, |monitor| !matches!(monitor.record_fatal(json, FATAL), Durability::Dropped(_)))
}

/// Stores a decision. False: an unknown word, or no engine.
pub fn set_consent(engine: &Engine, purpose: &str, consent: &str) -> bool {
    let purpose = Purpose::ALL.into_iter().find(|known| known.as_str() == purpose);
    let consent = match consent {
        "granted" => Some(Consent::Granted),
        "denied" => Some(Consent::Denied),
        "pending" => Some(Consent::Pending),
        _ => None,
    };
    let (Some(purpose), Some(consent)) = (purpose, consent) else { return false };
    done(engine, |monitor| monitor.set_consent(purpose, consent))
}

/// Changes the scope.
pub fn scope(engine: &Engine, change: ScopeChange<'_>) -> bool {
    done(engine, |monitor| monitor.scope(change))
}

/// Whether there is an engine that has done it.
pub fn done(engine: &Engine, call: impl FnOnce(&Monitor)) -> bool {
    engine.with(false, |monitor| {
        call(monitor);
        true
    })
}

/// Replaces the facts.
pub fn set_facts(engine: &Engine, json: &str) -> Result<(), String> {
    let facts = Facts::from_json(json).map_err(text)?;
    engine.call(|monitor| monitor.set_facts(facts))
}

/// Replaces the last known conditions.
pub fn set_conditions(engine: &Engine, json: &str) -> Result<(), String> {
    let json: Value = serde_json::from_str(json).map_err(|error| format!("conditions: no JSON ({error})"))?;
    let conditions = Conditions::from_json(&json)
        .ok_or("conditions: no object; pass an object with the members of `docs/guide/device.md`")?;
    engine.call(|monitor| {
        monitor.conditions(conditions);
        Ok::<_, String>(())
    })
}

/// Sets the release; an empty `dist` is none.
pub fn set_release(engine: &Engine, release: &str, dist: &str) -> Result<(), String> {
    engine.call(|monitor| monitor.set_release(release, (!dist.is_empty()).then_some(dist)))
}

/// Adds destinations from `oldest` or `now`.
pub fn add_destinations(engine: &Engine, settings: &str, from: &str) -> Result<(), String> {
    let from = match from {
        "oldest" => From::Oldest,
        "now" => From::Now,
        _ => return Err("`from` is an unknown word; pass `oldest` or `now`".to_owned()),
    };
    let settings = Settings::from_json(settings, Spelling::Camel).map_err(text)?;
    engine.call(|monitor| monitor.add_destinations(&settings, Spelling::Camel, from))
}

/// Removes a destination.
pub fn remove_destination(engine: &Engine, name: &str) -> Result<(), String> {
    engine.call(|monitor| {
        monitor.remove_destination(name);
        Ok::<_, String>(())
    })
}

/// Pauses a destination.
pub fn pause_destination(engine: &Engine, name: &str) -> Result<(), String> {
    engine.call(|monitor| monitor.pause_destination(name))
}

/// Ends its pause.
pub fn resume_destination(engine: &Engine, name: &str) -> Result<(), String> {
    engine.call(|monitor| monitor.resume_destination(name))
}

/// `{"<header>": "<value>"}`.
pub fn trace_headers(engine: &Engine, trace: &str, url: &str) -> String {
    let Some(trace) = trace_of(trace) else { return "{}".to_owned() };
    let headers = engine.with(Map::new(), |monitor| {
        let mut headers = Map::new();
        monitor.trace_headers(&trace, url, |name, value| {
            headers.insert(name.to_owned(), value.into());
        });
        headers
    });
    Value::Object(headers).to_string()
}

/// A trace in the form of a row: `{trace_id, span_id, parent?, sampled?}`. `None` if an id has another form or is zero.
fn trace_of(json: &str) -> Option<TraceContext> {
    let json: Value = serde_json::from_str(json).ok()?;
    let id = |name: &str| json.get(name).and_then(Value::as_str);
    let trace = TraceContext::from_hex(id("trace_id")?, id("span_id")?)?;
    let parent = id("parent").and_then(|parent| TraceContext::from_hex(id("trace_id")?, parent));
    let trace = trace.with_parent(parent.map_or(0, |parent| parent.span_id()));
    Some(trace.with_sampled(json.get("sampled").and_then(Value::as_bool)))
}

/// `{"status", "lines"}`; empty without an engine.
pub fn status(engine: &Engine) -> String {
    engine.with(String::new(), |monitor| {
        let status = monitor.status();
        format!(r#"{{"status":{},"lines":{}}}"#, status.to_json(), Value::from(status.lines()))
    })
}

/// A list of summaries.
pub fn metrics(engine: &Engine) -> String {
    engine.with("[]".to_owned(), |monitor| {
        let all = monitor.metrics().into_iter().map(|one| {
            json!({"name": one.name, "last": one.last, "count": one.count, "p50": one.p50, "p95": one.p95, "p99": one.p99})
        });
        Value::from_iter(all).to_string()
    })
}

/// A list of messages.
pub fn take_log(engine: &Engine) -> String {
    guarded("[]".to_owned(), || engine.messages().unwrap_or_default().take())
}

/// Empty when everything is on the disk.
pub fn persist(monitor: &Monitor, wait: Duration) -> Result<String, String> {
    monitor.persist(wait).map(|()| String::new()).map_err(text)
}

/// `{"destinations": [{"destination", "delivered", "left", "held", "text"}]}`.
pub fn flush(monitor: &Monitor, wait: Duration) -> Result<String, String> {
    let flushed = monitor.flush(wait).map_err(text)?;
    let all: Vec<String> = flushed.iter().map(|one| one.to_json()).collect();
    Ok(format!(r#"{{"destinations":[{}]}}"#, all.join(",")))
}

/// What became of an event.
pub fn why(monitor: &Monitor, id: &str, wait: Duration) -> Result<String, String> {
    let id: EventId = id.parse().map_err(text)?;
    Ok(monitor.why(id, wait).map_err(text)?.to_json())
}

/// `{"ended", "crash"}`, `null` if there was no run before, or `{"error"}`.
pub fn last_run(monitor: &Monitor, wait: Duration) -> Result<String, String> {
    serde_json::to_string(&monitor.last_run(wait).map_err(text)?).map_err(text)
}

/// Ends the process by a crash of native code.
pub fn test_crash(engine: &Engine, kind: &str) -> Result<(), String> {
    let kind = TestCrash::parse(kind).ok_or("testCrash: the kind is an unknown word; use fault, abort or panic")?;
    engine.call(|monitor| monitor.test_crash(kind).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rez_monitor::EventId;

    const TRACE: &str = r#"{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}"#;

    fn open(folder: &tempfile::TempDir) -> Engine {
        let settings = json!({"folder": folder.path(), "app": "shop", "release": "shop@1", "consentMonitoring": "granted",
            "traceTargets": ["api.example.com"]});
        let engine = Engine::default();
        engine.open(&settings.to_string(), "").unwrap();
        engine
    }

    fn close(engine: &Engine) {
        engine.take().unwrap().close(Duration::from_secs(20));
    }

    #[test]
    fn a_seed_is_thirty_two_digits() {
        let mut seed = [0; 16];
        seed[15] = 10;
        let opening = opened(Ok(Opening { seed, joined: true }));
        assert_eq!(opening, r#"{"joined":true,"seed":"0000000000000000000000000000000a"}"#);
        assert_eq!(opened(Err("a \"quote\"".to_owned())), r#"{"error":"a \"quote\""}"#);
    }

    #[test]
    fn unknown_words_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder);
        for (purpose, consent) in [("all", "granted"), ("analytics", "Granted"), ("", "")] {
            assert!(!set_consent(&engine, purpose, consent), "{purpose} {consent}");
        }
        assert!(set_consent(&engine, "analytics", "pending"));
        assert!(add_destinations(&engine, "{}", "newest").unwrap_err().contains("`oldest` or `now`"));
        close(&engine);
        assert!(!set_consent(&engine, "analytics", "granted"));
    }

    #[test]
    fn headers_are_given_to_targets_only() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder);
        let headers: Value =
            serde_json::from_str(&trace_headers(&engine, TRACE, "https://api.example.com/pay")).unwrap();
        assert_eq!(headers["traceparent"].as_str().unwrap()[..36], *"00-4bf92f3577b34da6a3ce929d0e0e4736-");
        assert_eq!(trace_headers(&engine, TRACE, "https://other.example/?a=api.example.com"), "{}");
        for trace in ["", "{}", "[]", r#"{"trace_id": "4bf9", "span_id": "00f067aa0ba902b7"}"#] {
            assert_eq!(trace_headers(&engine, trace, "https://api.example.com/pay"), "{}", "{trace}");
        }
        close(&engine);
        assert_eq!(trace_headers(&engine, TRACE, "https://api.example.com/pay"), "{}");
    }

    #[test]
    fn a_trace_keeps_its_parent_and_decision() {
        let trace = trace_of(&TRACE.replace('}', r#", "parent": "00f067aa0ba902b8", "sampled": false}"#)).unwrap();
        assert_eq!((trace.parent(), trace.sampled()), (Some(0x00f0_67aa_0ba9_02b8), Some(false)));
    }

    #[test]
    fn a_wait_ends_with_what_the_engine_says() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder);
        let wait = Duration::from_secs(20);
        let monitor = engine.monitor().unwrap();
        assert_eq!(persist(&monitor, wait).unwrap(), "");
        assert_eq!(flush(&monitor, wait).unwrap(), r#"{"destinations":[]}"#);
        assert!(why(&monitor, "no id", wait).is_err());
        let id: EventId = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11".parse().unwrap();
        assert!(
            serde_json::from_str::<Value>(&why(&monitor, &id.to_string(), wait).unwrap()).unwrap()["text"].is_string()
        );
        close(&engine);
        assert!(persist(&monitor, wait).is_err());
    }
}
