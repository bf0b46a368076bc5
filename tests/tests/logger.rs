//! What the logger hears, and what it must never hear or do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{Ga4, Mixpanel, Rez, Sentry};
use rez_monitor::transport::{Completion, Request, Response, Sent, Transport};
use rez_monitor::{
    Clock, Config, ConfigBuilder, Consent, ErrorEvent, Event, Level, LogCode, LogLevel, Monitor, Outcome, Purpose,
    Reason, Timing, Value,
};
use rez_monitor_tests::plants::plants;
use rez_monitor_tests::seeded::Seeded;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);
const KEY: &str = "k3y-0f-the-team-9f8e7d";

/// Answers every request with this status and body; 0 = cannot be reached.
#[derive(Clone)]
struct Server(Arc<Mutex<(u16, String)>>);

impl Server {
    fn new(status: u16, body: &str) -> Server {
        Server(Arc::new(Mutex::new((status, body.to_owned()))))
    }
}

impl Transport for Server {
    fn send(&self, request: Request, done: Completion) {
        let (status, body) = self.0.lock().unwrap().clone();
        let body = body.replace("{request}", &String::from_utf8_lossy(&request.body));
        done.finish(match status {
            0 => Sent::NotSent(format!("no route to {}", request.url)),
            301 => {
                let headers = vec![("location".to_owned(), format!("https://new.example/?token={KEY}"))];
                Sent::Response(Response { status, headers, body: body.into(), cut: false })
            }
            _ => Sent::Response(Response { status, headers: Vec::new(), body: body.into(), cut: false }),
        });
    }
}

/// The messages so far, as `(level, code, text)`.
struct Heard(Receiver<(LogLevel, LogCode, String)>);

impl Heard {
    /// Waits for the next message with this code.
    fn next(&self, code: LogCode) -> String {
        loop {
            let (level, found, text) = self.0.recv_timeout(WAIT).unwrap_or_else(|_| panic!("no message {code:?}"));
            assert_eq!(level, found.level());
            if found == code {
                return text;
            }
        }
    }

    /// All messages until the log is closed.
    fn rest(&self) -> Vec<String> {
        self.0.iter().map(|(_, code, text)| format!("{} {text}", code.as_str())).collect()
    }
}

fn config(folder: &Path) -> (ConfigBuilder, Heard) {
    let (sender, heard) = channel();
    let sender = Mutex::new(sender);
    let logger = move |level: LogLevel, code: LogCode, text: &str| {
        let _ = sender.lock().unwrap().send((level, code, text.to_owned()));
    };
    let builder = Config::builder(folder, "shop", "shop@1.4.0+77")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .debug(true)
        .logger(logger);
    (builder, Heard(heard))
}

fn rez() -> Rez {
    Rez::builder("https://in.example.com", KEY).build().unwrap()
}

fn error(monitor: &Monitor, text: &str) {
    let _ = monitor.error(ErrorEvent::new("Failure", text).fingerprint(text));
}

#[test]
fn a_refused_key_is_logged_with_its_route_and_status_and_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let server = Server::new(401, &format!("{{\"error\":\"{KEY} is not known\"}}"));
    let monitor = Monitor::open(builder.transport(server).destination("team", rez()).build().unwrap()).unwrap();
    error(&monitor, "one");
    let text = heard.next(LogCode::RouteStopped);
    assert!(text.starts_with("`team/rez.batch` is stopped: the server refuses its key (401). Check key"), "{text}");
    assert!(!text.contains(KEY));
    monitor.close(WAIT);
}

#[test]
fn a_redirect_of_the_endpoint_is_logged_without_its_query() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let server = Server::new(301, "");
    let monitor = Monitor::open(builder.transport(server).destination("team", rez()).build().unwrap()).unwrap();
    error(&monitor, "one");
    let text = heard.next(LogCode::RouteStopped);
    assert!(text.contains("its address redirects (301)") && !text.contains("token"), "{text}");
    monitor.close(WAIT);
}

#[test]
fn a_server_that_cannot_be_reached_for_five_minutes_is_logged_once_and_not_while_the_host_reports_no_network() {
    use rez_monitor::{Hint, Network};
    for offline in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (builder, heard) = config(folder.path());
        let clock = Clock::manual(1_795_400_000_000, 1_000_000);
        let builder = builder.clock(clock.clone()).transport(Server::new(0, "")).destination("team", rez());
        let monitor = Monitor::open(builder.build().unwrap()).unwrap();
        error(&monitor, "one");
        if offline {
            monitor.hint(Hint::Network(Network::Offline));
        }
        for _ in 0..40 {
            let _ = monitor.flush(WAIT);
            clock.advance(Duration::from_secs(10));
        }
        if !offline {
            let text = heard.next(LogCode::Unreachable);
            assert!(text.starts_with("`team/rez.batch` has not reached its server for 5 minutes. "), "{text}");
            assert!(!text.contains("example.com"), "{text}");
        }
        monitor.close(WAIT);
        let rest = heard.rest();
        let more = rest.iter().filter(|line| line.starts_with("unreachable")).count();
        // The test lasts 400 s: once after 300 s, and again a minute later.
        assert!(if offline { more == 0 } else { more <= 2 }, "{rest:#?}");
    }
}

