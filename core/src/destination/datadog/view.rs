//! Views: the screen of a row, and the view event with its newest state.
//!
//! Datadog keeps the highest version of a view, so every view event is complete. The counts come from the row, which
//! contains those of the whole screen, not from the rows in this batch. A batch contains each view once, in its newest
//! state.

use super::origin::is_uuid;
use crate::destination::screen_view::ends_view;
use crate::json::Json;
use crate::json::Object;
use crate::kind::Kind;
use crate::row::{Row, Run};
use std::collections::BTreeMap;

/// The view before the first screen, as the vendor's own SDKs name it.
const LAUNCH: &str = "ApplicationLaunch";

/// The view of a row.
pub(super) struct View<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}

impl<'a> View<'a> {
    /// The screen of the row, or the launch view of its run.
    pub(super) fn of(fields: &'a Json<'_>, run: Option<&'a Run>) -> View<'a> {
        let screen = fields.get("view").and_then(|view| {
            let id = view.text("id").filter(|id| is_uuid(id))?;
            Some(View { id, name: view.text("name").unwrap_or("unnamed") })
        });
        let launch = run.map(|run| run.id.as_str()).filter(|id| is_uuid(id));
        screen.unwrap_or(View { id: launch.unwrap_or("00000000-0000-0000-0000-000000000000"), name: LAUNCH })
    }

    /// The URL of the screen, in which blanks are escaped.
    pub(super) fn url(&self) -> String {
        let mut url = String::with_capacity(self.name.len() + 9);
        url.push_str("screen://");
        self.name.chars().for_each(|c| if c.is_whitespace() { url.push_str("%20") } else { url.push(c) });
        url
    }

    pub(super) fn write(&self, o: &mut Object<'_>) {
        o.text("id", self.id);
        o.text("url", &self.url());
        o.text("name", self.name);
    }
}

/// The newest state of a view in a batch.
pub(super) struct Newest<'a> {
    pub(super) row: &'a Row,
    pub(super) fields: &'a Json<'a>,
    crashes: i64,
    /// Counts of the rows in this batch, for the launch view, whose rows contain no counts.
    counts: [i64; 4],
    ended: bool,
}

/// What tells the runs of a batch apart. A change of release or facts has a number of its own in the same run; a run that is not
/// known has only its number.
type RunKey<'a> = (&'a str, i64);

fn run_key<'a>(row: &Row, run: Option<&'a Run>) -> RunKey<'a> {
    match run.map(|run| run.id.as_str()).filter(|id| !id.is_empty()) {
        Some(id) => (id, 0),
        None => ("", row.run),
    }
}

/// The newest state of each view, ordered by run and id.
pub(super) fn newest<'a>(
    rows: &'a [(&'a Row, Json<'a>)],
    run: impl Fn(&Row) -> Option<&'a Run>,
) -> BTreeMap<(RunKey<'a>, &'a str), Newest<'a>> {
    let mut views: BTreeMap<(RunKey<'a>, &str), Newest<'a>> = BTreeMap::new();
    let mut last: BTreeMap<RunKey<'a>, (u64, &str)> = BTreeMap::new();
    for (row, fields) in rows {
        let view = View::of(fields, run(row));
        let run = run_key(row, run(row));
        let ends = match row.kind {
            Kind::Session => !fields.is("init"),
            Kind::ScreenView => ends_view(fields),
            _ => false,
        };
        let newest =
            views.entry((run, view.id)).or_insert(Newest { row, fields, crashes: 0, counts: [0; 4], ended: false });
        if row.seq > newest.row.seq {
            (newest.row, newest.fields) = (row, fields);
        }
        newest.ended |= ends;
        newest.crashes += i64::from(row.kind == Kind::Crash);
        let counter = match row.kind {
            Kind::Interaction | Kind::Analytics | Kind::Revenue => Some(0),
            Kind::Error | Kind::Crash | Kind::Hang | Kind::AppExit => Some(1),
            Kind::ApiCall | Kind::ImageLoad => Some(2),
            Kind::LongTask => Some(3),
            _ => None,
        };
        if let Some(count) = counter.and_then(|at: usize| newest.counts.get_mut(at)) {
            *count += 1;
        }
        let last = last.entry(run).or_insert((row.seq, view.id));
        if row.seq >= last.0 {
            *last = (row.seq, view.id);
        }
    }
    // A screen is left when another one is opened.
    for ((run, id), newest) in &mut views {
        newest.ended |= last.get(run).is_some_and(|(_, shown)| shown != id);
    }
    views
}

