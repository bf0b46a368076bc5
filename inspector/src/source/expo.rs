//! An app that is connected to a running `expo start`, over the socket of Expo's developer tools.

mod connection;
#[cfg(test)]
mod tests;

use super::{Inspect, SourceError};
use connection::Connection;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The port of `expo start`, unless it is taken.
const PORT: u16 = 8081;

/// Longest name of an app.
const NAME: usize = 64;

/// An app behind `expo:[PORT][/NAME]`.
#[derive(Debug)]
pub struct Expo {
    port: u16,
    name: Option<String>,
    timing: Timing,
    /// A request takes it, and puts it back when it has its answer.
    connection: Mutex<Option<Connection>>,
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// For Metro.
    connect: Duration,
    /// For the first app.
    first: Duration,
    /// For further apps after the first.
    others: Duration,
    /// For the answer to a question.
    ask: Duration,
    /// For the answer to an order: the app waits for servers.
    tell: Duration,
}

impl Timing {
    const USUAL: Timing = Timing {
        connect: Duration::from_secs(10),
        first: Duration::from_secs(5),
        others: Duration::from_millis(500),
        ask: Duration::from_secs(20),
        tell: Duration::from_secs(90),
    };
}

/// Why an app behind `expo start` gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpoError {
    /// The argument has another form.
    #[error("`{0}` is no source; pass expo:, expo:PORT or expo:PORT/NAME, with the port of `npx expo start`")]
    Argument(String),
    /// Nothing listens on the port.
    #[error(
        "Metro does not answer on port {port}: {message}; run `npx expo start`, and pass its port, as in expo:{port}"
    )]
    NoMetro {
        /// The port.
        port: u16,
        /// The error of the connection.
        message: String,
    },
    /// What listens there does not have the socket.
    #[error(
        "what listens on port {port} has no developer tools of Expo: {message}; start the app with `npx expo start`, \
         and pass its port, as in expo:{port}"
    )]
    NoTools {
        /// The port.
        port: u16,
        /// The answer to the handshake.
        message: String,
    },
    /// No app has announced itself.
    #[error(
        "no app with REZ Monitor is connected to Metro on port {0}; open a debug build, call useRezMonitorDevTools() of \
         `@rez/monitor/devtools` in its root component, and keep it in the foreground"
    )]
    NoApp(u16),
    /// Several apps have announced themselves.
    #[error("several apps are connected: {}; choose one, as in expo:{port}/{}", .names.join(", "), .names.first().map_or("NAME", String::as_str))]
    Several {
        /// The port.
        port: u16,
        /// Their names.
        names: Vec<String>,
    },
    /// The app that was asked for is not there.
    #[error("no app `{name}` is connected to Metro on port {port}; {}", connected(.names))]
    Unknown {
        /// The port.
        port: u16,
        /// The name in the argument.
        name: String,
        /// The apps that are there.
        names: Vec<String>,
    },
    /// The app uses other frames or messages.
    #[error(
        "the {what} of the app have version {version} and those of this rezq version 1; use the version of rezq that matches the app"
    )]
    Version {
        /// Frames or messages.
        what: &'static str,
        /// The version of the app.
        version: u64,
    },
    /// The app was there and does not answer.
    #[error(
        "the app `{name}` does not answer; bring it to the foreground, and let it continue if it stands at a breakpoint"
    )]
    Silent {
        /// Its name.
        name: String,
    },
    /// The app was started again while it worked on an order.
    #[error("the app `{0}` was started again before it answered; see with `rezq list` whether it was done")]
    Restarted(String),
    /// Metro has ended the connection.
    #[error(
        "Metro on port {port} has closed the connection: {message}; run the command again once `npx expo start` runs"
    )]
    Closed {
        /// The port.
        port: u16,
        /// The error.
        message: String,
    },
}

fn connected(names: &[String]) -> String {
    if names.is_empty() { "no other is there either".to_owned() } else { format!("connected: {}", names.join(", ")) }
}

impl Expo {
    /// Reads `expo:[PORT][/NAME]`; connects with the first request.
    ///
    /// # Errors
    /// The argument has another form.
    pub fn new(argument: &str) -> Result<Expo, ExpoError> {
        let wrong = || ExpoError::Argument(argument.to_owned());
        let rest = argument.strip_prefix("expo:").ok_or_else(wrong)?;
        let (port, name) = rest.split_once('/').map_or((rest, None), |(port, name)| (port, Some(name)));
        let port = match port {
            "" => PORT,
            digits => digits.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
        };
        if name.is_some_and(|name| !is_name(name)) {
            return Err(wrong());
        }
        Ok(Expo { port, name: name.map(str::to_owned), timing: Timing::USUAL, connection: Mutex::new(None) })
    }

    fn connect(&self) -> Result<Connection, ExpoError> {
        Connection::open(self.port, self.name.as_deref(), self.timing)
    }

    fn exchange(&self, connection: Option<Connection>, request: &str) -> Result<(String, Connection), ExpoError> {
        let Some(mut kept) = connection else {
            let mut new = self.connect()?;
            let answer = new.ask(request)?;
            return Ok((answer, new));
        };
        match kept.ask(request) {
            // Metro was started again since the last request. An order may have been done.
            Err(ExpoError::Closed { .. }) if !is_order(request) => self.exchange(None, request),
            answer => Ok((answer?, kept)),
        }
    }
}

impl Inspect for Expo {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, connection) = self.exchange(kept.take(), request)?;
        *kept = Some(connection);
        Ok(answer)
    }
}

/// Whether a request may change something, so that it is not sent twice.
fn is_order(request: &str) -> bool {
    let request = serde_json::from_str::<serde_json::Value>(request).unwrap_or_default();
    request.get("ask").is_none()
}

/// Whether a text can be a name: it is part of a shell's argument and of an error.
fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
