//! A test server for a vendor's protocol: HTTP on loopback, the responses of the vendor, and simulated faults.
//!
//! One thread and one request per connection, with the standard library only, so that a test controls every byte of a
//! connection.

use crate::seeded::Seeded;
use crate::vendors::Vendor;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Limit of the wait for the next byte of a request.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// A received request.
#[derive(Clone, Debug, Default)]
pub struct ReceivedRequest {
    /// Path without query.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, after decompression.
    pub body: Vec<u8>,
    /// True if the body was compressed.
    pub compressed: bool,
}

/// A response.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Length` and `Connection`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// Returns a response with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Response {
        Response { status, headers: vec![("Content-Type", "application/json".into())], body: body.into() }
    }

    /// Returns a response without a body.
    #[must_use]
    pub fn status(status: u16) -> Response {
        Response { status, ..Response::default() }
    }
}

/// A fault of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Respond with this status, and optionally `Retry-After` in seconds. Nothing is stored.
    Status(u16, Option<u32>),
    /// Store the request, and close the connection without a response.
    Lost,
    /// Close the connection without a response. Nothing is stored.
    Reset,
    /// Store the request, and truncate the response.
    Cut,
    /// Respond as a captive portal, with 200 and an HTML page. Nothing is stored.
    Portal,
    /// Do not respond until [`VendorServer::release`]. Nothing is stored.
    Hang,
}

impl Fault {
    fn random(random: &mut Seeded) -> Fault {
        match random.below(11) {
            0 => Fault::Status(500, None),
            1 => Fault::Status(502, None),
            2 => Fault::Status(503, Some(1)),
            3 => Fault::Status(503, None),
            4 => Fault::Status(429, Some(2)),
            5 => Fault::Status(408, None),
            6 => Fault::Lost,
            7 => Fault::Reset,
            8 => Fault::Cut,
            9 => Fault::Portal,
            _ => Fault::Hang,
        }
    }

    fn stores(&self) -> bool {
        matches!(self, Fault::Lost | Fault::Cut)
    }
}

/// How the server responds.
#[derive(Clone, Debug)]
pub enum Behavior {
    /// As the vendor does.
    Normal,
    /// With a random fault in every third response.
    EveryThird(Seeded),
    /// With this status always.
    Always(u16),
    /// With this fault in every response.
    Each(Fault),
}

/// A request and its outcome.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// The endpoint.
    pub route: &'static str,
    /// The keys of its events.
    pub keys: Vec<String>,
    /// Its events are stored.
    pub stored: bool,
    /// Its fault.
    pub fault: Option<Fault>,
}

struct State {
    behavior: Behavior,
    count: u64,
    log: Vec<LoggedRequest>,
    problems: Vec<String>,
}

struct Shared {
    vendor: Arc<dyn Vendor>,
    state: Mutex<State>,
    changed: Condvar,
    open: AtomicU64,
    hanging: AtomicU64,
    released: AtomicU64,
    stopped: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server. Dropping it stops it.
pub struct VendorServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl VendorServer {
    /// Starts a server on a free port.
    #[must_use]
    pub fn start(vendor: Arc<dyn Vendor>) -> VendorServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = State { behavior: Behavior::Normal, count: 0, log: Vec::new(), problems: Vec::new() };
        let shared = Arc::new(Shared {
            vendor,
            state: Mutex::new(state),
            changed: Condvar::new(),
            open: AtomicU64::new(0),
            hanging: AtomicU64::new(0),
            released: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if all.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    let shared = Arc::clone(&all);
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    std::thread::spawn(move || {
                        serve(&stream, &shared);
                        wait_for_close(&stream);
                        shared.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            }
        });
        VendorServer { address, shared }
    }

    /// Returns `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Sets how the server responds from now on.
    pub fn set(&self, behavior: Behavior) {
        self.shared.state().behavior = behavior;
    }

    /// Returns all requests so far.
    #[must_use]
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.state().log.clone()
    }

