//! What Sentry's responses mean. The vendor forbids resending after most errors, and limits by category.

use super::super::response::unsuccessful;
use super::super::server_message::server_message;
use super::kinds::{Switches, kinds_of};
use crate::destination::{Action, Backoff, Batch, Limit, RowOutcome, Verdict};
use crate::kind::{Kind, Lane};
use crate::limits;
use crate::reason::Reason;
use crate::transport::Response;
use std::time::Duration;

/// Wait of the whole route after a 429 that names no time.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// Bounds of the waits after 5xx, 408 and 425.
const OUTAGE_BACKOFF: Backoff = Backoff { first: Duration::from_secs(60), most: Duration::from_secs(600) };

pub(super) fn verdict(batch: &Batch<'_>, response: &Response, switches: Switches) -> Verdict {
    let all = |outcome: RowOutcome| Action::Settle(vec![outcome; batch.rows.len()]);
    let outage = matches!(response.status, 408 | 425 | 500..=599);
    let action = match response.status {
        // The body is an event id, or empty: self-hosted servers send an empty body for an envelope without an event.
        200..=299 => all(RowOutcome::Delivered),
        // The vendor forbids resending, and counts these itself.
        429 => all(RowOutcome::Dropped(Reason::RateLimited)),
        // The vendor says to drop everything. Crashes and errors are kept: otherwise they are lost in every incident.
        _ if outage => Action::Settle(batch.rows.iter().map(|row| after_outage(row.kind)).collect()),
        _ => match unsuccessful(response, "the key of the DSN was refused", "there is no project at this address") {
            Action::Split => all(RowOutcome::Dropped(Reason::Rejected)),
            action => action,
        },
    };
    Verdict {
        action,
        limits: limits_of(response, switches),
        note: note(response),
        caps: None,
        back_off: outage.then_some(OUTAGE_BACKOFF),
    }
}

fn after_outage(kind: Kind) -> RowOutcome {
    match kind.lane() {
        Lane::Crash | Lane::Critical => RowOutcome::Keep,
        Lane::Normal | Lane::Bulk => RowOutcome::Dropped(Reason::Rejected),
    }
}

/// The limits a response announces; Sentry sends them with any status.
fn limits_of(response: &Response, switches: Switches) -> Vec<Limit> {
    let named = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-sentry-rate-limits"));
    let named: Vec<&str> = named.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty()).collect();
    let mut limits: Vec<Limit> =
        named.iter().flat_map(|value| value.split(',')).filter_map(|limit| limit_of(limit, switches)).collect();
    let honoured = matches!(response.status, 408 | 425 | 429 | 500..=599);
    let wait = match response.retry_after().filter(|_| honoured && limits.is_empty()) {
        Some(wait) => Some(wait),
        None if response.status == 429 && named.is_empty() => Some(DEFAULT_LIMIT),
        None => None,
    };
    limits.extend(wait.filter(|wait| !wait.is_zero()).map(|wait| Limit { kinds: Vec::new(), wait }));
    limits
}

/// Parses `seconds:category;category:scope:reason:namespaces`. `None` if it limits no kind that is sent from here.
fn limit_of(text: &str, switches: Switches) -> Option<Limit> {
    let mut parts = text.trim().split(':');
    let seconds: f64 = parts.next()?.trim().parse().ok()?;
    // A number too large for a duration is a long wait, not a syntax error.
    let wait = match Duration::try_from_secs_f64(seconds) {
        Ok(wait) => wait,
        Err(_) if seconds > 0.0 => limits::RETRY_AFTER,
        Err(_) => return None,
    };
    let categories = parts.next().unwrap_or_default().trim();
    let kinds: Vec<Kind> = categories.split(';').flat_map(|category| kinds_of(category.trim(), switches)).collect();
    let applies = !wait.is_zero() && (categories.is_empty() || !kinds.is_empty());
    applies.then(|| Limit { kinds, wait: wait.min(limits::RETRY_AFTER) })
}

