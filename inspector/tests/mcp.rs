//! `rezq mcp` as a process over pipes: what an agent gets, and what it gets for bad input.

#![allow(clippy::unwrap_used, clippy::panic)]

use rez_monitor::{Config, Consent, Level, Monitor, Purpose, ScopeChange, User};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// A queue in which a user stands in many places.
fn queue(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .inspector(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.track("before", &[("note", "asked by priya-1742".into())]);
    sign_in(&monitor, "priya-1742", Some("priya@example.com"));
    let _ = monitor.track("view_item", &[("price", 7.into())]);
    let _ = monitor.track("purchase", &[("price", "priya-1742 pays".into()), ("first_name", "Priya".into())]);
    let _ = monitor.message("order of priya-1742 at 10.1.2.3", Level::Error, &[]);
    monitor.persist(WAIT).unwrap();
    monitor
}

fn sign_in(monitor: &Monitor, id: &str, email: Option<&str>) {
    let user = User { id: Some(id), email, ..User::default() };
    monitor.scope(ScopeChange::User(Some(user)));
}

struct Agent {
    rezq: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Agent {
    fn start(source: &Path, more: &[&str]) -> Agent {
        let mut rezq = Command::new(env!("CARGO_BIN_EXE_rezq"))
            .arg("mcp")
            .arg(source)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (rezq.stdin.take(), BufReader::new(rezq.stdout.take().unwrap()));
        Agent { rezq, input, output }
    }

    fn send(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string());
        let answer = self.read();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
        answer
    }

    /// The text that a tool answers.
    fn call(&mut self, tool: &str, arguments: Value) -> (bool, String) {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        assert_eq!(result["content"][0]["type"], "text", "{answer}");
        (result["isError"].as_bool().unwrap(), result["content"][0]["text"].as_str().unwrap().to_owned())
    }

    /// Code and message of the error to a line.
    fn refused(&mut self, line: &str) -> (i64, String, Value) {
        self.send(line);
        let answer = self.read();
        let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (answer["error"]["code"].as_i64().unwrap(), message, answer["id"].clone())
    }

    /// Closes the input and returns the exit code.
    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.rezq.wait().unwrap().code()
    }
}

