//! A customer's visit to the shop: sends requests, and records the events of a shopping app.

use crate::client::{Client, Reply};
use crate::seeded::Seeded;
use rez_monitor::{Breadcrumb, ErrorEvent, Event, Kind, Level, Metric, People, Revenue, Severity, Timing, Value};
use serde_json::Value as Json;
use std::io;
use std::time::Instant;

/// Product images loaded per page.
const IMAGES: u64 = 2;

/// Rates per 1,000 visits.
const SEARCHES: u64 = 300;
const CHECKOUTS: u64 = 400;
const SCROLLS: u64 = 500;

const TERMS: [&str; 4] = ["chai", "lamp", "gift", "cotton"];

/// Receives the events of a visit. Implemented by the app, and by a test.
pub(super) trait Recorder {
    /// A screen starts to load; it ends with [`Recorder::screen_shown`].
    fn screen(&mut self, name: &str);
    /// The last screen is loaded.
    fn screen_shown(&mut self);
    /// An HTTP call starts; it ends with [`Recorder::responded`] or [`Recorder::failed`].
    fn call(&mut self, method: &str, url: &str);
    /// The last call received a response.
    fn responded(&mut self, status: u16, bytes: u64);
    /// The last call failed.
    fn failed(&mut self, error: &str);
    /// A breadcrumb.
    fn crumb(&mut self, crumb: Breadcrumb<'_>);
    /// Any other event.
    fn event(&mut self, event: Event<'_>);
    /// A handled error.
    fn error(&mut self, error: ErrorEvent<'_>);
    /// A timing.
    fn timing(&mut self, kind: Kind, timing: Timing<'_>);
    /// A purchase.
    fn revenue(&mut self, revenue: Revenue<'_>);
    /// A user property.
    fn people(&mut self, people: People<'_>);
    /// A metric.
    fn metric(&mut self, name: &str, metric: Metric);
}

/// A customer.
pub(super) struct Customer<'a, R> {
    shop: &'a mut Client,
    origin: String,
    recorder: &'a mut R,
    numbers: Seeded,
    visit: u64,
}

impl<'a, R: Recorder> Customer<'a, R> {
    /// Returns the customer of this visit.
    pub(super) fn new(shop: &'a mut Client, origin: &str, recorder: &'a mut R, seed: u64, visit: u64) -> Self {
        let numbers = Seeded::for_word(seed ^ visit.rotate_left(32), "visit");
        Customer { shop, origin: origin.to_owned(), recorder, numbers, visit }
    }

    /// Runs the visit. Errors of the shop are recorded, not returned.
    pub(super) fn shop(mut self) {
        self.recorder.event(Event::screen_view("Home", Some("HomeScreen")));
        self.recorder.screen("Home");
        let products = self.get("/products");
        let first = self.numbers.between(1, crate::shop::PRODUCTS);
        for image in 0..IMAGES {
            self.image(1 + (first + image) % crate::shop::PRODUCTS);
        }
        self.recorder.screen_shown();
        self.recorder.crumb(Breadcrumb::new("navigation", "Home to Product").kind("navigation"));
        if self.numbers.chance(SCROLLS) {
            self.recorder.event(Event::interaction("scroll", "ProductList"));
            let (slow, total) = (self.number(0, 5), self.number(60, 240));
            self.recorder.event(Event::frames("Home", slow, slow / 4, total));
        }
        if self.numbers.chance(SEARCHES) {
            let term = self.pick(&TERMS);
            self.recorder.event(Event::analytics("search").attrs(&[("search_term", term.into())]));
        }
        let name = products.as_ref().and_then(|all| all.get(0)?.get("name")?.as_str()).unwrap_or("?").to_owned();
        self.recorder.metric(
            "products_shown",
            Metric::Gauge(products.and_then(|all| Some(all.as_array()?.len() as f64)).unwrap_or(0.0)),
        );
        let Some((id, price)) = self.product(&name) else { return };
        let total = self.cart(id, price);
        if self.numbers.chance(CHECKOUTS) {
            self.checkout(total.unwrap_or(price));
        }
    }

    /// Opens one product.
    fn product(&mut self, came_from: &str) -> Option<(u64, u64)> {
        let id = self.numbers.between(1, crate::shop::PRODUCTS);
        self.recorder.event(Event::interaction("tap", "ProductCard"));
        self.recorder.event(Event::screen_view("Product", None));
        self.recorder.screen("Product");
        let product = self.get(&format!("/products/{id}"));
        self.image(id);
        self.recorder.screen_shown();
        let product = product?;
        let price = product.get("price")?.as_u64()?;
        let name = product.get("name")?.as_str()?;
        let item = [("item_id", id.into()), ("item_name", name.into()), ("price", price.into())];
        self.recorder.event(
            Event::analytics("view_item")
                .attrs(&[("items", Value::List(&[Value::Map(&item)])), ("from", came_from.into())]),
        );
        Some((id, price))
    }

    /// Adds the product to the cart. Returns the total.
    fn cart(&mut self, id: u64, price: u64) -> Option<u64> {
        let quantity = self.numbers.between(1, 3);
        self.recorder.event(Event::interaction("tap", "AddToCartButton"));
        let cart = self.post("/cart", &format!(r#"{{"id":{id},"quantity":{quantity}}}"#))?;
        let total = cart.get("total")?.as_u64()?;
        let attrs = [
            ("item_id", id.into()),
            ("quantity", quantity.into()),
            ("value", (price * quantity).into()),
            ("currency", "INR".into()),
        ];
        self.recorder.event(Event::analytics("add_to_cart").attrs(&attrs));
        self.recorder.metric("cart_total", Metric::Distribution(total as f64));
        self.recorder.metric("added_to_cart", Metric::Counter(quantity as f64));
        Some(total)
    }

    /// Pays.
    fn checkout(&mut self, amount: u64) {
        self.recorder.crumb(Breadcrumb::new("navigation", "Cart to Checkout").kind("navigation"));
        self.recorder.event(Event::screen_view("Checkout", Some("CheckoutScreen")));
        self.recorder.screen("Checkout");
        let started = Instant::now();
        let attrs = [("value", amount.into()), ("currency", "INR".into())];
        self.recorder.event(Event::analytics("begin_checkout").attrs(&attrs));
        self.recorder.screen_shown();
        self.recorder.event(Event::interaction("tap", "PayButton"));
        let reply = self.send("POST", "/pay", format!(r#"{{"amount":{amount}}}"#).as_bytes());
        self.recorder.timing(Kind::LongTask, Timing::long_task("payment", started.elapsed()));
        match reply {
            Ok(reply) if reply.status == 200 => {
                let paid: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
                let transaction = paid.get("transaction_id").and_then(Json::as_str).unwrap_or_default();
                let mut revenue = Revenue::new(amount as f64, "INR");
                revenue.transaction_id = Some(transaction);
                self.recorder.revenue(revenue);
                self.recorder.people(People::Increment("purchases", 1.0));
                self.recorder.people(People::Set("last_amount", amount.into()));
                self.recorder.event(Event::analytics("cashback_earned").attrs(&[("amount", (amount / 20).into())]));
            }
            Ok(reply) if reply.status == 402 => {
                let context = [("amount", amount.into()), ("status", reply.status.into())];
                let error = ErrorEvent::new("PaymentDeclined", "the card was declined").severity(Severity::Medium);
                self.recorder.error(error.code("CARD_DECLINED").context(&context));
                self.recorder.event(Event::message("payment declined", Level::Warning));
            }
            Ok(reply) => {
                let message = format!("payment failed with status {} in visit {}", reply.status, self.visit);
                let error = ErrorEvent::new("PaymentError", &message).severity(Severity::High);
                self.recorder.error(error.code("PAYMENT_FAILED"));
            }
            Err(error) => {
                let message = error.to_string();
                self.recorder.error(ErrorEvent::new("NetworkError", &message).severity(Severity::High));
            }
        }
    }

    fn image(&mut self, id: u64) {
        let path = format!("/images/{id}.png");
        let started = Instant::now();
        let reply = self.shop.get(&path);
        let url = format!("{}{path}", self.origin);
        let timing = Timing::image_load(&url, started.elapsed());
        match reply {
            Ok(reply) => {
                self.recorder.timing(Kind::ImageLoad, timing.status(reply.status).bytes(0, reply.body.len() as u64))
            }
            Err(error) => self.recorder.timing(Kind::ImageLoad, timing.error(&error.to_string())),
        }
    }

    fn get(&mut self, path: &str) -> Option<Json> {
        self.json("GET", path, b"")
    }

    fn post(&mut self, path: &str, body: &str) -> Option<Json> {
        self.json("POST", path, body.as_bytes())
    }

    fn json(&mut self, method: &str, path: &str, body: &[u8]) -> Option<Json> {
        let reply = self.send(method, path, body).ok().filter(|reply| reply.status == 200)?;
        serde_json::from_slice(&reply.body).ok()
    }

    /// Sends a request to the shop and records it.
    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
        self.recorder.call(method, &format!("{}{path}", self.origin));
        let reply = self.shop.send(method, path, &[("content-type", "application/json")], body);
        match &reply {
            Ok(reply) => self.recorder.responded(reply.status, reply.body.len() as u64),
            Err(error) => self.recorder.failed(&error.to_string()),
        }
        reply
    }

    fn number(&mut self, low: u64, high: u64) -> u32 {
        u32::try_from(self.numbers.between(low, high)).unwrap_or(0)
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.numbers.below(words.len() as u64);
        usize::try_from(at).ok().and_then(|at| words.get(at)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::{Faults, Shop};
    use std::collections::BTreeMap;

    /// Counts by kind.
    #[derive(Default)]
    struct Counted {
        all: Vec<String>,
    }

    impl Counted {
        fn by_kind(&self) -> BTreeMap<&str, usize> {
            let mut counts = BTreeMap::new();
            for kind in &self.all {
                *counts.entry(kind.as_str()).or_default() += 1;
            }
            counts
        }
    }

    impl Recorder for Counted {
        fn screen(&mut self, _name: &str) {}
        fn screen_shown(&mut self) {
            self.all.push("screen_load".into());
        }
        fn call(&mut self, method: &str, url: &str) {
            assert!(url.starts_with("http://127.0.0.1:"), "{url}");
            self.all.push(method.into());
        }
        fn responded(&mut self, status: u16, bytes: u64) {
            assert!(bytes > 0);
            self.all.push(format!("response {status}"));
        }
        fn failed(&mut self, error: &str) {
            panic!("{error}");
        }
        fn crumb(&mut self, _crumb: Breadcrumb<'_>) {
            self.all.push("crumb".into());
        }
        fn event(&mut self, event: Event<'_>) {
            self.all.push(event.kind().as_str().into());
        }
        fn error(&mut self, _error: ErrorEvent<'_>) {
            self.all.push("error".into());
        }
        fn timing(&mut self, kind: Kind, _timing: Timing<'_>) {
            self.all.push(kind.as_str().into());
        }
        fn revenue(&mut self, _revenue: Revenue<'_>) {
            self.all.push("revenue".into());
        }
        fn people(&mut self, _people: People<'_>) {
            self.all.push("user_prop".into());
        }
        fn metric(&mut self, _name: &str, _metric: Metric) {
            self.all.push("metric".into());
        }
    }

    fn visits(seed: u64, visits: u64) -> Counted {
        let faults = Faults { slow: 0, sluggish: 0, ..Faults::USUAL };
        let shop = Shop::open(([127, 0, 0, 1], 0).into(), seed, faults).unwrap();
        let mut client = Client::new(shop.address());
        let origin = format!("http://{}", shop.address());
        let mut counted = Counted::default();
        for visit in 0..visits {
            Customer::new(&mut client, &origin, &mut counted, seed, visit).shop();
        }
        counted
    }

    #[test]
    fn visits_record_every_kind_and_repeat_with_their_seed() {
        let counted = visits(3, 120);
        let kinds = counted.by_kind();
        for kind in [
            "screen_load",
            "screen_view",
            "interaction",
            "frames",
            "analytics",
            "metric",
            "image_load",
            "long_task",
            "crumb",
            "revenue",
            "user_prop",
            "error",
            "message",
            "response 200",
            "response 402",
            "response 500",
            "GET",
            "POST",
        ] {
            assert!(kinds.contains_key(kind), "{kind} is missing in {kinds:?}");
        }
        assert_eq!(counted.all, visits(3, 120).all);
        assert_ne!(counted.all, visits(4, 120).all);
    }

    #[test]
    fn a_visit_has_about_twenty_events() {
        let counted = visits(1, 100);
        let not_events = ["crumb", "GET", "POST"];
        let events = counted.all.iter().filter(|kind| !not_events.contains(&kind.as_str())).count();
        assert!((1_500..3_000).contains(&events), "{events}");
    }
}