/// The server's error message; no payload.
fn note(response: &Response) -> Option<String> {
    if let Some(error) = response.header("x-sentry-error") {
        return Some(server_message(error));
    }
    if response.status < 400 {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let cause = body.get("causes").and_then(|causes| causes.get(0)).and_then(serde_json::Value::as_str);
    let detail = body.get("detail").and_then(serde_json::Value::as_str)?;
    Some(server_message(&cause.map_or_else(|| detail.to_owned(), |cause| format!("{detail}: {cause}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind as K;

    fn response(status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, ..Response::default() }
    }

    fn limits(status: u16, headers: &[(&str, &str)]) -> Vec<(Vec<Kind>, u64)> {
        let found = limits_of(&response(status, headers), Switches::default());
        found.into_iter().map(|limit| (limit.kinds, limit.wait.as_millis() as u64)).collect()
    }

    #[test]
    fn every_form_of_the_rate_limit_header_is_read() {
        let header = "X-Sentry-Rate-Limits";
        let errors = vec![K::Crash, K::Error, K::Hang, K::AppExit, K::Message, K::Alert];
        let timed = vec![K::ScreenLoad, K::AppStart, K::ApiCall, K::Span];
        for (value, expected) in [
            ("60::organization", vec![(vec![], 60_000)]),
            ("60", vec![(vec![], 60_000)]),
            ("60:", vec![(vec![], 60_000)]),
            ("60:error:key", vec![(errors.clone(), 60_000)]),
            ("60:transaction:key", vec![(timed.clone(), 60_000)]),
            (" 60 : transaction : key ", vec![(timed.clone(), 60_000)]),
            ("1.5:session:project:quota", vec![(vec![K::Session], 1_500)]),
            (
                "60:transaction:key, 2700:feedback;session:organization:quota_exceeded",
                vec![(timed.clone(), 60_000), (vec![K::Session, K::Feedback].into_iter().rev().collect(), 2_700_000)],
            ),
            ("60:metric_bucket:organization:quota:custom", vec![]),
            ("60:trace_metric:organization:quota:custom;other", vec![(vec![K::Metric], 60_000)]),
            ("60:never_heard_of:key", vec![]),
            ("60:never_heard_of;session:key", vec![(vec![K::Session], 60_000)]),
            ("0:error:key", vec![]),
            ("-5:error:key", vec![]),
            ("soon:error:key", vec![]),
            ("NaN::key", vec![]),
            ("1e300::key", vec![(vec![], 86_400_000)]),
            (",,60:session:key,", vec![(vec![K::Session], 60_000)]),
        ] {
            for status in [200, 400, 429, 503] {
                assert_eq!(limits(status, &[(header, value)]), expected, "{status} {value:?}");
            }
        }
        let two = [(header, "60:session:key"), (header, "5:feedback:key")];
        assert_eq!(limits(200, &two), [(vec![K::Session], 60_000), (vec![K::Feedback], 5_000)]);
    }

    #[test]
    fn retry_after_counts_for_all_where_no_limit_is_named() {
        let date = ("date", "Mon, 23 Nov 2026 02:00:00 GMT");
        let all = |ms| vec![(vec![], ms)];
        assert_eq!(limits(429, &[]), all(60_000));
        assert_eq!(limits(429, &[("x-sentry-rate-limits", " ")]), all(60_000));
        assert_eq!(limits(429, &[("retry-after", "90")]), all(90_000));
        assert_eq!(limits(429, &[("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT"), date]), all(600_000));
        assert_eq!(limits(429, &[("retry-after", "99999999")]), all(86_400_000));
        assert_eq!(limits(429, &[("retry-after", "soon")]), all(60_000));
        assert_eq!(limits(503, &[("retry-after", "90")]), all(90_000));
        assert_eq!(limits(503, &[]), []);
        assert_eq!(limits(200, &[("retry-after", "90")]), []);
        let both = [("retry-after", "90"), ("x-sentry-rate-limits", "5:session:key")];
        assert_eq!(limits(429, &both), [(vec![K::Session], 5_000)]);
    }

    #[test]
    fn the_note_of_a_refusal_is_the_servers_error_message() {
        let mut refused = response(400, &[]);
        refused.body = br#"{"detail":"bad envelope","causes":["missing newline","x"]}"#.to_vec();
        assert_eq!(note(&refused).as_deref(), Some("bad envelope: missing newline"));
        let error = [("x-sentry-error", "no such project\n")];
        assert_eq!(note(&response(404, &error)).as_deref(), Some("no such project"));
        assert_eq!(note(&response(500, &[])), None);
    }
}
