//! A workload with events of all kinds. Each event contains a serial number if its kind has a field for one.

use rez_monitor::{
    ErrorEvent, Event, Feedback, Level, Metric, Monitor, Outcome, People, Revenue, ScopeChange, StartKind, Timing,
    User, Value,
};
use std::time::Duration;

/// Number of events after which the kinds repeat.
pub const CYCLE: u64 = 20;

/// Records the event with this serial number.
pub fn event(monitor: &Monitor, n: u64) -> Outcome {
    let serial = [("serial", Value::from(n))];
    let ms = Duration::from_millis(1 + n % 400);
    let (name, price) = (format!("n{n}"), 1.0 + (n % 50) as f64);
    let transaction = format!("T{n}");
    match n % CYCLE {
        0 => monitor.record(Event::screen_view("Home", Some("HomeScreen")).attrs(&serial)),
        2 => monitor.people(People::Set(&format!("set{n}"), Value::Str("gold"))),
        3 => monitor.people(People::Increment(&format!("add{n}"), 1.0)),
        4 => {
            let item = [("id", Value::Str(&name)), ("name", Value::Str("Chai")), ("price", price.into())];
            monitor.revenue(Revenue {
                transaction_id: Some(&transaction),
                items: &[Value::Map(&item)],
                attrs: &serial,
                ..Revenue::new(price, "INR")
            })
        }
        6 => monitor.error(ErrorEvent::new("PaymentError", "card declined").fingerprint(&name).attrs(&serial)),
        7 => monitor.message(&format!("cart {n} was empty"), Level::Info, &serial),
        8 => monitor.timing(Timing::api_call("GET", "https://api.example.com/p/17", ms).status(200).attrs(&serial)),
        9 => monitor.metric("products_shown", Metric::Gauge(n as f64)),
        11 => monitor.revenue(Revenue { attrs: &serial, ..Revenue::new(price, "INR") }),
        12 => monitor.timing(Timing::screen_load("Home", ms).attrs(&serial)),
        13 => monitor.record(Event::interaction("tap", "PayButton").attrs(&serial)),
        14 => monitor.people(People::Append(&format!("app{n}"), Value::Str("S1"))),
        15 => monitor.feedback(Feedback { message: &name, name: None, email: None, about: None }),
        16 => monitor.timing(Timing::long_task("parse", ms).attrs(&serial)),
        17 => monitor.record(Event::frames("Home", 2, 1, 120).attrs(&serial)),
        18 => monitor.timing(Timing::app_start(StartKind::Warm, ms).attrs(&serial)),
        5 => monitor.track("add_to_cart", &[("serial", n.into()), ("page title", Value::Str("Cart & more"))]),
        10 => monitor.track("search", &[("serial", n.into()), ("search_term", Value::Str("chai"))]),
        _ => monitor.track("bill_upload", &[("serial", n.into()), ("amount", price.into())]),
    }
}

/// Changes the user at event `n` of `all`: none, then `u-1`, none, then `u-2`.
pub fn people(monitor: &Monitor, n: u64, all: u64) {
    let user = |id| ScopeChange::User(Some(User { id: Some(id), ..User::default() }));
    if n == all / 4 {
        monitor.scope(user("u-1"));
    } else if n == all / 2 {
        monitor.scope(ScopeChange::User(None));
    } else if n == all / 4 * 3 {
        monitor.scope(user("u-2"));
    }
}
