//! 2xx responses, what only looks like one, and the vendors' own forms of failure, for every destination.

use super::responses::{Outcome, Subject, check};
use super::*;

/// A route of a destination, with a kind of event that it wants.
pub(super) struct Case {
    pub(super) subject: Subject,
    pub(super) kind: Kind,
    pub(super) at_most_once: bool,
    /// Only a response that accounts for all events is success.
    pub(super) strict: bool,
    /// First wait after a failure, in seconds.
    first_wait: u64,
}

fn case(route: &'static str, kind: Kind, destination: fn() -> Arc<dyn Destination>, accept: fn() -> Turn) -> Case {
    let subject = Subject { destination, route, accept };
    Case { subject, kind, at_most_once: false, strict: false, first_wait: 1 }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![Case { strict: true, ..case("rez.batch", Kind::Error, || rez("key"), || Turn::Accept) }];
    for kind in [Kind::Error, Kind::Session] {
        let sentry = || -> Arc<dyn Destination> {
            Arc::new(crate::destination::Sentry::builder("http://key@127.0.0.1:1/42").build().unwrap())
        };
        cases.push(case("sentry.envelope", kind, sentry, || status(200)));
    }
    #[cfg(feature = "destination-datadog")]
    for (route, kind) in [("datadog.rum", Kind::Error), ("datadog.logs", Kind::Message)] {
        let datadog = || -> Arc<dyn Destination> {
            let id = "0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11";
            Arc::new(crate::destination::Datadog::builder(id, "t").endpoint("http://127.0.0.1:1").build().unwrap())
        };
        cases.push(case(route, kind, datadog, || status(202)));
    }
    #[cfg(feature = "destination-mixpanel")]
    for (route, kind, at_most_once) in [
        ("mixpanel.import", Kind::Analytics, false),
        ("mixpanel.set", Kind::UserProp, false),
        ("mixpanel.add", Kind::Revenue, true),
    ] {
        let mixpanel = || -> Arc<dyn Destination> {
            Arc::new(crate::destination::Mixpanel::builder("token").endpoint("http://127.0.0.1:1").build().unwrap())
        };
        cases.push(Case { at_most_once, first_wait: 2, ..case(route, kind, mixpanel, || with(200, &[], "1")) });
    }
    #[cfg(feature = "destination-ga4")]
    {
        let ga4 = || -> Arc<dyn Destination> {
            let builder = crate::destination::Ga4::web_stream("G-ABC1234567", "secret");
            Arc::new(builder.endpoint("http://127.0.0.1:1").build().unwrap())
        };
        cases.push(Case { at_most_once: true, ..case("ga4.collect", Kind::Analytics, ga4, || status(204)) });
    }
    #[cfg(feature = "destination-otlp")]
    for (route, kind) in [("otlp.logs", Kind::Error), ("otlp.traces", Kind::ApiCall), ("otlp.metrics", Kind::Frames)] {
        let otlp = || -> Arc<dyn Destination> {
            Arc::new(crate::destination::Otlp::builder("http://127.0.0.1:1").build().unwrap())
        };
        cases.push(case(route, kind, otlp, || status(200)));
    }
    cases
}

impl Case {
    /// Responds to the first request with `turn`. The event is kept and arrives with the next request.
    fn check_kept(&self, turn: Turn, why: &'static str, name: &str) {
        let wait = Some((self.first_wait * 1_000, self.first_wait * 2_000));
        let (in_flight, queued) = if self.at_most_once { (0, 1) } else { (1, 0) };
        let kept = Outcome { in_flight, queued, next: wait, why, ..Outcome::default() };
        check(&self.subject, &format!("{}, {name}", self.subject.route), self.kind, 1, turn, &kept);
    }

    fn check_delivered(&self, turn: Turn, name: &str) {
        let done = Outcome { delivered: 1, ..Outcome::default() };
        check(&self.subject, &format!("{}, {name}", self.subject.route), self.kind, 1, turn, &done);
    }
}