#[test]
fn the_time_without_a_network_does_not_count_as_time_in_which_a_server_cannot_be_reached() {
    use rez_monitor::{Hint, Network};
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let clock = Clock::manual(1_795_400_000_000, 1_000_000);
    let builder = builder.clock(clock.clone()).transport(Server::new(0, "")).destination("team", rez());
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    error(&monitor, "one");
    let _ = monitor.flush(WAIT);
    monitor.hint(Hint::Network(Network::Offline));
    let _ = monitor.flush(WAIT);
    clock.advance(Duration::from_secs(3_600));
    monitor.hint(Hint::Network(Network::Online));
    let _ = monitor.flush(WAIT);
    monitor.close(WAIT);
    let rest = heard.rest();
    assert!(rest.iter().all(|line| !line.starts_with("unreachable")), "{rest:#?}");
}

#[test]
fn what_is_cut_too_large_refused_or_meant_for_an_unknown_destination_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let server = Server::new(200, "{}");
    let token = "0123456789abcdef0123456789abcdef";
    let monitor = builder.transport(server).destination("stats", Mixpanel::builder(token).build().unwrap());
    let monitor = Monitor::open(monitor.build().unwrap()).unwrap();
    let long = "x".repeat(20_000);
    let _ = monitor.message(&long, Level::Info, &[]);
    let text = heard.next(LogCode::ValueCut);
    assert!(text.starts_with("1 value of kind `message` was cut or left out. "), "{text}");
    let _ = monitor.record(Event::analytics("a").targets(&["stast", "stats"]));
    let text = heard.next(LogCode::UnknownTarget);
    assert!(text.starts_with("events are meant for `stast`, which is not a declared destination. "), "{text}");
    monitor.close(WAIT);
}

#[test]
fn a_changed_release_is_logged_for_a_destination_of_the_configuration_and_for_one_added_later() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, heard) = channel();
    let sender = Mutex::new(sender);
    let logger = move |_: LogLevel, code: LogCode, text: &str| {
        let _ = sender.lock().unwrap().send((code.level(), code, text.to_owned()));
    };
    let heard = Heard(heard);
    let sentry = || Sentry::builder("https://key@sentry.example.com/1").build().unwrap();
    let config = Config::builder(folder.path(), "shop", "shop@1.0 (77)/verbatim").sessions(false);
    let config = config.debug(true).logger(logger).transport(Server::new(503, "")).destination("issues", sentry());
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let text = heard.next(LogCode::ValueChanged);
    let what = "Sentry does not accept `shop@1.0 (77)/verbatim`: sent as `shop@1.0 (77)-verbatim`";
    assert!(text.starts_with(&format!("destination `issues`, `release`: {what}. ")), "{text}");
    monitor.add_destination("more", sentry(), rez_monitor::From::Oldest).unwrap();
    assert!(heard.next(LogCode::ValueChanged).starts_with("destination `more`, `release`: "));
    // Everything that the status lists was logged.
    assert_eq!(monitor.status().notes.len(), 2);
    monitor.close(WAIT);
    assert!(heard.rest().iter().all(|line| !line.starts_with("value_changed")));
}

#[test]
fn a_hook_that_panics_and_a_purpose_that_is_never_answered_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let clock = Clock::manual(1_795_400_000_000, 1_000_000);
    let builder = builder
        .clock(clock.clone())
        .transport(Server::new(503, ""))
        .destination("team", rez())
        .consent(Purpose::Analytics, Consent::Pending)
        .before_send(|kind, _| {
            assert!(kind != rez_monitor::Kind::Error, "this hook has a fault");
            true
        });
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    let _ = monitor.track("early", &[]);
    monitor.persist(WAIT).unwrap();
    clock.advance(Duration::from_secs(61));
    let _ = monitor.track("late", &[]);
    let text = heard.next(LogCode::ConsentPending);
    assert!(text.starts_with("consent to analytics is still pending. Call `set_consent`"), "{text}");
    error(&monitor, "boom");
    let text = heard.next(LogCode::HookFailed);
    assert!(text.starts_with("1 event of kind `error` dropped (hook_failed). Correct the hook"), "{text}");
    clock.advance(Duration::from_secs(120));
    let _ = monitor.track("again", &[]);
    monitor.close(WAIT);
    let again = heard.rest().into_iter().filter(|line| line.starts_with("consent_pending")).count();
    assert_eq!(again, 0, "once per run");
}

