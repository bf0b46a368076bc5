//! A small shop API for the demo app: HTTP on loopback, with simulated delays and failures.
//!
//! `GET /products`, `GET /products/{id}`, `POST /cart` with `{"id":..,"quantity":..}`, `POST /pay` with
//! `{"amount":..}`, `GET /images/{id}.png`. Which requests are slow and which payments fail depends on the seed and
//! on the number of earlier requests to the same path, so that a run with one client can be repeated exactly.

mod png;

use crate::host::{self, Host, NotLoopback};
use crate::seeded::Seeded;
use axum::extract::{Path, Request, State as Shared};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Number of products.
pub const PRODUCTS: u64 = 24;

const NAMES: [&str; 8] =
    ["Masala chai", "Filter coffee", "Jute bag", "Clay cup", "Notebook", "Desk lamp", "Kurta", "Scarf"];

/// Rates of simulated faults, per 1,000 requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Responses delayed by 1 to 4 ms.
    pub sluggish: u64,
    /// Responses delayed by [`Faults::slow_ms`].
    pub slow: u64,
    /// Delay of a slow response, in milliseconds.
    pub slow_ms: u64,
    /// Payments declined with 402.
    pub declined: u64,
    /// Payments that fail with 500.
    pub broken: u64,
}

impl Faults {
    /// No faults.
    pub const NONE: Faults = Faults { sluggish: 0, slow: 0, slow_ms: 0, declined: 0, broken: 0 };

    /// The rates of the demo.
    pub const USUAL: Faults = Faults { sluggish: 100, slow: 4, slow_ms: 60, declined: 120, broken: 60 };
}

/// Why the shop cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShopError {
    /// The address is reachable from other machines.
    #[error(transparent)]
    NotLoopback(#[from] NotLoopback),
    /// The address cannot be bound.
    #[error("the shop cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

struct State {
    seed: u64,
    faults: Faults,
    served: AtomicU64,
    by_path: Mutex<BTreeMap<String, u64>>,
    cart: Mutex<BTreeMap<u64, u64>>,
}

/// A running shop. Dropping it stops it.
#[derive(Debug)]
pub struct Shop {
    address: SocketAddr,
    served: Arc<State>,
    host: Host,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("seed", &self.seed).field("served", &self.served).finish_non_exhaustive()
    }
}

impl Shop {
    /// Starts the shop on this loopback address, on a new thread. Port 0 picks a free port.
    pub fn open(address: SocketAddr, seed: u64, faults: Faults) -> Result<Shop, ShopError> {
        let address = host::loopback(address)?;
        let listen = |error| ShopError::Listen(address, error);
        let listener = std::net::TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let state = Arc::new(State {
            seed,
            faults,
            served: AtomicU64::new(0),
            by_path: Mutex::default(),
            cart: Mutex::default(),
        });
        let shared = state.clone();
        let host = Host::start("rez-shop", move || async move {
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                let _ = axum::serve(listener, router(shared)).await;
            }
        })
        .map_err(listen)?;
        Ok(Shop { address, served: state, host })
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of requests served.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.served.load(Ordering::Relaxed)
    }

    /// Stops the shop.
    pub fn close(mut self) {
        self.host.stop();
    }
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/products", get(|| async { Json((1..=PRODUCTS).map(product).collect::<Vec<_>>()) }))
        .route("/products/{id}", get(one_product))
        .route("/cart", post(put_in_cart))
        .route("/pay", post(pay))
        .route("/images/{file}", get(image))
        .layer(middleware::from_fn_with_state(state.clone(), delay))
        .with_state(state)
}

/// Counts the request, and returns the random numbers that decide its faults.
fn draw(state: &State, path: &str) -> Seeded {
    let mut by_path = state.by_path.lock().unwrap_or_else(PoisonError::into_inner);
    let count = by_path.entry(path.to_owned()).or_default();
    *count = count.wrapping_add(1);
    Seeded::for_word(state.seed ^ *count, path)
}

async fn delay(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let mut numbers = draw(&state, request.uri().path());
    let Faults { sluggish, slow, slow_ms, .. } = state.faults;
    let wait = if numbers.chance(slow) {
        slow_ms
    } else if numbers.chance(sluggish) {
        numbers.between(1, 4)
    } else {
        0
    };
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    let response = next.run(request).await;
    state.served.fetch_add(1, Ordering::Relaxed);
    response
}

#[derive(Serialize)]
struct Product {
    id: u64,
    name: String,
    /// Price in rupees.
    price: u64,
    image: String,
}

fn product(id: u64) -> Product {
    let name = NAMES.get(usize::try_from(id).unwrap_or(0) % NAMES.len()).copied().unwrap_or_default();
    Product { id, name: format!("{name} no. {id}"), price: 49 + id * 37 % 950, image: format!("/images/{id}.png") }
}

fn known(id: &str) -> Option<u64> {
    id.parse().ok().filter(|id| (1..=PRODUCTS).contains(id))
}

