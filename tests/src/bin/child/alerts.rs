//! A server that raises alerts.

use super::{Args, WAIT, acknowledge, flush, print_line};
use rez_monitor::destination::{PagerDuty, Slack};
use rez_monitor::{Alert, AlertSeverity, ConfigBuilder, Monitor};
use std::io::BufRead;

/// Adds the destinations of alerts that have an address.
pub fn destinations(args: &Args, mut config: ConfigBuilder) -> ConfigBuilder {
    if let Some(url) = args.0.get("slack") {
        let slack = Slack::builder(format!("{url}/services/T0/B0/s3cret")).build();
        config = config.destination("slack", slack.expect("a webhook"));
    }
    if let Some(url) = args.0.get("pagerduty") {
        let pagerduty = PagerDuty::builder("0123456789abcdef0123456789abcdef").endpoint(url).build();
        config = config.destination("pagerduty", pagerduty.expect("a key"));
    }
    config
}

/// Records the same critical alert `n` times.
pub fn alerts(args: &Args, monitor: &Monitor) {
    for serial in 0..args.number("n", 1) {
        let details = [("serial", serial.into())];
        let alert = Alert::new(AlertSeverity::Critical, "Database Connection Lost").details(&details);
        acknowledge(serial, monitor.alert(alert));
    }
    match args.text("end", "wait").as_str() {
        "persist" => print_line(&format!("persisted {}", monitor.persist(WAIT).is_ok())),
        "flush" => flush(args, monitor),
        _ => {}
    }
    print_line("done");
    if args.text("end", "wait") != "flush" {
        // Until it is killed.
        let _ = std::io::stdin().lock().read_line(&mut String::new());
    }
}
