//! The events of a collector, from its file or over HTTP.

use crate::client::Client;
use crate::host::parse_loopback;
use crate::received::{self, ReceivedError};
use serde::Deserialize;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Events of a request.
const PAGE: usize = 1_000;

/// An event that the server received.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Received {
    /// Order of arrival.
    pub(crate) n: i64,
    pub(crate) id: String,
    pub(crate) install: String,
    pub(crate) seq: u64,
    pub(crate) kind: String,
    /// As sent.
    pub(crate) event: Value,
}

/// Where the events of a server are.
#[derive(Debug)]
pub(crate) enum Server {
    File(PathBuf),
    Http { address: String, at: SocketAddr, key: Option<String> },
}

/// Why a server's events cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error("`{0}` is no address of a collector; pass http://127.0.0.1:PORT as `rezq collect` prints it, or its file")]
    Address(String),
    #[error("the key has a character that no header can have")]
    Key,
    #[error(transparent)]
    File(#[from] ReceivedError),
    #[error("{address} does not answer: {message}; check that `rezq collect` runs there")]
    Unreachable { address: String, message: String },
    #[error("{address} answered with status {status}; {hint}")]
    Status { address: String, status: u16, hint: &'static str },
    #[error("the answer of {address} cannot be read: {message}; check that a collector of this version listens there")]
    Answer { address: String, message: String },
}

impl Server {
    /// `http://127.0.0.1:PORT`, or the path of a collector's file.
    pub(crate) fn new(argument: &str, key: Option<&str>) -> Result<Server, ServerError> {
        if !argument.starts_with("http://") && !argument.starts_with("https://") {
            let path = Path::new(argument);
            return Ok(Server::File(if path.is_dir() { path.join(received::FILE) } else { path.to_owned() }));
        }
        let wrong = || ServerError::Address(argument.to_owned());
        let host = argument.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        let at = parse_loopback(host).ok_or_else(wrong)?;
        if key.is_some_and(|key| key.chars().any(|c| c.is_control() || !c.is_ascii())) {
            return Err(ServerError::Key);
        }
        Ok(Server::Http { address: format!("http://{host}"), at, key: key.map(str::to_owned) })
    }

    /// All events, in order of arrival.
    pub(crate) fn events(&self) -> Result<Vec<Received>, ServerError> {
        match self {
            Server::File(path) => {
                let events = received::read(path)?.into_iter();
                let event = |stored: received::StoredEvent| Received {
                    event: serde_json::from_str(stored.event.get()).unwrap_or_default(),
                    n: stored.n,
                    id: stored.id,
                    install: stored.install,
                    seq: stored.seq,
                    kind: stored.kind,
                };
                Ok(events.map(event).collect())
            }
            Server::Http { address, at, key } => fetch(address, *at, key.as_deref()),
        }
    }
}

fn fetch(address: &str, at: SocketAddr, key: Option<&str>) -> Result<Vec<Received>, ServerError> {
    let mut client = Client::new(at);
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let mut all: Vec<Received> = Vec::new();
    let mut limit = PAGE;
    loop {
        let last = all.last();
        let since = last.map(|last| format!("&since={}", last.id)).unwrap_or_default();
        let path = format!("/v1/events?format=ndjson&limit={limit}{since}");
        let reply = client
            .send("GET", &path, &headers, &[])
            .map_err(|error| ServerError::Unreachable { address: address.to_owned(), message: error.to_string() })?;
        if reply.status != 200 {
            let hint = match reply.status {
                401 => "pass its write key with --key",
                _ => "check that a collector listens there",
            };
            return Err(ServerError::Status { address: address.to_owned(), status: reply.status, hint });
        }
        let page = page(&reply.body).map_err(|message| ServerError::Answer { address: address.to_owned(), message })?;
        let (is_full, reached) = (page.len() >= limit, all.last().map_or(i64::MIN, |last| last.n));
        let before = all.len();
        // An id that several apps' keys have names its first event: some of the page are known.
        all.extend(page.into_iter().filter(|event| event.n > reached));
        match (is_full, all.len() > before) {
            (false, _) => return Ok(all),
            (true, true) => limit = PAGE,
            (true, false) if limit < PAGE << 10 => limit <<= 1,
            (true, false) => {
                let message = "its pages do not advance".to_owned();
                return Err(ServerError::Answer { address: address.to_owned(), message });
            }
        }
    }
}

fn page(body: &[u8]) -> Result<Vec<Received>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut events: Vec<Received> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let event: Received = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))?;
        if event.id.parse::<rez_monitor::EventId>().is_err() {
            return Err(format!("line {}: `id` is no id of an event", at + 1));
        }
        if events.last().is_some_and(|last| last.n >= event.n) {
            return Err(format!("line {}: `n` does not rise", at + 1));
        }
        events.push(event);
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_of_this_machine_or_a_file() {
        for address in ["http://127.0.0.1:80", "http://localhost:7345/", "http://[::1]:9"] {
            assert!(matches!(Server::new(address, Some("k")), Ok(Server::Http { .. })), "{address}");
        }
        for address in ["https://127.0.0.1:80", "http://127.0.0.1", "http://192.168.0.7:80", "http://a.example:80/x"] {
            assert!(matches!(Server::new(address, None), Err(ServerError::Address(_))), "{address}");
        }
        assert!(matches!(Server::new("http://127.0.0.1:80", Some("a\r\nb")), Err(ServerError::Key)));
        assert!(matches!(Server::new("c.sqlite", None), Ok(Server::File(_))));
    }

    #[test]
    fn an_answer_that_lies_is_an_error_that_names_the_line() {
        let line = |n: i64, id: &str| {
            format!(r#"{{"n":{n},"id":"{id}","install":"i","seq":1,"kind":"error","event":{{}}}}"#) + "\n"
        };
        let id = "019b8d62-9137-700c-bd21-b3ef314c7a63";
        assert_eq!(page(line(1, id).as_bytes()).unwrap().len(), 1);
        for (body, wanted) in [
            ("{}".to_owned(), "line 1: missing field"),
            ("no json".to_owned(), "line 1: expected"),
            (line(1, id) + &line(1, id), "line 2: `n` does not rise"),
            (line(1, "x&limit=1"), "line 1: `id` is no id"),
        ] {
            let error = page(body.as_bytes()).unwrap_err();
            assert!(error.contains(wanted), "{body}: {error}");
        }
        assert!(page(b"\xff").is_err());
    }
}
