use super::shared::Command;
use crate::inspect::{Filter, Reader};
use crate::store::{StoreError, repair};
use crate::{Config, Consent, ErrorEvent, Level, Monitor, Purpose};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

fn open(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false);
    Monitor::open(config.build().unwrap()).unwrap()
}

/// Blocks the writer until the returned sender sends or is dropped.
pub(super) fn busy(monitor: &Monitor) -> Sender<()> {
    let ((go, wait), (busy, is_busy)) = (channel(), channel());
    monitor.0.shared.command(Command::Work(Box::new(move |_, _| {
        busy.send(()).unwrap();
        let _ = wait.recv();
    })));
    is_busy.recv().unwrap();
    go
}

/// Kinds of all rows, after a close; the balance holds.
fn kinds(monitor: Monitor, folder: &Path) -> Vec<String> {
    monitor.close(WAIT);
    let reader = Reader::open(folder).unwrap();
    assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
    let mut kinds: Vec<_> =
        reader.list(&Filter::default()).unwrap().iter().map(|listed| listed.row.kind.as_str().to_owned()).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_denial_right_behind_a_forgetting_leaves_what_was_recorded_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.track("before", &[]);
    let _ = monitor.message("before", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    let go = busy(&monitor);
    let _ = monitor.error(ErrorEvent::new("Oops", "before, still in the ring"));
    monitor.forget_user();
    let _ = monitor.message("between", Level::Info, &[]);
    let _ = monitor.track("between, and denied", &[]);
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    let _ = monitor.message("after", Level::Info, &[]);
    drop(go);
    assert_eq!(kinds(monitor, folder.path()), ["message", "message"]);
}

#[test]
fn damage_that_is_told_by_two_is_one_quarantine() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.message("hello", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    let serial = monitor.0.shared.run_within(None, |store, _| store.serial()).unwrap();
    let damaged = || Command::Failed(StoreError::Corrupt("both saw it".into()), serial);
    monitor.0.shared.command(damaged());
    monitor.0.shared.command(damaged());
    monitor.persist(WAIT).unwrap();
    let now = monitor.0.shared.now();
    assert_eq!(repair::quarantines_lately(folder.path(), now), 1);
    assert_eq!(kinds(monitor, folder.path()), ["message"]);
}

#[test]
fn every_session_that_earlier_runs_left_open_is_ended_once_and_keeps_its_release() {
    use super::batch::{Batch, Op};
    use super::stamp::Stamper;
    use crate::event::decode::Body;
    use crate::event::encode::Encoder;
    use crate::event::field::Field;
    use crate::row::Run;
    let (mut stamper, mut batch) = (Stamper::default(), Batch::default());
    let scope = |stamper: &mut Stamper, batch: &mut Batch, id: &str| {
        let mut buffer = [0u8; 512];
        let mut encoder = Encoder::new(&mut buffer, 7, 0);
        encoder.field(Field::Change, "session".into());
        encoder.field(Field::Session, id.into());
        let len = encoder.finish();
        stamper.scope(&Body::decode(&buffer[..len]).unwrap(), batch);
    };
    let run = |release: &str| Run { id: release.into(), release: release.into(), ..Run::default() };
    for n in 0..4 {
        stamper.begin_run(run(&format!("shop@{n}")), None, 0, &mut batch);
        scope(&mut stamper, &mut batch, &format!("session-{n}"));
    }
    let ids = |stamper: &Stamper| stamper.unfinished_sessions().into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(&stamper), ["session-0", "session-1", "session-2"]);
    let mut buffer = [0u8; 512];
    let end = crate::Event::new(crate::Kind::Session).with(Field::Session, "session-1").with(Field::Status, "abnormal");
    let len = end.encode(&mut buffer, 9, 0);
    let id = crate::EventId::from_bytes([1; 16]);
    stamper.event(crate::Kind::Session, id, &Body::decode(&buffer[..len]).unwrap(), &mut batch);
    assert_eq!(ids(&stamper), ["session-0", "session-2"]);
    let Some(Op::Row { json, .. }) = batch.ops.last() else { panic!("no row") };
    assert!(json.contains(r#""release":"shop@1""#), "{json}");
    for n in 4..4 + 2 * crate::limits::UNFINISHED_SESSIONS {
        stamper.begin_run(run("shop@2"), None, 0, &mut batch);
        scope(&mut stamper, &mut batch, &format!("session-{n}"));
    }
    assert_eq!(ids(&stamper).len(), crate::limits::UNFINISHED_SESSIONS);
}

/// A transport without a network.
struct Offline;

impl crate::transport::Transport for Offline {
    fn send(&self, _: crate::transport::Request, done: crate::transport::Completion) {
        done.finish(crate::transport::Sent::NotSent("no network".into()));
    }
}

#[test]
fn unreported_losses_are_in_the_superblock_until_the_user_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let rez = || crate::destination::Rez::builder("http://127.0.0.1:9", "key").build().unwrap();
    let open = || {
        let config = Config::builder(folder.path(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .sessions(false)
            .transport(Offline)
            .destination("desk", rez())
            .before_send(|_, _| false);
        Monitor::open(config.build().unwrap()).unwrap()
    };
    let losses = |monitor: &Monitor| {
        let mut losses = monitor.0.shared.ring.superblock().losses;
        losses.sort_by_key(|loss| loss.epoch);
        losses.iter().map(|loss| (loss.epoch, loss.lost.reason.as_str(), loss.lost.count)).collect::<Vec<_>>()
    };
    let monitor = open();
    for _ in 0..3 {
        let _ = monitor.message("hello", Level::Info, &[]);
    }
    monitor.persist(WAIT).unwrap();
    let epoch = monitor.0.shared.ring.superblock().epoch;
    assert_eq!(losses(&monitor), [(epoch, "filtered", 3)]);
    monitor.close(WAIT);
    // The database is gone, and what it counted stays.
    std::fs::write(folder.path().join("queue.db"), [0x5a; 8192]).unwrap();
    let monitor = open();
    let _ = monitor.message("hello", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    assert_eq!(losses(&monitor), [(epoch, "filtered", 3), (epoch + 1, "filtered", 1)]);
    let hash = crate::store::route_hash("desk/rez.batch");
    assert!(monitor.0.shared.ring.superblock().losses.iter().all(|loss| loss.route == hash));
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    assert!(losses(&monitor).iter().all(|loss| loss.0 == epoch + 1), "{:?}", losses(&monitor));
    monitor.close(WAIT);
}

/// A transport that hands each request's completion to the test.
struct Held(std::sync::Mutex<Sender<crate::transport::Completion>>);

impl crate::transport::Transport for Held {
    fn send(&self, _: crate::transport::Request, done: crate::transport::Completion) {
        let _ = self.0.lock().unwrap().send(done);
    }
}

fn open_with(folder: &Path, transport: impl crate::transport::Transport) -> Monitor {
    let rez = crate::destination::Sentry::builder("http://key@127.0.0.1:1/42").build().unwrap();
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .transport(transport)
        .destination("desk", rez);
    Monitor::open(config.build().unwrap()).unwrap()
}

fn accepted() -> crate::transport::Sent {
    crate::transport::Sent::Response(crate::transport::Response { status: 200, ..Default::default() })
}

#[test]
fn of_a_moved_folder_delivered_rows_are_not_counted_and_rows_in_flight_may_have_arrived() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let (sender, requests) = channel();
    let monitor = open_with(&folder, Held(std::sync::Mutex::new(sender)));
    let _ = monitor.error(ErrorEvent::new("Oops", "delivered"));
    requests.recv_timeout(WAIT).unwrap().finish(accepted());
    let settled = || monitor.0.shared.run_within(None, |store, _| store.unsettled().unwrap()).unwrap() == 0;
    while !settled() {
        std::thread::yield_now();
    }
    let flushing = monitor.clone();
    let flush = std::thread::spawn(move || flushing.flush(WAIT));
    let _ = monitor.error(ErrorEvent::new("Oops", "in flight"));
    let request = requests.recv_timeout(WAIT).unwrap();
    for _ in 0..3 {
        let _ = monitor.error(ErrorEvent::new("Oops", "waiting"));
    }
    monitor.persist(WAIT).unwrap();
    // As if the superblock described the state before the last settlement.
    monitor.0.shared.ring.change_superblock(|state| state.superblock.rows = 5);
    std::fs::rename(&folder, dir.path().join("away")).unwrap();
    monitor.persist(WAIT).unwrap();
    request.finish(accepted());
    flush.join().unwrap().unwrap();
    monitor.close(WAIT);
    let balance = Reader::open(&folder).unwrap().balance().unwrap();
    assert!(balance.holds(), "{balance:?}");
    let dropped: Vec<_> = balance.kinds.iter().flat_map(|kind| kind.dropped.clone()).collect();
    assert_eq!(dropped, [("ambiguous".to_owned(), 1), ("corrupt_file".to_owned(), 3)]);
}

#[test]
fn a_damaged_page_that_only_a_question_reads_starts_the_repair() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, requests) = channel();
    let monitor = open_with(folder.path(), Held(std::sync::Mutex::new(sender)));
    let id = monitor.error(ErrorEvent::new("Oops", "delivered")).id().unwrap();
    requests.recv_timeout(WAIT).unwrap().finish(accepted());
    let delivered = |monitor: &Monitor| {
        let states = monitor.why(id, WAIT).unwrap().routes;
        states.iter().any(|route| matches!(route.state, crate::inspect::RowState::Delivered { .. }))
    };
    while !delivered(&monitor) {
        std::thread::yield_now();
    }
    monitor.close(WAIT);
    let path = folder.path().join("queue.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    let root: i64 =
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'receipt'", [], |row| row.get(0)).unwrap();
    drop(db);
    let mut bytes = std::fs::read(&path).unwrap();
    let start = (root as usize - 1) * 4096;
    bytes[start..start + 4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let monitor = open(folder.path());
    let kept = monitor.message("hello", Level::Info, &[]).id().unwrap();
    monitor.persist(WAIT).unwrap();
    let quarantines = |monitor: &Monitor| repair::quarantines_lately(folder.path(), monitor.0.shared.now());
    assert_eq!(quarantines(&monitor), 0, "nothing has read the page");
    assert!(monitor.why(id, WAIT).is_err());
    monitor.persist(WAIT).unwrap();
    assert_eq!((quarantines(&monitor), monitor.status().store.clone()), (1, super::shared::StoreState::Ready));
    assert!(monitor.why(id, WAIT).is_ok());
    assert!(monitor.why(kept, WAIT).unwrap().row.is_some(), "its row was recovered");
    assert_eq!(kinds(monitor, folder.path()), ["message"]);
}
