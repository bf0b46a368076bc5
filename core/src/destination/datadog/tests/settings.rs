use super::*;
use crate::transport::UrlError;

fn error(builder: DatadogBuilder) -> DestinationError {
    builder.build().unwrap_err()
}

fn part(builder: DatadogBuilder) -> &'static str {
    match error(builder) {
        DestinationError::Form { part, .. } => part,
        other => panic!("{other}"),
    }
}

#[test]
fn an_invalid_setting_is_an_error_that_names_it() {
    assert_eq!(error(Datadog::builder("", "t")), DestinationError::Empty { part: "application id" });
    assert_eq!(part(Datadog::builder("my-app", "t")), "application id");
    assert_eq!(error(Datadog::builder(APPLICATION, "")), DestinationError::Empty { part: "client token" });
    assert_eq!(
        error(Datadog::builder(APPLICATION, "pub\n")),
        DestinationError::NotAHeader { part: "client token", at: 3 }
    );
    assert_eq!(part(datadog().site("datadog.com")), "site");
    assert_eq!(error(datadog().endpoint("https://")), DestinationError::Endpoint(UrlError::NoHost));
    assert_eq!(error(datadog().service("")), DestinationError::Empty { part: "service" });
    for rate in [-0.1, 1.1, 100.0, f64::NAN, f64::INFINITY] {
        let rate_error = |part| DestinationError::Rate { part, value: rate.to_string() };
        assert_eq!(error(datadog().session_sample_rate(rate)), rate_error("session_sample_rate"));
        assert_eq!(error(datadog().log_sample_rate(rate)), rate_error("log_sample_rate"));
    }
    assert_eq!(error(datadog().purposes(&[])), DestinationError::NoPurpose);
    assert!(!format!("{:?}{:?}", datadog(), datadog().build()).contains("pub0123"));
}

#[test]
fn each_site_has_its_intake_and_an_endpoint_replaces_it() {
    let runs = [run()];
    let url = |builder: DatadogBuilder, route: &RouteSpec| {
        builder.build().unwrap().encode(route, &batch(&[], &runs, &[]), &stamp(0, 0)).url
    };
    assert_eq!(url(datadog(), &RUM), "https://browser-intake-datadoghq.com/api/v2/rum?ddsource=android");
    assert_eq!(
        url(datadog().site("US5.datadoghq.com"), &LOGS),
        "https://browser-intake-us5-datadoghq.com/api/v2/logs?ddsource=android"
    );
    for (site, _) in SITES {
        assert!(datadog().site(site).build().is_ok(), "{site}");
    }
    assert_eq!(
        url(datadog().endpoint("http://127.0.0.1:9/dd/"), &RUM),
        "http://127.0.0.1:9/dd/api/v2/rum?ddsource=android"
    );
}

