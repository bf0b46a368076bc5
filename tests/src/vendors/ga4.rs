//! Google's rules for the Measurement Protocol, for app streams and web streams.

use super::{Problems, Vendor, json, parameter};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::{Map, Value};

/// Reserved names, which an app must not send (both lists of Google's documentation).
const RESERVED: &[&str] = &[
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_background",
    "app_clear_data",
    "app_exception",
    "app_remove",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "app_update",
    "app_upgrade",
    "error",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "os_update",
    "session_start",
    "session_start_with_rollout",
    "user_engagement",
];

/// Members of `device`.
const DEVICE: &[&str] = &[
    "category",
    "language",
    "screen_resolution",
    "operating_system",
    "operating_system_version",
    "model",
    "brand",
    "browser",
    "browser_version",
];

/// E-commerce events. Their items use Google's parameter names.
const SHOP: &[&str] = &["purchase", "add_to_cart", "remove_from_cart", "begin_checkout", "view_item"];

/// A server of Google Analytics for one stream.
pub struct Ga4Rules {
    /// Measurement id or Firebase app id.
    pub stream: String,
    /// The API secret.
    pub secret: String,
    /// Whether it is an app stream.
    pub app: bool,
    /// The server's clock, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Ga4Rules {
    fn event(&self, at: usize, event: &Value, problems: &mut Problems) -> Option<String> {
        let empty = Map::new();
        let params = event["params"].as_object().unwrap_or(&empty);
        let name = event["name"].as_str().unwrap_or_default();
        named(name, 40, &format!("event {at}"), problems);
        problems.unless(!RESERVED.contains(&name) && !name.starts_with("dynamic_link_"), || {
            format!("`{name}` is Google's")
        });
        problems.unless(params.len() <= 25, || format!("{name}: {} parameters", params.len()));
        let time = event["timestamp_micros"].as_i64().unwrap_or_default() / 1_000;
        problems.unless(time > self.now_ms - 72 * 3_600_000, || format!("{name}: {time} is over 72 h ago"));
        let session = params.get("session_id").and_then(Value::as_str).unwrap_or_default();
        let digits = !session.is_empty() && session.bytes().all(|byte| byte.is_ascii_digit());
        problems.unless(digits, || format!("{name}: session_id `{session}`"));
        let engaged = params.get("engagement_time_msec").and_then(Value::as_i64).unwrap_or_default();
        problems.unless(engaged > 0, || format!("{name}: engagement_time_msec {engaged}"));
        for (key, value) in params {
            named(key, 40, name, problems);
            match (key.as_str(), value) {
                ("items", Value::Array(items)) => items.iter().for_each(|item| self.item(name, item, problems)),
                _ => self::value(value, 100, &format!("{name}.{key}"), problems),
            }
        }
        problems
            .unless(!params.contains_key("value") || SHOP.contains(&name) || params.contains_key("currency"), || {
                format!("{name}: a value without a currency")
            });
        if name == "purchase" {
            let id = params.get("transaction_id").and_then(Value::as_str).unwrap_or_default();
            let items = params.get("items").and_then(Value::as_array).map_or(0, Vec::len);
            problems.unless(!id.is_empty() && items > 0, || "a purchase without transaction_id or items".into());
            return Some(id.to_owned());
        }
        match params.get("serial") {
            Some(serial) => Some(format!("event {serial}")),
            None => Some(format!("event {name}")).filter(|_| name != "user_property_set"),
        }
    }

    fn item(&self, event: &str, item: &Value, problems: &mut Problems) {
        let Some(item) = item.as_object() else { return problems.unless(false, || format!("{event}: {item}")) };
        let known = item.contains_key("item_id") || item.contains_key("item_name");
        problems.unless(known, || format!("{event}: an item without item_id and item_name"));
        for (key, value) in item {
            named(key, 40, event, problems);
            problems
                .unless(!SHOP.contains(&event) || (key != "id" && key != "name"), || format!("{event}: item `{key}`"));
            self::value(value, 100, &format!("{event}.items.{key}"), problems);
        }
    }
}

impl Vendor for Ga4Rules {
    fn route(&self, _request: &ReceivedRequest) -> &'static str {
        "ga4.collect"
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let body = json(request)?;
        let mut problems = Problems::default();
        let of = |name: &str| body[name].as_str().unwrap_or_default();
        problems.unless(request.path == "/mp/collect", || format!("no such path {}", request.path));
        problems.unless(parameter(request, "api_secret") == Some(&self.secret), || "wrong secret".into());
        let (key, client, other) = match self.app {
            true => ("firebase_app_id", "app_instance_id", "client_id"),
            false => ("measurement_id", "client_id", "app_instance_id"),
        };
        problems.unless(parameter(request, key) == Some(&self.stream), || format!("not the stream {}", self.stream));
        problems.unless(!of(client).is_empty() && body.get(other).is_none(), || format!("{client} is what names it"));
        let hex = of(client).len() == 32 && of(client).bytes().all(|byte| byte.is_ascii_hexdigit());
        problems.unless(!self.app || hex, || format!("app_instance_id `{}`", of(client)));
        problems.unless(!request.compressed, || "a compressed body".into());
        problems.unless(request.body.len() < 130_000, || format!("{} bytes", request.body.len()));
        problems.unless(of("user_id").chars().count() <= 256, || "user_id is too long".into());
        let empty = Vec::new();
        let events = body["events"].as_array().unwrap_or(&empty);
        problems.unless((1..=25).contains(&events.len()), || format!("{} events", events.len()));
        let mut keys: Vec<String> =
            events.iter().enumerate().filter_map(|(at, event)| self.event(at, event, &mut problems)).collect();
        let none = Map::new();
        let properties = body["user_properties"].as_object().unwrap_or(&none);
        problems.unless(properties.len() <= 25, || format!("{} user properties", properties.len()));
        for (name, property) in properties {
            named(name, 24, "user property", &mut problems);
            // `null` removes the property.
            if !property["value"].is_null() {
                value(&property["value"], 36, name, &mut problems);
            }
            keys.push(format!("property {name}"));
        }
        let known = ["client_id", "app_instance_id", "user_id", "user_properties", "device", "events"];
        for (name, member) in body["device"].as_object().into_iter().flatten() {
            problems.unless(DEVICE.contains(&name.as_str()) && member.is_string(), || format!("device: {name}"));
        }
        let odd: Vec<&String> =
            body.as_object().into_iter().flat_map(Map::keys).filter(|key| !known.contains(&key.as_str())).collect();
        problems.unless(odd.is_empty(), || format!("unknown members {odd:?}"));
        problems.or(keys)
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response::status(204)
    }
}

fn named(name: &str, most: usize, what: &str, problems: &mut Problems) {
    let mut all = name.chars();
    let good = all.next().is_some_and(|c| c.is_ascii_alphabetic())
        && all.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= most
        && !["firebase_", "ga_", "google_"].iter().any(|prefix| name.starts_with(prefix));
    problems.unless(good, || format!("{what}: the name `{name}`"));
}

fn value(value: &Value, most: usize, what: &str, problems: &mut Problems) {
    match value {
        Value::Number(_) => {}
        Value::String(text) => problems.unless(text.chars().count() <= most, || format!("{what} is too long")),
        other => problems.unless(false, || format!("{what} is {other}: neither text nor number")),
    }
}
