//! Runs that ended: a child process dies in some way, and the next start tells how, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(unix)]

use rez_monitor::destination::Rez;
use rez_monitor::{
    Config, ConfigBuilder, Consent, ExitReason, ExitReport, Kind, LastRun, Monitor, Purpose, RunEnd, UncleanExits,
};
use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows};
use rez_monitor_tests::skipped;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Limit of every wait for the engine. Long enough for a busy machine.
const WAIT: Duration = Duration::from_secs(60);

/// A run in another process that has ended.
struct Ended {
    pid: u32,
    at_ms: i64,
}

impl Ended {
    fn report(&self, reason: ExitReason) -> ExitReport<'static> {
        ExitReport::new(self.pid, self.at_ms, reason).description("by the system")
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn ended(scenario: &Scenario, options: &str) -> Ended {
    let args = scenario.args("ends", &format!("url=none sessions=1 {options}"));
    let child = Command::new(CHILD).args(args).stdin(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    let _ = child.wait_with_output().unwrap();
    Ended { pid, at_ms: now_ms() }
}

fn config(folder: &Path) -> ConfigBuilder {
    Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
}

fn open(folder: &Path, exits: UncleanExits) -> Monitor {
    Monitor::open(config(folder).unclean_exits(exits).build().unwrap()).unwrap()
}

/// Starts, reports the exits if there is a list, and closes. Returns how the run before ended.
fn next_start(scenario: &Scenario, exits: Option<&[ExitReport<'_>]>) -> Option<LastRun> {
    let expects = if exits.is_some() { UncleanExits::AwaitReport } else { UncleanExits::Recorded };
    let monitor = open(&scenario.folder(), expects);
    if let Some(exits) = exits {
        assert!(monitor.report_exits(exits));
    }
    monitor.persist(WAIT).unwrap();
    let last_run = monitor.last_run(WAIT).unwrap();
    monitor.close(WAIT);
    last_run
}

/// The events about the ends of runs, with the release of their run. The balance holds.
fn ends(folder: &Path) -> Vec<(Kind, Value)> {
    balance(folder);
    let about = |kind| matches!(kind, Kind::Crash | Kind::AppExit);
    let found = rows(folder).into_iter().filter(|listed| about(listed.row.kind));
    found.map(|listed| (listed.row.kind, serde_json::from_str(&listed.row.json).unwrap())).collect()
}

fn the_end(folder: &Path) -> (Kind, Value) {
    let mut all = ends(folder);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// How the sessions ended, oldest first.
fn sessions(folder: &Path) -> Vec<String> {
    let found = rows(folder).into_iter().filter(|listed| listed.row.kind == Kind::Session);
    let status = |json: &str| serde_json::from_str::<Value>(json).unwrap()["status"].as_str().unwrap().to_owned();
    let mut all: Vec<_> = found.map(|listed| (listed.row.seq, status(&listed.row.json))).collect();
    all.sort();
    all.into_iter().map(|(_, status)| status).filter(|status| status != "ok").collect()
}

fn collapsed(folder: &Path) -> u64 {
    dropped(&balance(folder)).get("collapsed").copied().unwrap_or(0)
}

fn has_the_state_of_its_run(row: &Value) {
    assert_eq!(row["user"]["id"], "u-1", "{row:#}");
    assert_eq!(row["tags"]["shop"], "pune", "{row:#}");
    assert_eq!(row["view"]["name"], "Cart", "{row:#}");
    assert_eq!(row["trail"][0]["message"], "tapped pay", "{row:#}");
    assert!(row["session"].is_string(), "{row:#}");
}

#[test]
fn a_run_that_ends_in_the_foreground_without_a_record_is_an_abnormal_exit_with_its_own_state() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1");
    assert_eq!(next_start(&scenario, None), Some(LastRun { ended: RunEnd::Abnormal, crash: None }));
    let (kind, row) = the_end(&scenario.folder());
    assert_eq!((kind, &row["cause"]), (Kind::AppExit, &json!("abnormal")));
    has_the_state_of_its_run(&row);
    assert_eq!(sessions(&scenario.folder()), ["abnormal", "exited"]);
    let listed = rows(&scenario.folder()).into_iter().find(|listed| listed.row.kind == Kind::AppExit).unwrap();
    let runs = rez_monitor::inspect::Reader::open(&scenario.folder()).unwrap().runs().unwrap();
    let run = runs.iter().find(|run| run.number == listed.row.run).unwrap();
    assert_eq!(run.pid, child.pid);
    // Once is enough.
    assert_eq!(next_start(&scenario, None).unwrap().ended, RunEnd::Closed);
    assert_eq!(ends(&scenario.folder()).len(), 1);
}

#[test]
fn a_run_that_ends_in_the_background_is_no_event_and_its_session_has_exited() {
    for (foreground, end, session) in [("0", RunEnd::Exited, "exited"), ("none", RunEnd::Unknown, "abnormal")] {
        let scenario = Scenario::new(CHILD);
        let _ = ended(&scenario, &format!("foreground={foreground}"));
        assert_eq!(next_start(&scenario, None), Some(LastRun { ended: end, crash: None }), "{foreground}");
        assert_eq!(ends(&scenario.folder()), [], "{foreground}");
        assert_eq!(sessions(&scenario.folder()), [session, "exited"], "{foreground}");
    }
}

#[test]
fn a_run_that_closes_and_the_first_run_leave_nothing_to_tell() {
    let scenario = Scenario::new(CHILD);
    assert_eq!(next_start(&scenario, None), None);
    let _ = ended(&scenario, "foreground=1 how=close");
    assert_eq!(next_start(&scenario, None), Some(LastRun { ended: RunEnd::Closed, crash: None }));
    assert_eq!(ends(&scenario.folder()), []);
}

#[test]
fn an_update_of_the_app_and_a_debugger_are_no_abnormal_exit() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1 release=shop@0");
    assert_eq!(next_start(&scenario, None).unwrap().ended, RunEnd::Unknown);
    let _ = ended(&scenario, "foreground=1");
    let monitor = open(&scenario.folder(), UncleanExits::Ignored);
    assert_eq!(monitor.last_run(WAIT).unwrap().unwrap().ended, RunEnd::Abnormal);
    monitor.close(WAIT);
    assert_eq!(ends(&scenario.folder()), []);
}

#[test]
fn a_crash_that_the_system_reports_too_is_one_event_with_the_report() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1 how=fatal");
    let last_run = next_start(&scenario, Some(&[child.report(ExitReason::Crash)])).unwrap();
    let crash = last_run.crash.clone().unwrap();
    assert_eq!((last_run.ended, last_run.crashed()), (RunEnd::Crashed, true));
    assert_eq!((crash.kind.as_str(), crash.mechanism.as_deref()), ("TypeError", Some("onerror")));
    assert!(crash.since_start_ms.is_some_and(|ms| ms < 60_000), "{crash:?}");
    let (kind, row) = the_end(&scenario.folder());
    assert_eq!((kind, &row["type"]), (Kind::Crash, &json!("TypeError")));
    assert_eq!(crash.support_code.as_deref(), row["session"].as_str().and_then(rez_monitor::support_code));
    let report = &row["reports"][0];
    assert_eq!((&report["cause"], &report["message"]), (&json!("crash"), &json!("by the system")), "{row:#}");
    assert!(row["since_start_ms"].is_i64() && row["since_screen_ms"].is_i64(), "{row:#}");
    assert_eq!(collapsed(&scenario.folder()), 1);
    assert_eq!(sessions(&scenario.folder()), ["crashed", "exited"]);
}

#[test]
fn an_exit_that_only_the_system_knows_is_the_one_event_of_its_run() {
    for (reason, kind, end, session) in [
        (ExitReason::NativeCrash, Kind::Crash, RunEnd::Crashed, "crashed"),
        (ExitReason::LowMemory, Kind::AppExit, RunEnd::Abnormal, "abnormal"),
        (ExitReason::Anr, Kind::AppExit, RunEnd::Abnormal, "abnormal"),
    ] {
        let scenario = Scenario::new(CHILD);
        let child = ended(&scenario, "foreground=1");
        let last_run = next_start(&scenario, Some(&[child.report(reason)])).unwrap();
        assert_eq!(last_run.ended, end, "{reason:?}");
        let (stored, row) = the_end(&scenario.folder());
        assert_eq!((stored, row["cause"].as_str()), (kind, Some(reason.as_str())));
        has_the_state_of_its_run(&row);
        assert_eq!(sessions(&scenario.folder()), [session, "exited"], "{reason:?}");
        assert_eq!(last_run.crash.is_some(), kind == Kind::Crash);
    }
}

#[test]
fn an_exit_without_a_fault_is_no_event_and_ends_the_session_as_exited() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1");
    let last_run = next_start(&scenario, Some(&[child.report(ExitReason::Other)])).unwrap();
    assert_eq!(last_run.ended, RunEnd::Exited);
    assert_eq!(ends(&scenario.folder()), []);
    assert_eq!(sessions(&scenario.folder()), ["exited", "exited"]);
}

