//! The socket of Expo's developer tools.
//!
//! Metro relays each frame to all others on the socket. A frame is `{"messageKey": {"pluginName", "method"}, "payload"}`. The plugin
//! `@rez/monitor` has four methods: `who` asks which apps are there, `app` says it, `request` and `answer` carry the inspect protocol
//! as texts, so that no number loses a digit. See `docs/guide/inspect.md`.

use super::{ExpoError, Timing, is_name, is_order};
use serde_json::{Value, json};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::{Error, HandshakeError, Message, WebSocket};

const PLUGIN: &str = "@rez/monitor";
const PATH: &str = "/expo-dev-plugins/broadcast";

/// The version of Expo's frames, and of the messages in them.
const VERSION: u64 = 1;

/// Apps that are told apart: anybody on the socket can announce some.
const APPS: usize = 32;

/// A socket, and the app that it asks.
pub(super) struct Connection {
    socket: WebSocket<TcpStream>,
    port: u16,
    timing: Timing,
    /// Begins the ids of the requests: other clients have theirs on the same socket.
    client: String,
    requests: u64,
    app: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("port", &self.port).field("app", &self.app).finish_non_exhaustive()
    }
}

/// What came from an app.
enum Incoming {
    App { name: String, is_new: bool },
    Answer { id: String, answer: String },
}

impl Connection {
    /// Connects, and chooses the app: the one with the name, or the only one.
    pub(super) fn open(port: u16, name: Option<&str>, timing: Timing) -> Result<Connection, ExpoError> {
        let socket = socket(port, timing.connect)?;
        let client = format!("rezq-{}-{}", std::process::id(), jiff::Timestamp::now().as_microsecond());
        let mut new = Connection { socket, port, timing, client, requests: 0, app: String::new() };
        // The app answers to a handshake only if it uses other frames.
        new.send(&json!({
            "protocolVersion": VERSION, "pluginName": PLUGIN, "method": "handshake",
            "browserClientId": new.client, "__isHandshakeMessages": true,
        }))?;
        new.message("who", &json!({}))?;
        new.app = new.choose(name)?;
        Ok(new)
    }

    fn choose(&mut self, wanted: Option<&str>) -> Result<String, ExpoError> {
        let port = self.port;
        let mut names: Vec<String> = Vec::new();
        let mut end = Instant::now() + self.timing.first;
        while let Some(incoming) = self.next(end)? {
            let Incoming::App { name, .. } = incoming else { continue };
            if wanted == Some(name.as_str()) {
                return Ok(name);
            }
            if names.is_empty() && wanted.is_none() {
                end = Instant::now() + self.timing.others;
            }
            if !names.contains(&name) && names.len() < APPS {
                names.push(name);
            }
        }
        names.sort();
        match (wanted, names.as_slice()) {
            (Some(name), _) => Err(ExpoError::Unknown { port, name: name.to_owned(), names }),
            (None, []) => Err(ExpoError::NoApp(port)),
            (None, [name]) => Ok(name.clone()),
            (None, _) => Err(ExpoError::Several { port, names }),
        }
    }

    /// The answer of the app to a request.
    pub(super) fn ask(&mut self, request: &str) -> Result<String, ExpoError> {
        let is_order = is_order(request);
        self.requests = self.requests.saturating_add(1);
        let mine = format!("{}-{}", self.client, self.requests);
        let message = json!({"id": mine, "to": self.app, "request": request});
        self.message("request", &message)?;
        let end = Instant::now() + if is_order { self.timing.tell } else { self.timing.ask };
        while let Some(incoming) = self.next(end)? {
            match incoming {
                Incoming::Answer { id, answer } if id == mine => return Ok(answer),
                // Its JavaScript was loaded again, and does not know the request.
                Incoming::App { name, is_new: true } if name == self.app => {
                    if is_order {
                        return Err(ExpoError::Restarted(name));
                    }
                    self.message("request", &message)?;
                }
                _ => {}
            }
        }
        Err(ExpoError::Silent { name: self.app.clone() })
    }

    fn message(&mut self, method: &str, payload: &Value) -> Result<(), ExpoError> {
        self.send(&json!({"messageKey": {"pluginName": PLUGIN, "method": method}, "payload": payload}))
    }

    fn send(&mut self, frame: &Value) -> Result<(), ExpoError> {
        self.socket.send(Message::text(frame.to_string())).map_err(|error| self.closed(&error))
    }

    fn closed(&self, error: &Error) -> ExpoError {
        ExpoError::Closed { port: self.port, message: error.to_string() }
    }

    /// The next message of an app; `None` at `end`.
    fn next(&mut self, end: Instant) -> Result<Option<Incoming>, ExpoError> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            // A time-out of 0 would be none.
            let left = left.max(Duration::from_millis(1));
            self.socket.get_ref().set_read_timeout(Some(left)).map_err(|error| self.closed(&Error::Io(error)))?;
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    if let Some(incoming) = self.read(&text)? {
                        return Ok(Some(incoming));
                    }
                }
                // Bytes belong to other plugins.
                Ok(_) => {}
                Err(Error::Io(error)) if is_timeout(&error) => {}
                Err(error) => return Err(self.closed(&error)),
            }
        }
    }

    /// The message in a frame; `None` if it is none for this client.
    fn read(&self, text: &str) -> Result<Option<Incoming>, ExpoError> {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let is_ours = |value: &Value, name: &str, text: &str| value.get(name).and_then(Value::as_str) == Some(text);
        if is_ours(&frame, "method", "terminateBrowserClient") && is_ours(&frame, "browserClientId", &self.client) {
            // Also said to the second of two clients, which can both go on.
            return version("frames", &frame, "protocolVersion").map(|()| None);
        }
        let (key, payload) = (frame.get("messageKey").unwrap_or(&Value::Null), frame.get("payload"));
        let Some(payload) = payload.filter(|_| is_ours(key, "pluginName", PLUGIN)) else { return Ok(None) };
        let of = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
        match key.get("method").and_then(Value::as_str) {
            Some("app") => {
                version("messages", payload, "protocol")?;
                let is_new = payload.get("new") == Some(&Value::Bool(true));
                Ok(of("name").filter(|name| is_name(name)).map(|name| Incoming::App { name, is_new }))
            }
            Some("answer") => Ok(of("id").zip(of("answer")).map(|(id, answer)| Incoming::Answer { id, answer })),
            _ => Ok(None),
        }
    }
}

/// The version in a member, if it says one, has to be the one that is known here.
fn version(what: &'static str, message: &Value, member: &str) -> Result<(), ExpoError> {
    match message.get(member).and_then(Value::as_u64) {
        Some(version) if version != VERSION => Err(ExpoError::Version { what, version }),
        _ => Ok(()),
    }
}

fn socket(port: u16, wait: Duration) -> Result<WebSocket<TcpStream>, ExpoError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connect = || -> io::Result<TcpStream> {
        // `localhost` is one of the two.
        let other = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, wait)
            .or_else(|error| TcpStream::connect_timeout(&other, wait).map_err(|_| error))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(wait))?;
        stream.set_write_timeout(Some(wait))?;
        Ok(stream)
    };
    let stream = connect().map_err(|error| ExpoError::NoMetro { port, message: error.to_string() })?;
    let no_tools = |message: String| ExpoError::NoTools { port, message };
    match tungstenite::client(format!("ws://{address}{PATH}"), stream) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Interrupted(_)) => Err(no_tools("it does not answer".to_owned())),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(no_tools(format!("status {}", response.status()))),
        Err(HandshakeError::Failure(error)) => Err(no_tools(error.to_string())),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
