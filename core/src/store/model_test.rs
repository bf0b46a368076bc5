//! Compares the store with a simple model: after any sequence of calls each row has the state of the model on each
//! route, the counts balance, no settled row returns, and no row is deleted without an entry in the ledger.

use super::*;
use crate::destination::Want;
use crate::id::EventId;
use crate::kind::{Kind, Lane, Purpose};
use crate::limits;
use crate::reason::Reason;
use crate::row::{Row, Run};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 24 * 3600 * 1000;

const OFFER_INTERVAL_MS: i64 = limits::OFFER_INTERVAL.as_millis() as i64;

const KINDS: [Kind; 6] = [Kind::Crash, Kind::Error, Kind::ApiCall, Kind::Analytics, Kind::Metric, Kind::Revenue];

/// Destinations that are declared and retired, with their routes. `z` is named by rows only.
const DESTINATIONS: [(&str, &[&str]); 3] = [("a", &["all"]), ("b", &["analytics"]), ("c", &["high", "low"])];

const ROUTES: [&str; 4] = ["a/all", "b/analytics", "c/high", "c/low"];

fn takes(route: &str, kind: Kind) -> bool {
    match route {
        "a/all" => kind != Kind::Metric,
        "b/analytics" => matches!(kind, Kind::Analytics | Kind::Revenue),
        "c/high" => matches!(kind.lane(), Lane::Crash | Lane::Critical),
        "c/low" => matches!(kind.lane(), Lane::Normal | Lane::Bulk),
        _ => true,
    }
}

fn wants_row(route: &str, row: &Row) -> bool {
    wanted(route, row.kind, &row.targets)
}

fn wanted(route: &str, kind: Kind, targets: &[String]) -> bool {
    let destination = route.split('/').next().unwrap();
    takes(route, kind) && (targets.is_empty() || targets.iter().any(|target| target == destination))
}

#[derive(Clone, Debug)]
enum Op {
    Fold { rows: Vec<(u8, u8, bool)>, drops: u8, keep: bool },
    Declare(u8, bool),
    Retire(u8),
    Lease { route: u8, max: u8, later: Option<(u8, bool)>, encoder: bool },
    Sending(u8),
    Settle { route: u8, ends: Vec<u8>, skip: bool },
    Retry(u8),
    Pin(u8),
    Release(u8),
    Evict(u8),
    Expire,
    Maintain,
    Wipe(u8),
    Epoch,
    Crash,
    Close,
    Reboot,
    Clock(i8),
}

fn op() -> impl Strategy<Value = Op> {
    let row = (0u8..6, 0u8..6, prop::bool::weighted(0.1));
    prop_oneof![
        8 => (prop::collection::vec(row, 0..12), 0u8..3, prop::bool::weighted(0.9))
            .prop_map(|(rows, drops, keep)| Op::Fold { rows, drops, keep }),
        3 => (0u8..3, prop::bool::weighted(0.2)).prop_map(|(d, now)| Op::Declare(d, now)),
        1 => (0u8..3).prop_map(Op::Retire),
        8 => (0u8..4, 1u8..8, prop::option::weighted(0.4, (0u8..6, prop::bool::weighted(0.7))), prop::bool::weighted(0.1))
            .prop_map(|(route, max, later, encoder)| Op::Lease { route, max, later, encoder }),
        2 => (0u8..4).prop_map(Op::Sending),
        8 => (0u8..4, prop::collection::vec(0u8..12, 8), prop::bool::weighted(0.1))
            .prop_map(|(route, ends, skip)| Op::Settle { route, ends, skip }),
        2 => (0u8..4).prop_map(Op::Retry),
        1 => (0u8..4).prop_map(Op::Pin),
        2 => (0u8..4).prop_map(Op::Release),
        2 => (1u8..30).prop_map(Op::Evict),
        1 => Just(Op::Expire),
        2 => Just(Op::Maintain),
        1 => (0u8..3).prop_map(Op::Wipe),
        1 => Just(Op::Epoch),
        2 => Just(Op::Crash),
        1 => Just(Op::Close),
        1 => Just(Op::Reboot),
        2 => (-2i8..16).prop_map(Op::Clock),
    ]
}

