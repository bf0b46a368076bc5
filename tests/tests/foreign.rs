//! Something else has the name of a file of ours: a link, a directory, a pipe, a socket, a device.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::inspect::{Filter, Reader};
use rez_monitor::{Config, Consent, Monitor, Purpose, StoreState};
use std::ffi::CString;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);

/// Every file and folder that the engine creates.
const NAMES: [&str; 11] = [
    "ring.bin",
    "ring.new",
    "queue.db",
    "queue.db-wal",
    "queue.db-shm",
    "queue.db-journal",
    "owner.lock",
    "quarantine",
    "quarantine/log",
    "quarantine/1",
    "quarantine/1/moving",
];

/// What is put in place of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    LinkToFile,
    LinkToFolder,
    DanglingLink,
    EmptyFolder,
    FullFolder,
    Pipe,
    Socket,
    Device,
}

const THINGS: [Thing; 8] = [
    Thing::LinkToFile,
    Thing::LinkToFolder,
    Thing::DanglingLink,
    Thing::EmptyFolder,
    Thing::FullFolder,
    Thing::Pipe,
    Thing::Socket,
    Thing::Device,
];

/// Content of a file that a link leads to.
const TARGET: &[u8] = b"belongs to somebody else";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// An app's folder and, outside of it, what links lead to.
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("folder/1")).unwrap();
        std::fs::write(dir.path().join("file"), TARGET).unwrap();
        std::fs::write(dir.path().join("folder/content"), TARGET).unwrap();
        std::fs::write(dir.path().join("folder/1/content"), TARGET).unwrap();
        std::fs::create_dir(dir.path().join("app")).unwrap();
        Place { dir }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    /// Puts the thing there; `false` = this user may not make one.
    fn put(&self, thing: Thing, name: &str) -> bool {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = CString::new(path.to_str().unwrap()).unwrap();
        match thing {
            Thing::LinkToFile => symlink(self.dir.path().join("file"), &path).unwrap(),
            Thing::LinkToFolder => symlink(self.dir.path().join("folder"), &path).unwrap(),
            Thing::DanglingLink => symlink(self.dir.path().join("nowhere"), &path).unwrap(),
            Thing::EmptyFolder => std::fs::create_dir(&path).unwrap(),
            Thing::FullFolder => {
                std::fs::create_dir_all(path.join("inner")).unwrap();
                std::fs::write(path.join("inner/content"), TARGET).unwrap();
            }
            // SAFETY: the name is a C string that outlives the call.
            Thing::Pipe => assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0),
            Thing::Socket => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
            // SAFETY: the same; the device is that of /dev/null.
            Thing::Device => {
                return unsafe { libc::mknod(text.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 3)) } == 0;
            }
        }
        true
    }

    /// What links lead to is as it was, and nothing was added to it.
    fn targets_are_untouched(&self, what: &str) {
        for file in ["file", "folder/content", "folder/1/content"] {
            assert_eq!(std::fs::read(self.dir.path().join(file)).unwrap(), TARGET, "{what}: {file}");
        }
        assert_eq!(std::fs::read_dir(self.dir.path().join("folder")).unwrap().count(), 2, "{what}");
        assert_eq!(std::fs::read_dir(self.dir.path().join("folder/1")).unwrap().count(), 1, "{what}");
        assert!(!self.dir.path().join("nowhere").exists(), "{what}: the target of a dangling link was created");
    }
}

fn open(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .build()
        .unwrap();
    let (opened, is_open) = channel();
    std::thread::spawn(move || opened.send(Monitor::open(config).unwrap()));
    is_open.recv_timeout(WAIT).expect("open does not block")
}

fn record(monitor: &Monitor, n: usize) {
    for _ in 0..n {
        assert!(monitor.track("bought", &[]).id().is_some());
    }
}

fn rows(folder: &Path) -> usize {
    let reader = Reader::open(folder).unwrap();
    assert!(reader.balance().unwrap().holds());
    reader.list(&Filter::default()).unwrap().len()
}

#[test]
fn anything_under_the_name_of_a_file_of_ours_is_renamed_and_the_store_becomes_ready() {
    for name in NAMES {
        for thing in THINGS {
            let place = Place::new();
            let what = format!("{thing:?} at {name}");
            if !place.put(thing, name) {
                continue;
            }
            let folder = place.folder();
            for life in 1..=2 {
                let monitor = open(&folder);
                record(&monitor, 10);
                assert!(monitor.persist(WAIT).is_ok(), "{what}, life {life}: {:?}", monitor.status().store);
                assert_eq!(monitor.status().store, StoreState::Ready, "{what}, life {life}");
                assert_eq!(Path::new(&monitor.status().folder), folder, "{what}, life {life}");
                monitor.close(WAIT);
                assert_eq!(rows(&folder), 10 * life, "{what}, life {life}");
            }
            for ours in ["ring.bin", "queue.db", "owner.lock"] {
                assert!(folder.join(ours).symlink_metadata().unwrap().is_file(), "{what}: {ours}");
            }
            place.targets_are_untouched(&what);
        }
    }
}

#[test]
fn what_was_renamed_keeps_its_content() {
    let place = Place::new();
    for (thing, name) in [(Thing::FullFolder, "ring.bin"), (Thing::Pipe, "queue.db"), (Thing::LinkToFile, "owner.lock")]
    {
        place.put(thing, name);
    }
    let folder = place.folder();
    let monitor = open(&folder);
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    assert_eq!(std::fs::read(folder.join("ring.bin.foreign-1/inner/content")).unwrap(), TARGET);
    assert!(folder.join("queue.db.foreign-1").symlink_metadata().unwrap().file_type().is_fifo());
    assert_eq!(std::fs::read_link(folder.join("owner.lock.foreign-1")).unwrap(), place.dir.path().join("file"));
}

#[test]
fn a_file_of_ours_replaced_while_the_app_runs_is_made_anew_and_later_events_survive() {
    for name in ["ring.bin", "queue.db", "queue.db-wal", "queue.db-shm", "owner.lock"] {
        for thing in THINGS {
            let place = Place::new();
            let what = format!("{thing:?} at {name}");
            let folder = place.folder();
            let monitor = open(&folder);
            record(&monitor, 10);
            monitor.persist(WAIT).unwrap();
            std::fs::remove_file(folder.join(name)).unwrap();
            if !place.put(thing, name) {
                continue;
            }
            record(&monitor, 5);
            assert!(monitor.persist(WAIT).is_ok(), "{what}: {:?}", monitor.status().store);
            assert_eq!(monitor.status().store, StoreState::Ready, "{what}");
            monitor.close(WAIT);
            assert_eq!(rows(&folder), if name == "queue.db" { 5 } else { 15 }, "{what}");
            let monitor = open(&folder);
            record(&monitor, 5);
            assert!(monitor.persist(WAIT).is_ok(), "{what}: {:?}", monitor.status().store);
            monitor.close(WAIT);
            assert_eq!(rows(&folder), if name == "queue.db" { 10 } else { 20 }, "{what}");
            place.targets_are_untouched(&what);
        }
    }
}
