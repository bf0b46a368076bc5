use super::*;
use crate::transport::UrlError;

fn error(builder: OtlpBuilder) -> DestinationError {
    builder.build().unwrap_err()
}

#[test]
fn a_base_address_gets_the_path_of_each_signal_and_a_signals_own_address_is_unchanged() {
    let otlp = otlp().endpoint(OtlpSignal::Logs, "https://logs.example.com/v1/logs/").build().unwrap();
    assert_eq!(otlp.url(OtlpSignal::Logs), Some("https://logs.example.com/v1/logs"));
    assert_eq!(otlp.url(OtlpSignal::Traces), Some("https://otlp.example.com/v1/traces"));
    for base in ["https://g.example/otlp", "https://g.example/otlp/", "https://g.example/otlp/v1/traces"] {
        let otlp = Otlp::builder(base).build().unwrap();
        assert_eq!(otlp.url(OtlpSignal::Metrics), Some("https://g.example/otlp/v1/metrics"), "{base}");
    }
}

#[test]
fn a_signal_without_an_address_has_no_route_and_takes_no_rows() {
    let names = |otlp: &Otlp| otlp.routes().iter().map(|route| route.name).collect::<Vec<_>>();
    assert_eq!(names(&otlp().build().unwrap()), ["otlp.logs", "otlp.traces", "otlp.metrics"]);
    let two = otlp().without(OtlpSignal::Metrics).build().unwrap();
    assert_eq!(names(&two), ["otlp.logs", "otlp.traces"]);
    assert_eq!(two.wants(&METRICS, &row(1, Kind::Frames, 1, "{}")), Want::No);
    let one = Otlp::per_signal().endpoint(OtlpSignal::Traces, "https://x/v1/traces").build().unwrap();
    assert_eq!(names(&one), ["otlp.traces"]);
    for (n, routes) in [3usize, 2, 2, 1, 2, 1, 1].into_iter().enumerate() {
        let mut builder = otlp();
        for (bit, signal) in OtlpSignal::ALL.into_iter().enumerate() {
            if n & (1 << bit) != 0 {
                builder = builder.without(signal);
            }
        }
        let otlp = builder.build().unwrap();
        assert_eq!(otlp.routes().len(), routes, "{n}");
        assert!(otlp.routes().iter().all(|route| otlp.url(OtlpSignal::of(route)).is_some()));
    }
}

#[test]
fn an_invalid_setting_is_an_error_that_names_it() {
    assert_eq!(error(Otlp::builder("https://")), DestinationError::Endpoint(UrlError::NoHost));
    assert_eq!(
        error(Otlp::builder("http://otlp.example.com")),
        DestinationError::Endpoint(UrlError::Plain("otlp.example.com".into()))
    );
    assert_eq!(error(otlp().endpoint(OtlpSignal::Logs, "x")), DestinationError::Endpoint(UrlError::NoScheme));
    assert_eq!(error(Otlp::per_signal()), DestinationError::Empty { part: "endpoint" });
    assert_eq!(error(otlp().purposes(&[])), DestinationError::NoPurpose);
    let value = |at| DestinationError::HeaderValue { name: "api-key".into(), at };
    assert_eq!(error(otlp().header("api-key", "ab\n")), value(2));
    assert_eq!(error(otlp().header("api-key", "")), value(0));
    assert_eq!(error(otlp().header("api-key", " ab")), value(0));
    assert_eq!(error(otlp().header("api-key", "ab ")), value(2));
    assert_eq!(error(otlp().header("api-key", "k\u{e9}y")), value(1));
    assert_eq!(
        error(otlp().bearer("a\r\nX-Evil: 1")),
        DestinationError::HeaderValue { name: "Authorization".into(), at: 8 }
    );
    assert_eq!(error(otlp().header("", "v")), DestinationError::Empty { part: "header name" });
    let name = |name: &str, at| DestinationError::HeaderName { name: name.into(), at };
    assert_eq!(error(otlp().header("api key", "v")), name("api key", 3));
    assert_eq!(error(otlp().header("a:b", "v")), name("a:b", 1));
    let taken = |name: &str| DestinationError::HeaderTaken { name: name.into() };
    assert_eq!(error(otlp().header("Content-Type", "text/plain")), taken("Content-Type"));
    assert_eq!(error(otlp().bearer("a").header("authorization", "b")), taken("authorization"));
    assert!(!error(otlp().bearer("secret\n")).to_string().contains("secret"));
}

#[test]
fn credentials_are_sent_and_never_shown() {
    let otlp = otlp().basic_auth("123456", "glc_secret").header("X-Scope", "a b").build().unwrap();
    let request = otlp.encode(&LOGS, &batch(&[], &[], &[]), &stamp());
    let header = |name: &str| &request.headers.iter().find(|(key, _)| key == name).unwrap().1;
    assert_eq!(header("Authorization"), "Basic MTIzNDU2OmdsY19zZWNyZXQ=");
    assert_eq!(header("X-Scope"), "a b");
    assert_eq!(header("Content-Type"), "application/x-protobuf");
    assert!(!format!("{otlp:?}").contains("MTIz"));
}

#[test]
fn the_key_follows_addresses_and_headers_and_the_encoder_follows_the_settings() {
    let hash = |builder: OtlpBuilder| builder.build().unwrap().key_hash();
    assert_eq!(hash(otlp()), hash(Otlp::builder("https://otlp.example.com/v1/logs")));
    assert_ne!(hash(otlp()), hash(otlp().bearer("a")));
    assert_ne!(hash(otlp().bearer("a")), hash(otlp().bearer("b")));
    assert_ne!(hash(otlp()), hash(otlp().without(OtlpSignal::Logs)));
    let encoder = |builder: OtlpBuilder| builder.build().unwrap().encoder();
    assert_ne!(encoder(otlp()), encoder(otlp().encoding(OtlpEncoding::Json)));
    assert_ne!(encoder(otlp()), encoder(otlp().breadcrumbs(false)));
}
