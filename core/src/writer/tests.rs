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

/// Keeps the writer from doing anything until what it answers is sent to or dropped.
fn busy(monitor: &Monitor) -> Sender<()> {
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
        stamper.begin_run(run(&format!("shop@{n}")), None, &mut batch);
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
        stamper.begin_run(run("shop@2"), None, &mut batch);
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
        losses.sort_by_key(|mark| mark.epoch);
        losses.iter().map(|mark| (mark.epoch, mark.lost.reason.as_str(), mark.lost.count)).collect::<Vec<_>>()
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
    assert!(monitor.0.shared.ring.superblock().losses.iter().all(|mark| mark.route == hash));
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    assert!(losses(&monitor).iter().all(|loss| loss.0 == epoch + 1), "{:?}", losses(&monitor));
    monitor.close(WAIT);
}
