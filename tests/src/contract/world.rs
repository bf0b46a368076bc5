//! An engine for one vector: a new folder, a manual clock, sequential ids.

use super::Vector;
use super::args::{facts, kind, text};
use super::batch::Batches;
use super::calls::Calls;
use super::destinations::Entry;
use super::wire::Recorder;
use rez_monitor::inspect::{Filter, Reader};
use rez_monitor::transport::{Request, Response};
use rez_monitor::{Clock, Config, Consent, From, Level, Monitor, Purpose};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Wall clock at `open`, milliseconds since 1970.
pub const WALL_MS: i64 = 1_795_400_000_000;

/// Milliseconds since boot at `open`.
pub const MONO_MS: i64 = 1_000_000;

/// Key from which the ids of events, traces and batches are derived.
pub const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Limit of every wait for the engine. Long enough for a busy machine.
const WAIT: Duration = Duration::from_secs(60);

/// Without progress for this long, a route waits for a timer.
const STALL: Duration = Duration::from_secs(2);

/// An engine after the calls of a vector, before anything is sent.
pub struct World {
    monitor: Monitor,
    recorder: Recorder,
    clock: Clock,
    folder: tempfile::TempDir,
    /// The batch documents that were recorded.
    pub documents: Vec<Value>,
}

impl World {
    /// Opens an engine with the `config` of the vector and executes its calls. `accept` responds to requests.
    ///
    /// # Errors
    /// A malformed call, or a result that differs from the expected one.
    pub fn play(vector: &Vector, accept: fn(&Request) -> Response) -> Result<World, String> {
        let world = World::open(vector, accept)?;
        let mut calls = Calls::new(&world.monitor, &world.clock);
        for (at, call) in vector.calls().iter().enumerate() {
            calls.make(call).map_err(|error| format!("call {at} {call}: {error}"))?;
        }
        calls.end();
        world.monitor.persist(WAIT).map_err(|error| error.to_string())?;
        Ok(world)
    }

    /// The same through batches: the way of a language without pointers.
    ///
    /// # Errors
    /// A malformed call, or one that no batch holds.
    pub fn play_batches(vector: &Vector, accept: fn(&Request) -> Response) -> Result<World, String> {
        let mut world = World::open(vector, accept)?;
        let mut calls = Batches::new(&world.monitor, &world.clock);
        for (at, call) in vector.calls().iter().enumerate() {
            calls.make(call).map_err(|error| format!("call {at} {call}: {error}"))?;
        }
        let documents = calls.end();
        world.documents = documents;
        world.monitor.persist(WAIT).map_err(|error| error.to_string())?;
        Ok(world)
    }