#[test]
fn an_app_without_a_destination_hears_of_it_after_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let clock = Clock::manual(1_795_400_000_000, 1_000_000);
    let monitor = Monitor::open(builder.clock(clock.clone()).build().unwrap()).unwrap();
    clock.advance(Duration::from_secs(60));
    error(&monitor, "one");
    assert!(heard.next(LogCode::NoDestination).starts_with("events are stored, but no destination is declared. "));
    monitor.close(WAIT);
}

#[test]
fn a_full_ring_is_logged_with_the_number_of_refused_events() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    // A hook that waits keeps the writer from folding.
    let (go, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let builder = builder.before_send(move |_, _| {
        let _ = gate.lock().unwrap().recv_timeout(Duration::from_millis(200));
        true
    });
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    let note = "x".repeat(8_000);
    let mut refused = 0;
    while refused < 5 {
        let outcome = monitor.message(&note, Level::Info, &[]);
        refused += u32::from(outcome == Outcome::Dropped(Reason::RingFull));
    }
    drop(go);
    let text = heard.next(LogCode::RingFull);
    assert!(text.contains("refused at the call (ring_full). Record less at once."), "{text}");
    monitor.close(WAIT);
}

#[test]
fn a_damaged_queue_and_a_folder_that_is_a_file_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("queue.db"), vec![7; 64 * 1024]).unwrap();
    let (builder, heard) = config(folder.path());
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    error(&monitor, "one");
    let text = heard.next(LogCode::Quarantined);
    assert!(text.starts_with("queue.db was damaged and moved into the folder `quarantine`. "), "{text}");
    monitor.close(WAIT);
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let (builder, heard) = config(&file.join("queue"));
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    let text = heard.next(LogCode::StoreUnavailable);
    assert!(text.starts_with("the queue cannot be used now: the folder cannot be used. Check the folder"), "{text}");
    monitor.close(WAIT);
}

#[test]
fn events_that_a_destination_refuses_are_logged_with_reason_and_status() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let ga4 = Ga4::web_stream("G-1A2B3C4D5E", KEY).build().unwrap();
    let builder = builder.transport(Server::new(413, &format!("{KEY} is too much"))).destination("google", ga4);
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    let _ = monitor.track("purchase", &[]);
    let _ = monitor.flush(WAIT);
    let text = heard.next(LogCode::EventsRefused);
    assert!(text.starts_with("`google/ga4.collect` did not take 1 event (rejected, status 413). "), "{text}");
    monitor.close(WAIT);
}

#[test]
fn a_batch_that_is_no_json_and_an_event_recorded_in_a_hook_are_logged() {
    static MONITOR: OnceLock<Monitor> = OnceLock::new();
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let builder = builder.before_send(|_, _| {
        let outcome = MONITOR.get().map(|monitor| monitor.message("from the hook", Level::Info, &[]));
        outcome != Some(Outcome::Dropped(Reason::Filtered))
    });
    let monitor = MONITOR.get_or_init(|| Monitor::open(builder.build().unwrap()).unwrap());
    error(monitor, "one");
    monitor.persist(WAIT).unwrap();
    let text = heard.next(LogCode::Reentrant);
    assert!(text.contains(" refused at the call (reentrant). Do not record there."), "{text}");
    let _ = monitor.record_batch(r#"{"v":1,"items":[{"kind":"analytics","name":"a"},{"kind":"#);
    let text = heard.next(LogCode::Malformed);
    assert!(text.contains("(malformed). If it came in a batch, correct the item."), "{text}");
    monitor.clone().close(WAIT);
}

#[test]
fn what_is_refused_right_before_the_close_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    error(&monitor, "one");
    monitor.persist(WAIT).unwrap();
    assert!(!monitor.record_batch("no JSON"));
    monitor.close(WAIT);
    assert!(heard.rest().iter().any(|line| line.contains("1 event refused at the call (malformed)")));
}