#[test]
fn an_exit_that_is_reported_again_after_a_kill_is_one_event() {
    // Killed after the report, once while it is in the ring only and once when it is in the queue, before the cursor of the host moves.
    for reported in [0, 1] {
        let scenario = Scenario::new(CHILD);
        let first = ended(&scenario, "foreground=1");
        let report = format!("{}:{}:low_memory", first.pid, first.at_ms);
        let second = ended(&scenario, &format!("foreground=0 exits=await report={report} reported={reported}"));
        let _ = next_start(&scenario, Some(&[first.report(ExitReason::LowMemory), second.report(ExitReason::Other)]));
        let (kind, row) = the_end(&scenario.folder());
        assert_eq!((kind, &row["cause"]), (Kind::AppExit, &json!("low_memory")));
        assert_eq!(collapsed(&scenario.folder()), 1, "{reported}");
        let _ = next_start(&scenario, Some(&[first.report(ExitReason::LowMemory)]));
        assert_eq!((ends(&scenario.folder()).len(), collapsed(&scenario.folder())), (1, 2));
    }
}

#[test]
fn a_report_after_the_crash_was_delivered_changes_nothing_and_is_counted() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1 how=fatal");
    let desk = || Rez::builder(scenario.collector.url(), "key").purposes(&Purpose::ALL).build().unwrap();
    let open = || {
        let config = config(&scenario.folder()).unclean_exits(UncleanExits::AwaitReport).destination("desk", desk());
        Monitor::open(config.build().unwrap()).unwrap()
    };
    let monitor = open();
    monitor.flush(WAIT).unwrap();
    assert!(monitor.report_exits(&[child.report(ExitReason::Crash)]));
    monitor.flush(WAIT).unwrap();
    monitor.close(WAIT);
    assert_eq!(collapsed(&scenario.folder()), 1);
    let collected =
        scenario.collector.events(&rez_inspect::collector::Filter { limit: 1000, ..Default::default() }).unwrap();
    let crashes: Vec<_> = collected.iter().filter(|event| event.kind == "crash").collect();
    assert_eq!(crashes.len(), 1, "{crashes:#?}");
}

