//! A running app says what is wrong with it: what the app knows, and what its file says.

use crate::consent::Consent;
use crate::inspect::doctor::{CLOCK, CLOCK_MS, Diagnosis, rows};
use crate::inspect::{Overview, waiting};
use crate::kind::Purpose;
use crate::monitor::control::left;
use crate::monitor::{Monitor, Status, WaitError};
use crate::phrases::{ERASURE_BLOCKED, HeldCode, number};
use crate::reason::Reason;
use crate::store::{PLACEHOLDER, RowsBefore};
use crate::transport::Fault;
use crate::writer::shared::StoreState;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Rows that are read at once, as for a page of a list.
const CHUNK: usize = 200;

/// Examines the app.
pub(super) fn doctor(monitor: &Monitor, end: Instant) -> Diagnosis {
    let status = monitor.status();
    let mut found = Diagnosis::default();
    store(&status, &mut found);
    // Without the store, the rest still says why.
    let overview = monitor.0.read_store(left(end), |store| store.view().overview());
    consent(monitor, &mut found);
    delivery(monitor, &status, &mut found);
    let is_declared = |overview: &Overview| overview.routes.iter().any(|route| route.route != PLACEHOLDER);
    if status.routes.is_empty() && !overview.as_ref().is_ok_and(is_declared) {
        found.finding("route", "no destination is declared: nothing is sent", "name one when the app is started");
    }
    refused(&status, &mut found);
    match overview {
        Ok(overview) => {
            lost(&overview, &mut found);
            found.balance(overview.balance.holds(), "`rezq status SOURCE`");
            all_rows(monitor, overview.rows, end, &mut found);
        }
        Err(error) => not_examined("lost, balance, checksums, clock", &error, &mut found),
    }
    let home = Path::new(&monitor.0.shared.folder);
    found.quarantine(home);
    found.disk(home);
    found
}

/// A part that the app could not read in time says nothing about what is in it.
fn not_examined(parts: &str, error: &WaitError, found: &mut Diagnosis) {
    found.finding("unknown", format!("not examined: {parts}: {error}"), "repeat it when the app is less busy");
}

/// The decisions of the user, without which events wait.
fn consent(monitor: &Monitor, found: &mut Diagnosis) {
    let consent = monitor.0.shared.ring.consent();
    for purpose in Purpose::ALL {
        let name = purpose.as_str();
        match consent.get(purpose as usize).copied().and_then(Consent::of) {
            Some(Consent::Granted) => found.fact("consent", format!("`{name}` is granted")),
            Some(Consent::Denied) => found.fact("consent", format!("`{name}` is denied: nothing of it is recorded")),
            Some(Consent::Pending) | None => {
                let text = format!("`{name}` is not decided: its events wait on the device");
                found.finding("consent", text, "let the app ask the user, and call `set_consent`");
            }
        }
    }
}

fn store(status: &Status, found: &mut Diagnosis) {
    match &status.store {
        StoreState::Unavailable(_) => {
            let mend = "mend this cause; events wait in the ring meanwhile, and are refused when it is full";
            found.finding("store", status.store.text(), mend);
        }
        state => found.fact("store", state.text()),
    }
    if status.erasure_blocked {
        found.finding("log", ERASURE_BLOCKED, "end other programs that read the queue");
    }
    let folded = status.accepted.saturating_sub(status.folded);
    found.fact("ring", format!("{} to be stored", waiting(folded, true)));
}

/// The fault that was chosen, and each route that waits.
fn delivery(monitor: &Monitor, status: &Status, found: &mut Diagnosis) {
    match monitor.0.shared.config.faults.get() {
        Fault::None => {}
        fault => {
            let text = format!("the fault `{}` is in effect: requests fail", fault.as_str());
            found.finding("fault", text, "`rezq fault SOURCE none`");
        }
    }
    for route in &status.routes {
        let n = route.waiting.iter().fold(0_u64, |sum, lane| sum.saturating_add(*lane));
        let held = route.held.as_ref().filter(|_| n > 0 || route.stopped);
        match held.and_then(|held| mend(held.code)) {
            Some(mend) => found.finding("route", route.text(), mend),
            None => found.fact("route", route.text()),
        }
    }
}

