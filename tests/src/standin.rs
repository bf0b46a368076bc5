//! A stand-in for a vendor's server on this machine: real HTTP, the vendor's own answers, and faults on request.
//!
//! One thread a connection, one request a connection, nothing but the standard library: what a broken server does to a
//! connection must be in the test's hands.

use crate::seeded::Seeded;
use crate::vendors::Vendor;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest wait of a connection for its next byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Path without query.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, unpacked if it was compressed.
    pub body: Vec<u8>,
    /// It was compressed.
    pub packed: bool,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Length` and `Connection`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A JSON body.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Reply {
        Reply { status, headers: vec![("Content-Type", "application/json".into())], body: body.into() }
    }

    /// A status and nothing else.
    #[must_use]
    pub fn status(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }
}

/// What a server does wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, nothing is stored; perhaps with `Retry-After` in seconds.
    Status(u16, Option<u32>),
    /// Stored; the connection ends without an answer.
    Lost,
    /// Not stored; the connection ends without an answer.
    Reset,
    /// Stored; the answer ends before its announced length.
    Cut,
    /// Not stored: a portal answers 200 with a page.
    Portal,
    /// Not stored, no answer, no end, until [`StandIn::release`].
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

/// How the server is minded.
#[derive(Clone, Debug)]
pub enum Mood {
    /// As the vendor.
    Good,
    /// A random fault in every third answer.
    EveryThird(Seeded),
    /// This status to everything.
    Always(u16),
    /// This fault in every answer.
    Each(Fault),
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which of the vendor's endpoints.
    pub route: &'static str,
    /// Keys of its events.
    pub keys: Vec<String>,
    /// Its events are stored.
    pub stored: bool,
    /// Its fault.
    pub fault: Option<Fault>,
}

struct State {
    mood: Mood,
    count: u64,
    log: Vec<Entry>,
    problems: Vec<String>,
}

struct Shared {
    vendor: Arc<dyn Vendor>,
    state: Mutex<State>,
    news: Condvar,
    hanging: AtomicU64,
    released: AtomicU64,
    over: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that runs until it is dropped.
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl StandIn {
    /// Serves on a free port.
    #[must_use]
    pub fn start(vendor: Arc<dyn Vendor>) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = State { mood: Mood::Good, count: 0, log: Vec::new(), problems: Vec::new() };
        let shared = Arc::new(Shared {
            vendor,
            state: Mutex::new(state),
            news: Condvar::new(),
            hanging: AtomicU64::new(0),
            released: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if all.over.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    let shared = Arc::clone(&all);
                    std::thread::spawn(move || serve(&stream, &shared));
                }
            }
        });
        StandIn { address, shared }
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// From now on.
    pub fn set(&self, mood: Mood) {
        self.shared.state().mood = mood;
    }

    /// Every request so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.shared.state().log.clone()
    }

    /// What the vendor would have objected to.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.shared.state().problems.clone()
    }

    /// Requests that hang now.
    #[must_use]
    pub fn hanging(&self) -> u64 {
        self.shared.hanging.load(Ordering::SeqCst)
    }

    /// Ends the connections that hang.
    pub fn release(&self) {
        self.shared.released.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until an event with one of these texts in its key is stored.
    #[must_use]
    pub fn has(&self, keys: &[String], wait: Duration) -> bool {
        let stored = |state: &mut State| {
            !state
                .log
                .iter()
                .any(|entry| entry.stored && entry.keys.iter().any(|known| keys.iter().any(|key| known.contains(key))))
        };
        let waited = self.shared.news.wait_timeout_while(self.shared.state(), wait, stored);
        !waited.expect("no panic inside").1.timed_out()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.release();
        // The thread waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let Some(seen) = read(stream) else { return };
    let route = shared.vendor.route(&seen);
    let read = shared.vendor.read(&seen);
    let (reply, fault) = {
        let mut state = shared.state();
        let (mut reply, mut fault) = (None, None);
        state.count += 1;
        let third = state.count.is_multiple_of(3);
        match &mut state.mood {
            Mood::Good => {}
            Mood::Always(status) => reply = Some(Reply::status(*status)),
            Mood::Each(each) => fault = Some(each.clone()),
            Mood::EveryThird(random) if third => fault = Some(Fault::random(random)),
            Mood::EveryThird(_) => {}
        }
        let keys = match &read {
            Ok(keys) => keys.clone(),
            Err(problems) => {
                state.problems.extend(problems.iter().map(|problem| format!("{route}: {problem}")));
                reply = Some(Reply::status(400));
                Vec::new()
            }
        };
        let stored = reply.is_none() && fault.as_ref().is_none_or(Fault::stores);
        let reply = reply.unwrap_or_else(|| shared.vendor.answer(&seen, keys.len()));
        let noted = fault.clone().or((!stored).then_some(Fault::Status(reply.status, None)));
        state.log.push(Entry { route, keys, stored, fault: noted });
        (reply, fault)
    };
    shared.news.notify_all();
    answer(stream, shared, reply, fault);
}

fn answer(mut stream: &TcpStream, shared: &Shared, reply: Reply, fault: Option<Fault>) {
    let reply = match fault {
        None | Some(Fault::Cut) => reply,
        Some(Fault::Lost | Fault::Reset) => return,
        Some(Fault::Portal) => Reply {
            status: 200,
            headers: vec![("Content-Type", "text/html".into())],
            body: "<html>Welcome</html>".into(),
        },
        Some(Fault::Status(status, wait)) => {
            let headers = wait.map(|wait| ("Retry-After", wait.to_string())).into_iter().collect();
            Reply { status, headers, body: String::new() }
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
    // A client that is gone wants no answer.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(reply.body.as_bytes()));
    let _ = stream.flush();
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut seen = Seen { path: path.to_owned(), query: query.to_owned(), ..Seen::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        seen.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let len: usize = seen.headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    seen.packed = seen.headers.get("content-encoding").is_some_and(|coding| coding == "gzip");
    if seen.packed {
        flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut seen.body).ok()?;
    } else {
        seen.body = body;
    }
    Some(seen)
}