#[test]
fn a_retry_is_marked_in_the_url_and_has_the_same_body() {
    let datadog = datadog().build().unwrap();
    let (rows, runs) = ([on(1, Kind::Error, VIEW, 3, r#""message":"m""#)], [run()]);
    let sent =
        |route: &RouteSpec, attempt, status| datadog.encode(route, &batch(&rows, &runs, &[]), &stamp(attempt, status));
    let (first, again) = (sent(&RUM, 0, 0), sent(&RUM, 2, 503));
    assert_eq!(again.url, format!("{}&ddtags=retry_count:2,last_failure_status:503", first.url));
    assert_eq!((&again.body, &again.headers), (&first.body, &first.headers));
    assert!(sent(&RUM, 1, 0).url.ends_with("&ddtags=retry_count:1"));
    assert_eq!(sent(&LOGS, 2, 503), sent(&LOGS, 0, 0));
    let header = |name: &str| first.headers.iter().find(|(key, _)| key == name).unwrap().1.as_str();
    assert_eq!(header("DD-API-KEY"), "pub0123");
    assert_eq!(header("DD-REQUEST-ID"), "019f0c1e-7c1e-7a53-9b0e-aaaaaaaaaaaa");
    assert_eq!(header("Content-Type"), "text/plain;charset=UTF-8");
    assert_eq!(sent(&LOGS, 0, 0).headers.last().unwrap().1, "application/json");
}

#[test]
fn the_key_follows_the_token_and_the_encoder_follows_the_settings() {
    let hash = |builder: DatadogBuilder| builder.build().unwrap().key_hash();
    assert_ne!(hash(datadog()), hash(Datadog::builder(APPLICATION, "other")));
    assert_ne!(hash(datadog()), hash(datadog().site("datadoghq.eu")));
    let encoder = |builder: DatadogBuilder| builder.build().unwrap().encoder();
    assert_ne!(encoder(datadog()), encoder(datadog().mask_user_input(false)));
    assert_ne!(encoder(datadog()), encoder(datadog().service("x")));
}

#[test]
fn switches_turn_their_kinds_off() {
    let wants = |builder: DatadogBuilder, route: &RouteSpec, row: &Row| builder.build().unwrap().wants(route, row);
    for (kind, off) in [
        (Kind::Interaction, datadog().track_user_interactions(false)),
        (Kind::ApiCall, datadog().track_resources(false)),
        (Kind::ImageLoad, datadog().track_resources(false)),
        (Kind::LongTask, datadog().track_long_tasks(false)),
    ] {
        let row = row(1, kind, "{}");
        assert_eq!(wants(datadog(), &RUM, &row), Want::Yes, "{kind:?}");
        assert_eq!(wants(off, &RUM, &row), Want::No, "{kind:?}");
    }
    for kind in [Kind::Error, Kind::Crash, Kind::Hang, Kind::AppExit] {
        let row = row(1, kind, "{}");
        assert_eq!(wants(datadog(), &LOGS, &row), Want::No, "{kind:?}");
        assert_eq!(wants(datadog().forward_errors_to_logs(true), &LOGS, &row), Want::Yes, "{kind:?}");
    }
}

#[test]
fn each_kind_goes_to_its_route() {
    let datadog = datadog().build().unwrap();
    let routes = |row: &Row| {
        let taken = datadog.routes().iter().filter(|route| datadog.wants(route, row) == Want::Yes);
        taken.map(|route| route.name).collect::<Vec<_>>().join(" ")
    };
    for kind in Kind::ALL {
        let expected = match kind {
            Kind::Message | Kind::Log | Kind::Feedback | Kind::Metric | Kind::Alert => "datadog.logs",
            Kind::UserProp | Kind::Session => "",
            _ => "datadog.rum",
        };
        assert_eq!(routes(&row(1, kind, "{}")), expected, "{kind:?}");
    }
    let metric = |fields: &str| routes(&row(1, Kind::Metric, fields));
    assert_eq!(metric(r#"{"type":"distribution","unit":"ms","value":3}"#), "datadog.rum");
    assert_eq!(metric(r#"{"type":"gauge","unit":"second","value":3}"#), "datadog.rum");
    assert_eq!(metric(r#"{"type":"counter","unit":"ms","value":3}"#), "datadog.logs");
    assert_eq!(metric(r#"{"type":"gauge","unit":"ms","value":"NaN"}"#), "datadog.logs");
    assert_eq!(metric(r#"{"type":"gauge","unit":"By","value":3}"#), "datadog.logs");
    assert_eq!(routes(&on(1, Kind::Session, VIEW, 9, r#""init":false"#)), "datadog.rum");
    assert_eq!(routes(&on(1, Kind::Session, VIEW, 9, r#""init":true"#)), "");
}

#[test]
fn sessions_are_sampled_as_a_whole_and_logs_independently() {
    let half = datadog().session_sample_rate(0.5).log_sample_rate(0.25).build().unwrap();
    let mut kept = 0;
    for n in 0..1_000 {
        let json = format!(r#"{{"session":"00000000-0000-4000-8000-{n:012}"}}"#);
        let of = |kind| half.wants(&RUM, &row(1, kind, &json));
        assert_eq!(of(Kind::Error), of(Kind::ApiCall));
        assert_eq!(of(Kind::Error), of(Kind::Error));
        kept += usize::from(of(Kind::Error) == Want::Yes);
    }
    assert!((400..600).contains(&kept), "{kept} of 1000 sessions");
    // A span whose trace a server has decided follows the server, anything else its session.
    for (rate, sampled) in [(0.0, true), (1.0, false)] {
        let datadog = datadog().session_sample_rate(rate).build().unwrap();
        let json = format!(r#"{{"session":"s","trace":{{"trace_id":"1","sampled":{sampled}}}}}"#);
        let of = |kind| datadog.wants(&RUM, &row(1, kind, &json)) == Want::Yes;
        assert_eq!([Kind::ApiCall, Kind::Span].map(of), [sampled; 2]);
        assert_eq!(of(Kind::Error), !sampled);
    }
    let mut logs = 0;
    for n in 0..1_000u16 {
        let mut message = row(1, Kind::Message, "{}");
        let mut id = *message.id.as_bytes();
        id[14..].copy_from_slice(&n.to_be_bytes());
        message.id = crate::EventId::from_bytes(id);
        logs += usize::from(half.wants(&LOGS, &message) == Want::Yes);
    }
    assert!((180..320).contains(&logs), "{logs} of 1000 logs");
    let none = datadog().session_sample_rate(0.0).log_sample_rate(0.0).build().unwrap();
    assert_eq!(none.wants(&RUM, &row(1, Kind::Crash, "{}")), Want::No);
    assert_eq!(none.wants(&LOGS, &row(1, Kind::Message, "{}")), Want::No);
}

#[test]
fn events_older_than_the_intake_accepts_are_not_sent() {
    let datadog = datadog().build().unwrap();
    assert_eq!(datadog.max_age(&LOGS), Some(Duration::from_secs(64_800)));
    assert_eq!(datadog.max_age(&RUM), Some(Duration::from_secs(86_400)));
}
