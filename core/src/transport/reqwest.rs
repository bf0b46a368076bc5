//! The default transport: reqwest over rustls with ring and Mozilla's roots, the only place with tokio.
//!
//! - TLS is set up from parts that are compiled in: no platform verifier (which panics on Android without a Java
//!   context), no process-wide crypto provider, no file.
//! - No proxy is used, whatever the environment or the system says: a monitoring request takes the same way on every
//!   device. A host that needs one hands in its own transport.
//! - Redirects are answers, cookies are not kept, nothing is sent twice by the client.
//! - One thread with a small runtime, made at the first request. [`LINGER`] after the last one connections are closed,
//!   and the thread sleeps without any timer; it ends with the transport.

use super::{Answer, Completion, Request, Sent, Transport, url};
use crate::limits;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long connections are kept after the last request: a drain reuses them, an idle device does not wake for them.
const LINGER: Duration = Duration::from_secs(15);

type Job = (Request, Completion);

/// Sends through reqwest.
#[derive(Default)]
pub struct Reqwest {
    /// The thread's door; `None` until the first request.
    jobs: Mutex<Option<UnboundedSender<Job>>>,
}

impl Reqwest {
    /// A transport; its thread starts with the first request.
    #[must_use]
    pub fn new() -> Self {
        Reqwest::default()
    }
}

impl std::fmt::Debug for Reqwest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reqwest").finish_non_exhaustive()
    }
}

impl Transport for Reqwest {
    fn send(&self, request: Request, done: Completion) {
        let mut store_access = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match store_access.as_ref() {
            Some(jobs) => match jobs.send((request, done)) {
                Ok(()) => return,
                // The thread is gone; a new one takes the request.
                Err(refused) => refused.0,
            },
            None => (request, done),
        };
        match start() {
            Ok(jobs) => {
                if let Err(refused) = jobs.send(job) {
                    refused.0.1.finish(Sent::NotSent("the transport's thread ended".into()));
                }
                *store_access = Some(jobs);
            }
            Err(error) => job.1.finish(Sent::NotSent(format!("no thread for the transport: {error}"))),
        }
    }
}

/// Starts the thread. It ends when the last sender is gone; requests still under way are then dropped, which tells
/// the delivery that their fate is unknown.
fn start() -> std::io::Result<UnboundedSender<Job>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new().name("rez-transport".into()).spawn(move || runtime.block_on(serve(receiver)))?;
    Ok(sender)
}

async fn serve(mut jobs: UnboundedReceiver<Job>) {
    let mut client: Option<reqwest::Client> = None;
    let running = Arc::new(());
    loop {
        let next = match client {
            None => jobs.recv().await,
            Some(_) => match tokio::time::timeout(LINGER, jobs.recv()).await {
                Ok(next) => next,
                Err(_) => {
                    // A request under way holds its own handle on the client and on `running`.
                    if Arc::strong_count(&running) == 1 {
                        client = None;
                    }
                    continue;
                }
            },
        };
        let Some((request, done)) = next else { return };
        let now = match client.take().map_or_else(build, Ok) {
            Ok(client) => client,
            Err(error) => {
                done.finish(Sent::NotSent(format!("the HTTP client could not be set up: {error}")));
                continue;
            }
        };
        client = Some(now.clone());
        let busy = Arc::clone(&running);
        tokio::spawn(async move {
            let sent = exchange(&now, request).await;
            drop(busy);
            done.finish(sent);
        });
    }
}

fn build() -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(limits::CONNECT_TIMEOUT)
        .pool_idle_timeout(None)
        .pool_max_idle_per_host(2)
        .build()
        .map_err(|error| error.to_string())
}

/// One request, from its check to the end of its answer.
async fn exchange(client: &reqwest::Client, request: Request) -> Sent {
    let (address, headers) = match check(&request) {
        Ok(parts) => parts,
        Err(what) => return Sent::NotSent(what),
    };
    let deadline = tokio::time::Instant::now() + limits::REQUEST_TIMEOUT;
    let sending = client.post(address).headers(headers).body(request.body).send();
    let mut response = match tokio::time::timeout_at(deadline, sending).await {
        Err(_) => return Sent::Ambiguous("no answer in time".into()),
        Ok(Err(error)) => return failed(&error),
        Ok(Ok(response)) => response,
    };
    let mut answer = Answer { status: response.status().as_u16(), ..Answer::default() };
    for (name, value) in response.headers() {
        answer.headers.push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    }
    loop {
        match tokio::time::timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = limits::ANSWER_BYTES.saturating_sub(answer.body.len());
                answer.body.extend(chunk.iter().take(room));
                answer.cut = chunk.len() > room;
            }
            Ok(Ok(None)) => return Sent::Answer(answer),
            // The status is certain, the body is not whole.
            Ok(Err(_)) | Err(_) => answer.cut = true,
        }
        if answer.cut {
            return Sent::Answer(answer);
        }
    }
}

/// What an error before the answer says about the request's fate.
fn failed(error: &reqwest::Error) -> Sent {
    // The innermost cause says what happened; the outer ones name the address with its query.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    if error.is_connect() || error.is_builder() { Sent::NotSent(text) } else { Sent::Ambiguous(text) }
}

/// The address and the headers as the client wants them. The address is checked again as the client reads it.
fn check(request: &Request) -> Result<(reqwest::Url, HeaderMap), String> {
    let address = reqwest::Url::parse(&request.url).map_err(|error| format!("address: {error}"))?;
    let host = address.host_str().ok_or("address: no host")?;
    if address.scheme() != "https" && !(address.scheme() == "http" && url::is_loopback(host)) {
        return Err("address: neither https nor this machine".into());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("header `{name}`: not a name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("header `{name}`: not a value"))?;
        headers.insert(name, value);
    }
    Ok((address, headers))
}

#[cfg(test)]
mod tests;
