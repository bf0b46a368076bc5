//! The default transport: reqwest over rustls with ring. The only place with tokio.
//!
//! - TLS uses no process-wide crypto provider, and by default no file and no service of the platform. See [`tls`].
//! - No proxy is used, whatever the environment or the system is configured to. A host that needs one provides its own
//!   [`Transport`].
//! - The client follows no redirect, keeps no cookie and repeats no request.
//! - One thread with a current-thread runtime is started by the first request. [`IDLE`] after the last request the
//!   connections are closed, and the thread sleeps without a timer. It ends with the transport.

use super::{Completion, Request, Response, Sent, Transport, url};
use crate::limits;
use ::reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tls::{RootCertificate, Trust};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[cfg(feature = "transport-platform-verifier")]
mod platform;
mod tls;

/// How long connections stay open after the last request: a drain reuses them, an idle device is not woken by them.
const IDLE: Duration = Duration::from_secs(15);

type Job = (Request, Completion);

/// Sends requests with reqwest.
#[derive(Default)]
pub struct Reqwest {
    trust: Trust,
    /// The channel to the thread; `None` until the first request.
    jobs: Mutex<Option<UnboundedSender<Job>>>,
}

impl Reqwest {
    /// A transport that trusts Mozilla's root certificates. Its thread starts with the first request.
    #[must_use]
    pub fn new() -> Self {
        Reqwest::default()
    }

    /// A builder for a transport that trusts other root certificates.
    ///
    /// ```no_run
    /// use rez_monitor::transport::Reqwest;
    ///
    /// let pem = std::fs::read("company-root.pem")?;
    /// let transport = Reqwest::builder().root_certificate_pem(pem).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn builder() -> ReqwestBuilder {
        ReqwestBuilder::default()
    }
}

/// A transport was configured with a value that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReqwestError {
    /// A root certificate cannot be read.
    #[error("transport: `{field}`: {why}")]
    RootCertificate {
        /// The setter, for example `root_certificate_pem`.
        field: &'static str,
        /// What is wrong with the certificate.
        why: String,
    },
}

/// Builds a [`Reqwest`].
#[derive(Default)]
pub struct ReqwestBuilder {
    roots: Vec<RootCertificate>,
    #[cfg(feature = "transport-platform-verifier")]
    platform: bool,
}

impl ReqwestBuilder {
    /// Trusts these root certificates too, one or more in PEM. For servers in a company network and for debugging
    /// proxies.
    #[must_use]
    pub fn root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(RootCertificate::Pem(pem.into()));
        self
    }

    /// Trusts this root certificate too, in DER.
    #[must_use]
    pub fn root_certificate_der(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.roots.push(RootCertificate::Der(der.into()));
        self
    }

    /// Leaves it to the operating system whether a certificate is trusted, instead of Mozilla's roots. Certificates
    /// signed by a root that was added here are trusted too. Requires the cargo feature `transport-platform-verifier`.
    ///
    /// On Android the app must initialise `rustls-platform-verifier` with its `Context` and include its Kotlin
    /// component. Without that, every request fails with a message that says so.
    #[cfg(feature = "transport-platform-verifier")]
    #[must_use]
    pub fn platform_verifier(mut self) -> Self {
        self.platform = true;
        self
    }

    /// Checks the certificates.
    ///
    /// # Errors
    /// [`ReqwestError`] names the setter whose value cannot be read.
    pub fn build(self) -> Result<Reqwest, ReqwestError> {
        let mut trust = Trust::default();
        for root in self.roots {
            root.add_to(&mut trust.extra_roots)?;
        }
        #[cfg(feature = "transport-platform-verifier")]
        {
            trust.platform = self.platform;
        }
        Ok(Reqwest { trust, jobs: Mutex::default() })
    }
}

impl std::fmt::Debug for ReqwestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReqwestBuilder").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Reqwest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reqwest").finish_non_exhaustive()
    }
}

impl Transport for Reqwest {
    fn send(&self, request: Request, done: Completion) {
        let mut sender = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match sender.as_ref() {
            Some(jobs) => match jobs.send((request, done)) {
                Ok(()) => return,
                // The thread has ended; a new one takes the request.
                Err(refused) => refused.0,
            },
            None => (request, done),
        };
        match start(self.trust.clone()) {
            Ok(jobs) => {
                if let Err(refused) = jobs.send(job) {
                    refused.0.1.finish(Sent::NotSent("the transport's thread has ended".into()));
                }
                *sender = Some(jobs);
            }
            Err(error) => job.1.finish(Sent::NotSent(format!("cannot start the transport's thread: {error}"))),
        }
    }
}