#[test]
fn an_error_of_javascript_that_java_throws_again_is_one_crash() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1 how=twice");
    let last_run = next_start(&scenario, None).unwrap();
    assert_eq!(last_run.crash.unwrap().kind, "TypeError");
    let (_, row) = the_end(&scenario.folder());
    assert_eq!(row["type"], "TypeError");
    let report = &row["reports"][0];
    assert_eq!(report["mechanism"], "UncaughtExceptionHandler");
    assert_eq!(report["message"], "TypeError: [email] wrote it", "{report}");
}

#[test]
fn a_hook_that_drops_crashes_drops_what_is_added_to_one() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1 how=fatal");
    let hook = |_: Kind, event: &mut Value| event.get("cause").is_none();
    let config = config(&scenario.folder()).unclean_exits(UncleanExits::AwaitReport).before_send(hook);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    assert!(monitor.report_exits(&[child.report(ExitReason::Crash)]));
    monitor.close(WAIT);
    let (_, row) = the_end(&scenario.folder());
    assert_eq!(row.get("reports"), None, "{row:#}");
}

#[test]
fn an_end_while_monitoring_was_denied_is_not_recorded_after_a_grant() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1 monitoring=denied");
    let monitor = open(&scenario.folder(), UncleanExits::AwaitReport);
    monitor.set_consent(Purpose::Monitoring, Consent::Granted);
    assert!(monitor.report_exits(&[child.report(ExitReason::Crash)]));
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    assert_eq!(ends(&scenario.folder()), []);
    assert_eq!(dropped(&balance(&scenario.folder())).get("consent"), Some(&1));
}

#[test]
fn a_user_who_is_forgotten_is_in_no_later_report() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1");
    let monitor = open(&scenario.folder(), UncleanExits::AwaitReport);
    monitor.forget_user();
    assert!(monitor.report_exits(&[child.report(ExitReason::LowMemory)]));
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    // The run is forgotten too: the report is one of no known run.
    assert_eq!(ends(&scenario.folder()), []);
    assert_eq!(dropped(&balance(&scenario.folder())).get("malformed"), Some(&1));
    let queue = std::fs::read(scenario.folder().join("queue.db")).unwrap();
    assert!(!queue.windows(10).any(|bytes| bytes == b"tapped pay"));
}