    fn open(vector: &Vector, accept: fn(&Request) -> Response) -> Result<World, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let clock = Clock::manual(WALL_MS, MONO_MS);
        let recorder = Recorder::new(accept);
        let config = config(&vector.json["config"], folder.path().join("app"), &clock, recorder.clone())?;
        let monitor = Monitor::open(config).map_err(|error| error.to_string())?;
        Ok(World { monitor, recorder, clock, folder, documents: Vec::new() })
    }

    /// Returns the rows of the queue and their runs.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn rows(&self) -> Result<Value, String> {
        let reader = Reader::open(&self.folder.path().join("app")).map_err(|error| error.to_string())?;
        let rows = reader.list(&Filter::default()).map_err(|error| error.to_string())?;
        let runs = reader.runs().map_err(|error| error.to_string())?;
        let rows: Vec<Value> = rows
            .iter()
            .map(|listed| {
                let row = &listed.row;
                json!({
                    "seq": row.seq, "id": row.id.to_string(), "kind": row.kind.as_str(), "run": row.run,
                    "wall_ms": row.wall_ms, "mono_ms": row.mono_ms, "targets": row.targets,
                    "crc32": format!("{:08x}", crc32fast::hash(row.json.as_bytes())),
                    "json": serde_json::from_str::<Value>(&row.json).unwrap_or_default(),
                })
            })
            .collect();
        Ok(json!({"runs": runs.iter().map(|run| json!(run)).collect::<Vec<_>>(), "rows": rows}))
    }

    /// Returns the requests of the destination by route. Routes without requests are included.
    ///
    /// # Errors
    /// The engine does not become idle.
    pub fn requests(self, entry: &Entry, vector: &Vector) -> Result<BTreeMap<&'static str, Vec<Request>>, String> {
        let destination = (entry.make)(&vector.json["destinations"][entry.name]);
        let kept = vector.json["kept"][entry.name].as_u64().unwrap_or(0);
        let routes = destination.routes();
        let added = self.monitor.add_destination(entry.name, self.recorder.watch(destination), From::Oldest);
        added.map_err(|error| error.to_string())?;
        self.rest(entry.name, routes.len(), kept)?;
        // A flush also reports losses without events.
        self.monitor.flush(WAIT).map_err(|error| error.to_string())?;
        let mut by_route: BTreeMap<_, Vec<Request>> = routes.iter().map(|route| (route.name, Vec::new())).collect();
        for (route, request) in self.recorder.sent() {
            by_route.entry(route).or_default().push(request);
        }
        self.monitor.close(Duration::from_secs(5));
        Ok(by_route)
    }

    /// Waits until only `kept` rows are left.
    fn rest(&self, name: &str, routes: usize, kept: u64) -> Result<(), String> {
        let end = Instant::now() + WAIT;
        let mut last = (0, Instant::now());
        loop {
            let status = self.monitor.status();
            let own: Vec<_> = status.routes.iter().filter(|route| route.destination == name).collect();
            let waiting: u64 = own.iter().flat_map(|route| &route.waiting).sum();
            let still = own.len() == routes && own.iter().all(|route| !route.in_flight);
            if still && waiting == kept {
                return Ok(());
            }
            if waiting != last.0 {
                last = (waiting, Instant::now());
            }
            let stalls = still && waiting > kept && last.1.elapsed() > STALL;
            if stalls && own.iter().any(|route| route.held.is_some()) {
                // A timer that the route waits for never ends, since the clock stands still: rows that it does not take behind
                // the last one that it took, or urgent ones soon after a request.
                self.monitor.flush(WAIT).map_err(|error| error.to_string())?;
            }
            if Instant::now() > end {
                return Err(format!("{waiting} rows are left instead of {kept}: {own:?}"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Builds the configuration of a vector from the defaults and its `config`.
fn config(json: &Value, folder: PathBuf, clock: &Clock, transport: Recorder) -> Result<Config, String> {
    let none = serde_json::Map::new();
    let settings = json.as_object().unwrap_or(&none);
    let release = json["release"].as_str().unwrap_or("rezapp@2.4.1+77");
    let mut builder = Config::builder(folder, "rezapp", release)
        .dist("77")
        .environment("ci")
        .os("Android 15")
        .device("Pixel 9")
        .sessions(false)
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .clock(clock.clone())
        .transport(transport)
        .counted_ids(KEY);
    for (key, value) in settings {
        builder = match key.as_str() {
            "release" => builder,
            "dist" => builder.dist(text(value)?),
            "trace_targets" => builder.trace_targets(value.as_array().into_iter().flatten().filter_map(Value::as_str)),
            "environment" => builder.environment(text(value)?),
            "os" => builder.os(text(value)?),
            "device" => builder.device(text(value)?),
            "facts" => builder.facts(facts(value)?),
            "sessions" => builder.sessions(value == true),
            "log_level" => builder.log_level(Level::parse(text(value)?).ok_or("log_level: a known level")?),
            "mask_user" => builder.mask_user(value == true),
            "recorded_headers" => {
                builder.recorded_headers(value.as_array().into_iter().flatten().filter_map(Value::as_str))
            }
            "consent" => {
                let state = |purpose: Purpose| consent(value.get(purpose.as_str()).unwrap_or(&Value::Null));
                builder
                    .consent(Purpose::Monitoring, state(Purpose::Monitoring)?)
                    .consent(Purpose::Analytics, state(Purpose::Analytics)?)
            }
            "sample" => {
                let rates = value.as_object().ok_or("sample: rates by kind")?;
                rates.iter().try_fold(builder, |builder, (name, rate)| {
                    Ok::<_, String>(builder.sample(kind(name)?, rate.as_f64().ok_or("sample: a rate")?))
                })?
            }
            other => return Err(format!("unknown setting `{other}`")),
        };
    }
    builder.build().map_err(|error| error.to_string())
}

/// Parses a consent. A missing value means granted.
pub(super) fn consent(value: &Value) -> Result<Consent, String> {
    match value.as_str() {
        None | Some("granted") => Ok(Consent::Granted),
        Some("denied") => Ok(Consent::Denied),
        Some("pending") => Ok(Consent::Pending),
        Some(other) => Err(format!("unknown consent `{other}`")),
    }
}