/// Starts the thread. It ends when the last sender is dropped; requests in flight are then dropped, which reports their
/// outcome as unknown.
fn start(trust: Trust) -> std::io::Result<UnboundedSender<Job>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new().name("rez-transport".into()).spawn(move || {
        crate::crash::guard_stack();
        runtime.block_on(serve(receiver, trust));
    })?;
    Ok(sender)
}

async fn serve(mut jobs: UnboundedReceiver<Job>, trust: Trust) {
    let mut client: Option<::reqwest::Client> = None;
    let running = Arc::new(());
    loop {
        let next = match client {
            None => jobs.recv().await,
            Some(_) => match tokio::time::timeout(IDLE, jobs.recv()).await {
                Ok(next) => next,
                Err(_) => {
                    // A request in flight has its own handle on the client and on `running`.
                    if Arc::strong_count(&running) == 1 {
                        client = None;
                    }
                    continue;
                }
            },
        };
        let Some((request, done)) = next else { return };
        let now = match client.take().map_or_else(|| build(&trust), Ok) {
            Ok(client) => client,
            Err(error) => {
                done.finish(Sent::NotSent(format!("cannot set up the HTTP client: {error}")));
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

fn build(trust: &Trust) -> Result<::reqwest::Client, String> {
    let tls = trust.client_config().map_err(|error| error.to_string())?;
    ::reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(::reqwest::redirect::Policy::none())
        .retry(::reqwest::retry::never())
        .referer(false)
        .connect_timeout(limits::CONNECT_TIMEOUT)
        .pool_idle_timeout(None)
        .pool_max_idle_per_host(2)
        .build()
        .map_err(|error| error.to_string())
}

/// Sends one request and reads its response.
async fn exchange(client: &::reqwest::Client, request: Request) -> Sent {
    let (address, headers) = match check(&request) {
        Ok(parts) => parts,
        Err(why) => return Sent::NotSent(why),
    };
    let deadline = tokio::time::Instant::now() + limits::REQUEST_TIMEOUT;
    let sending = client.post(address).headers(headers).body(request.body).send();
    let mut incoming = match tokio::time::timeout_at(deadline, sending).await {
        Err(_) => return Sent::Ambiguous("no response in time".into()),
        Ok(Err(error)) => return failed(&error),
        Ok(Ok(incoming)) => incoming,
    };
    let mut response = Response { status: incoming.status().as_u16(), ..Response::default() };
    for (name, value) in incoming.headers() {
        response.headers.push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    }
    loop {
        match tokio::time::timeout_at(deadline, incoming.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let space = limits::RESPONSE_BYTES.saturating_sub(response.body.len());
                response.body.extend(chunk.iter().take(space));
                response.cut = chunk.len() > space;
            }
            Ok(Ok(None)) => return Sent::Response(response),
            // The status is known, the body is incomplete.
            Ok(Err(_)) | Err(_) => response.cut = true,
        }
        if response.cut {
            return Sent::Response(response);
        }
    }
}

/// The outcome of a request that failed before its response.
fn failed(error: &::reqwest::Error) -> Sent {
    let text = tls::describe(error).unwrap_or_else(|| {
        // The innermost cause names what happened; the outer ones repeat the address with its query.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        cause.to_string()
    });
    if error.is_connect() || error.is_builder() { Sent::NotSent(text) } else { Sent::Ambiguous(text) }
}

/// The address and the headers in the client's types. The address is checked again, because the client parses it in its
/// own way.
fn check(request: &Request) -> Result<(::reqwest::Url, HeaderMap), String> {
    let address = ::reqwest::Url::parse(&request.url).map_err(|error| format!("address: {error}"))?;
    let host = address.host_str().ok_or("address: no host")?;
    if address.scheme() != "https" && !(address.scheme() == "http" && url::is_loopback(host)) {
        return Err("address: http is allowed to a loopback address only".into());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("header `{name}`: invalid name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| format!("header `{name}`: invalid value"))?;
        headers.insert(name, value);
    }
    Ok((address, headers))
}

#[cfg(test)]
mod tests;