#[test]
fn an_agent_gets_every_tool_and_never_a_name_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = queue(&folder.path().join("app"));
    let plan = folder.path().join("plan.json");
    let content = json!({"plan": 1, "required": ["login"], "events": [{"kind": "analytics", "name": "purchase",
        "attrs": {"properties": {"price": {"type": "number"}}}}], "unknown": "allow"});
    std::fs::write(&plan, content.to_string()).unwrap();
    let mut agent = Agent::start(folder.path(), &["--plan", plan.to_str().unwrap()]);
    let started = agent.ask(
        "initialize",
        json!({"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
    );
    assert_eq!(started["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(started["result"]["serverInfo"]["name"], "rezq");
    agent.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(agent.ask("ping", json!({}))["result"], json!({}), "a notification has no answer");
    let listed = agent.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["status", "list", "show", "why", "drops", "timeline", "check"]);
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        jsonschema_of(&tool["inputSchema"]);
    }

    let (_, events) = agent.call("list", json!({"limit": 200}));
    let events: Value = serde_json::from_str(&events).unwrap();
    let events = events["events"].as_array().unwrap().clone();
    let id = events.iter().find(|event| event["name"] == "purchase").unwrap()["id"].as_str().unwrap().to_owned();
    let before = events.iter().find(|event| event["name"] == "before").unwrap()["id"].clone();
    let session = events[0]["session"].as_str().unwrap().to_owned();
    let mut texts = vec![serde_json::to_string(&events).unwrap()];
    for (tool, arguments) in [
        ("status", json!({})),
        ("show", json!({"event": id})),
        ("why", json!({"event": id.get(..23).unwrap()})),
        ("drops", json!({})),
        ("timeline", json!({"session": session})),
        ("timeline", json!({})),
        ("check", json!({})),
        ("list", json!({"where": "name = purchase"})),
    ] {
        let (is_error, text) = agent.call(tool, arguments);
        assert!(!is_error, "{tool}: {text}");
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{tool}: {text}");
        texts.push(text);
    }
    assert!(texts.iter().any(|text| text.contains("[id] pays")), "{texts:?}");
    for text in &texts {
        let lower = text.to_lowercase();
        assert!(!lower.contains("priya") && !lower.contains("10.1.2.3"), "{text}");
    }
    let check: Value = serde_json::from_str(&texts[7]).unwrap();
    let rules: Vec<&str> =
        check["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["schema", "required"], "{check}");

    // An event without a user of its own, before any other was asked for.
    let mut other = Agent::start(folder.path(), &[]);
    let (_, text) = other.call("show", json!({"event": before}));
    assert!(text.contains("asked by [id]"), "{text}");
    assert_eq!(other.end(), Some(0));

    // A user who signs in while the agent asks is hidden too.
    sign_in(&monitor, "someone-else-9", None);
    let _ = monitor.track("later", &[("by", "someone-else-9".into())]);
    monitor.persist(WAIT).unwrap();
    let (_, text) = agent.call("list", json!({"text": "later"}));
    assert!(text.contains("later") && !text.contains("someone-else-9"), "{text}");
    assert_eq!(agent.end(), Some(0));
    monitor.close(WAIT);
}

/// A schema of a tool is one of a JSON object whose properties have a type.
fn jsonschema_of(schema: &Value) {
    assert_eq!((&schema["type"], &schema["additionalProperties"]), (&json!("object"), &json!(false)));
    let properties = schema["properties"].as_object().unwrap();
    assert!(properties.values().all(|property| property["type"].is_string() && property["description"].is_string()));
    assert!(schema["required"].as_array().unwrap().iter().all(|name| properties.contains_key(name.as_str().unwrap())));
}

#[test]
fn bad_input_is_answered_by_an_error_that_says_what_is_wrong_and_the_next_message_is_read() {
    let folder = tempfile::tempdir().unwrap();
    queue(&folder.path().join("app")).close(WAIT);
    let mut agent = Agent::start(folder.path(), &[]);
    let huge = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":"{}"}}}}"#, "x".repeat(3 << 20));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let call = |arguments: &str| format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{arguments}}}"#);
    for (line, code, part) in [
        ("no json".to_owned(), -32_700, "no JSON"),
        (deep, -32_700, "no JSON"),
        ("[]".to_owned(), -32_600, "no JSON object"),
        ("{}".to_owned(), -32_600, "`jsonrpc`"),
        (r#"{"jsonrpc":"2.0","id":1}"#.to_owned(), -32_600, "`method` is missing"),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#.to_owned(), -32_600, "`method` is no text"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_owned(), -32_600, "`id`"),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.to_owned(), -32_600, "`id`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#.to_owned(), -32_602, "`params`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#.to_owned(), -32_601, "`resources/list` is unknown"),
        (call("{}"), -32_602, "`name`"),
        (call(r#"{"name":"drop"}"#), -32_602, "the tool `drop` is unknown"),
        (call(r#"{"name":"list","arguments":[]}"#), -32_602, "`arguments` is no object"),
        (call(r#"{"name":"list","arguments":{"limit":"all"}}"#), -32_602, "`limit` is no integer"),
        (call(r#"{"name":"list","arguments":{"limit":-1}}"#), -32_602, "`limit` is no integer"),
        (call(r#"{"name":"list","arguments":{"knd":"error"}}"#), -32_602, "did you mean `kind`?"),
        (call(r#"{"name":"show","arguments":{}}"#), -32_602, "`event` is missing"),
        (call(r#"{"name":"check","arguments":{}}"#), -32_602, "pass `plan`"),
        (call(r#"{"name":"check","arguments":{"plan":{"plan":3}}}"#), -32_602, "`plan` is 3"),
        (huge, -32_600, "longer than"),
    ] {
        let (found, message, id) = agent.refused(&line);
        let start: String = line.chars().take(80).collect();
        assert!(found == code && message.contains(part), "{start}: {found} {message}");
        assert_eq!(id.is_string(), line.contains(r#""id":"a""#), "{start}");
    }
    for (tool, arguments, part) in [
        ("show", json!({"event": "019b8d62-9137-700c-bd21-000000000000"}), "not"),
        ("show", json!({"event": "x'; --"}), "no id"),
        ("list", json!({"where": "status >"}), "the filter cannot be read at character 9"),
        ("list", json!({"kind": "errors"}), "use one of crash"),
        ("timeline", json!({"session": "nobody"}), "no event of session"),
    ] {
        let (is_error, text) = agent.call(tool, arguments);
        assert!(is_error && text.contains(part), "{tool}: {text}");
    }
    // Answers and blank lines of the client are passed over.
    agent.send("");
    agent.send(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    agent.input.as_mut().unwrap().write_all(b"\xff\xfe\n").unwrap();
    assert_eq!(agent.read()["error"]["code"], -32_700);
    assert_eq!(agent.ask("ping", json!({}))["result"], json!({}));
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn a_source_or_a_plan_that_cannot_be_read_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Agent::start(&folder.path().join("nothing"), &[]).end(), Some(3));
    queue(&folder.path().join("app")).close(WAIT);
    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, "{}").unwrap();
    assert_eq!(Agent::start(folder.path(), &["--plan", plan.to_str().unwrap()]).end(), Some(2));
}

#[test]
fn an_agent_does_not_find_out_what_is_hidden_by_asking_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = queue(&folder.path().join("app"));
    for n in 0..30 {
        let _ = monitor.track("later", &[("n", n.into()), ("by", "priya-1742".into())]);
    }
    monitor.persist(WAIT).unwrap();
    let mut agent = Agent::start(folder.path(), &[]);
    let mut found = |arguments: Value| {
        let (is_error, text) = agent.call("list", arguments);
        assert!(!is_error, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let names = answer["events"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), answer["before"].clone())
    };
    for hidden in [
        json!({"text": "priya"}),
        json!({"text": "10.1.2.3"}),
        json!({"where": "by ~ priya"}),
        json!({"where": "kind = analytics, by = priya-1742"}),
        json!({"where": "by > p, by < q"}),
        json!({"where": "user.id ~ pri*"}),
        json!({"where": "user.email ~ example"}),
        json!({"where": "name ~ \"*10.1*\""}),
        json!({"where": "by != \"[id]\", by != null"}),
        json!({"level": "priya-1742"}),
    ] {
        assert_eq!(found(hidden.clone()), (Vec::new(), Value::Null), "{hidden}");
    }
    // What is left can be asked for, over pages and with a limit.
    assert_eq!(found(json!({"where": "by = \"[id]\"", "limit": 200})).0.len(), 30);
    assert_eq!(found(json!({"text": "[id] pays"})).0, ["purchase"]);
    assert_eq!(found(json!({"where": "name = view_item, price = 7"})).0, ["view_item"]);
    assert_eq!(found(json!({"level": "error", "where": "message ~ order"})).0.len(), 1);
    let (first, before) = found(json!({"where": "kind = analytics, n < 25", "limit": 20}));
    assert_eq!((first.len(), before.is_u64()), (20, true));
    let (second, before) = found(json!({"where": "kind = analytics, n < 25", "limit": 20, "before": before}));
    assert_eq!((second.len(), before), (5, Value::Null));
    let (is_error, text) = agent.call("list", json!({"where": "price >"}));
    assert!(is_error && text.contains("the filter cannot be read at character 8"), "{text}");
    let (is_error, text) = agent.call("list", json!({"where": "price > 1", "since_mark": true}));
    assert!(is_error && text.contains("no mark"), "{text}");
    let _ = monitor.inspect(r#"{"tell": "mark", "text": "tapped Pay"}"#, WAIT);
    let _ = monitor.track("after", &[("price", 9.into())]);
    monitor.persist(WAIT).unwrap();
    let (is_error, text) = agent.call("list", json!({"where": "price > 1", "since_mark": true}));
    assert!(!is_error && text.contains("after") && !text.contains("view_item"), "{text}");
    assert_eq!(agent.end(), Some(0));
    monitor.close(WAIT);
}
