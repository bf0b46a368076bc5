//! Tests of the server with a real client.

use super::*;
use crate::client::{Client, Reply};
use crate::source::SourceError;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Answers with what a function returns.
struct Answers<F>(F);

impl<F: Fn(&str) -> String + Send + Sync> Inspect for Answers<F> {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        Ok((self.0)(request))
    }
}

fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (Server, Client) {
    serve_with(Timing::USUAL, answer)
}

fn serve_with(timing: Timing, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (Server, Client) {
    let server = Server::start_with(([127, 0, 0, 1], 0).into(), Arc::new(Answers(answer)), timing).unwrap();
    let client = Client::new(server.address());
    (server, client)
}

fn token(server: &Server) -> String {
    server.url().split_once("token=").unwrap().1.to_owned()
}

fn bearer(server: &Server) -> String {
    format!("Bearer {}", token(server))
}

fn ask(server: &Server, client: &mut Client, request: &str) -> Value {
    let reply = client.send("POST", "/inspect", &[("authorization", &bearer(server))], request.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{}", text(&reply));
    serde_json::from_slice(&reply.body).unwrap()
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// Sends bytes and returns the whole response. The request must close the connection.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn a_request_with_the_token_reaches_the_source_and_its_answer_comes_back_unchanged() {
    let (server, mut client) = serve(|request| format!(r#"{{"asked": {request}, "n": 9007199254740993}}"#));
    let reply = client.send("POST", "/inspect", &[("authorization", &bearer(&server))], br#"{"ask":"about"}"#).unwrap();
    assert_eq!(text(&reply), r#"{"asked": {"ask":"about"}, "n": 9007199254740993}"#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    server.stop();
}

#[test]
fn the_token_has_128_bits_and_each_server_has_its_own() {
    let (first, _) = serve(|_| "{}".to_owned());
    let (second, _) = serve(|_| "{}".to_owned());
    for server in [&first, &second] {
        assert_eq!(token(server).len(), 32);
        assert!(token(server).chars().all(|c| c.is_ascii_hexdigit()));
        assert!(!format!("{server:?}").contains(&token(server)), "the token is not printed");
    }
    assert_ne!(token(&first), token(&second));
}

#[test]
fn without_the_token_nothing_of_the_source_is_told() {
    let (server, mut client) = serve(|request| panic!("{request} reached the source"));
    let right = token(&server);
    let last = if right.ends_with('0') { '1' } else { '0' };
    let near = format!("{}{last}", &right[..31]);
    let long = format!("{right}0");
    for wrong in ["", "0", &right[..31], &near, &long, &right.to_uppercase().replace(|c: char| c.is_ascii_digit(), "x")]
    {
        let bearer = format!("Bearer {wrong}");
        let reply = client.send("POST", "/inspect", &[("authorization", &bearer)], b"{}").unwrap();
        assert_eq!(reply.status, 401, "{wrong}");
        assert!(text(&reply).contains("open the address that rezq printed"));
        assert_eq!(client.get(&format!("/changes?token={wrong}")).unwrap().status, 401, "{wrong}");
        assert_eq!(client.get(&format!("/?token={wrong}")).unwrap().status, 401, "{wrong}");
    }
    for headers in [&[][..], &[("authorization", right.as_str())], &[("authorization", "Basic x")]] {
        assert_eq!(client.send("POST", "/inspect", headers, b"{}").unwrap().status, 401);
    }
    for path in ["/snapshot".to_owned(), format!("/snapshot?token={right}")] {
        assert_eq!(client.get(&path).unwrap().status, 401, "a link of another page must not save the file");
    }
    // The token of the address is not enough for a request: a form of another page could send it.
    assert_eq!(client.send("POST", &format!("/inspect?token={right}"), &[], b"{}").unwrap().status, 401);
    assert_eq!(client.get("/changes").unwrap().status, 401);
    let twice = [("authorization", bearer(&server)), ("authorization", bearer(&server))];
    let twice: Vec<(&str, &str)> = twice.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(client.send("POST", "/inspect", &twice, b"{}").unwrap().status, 401);
}

#[test]
fn a_host_header_of_another_name_or_port_is_refused() {
    let (server, _) = serve(|_| "{}".to_owned());
    let port = server.address().port();
    let get = |host: &str| {
        raw(&server, &format!("GET /?token={} HTTP/1.1\r\n{host}connection: close\r\n\r\n", token(&server)))
    };
    for host in ["127.0.0.1", "localhost", "[::1]", "LocalHost"] {
        assert!(get(&format!("host: {host}:{port}\r\n")).starts_with("HTTP/1.1 200"), "{host}");
    }
    for host in [
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.2:{port}"),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        "127.0.0.1".to_owned(),
        String::new(),
        format!("127.0.0.1:{port}\r\nhost: evil.example"),
    ] {
        assert!(get(&format!("host: {host}\r\n")).starts_with("HTTP/1.1 403"), "{host}");
    }
    assert!(raw(&server, "GET / HTTP/1.0\r\n\r\n").contains(" 403 "), "without a host");
}

#[test]
fn a_request_of_a_page_of_another_origin_is_refused_also_with_the_token() {
    let (server, mut client) = serve(|_| r#"{"ok":true}"#.to_owned());
    let port = server.address().port();
    let mut send = |origin: &str| {
        let headers = [("authorization", &*bearer(&server)), ("origin", origin)];
        client.send("POST", "/inspect", &headers, b"{}").unwrap().status
    };
    for origin in
        [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"), format!("http://[::1]:{port}")]
    {
        assert_eq!(send(&origin), 200, "{origin}");
    }
    for origin in [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1",
        &format!("https://127.0.0.1:{port}"),
        &format!("http://127.0.0.1:{port}.evil.example"),
    ] {
        assert_eq!(send(origin), 403, "{origin}");
    }
}

#[test]
fn every_response_forbids_framing_caching_and_foreign_content() {
    let (server, mut client) = serve(|_| "{}".to_owned());
    let page = format!("/?token={}", token(&server));
    for path in [&*page, "/", "/nothing", "/inspect", "/changes"] {
        let reply = client.get(path).unwrap();
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path}");
        }
        assert!(reply.header("access-control-allow-origin").is_none());
    }
}

#[test]
fn each_page_has_its_own_nonce_and_nothing_of_the_source_in_it() {
    let (server, mut client) = serve(|_| r#"{"secret":"payload"}"#.to_owned());
    let mut nonces = Vec::new();
    for path in [format!("/?token={}", token(&server)), "/".to_owned()] {
        let reply = client.get(&path).unwrap();
        let policy = reply.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let nonce = policy.split_once("script-src 'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
        let page = text(&reply);
        assert!(page.contains(&format!("<script nonce=\"{nonce}\">")));
        assert!(!page.contains(&token(&server)), "the token is not in the page");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[test]
fn another_method_or_path_is_answered_with_a_sentence() {
    let (server, mut client) = serve(|_| "{}".to_owned());
    for (method, path, status) in [
        ("GET", "/inspect", 405),
        ("DELETE", "/inspect", 405),
        ("POST", "/", 405),
        ("POST", "/changes", 405),
        ("GET", "/../etc/passwd", 404),
    ] {
        let reply = client.send(method, path, &[("authorization", &bearer(&server))], b"").unwrap();
        assert_eq!(reply.status, status, "{method} {path}");
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert!(answer["error"].is_string());
    }
}

#[test]
fn a_body_that_is_too_large_or_no_text_does_not_reach_the_source() {
    let (server, mut client) = serve(|request| json!({"bytes": request.len()}).to_string());
    let auth = bearer(&server);
    let mut send = |body: &[u8]| client.send("POST", "/inspect", &[("authorization", &auth)], body).unwrap();
    assert_eq!(text(&send(&vec![b' '; 256 * 1024])), r#"{"bytes":262144}"#);
    assert_eq!(send(b"\xff\xfe").status, 400);
    let reply = send(&vec![b' '; 256 * 1024 + 1]);
    assert_eq!(reply.status, 413);
    assert!(text(&reply).contains("256 KiB"));
}

#[test]
fn a_source_that_answers_with_no_object_or_panics_is_an_error_and_the_server_goes_on() {
    let (server, mut client) = serve(|request| match request {
        "panic" => panic!("the source is broken"),
        "good" => r#"{"good":1}"#.to_owned(),
        other => other.to_owned(),
    });
    for garbage in ["", "null", "[]", "\"{\"", "{", r#"{"a":1}}"#, "{\"a\":\u{1}}", "<html>", "panic"] {
        let answer = ask(&server, &mut client, garbage);
        assert!(answer["error"].as_str().unwrap().contains("the source"), "{garbage}: {answer}");
    }
    assert_eq!(ask(&server, &mut client, "good"), json!({"good": 1}));
}

/// A source that waits for the test before it answers `slow`.
fn gated() -> (impl Fn(&str) -> String + Send + Sync, Sender<()>, Receiver<()>) {
    let (open, gate) = channel::<()>();
    let (arrive, arrived) = channel::<()>();
    let (gate, arrive) = (Mutex::new(gate), Mutex::new(arrive));
    let answer = move |request: &str| {
        if request == "slow" {
            arrive.lock().unwrap().send(()).unwrap();
            // The gate closes with the test.
            let _ = gate.lock().unwrap().recv();
        }
        json!({"asked": request}).to_string()
    };
    (answer, open, arrived)
}

#[test]
fn a_slow_answer_does_not_hold_up_another_one() {
    let (answer, open, arrived) = gated();
    let (server, mut client) = serve(answer);
    let (address, auth) = (server.address(), bearer(&server));
    let slow = std::thread::spawn(move || {
        Client::new(address).send("POST", "/inspect", &[("authorization", &auth)], b"slow").unwrap()
    });
    arrived.recv().unwrap();
    assert_eq!(ask(&server, &mut client, "fast"), json!({"asked": "fast"}));
    open.send(()).unwrap();
    assert_eq!(text(&slow.join().unwrap()), r#"{"asked":"slow"}"#);
}

#[test]
fn a_source_that_does_not_answer_in_time_is_an_error() {
    let (answer, open, arrived) = gated();
    let (server, mut client) = serve_with(Timing { answer: Duration::from_millis(50), ..Timing::USUAL }, answer);
    let answer = ask(&server, &mut client, "slow");
    assert!(answer["error"].as_str().unwrap().contains("did not answer within"), "{answer}");
    arrived.recv().unwrap();
    drop(open);
    server.stop();
}

/// A source whose version the test sets.
fn versioned() -> (impl Fn(&str) -> String + Send + Sync, Arc<Mutex<Value>>) {
    let version = Arc::new(Mutex::new(json!({"version": 1})));
    let shared = Arc::clone(&version);
    (move |_: &str| shared.lock().unwrap().to_string(), version)
}

const FAST: Timing =
    Timing { answer: Duration::from_secs(60), poll: Duration::from_millis(1), hold: Duration::from_secs(60) };

fn changes(server: &Server, known: &str) -> String {
    let reply = Client::new(server.address())
        .send("GET", &format!("/changes?token={}", token(server)), &[("last-event-id", known)], b"")
        .unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")));
    text(&reply)
}

#[test]
fn a_new_listener_gets_the_version_and_a_known_one_waits_for_the_next() {
    let (answer, version) = versioned();
    let (server, _) = serve_with(FAST, answer);
    assert_eq!(changes(&server, ""), "retry: 100\nid: 1\nevent: version\ndata: {\"version\":\"1\"}\n\n");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| changes(&server, "1"));
        *version.lock().unwrap() = json!({"version": 2});
        assert!(waiting.join().unwrap().contains("id: 2\nevent: version"));
    });
    *version.lock().unwrap() = json!({"error": "inspection is off"});
    let problem = changes(&server, "2");
    assert!(problem.contains("id: problem\nevent: problem\ndata: {\"problem\":\"inspection is off\"}"), "{problem}");
}

#[test]
fn many_listeners_hear_of_one_change_and_the_source_is_asked_for_all_of_them_at_once() {
    let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (answer, version) = versioned();
    let count = Arc::clone(&asked);
    let counting = move |request: &str| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answer(request)
    };
    // A poll that is never repeated in the time of the test: what all listeners get is the answer to one question.
    let (server, _) = serve_with(Timing { poll: Duration::from_secs(3600), ..FAST }, counting);
    *version.lock().unwrap() = json!({"version": 7});
    std::thread::scope(|scope| {
        let listeners: Vec<_> = (0..50).map(|_| scope.spawn(|| changes(&server, "6"))).collect();
        for listener in listeners {
            assert!(listener.join().unwrap().contains("id: 7\n"));
        }
    });
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn nobody_asks_for_the_version_when_nobody_listens() {
    let (asked, times) = channel();
    let asked = Mutex::new(asked);
    let (server, _) = serve_with(FAST, move |_| {
        asked.lock().unwrap().send(()).unwrap();
        r#"{"version":1}"#.to_owned()
    });
    assert!(times.try_recv().is_err(), "not before the first listener");
    changes(&server, "");
    // The task ends soon after the listener left. From then on nothing is asked for 300 polls.
    while times.recv_timeout(Duration::from_millis(300)).is_ok() {}
    changes(&server, "");
    assert!(times.recv_timeout(Duration::from_secs(60)).is_ok(), "it starts again");
}

#[test]
fn without_a_change_the_response_ends_with_a_comment() {
    let (answer, _version) = versioned();
    let (server, _) = serve_with(Timing { hold: Duration::from_millis(20), ..FAST }, answer);
    assert_eq!(changes(&server, "1"), "retry: 100\n: no change\n\n");
}

#[test]
fn an_address_that_other_machines_can_reach_and_one_that_is_taken_are_refused() {
    let source = || Arc::new(Answers(|_: &str| "{}".to_owned()));
    let error = Server::start(([0, 0, 0, 0], 0).into(), source()).unwrap_err();
    assert!(matches!(error, WebError::NotLoopback(_)), "{error}");
    let (server, _) = serve(|_| "{}".to_owned());
    let error = Server::start(server.address(), source()).unwrap_err();
    assert!(error.to_string().contains("choose another port"), "{error}");
}

#[test]
fn a_saved_page_has_the_events_of_all_pages_and_an_error_of_the_source_saves_nothing() {
    let source = Answers(|request: &str| {
        let request: Value = serde_json::from_str(request).unwrap();
        let event = |n: u64| json!({"event": {"id": format!("e{n}")}, "json": {"message": "</script><b>"}});
        match (request["ask"].as_str().unwrap(), request["before"].as_u64()) {
            ("list", _) if request["show"] != true => json!({"error": "one question for each event is too slow"}),
            ("list", None) => json!({"events": [event(3)], "before": 3}),
            ("list", Some(3)) => json!({"events": [], "before": 2}),
            ("list", _) => json!({"events": [event(1)], "before": null}),
            ("status", _) => json!({"lines": ["a line"]}),
            _ => json!({"error": "unknown"}),
        }
        .to_string()
    });
    let page = saved(&source, 10).unwrap();
    assert!(page.contains(r#""event":{"id":"e3"}"#) && page.contains(r#""event":{"id":"e1"}"#));
    assert!(page.contains(r"\u003c/script\u003e") && page.contains(r#""cut":false"#));
    assert!(saved(&source, 1).unwrap().contains(r#""cut":true"#));
    let broken = Answers(|_: &str| r#"{"error":"inspection is off"}"#.to_owned());
    assert_eq!(
        saved(&broken, 10).unwrap_err().to_string(),
        "cannot save the page: the source answers to `list`: inspection is off"
    );
}

#[test]
fn a_source_without_a_file_says_so_and_one_that_has_it_sends_its_bytes() {
    let (server, mut client) = serve(|_| "{}".to_owned());
    let headers = [("authorization", bearer(&server))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = client.send("GET", "/snapshot", &headers, b"").unwrap();
    assert_eq!(reply.status, 503);
    assert!(text(&reply).contains("no copy of its queue"), "{}", text(&reply));
    assert_eq!(client.send("POST", "/snapshot", &headers, b"").unwrap().status, 405);
}
