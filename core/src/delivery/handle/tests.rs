use super::super::driver::tests::{LocalWriter, accept, rez};
use super::*;
use crate::destination::Granted;
use crate::kind::Kind;
use crate::row::{Row, Run};
use crate::store::{FoldPosition, Identity, NewRow, Now, Store};
use crate::transport::{Completion, Request, Sent};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const LONG: Duration = Duration::from_secs(60);

/// Accepts every request at once, or keeps the completions.
#[derive(Default)]
struct Wire {
    silent: AtomicBool,
    kept: Mutex<Vec<Completion>>,
    seen: AtomicU64,
}

impl Transport for Wire {
    fn send(&self, request: Request, done: Completion) {
        self.seen.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            self.kept.lock().unwrap().push(done);
        } else {
            done.finish(Sent::Response(accept(&request)));
        }
    }
}

struct Rig {
    _folder: tempfile::TempDir,
    writer: Arc<LocalWriter>,
    wire: Arc<Wire>,
    delivery: DeliveryHandle,
}

fn rig() -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity { install: "i".into(), epoch: 1, boot: "b".into(), gone: Default::default() };
    let store = Store::open(folder.path(), &identity, store::Options::default()).unwrap();
    let writer = Arc::new(LocalWriter {
        store: Mutex::new(Some(store)),
        clock: Clock::system(),
        granted: Mutex::new(Granted { monitoring: true, analytics: true }),
        denied: Mutex::default(),
        losses: Mutex::default(),
        superblock: Mutex::default(),
        failures: Mutex::default(),
    });
    let wire = Arc::new(Wire::default());
    let options = Options {
        boot: "b".into(),
        key: IdKey::from_bytes([3; 16]),
        clock: Clock::system(),
        foreground: true,
        pace: Default::default(),
        log: Default::default(),
    };
    let delivery = Delivery::start(Arc::clone(&writer), Arc::clone(&wire) as Arc<dyn Transport>, options).unwrap();
    Rig { _folder: folder, writer, wire, delivery }
}

impl Rig {
    fn put(&self, kind: Kind, count: u64) {
        let put = move |store: &mut Store, now: Now| {
            let mut fold = store.begin(false, now).unwrap();
            let run = fold.run(&Run { id: "r".into(), boot: "b".into(), ..Run::default() }).unwrap();
            fold.intake(Some(kind), count).unwrap();
            for n in 0..count {
                let id = IdKey::from_bytes([1; 16]).id(now.wall_ms, n, now.mono_ms as u16);
                let (wall_ms, mono_ms) = (now.wall_ms, now.mono_ms);
                fold.insert(&NewRow { id, kind, run, wall_ms, mono_ms, targets: &[], json: "{}", late: false })
                    .unwrap();
            }
            fold.set_position(FoldPosition::default(), "b", 0).unwrap();
            fold.commit().unwrap();
        };
        self.writer.with_store(put).unwrap();
        let mut rows = [0; 4];
        rows[usize::from(kind.lane().number())] = count;
        self.delivery.wake(rows);
    }
}

#[test]
fn flush_delivers_and_reports_per_destination() {
    let rig = rig();
    rig.delivery.add(vec![("main".to_owned(), rez("key"))], store::From::Oldest);
    rig.delivery.add(vec![("other".to_owned(), rez("other"))], store::From::Oldest);
    rig.put(Kind::ApiCall, 3);
    let flushed = rig.delivery.flush(LONG);
    let names: Vec<&str> = flushed.iter().map(|flushed| flushed.destination.as_str()).collect();
    assert_eq!(names, ["main", "other"]);
    assert!(flushed.iter().all(|flushed| flushed.left == 0 && flushed.held.is_none()), "{flushed:?}");
    assert!(rig.delivery.snapshot().iter().all(|route| route.delivered == 3));
    assert!(rig.delivery.close(LONG));
}

#[test]
fn waiting_calls_return_after_their_wait() {
    let rig = rig();
    rig.delivery.add(vec![("main".to_owned(), rez("key"))], store::From::Oldest);
    rig.delivery.flush(LONG);
    rig.wire.silent.store(true, Ordering::SeqCst);
    rig.put(Kind::ApiCall, 2);
    let flushed = rig.delivery.flush(Duration::from_millis(50));
    assert_eq!((flushed[0].delivered, flushed[0].left), (0, 2));
    while rig.wire.kept.lock().unwrap().is_empty() {
        std::thread::yield_now();
    }
    assert!(!rig.delivery.suspend(Duration::ZERO));
    assert!(!rig.delivery.close(Duration::from_millis(10)));
    assert!(rig.delivery.close(LONG), "a second call has nothing to do");
}