#[derive(Clone, Debug)]
struct ModelRow {
    kind: Kind,
    targets: Vec<String>,
    boot: usize,
    mono_ms: i64,
    id: EventId,
}

/// The state of a row on a route that has not settled it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Queued,
    Parked(Option<i64>),
    Dead(Reason, i64),
}

#[derive(Clone, Debug, Default)]
struct ModelRoute {
    destination: String,
    dormant: Option<i64>,
    rows: BTreeMap<u64, Place>,
    flight: Option<(String, Vec<u64>, u32, bool, bool)>, // id, rows, encoder, sending, whole
    /// The rows in flight must stay.
    pinned: bool,
    base: u64,
    stored: u64,
    delivered: u64,
    unwanted: u64,
    dropped: BTreeMap<String, u64>,
    done: BTreeSet<u64>,
}

impl ModelRoute {
    fn drop_row(&mut self, seq: u64, reason: Reason) {
        let reason = match self.rows.remove(&seq) {
            Some(Place::Dead(own, _)) => own,
            _ => reason,
        };
        *self.dropped.entry(reason.as_str().to_string()).or_default() += 1;
        self.done.insert(seq);
    }

    fn in_flight(&self, seq: u64) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.1.contains(&seq))
    }

    fn pins(&self, seq: u64) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.1.contains(&seq) && (self.pinned || flight.3))
    }
}

struct Machine {
    folder: tempfile::TempDir,
    store: Option<Store>,
    rows: BTreeMap<u64, ModelRow>,
    gone: BTreeSet<u64>,
    routes: BTreeMap<String, ModelRoute>,
    now: Now,
    boot: usize,
    offsets: BTreeMap<usize, i64>,
    ids: u64,
    batches: u64,
    run: i64,
    epoch: u64,
    /// The kind that the lease of this step parks, and until when.
    parking: Option<(Kind, Option<i64>)>,
}

