//! A request as a vector shows it, and a transport that keeps requests.

use rez_monitor::destination::{Batch, Destination, RouteSpec, Stamp, Verdict, Want};
use rez_monitor::transport::{Completion, Request, Response, Sent, Transport};
use rez_monitor::{Purpose, Row};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Responds to each request as the vendor does to a valid one, and keeps the request under the name of its route.
#[derive(Clone)]
pub struct Recorder {
    accept: fn(&Request) -> Response,
    /// The route whose request was encoded last. The delivery hands a request over before it encodes the next one.
    route: Arc<Mutex<&'static str>>,
    sent: Arc<Mutex<Vec<(&'static str, Request)>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// With these responses.
    #[must_use]
    pub fn new(accept: fn(&Request) -> Response) -> Recorder {
        Recorder { accept, route: Arc::default(), sent: Arc::default() }
    }

    /// The destination, watched, so that each request is known by its route.
    #[must_use]
    pub fn watch(&self, destination: Arc<dyn Destination>) -> impl Destination {
        Watched { destination, route: Arc::clone(&self.route) }
    }

    /// What was sent so far, with the names of the routes.
    #[must_use]
    pub fn sent(&self) -> Vec<(&'static str, Request)> {
        lock(&self.sent).clone()
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request, done: Completion) {
        let response = (self.accept)(&request);
        let route = *lock(&self.route);
        lock(&self.sent).push((route, request));
        done.finish(Sent::Response(response));
    }
}

/// Says which route it encodes for, and is the destination in all else.
struct Watched {
    destination: Arc<dyn Destination>,
    route: Arc<Mutex<&'static str>>,
}

impl Destination for Watched {
    fn routes(&self) -> &'static [RouteSpec] {
        self.destination.routes()
    }

    fn purposes(&self) -> &[Purpose] {
        self.destination.purposes()
    }

    fn key_hash(&self) -> u64 {
        self.destination.key_hash()
    }

    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        self.destination.wants(route, row)
    }

    fn fits(&self, route: &RouteSpec, first: &Row, taken: usize, next: &Row) -> bool {
        self.destination.fits(route, first, taken, next)
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        *lock(&self.route) = route.name;
        self.destination.encode(route, batch, stamp)
    }

    fn max_age(&self, route: &RouteSpec) -> Option<Duration> {
        self.destination.max_age(route)
    }

    fn recognizes(&self, response: &Response) -> bool {
        self.destination.recognizes(response)
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        self.destination.verdict(route, batch, response)
    }

    fn encoder(&self) -> u32 {
        self.destination.encoder()
    }
}

/// A header of a request.
#[must_use]
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The body before compression.
#[must_use]
pub fn plain(request: &Request) -> Vec<u8> {
    if header(request, "Content-Encoding") != Some("gzip") {
        return request.body.clone();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(request.body.as_slice()).read_to_end(&mut plain).expect("the body is gzip");
    plain
}

/// The request as JSON: address, headers, and the body before compression in the most readable form that fits it, with its
/// length and CRC-32, so that not even a space can change unseen.
#[must_use]
pub fn show(request: &Request) -> Value {
    let plain = plain(request);
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    assert_eq!(headers.len(), request.headers.len(), "a header is there twice: {:?}", request.headers);
    let mut shown = json!({
        "url": request.url,
        "headers": headers,
        "bytes": plain.len(),
        "crc32": format!("{:08x}", crc32fast::hash(&plain)),
    });
    let (form, body) = readable(&plain);
    shown[form] = body;
    shown
}

/// `json` for one JSON value, `lines` for one per line, else `text` or `hex`.
fn readable(bytes: &[u8]) -> (&'static str, Value) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let hex = bytes.chunks(48).map(|chunk| {
            chunk.iter().fold(String::new(), |mut line, byte| {
                let _ = write!(line, "{byte:02x}");
                line
            })
        });
        return ("hex", hex.collect());
    };
    if let Ok(value) = serde_json::from_str(text) {
        return ("json", value);
    }
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    match lines {
        Ok(lines) if !lines.is_empty() => ("lines", Value::from(lines)),
        _ => ("text", Value::from(text)),
    }
}
