//! The source on a real socket: a server that relays as Metro does, and apps that answer with a real engine.

use super::*;
use crate::source::App;
use rez_monitor::{Config, Monitor};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

const LONG: Duration = Duration::from_secs(60);
/// For what must not come.
const SHORT: Duration = Duration::from_millis(100);

const ONE: Timing = Timing { connect: LONG, first: LONG, others: Duration::ZERO, ask: LONG, tell: LONG };

type Clients = Arc<Mutex<Vec<(SocketAddr, WebSocket<TcpStream>)>>>;

/// Sends each frame to all clients but its own.
struct Relay {
    port: u16,
    clients: Clients,
}

impl Relay {
    fn start() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let clients = Clients::default();
        let known = Arc::clone(&clients);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (from, writer) = (stream.peer_addr().unwrap(), stream.try_clone().unwrap());
                let Ok(mut reader) = tungstenite::accept(stream) else { continue };
                known.lock().unwrap().push((from, WebSocket::from_raw_socket(writer, Role::Server, None)));
                let known = Arc::clone(&known);
                std::thread::spawn(move || {
                    while let Ok(message) = reader.read() {
                        for (to, client) in known.lock().unwrap().iter_mut().filter(|(to, _)| *to != from) {
                            let _ = (to, client.send(message.clone()));
                        }
                    }
                });
            }
        });
        Relay { port, clients }
    }

    /// Ends all connections, as Metro does when it ends.
    fn hang_up(&self) {
        for (_, client) in self.clients.lock().unwrap().drain(..) {
            client.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
        }
    }

    fn expo(&self, name: &str, timing: Timing) -> Expo {
        Expo { timing, ..Expo::new(&format!("expo:{}{name}", self.port)).unwrap() }
    }

    /// Another client of the socket, which answers each frame with the texts that `answer` returns, until it returns none.
    fn join(&self, mut answer: impl FnMut(&Value) -> Option<Vec<Message>> + Send + 'static) -> JoinHandle<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let own = stream.local_addr().unwrap();
        let address = format!("ws://127.0.0.1:{}/expo-dev-plugins/broadcast", self.port);
        let (mut socket, _) = tungstenite::client(address, stream).unwrap();
        while !self.clients.lock().unwrap().iter().any(|(client, _)| *client == own) {
            std::thread::yield_now();
        }
        std::thread::spawn(move || {
            while let Ok(message) = socket.read() {
                let Ok(text) = message.to_text() else { continue };
                let Ok(frame) = serde_json::from_str(text) else { continue };
                let Some(answers) = answer(&frame) else { return };
                for message in answers {
                    let _ = socket.send(message);
                }
            }
        })
    }

    /// An app that answers with an engine.
    fn app(&self, name: &'static str, source: App) {
        self.join(move |frame| {
            Some(match method(frame) {
                "who" => vec![app(name)],
                "request" if frame["payload"]["to"] == name => {
                    vec![answer(frame, &source.inspect(frame["payload"]["request"].as_str().unwrap()))]
                }
                _ => vec![],
            })
        });
    }
}

fn method(frame: &Value) -> &str {
    frame["messageKey"]["method"].as_str().or(frame["method"].as_str()).unwrap_or_default()
}

fn message(method: &str, payload: &Value) -> Message {
    let key = json!({"pluginName": "@rez/monitor", "method": method});
    Message::text(json!({"messageKey": key, "payload": payload}).to_string())
}

fn app(name: &str) -> Message {
    message("app", &json!({"protocol": 1, "name": name}))
}

fn answer(request: &Value, text: &str) -> Message {
    message("answer", &json!({"id": request["payload"]["id"], "answer": text}))
}

