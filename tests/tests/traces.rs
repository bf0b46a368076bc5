//! A chain of an app, a server that follows its parent, and the destination of the app: each trace is kept by both or by
//! none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{Datadog, Otlp, OtlpEncoding, Sentry};
use rez_monitor::{Config, ConfigBuilder, Consent, Monitor, Purpose, ScopeChange, TraceContext, TraceStyle};
use rez_monitor_tests::vendor_server::{ReceivedRequest, Response, VendorServer};
use rez_monitor_tests::vendors::Vendor;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const TRACES: usize = 500;
const WAIT: Duration = Duration::from_secs(60);

/// A server of the team that keeps its own span if the headers of this style say so. Its keys are the ids of the traces it
/// has kept.
struct Follower(TraceStyle);

impl Follower {
    fn kept(&self, seen: &ReceivedRequest) -> Option<u128> {
        let header = |name: &str| seen.headers.get(name).map(String::as_str);
        match self.0 {
            TraceStyle::W3c => {
                let sent = TraceContext::from_traceparent(header("traceparent")?)?;
                (sent.sampled() == Some(true)).then(|| sent.trace_id())
            }
            TraceStyle::Sentry => {
                let mut fields = header("sentry-trace")?.split('-');
                let trace = u128::from_str_radix(fields.next()?, 16).ok()?;
                let kept = fields.nth(1)? == "1";
                let output = if kept { "sentry-sampled=true" } else { "sentry-sampled=false" };
                let baggage: Vec<&str> = header("baggage")?.split(',').collect();
                assert!(baggage.contains(&output), "{baggage:?}");
                assert!(baggage.contains(&"sentry-public_key=0123456789abcdef"), "{baggage:?}");
                kept.then_some(trace)
            }
            TraceStyle::Datadog => {
                let low: u64 = header("x-datadog-trace-id")?.parse().ok()?;
                let tags = header("x-datadog-tags").and_then(|tags| tags.strip_prefix("_dd.p.tid="));
                let high = tags.map_or(Some(0), |high| u64::from_str_radix(high, 16).ok())?;
                let kept = header("x-datadog-sampling-priority")? == "1";
                kept.then_some(u128::from(high) << 64 | u128::from(low))
            }
        }
    }
}

impl Vendor for Follower {
    fn route(&self, _: &ReceivedRequest) -> &'static str {
        "server"
    }

    fn read(&self, seen: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        Ok(self.kept(seen).map(|trace| format!("{trace:032x}")).into_iter().collect())
    }

    fn respond(&self, _: &ReceivedRequest, _: usize) -> Response {
        Response::json(200, "{}")
    }
}

/// The destination of the app. Its keys are the ids of the traces whose spans it has received.
struct Backend(TraceStyle);

fn found(json: &Json, path: &[&str], ids: &mut Vec<String>) {
    match (json, path) {
        (Json::Array(all), _) => all.iter().for_each(|one| found(one, path, ids)),
        (Json::String(id), []) => ids.push(id.clone()),
        (json, [name, rest @ ..]) => found(&json[*name], rest, ids),
        _ => {}
    }
}

impl Vendor for Backend {
    fn route(&self, _: &ReceivedRequest) -> &'static str {
        "backend"
    }

    fn read(&self, seen: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let path: &[&str] = match self.0 {
            TraceStyle::W3c => &["resourceSpans", "scopeSpans", "spans", "traceId"],
            TraceStyle::Sentry => &["contexts", "trace", "trace_id"],
            TraceStyle::Datadog => &["_dd", "trace_id"],
        };
        let mut ids = Vec::new();
        for line in String::from_utf8_lossy(&seen.body).lines().filter(|line| !line.is_empty()) {
            found(&serde_json::from_str(line).unwrap(), path, &mut ids);
        }
        Ok(ids)
    }

    fn respond(&self, _: &ReceivedRequest, _: usize) -> Response {
        match self.0 {
            TraceStyle::Datadog => Response::json(202, "{}"),
            _ => Response::json(200, "{}"),
        }
    }
}

fn declared(config: ConfigBuilder, style: TraceStyle, url: &str, rate: f64) -> ConfigBuilder {
    match style {
        TraceStyle::W3c => {
            let otlp = Otlp::builder(url).encoding(OtlpEncoding::Json).traces_sample_rate(rate);
            config.destination("otlp", otlp.build().unwrap())
        }
        TraceStyle::Sentry => {
            let dsn = url.replace("http://", "http://0123456789abcdef@") + "/42";
            config.destination("sentry", Sentry::builder(dsn).traces_sample_rate(rate).build().unwrap())
        }
        TraceStyle::Datadog => {
            let datadog = Datadog::builder("11111111-2222-4333-8444-555555555555", "pub1").endpoint(url);
            config.destination("datadog", datadog.session_sample_rate(rate).build().unwrap())
        }
    }
}

/// Sends a request with these headers and waits for the response.
fn request(server: &VendorServer, headers: &[(String, String)]) {
    let mut text = format!("POST /orders HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n", server.authority());
    headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    text.push_str("\r\n");
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

fn keys(server: &VendorServer) -> BTreeSet<String> {
    assert_eq!(server.problems(), [""; 0]);
    server.log().into_iter().flat_map(|entry| entry.keys).collect()
}

/// The traces that the server has kept, and those that the destination has received.
fn chain(style: TraceStyle, rate: f64) -> (BTreeSet<String>, BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    let server = VendorServer::start(Arc::new(Follower(style)));
    let backend = VendorServer::start(Arc::new(Backend(style)));
    let config = Config::builder(folder.path(), "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .trace_targets(["127.0.0.1"])
        .trace_styles([style]);
    let monitor = Monitor::open(declared(config, style, &backend.url(), rate).build().unwrap()).unwrap();
    let url = format!("{}/orders", server.url());
    for n in 0..TRACES {
        if style == TraceStyle::Datadog {
            // Datadog samples by session.
            monitor.scope(ScopeChange::NewSession);
        }
        let call = monitor.api_call("POST", &url);
        let mut headers = Vec::new();
        call.headers(|name, value| headers.push((name.to_owned(), value.to_owned())));
        assert!(!headers.is_empty());
        request(&server, &headers);
        assert!(call.finish(200, 2).id().is_some());
        if n % 100 == 99 {
            // The ring holds a few thousand events; sessions of their own take more of it.
            monitor.persist(WAIT).unwrap();
        }
    }
    let left = monitor.flush(WAIT).unwrap();
    assert!(left.iter().all(|route| route.left == 0), "{left:?}");
    monitor.close(WAIT);
    (keys(&server), keys(&backend))
}

fn kept_together(style: TraceStyle) {
    for (rate, least, most) in [(0.0, 0, 0), (0.2, TRACES / 10, TRACES * 3 / 10), (1.0, TRACES, TRACES)] {
        let (server, backend) = chain(style, rate);
        assert_eq!(server, backend, "{style:?} at {rate}");
        assert!((least..=most).contains(&server.len()), "{style:?} at {rate}: {} traces", server.len());
    }
}

#[test]
fn sentry_and_a_server_that_follows_its_parent_keep_the_same_traces() {
    kept_together(TraceStyle::Sentry);
}

#[test]
fn datadog_and_a_server_that_follows_its_parent_keep_the_same_traces() {
    kept_together(TraceStyle::Datadog);
}

#[test]
fn otlp_and_a_server_that_follows_its_parent_keep_the_same_traces() {
    kept_together(TraceStyle::W3c);
}