#[test]
fn a_2xx_of_any_form_is_success_except_for_our_own_protocol() {
    let (json, text, html) = ("application/json", "text/plain", "text/html");
    for case in cases() {
        for (code, content_type, body) in [
            (200, "", ""),
            (201, json, ""),
            (202, text, ""),
            (204, "", ""),
            (200, html, ""),
            (200, "", "{}"),
            (200, json, "{}"),
            (200, html, "{}"),
            (200, text, "OK"),
            (200, "", "1"),
            (200, "", "[]"),
            (200, json, "null"),
            (200, "", r#""stored""#),
            (200, json, r#"{"result":{"ok":true}}"#),
        ] {
            let headers = [("content-type", content_type)];
            let turn = with(code, if content_type.is_empty() { &[] } else { &headers }, body);
            let name = format!("{code} {content_type:?} {body:?}");
            if case.strict {
                case.check_kept(turn, "can be understood", &name);
            } else {
                case.check_delivered(turn, &name);
            }
        }
    }
}

#[test]
fn a_captive_portal_settles_nothing_and_counts_as_an_unreachable_server() {
    let (html, json) = (("content-type", "text/html"), ("content-type", "application/json"));
    let login = ("location", "https://login.example/");
    for case in cases() {
        for (code, headers, body) in [
            (200, vec![html], "<html>Welcome</html>"),
            (200, vec![html], "Welcome"),
            (200, vec![], "<html>"),
            (200, vec![], " \r\n<!DOCTYPE html>"),
            (202, vec![json], "<html>"),
            (302, vec![login], ""),
            (303, vec![], ""),
            (307, vec![login, html], "<html>"),
            (511, vec![html], "<html>"),
        ] {
            let name = format!("{code} {headers:?} {body:?}");
            case.check_kept(with(code, &headers, body), "could not be reached", &name);
        }
    }
}

#[test]
fn a_permanent_redirect_stops_the_route() {
    for case in cases() {
        for code in [301, 308] {
            let turn = with(code, &[("location", "https://new.example/")], "<html>");
            let next = Some((3_600_000, 3_600_000));
            let why = "stopped: the endpoint redirects to https://new.example/";
            let stopped = Outcome { queued: 1, next, why, stopped: true, ..Outcome::default() };
            check(&case.subject, case.subject.route, case.kind, 1, turn, &stopped);
        }
    }
}

#[cfg(feature = "destination-mixpanel")]
#[test]
fn mixpanels_own_form_of_failure_is_not_success() {
    let next = Some((3_600_000, 3_600_000));
    let why = "refuses every event";
    for case in cases().into_iter().filter(|case| case.subject.route.starts_with("mixpanel")) {
        for body in ["0", r#"{"status":0,"error":"bad token"}"#, r#"{"code":400,"error":"bad json"}"#] {
            let refused = if case.at_most_once {
                Outcome { dropped: vec![(Reason::Rejected, 1)], ..Outcome::default() }
            } else {
                Outcome { queued: 1, next, why, stopped: true, ..Outcome::default() }
            };
            check(&case.subject, case.subject.route, case.kind, 1, with(200, &[], body), &refused);
        }
    }
}

#[cfg(feature = "destination-otlp")]
#[test]
fn otlps_partial_success_is_counted_under_any_content_type() {
    for (case, member) in cases().into_iter().filter(|case| case.subject.route.starts_with("otlp")).zip([
        "rejectedLogRecords",
        "rejectedSpans",
        "rejectedDataPoints",
    ]) {
        let body = format!(r#"{{"partialSuccess":{{"{member}":"1000","errorMessage":"too old"}}}}"#);
        for headers in [vec![], vec![("content-type", "application/json")], vec![("content-type", "text/html")]] {
            // The metrics route reports the loss in a request of its own.
            let next = (case.subject.route == "otlp.metrics").then_some((30_000, 30_000));
            let rejected = Outcome { dropped: vec![(Reason::Rejected, 1)], next, ..Outcome::default() };
            check(&case.subject, case.subject.route, case.kind, 1, with(200, &headers, &body), &rejected);
        }
    }
}
