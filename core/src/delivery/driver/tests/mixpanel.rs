//! The table of responses for Mixpanel's `/import`, whose response names each refused row.

use super::responses::{self, Outcome, Subject, check, stopped};
use super::*;
use crate::destination::Mixpanel;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn accept() -> Turn {
    with(200, &JSON, r#"{"code":200,"num_records_imported":1,"status":"OK"}"#)
}

const IMPORT: Subject = Subject {
    destination: || Arc::new(Mixpanel::builder("token").endpoint("http://127.0.0.1:1").build().unwrap()),
    route: "mixpanel.import",
    accept,
};

fn import(name: &str, turn: Turn, expected: &Outcome) {
    check(&IMPORT, name, Kind::Analytics, 1, turn, expected);
}

/// Mixpanel's waits are 2 to 60 s.
const NEXT: Option<(u64, u64)> = Some((2_000, 4_000));

fn again(why: &'static str) -> Outcome {
    Outcome { next: NEXT, ..responses::again(why) }
}

fn unreachable() -> Outcome {
    Outcome { next: NEXT, ..responses::unreachable() }
}

#[test]
fn a_2xx_settles_unless_mixpanel_reports_a_failure() {
    let done = Outcome { delivered: 1, ..Outcome::default() };
    import("200 with its count", accept(), &done);
    import("200 without a count", with(200, &JSON, "{}"), &done);
    let cut = Response { status: 200, cut: true, body: b"{\"code\":200".to_vec(), ..Response::default() };
    import("200, cut", Turn::Response(cut), &again("can be understood"));
    // Mixpanel reports that it stored nothing.
    import("200 with 0", with(200, &JSON, "0"), &stopped("refuses every event"));
    import("fate unknown", Turn::Ambiguous, &again("can be understood"));
    import("no byte sent", Turn::NotSent, &unreachable());
}

#[test]
fn a_wrong_address_or_token_and_a_refusal_of_everything_stop_the_route() {
    for code in [301, 308, 401, 403, 404, 405, 410] {
        import(&format!("{code}"), status(code), &stopped("stopped: "));
    }
    for code in [400, 402, 409, 413, 422] {
        import(&format!("{code}"), status(code), &stopped("refuses every event"));
    }
}

#[test]
fn outages_and_limits_are_waited_out() {
    for code in [500, 502, 503, 504] {
        import(&format!("{code}"), status(code), &again("outage"));
    }
    import("429", status(429), &again("fewer requests"));
    let date = ("date", "Mon, 23 Nov 2026 02:00:00 GMT");
    for (headers, ms) in
        [(vec![("retry-after", "90")], 90_000), (vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT"), date], 600_000)]
    {
        let kept = Outcome { next: Some((ms, ms)), ..again("asked to wait") };
        import(&format!("429, {headers:?}"), with(429, &headers, ""), &kept);
    }
}