/// What ends this wait; `None` if it is part of every delivery.
fn mend(code: HeldCode) -> Option<&'static str> {
    Some(match code {
        HeldCode::Batch | HeldCode::Spacing => return None,
        HeldCode::Unreachable | HeldCode::Intercepted | HeldCode::Offline => {
            "check the network of the device, then `rezq send-now SOURCE`"
        }
        HeldCode::NoResponse | HeldCode::Outage => "look at the server, then `rezq send-now SOURCE`",
        HeldCode::RateLimit | HeldCode::RetryAfter => "wait until then, or look at the server; the events stay",
        HeldCode::BisectBudget => "`rezq dead SOURCE` shows what the server refuses; the app goes on at that time",
        HeldCode::Parked => "`rezq why SOURCE EVENT` says what it waits for; the app goes on at that time",
        HeldCode::Stopped | HeldCode::RefusesEverything => {
            "check the key and the address of the destination; the app sends a probe at that time"
        }
        HeldCode::Suspended => "bring the app to the foreground",
        HeldCode::Paused => "let the app resume the destination",
        HeldCode::StoreUnavailable => "see `store`",
        HeldCode::Dormant => "declare the destination when the app is started",
        HeldCode::LowPower => "switch power saving off, or `rezq send-now SOURCE`",
    })
}

/// What the call refused, by reason.
fn refused(status: &Status, found: &mut Diagnosis) {
    let mut sums: BTreeMap<&str, (Reason, u64)> = BTreeMap::new();
    for refused in &status.refused {
        let (_, sum) = sums.entry(refused.reason.as_str()).or_insert((refused.reason, 0));
        *sum = sum.saturating_add(refused.count);
    }
    for (spelling, (reason, n)) in sums {
        let text = format!("{} at the call, {spelling}: {}", number(n), reason.meaning());
        let mend = match reason {
            reason if is_wanted(reason) => {
                found.fact("refused", text);
                continue;
            }
            Reason::RingFull => "record less at once; see `store` for why the ring was not emptied",
            Reason::StoreUnavailable => "record while the engine is open",
            _ => "correct the calls of the app; its log names them",
        };
        found.finding("refused", text, mend);
    }
}

/// What was lost after it was accepted, and what servers refused.
fn lost(overview: &Overview, found: &mut Diagnosis) {
    let mut before: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, n) in overview.balance.kinds.iter().flat_map(|kind| &kind.dropped) {
        let sum = before.entry(reason).or_default();
        *sum = sum.saturating_add(*n);
    }
    let routes = overview.balance.routes.iter();
    let of_routes = routes.flat_map(|route| route.dropped.iter().map(|(reason, n)| (&*route.route, &**reason, *n)));
    let of_routes: Vec<_> = of_routes.collect();
    let all = before.into_iter().map(|(reason, n)| ("the queue", reason, n)).chain(of_routes);
    for (place, spelling, n) in all.filter(|(_, _, n)| *n > 0) {
        let reason = Reason::parse(spelling);
        let meaning = reason.map(Reason::meaning).unwrap_or_default();
        let text = format!("{place} has lost {}, {spelling}: {meaning}", number(n));
        if reason.is_some_and(is_wanted) {
            found.fact("lost", text);
        } else {
            found.finding("lost", text, "`rezq drops SOURCE` shows the days and the kinds");
        }
    }
    for route in overview.balance.routes.iter().filter(|route| route.dead > 0) {
        let text = format!("{}: the server has refused {}", route.route, number(route.dead));
        let mend = "`rezq dead SOURCE` shows what it said, `rezq requeue SOURCE EVENT --write` sends one again";
        found.finding("refused", text, mend);
    }
}

/// Whether the app or its user wants these events not to be sent.
fn is_wanted(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Sampled
            | Reason::Filtered
            | Reason::Consent
            | Reason::Collapsed
            | Reason::DestinationRemoved
            | Reason::ClearedByUser
            | Reason::LogLevel
    )
}

/// Checksums, and rows from the future. Reads every row, some at a time.
fn all_rows(monitor: &Monitor, all: u64, end: Instant, found: &mut Diagnosis) {
    let latest = monitor.0.shared.clock.wall_ms().saturating_add(CLOCK_MS);
    let (mut damaged, mut future, mut before) = (0_u64, 0_u64, None);
    loop {
        let read = monitor.0.read_store(left(end), move |store| store.view().rows_before(before, CHUNK));
        let RowsBefore { rows, last, damaged: wrong } = match read {
            Ok(read) => read,
            Err(error) => return not_examined("checksums, clock", &error, found),
        };
        damaged = damaged.saturating_add(wrong as u64);
        future = future.saturating_add(rows.iter().filter(|row| row.wall_ms > latest).count() as u64);
        before = last;
        if before.is_none() {
            break;
        }
    }
    found.checksums(damaged, all, "`rezq salvage PATH -o OUT.rezq` of a copy of the folder");
    match future {
        0 => found.fact("clock", "no row is from the future"),
        n => found.finding("clock", format!("{} from the future by the clock of the device", rows(n)), CLOCK),
    }
}