fn engine(folder: &std::path::Path, app: &str) -> App {
    let config = Config::builder(folder, app, "shop@1").sessions(false).inspector(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.message("hello", rez_monitor::Level::Info, &[]);
    monitor.persist(LONG).unwrap();
    App::new(monitor, LONG)
}

fn error(source: &Expo, request: &str) -> ExpoError {
    match source.try_inspect(request) {
        Err(SourceError::Expo(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_only_app_answers_as_its_engine_does_and_does_what_it_is_told() {
    let (relay, folder) = (Relay::start(), tempfile::tempdir().unwrap());
    let source = engine(folder.path(), "shop");
    relay.app("ios-1", source.clone());
    let expo = relay.expo("", ONE);
    for request in [r#"{"ask":"about"}"#, r#"{"ask":"list","json":true}"#, r#"{"ask":"drops"}"#, r#"{"ask":"?"}"#, "7"]
    {
        assert_eq!(expo.inspect(request), source.inspect(request), "{request}");
    }
    assert!(expo.inspect(r#"{"tell":"mark","text":"tapped Pay"}"#).contains("\"id\""));
    assert!(source.inspect(r#"{"ask":"list"}"#).contains("tapped Pay"));
}

#[test]
fn of_several_apps_all_are_named_and_the_one_that_is_named_is_asked() {
    let (relay, folder) = (Relay::start(), tempfile::tempdir().unwrap());
    let sources = ["a", "b"].map(|name| engine(&folder.path().join(name), name));
    relay.app("ios-b", sources[1].clone());
    relay.app("android-a", sources[0].clone());
    let patient = Timing { others: Duration::from_secs(5), ..ONE };
    let several = error(&relay.expo("", patient), "{}");
    assert_eq!(
        several.to_string(),
        format!("several apps are connected: android-a, ios-b; choose one, as in expo:{}/android-a", relay.port)
    );
    let about = r#"{"ask":"about"}"#;
    assert_eq!(relay.expo("/ios-b", ONE).inspect(about), sources[1].inspect(about));
    assert_eq!(relay.expo("/android-a", ONE).inspect(about), sources[0].inspect(about));
    let unknown = error(&relay.expo("/ios-c", Timing { first: Duration::from_secs(5), ..ONE }), "{}").to_string();
    assert!(unknown.contains("`ios-c`") && unknown.contains("connected: android-a, ios-b"), "{unknown}");
}

#[test]
fn frames_of_others_and_answers_to_others_are_left_alone() {
    let relay = Relay::start();
    relay.join(|frame| {
        let other = json!({"messageKey": {"pluginName": "other", "method": "answer"}, "payload": {"id": frame["payload"]["id"], "answer": "wrong"}});
        Some(match method(frame) {
            "handshake" => vec![
                Message::binary(vec![0, 0, 0, 1]),
                Message::text("no json"),
                Message::text("[7]"),
                Message::text(json!({"method": "terminateBrowserClient", "protocolVersion": 2, "browserClientId": "another", "__isHandshakeMessages": true}).to_string()),
                Message::text(json!({"method": "terminateBrowserClient", "protocolVersion": 1, "browserClientId": frame["browserClientId"], "__isHandshakeMessages": true}).to_string()),
            ],
            "who" => vec![app("\u{1b}[2J"), app(""), app(&"n".repeat(65)), app("ios-1")],
            "request" => vec![
                Message::text(other.to_string()),
                message("answer", &json!({"id": "another", "answer": "wrong"})),
                message("answer", &json!({"id": frame["payload"]["id"], "answer": 7})),
                message("answer", &Value::Null),
                answer(frame, "right"),
            ],
            _ => vec![],
        })
    });
    assert_eq!(relay.expo("", ONE).try_inspect("{}").unwrap(), "right");
}

#[test]
fn without_metro_without_its_socket_and_without_an_app_the_error_says_what_to_start() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = error(&Expo::new(&format!("expo:{free}")).unwrap(), "{}").to_string();
    assert!(text.contains(&free.to_string()) && text.contains("npx expo start"), "{text}");
    let server = crate::collector::Collector::start(crate::collector::Options::new(
        tempfile::tempdir().unwrap().path().join("c"),
    ));
    let server = server.unwrap();
    let port = server.address().port();
    let text = error(&Expo::new(&format!("expo:{port}")).unwrap(), "{}").to_string();
    assert!(text.contains("no developer tools of Expo: status 404"), "{text}");
    let relay = Relay::start();
    let text = error(&relay.expo("", Timing { first: SHORT, ..ONE }), "{}").to_string();
    assert!(text.contains("no app with REZ Monitor") && text.contains("useRezMonitorDevTools()"), "{text}");
}

#[test]
fn a_port_that_accepts_and_says_nothing_or_hangs_up_is_an_error_in_time() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let expo = Expo { timing: Timing { connect: SHORT, ..ONE }, ..Expo::new(&format!("expo:{port}")).unwrap() };
    assert!(matches!(error(&expo, "{}"), ExpoError::NoTools { .. }));
    // Metro without Expo does so.
    let curt = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = curt.local_addr().unwrap().port();
    let server = std::thread::spawn(move || drop(curt.accept().unwrap()));
    assert!(matches!(error(&Expo::new(&format!("expo:{port}")).unwrap(), "{}"), ExpoError::NoTools { .. }));
    server.join().unwrap();
}

#[test]
fn an_app_that_stops_answering_is_named() {
    let relay = Relay::start();
    relay.join(|frame| Some(if method(frame) == "who" { vec![app("ios-1")] } else { vec![] }));
    let impatient = relay.expo("", Timing { ask: SHORT, tell: SHORT, ..ONE });
    assert_eq!(error(&impatient, r#"{"ask":"status"}"#), ExpoError::Silent { name: "ios-1".to_owned() });
}

#[test]
fn an_app_that_is_reloaded_gets_a_question_again_and_an_order_never() {
    let relay = Relay::start();
    let mut asked = 0;
    relay.join(move |frame| {
        Some(match method(frame) {
            "who" => vec![app("ios-1")],
            "request" => {
                asked += 1;
                // Every second request is answered.
                let reloaded = message("app", &json!({"protocol": 1, "name": "ios-1", "new": true}));
                if asked % 2 == 1 { vec![reloaded] } else { vec![answer(frame, "done")] }
            }
            _ => vec![],
        })
    });
    let expo = relay.expo("", ONE);
    assert_eq!(expo.try_inspect(r#"{"ask":"list"}"#).unwrap(), "done");
    assert_eq!(error(&expo, r#"{"tell":"send_now"}"#), ExpoError::Restarted("ios-1".to_owned()));
    assert_eq!(expo.try_inspect(r#"{"tell":"send_now"}"#).unwrap(), "done");
}

#[test]
fn after_a_restart_of_metro_a_question_connects_again_and_an_order_says_that_it_may_be_lost() {
    let (relay, folder) = (Relay::start(), tempfile::tempdir().unwrap());
    let source = engine(folder.path(), "shop");
    relay.app("ios-1", source.clone());
    let expo = relay.expo("", ONE);
    let about = r#"{"ask":"about"}"#;
    assert_eq!(expo.inspect(about), source.inspect(about));
    for request in [about, r#"{"tell":"mark","text":"x"}"#] {
        relay.hang_up();
        relay.app("ios-1", source.clone());
        match expo.try_inspect(request) {
            Ok(answer) => assert_eq!(answer, source.inspect(request)),
            Err(SourceError::Expo(error @ ExpoError::Closed { .. })) => {
                assert!(request != about && error.to_string().contains("npx expo start"), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(!source.inspect(r#"{"ask":"list","json":true}"#).contains("rez.mark"));
    assert_eq!(expo.inspect(about), source.inspect(about), "the next request connects again");
}

#[test]
fn another_version_of_the_frames_or_of_the_messages_is_named() {
    let relay = Relay::start();
    relay.join(|frame| {
        let end = json!({"method": "terminateBrowserClient", "protocolVersion": 2, "browserClientId": frame["browserClientId"], "pluginName": "@rez/monitor", "__isHandshakeMessages": true});
        Some(if method(frame) == "handshake" { vec![Message::text(end.to_string())] } else { vec![] })
    });
    assert_eq!(error(&relay.expo("", ONE), "{}"), ExpoError::Version { what: "frames", version: 2 });
    let relay = Relay::start();
    relay.join(|frame| {
        let new = message("app", &json!({"protocol": 3, "name": "ios-1"}));
        Some(if method(frame) == "who" { vec![new] } else { vec![] })
    });
    let text = error(&relay.expo("", ONE), "{}").to_string();
    assert!(text.contains("messages of the app have version 3"), "{text}");
}

#[test]
fn an_argument_is_a_port_and_a_name_or_one_of_them_or_none() {
    for (argument, port, name) in [
        ("expo:", 8081, None),
        ("expo:19000", 19000, None),
        ("expo:/ios-1", 8081, Some("ios-1")),
        ("expo:1/a.b_c", 1, Some("a.b_c")),
    ] {
        let expo = Expo::new(argument).unwrap();
        assert_eq!((expo.port, expo.name.as_deref()), (port, name), "{argument}");
    }
    for argument in
        ["expo", "expo:0", "expo:99999", "expo:port", "expo:8081/", "expo:8081/a b", "expo:8081/a/b", "expo:-1"]
    {
        let text = Expo::new(argument).unwrap_err().to_string();
        assert!(text.contains(&format!("`{argument}`")) && text.contains("expo:PORT/NAME"), "{text}");
    }
}
