//! The inspect protocol: what a collector received answers like a queue.

use super::ReceivedError;
use super::file::{Db, Sql, failed, unsigned};
use rez_monitor::inspect::{Received, RouteFate, answer_received, number};
use rez_monitor::{EventId, Reason, Row};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Installations that are named, those that were seen last.
const INSTALLS: usize = 100;

const MS_PER_DAY: i64 = 24 * 3600 * 1000;

/// Reads the file of a collector, which may be running. Opens it for each request, so that a file in its place is followed.
#[derive(Clone, Debug)]
pub struct Reader(PathBuf);

impl Reader {
    /// Opens the file.
    ///
    /// # Errors
    /// It is not the file of a collector of this version.
    pub fn open(path: &Path) -> Result<Reader, ReceivedError> {
        Db::read(path).map(|_| Reader(path.to_owned()))
    }

    /// Answers a request of the inspect protocol.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn inspect(&self, request: &str) -> Result<String, ReceivedError> {
        Db::read(&self.0)?.inspect(request)
    }
}

impl Db {
    /// Answers a request of the inspect protocol.
    pub(crate) fn inspect(&self, request: &str) -> Result<String, ReceivedError> {
        answer_received(self, request).map_err(|error| failed(self.path(), &error))
    }
}

impl Received for Db {
    type Error = rusqlite::Error;

    fn about(&self) -> Sql<Value> {
        let installs = self.all(
            "SELECT install, count(*), group_concat(DISTINCT protocol) FROM event WHERE install <> '' GROUP BY install
             ORDER BY max(n) DESC LIMIT ?1",
            [INSTALLS as i64],
            |row| {
                let mut protocols: Vec<String> = row.get::<_, String>(2)?.split(',').map(str::to_owned).collect();
                protocols.sort();
                Ok((row.get::<_, String>(0)?, unsigned(row, 1)?, protocols))
            },
        )?;
        let install = if let [(one, ..)] = installs.as_slice() { one.clone() } else { String::new() };
        let installs: Vec<Value> = installs
            .into_iter()
            .map(|(install, events, protocols)| json!({"install": install, "events": events, "protocols": protocols}))
            .collect();
        Ok(json!({"source": "collector", "app": "Collector", "install": install, "installs": installs, "can": []}))
    }

    fn version(&self) -> Sql<u64> {
        self.connection.query_row("SELECT version FROM state", [], |row| unsigned(row, 0))
    }

    fn rows(&self, before: Option<u64>, take: &mut dyn FnMut(Row, Vec<RouteFate>) -> ControlFlow<()>) -> Sql<()> {
        self.rows_before(before, take)
    }

    fn row(&self, id: EventId) -> Sql<Option<(Row, Vec<RouteFate>)>> {
        self.row_of(id)
    }

    fn status(&self) -> Sql<Value> {
        let totals = Totals::read(self)?;
        let kinds: Vec<Value> = totals
            .kinds
            .iter()
            .map(|(kind, n)| json!({"kind": kind, "folded": n, "late": 0, "stored": n, "dropped": {}, "holds": true}))
            .collect();
        let routes: Vec<Value> = totals.routes.iter().map(|(protocol, [good, bad])| json!({"route": protocol, "stored": good + bad,
            "queued": 0, "in_flight": 0, "delivered": good, "dead": bad, "unwanted": 0, "dropped": {}, "holds": true, "waits": [],
            "last": null})).collect();
        let balance = json!({"install": "", "epoch": 0, "numbered": totals.rows, "rows": totals.rows, "lanes": totals.lanes(), "bytes": totals.bytes,
            "cap": null, "oldest_ms": totals.oldest_ms, "kinds": kinds, "routes": routes, "refused": {}, "unreadable": null,
            "holds": true});
        Ok(json!({"lines": totals.lines(), "live": false, "balance": balance}))
    }

    fn drops(&self) -> Sql<Value> {
        let line = |ms: i64, route: &str, kind: &str, reason: &str, n: u64, text: Option<&str>| {
            let day = rez_monitor::inspect::time(ms).chars().take(10).collect::<String>();
            json!({"day": day, "route": route, "kind": kind, "reason": reason, "n": n, "text": text})
        };
        let mut drops = self.all(
            "SELECT max(told_ms), install, kind, reason, sum(count) FROM lost GROUP BY install, kind, reason
             ORDER BY 1 DESC, 2, 3, 4",
            [],
            |row| {
                let (install, kind, reason): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
                let meaning = Reason::parse(&reason).map(Reason::meaning);
                let route = format!("reported by {install}");
                Ok(line(row.get(0)?, &route, &kind, &reason, unsigned(row, 4)?, meaning))
            },
        )?;
        let rejected = format!(
            "SELECT received_ms / {MS_PER_DAY}, protocol, kind, code, count(*), min(message) FROM event WHERE code IS NOT NULL
             GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4"
        );
        drops.extend(self.all(&rejected, [], |row| {
            let (protocol, kind, code): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let message: Option<String> = row.get(5)?;
            let ms = row.get::<_, i64>(0)?.saturating_mul(MS_PER_DAY);
            Ok(line(ms, &protocol, &kind, &code, unsigned(row, 4)?, message.as_deref()))
        })?);
        Ok(json!({"drops": drops, "refused": {}}))
    }
}