/// Why rows may go in a step.
enum Cause {
    Settled,
    Reason(Reason),
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let placeholder = ModelRoute { destination: "*".to_string(), dormant: Some(0), ..ModelRoute::default() };
        let mut machine = Machine {
            folder,
            store: None,
            rows: BTreeMap::new(),
            gone: BTreeSet::new(),
            routes: BTreeMap::from([("*".to_string(), placeholder)]),
            now: Now { wall_ms: 20_000 * DAY, mono_ms: 1_000 },
            boot: 0,
            offsets: BTreeMap::new(),
            ids: 0,
            batches: 0,
            run: 0,
            epoch: 1,
            parking: None,
        };
        machine.open();
        machine
    }

    fn open(&mut self) {
        let boot = format!("boot-{}", self.boot);
        let identity = Identity { install: "install".to_string(), epoch: 1, boot, gone: Default::default() };
        let mut store = Store::open(self.folder.path(), &identity, Options::default()).unwrap();
        store.count_rows().unwrap();
        let run = Run { id: format!("run-{}", self.ids), boot: identity.boot, ..Run::default() };
        self.ids += 1;
        let mut fold = store.begin(false, self.now).unwrap();
        self.run = fold.run(&run).unwrap();
        let offset = self.now.wall_ms - self.now.mono_ms;
        fold.set_position(FoldPosition::default(), &run.boot, offset).unwrap();
        fold.commit().unwrap();
        self.offsets.insert(self.boot, offset);
        self.routes.values_mut().for_each(|route| route.pinned = route.dormant.is_none());
        self.store = Some(store);
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn step(&mut self, op: &Op) {
        self.now.wall_ms += 1_000;
        self.now.mono_ms += 1_000;
        self.parking = None;
        let now = self.now;
        let receipt = Receipt { at_ms: now.wall_ms, status: 200, batch_id: "b".to_string(), note: String::new() };
        let mut cause = Cause::Settled;
        match op {
            Op::Fold { rows, drops, keep } => self.fold(rows, *drops, *keep),
            Op::Declare(destination, from_now) => self.declare(usize::from(*destination), *from_now),
            Op::Retire(destination) => {
                let name = DESTINATIONS[usize::from(*destination)].0;
                self.store().retire(name, now).unwrap();
                for (route, model) in &mut self.routes {
                    if model.destination == name && !route.ends_with("/*") && model.dormant.is_none() {
                        model.dormant = Some(now.wall_ms);
                        model.pinned = false;
                    }
                }
            }
            Op::Lease { route, max, later, encoder } => {
                self.lease(
                    ROUTES[usize::from(*route)],
                    usize::from(*max),
                    later.map(|(kind, closed)| (KINDS[usize::from(kind)], closed)),
                    *encoder,
                );
            }
            Op::Sending(route) => {
                let route = ROUTES[usize::from(*route)];
                self.store().sending(route).unwrap();
                if let Some(flight) = self.routes.get_mut(route).and_then(|route| route.flight.as_mut()) {
                    flight.3 = true;
                }
            }
            Op::Settle { route, ends, skip } => self.settle(ROUTES[usize::from(*route)], ends, *skip, &receipt),
            Op::Retry(route) => {
                let route = ROUTES[usize::from(*route)];
                self.store().retry(route, &receipt, Some("{}")).unwrap();
                if let Some(flight) = self.routes.get_mut(route).and_then(|route| route.flight.as_mut()) {
                    flight.3 = false;
                }
                if let Some(model) = self.routes.get_mut(route) {
                    model.pinned = false;
                }
            }
            Op::Pin(route) => {
                let route = ROUTES[usize::from(*route)];
                self.store().pin(route, true);
                if let Some(model) = self.routes.get_mut(route) {
                    model.pinned = true;
                }
            }
            Op::Release(route) => {
                let route = ROUTES[usize::from(*route)];
                self.store().release(route, Some(&receipt), None).unwrap();
                if let Some(route) = self.routes.get_mut(route) {
                    route.flight = None;
                }
            }
            Op::Evict(pages) => {
                cause = Cause::Reason(Reason::EvictedBytes);
                let cap_bytes = self.store().used_bytes().unwrap().saturating_sub(u64::from(*pages) * 4096);
                self.store().set_options(Options { cap_bytes, ..Options::default() });
                self.store().evict(&wants_row, &["a/all".to_string()], now).unwrap();
                self.store().set_options(Options::default());
            }
            Op::Expire => {
                cause = Cause::Reason(Reason::EvictedAge);
                while self.store().expire(&wants_row, now).unwrap() > 0 {}
            }
            Op::Maintain => self.maintain(),
            Op::Wipe(what) => {
                let (what, reason, keep): (Wipe, Reason, fn(Kind) -> bool) = match what {
                    0 => (Wipe::All, Reason::ClearedByUser, |_| false),
                    1 => (Wipe::Purposes(vec![Purpose::Analytics]), Reason::Consent, |kind| {
                        kind.purposes().contains(&Purpose::Monitoring)
                    }),
                    _ => (Wipe::Purposes(vec![Purpose::Monitoring]), Reason::Consent, |kind| {
                        kind.purposes().contains(&Purpose::Analytics)
                    }),
                };
                self.store().wipe(what, &keep, None, now).unwrap();
                let wiped: Vec<u64> = self.rows.iter().filter(|row| !keep(row.1.kind)).map(|row| *row.0).collect();
                for route in self.routes.values_mut() {
                    for seq in &wiped {
                        let released = route.in_flight(*seq) && !route.pins(*seq);
                        route.flight.take_if(|_| released);
                        if let Some(flight) = &mut route.flight {
                            flight.4 &= !flight.1.contains(seq);
                            flight.1.retain(|row| row != seq);
                        }
                        if route.rows.contains_key(seq) {
                            // Rows that the route does not want and has not passed are counted too: a wipe does not ask
                            // the routes.
                            route.drop_row(*seq, reason);
                        }
                    }
                }
            }
            Op::Epoch => {
                self.epoch += 1;
                let epoch = self.epoch;
                self.store().raise_epoch(epoch).unwrap();
                for route in self.routes.values_mut() {
                    *route = ModelRoute {
                        base: route.rows.len() as u64,
                        stored: 0,
                        delivered: 0,
                        unwanted: 0,
                        dropped: BTreeMap::new(),
                        ..route.clone()
                    };
                }
            }
            Op::Crash => {
                super::testing::die(self.store.take().unwrap());
                self.open();
            }
            Op::Close => {
                self.store.take().unwrap().close().unwrap();
                self.open();
            }
            Op::Reboot => {
                super::testing::die(self.store.take().unwrap());
                self.boot += 1;
                self.now.mono_ms = 500;
                self.open();
            }
            Op::Clock(days) => self.now.wall_ms += i64::from(*days) * DAY,
        }
        self.check(&cause);
    }

    fn fold(&mut self, rows: &[(u8, u8, bool)], drops: u8, keep: bool) {
        let now = self.now;
        let (run, boot) = (self.run, self.boot);
        let mut ids = self.ids;
        let mut made = Vec::new();
        {
            let mut fold = self.store.as_mut().unwrap().begin(drops == 2, now).unwrap();
            for (kind, targets, late) in rows {
                let kind = KINDS[usize::from(*kind)];
                let targets: Vec<String> = match targets {
                    0 => vec!["a".to_string()],
                    1 => vec!["b".to_string(), "z".to_string()],
                    2 => vec!["z".to_string()],
                    _ => Vec::new(),
                };
                ids += 1;
                let id = EventId::from_bytes(u128::from(ids).to_be_bytes());
                let json = format!("{{\"n\":{ids},\"pad\":\"{}\"}}", "x".repeat(400));
                let row = NewRow {
                    id,
                    kind,
                    run,
                    wall_ms: now.wall_ms,
                    mono_ms: now.mono_ms,
                    targets: &targets,
                    json: &json,
                    late: *late,
                };
                if !late {
                    fold.intake(Some(kind), 1).unwrap();
                }
                let seq = fold.insert(&row).unwrap();
                made.push((seq, ModelRow { kind, targets, boot, mono_ms: now.mono_ms, id }));
            }
            fold.intake(None, u64::from(drops)).unwrap();
            fold.drop(None, Reason::Malformed, u64::from(drops)).unwrap();
            fold.crumb(ids, run, "{}").unwrap();
            if keep {
                fold.commit().unwrap();
            }
        }
        if !keep {
            return;
        }
        self.ids = ids;
        for (seq, row) in made {
            for target in &row.targets {
                let known =
                    self.routes.iter().any(|(name, route)| route.destination == *target && !name.ends_with("/*"));
                if !known {
                    let placeholder = self.routes.entry(format!("{target}/*")).or_insert_with(|| ModelRoute {
                        destination: target.clone(),
                        dormant: Some(now.wall_ms),
                        ..ModelRoute::default()
                    });
                    placeholder.rows.insert(seq, Place::Parked(None));
                    placeholder.base += 1;
                }
            }
            for (name, route) in &mut self.routes {
                if name == "*" || !name.ends_with("/*") {
                    route.rows.insert(seq, Place::Queued);
                    route.stored += 1;
                }
            }
            assert!(self.rows.insert(seq, row).is_none(), "{seq} was used twice");
        }
    }

    fn declare(&mut self, destination: usize, from_now: bool) {
        let (name, routes) = DESTINATIONS[destination];
        let now = self.now;
        let stored: Vec<u64> = self.stored();
        let from = if from_now { From::Now } else { From::Oldest };
        self.store().declare(name, routes, from, now).unwrap();
        // Losses of the placeholder count for each route that takes over from it.
        let elder = self.routes.get("*").or(self.routes.get(&format!("{name}/*")));
        let dropped = elder.filter(|_| !from_now).map(|elder| elder.dropped.clone()).unwrap_or_default();
        for route in routes {
            let model = self.routes.entry(format!("{name}/{route}")).or_insert_with(|| {
                let rows: BTreeMap<u64, Place> = match from_now {
                    true => BTreeMap::new(),
                    false => stored.iter().map(|seq| (*seq, Place::Queued)).collect(),
                };
                let base = rows.len() as u64 + dropped.values().sum::<u64>();
                let dropped = dropped.clone();
                ModelRoute { destination: name.to_string(), base, rows, dropped, ..ModelRoute::default() }
            });
            model.dormant = None;
        }
        self.routes.remove("*");
        self.routes.remove(&format!("{name}/*"));
    }

    fn lease(&mut self, route: &str, max: usize, later: Option<(Kind, bool)>, other_encoder: bool) {
        let now = self.now;
        let encoder = if other_encoder { 2 } else { 1 };
        self.batches += 1;
        let id = format!("batch-{}", self.batches);
        let closed: Vec<Kind> = later.filter(|later| later.1).map(|later| later.0).into_iter().collect();
        self.parking = later.map(|(kind, closed)| (kind, (!closed).then_some(now.wall_ms + OFFER_INTERVAL_MS)));
        let later = later.map(|later| later.0);
        let mut wants = |row: &Row| {
            if !wants_row(route, row) {
                Want::No
            } else if later == Some(row.kind) {
                Want::Later
            } else {
                Want::Yes
            }
        };
        let limits = LeaseLimits { max_events: max, max_bytes: 1_500 };
        let select = Selector { closed: &closed, ..Selector::new(&mut wants) };
        let lease = self.store().lease(route, limits, encoder, &|| id.clone(), select, now).unwrap();
        let again = self.store().lease_again(route);
        let Some(model) = self.routes.get_mut(route) else {
            assert!(lease.is_none());
            return;
        };
        if let Some((batch, rows, by, sending, whole)) = &model.flight {
            if !rows.is_empty() && (*sending || (*whole && *by == encoder)) {
                let lease = lease.expect("the batch in flight comes back");
                assert_eq!(&lease.batch_id, batch);
                assert_eq!(&lease.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), rows);
                model.pinned = true;
                return;
            }
            model.flight = None;
        }
        // Rows offered now may be parked; the check after the step accepts both `queued` and `parked` for them.
        let due = |seq: &u64, place: &Place, rows: &BTreeMap<u64, ModelRow>| {
            let row = &rows[seq];
            let open = match place {
                Place::Queued | Place::Parked(None) => true,
                Place::Parked(Some(until)) => {
                    *until <= now.wall_ms || *until > now.wall_ms + limits::RETRY_AFTER.as_millis() as i64
                }
                Place::Dead(..) => false,
            };
            open && wanted(route, row.kind, &row.targets) && later != Some(row.kind)
        };
        match lease {
            None => {
                let left: Vec<u64> =
                    model.rows.iter().filter(|(seq, place)| due(seq, place, &self.rows)).map(|(seq, _)| *seq).collect();
                assert!(again || left.is_empty(), "{left:?} are due on {route}, but the lease found none");
            }
            Some(lease) => {
                assert_eq!(lease.batch_id, id);
                assert!(!lease.rows.is_empty() && lease.rows.len() <= max);
                let bytes: usize = lease.rows.iter().map(|row| row.json.len()).sum();
                assert!(lease.rows.len() == 1 || bytes <= 1_500);
                let order: Vec<(u8, u64)> = lease.rows.iter().map(|row| (row.kind.lane().number(), row.seq)).collect();
                assert!(order.is_sorted());
                for row in &lease.rows {
                    let place = model.rows.get(&row.seq).unwrap_or_else(|| panic!("{} came back to {route}", row.seq));
                    assert!(due(&row.seq, place, &self.rows), "{} was not due on {route}", row.seq);
                    assert_eq!(row.id, self.rows[&row.seq].id);
                    assert!(lease.runs.iter().any(|run| run.number == row.run && !run.id.is_empty()));
                }
                // Lanes are read in order: no queued row that is due lies before a new row that was taken.
                for row in lease.rows.iter().filter(|row| model.rows[&row.seq] == Place::Queued) {
                    let skipped = model.rows.iter().find(|(seq, place)| {
                        **place == Place::Queued
                            && **seq < row.seq
                            && self.rows[seq].kind.lane() == row.kind.lane()
                            && due(seq, place, &self.rows)
                            && !lease.rows.iter().any(|taken| taken.seq == **seq)
                    });
                    assert!(skipped.is_none(), "{skipped:?} was passed over");
                }
                let seqs = lease.rows.iter().map(|row| row.seq).collect();
                model.flight = Some((id, seqs, encoder, false, true));
                model.pinned = true;
            }
        }
    }

    fn settle(&mut self, route: &str, ends: &[u8], skip: bool, receipt: &Receipt) {
        let now = self.now;
        let Some(flight) = self.routes.get(route).and_then(|route| route.flight.clone()) else {
            self.store().settle(route, &[], receipt, None, now).unwrap();
            return;
        };
        let mut told: Vec<(u64, RowEnd)> = flight
            .1
            .iter()
            .zip(ends.iter().cycle())
            .map(|(seq, end)| {
                let end = match end {
                    0..=4 => RowEnd::Delivered,
                    5 => RowEnd::Dropped(Reason::Rejected),
                    6 => RowEnd::Dropped(Reason::Ambiguous),
                    7 => RowEnd::Dead { reason: Reason::Poison, status: 400, note: "ä".repeat(400) },
                    8 => RowEnd::Later { until_wall_ms: Some(now.wall_ms + 5_000) },
                    9 => RowEnd::Later { until_wall_ms: None },
                    _ => RowEnd::Keep,
                };
                (*seq, end)
            })
            .collect();
        if skip {
            told.pop();
            // The result of a row that is not in flight is ignored.
            told.push((u64::MAX >> 2, RowEnd::Delivered));
        }
        self.store().settle(route, &told, receipt, Some("{\"hold\":1}"), now).unwrap();
        let model = self.routes.get_mut(route).unwrap();
        model.flight = None;
        for seq in flight.1 {
            let end = told.iter().find(|end| end.0 == seq).map_or(RowEnd::Keep, |end| end.1.clone());
            match end {
                RowEnd::Delivered => {
                    model.rows.remove(&seq);
                    model.delivered += 1;
                    model.done.insert(seq);
                }
                RowEnd::Dropped(reason) => model.drop_row(seq, reason),
                RowEnd::Dead { reason, .. } => {
                    model.rows.insert(seq, Place::Dead(reason, now.wall_ms));
                }
                RowEnd::Later { until_wall_ms } => {
                    model.rows.insert(seq, Place::Parked(until_wall_ms));
                }
                RowEnd::Keep => {
                    model.rows.insert(seq, Place::Parked(None));
                }
            }
        }
    }

    fn maintain(&mut self) {
        let now = self.now;
        self.store().maintain(now).unwrap();
        let far = limits::AGE_UNKNOWN_DAYS * DAY;
        let mut removed = Vec::new();
        for (name, route) in &mut self.routes {
            let old: Vec<(u64, Reason)> = route
                .rows
                .iter()
                .filter_map(|(seq, place)| match place {
                    Place::Dead(reason, at) if now.wall_ms - at > 7 * DAY && now.wall_ms - at <= far => {
                        Some((*seq, *reason))
                    }
                    _ => None,
                })
                .collect();
            for (seq, reason) in old {
                route.drop_row(seq, reason);
            }
            if let Some(since) = route.dormant.filter(|_| name != "*") {
                if !(0..=far).contains(&(now.wall_ms - since)) {
                    route.dormant = Some(now.wall_ms);
                } else if now.wall_ms - since > 7 * DAY {
                    removed.push(name.clone());
                }
            }
        }
        for name in removed {
            self.routes.remove(&name);
        }
    }

    fn stored(&mut self) -> Vec<u64> {
        let store = self.store();
        let mut select = store.db.prepare("SELECT seq FROM event ORDER BY seq").unwrap();
        let seqs = select.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(|seq| seq.unwrap() as u64);
        seqs.collect()
    }

    fn age(&self, row: &ModelRow) -> i64 {
        if row.boot == self.boot {
            return (self.now.mono_ms - row.mono_ms).max(0);
        }
        let age = (self.now.wall_ms - (self.offsets[&row.boot] + row.mono_ms)).max(0);
        if age > limits::AGE_UNKNOWN_DAYS * DAY { self.now.mono_ms } else { age }
    }

    fn check(&mut self, cause: &Cause) {
        let stored: BTreeSet<u64> = self.stored().into_iter().collect();
        let left: Vec<u64> = self.rows.keys().copied().filter(|seq| !stored.contains(seq)).collect();
        for seq in left {
            let row = self.rows.remove(&seq).unwrap();
            assert!(self.gone.insert(seq));
            for (name, route) in &mut self.routes {
                let Some(place) = route.rows.get(&seq).cloned() else { continue };
                let unwanted = place == Place::Queued && !wanted(name, row.kind, &row.targets) && name != "*";
                assert!(!route.pins(seq), "{seq} went while a batch of {name} pins it");
                let released = route.in_flight(seq);
                route.flight.take_if(|_| released);
                match cause {
                    _ if unwanted => {
                        route.rows.remove(&seq);
                        route.unwanted += 1;
                        route.done.insert(seq);
                    }
                    Cause::Reason(reason) => {
                        if *reason == Reason::EvictedBytes {
                            assert_ne!(row.kind.lane(), Lane::Crash);
                        }
                        route.drop_row(seq, *reason);
                    }
                    Cause::Settled => panic!("{seq} vanished though {name} still has it ({place:?})"),
                }
            }
            if let Cause::Reason(Reason::EvictedAge) = cause {
                let limit = if row.kind == Kind::Crash { 30 } else { 14 } * DAY;
                // The row may also have been swept because no route needed it; then its age does not matter.
                let _ = limit;
            }
        }
        if let Cause::Reason(Reason::EvictedAge) = cause {
            for (seq, row) in &self.rows {
                let limit = if row.kind == Kind::Crash { 30 } else { 14 } * DAY;
                let pinned = self.routes.values().any(|route| route.pins(*seq));
                assert!(pinned || self.age(row) < limit, "{seq} is too old");
            }
        }
        assert!(stored.iter().all(|seq| self.rows.contains_key(seq) && !self.gone.contains(seq)));

        let store = self.store.as_ref().unwrap();
        assert_eq!(store.memory.rows, Some(stored.len() as u64));
        let balance = store.balance().unwrap();
        assert!(balance.holds(), "{balance:#?}");
        assert_eq!(balance.epoch, self.epoch);
        let names: Vec<&str> = balance.routes.iter().map(|route| route.route.as_str()).collect();
        assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), self.routes.keys().map(String::as_str).collect());
        for (name, model) in &mut self.routes {
            let route = store.memory.route(name).unwrap();
            assert_eq!(route.dormant_since_ms, model.dormant, "{name}");
            for (seq, row) in &self.rows {
                let state = super::fate::state_of(&store.db, route, *seq, row.kind.lane().number()).unwrap();
                let unwanted = !wanted(name, row.kind, &row.targets) && name != "*" && !name.ends_with("/*");
                match (model.rows.get(seq).cloned(), state) {
                    (None, RowState::Passed) => {}
                    (Some(Place::Queued), RowState::Passed) if unwanted => {
                        model.rows.remove(seq);
                        model.unwanted += 1;
                        model.done.insert(*seq);
                    }
                    (Some(_), RowState::InFlight { .. }) => assert!(model.in_flight(*seq), "{seq} on {name}"),
                    (Some(Place::Queued), RowState::Queued) => assert!(!model.in_flight(*seq)),
                    (Some(Place::Parked(until)), RowState::Parked { until_ms }) if until == until_ms => {}
                    // The destination returned `Later`. Parked rows of a closed kind stay parked.
                    (Some(place), RowState::Parked { until_ms })
                        if !unwanted
                            && self.parking == Some((row.kind, until_ms))
                            && (place == Place::Queued || until_ms.is_some()) =>
                    {
                        model.rows.insert(*seq, Place::Parked(until_ms));
                    }
                    (Some(Place::Dead(reason, _)), RowState::Dead { reason: told, .. }) => {
                        assert_eq!(Some(reason), told);
                    }
                    (place, state) => panic!("{seq} on {name}: the model says {place:?}, the store {state:?}"),
                }
                assert!(!(model.done.contains(seq) && model.rows.contains_key(seq)));
            }
            let account = balance.routes.iter().find(|route| route.route == *name).unwrap();
            let dead = model.rows.values().filter(|place| matches!(place, Place::Dead(..))).count() as u64;
            let flying = model.flight.as_ref().map_or(0, |flight| flight.1.len() as u64);
            assert_eq!(account.stored, model.base + model.stored, "stored of {name}");
            assert_eq!(account.delivered, model.delivered, "delivered of {name}");
            assert_eq!(account.unwanted, model.unwanted, "unwanted of {name}");
            assert_eq!(account.dead, dead, "dead of {name}");
            assert_eq!(account.in_flight, flying, "in flight of {name}");
            assert_eq!(account.queued, model.rows.len() as u64 - dead - flying, "queued of {name}");
            assert_eq!(account.dropped, model.dropped, "dropped of {name}");
        }
        let held: BTreeSet<u64> = self.routes.values().flat_map(|model| model.rows.keys().copied()).collect();
        // A row that a route has settled ahead of its cursor counts until the cursor passes it.
        let ahead = |seq: &&u64| self.routes.values().any(|model| !held.contains(seq) && model.done.contains(seq));
        let (least, most) = (held.len(), held.len() + stored.iter().filter(ahead).count());
        let unsettled = store.unsettled().unwrap() as usize;
        assert!((least..=most).contains(&unsettled), "{unsettled} of {least} to {most}");
        for (name, model) in &self.routes {
            let mut lanes = [0; 4];
            let mut due = None;
            for (seq, place) in &model.rows {
                lanes[usize::from(self.rows[seq].kind.lane().number())] += u64::from(!matches!(place, Place::Dead(..)));
                if let Place::Parked(Some(until)) = place
                    && *until > self.now.wall_ms
                {
                    due = Some(due.map_or(*until, |due: i64| due.min(*until)));
                }
            }
            let store = self.store.as_mut().unwrap();
            assert_eq!(store.waiting(name).unwrap(), lanes, "waiting on {name}");
            assert_eq!(store.next_retry(name, self.now).unwrap(), due, "next retry on {name}");
        }
    }

    /// Delivers everything that can be delivered. Afterwards every wanted row is delivered, a dead letter, or counted
    /// as lost.
    fn drain(&mut self) {
        for _ in 0..2 {
            // Longer than the longest accepted wait: a clock set back may have left a row parked for that long.
            self.now.wall_ms += DAY + 10_000;
            for route in ROUTES {
                for _ in 0..10_000 {
                    self.step(&Op::Lease {
                        route: ROUTES.iter().position(|r| *r == route).unwrap() as u8,
                        max: 7,
                        later: None,
                        encoder: false,
                    });
                    let flying = self.routes.get(route).is_some_and(|route| route.flight.is_some());
                    if !flying && !self.store().lease_again(route) {
                        break;
                    }
                    let place = ROUTES.iter().position(|r| *r == route).unwrap() as u8;
                    self.step(&Op::Settle { route: place, ends: vec![0; 8], skip: false });
                }
            }
        }
        for (name, route) in self.routes.iter().filter(|(name, _)| !name.ends_with('*')) {
            let queued = route.rows.values().filter(|place| !matches!(place, Place::Dead(..))).count();
            assert_eq!(queued, 0, "{name} still has {:?}", route.rows);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_matches_the_model_and_balances_after_every_step(ops in prop::collection::vec(op(), 1..60)) {
        let mut machine = Machine::new();
        for op in &ops {
            machine.step(op);
        }
        machine.drain();
    }
}