fn no_such_product() -> Response {
    error(StatusCode::NOT_FOUND, "no such product")
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

async fn one_product(Path(id): Path<String>) -> Response {
    known(&id).map_or_else(no_such_product, |id| Json(product(id)).into_response())
}

async fn image(Path(file): Path<String>) -> Response {
    let Some(id) = file.strip_suffix(".png").and_then(known) else { return no_such_product() };
    let side = u8::try_from(16 + id * 2).unwrap_or(16);
    ([(header::CONTENT_TYPE, "image/png")], png::square(id, side)).into_response()
}

#[derive(Deserialize)]
struct Line {
    id: u64,
    quantity: u64,
}

async fn put_in_cart(Shared(state): Shared<Arc<State>>, Json(line): Json<Line>) -> Response {
    let Some(id) = known(&line.id.to_string()) else { return no_such_product() };
    if !(1..=99).contains(&line.quantity) {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "the quantity must be 1 to 99");
    }
    let mut cart = state.cart.lock().unwrap_or_else(PoisonError::into_inner);
    let quantity = cart.entry(id).or_default();
    *quantity = quantity.saturating_add(line.quantity);
    let total = cart.iter().fold(0_u64, |sum, (id, n)| sum.saturating_add(product(*id).price.saturating_mul(*n)));
    Json(json!({"items": cart.len(), "total": total})).into_response()
}

#[derive(Deserialize)]
struct Payment {
    amount: u64,
}

async fn pay(Shared(state): Shared<Arc<State>>, Json(payment): Json<Payment>) -> Response {
    let mut numbers = draw(&state, "payment");
    if numbers.chance(state.faults.declined) {
        return error(StatusCode::PAYMENT_REQUIRED, "card declined");
    }
    if numbers.chance(state.faults.broken) {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "the bank does not respond");
    }
    state.cart.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let transaction = format!("t-{:012x}", numbers.below(1 << 48));
    Json(json!({"transaction_id": transaction, "amount": payment.amount, "currency": "INR"})).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use serde_json::Value;

    fn open(seed: u64, faults: Faults) -> (Shop, Client) {
        let shop = Shop::open(([127, 0, 0, 1], 0).into(), seed, faults).unwrap();
        let client = Client::new(shop.address());
        (shop, client)
    }

    #[test]
    fn a_customer_can_browse_fill_a_cart_and_pay() {
        let (shop, mut client) = open(1, Faults::NONE);
        let products: Value = serde_json::from_slice(&client.get("/products").unwrap().body).unwrap();
        assert_eq!(products.as_array().unwrap().len() as u64, PRODUCTS);
        let one: Value = serde_json::from_slice(&client.get("/products/3").unwrap().body).unwrap();
        assert_eq!(one, products[2]);
        let picture = client.get(one["image"].as_str().unwrap()).unwrap();
        assert_eq!(picture.header("content-type"), Some("image/png"));
        assert!(picture.body.starts_with(b"\x89PNG"));
        let cart: Value =
            serde_json::from_slice(&client.post("/cart", r#"{"id":3,"quantity":2}"#).unwrap().body).unwrap();
        assert_eq!(cart["total"].as_u64(), one["price"].as_u64().map(|price| price * 2));
        let paid: Value = serde_json::from_slice(&client.post("/pay", r#"{"amount":320}"#).unwrap().body).unwrap();
        assert_eq!(paid["amount"], 320);
        assert_eq!(shop.served(), 5);
        shop.close();
    }

    #[test]
    fn an_unknown_product_is_404_and_an_invalid_quantity_is_422() {
        let (_shop, mut client) = open(1, Faults::NONE);
        for path in ["/products/0", "/products/25", "/products/x", "/images/0.png", "/images/3.gif"] {
            assert_eq!(client.get(path).unwrap().status, 404, "{path}");
        }
        assert_eq!(client.post("/cart", r#"{"id":3,"quantity":0}"#).unwrap().status, 422);
    }

    #[test]
    fn the_same_seed_fails_the_same_payments_and_all_three_outcomes_occur() {
        let statuses = |seed| {
            let (_shop, mut client) = open(seed, Faults { slow: 0, sluggish: 0, ..Faults::USUAL });
            (0..100).map(|_| client.post("/pay", r#"{"amount":1}"#).unwrap().status).collect::<Vec<_>>()
        };
        let first = statuses(5);
        assert_eq!(first, statuses(5));
        assert_ne!(first, statuses(6));
        assert!([200, 402, 500].iter().all(|status| first.contains(status)));
    }

    #[test]
    fn a_slow_response_is_delayed() {
        let (_shop, mut client) = open(1, Faults { slow: 1000, slow_ms: 30, ..Faults::NONE });
        let begun = std::time::Instant::now();
        client.get("/products").unwrap();
        assert!(begun.elapsed().as_millis() >= 30);
    }

    #[test]
    fn an_address_that_other_machines_can_reach_is_rejected() {
        assert!(Shop::open(([0, 0, 0, 0], 0).into(), 1, Faults::NONE).is_err());
    }
}
