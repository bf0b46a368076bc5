//! Every form of a response, and what it means.

use super::*;

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: body.into(), cut: false }
}

fn verdict(response: &Response) -> Verdict {
    let rows = [row(1, Kind::Error, "{}"), row(2, Kind::Error, "{}")];
    datadog().build().unwrap().verdict(&RUM, &batch(&rows, &[run()], &[]), response)
}

fn action(status: u16) -> Action {
    verdict(&response(status, &[], "")).action
}

#[test]
fn a_2xx_is_success_whatever_the_body() {
    let delivered = Action::Settle(vec![RowOutcome::Delivered; 2]);
    for status in [200, 201, 202, 203, 204, 206, 299] {
        assert_eq!(action(status), delivered, "{status}");
        for body in ["{}", "OK", "1", "[]", r#"{"errors":[]}"#] {
            assert_eq!(verdict(&response(status, &[], body)).action, delivered, "{status} {body}");
        }
    }
    let cut = Response { cut: true, ..response(202, &[], "{\"req") };
    assert_eq!(verdict(&cut).action, delivered);
}

#[test]
fn every_status_has_its_class() {
    let secs = Duration::from_secs;
    for status in [300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 410] {
        assert!(matches!(action(status), Action::Stop(_)), "{status}");
    }
    for status in [400, 402, 406, 409, 411, 412, 413, 414, 416, 418, 422, 426, 428, 431, 451, 499] {
        assert_eq!(action(status), Action::Split, "{status}");
    }
    assert_eq!(action(415), Action::Uncompressed);
    assert_eq!(action(429), Action::Keep(None));
    let wait = response(429, &[("retry-after", "9")], "");
    assert_eq!(verdict(&wait).action, Action::Keep(Some(secs(9))));
    for status in [408, 425, 500, 501, 502, 503, 504, 507, 520, 599] {
        assert_eq!(action(status), Action::Outage(None), "{status}");
        let date = [("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT"), ("date", "Mon, 23 Nov 2026 12:00:00 GMT")];
        assert_eq!(verdict(&response(status, &date, "")).action, Action::Outage(Some(secs(90))), "{status}");
    }
    for status in [0, 100, 199, 600, 999] {
        assert!(matches!(action(status), Action::Ambiguous(_)), "{status}");
    }
}

#[test]
fn the_intakes_own_words_are_kept_short() {
    let note = |body: &str| verdict(&response(400, &[], body)).note;
    assert_eq!(note(r#"{"errors":[{"detail":"Invalid token","status":"400"}]}"#).as_deref(), Some("Invalid token"));
    assert_eq!(note(r#"{"errors":["Bad Request"]}"#).as_deref(), Some("Bad Request"));
    for odd in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":[7]}"#, r#"{"errors":[""]}"#] {
        assert_eq!(note(odd), None, "{odd}");
    }
    assert!(note(&format!(r#"{{"errors":["{}"]}}"#, "x".repeat(9_000))).unwrap().len() < 200);
    let Action::Stop(why) = verdict(&response(302, &[("location", "https://login.example/")], "")).action else {
        panic!("a redirect stops")
    };
    assert_eq!(why, "the endpoint redirects to https://login.example/");
}