#[test]
fn an_exit_of_no_known_run_is_counted_and_says_nothing_of_the_present_one() {
    let scenario = Scenario::new(CHILD);
    let reports = [ExitReport::new(999_999, now_ms(), ExitReason::Crash), ExitReport::new(0, 5, ExitReason::LowMemory)];
    assert_eq!(next_start(&scenario, Some(&reports)), None);
    assert_eq!(ends(&scenario.folder()), []);
    assert_eq!(dropped(&balance(&scenario.folder())).get("malformed"), Some(&2));
    let _ = ended(&scenario, "foreground=1 how=fatal");
    let strange = ExitReport::new(999_999, now_ms(), ExitReason::NativeCrash);
    assert_eq!(next_start(&scenario, Some(&[strange])).unwrap().crash.unwrap().kind, "TypeError");
    assert_eq!(the_end(&scenario.folder()).1["type"], "TypeError");
    assert_eq!(sessions(&scenario.folder()), ["exited", "crashed", "exited"]);
}

#[test]
fn an_exit_that_the_system_remembers_for_forty_days_is_one_event_at_its_own_time() {
    let scenario = Scenario::new(CHILD);
    let now = now_ms();
    let then = now - 40 * 86_400_000;
    let child = ended(&scenario, &format!("foreground=1 clock={then}"));
    let report = ExitReport::new(child.pid, then + 5_000, ExitReason::NativeCrash);
    for _ in 0..2 {
        let crash = next_start(&scenario, Some(&[report]));
        assert!(crash.is_some());
    }
    let (_, row) = the_end(&scenario.folder());
    assert_eq!(row["since_start_ms"], 5_000);
    let listed = rows(&scenario.folder()).into_iter().find(|listed| listed.row.kind == Kind::Crash).unwrap();
    assert_eq!(listed.row.wall_ms, then + 5_000);
}

#[test]
fn a_report_that_comes_late_makes_the_run_a_crash_and_its_row_belongs_to_the_release_of_the_run() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1 release=shop@0");
    // The engine does not wait for reports in this start and the next one.
    for _ in 0..2 {
        let _ = ended(&scenario, "how=close");
    }
    let monitor = open(&scenario.folder(), UncleanExits::Recorded);
    monitor.persist(WAIT).unwrap();
    assert!(monitor.report_exits(&[child.report(ExitReason::NativeCrash)]));
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    let _ = the_end(&scenario.folder());
    let reader = rez_monitor::inspect::Reader::open(&scenario.folder()).unwrap();
    let listed = rows(&scenario.folder()).into_iter().find(|listed| listed.row.kind == Kind::Crash).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.iter().find(|run| run.number == listed.row.run).unwrap().release, "shop@0");
    // It is not the last run for that.
    drop(reader);
    assert_eq!(next_start(&scenario, None).unwrap().ended, RunEnd::Closed);
}

#[test]
fn a_crash_that_is_reported_after_the_engine_recorded_an_abnormal_end_is_a_crash_of_that_run() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1");
    let monitor = open(&scenario.folder(), UncleanExits::Recorded);
    monitor.persist(WAIT).unwrap();
    assert!(monitor.report_exits(&[child.report(ExitReason::NativeCrash)]));
    monitor.persist(WAIT).unwrap();
    let last_run = monitor.last_run(WAIT).unwrap().unwrap();
    monitor.close(WAIT);
    assert!(last_run.crashed() && last_run.crash.is_some(), "{last_run:?}");
    let (kind, row) = the_end(&scenario.folder());
    assert_eq!((kind, &row["reports"][0]["cause"]), (Kind::AppExit, &json!("native_crash")));
}

#[test]
fn two_faults_of_one_time_are_told_apart_and_a_long_report_keeps_the_user() {
    let scenario = Scenario::new(CHILD);
    let child = ended(&scenario, "foreground=1");
    let quotes = "\"".repeat(8_000);
    let exit = |reason| ExitReport::new(0, child.at_ms, reason).description(&quotes);
    let _ = next_start(&scenario, Some(&[exit(ExitReason::Anr), exit(ExitReason::LowMemory)]));
    let (_, row) = the_end(&scenario.folder());
    has_the_state_of_its_run(&row);
    assert_eq!((&row["cause"], &row["reports"][0]["cause"]), (&json!("anr"), &json!("low_memory")));
}

#[test]
fn a_release_that_the_app_changes_at_each_start_and_a_handle_that_is_dropped_are_told_apart() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1 set_release=shop@1+7");
    assert_eq!(next_start(&scenario, None).unwrap().ended, RunEnd::Abnormal);
    let monitor = open(&scenario.folder(), UncleanExits::Recorded);
    monitor.scope(rez_monitor::ScopeChange::Foreground(true));
    monitor.persist(WAIT).unwrap();
    drop(monitor);
    let monitor = open(&scenario.folder(), UncleanExits::Recorded);
    assert_eq!(monitor.last_run(WAIT).unwrap().unwrap().ended, RunEnd::Closed);
    monitor.close(WAIT);
}

