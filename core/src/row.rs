//! Rows, runs and counts of lost events, as the store returns them.
//!
//! The `json` of a row is one flat object, the same for every reader (encoders, inspector, SQL). Fields that several kinds
//! share:
//!
//! | field | meaning |
//! | --- | --- |
//! | `session` | id of the session (UUID) |
//! | `view` | `{id, name, version, counts{error, resource, action, long_task}, started_ms, loading_us, frames{slow, frozen, total}, attrs, timings{name: microseconds since its start}}`: the screen or the app's own view on which it happened, with its state so far; the last four are present once known |
//! | `trace` | `{trace_id (32 hex), span_id (16 hex), parent (16 hex, optional), sampled (bool, only if another system decided it), propagated (true: a call whose headers were given out)}` |
//! | `user` | `{id, email, username, ...}` as set by the app; `anonymous`: the device's own id of a user who is not identified, absent while it is the install id |
//! | `tags`, `contexts` | string map; map of objects |
//! | `attrs` | the app's own attributes, and the super properties of its time that it does not have itself (analytics, revenue, screen_view, interaction) |
//! | `cut` | number of values cut or replaced because of a limit |
//! | `collapsed_before` | errors, messages and alerts: repetitions of this one that were not stored |
//! | `conditions` | crash, error, hang, app_exit: `{free_memory_bytes, free_storage_bytes, battery (0 to 1), charging, low_power, orientation, connection, carrier_technology, metered, foreground}`, those that are known |
//! | `flags` | crash, error, hang, app_exit, screen_load, screen_view: `[{flag, result}]`, the feature flags that the app evaluated, oldest change first |
//! | `paused` | names of the destinations that were paused when the event was recorded: they never get it; the last member but `denied` |
//! | `denied` | kinds with two purposes: the one (`monitoring`, `analytics`) that was denied when the event was recorded; the last member |
//!
//! Fields by kind (`_us` microseconds, `_ms` milliseconds since 1970 or of duration, `_bytes` bytes):
//!
//! | kind | fields |
//! | --- | --- |
//! | crash, error | `type`, `message`, `level`, `handled`, `severity`, `code`, `context`, `mechanism`, `language`, `frames` `[{function, module, file, line, column, address, in_app, language}]` (outermost first), `stack` (a text that was not parsed), `group`, `causes` `[{type, message, parent, source, group, frames}]` (outermost first; `parent` counts from 1, the error itself is 0), `threads` `[{id, name, crashed, main, frames}]`, `fingerprint` (a text or a list of texts), `collapsed_before`, `trail` (breadcrumbs, oldest first); of a native crash also `debug_images` `{file name: {type, image_addr, image_size, code_id, debug_id}}`, the libraries in which its frames are; of a crash `since_start_ms` (of its run), `since_screen_ms` (of the screen that is shown), `cause` (what the system reports) |
//! | hang | `message`, `duration_us`, `language`, `frames`, `threads`, `trail` |
//! | app_exit | `cause` (`abnormal`: in the foreground, and nothing tells why), `message`, `trail` |
//! | message | `message`, `level`, `context` |
//! | log | `message`, `level` (`trace` to `fatal`), `logger` |
//! | alert | `title`, `description`, `severity` (`info`, `warning`, `error`, `critical`); `attrs` are its details |
//! | screen_load | `name`, `start_ms`, `duration_us`, `initial_us`, `full_us`, `slow`, `children` `[{id, kind, name (endpoint, URL, task or span), op, method, start_us (after the start of the row's own span), duration_us, status, failed, attrs (of a span), trace}]`, `children_dropped` (number of those that had no place) |
//! | app_start | `type` (`cold`, `warm`), `start_ms`, `duration_us`, `children` |
//! | api_call | `method`, `url` (no query), `endpoint` (template), `start_ms`, `duration_us`, `status`, `request_bytes`, `response_bytes`, `error`, `slow`, `failed`, `request_headers`, `response_headers` (those that the app records, by name), `child_of` (inside a screen load in progress: its view id; inside a span: the id of its root span) |
//! | image_load | `url`, `start_ms`, `duration_us`, `response_bytes`, `slow`, `child_of` |
//! | long_task | `name`, `start_ms`, `duration_us`, `child_of` |
//! | span | `name`, `op`, `start_ms`, `duration_us`, `status` (`ok`, `error`, `cancelled`), `children`, `children_dropped`, `child_of` |
//! | frames | `name` (screen), `slow_frames`, `frozen_frames`, `total_frames` |
//! | interaction | `action`, `component` |
//! | screen_view | `name`, `class`; of a view that the app names: `op` (`start`, `stop`), `key`, `duration_us` (stop) |
//! | analytics | `name`, `duration_us` (since `time_event`, if the event was timed) |
//! | user_prop | `op` (`set`, `set_once`, `unset`, `increment`, `append`, `union`, `remove`, `delete`), `name` (not delete), `by` (increment), `value` (the new absolute value; for append, union and remove the given one; for set_once the one that is in place afterwards) |
//! | revenue | `amount`, `currency`, `transaction_id`, `items` |
//! | session | `status` (`ok`, `exited`, `crashed`, `abnormal`), `init`, `started_ms`, `duration_us`, `errors`, `release` (its own, if a later run ended it) |
//! | metric | `name`, `type` (`counter`, `gauge`, `distribution`), `value`, `unit` |
//! | feedback | `message`, `name`, `email`, `about` (event id) |
//!
//! `reports` of a crash or app_exit are what other sources told of it later, latest first: `{at_ms, cause or type, message, mechanism,
//! attrs}`. A row with it has it as its first member.
//!
//! A breadcrumb inside `trail`: `{ts (ms), type, category, message, level, data}`.