    /// Returns violations of the rules of the vendor.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.shared.state().problems.clone()
    }

    /// Returns the number of connections that the client has not closed, including those that hang.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Returns the number of requests that hang.
    #[must_use]
    pub fn hanging(&self) -> u64 {
        self.shared.hanging.load(Ordering::SeqCst)
    }

    /// Closes the connections that hang.
    pub fn release(&self) {
        self.shared.released.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until an event whose key contains one of these texts is stored.
    #[must_use]
    pub fn wait_for_any(&self, keys: &[String], wait: Duration) -> bool {
        let stored = |state: &mut State| {
            !state
                .log
                .iter()
                .any(|entry| entry.stored && entry.keys.iter().any(|known| keys.iter().any(|key| known.contains(key))))
        };
        let waited = self.shared.changed.wait_timeout_while(self.shared.state(), wait, stored);
        !waited.expect("no panic inside").1.timed_out()
    }
}

impl Drop for VendorServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.release();
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// Ends the response and waits until the client has read it and closed the connection.
fn wait_for_close(mut stream: &TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT));
    let Some(request) = read(stream) else { return };
    let route = shared.vendor.route(&request);
    let read = shared.vendor.read(&request);
    let (reply, fault) = {
        let mut state = shared.state();
        let (mut reply, mut fault) = (None, None);
        state.count += 1;
        let third = state.count.is_multiple_of(3);
        match &mut state.behavior {
            Behavior::Normal => {}
            Behavior::Always(status) => reply = Some(Response::status(*status)),
            Behavior::Each(each) => fault = Some(each.clone()),
            Behavior::EveryThird(random) if third => fault = Some(Fault::random(random)),
            Behavior::EveryThird(_) => {}
        }
        let keys = match &read {
            Ok(keys) => keys.clone(),
            Err(problems) => {
                state.problems.extend(problems.iter().map(|problem| format!("{route}: {problem}")));
                reply = Some(Response::status(400));
                Vec::new()
            }
        };
        let stored = reply.is_none() && fault.as_ref().is_none_or(Fault::stores);
        let reply = reply.unwrap_or_else(|| shared.vendor.respond(&request, keys.len()));
        let noted = fault.clone().or((!stored).then_some(Fault::Status(reply.status, None)));
        state.log.push(LoggedRequest { route, keys, stored, fault: noted });
        (reply, fault)
    };
    shared.changed.notify_all();
    send_response(stream, shared, reply, fault);
}

fn send_response(mut stream: &TcpStream, shared: &Shared, reply: Response, fault: Option<Fault>) {
    let reply = match fault {
        None | Some(Fault::Cut) => reply,
        Some(Fault::Lost | Fault::Reset) => return,
        Some(Fault::Portal) => Response {
            status: 200,
            headers: vec![("Content-Type", "text/html".into())],
            body: "<html>Welcome</html>".into(),
        },
        Some(Fault::Status(status, wait)) => {
            let headers = wait.map(|wait| ("Retry-After", wait.to_string())).into_iter().collect();
            Response { status, headers, body: String::new() }
        }
        Some(Fault::Hang) => {
            let before = shared.released.load(Ordering::SeqCst);
            shared.hanging.fetch_add(1, Ordering::SeqCst);
            while shared.released.load(Ordering::SeqCst) == before {
                std::thread::park_timeout(Duration::from_millis(2));
            }
            shared.hanging.fetch_sub(1, Ordering::SeqCst);
            return;
        }
    };
    let missing = if fault == Some(Fault::Cut) { 20 } else { 0 };
    let mut text = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !matches!(reply.status, 204 | 304) || missing > 0 {
        text.push_str(&format!("Content-Length: {}\r\n", reply.body.len() + missing));
    }
    text.push_str("\r\n");
    // Fails only if the client has closed the connection.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(reply.body.as_bytes()));
    let _ = stream.flush();
}

fn read(stream: &TcpStream) -> Option<ReceivedRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = ReceivedRequest { path: path.to_owned(), query: query.to_owned(), ..ReceivedRequest::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let len: usize = request.headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    request.compressed = request.headers.get("content-encoding").is_some_and(|coding| coding == "gzip");
    if request.compressed {
        flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut request.body).ok()?;
    } else {
        request.body = body;
    }
    Some(request)
}