impl Newest<'_> {
    /// Start of the view, in milliseconds since 1970.
    pub(super) fn started_ms(&self, run: Option<&Run>) -> i64 {
        let stamped = self.fields.get("view").and_then(|view| view.int("started_ms"));
        stamped.or(run.map(|run| run.wall_ms)).unwrap_or(self.row.wall_ms).clamp(0, self.row.wall_ms.max(0))
    }

    /// The version, which increases with every event of the view.
    pub(super) fn version(&self) -> i64 {
        let stamped = self.fields.get("view").and_then(|view| view.int("version"));
        stamped.unwrap_or_else(|| i64::try_from(self.row.seq).unwrap_or(i64::MAX)).max(1)
    }

    /// Writes the members of `view` other than id, URL and name.
    pub(super) fn write(&self, o: &mut Object<'_>, run: Option<&Run>) {
        let stamp = self.fields.get("view");
        let counts = stamp.and_then(|view| view.get("counts"));
        let count = |key: &str, at: usize| match (stamp, counts) {
            (Some(_), counts) => counts.and_then(|counts| counts.int(key)).unwrap_or(0),
            (None, _) => self.counts.get(at).copied().unwrap_or(0),
        };
        let spent_ms = self.row.wall_ms.saturating_sub(self.started_ms(run)).max(0);
        o.number("time_spent", spent_ms.saturating_mul(1_000_000));
        if let Some(us) = stamp.and_then(|view| view.int("loading_us")) {
            o.number("loading_time", us.max(0).saturating_mul(1_000));
        }
        self.timings(o);
        o.flag("is_active", !self.ended && self.crashes == 0);
        total(o, "action", count("action", 0));
        total(o, "error", count("error", 1));
        total(o, "resource", count("resource", 2));
        total(o, "long_task", count("long_task", 3));
        if self.crashes > 0 {
            total(o, "crash", self.crashes);
        }
        if let Some(frozen) = self.frames("frozen") {
            total(o, "frozen_frame", frozen);
        }
    }

    /// The named times of the view in nanoseconds. Datadog accepts letters, digits and `-_.@$` in a name.
    fn timings(&self, o: &mut Object<'_>) {
        let timings = self.fields.get("view").map(|view| view.map("timings")).unwrap_or_default();
        if timings.is_empty() {
            return;
        }
        o.object("custom_timings", |o| {
            let mut seen: Vec<String> = Vec::new();
            for (name, us) in timings {
                let valid = |c: char| if c.is_ascii_alphanumeric() || "-_.@$".contains(c) { c } else { '_' };
                let name: String = name.chars().map(valid).collect();
                let Json::Int(us) = us else { continue };
                if !name.is_empty() && !seen.contains(&name) {
                    o.number(&name, us.max(&0).saturating_mul(1_000));
                    seen.push(name);
                }
            }
        });
    }

    /// The attributes of the view.
    pub(super) fn attrs(&self) -> &[(std::borrow::Cow<'_, str>, Json<'_>)] {
        self.fields.get("view").map(|view| view.map("attrs")).unwrap_or_default()
    }

    /// The number of slow, frozen or total frames so far.
    pub(super) fn frames(&self, key: &str) -> Option<i64> {
        self.fields.get("view")?.get("frames")?.int(key)
    }
}

/// Writes `{"count": n}`, the form of the counters of a view.
fn total(o: &mut Object<'_>, name: &str, count: i64) {
    o.object(name, |o| o.number("count", count.max(0)));
}
