//! An app that answers over HTTP, or `rezq serve`.

use super::{Inspect, SourceError};
use crate::client::Client;
use crate::host::parse_loopback;
use std::net::SocketAddr;

/// An app, or `rezq serve`, at an address of this machine.
#[derive(Clone)]
pub struct Remote {
    /// The address without the token.
    address: String,
    at: SocketAddr,
    /// How the app names itself: its port differs from that of the address when a cable is between them.
    host: String,
    /// A collector without a key has none.
    token: Option<String>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why an address gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The address has another form.
    #[error(
        "`{0}` is no address of an inspector; pass http://127.0.0.1:PORT/?token=TOKEN as the app or `rezq serve` prints it, or \
         http://127.0.0.1:PORT of `rezq collect`"
    )]
    Address(String),
    /// Nothing listens there.
    #[error("{address} does not answer: {message}; check that the app runs and that its port is forwarded")]
    Unreachable {
        /// The address.
        address: String,
        /// The error of the connection.
        message: String,
    },
    /// The token is wrong.
    #[error("{0} refuses the token; each start has a new one, so copy the address that was printed last")]
    Token(String),
    /// There is none.
    #[error("{0} needs a token; pass the whole address that was printed, and of a collector with a key {0}/?token=KEY")]
    NoToken(String),
    /// Something else listens there.
    #[error("{address} answered with status {status}; check that an inspector of REZ Monitor listens there")]
    Status {
        /// The address.
        address: String,
        /// The status.
        status: u16,
    },
}

impl Remote {
    /// Reads an address; connects with the first request.
    ///
    /// # Errors
    /// It has another form, or is on another machine.
    pub fn new(address: &str) -> Result<Remote, RemoteError> {
        // Without the token: errors end up in logs.
        let wrong = || RemoteError::Address(address.split('?').next().unwrap_or_default().to_owned());
        let rest = address.strip_prefix("http://").ok_or_else(wrong)?;
        let (host, token) = match rest.split_once("/?") {
            Some((host, query)) => {
                let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
                (host, Some(token.filter(|token| !token.is_empty()).ok_or_else(wrong)?))
            }
            None => (rest.trim_end_matches('/'), None),
        };
        let is_token = token.unwrap_or_default().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let at = parse_loopback(host).filter(|_| is_token).ok_or_else(wrong)?;
        Ok(Remote { address: format!("http://{host}"), at, host: host.to_owned(), token: token.map(str::to_owned) })
    }
}

impl Remote {
    /// The port of the address.
    pub(super) fn port(&self) -> u16 {
        self.at.port()
    }

    /// The same app behind another port of this machine.
    pub(super) fn through(mut self, port: u16) -> Remote {
        self.at = ([127, 0, 0, 1], port).into();
        self
    }

    /// Sends a request. Returns the body of the response.
    fn send(&self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, RemoteError> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json"), ("host", self.host.as_str())];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        // A connection of its own: one that the app has closed meanwhile would need a repetition, and a mark must not be set twice.
        let reply = Client::new(self.at).send(method, path, &headers, body.as_bytes());
        let address = self.address.clone();
        match reply {
            Ok(reply) if reply.status == 200 => Ok(reply.body),
            Ok(reply) if reply.status == 401 && self.token.is_none() => Err(RemoteError::NoToken(address)),
            Ok(reply) if reply.status == 401 => Err(RemoteError::Token(address)),
            Ok(reply) => Err(RemoteError::Status { address, status: reply.status }),
            Err(error) => Err(RemoteError::Unreachable { address, message: error.to_string() }),
        }
    }
}

impl Inspect for Remote {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        Ok(String::from_utf8_lossy(&self.send("POST", "/inspect", request)?).into_owned())
    }

    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        Ok(self.send("GET", "/snapshot", "")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_this_machine_and_has_a_token_or_is_that_of_a_collector() {
        for address in [
            "http://127.0.0.1:7345/?token=a1-_",
            "http://localhost:80/?x=1&token=T",
            "http://[::1]:9/?token=t",
            "http://127.0.0.1:7345",
            "http://127.0.0.1:7345/",
        ] {
            assert!(Remote::new(address).is_ok(), "{address}");
        }
        for address in [
            "https://127.0.0.1:7345/?token=a",
            "http://127.0.0.1:7345/v1/batch",
            "http://127.0.0.1:7345/?token=",
            "http://127.0.0.1/?token=a",
            "http://192.168.0.7:7345/?token=a",
            "http://example.com:80/?token=a",
            "http://127.0.0.1:99999/?token=a",
            "http://127.0.0.1:7345/?token=a%0d%0ahost: x",
        ] {
            assert!(matches!(Remote::new(address), Err(RemoteError::Address(_))), "{address}");
        }
    }

    #[test]
    fn a_port_where_nothing_listens_is_named_without_the_token() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Remote::new(&format!("http://{free}/?token=secret")).unwrap().try_inspect("{}").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&free.to_string()) && !text.contains("secret"), "{text}");
    }
}
