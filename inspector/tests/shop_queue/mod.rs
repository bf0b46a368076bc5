//! The queue of a shop with fixed ids and times: one session, of which a part was delivered, an event was refused, and the rest waits
//! for a server that answers 503.

use rez_monitor::destination::Rez;
use rez_monitor::transport::{Completion, Request, Response, Sent, Transport};
use rez_monitor::{Clock, Config, Consent, Hint, Monitor, Network, Purpose};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// 2026-01-05T09:00:00Z: in the past, so that the clock of the machine plays no part.
pub const START_MS: i64 = 1_767_603_600_000;

/// Accepts all events but those named `refused`, until it is down: then it answers 503.
struct Server {
    is_down: Arc<AtomicBool>,
    answered: Arc<Mutex<Vec<Request>>>,
}

impl Transport for Server {
    fn send(&self, request: Request, done: Completion) {
        let mut body = String::new();
        flate2::read::GzDecoder::new(&request.body[..]).read_to_string(&mut body).unwrap();
        let sent: Value = serde_json::from_str(&body).unwrap();
        if self.is_down.load(Ordering::SeqCst) {
            let headers = vec![("retry-after".to_owned(), "3600".to_owned())];
            return done.finish(Sent::Response(Response { status: 503, headers, ..Response::default() }));
        }
        let events = sent["events"].as_array().unwrap();
        let refused = events.iter().enumerate().filter(|(_, event)| event["name"] == "refused");
        let rejected: Vec<Value> = refused
            .map(|(index, event)| json!({"index": index, "id": event["id"], "code": "schema", "field": "price", "message": "no number"}))
            .collect();
        let accepted = events.len() - rejected.len();
        self.answered.lock().unwrap().push(request);
        let answer = json!({"batch_id": sent["batch_id"], "accepted": accepted, "rejected": rejected}).to_string();
        done.finish(Sent::Response(Response { status: 200, body: answer.into_bytes(), ..Response::default() }));
    }
}

/// The queue while its app runs.
pub struct Shop {
    pub monitor: Monitor,
    /// The requests that the server has not refused as a whole.
    // Not every test reads it.
    #[allow(dead_code)]
    pub answered: Arc<Mutex<Vec<Request>>>,
    clock: Clock,
}

impl Shop {
    /// Opens the app.
    pub fn open(folder: &Path) -> Shop {
        let clock = Clock::manual(START_MS, 5_000_000);
        let is_down = Arc::new(AtomicBool::new(false));
        let answered = Arc::default();
        let team = Rez::builder("https://in.shop.example", "key").purposes(&Purpose::ALL).build().unwrap();
        let config = Config::builder(folder, "shop", "shop@1.4.0+77")
            .destination("team", team)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .transport(Server { is_down: Arc::clone(&is_down), answered: Arc::clone(&answered) })
            .clock(clock.clone())
            .counted_ids(*b"keys of the shop")
            .inspector(true);
        let shop = Shop { monitor: Monitor::open(config.build().unwrap()).unwrap(), answered, clock };
        shop.visit();
        is_down.store(true, Ordering::SeqCst);
        shop.pay();
        shop
    }

    /// Home, a list of products, an event that the server refuses. Delivered.
    fn visit(&self) {
        self.record(812, json!({"kind": "app_start", "type": "cold", "duration_us": 812_000}));
        self.record(540, json!({"kind": "screen_load", "name": "Home", "duration_us": 412_000}));
        self.record(
            10,
            json!({"kind": "api_call", "method": "GET", "url": "https://api.shop.example/products", "status": 200,
            "duration_us": 120_400, "response_bytes": 18_211}),
        );
        self.record(900, json!({"kind": "analytics", "name": "refused", "attrs": {"price": "seven"}}));
        self.monitor.flush(WAIT).unwrap();
    }

    /// A tap on Pay, after which the server is down.
    fn pay(&self) {
        let mark = self.monitor.inspect(r#"{"tell": "mark", "text": "tapped Pay"}"#, WAIT);
        assert!(mark.contains("\"id\""), "{mark}");
        self.record(1_200, json!({"kind": "interaction", "action": "tap", "component": "PayButton"}));
        self.record(
            2_310,
            json!({"kind": "api_call", "method": "POST", "url": "https://api.shop.example/pay", "status": 503,
            "duration_us": 2_310_000}),
        );
        self.record(3, json!({"kind": "error", "type": "PaymentError", "message": "card of ada@shop.example declined", "handled": true}));
        self.record(
            40,
            json!({"kind": "analytics", "name": "payment_failed", "attrs": {"price": 7.5, "coupon": "<script>"}}),
        );
        self.monitor.flush(WAIT).unwrap();
        self.monitor.hint(Hint::Network(Network::Offline));
        self.monitor.persist(WAIT).unwrap();
    }

    fn record(&self, after_ms: u64, item: Value) {
        self.clock.advance(Duration::from_millis(after_ms));
        let results = self.monitor.record_batch(&json!({"v": 1, "items": [item]}).to_string());
        assert!(results, "{item}");
    }

    /// Closes the app. Its queue stays.
    pub fn close(self) {
        self.monitor.close(WAIT);
    }
}
