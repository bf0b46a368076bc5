//! What Sentry's answers mean. It forbids resending on any status but 5xx for what matters most, and limits by category.

use super::super::server_message::server_message;
use super::kinds::{Switches, kinds_of};
use crate::destination::{Action, Backoff, Batch, Limit, RowOutcome, Verdict};
use crate::kind::{Kind, Lane};
use crate::limits;
use crate::reason::Reason;
use crate::transport::Answer;
use std::time::Duration;

/// How long everything waits after a 429 that does not say so.
const UNSAID: Duration = Duration::from_secs(60);

/// Waits while the service is in trouble.
const TROUBLE: Backoff = Backoff { first: Duration::from_secs(60), most: Duration::from_secs(600) };

pub(super) fn verdict(batch: &Batch<'_>, answer: &Answer, switches: Switches) -> Verdict {
    let all = |outcome: RowOutcome| Action::Settle(vec![outcome; batch.rows.len()]);
    let trouble = matches!(answer.status, 408 | 425 | 500..=599);
    let action = match answer.status {
        200..=299 if answer.cut => Action::Ambiguous("the answer was cut short".into()),
        200..=299 if is_an_object(&answer.body) => all(RowOutcome::Delivered),
        200..=299 => Action::Ambiguous("the answer is not one of Sentry's".into()),
        300..=399 => Action::Stop(match answer.header("location") {
            Some(to) => format!("the endpoint redirects to {}", server_message(to)),
            None => "the endpoint redirects".to_owned(),
        }),
        401 | 403 => Action::Stop(format!("the key of the DSN was refused ({})", answer.status)),
        404 | 405 | 410 => Action::Stop(format!("there is no project at this address ({})", answer.status)),
        // The vendor forbids resending, and counts these itself.
        429 => all(RowOutcome::Dropped(Reason::RateLimited)),
        // To drop crashes here, as the vendor says, is why they vanish in incidents.
        _ if trouble => Action::Settle(batch.rows.iter().map(|row| in_trouble(row.kind)).collect()),
        400..=499 => all(RowOutcome::Dropped(Reason::Rejected)),
        status => Action::Ambiguous(format!("status {status} means nothing here")),
    };
    Verdict {
        action,
        limits: limits_of(answer, switches),
        note: note(answer),
        caps: None,
        back_off: trouble.then_some(TROUBLE),
    }
}

fn in_trouble(kind: Kind) -> RowOutcome {
    match kind.lane() {
        Lane::Crash | Lane::Critical => RowOutcome::Keep,
        Lane::Normal | Lane::Bulk => RowOutcome::Dropped(Reason::Rejected),
    }
}

fn is_an_object(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body).is_ok()
}

/// The limits of an answer of any status.
fn limits_of(answer: &Answer, switches: Switches) -> Vec<Limit> {
    let named = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-sentry-rate-limits"));
    let named: Vec<&str> = named.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty()).collect();
    let mut limits: Vec<Limit> =
        named.iter().flat_map(|value| value.split(',')).filter_map(|limit| limit_of(limit, switches)).collect();
    let asked = matches!(answer.status, 408 | 425 | 429 | 500..=599);
    let wait = match answer.retry_after().filter(|_| asked && limits.is_empty()) {
        Some(wait) => Some(wait),
        None if answer.status == 429 && named.is_empty() => Some(UNSAID),
        None => None,
    };
    limits.extend(wait.filter(|wait| !wait.is_zero()).map(|wait| Limit { kinds: Vec::new(), wait }));
    limits
}

/// `seconds:category;category:scope:reason:namespaces`. `None` where it says nothing about what is sent from here.
fn limit_of(text: &str, switches: Switches) -> Option<Limit> {
    let mut parts = text.trim().split(':');
    let seconds: f64 = parts.next()?.trim().parse().ok()?;
    // More seconds than a duration holds are a long wait, not an unreadable one.
    let wait = match Duration::try_from_secs_f64(seconds) {
        Ok(wait) => wait,
        Err(_) if seconds > 0.0 => limits::RETRY_AFTER,
        Err(_) => return None,
    };
    let categories = parts.next().unwrap_or_default().trim();
    let kinds: Vec<Kind> = categories.split(';').flat_map(|category| kinds_of(category.trim(), switches)).collect();
    let says = !wait.is_zero() && (categories.is_empty() || !kinds.is_empty());
    says.then(|| Limit { kinds, wait: wait.min(limits::RETRY_AFTER) })
}

/// The server's own words, no payload.
fn note(answer: &Answer) -> Option<String> {
    if let Some(error) = answer.header("x-sentry-error") {
        return Some(server_message(error));
    }
    if answer.status < 400 {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let cause = body.get("causes").and_then(|causes| causes.get(0)).and_then(serde_json::Value::as_str);
    let detail = body.get("detail").and_then(serde_json::Value::as_str)?;
    Some(server_message(&cause.map_or_else(|| detail.to_owned(), |cause| format!("{detail}: {cause}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind as K;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status, headers, ..Answer::default() }
    }

    fn limits(status: u16, headers: &[(&str, &str)]) -> Vec<(Vec<Kind>, u64)> {
        let found = limits_of(&answer(status, headers), Switches::default());
        found.into_iter().map(|limit| (limit.kinds, limit.wait.as_millis() as u64)).collect()
    }

    #[test]
    fn every_form_of_the_rate_limit_header_is_read() {
        let header = "X-Sentry-Rate-Limits";
        let errors = vec![K::Crash, K::Error, K::Hang, K::AppExit, K::Message];
        let timed = vec![K::ScreenLoad, K::AppStart, K::ApiCall];
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
    fn a_refusal_is_noted_in_the_servers_words() {
        let mut refused = answer(400, &[]);
        refused.body = br#"{"detail":"bad envelope","causes":["missing newline","x"]}"#.to_vec();
        assert_eq!(note(&refused).as_deref(), Some("bad envelope: missing newline"));
        let error = [("x-sentry-error", "no such project\n")];
        assert_eq!(note(&answer(404, &error)).as_deref(), Some("no such project"));
        assert_eq!(note(&answer(500, &[])), None);
    }
}