#[test]
fn nothing_is_sent_while_suspended_and_everything_after_resume() {
    let rig = rig();
    rig.delivery.add(vec![("main".to_owned(), rez("key"))], store::From::Oldest);
    rig.delivery.flush(LONG);
    assert!(rig.delivery.suspend(LONG));
    rig.put(Kind::Error, 1);
    let flushed = rig.delivery.flush(LONG);
    assert_eq!(flushed[0].left, 1);
    assert!(flushed[0].held.as_ref().is_some_and(|held| held.why.contains("suspended")));
    assert_eq!(rig.wire.seen.load(Ordering::SeqCst), 0);
    rig.delivery.resume();
    rig.delivery.flush(LONG);
    assert_eq!(rig.delivery.snapshot()[0].delivered, 1);
}

#[test]
fn the_directory_works_without_the_delivery_thread() {
    let rig = rig();
    let monitoring = crate::destination::Rez::builder("http://127.0.0.1:1", "k");
    let monitoring = monitoring.purposes(&[crate::kind::Purpose::Monitoring]).build().unwrap();
    rig.delivery.add(vec![("main".to_owned(), Arc::new(monitoring))], store::From::Oldest);
    let directory = rig.delivery.directory();
    let row = |kind| Row {
        seq: 1,
        id: crate::EventId::from_bytes([0; 16]),
        kind,
        run: 1,
        wall_ms: 0,
        mono_ms: 0,
        targets: vec![],
        json: "{}".into(),
    };
    assert!(directory.wants("main/rez.batch", &row(Kind::Error)));
    assert!(!directory.wants("main/rez.batch", &row(Kind::Analytics)));
    assert!(directory.wants("gone/rez.batch", &row(Kind::Analytics)), "a dormant route may want anything");
    let elsewhere = Row { targets: vec!["other".into()], ..row(Kind::Error) };
    assert!(!directory.wants("main/rez.batch", &elsewhere));
    assert!(directory.idle_routes().is_empty());
    drop(rig.delivery);
    assert!(directory.wants("main/rez.batch", &row(Kind::Error)));
}

#[test]
fn rows_of_a_server_that_takes_nothing_are_evicted_first_only_while_another_server_takes_some() {
    use crate::phrases::HeldCode;
    let route = |name: &str, stopped, held: Option<HeldCode>| RouteStatus {
        destination: name.into(),
        route: name.into(),
        waiting: vec![0, 1, 0, 0],
        delivered: 0,
        in_flight: false,
        stopped,
        held: held.map(|code| Held::new(code, None, name)),
    };
    let shared = Arc::new(Shared::default());
    let idle = |routes: &[RouteStatus]| {
        shared.publish(routes.to_vec());
        Directory::new(&shared).idle_routes()
    };
    let works = route("works", false, Some(HeldCode::Batch));
    for code in [HeldCode::Unreachable, HeldCode::Outage, HeldCode::RetryAfter] {
        let fails = route("fails", false, Some(code));
        assert_eq!(idle(&[works.clone(), fails.clone()]), ["fails"]);
        assert!(idle(&[fails.clone(), route("too", false, Some(HeldCode::Intercepted))]).is_empty());
        // A stopped route proves nothing about the network.
        assert_eq!(idle(&[fails, route("wrong key", true, Some(HeldCode::Stopped))]), ["wrong key"]);
    }
    assert!(idle(&[works, route("paused", false, Some(HeldCode::Paused))]).is_empty(), "the app resumes it");
}

#[test]
fn a_report_adds_up_the_routes_of_a_destination() {
    let held = |name: &str, until_ms| Held::new(crate::phrases::HeldCode::Outage, until_ms, name);
    let route = |name: &str, delivered, left, until_ms: Option<i64>| RouteStatus {
        destination: "d".into(),
        route: name.into(),
        waiting: vec![0, left, 0, 0],
        delivered,
        in_flight: false,
        stopped: false,
        held: Some(held(name, until_ms)),
    };
    let before = [route("d/a", 5, 0, None), route("d/b", 1, 0, None)];
    let after = [route("d/a", 7, 2, Some(9)), route("d/b", 2, 1, Some(10)), route("d/c", 4, 0, None)];
    let held = Some(held("d/b", Some(10)));
    assert_eq!(report(&before, &after), [Flushed { destination: "d".into(), delivered: 7, left: 3, held }]);
}