use crate::facts::Facts;
use crate::id::EventId;
use crate::kind::{Kind, Purpose};
use crate::reason::Reason;

/// A stored event. Immutable: retries and other destinations read the same bytes. Only `reports` is added, while no destination has it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Insertion order: epoch x 2^40 + n. Fits a JSON number.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// Its kind.
    pub kind: Kind,
    /// The run it was recorded in; see [`Run::number`].
    pub run: i64,
    /// When it happened, in milliseconds since 1970: the time that the caller gave, else the device's wall clock at the call.
    pub wall_ms: i64,
    /// The same moment in milliseconds since boot, sleep included. Negative if it was before the boot.
    pub mono_ms: i64,
    /// The destinations that receive it; empty = all that accept its kind.
    pub targets: Vec<String>,
    /// The event itself; see the module's documentation.
    pub json: String,
}

impl Row {
    /// Whether this destination was paused when the event was recorded.
    pub(crate) fn is_paused_for(&self, destination: &str) -> bool {
        let denied = Purpose::ALL.into_iter().find_map(|purpose| self.json.strip_suffix(denied_member(purpose)));
        let Some(json) = denied.or_else(|| self.json.strip_suffix('}')) else { return false };
        // Most rows do not end with a list of texts.
        let Some(names) =
            json.strip_suffix("\"]").and_then(|json| json.rsplit_once(PAUSED_MEMBER)).map(|(_, names)| names)
        else {
            return false;
        };
        // Names have no character that JSON escapes, so a bracket would mean that the member is another one's.
        !names.contains(['[', ']', '{', '}']) && names.trim_matches('"').split("\",\"").any(|name| name == destination)
    }

    /// The purpose that was denied when the event was recorded. A later grant does not apply to it.
    pub(crate) fn denied(&self) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|purpose| self.json.ends_with(denied_member(*purpose)))
    }
}

/// Notes in the JSON of a row that a purpose was denied when the event was recorded.
pub(crate) fn push_denied(json: &mut String, purpose: Purpose) {
    if json.len() > 2 && json.ends_with('}') {
        json.pop();
        json.push_str(denied_member(purpose));
    }
}

const PAUSED_MEMBER: &str = r#","paused":["#;

