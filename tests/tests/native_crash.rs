//! Native crashes: a child process dies of a signal, and its next start has exactly one crash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

use rez_monitor::Kind;
use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::plants::plants;
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows};
use rez_monitor_tests::seeded::Seeded;
use rez_monitor_tests::skipped;
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// The ways to die, with the signal of the crash and its code.
const WAYS: [(&str, &str, &str); 16] = [
    ("write", "SIGSEGV", "SEGV_MAPERR"),
    ("jump", "SIGSEGV", "SEGV_MAPERR"),
    ("overflow", "SIGSEGV", "SEGV_"),
    ("abort", "SIGABRT", "SI_TKILL"),
    ("heap", "SIGABRT", "SI_TKILL"),
    ("panic", "SIGABRT", "SI_TKILL"),
    ("bus", "SIGBUS", "BUS_ADRERR"),
    ("ill", "SIGILL", "ILL_ILLOPN"),
    ("fpe", "SIGFPE", "FPE_INTDIV"),
    ("trap", "SIGTRAP", "SI_KERNEL"),
    ("raise_11", "SIGSEGV", "SI_TKILL"),
    ("raise_6", "SIGABRT", "SI_TKILL"),
    ("raise_7", "SIGBUS", "SI_TKILL"),
    ("raise_4", "SIGILL", "SI_TKILL"),
    ("raise_8", "SIGFPE", "SI_TKILL"),
    ("raise_5", "SIGTRAP", "SI_TKILL"),
];