#[test]
fn a_queue_at_its_size_cap_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let monitor = Monitor::open(builder.cap_bytes(1 << 20).build().unwrap()).unwrap();
    let note = "x".repeat(4_000);
    for number in 0..400 {
        let _ = monitor.track(&format!("event_{number}"), &[("note", Value::Str(&note))]);
        if number % 50 == 0 {
            monitor.persist(WAIT).unwrap();
        }
    }
    let text = heard.next(LogCode::Evicted);
    assert!(text.contains(" were given up because the queue reached `cap_bytes`. Raise `cap_bytes`"), "{text}");
    monitor.close(WAIT);
}

#[test]
fn a_reader_that_keeps_erased_data_readable_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    error(&monitor, "one");
    monitor.persist(WAIT).unwrap();
    let reader = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
    error(&monitor, "two");
    monitor.forget_user();
    let text = heard.next(LogCode::ErasureBlocked);
    assert!(
        text.starts_with("erased data is still in the log of queue.db: another program reads the queue. "),
        "{text}"
    );
    assert!(monitor.status().lines().iter().any(|line| text.starts_with(line.as_str())));
    drop(reader);
    monitor.close(WAIT);
}

#[test]
fn a_logger_that_calls_the_monitor_or_never_returns_harms_nobody() {
    static MONITOR: OnceLock<Monitor> = OnceLock::new();
    let folder = tempfile::tempdir().unwrap();
    let (outcomes, seen): (Sender<Outcome>, _) = channel();
    let outcomes = Mutex::new(outcomes);
    let logger = move |_: LogLevel, _: LogCode, _: &str| {
        if let Some(monitor) = MONITOR.get() {
            let _ = outcomes.lock().unwrap().send(monitor.message("from the logger", Level::Info, &[]));
            let _ = monitor.persist(WAIT);
            let _ = monitor.flush(WAIT);
            let _ = monitor.status();
            // Never returns.
            loop {
                std::thread::park();
            }
        }
    };
    let (builder, _) = config(folder.path());
    let builder = builder.logger(logger).transport(Server::new(401, "")).destination("team", rez());
    let monitor = MONITOR.get_or_init(|| Monitor::open(builder.build().unwrap()).unwrap());
    error(monitor, "one");
    assert_eq!(seen.recv_timeout(WAIT), Ok(Outcome::Dropped(Reason::Reentrant)));
    for number in 0..1_000 {
        assert!(matches!(monitor.message(&number.to_string(), Level::Info, &[]), Outcome::Recorded(_)));
    }
    monitor.persist(WAIT).unwrap();
    monitor.clone().close(WAIT);
}

#[test]
fn without_debug_the_logger_is_not_called_and_has_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let builder = builder.debug(false).transport(Server::new(401, "")).destination("team", rez());
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    error(&monitor, "one");
    let _ = monitor.flush(WAIT);
    assert_eq!(heard.0.try_recv(), Err(TryRecvError::Disconnected), "the logger was dropped at `open`");
    monitor.close(WAIT);
    assert!(heard.rest().is_empty());
}

#[test]
fn no_planted_secret_reaches_the_logger_by_any_way_that_leads_there() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, heard) = config(folder.path());
    let clock = Clock::manual(1_795_400_000_000, 1_000_000);
    // The server repeats the request in its refusal.
    let builder = builder.clock(clock.clone()).transport(Server::new(400, "refused: {request}"));
    let sentry = Sentry::builder(format!("https://{KEY}@sentry.example.com/1")).build().unwrap();
    let builder = builder.destination("team", rez()).destination("issues", sentry);
    let monitor = Monitor::open(builder.build().unwrap()).unwrap();
    let plants = plants(&mut Seeded::of("logger", 7));
    for text in plants.iter().map(|plant| plant.text.as_str()) {
        // A minute each, so that the rate limit hides nothing.
        clock.advance(Duration::from_secs(61));
        let long = format!("{text} {}", "x".repeat(20_000));
        let _ = monitor.message(&long, Level::Info, &[("note", Value::Str(text)), (text, Value::Str(&long))]);
        error(&monitor, text);
        let _ = monitor.record(Event::analytics(text).targets(&[text]));
        let url = format!("https://api.example.com/u/{text}?q={text}");
        let _ = monitor.timing(Timing::api_call("GET", &url, Duration::from_millis(5)).error(text).endpoint(text));
        let _ = monitor.flush(WAIT);
    }
    monitor.close(WAIT);
    let heard = heard.rest();
    assert!(heard.len() > plants.len(), "{} messages", heard.len());
    for line in &heard {
        assert!(!line.contains(KEY), "{line}");
        // A short plant can be part of any text.
        let through = plants.iter().find(|plant| plant.secret.len() >= 6 && line.contains(&plant.secret));
        assert!(through.is_none(), "{line}");
    }
    println!("{} plants, {} messages, 0 through", plants.len(), heard.len());
}
