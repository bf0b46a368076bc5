//! Slack: an at-most-once route whose requests have one alert each.

use super::*;
use crate::destination::Slack;

const ROUTE: &str = "main/slack.webhook";

#[test]
fn an_alert_that_is_always_answered_with_503_waits_five_minutes_and_the_others_pass() {
    let mut bench = Bench::bare();
    bench.add("main", Arc::new(Slack::builder("http://127.0.0.1:1/services/T0").build().unwrap()));
    bench.usual(Turn::By(|request| {
        let status = if body(request).to_string().contains("always 503") { 503 } else { 200 };
        Response { status, body: b"ok".to_vec(), ..Response::default() }
    }));
    bench.store_rows(Kind::Alert, r#"{"title":"always 503"}"#, 1);
    bench.put(Kind::Alert, 10);
    let started = bench.clock.mono_ms();
    while bench.balance_of(ROUTE).delivered < 10 && bench.clock.mono_ms() - started < DAY {
        bench.next();
    }
    let account = bench.balance_of(ROUTE);
    assert_eq!((account.delivered, account.queued, account.dropped.len()), (10, 1, 0), "{account:?}");
    assert_eq!(bench.requests(), 5 + 10);
    assert!(bench.next() > Duration::from_secs(4 * 60), "it is tried again");
}