fn run(scenario: &Scenario, options: &str, fault: Option<&str>) -> Output {
    let mut command = Command::new(CHILD);
    command.args(scenario.args("crash", &format!("url=none sessions=1 {options}"))).env_remove("REZ_FAULT");
    if let Some(fault) = fault {
        command.env("REZ_FAULT", fault);
    }
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs a child with the capture on. Its end must be the same as with the capture off.
fn died(scenario: &Scenario, options: &str, fault: Option<&str>) -> (ExitStatus, String) {
    let without = run(&Scenario::new(CHILD), options, fault);
    let with = run(scenario, &format!("native=1 {options}"), fault);
    let lines = format!("{}{}", String::from_utf8_lossy(&with.stdout), String::from_utf8_lossy(&with.stderr));
    assert_eq!(with.status, without.status, "{options} {lines}");
    (with.status, lines)
}

/// Starts again, and returns the crashes in the queue.
fn crashes(scenario: &Scenario, folder: &Path) -> Vec<Value> {
    let _ = scenario.run(&format!("folder={} url=none n=0 sessions=1 native=1 end=close", folder.display()));
    stored(folder)
}

/// The crashes in the queue. The balance holds.
fn stored(folder: &Path) -> Vec<Value> {
    balance(folder);
    let crashes = rows(folder).into_iter().filter(|listed| listed.row.kind == Kind::Crash);
    crashes.map(|listed| serde_json::from_str(&listed.row.json).unwrap()).collect()
}

/// The only crash.
fn the_crash(scenario: &Scenario) -> Value {
    let mut all = crashes(scenario, &scenario.folder());
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn thread(crash: &Value) -> &str {
    crash["threads"][0]["name"].as_str().unwrap()
}

#[test]
fn each_signal_on_each_thread_is_one_crash_with_its_trail_and_the_exit_status_is_that_without_us() {
    // With the handlers of Rust's standard library, and without them, as in an app in another language.
    let places = [("main", "child", "std=1"), ("thread", "payments", "std=1"), ("main", "child", "std=0")];
    for (how, signal, code) in WAYS {
        for (on, name, std) in places {
            let scenario = Scenario::new(CHILD);
            let (status, lines) = died(&scenario, &format!("how={how} on={on} {std}"), None);
            assert!(status.signal().is_some(), "{how} on {on}: {status} {lines}");
            let crash = the_crash(&scenario);
            let context = &crash["context"]["native_crash"];
            assert_eq!(
                (crash["type"].as_str(), thread(&crash), &crash["threads"][0]["main"], &crash["threads"][0]["crashed"]),
                (Some(signal), name, &json!(on == "main"), &json!(true)),
                "{how} on {on}: {crash:#}"
            );
            assert!(context["code"].as_str().unwrap().starts_with(code), "{how} on {on}: {crash:#}");
            assert_eq!(crash["trail"][0]["message"], "tapped pay", "{how} on {on}: {crash:#}");
            for (member, value) in [
                ("mechanism", json!("signal")),
                ("handled", json!(false)),
                ("level", json!("fatal")),
                ("language", json!("native")),
            ] {
                assert_eq!(crash[member], value, "{how} on {on}");
            }
            assert!(crash["session"].is_string() && !crash["frames"].as_array().unwrap().is_empty(), "{crash:#}");
        }
    }
}

#[test]
fn each_test_crash_is_one_crash_of_its_signal() {
    let message = "a test crash of REZ Monitor";
    for (kind, signal, says) in
        [("fault", "SIGSEGV", "SEGV_MAPERR at 0x10"), ("abort", "SIGABRT", ""), ("panic", "SIGABRT", message)]
    {
        let scenario = Scenario::new(CHILD);
        let (status, lines) = died(&scenario, &format!("how=test_{kind} inspector=1"), None);
        assert!(status.signal().is_some(), "{kind}: {status} {lines}");
        let crash = the_crash(&scenario);
        assert_eq!((&crash["type"], &crash["trail"][0]["message"]), (&json!(signal), &json!("tapped pay")), "{kind}");
        assert!(crash["message"].as_str().unwrap().contains(says), "{kind}: {crash:#}");
    }
}

#[test]
fn a_test_crash_without_the_inspector_is_an_error_and_the_process_goes_on() {
    let scenario = Scenario::new(CHILD);
    let (status, lines) = died(&scenario, "how=test_fault inspector=0", None);
    assert!(status.success() && lines.contains("inspection is off") && lines.contains("done"), "{status} {lines}");
    assert!(crashes(&scenario, &scenario.folder()).is_empty());
}

#[test]
fn the_session_of_a_crash_ends_as_crashed() {
    let scenario = Scenario::new(CHILD);
    let _ = died(&scenario, "how=write", None);
    let crash = the_crash(&scenario);
    let ends = rows(&scenario.folder()).into_iter().filter(|listed| listed.row.kind == Kind::Session);
    let ends: Vec<Value> = ends.map(|listed| serde_json::from_str(&listed.row.json).unwrap()).collect();
    let end = ends.iter().find(|end| end["session"] == crash["session"] && end["status"] != "ok").unwrap();
    assert_eq!((&end["status"], &end["errors"]), (&json!("crashed"), &json!(1)));
}

#[test]
fn a_crash_says_where_it_happened_and_a_symbol_server_can_name_it() {
    let scenario = Scenario::new(CHILD);
    let _ = died(&scenario, "how=write", None);
    let crash = the_crash(&scenario);
    assert_eq!(crash["message"], "SEGV_MAPERR at 0x10: no memory is mapped there");
    assert_eq!(crash["context"]["native_crash"]["address"], "0x10");
    let registers = crash["context"]["native_crash"]["registers"].as_object().unwrap();
    let pc = registers.get("rip").or_else(|| registers.get("pc")).unwrap().as_str().unwrap();
    let innermost = crash["frames"].as_array().unwrap().last().unwrap();
    assert_eq!(format!("{:#x}", innermost["address"].as_u64().unwrap()), pc);
    assert_eq!((&innermost["module"], &innermost["in_app"]), (&json!("child"), &json!(true)));
    let image = &crash["debug_images"]["child"];
    let build_id = image["code_id"].as_str().unwrap();
    assert!(build_id.len() >= 16 && image["debug_id"].as_str().unwrap().len() == 36, "{image}");
    let from = u64::from_str_radix(image["image_addr"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let offset = innermost["address"].as_u64().unwrap() - from;
    assert!(offset < image["image_size"].as_u64().unwrap());
    assert!(!crash.to_string().contains(env!("CARGO_MANIFEST_DIR")), "no folder of this machine");
}

#[test]
fn a_crash_inside_the_append_lock_or_inside_a_transaction_is_one_crash_and_loses_nothing() {
    for (fault, name) in [("append_started:9:crash", "child"), ("fold_commit:2:crash", "rez-writer")] {
        let scenario = Scenario::new(CHILD);
        let (status, lines) = died(&scenario, "how=append", Some(fault));
        assert_eq!(status.signal(), Some(libc::SIGSEGV), "{fault} {lines}");
        let crash = the_crash(&scenario);
        assert_eq!((crash["type"].as_str(), thread(&crash)), (Some("SIGSEGV"), name), "{fault}");
        assert_eq!(crash["trail"][0]["message"], "tapped pay", "{fault}: {crash:#}");
        let acknowledged = lines.lines().filter(|line| line.starts_with("+ ")).count();
        let stored = rows(&scenario.folder()).into_iter().filter(|listed| listed.row.kind == Kind::Message).count();
        assert!(stored >= acknowledged, "{fault}: {stored} of {acknowledged}");
        assert!(dropped(&balance(&scenario.folder())).is_empty());
    }
}

#[test]
fn two_crashes_at_once_are_one() {
    for _ in 0..10 {
        let scenario = Scenario::new(CHILD);
        let (status, _) = died(&scenario, "how=twice", None);
        assert_eq!(status.signal(), Some(libc::SIGSEGV));
        let crash = the_crash(&scenario);
        assert!(["one", "two"].contains(&thread(&crash)), "{crash:#}");
    }
}

#[test]
fn a_crash_while_the_disk_is_full_is_kept() {
    let scenario = Scenario::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), "8m") else {
        skipped("native crash on a full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!("folder={} url=none sessions=1 native=1 how=write after_line=1", folder.display());
    let mut child =
        rez_monitor_tests::child_process::ChildProcess::start(CHILD, &scenario.args("crash", &options), None);
    child.until("recorded", |output| output.lines.iter().any(|line| line == "waiting"));
    disk.fill();
    child.write_line("");
    let (code, _) = child.wait();
    assert_eq!(code, None);
    let found = crashes(&scenario, &folder);
    disk.free();
    let found = if found.is_empty() { crashes(&scenario, &folder) } else { found };
    assert_eq!((found.len(), &found[0]["type"], thread(&found[0])), (1, &json!("SIGSEGV"), "child"));
    assert_eq!(crashes(&scenario, &folder).len(), 1);
}

#[test]
fn the_handlers_of_the_app_run_whether_they_were_there_before_or_came_later() {
    for (options, signal) in [
        ("how=write std=0 before=11:give_up", libc::SIGSEGV),
        ("how=write before=11:give_up", libc::SIGSEGV),
        ("how=write after=11:call", libc::SIGSEGV),
        ("how=write std=0 after=11:call", libc::SIGSEGV),
        ("how=raise_11 std=0 before=11:give_up", libc::SIGSEGV),
        ("how=abort before=6:none", libc::SIGABRT),
        ("how=fpe before=8:give_up", libc::SIGFPE),
    ] {
        let scenario = Scenario::new(CHILD);
        // Without us, a handler that calls the one before it has none to call.
        let (status, lines) = match options.contains("call") {
            true => {
                let with = run(&scenario, &format!("native=1 {options}"), None);
                (with.status, String::from_utf8_lossy(&with.stdout).into_owned())
            }
            false => died(&scenario, options, None),
        };
        assert_eq!(status.signal(), Some(signal), "{options} {lines}");
        assert!(lines.contains("the handler of the app ran"), "{options} {lines}");
        assert_eq!(crashes(&scenario, &scenario.folder()).len(), 1, "{options}");
    }
}

#[test]
fn a_signal_that_a_handler_of_the_app_survives_is_no_crash() {
    for options in [
        "how=repaired std=0 before=11:repair",
        "how=repaired std=0 before=11:repair on=thread",
        "how=raise_5 before=5:none",
        "how=fork",
        "how=caught",
    ] {
        let scenario = Scenario::new(CHILD);
        let (status, lines) = died(&scenario, options, None);
        assert!(status.success() && lines.contains("alive"), "{options} {status} {lines}");
        assert!(!lines.contains("child 0") && !lines.contains("caught false"), "{lines}");
        assert_eq!(crashes(&scenario, &scenario.folder()), [Value::Null; 0], "{options}");
    }
}

/// The library of the Java VM that `java` runs.
fn libjvm() -> Option<std::path::PathBuf> {
    let java = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join("java"))
        .find(|java| java.exists())?;
    let library = java.canonicalize().ok()?.parent()?.parent()?.join("lib/server/libjvm.so");
    library.exists().then_some(library)
}

#[test]
fn a_null_reference_in_java_is_no_crash_whether_its_vm_starts_before_us_or_after_us_and_a_fault_there_is_one() {
    let Some(libjvm) = libjvm() else {
        skipped("native crash in a Java VM", "there is no libjvm.so");
        return;
    };
    for java in ["before", "after"] {
        let options = |scenario: &Scenario, how: &str| {
            let report = scenario.path("hs_err");
            format!("how={how} java={java} libjvm={} java_report={}", libjvm.display(), report.display())
        };
        let scenario = Scenario::new(CHILD);
        let (status, lines) = died(&scenario, &options(&scenario, "java"), None);
        assert!(status.success() && lines.contains("exceptions 1000"), "{java} {status} {lines}");
        if java == "before" {
            // Each of them was a chance: the word of the header that counts the claims of the reserve.
            let ring = std::fs::read(scenario.folder().join("ring.bin")).unwrap();
            let claims = u64::from_le_bytes(*ring[64..].first_chunk().unwrap());
            assert!(claims >= 100, "{claims} faults reached us");
        }
        assert_eq!(crashes(&scenario, &scenario.folder()), [Value::Null; 0], "{java}");
        let (status, lines) = died(&scenario, &options(&scenario, "java_write"), None);
        assert!(status.signal().is_some() && lines.contains("exceptions 1000"), "{java} {status} {lines}");
        let crash = the_crash(&scenario);
        assert_eq!((&crash["type"], thread(&crash)), (&json!("SIGSEGV"), "child"), "{java}: {crash:#}");
    }
}

#[test]
fn a_process_that_is_killed_while_another_handler_works_has_its_crash() {
    let scenario = Scenario::new(CHILD);
    let options = "url=none sessions=1 native=1 how=write before=11:stay";
    let child = rez_monitor_tests::child_process::ChildProcess::start(CHILD, &scenario.args("crash", options), None);
    child.until("the handler", |output| output.lines.iter().any(|line| line == "the handler of the app ran"));
    drop(child.kill());
    let crash = the_crash(&scenario);
    assert_eq!(
        (&crash["type"], &crash["message"]),
        (&json!("SIGSEGV"), &json!("SEGV_MAPERR at 0x10: no memory is mapped there"))
    );
}

#[test]
fn a_crash_while_a_change_of_the_user_waits_in_memory_has_no_user() {
    let scenario = Scenario::new(CHILD);
    scenario.put_newer_queue();
    let _ = run(&scenario, "native=1 how=write persist=0 modules=0 hold=1", None);
    scenario.remove_newer_queue();
    let crash = the_crash(&scenario);
    assert_eq!((&crash["type"], crash["user"].get("id")), (&json!("SIGSEGV"), None), "{crash:#}");
}

#[test]
fn a_panic_that_ends_main_or_its_thread_raises_no_signal_and_is_no_native_crash() {
    let scenario = Scenario::new(CHILD);
    assert_eq!(died(&scenario, "how=uncaught", None).0.code(), Some(101));
    assert_eq!(died(&scenario, "how=uncaught on=thread", None).0.code(), Some(0));
    assert_eq!(crashes(&scenario, &scenario.folder()), [Value::Null; 0]);
}

#[test]
fn the_abort_after_a_panic_has_its_message_and_place() {
    let scenario = Scenario::new(CHILD);
    let _ = died(&scenario, "how=panic", None);
    let crash = the_crash(&scenario);
    let message = crash["message"].as_str().unwrap();
    assert!(message.starts_with("panicked at crash.rs:") && message.ends_with(": it broke"), "{message}");
}

#[test]
fn an_error_that_the_app_called_fatal_and_the_signal_after_it_are_one_crash() {
    let scenario = Scenario::new(CHILD);
    let _ = died(&scenario, "how=fatal", None);
    assert_eq!(the_crash(&scenario)["type"], "JsError");
}

#[test]
fn starts_that_are_killed_around_the_commit_of_a_crash_store_it_once() {
    for fault in ["fold_commit:1", "fold_committed:1", "superblock_written:1", "reserve_folded:1"] {
        let scenario = Scenario::new(CHILD);
        let _ = run(&scenario, "native=1 how=write", None);
        let _ = scenario.killed_at(fault, "n=0 url=none sessions=1 native=1 end=wait");
        assert_eq!(crashes(&scenario, &scenario.folder()).len(), 1, "{fault}");
        assert_eq!(crashes(&scenario, &scenario.folder()).len(), 1, "{fault}");
    }
}

#[test]
fn an_abort_beside_faults_that_a_handler_repairs_is_the_crash_each_time() {
    for _ in 0..30 {
        let scenario = Scenario::new(CHILD);
        let (status, lines) = died(&scenario, "how=abort_beside_faults std=0 before=11:repair_often", None);
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{lines}");
        assert_eq!(the_crash(&scenario)["type"], "SIGABRT");
    }
}

#[test]
fn an_app_that_crashes_at_each_start_has_a_crash_of_each_run() {
    let scenario = Scenario::new(CHILD);
    for _ in 0..5 {
        let _ = run(&scenario, "native=1 how=write persist=0 modules=0", None);
    }
    assert_eq!(crashes(&scenario, &scenario.folder()).len(), 5);
}

#[test]
fn a_damaged_reserve_is_no_crash_and_a_damaged_list_of_libraries_names_no_frame() {
    let scenario = Scenario::new(CHILD);
    let _ = run(&scenario, "native=1 how=write", None);
    let ring = scenario.folder().join("ring.bin");
    let mut bytes = std::fs::read(&ring).unwrap();
    let reserve = bytes.len() - rez_monitor::limits::RESERVE_BYTES;
    bytes[reserve + 100] ^= 1;
    std::fs::write(&ring, &bytes).unwrap();
    assert_eq!(crashes(&scenario, &scenario.folder()), [Value::Null; 0]);
    let list = scenario.folder().join("modules.json");
    let of_another_run = std::fs::read(&list).unwrap();
    for content in [&b"{\"run\":"[..], &[0xff; 100], &of_another_run] {
        let before = stored(&scenario.folder()).len();
        let _ = run(&scenario, "native=1 how=write", None);
        std::fs::write(&list, content).unwrap();
        let all = crashes(&scenario, &scenario.folder());
        let unnamed = |crash: &Value| crash.get("debug_images").is_none() && crash["frames"][0].get("module").is_none();
        assert_eq!((all.len(), all.iter().all(unnamed)), (before + 1, true), "{all:#?}");
    }
}

#[test]
fn a_crash_is_not_stored_without_consent_to_monitoring_and_not_at_all_while_the_capture_is_off() {
    let scenario = Scenario::new(CHILD);
    let _ = run(&scenario, "native=1 how=write monitoring=denied", None);
    let _ = scenario.run("url=none n=0 native=1 monitoring=denied end=close");
    assert_eq!(stored(&scenario.folder()), [Value::Null; 0]);
    let scenario = Scenario::new(CHILD);
    let _ = run(&scenario, "native=0 how=write", None);
    assert!(!scenario.folder().join("modules.json").exists());
    assert_eq!(crashes(&scenario, &scenario.folder()), [Value::Null; 0]);
}

#[test]
fn ten_thousand_planted_secrets_in_panics_messages_and_urls_of_crashing_runs_do_not_leave() {
    const COUNT: usize = 10_000;
    /// Recorded in each run, beside those of its panic.
    const EACH: usize = 300;
    let mut random = Seeded::of("panics", 13);
    let mut secrets: Vec<(String, String)> = Vec::new();
    while secrets.len() < COUNT {
        let all = plants(&mut random).into_iter().filter(|plant| !plant.text.contains('\n') && plant.secret.len() >= 8);
        secrets.extend(all.map(|plant| (plant.text, plant.secret)));
    }
    secrets.truncate(COUNT);
    let scenario = Scenario::new(CHILD);
    let (file, texts) = (scenario.path("text"), scenario.path("texts"));
    let lines = |some: &[(String, String)]| some.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("\n");
    let mut rest = &secrets[..];
    let mut panics = 0;
    while !rest.is_empty() {
        // As many as a message holds.
        let mut bytes = 0;
        let count = rest.iter().take_while(|(text, _)| {
            bytes += text.len() + 1;
            bytes < 1_900
        });
        let (panic, later) = rest.split_at(count.count());
        let (now, later) = later.split_at(later.len().min(EACH));
        std::fs::write(&file, lines(panic)).unwrap();
        std::fs::write(&texts, lines(now)).unwrap();
        let (file, texts) = (file.display(), texts.display());
        let options = format!("native=1 how=panic persist=0 modules=0 text_file={file} texts={texts}");
        assert_eq!(run(&scenario, &options, None).status.signal(), Some(libc::SIGABRT));
        rest = later;
        panics += 1;
    }
    assert_eq!(crashes(&scenario, &scenario.folder()).len(), panics);
    let _ = scenario.deliver();
    for (folder, start) in [(scenario.folder(), "queue.db"), (scenario.path(""), "collector.sqlite")] {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with(start) {
                bytes.extend(std::fs::read(entry.path()).unwrap());
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("panicked at crash.rs"));
        let leaked: Vec<_> = secrets.iter().filter(|(_, secret)| text.contains(secret.as_str())).collect();
        assert!(leaked.is_empty(), "{} in {start}, first {:?}", leaked.len(), leaked[0]);
    }
}