/// Counts over all events.
#[derive(Default)]
struct Totals {
    rows: u64,
    bytes: u64,
    oldest_ms: Option<i64>,
    repeats: u64,
    installs: u64,
    /// Accepted and against the plan.
    against_plan: u64,
    kinds: BTreeMap<String, u64>,
    /// Accepted and rejected events of each protocol.
    routes: BTreeMap<String, [u64; 2]>,
}

impl Totals {
    fn read(db: &Db) -> Sql<Totals> {
        let mut totals = db.connection.query_row(
            "SELECT count(*), coalesce(sum(octet_length(text)), 0), min(time_ms), coalesce(sum(repeats), 0),
               count(DISTINCT nullif(install, '')), coalesce(sum(code IS NULL AND findings IS NOT NULL), 0) FROM event",
            [],
            |row| {
                Ok(Totals {
                    rows: unsigned(row, 0)?,
                    bytes: unsigned(row, 1)?,
                    oldest_ms: row.get(2)?,
                    repeats: unsigned(row, 3)?,
                    installs: unsigned(row, 4)?,
                    against_plan: unsigned(row, 5)?,
                    ..Totals::default()
                })
            },
        )?;
        let sql = "SELECT coalesce(sum(replayed * events), 0) FROM batch";
        let replayed = db.connection.query_row(sql, [], |row| unsigned(row, 0))?;
        totals.repeats = totals.repeats.saturating_add(replayed);
        let sql = "SELECT protocol, kind, sum(code IS NULL), sum(code IS NOT NULL) FROM event GROUP BY 1, 2";
        let lines = db.all(sql, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, unsigned(row, 2)?, unsigned(row, 3)?))
        })?;
        for (protocol, kind, good, bad) in lines {
            let of_kind = totals.kinds.entry(kind).or_default();
            *of_kind = of_kind.saturating_add(good).saturating_add(bad);
            let [all_good, all_bad] = totals.routes.entry(protocol).or_default();
            (*all_good, *all_bad) = (all_good.saturating_add(good), all_bad.saturating_add(bad));
        }
        Ok(totals)
    }

    fn lanes(&self) -> Vec<u64> {
        let mut lanes = vec![0_u64; rez_monitor::Lane::ALL.len()];
        for (kind, n) in &self.kinds {
            let lane = rez_monitor::Kind::parse(kind).map(|kind| usize::from(kind.lane().number()));
            if let Some(sum) = lane.and_then(|lane| lanes.get_mut(lane)) {
                *sum = sum.saturating_add(*n);
            }
        }
        lanes
    }

    fn lines(&self) -> Vec<String> {
        let events = |n: u64| format!("{} {}", number(n), if n == 1 { "event" } else { "events" });
        let mut lines: Vec<String> = self
            .routes
            .iter()
            .map(|(protocol, [good, bad])| format!("{protocol}: {} accepted, {} rejected", events(*good), number(*bad)))
            .collect();
        if self.repeats > 0 {
            lines.push(format!("{} came again and were not stored twice", events(self.repeats)));
        }
        if self.against_plan > 0 {
            lines.push(format!("{} accepted, but not as the tracking plan says", events(self.against_plan)));
        }
        if self.installs > 0 {
            let word = if self.installs == 1 { "installation" } else { "installations" };
            lines.push(format!("from {} {word}", number(self.installs)));
        }
        lines
    }
}

/// Counts of a search by HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Verdict {
    pub(crate) total: u64,
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

impl Db {
    /// How many events are accepted and as the plan says, and how many are not.
    pub(crate) fn verdict(&self) -> Sql<Verdict> {
        let sql = "SELECT count(*), coalesce(sum(code IS NULL AND findings IS NULL), 0) FROM event";
        let (total, good) = self.connection.query_row(sql, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
        Ok(Verdict { total, good, bad: total.saturating_sub(good) })
    }
}