#[test]
fn a_crash_is_not_told_after_the_user_was_forgotten_and_no_state_is_kept_when_ends_are_decided() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1 how=fatal");
    let monitor = open(&scenario.folder(), UncleanExits::Recorded);
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    let scope = |key: &str| {
        let db = rusqlite::Connection::open(scenario.folder().join("queue.db")).unwrap();
        db.query_row("SELECT count(*) FROM scope WHERE key = ?1", [key], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(scope("crashed"), 0);
    for _ in 0..3 {
        let _ = ended(&scenario, "foreground=0");
    }
    let _ = next_start(&scenario, None);
    assert_eq!((scope("unclean_runs"), scope("ended_runs")), (0, 1));
}

#[test]
fn reports_of_nonsense_are_events_or_counted_and_the_balance_holds() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1");
    let long = "x".repeat(1 << 20);
    let numbers = [(0, 0), (u32::MAX, i64::MIN), (1, i64::MAX), (u32::MAX, i64::MAX), (0, -1), (0, now_ms())];
    let mut reports = Vec::new();
    for (pid, at_ms) in numbers {
        for reason in ExitReason::ALL {
            reports.push(ExitReport::new(pid, at_ms, reason).description(&long));
            reports.push(ExitReport::new(pid, at_ms, reason).description("\0\u{feff}\u{202e}"));
        }
    }
    let monitor = open(&scenario.folder(), UncleanExits::AwaitReport);
    for _ in 0..20 {
        if !monitor.report_exits(&reports) {
            monitor.persist(WAIT).unwrap();
        }
    }
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    let _ = the_end(&scenario.folder());
}

#[test]
fn many_runs_that_end_badly_are_as_many_events_each_with_its_own_state() {
    let scenario = Scenario::new(CHILD);
    let runs = 40;
    for _ in 0..runs {
        let _ = ended(&scenario, "foreground=1");
    }
    let _ = next_start(&scenario, None);
    let all = ends(&scenario.folder());
    assert_eq!(all.len(), runs);
    all.iter().for_each(|(_, row)| has_the_state_of_its_run(row));
}

#[test]
fn runs_that_end_badly_on_a_full_disk_each_with_a_long_trail_are_all_recorded_when_there_is_room() {
    // Nothing is left, and less than the states of all these runs need.
    for (kind, left) in [("8m", 0), ("8m", 200 << 10), ("ext4", 0), ("ext4", 200 << 10)] {
        let scenario = Scenario::new(CHILD);
        let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), kind) else {
            skipped("ended runs on a full disk", "no small file system can be mounted here");
            return;
        };
        let folder = disk.path().join("app");
        let options = format!("folder={} foreground=1 exits=await crumbs=70", folder.display());
        let _ = ended(&scenario, &options);
        disk.fill();
        disk.give_back(left);
        // More than the states that are kept: each start dies before it is decided what became of the run before. The ring holds them.
        for _ in 0..8 {
            let _ = ended(&scenario, &format!("{options} full=1"));
        }
        let monitor = open(&folder, UncleanExits::Recorded);
        let _ = monitor.message("later", rez_monitor::Level::Info, &[]);
        let _ = monitor.persist(Duration::from_secs(2));
        monitor.close(WAIT);
        disk.free();
        let monitor = open(&folder, UncleanExits::Recorded);
        monitor.persist(WAIT).unwrap();
        monitor.close(WAIT);
        let all = ends(&folder);
        let case = format!("{kind} {left}: {:?}", dropped(&balance(&folder)));
        assert_eq!(all.len(), 9, "{case}");
        let with_state = all.iter().filter(|(_, row)| row["user"]["id"] == "u-1").count();
        assert!(with_state >= 4, "{case}: {with_state}");
    }
}

#[test]
fn a_host_that_never_reports_delays_the_exit_and_does_not_lose_it() {
    let scenario = Scenario::new(CHILD);
    let _ = ended(&scenario, "foreground=1");
    let config = config(&scenario.folder()).unclean_exits(UncleanExits::AwaitReport).test_mode(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    // One second in test mode; the folder is read while the engine runs.
    while ends(&scenario.folder()).is_empty() {
        std::thread::yield_now();
    }
    monitor.close(WAIT);
    assert_eq!(the_end(&scenario.folder()).1["cause"], "abnormal");
}