/// Notes in the JSON of a row which destinations were paused when the event was recorded: a JSON array of their names.
/// Comes before [`push_denied`].
pub(crate) fn push_paused(json: &mut String, names: &str) {
    if json.len() > 2 && json.ends_with('}') && names.len() > 2 {
        json.pop();
        json.push_str(PAUSED_MEMBER);
        json.push_str(names.strip_prefix('[').unwrap_or(names));
        json.push('}');
    }
}

/// The end of such a row: the member is the last one, so that reading it costs nothing.
fn denied_member(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Monitoring => r#","denied":"monitoring"}"#,
        Purpose::Analytics => r#","denied":"analytics"}"#,
    }
}

/// A run of the process: what all its rows share. When release or facts change, the same run continues under another number;
/// rows name the number that was valid when they were recorded.
#[derive(Clone, Debug, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// Number of the run in this store. A change of the run has a higher one.
    #[serde(default)]
    pub number: i64,
    /// How many changes of release or facts the run has had.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub change: u32,
    /// Id of the run (UUID). All changes of a run have the same.
    pub id: String,
    /// Id of its process; 0 if a build that did not keep it wrote the row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pid: u32,
    /// Id of the boot it ran in.
    pub boot: String,
    /// The app's name.
    pub app: String,
    /// The app's release, verbatim.
    pub release: String,
    /// The app's build number, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
    /// `production`, `staging` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Operating system, with its version if set. Name and version of the facts, where they name a system.
    pub os: String,
    /// Device model, if set. The model of the facts, where they name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Wall clock at `open`, milliseconds since 1970.
    pub wall_ms: i64,
    /// Milliseconds since boot at `open`.
    pub mono_ms: i64,
    /// Facts about device, system and app.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}

impl Run {
    /// What tells the changes of a run apart in the store: the id, with the number of the change behind the first one.
    pub(crate) fn key(&self) -> String {
        if self.change == 0 { self.id.clone() } else { format!("{}/{}", self.id, self.change) }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature that serde calls.
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A cumulative count of events that were not delivered in this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub reason: Reason,
    /// Their kind; `None` if damage made it unreadable (spelled `unknown`).
    pub kind: Option<Kind>,
    /// The number since the epoch began.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str, paused: &str, denied: Option<Purpose>) -> Row {
        let mut json = json.to_owned();
        push_paused(&mut json, paused);
        denied.into_iter().for_each(|purpose| push_denied(&mut json, purpose));
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        let id = EventId::from_bytes([7; 16]);
        Row { seq: 1, id, kind: Kind::ScreenView, run: 1, wall_ms: 0, mono_ms: 0, targets: Vec::new(), json }
    }

    #[test]
    fn a_row_names_the_destinations_that_were_paused_and_only_those() {
        for denied in [None, Some(Purpose::Analytics), Some(Purpose::Monitoring)] {
            let row = row(r#"{"name":"a"}"#, r#"["ga4","mix.panel-2"]"#, denied);
            assert!(row.is_paused_for("ga4") && row.is_paused_for("mix.panel-2"));
            assert!(!row.is_paused_for("ga") && !row.is_paused_for("mixpanel") && !row.is_paused_for(""));
            assert_eq!(row.denied(), denied);
        }
    }

    #[test]
    fn what_an_app_writes_never_looks_like_a_pause() {
        for json in [
            r#"{"name":"a"}"#,
            r#"{"attrs":{"a":1,"paused":["ga4"]}}"#,
            r#"{"a":1,"paused":["x",["ga4"]]}"#,
            r#"{"message":",\"paused\":[\"ga4\"]"}"#,
            r#"{"a":[",\"paused\":[","ga4"]}"#,
            r#"{"a":1,"paused":"ga4"}"#,
            "{}",
            "",
        ] {
            let row = Row { json: json.to_owned(), ..row(r#"{"name":"a"}"#, "[]", None) };
            assert!(!row.is_paused_for("ga4"), "{json}");
        }
    }
}
