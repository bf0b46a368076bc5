//! `rezq adb:PACKAGE`, through a program on PATH that behaves as `adb` is documented to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_inspect::endpoint::Endpoint;
use rez_inspect::source;
use rez_monitor::{Config, Level, Monitor};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);
const PACKAGE: &str = "com.example.shop";

/// A device with the data of one app, and the program on a PATH of its own.
struct Device {
    dir: tempfile::TempDir,
}

impl Device {
    fn new() -> Device {
        let device = Device { dir: tempfile::tempdir().unwrap() };
        let name = format!("adb{}", std::env::consts::EXE_SUFFIX);
        std::fs::create_dir(device.dir.path().join("bin")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_adb-stand-in"), device.dir.path().join("bin").join(name)).unwrap();
        std::fs::create_dir_all(device.data()).unwrap();
        device
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("device")
    }

    fn data(&self) -> PathBuf {
        self.path().join("data").join(PACKAGE)
    }

    fn folder(&self) -> PathBuf {
        self.data().join("no_backup/rez-monitor")
    }

    fn open(&self) -> Monitor {
        std::fs::create_dir_all(self.data().join("no_backup")).unwrap();
        let config = Config::builder(self.folder(), "shop", "shop@1").sessions(false).inspector(true);
        Monitor::open(config.build().unwrap()).unwrap()
    }

    /// What a program like `rezq` gets: PATH and the device are those of the process.
    fn ask(&self, argument: &str, request: &str) -> String {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_queue_of_an_app_on_a_device_is_asked", "--nocapture"]);
        command.env("PATH", self.dir.path().join("bin")).env_remove("ANDROID_HOME").env_remove("ANDROID_SDK_ROOT");
        if self.path().exists() {
            command.env("REZ_ADB_DEVICE", self.path());
        }
        let output = command.env("REZ_ASK_SOURCE", argument).env("REZ_ASK", request).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer = text.lines().find_map(|line| line.strip_prefix("answer "));
        answer.unwrap_or_else(|| panic!("{text} {}", String::from_utf8_lossy(&output.stderr))).to_owned()
    }

    fn list(&self) -> String {
        self.ask(&format!("adb:{PACKAGE}"), r#"{"ask":"list"}"#)
    }
}

#[test]
fn the_queue_of_an_app_on_a_device_is_asked() {
    let (Ok(argument), Ok(request)) = (std::env::var("REZ_ASK_SOURCE"), std::env::var("REZ_ASK")) else { return };
    match source::open(&argument) {
        Ok(source) => {
            let answer = match &*request {
                "snapshot" => source.snapshot().map_or_else(|error| error.to_string(), |bytes| bytes.len().to_string()),
                request => source.inspect(request),
            };
            println!("\nanswer {answer} {}", source.notes().join("; "));
        }
        Err(error) => println!("\nanswer {error}"),
    }
}

fn record(monitor: &Monitor, text: &str) {
    let _ = monitor.message(text, Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
}

fn forwards(device: &Device) -> usize {
    std::fs::read_dir(device.path().join("forwards")).map_or(0, Iterator::count)
}

#[test]
fn an_app_with_an_open_endpoint_answers_itself_through_a_forward_that_is_removed() {
    let device = Device::new();
    let monitor = device.open();
    let endpoint = Endpoint::start(&monitor, 0).unwrap();
    record(&monitor, "hello");
    let answer = device.list();
    assert!(answer.contains("hello") && !answer.contains("a copy"), "{answer}");
    let marked = device.ask(&format!("adb:{PACKAGE}"), r#"{"tell":"mark","text":"tapped Pay"}"#);
    assert!(marked.contains("\"id\""), "{marked}");
    assert!(device.list().contains("tapped Pay"));
    let bytes = device.ask(&format!("adb:{PACKAGE}"), "snapshot");
    assert!(bytes.trim().parse::<usize>().unwrap() > 4096, "{bytes}");
    assert_eq!(forwards(&device), 0);
    endpoint.stop();
    monitor.close(WAIT);
}

#[test]
fn without_an_endpoint_the_files_are_copied_and_the_answer_says_so() {
    let device = Device::new();
    let monitor = device.open();
    record(&monitor, "in the log");
    for _ in 0..2 {
        let answer = device.list();
        assert!(answer.contains("in the log"), "{answer}");
        assert!(answer.contains("this is a copy of its queue, as of"), "{answer}");
    }
    let told = device.ask(&format!("adb:{PACKAGE}"), r#"{"tell":"send_now"}"#);
    assert!(told.contains("only its running app"), "{told}");
    // What an app that was killed leaves.
    std::fs::write(device.folder().join("endpoint.json"), r#"{"url":"http://127.0.0.1:9/?token=00"}"#).unwrap();
    assert!(device.list().contains("a copy"));
    assert_eq!(forwards(&device), 0);
    for broken in ["", "{}", "no JSON", r#"{"url":7}"#] {
        std::fs::write(device.folder().join("endpoint.json"), broken).unwrap();
        assert!(device.list().contains("a copy"), "{broken}");
    }
    monitor.close(WAIT);
    assert!(device.list().contains("in the log"), "an app that does not run");
}

#[test]
fn a_log_that_is_restarted_during_each_copy_is_told() {
    let device = Device::new();
    let monitor = device.open();
    record(&monitor, "hello");
    std::fs::write(device.path().join("changes"), b"").unwrap();
    let answer = device.list();
    assert!(answer.contains("cannot copy the queue of com.example.shop") && answer.contains("stop it"), "{answer}");
    drop(monitor);
}

#[test]
fn a_damaged_queue_on_a_device_is_read_page_by_page() {
    let device = Device::new();
    let monitor = device.open();
    for n in 0..300 {
        let _ = monitor.message(&format!("number {n}"), Level::Info, &[]);
    }
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    let file = device.folder().join("queue.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 100].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let answer = device.list();
    assert!(answer.contains("number 299") && answer.contains("damaged"), "{answer}");
}

#[test]
fn what_is_wrong_is_a_sentence_that_says_what_to_do() {
    let device = Device::new();
    let ask = |argument: &str| device.ask(argument, r#"{"ask":"about"}"#);
    let answer = ask(&format!("adb:{PACKAGE}"));
    assert!(answer.contains("has no queue in no_backup/rez-monitor") && answer.contains("start the app"), "{answer}");
    let answer = ask(&format!("adb:{PACKAGE}:push"));
    assert!(answer.contains("no_backup/rez-monitor-push"), "{answer}");
    let answer = ask("adb:com.example.other");
    assert!(answer.contains("unknown package") && answer.contains("debuggable build"), "{answer}");
    std::fs::create_dir_all(device.path().join("release/com.example.live")).unwrap();
    assert!(ask("adb:com.example.live").contains("package not debuggable: com.example.live"));
    for wrong in ["adb:", "adb:a b", "adb:a;reboot", "adb:$(reboot)", "adb:a:b:c", "adb:a/../b"] {
        let answer = ask(wrong);
        assert!(answer.contains("names no app"), "{wrong}: {answer}");
    }
    std::fs::remove_dir_all(device.path()).unwrap();
    let answer = ask(&format!("adb:{PACKAGE}"));
    assert!(answer.contains("no devices/emulators found") && answer.contains("USB debugging"), "{answer}");
    std::fs::remove_dir_all(device.dir.path().join("bin")).unwrap();
    let answer = ask(&format!("adb:{PACKAGE}"));
    assert!(answer.contains("cannot run adb") && answer.contains("ANDROID_HOME"), "{answer}");
}
