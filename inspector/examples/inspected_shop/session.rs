//! One minute in a shop, as the document of a batch: screens, calls, images, taps, a failed payment, hostile texts.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A text that the collector refuses: the event becomes a dead letter.
pub(crate) const REFUSED: &str = "refused-by-the-desk";

/// Texts that a page must show as they are.
pub(crate) const HOSTILE: [&str; 2] =
    ["<script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">"];

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn document(items: &[Value]) -> String {
    json!({"v": 1, "items": items}).to_string()
}

/// The visit, which starts at a time and lasts a minute.
pub(crate) fn visit(start: i64) -> Vec<Value> {
    let at = |ms: i64| start + ms;
    let mut items = vec![
        json!({"scope": "user", "id": "u-4711", "email": "asha@example.com", "extra": {"plan": "gold"}}),
        json!({"kind": "app_start", "type": "cold", "start_ms": at(0), "duration_us": 1_240_000, "at_ms": at(1_240)}),
    ];
    let screen = |name: &str, from: i64, took: i64, initial: i64| {
        [
            json!({"kind": "screen_view", "name": name, "class": format!("{name}Screen"), "at_ms": at(from)}),
            json!({"kind": "screen_load", "name": name, "start_ms": at(from), "duration_us": took * 1_000,
                   "initial_us": initial * 1_000, "at_ms": at(from + took)}),
        ]
    };
    let call = |method: &str, path: &str, from: i64, took: i64, status: u16| {
        json!({"kind": "api_call", "method": method, "url": format!("https://api.shop.example{path}"), "start_ms": at(from),
               "duration_us": took * 1_000, "status": status, "response_bytes": took * 37, "at_ms": at(from + took)})
    };
    let image = |id: i64, from: i64, took: i64| {
        json!({"kind": "image_load", "url": format!("https://cdn.shop.example/products/{id}.webp"), "start_ms": at(from),
               "duration_us": took * 1_000, "response_bytes": 18_000 + id * 911, "at_ms": at(from + took)})
    };
    let tap =
        |what: &str, from: i64| json!({"kind": "interaction", "action": "tap", "component": what, "at_ms": at(from)});
    let track = |name: &str, from: i64, attrs: Value| json!({"kind": "analytics", "name": name, "attrs": attrs, "at_ms": at(from)});
    let crumb = |category: &str, message: &str, from: i64| json!({"breadcrumb": {"type": "default", "category": category, "message": message}, "at_ms": at(from)});

    items.extend(screen("Home", 1_250, 1_900, 620));
    items.extend([call("GET", "/products?page=1", 1_400, 720, 200), call("GET", "/cart", 1_450, 310, 200)]);
    items.extend((0..4).map(|n| image(n + 1, 2_150 + n * 130, 420 + n * 160)));
    items.extend([
        crumb("navigation", "Home to Product", 5_900),
        tap("ProductCard", 5_850),
        track("select_item", 5_880, json!({"item_id": "sku-3", "index": 2})),
    ]);
    items.extend(screen("Product", 5_950, 1_150, 410));
    items.extend([call("GET", "/products/3", 6_000, 640, 200), image(31, 6_700, 380), image(32, 6_760, 690)]);
    items.extend([
        track("view_item", 7_200, json!({"item_id": "sku-3", "price": 499.5, "currency": "INR", "stock": 9_007_199_254_740_993_i64})),
        json!({"kind": "frames", "name": "Product", "slow_frames": 7, "frozen_frames": 1, "total_frames": 412, "at_ms": at(9_000)}),
        tap("AddToCart", 11_300),
        call("POST", "/cart", 11_350, 280, 200),
        track("add_to_cart", 11_700, json!({"item_id": "sku-3", "value": 499.5, "currency": "INR"})),
        crumb("ui.click", HOSTILE[0], 12_000),
        crumb("navigation", "Product to Checkout", 39_900),
    ]);
    items.extend(screen("Checkout", 40_000, 2_600, 800));
    items.extend([
        call("GET", "/addresses", 40_100, 410, 200),
        call("GET", "/offers", 40_120, 2_300, 404),
        call("GET", "/wallet", 40_150, 350, 200),
        track("begin_checkout", 42_700, json!({"value": 499.5, "currency": "INR", "coupon": HOSTILE[1]})),
        json!({"kind": "log", "message": "tapped Pay", "level": "info", "logger": "rez.mark", "at_ms": at(46_000)}),
        tap("PayButton", 46_020),
        call("POST", "/orders", 46_060, 6_200, 503),
        json!({"kind": "long_task", "name": "sign the order", "start_ms": at(46_070), "duration_us": 340_000, "at_ms": at(46_410)}),
        json!({"kind": "error", "type": "PaymentError", "message": "the bank does not respond", "severity": "high",
               "code": "PAYMENT_503", "mechanism": "promise", "at_ms": at(52_300),
               "context": {"order": "o-7731", "attempt": 1},
               "frames": [{"function": "pay", "file": "checkout.tsx", "line": 42, "column": 7, "in_app": true},
                          {"function": "submit", "file": "form.tsx", "line": 118, "column": 3, "in_app": true}]}),
        tap("PayButton", 55_000),
        call("POST", "/orders", 55_050, 940, 200),
        json!({"kind": "revenue", "amount": 499.5, "currency": "INR", "transaction_id": "t-0042", "at_ms": at(56_000)}),
        json!({"kind": "user_prop", "op": "increment", "name": "purchases", "by": 1, "at_ms": at(56_010)}),
        json!({"kind": "span", "name": "write the receipt", "op": "db", "start_ms": at(56_020), "duration_us": 180_000, "at_ms": at(56_200)}),
        json!({"kind": "message", "message": "loyalty service is slow", "level": "warning", "attrs": {"note": REFUSED}, "at_ms": at(56_400)}),
        track("purchase", 56_500, json!({"value": 499.5, "currency": "INR"})),
        json!({"kind": "error", "type": HOSTILE[1], "message": HOSTILE[0], "at_ms": at(57_500)}),
    ]);
    items.extend(screen("Receipt", 58_000, 640, 240));
    items.push(image(90, 58_200, 300));
    items
}

/// More events of the same session.
pub(crate) fn more(now: i64, events: i64) -> Vec<Value> {
    (0..events)
        .map(|n| json!({"kind": "interaction", "action": "tap", "component": format!("Later{n}"), "at_ms": now - events + n}))
        .collect()
}
