//! The debug endpoint of an app: the inspector's page on a loopback port of the device, for a person with a cable and for a device farm.
//!
//! It answers with [`Monitor::inspect`], through the connection of the engine's own writer: nothing opens the queue a second time.
//! Each start has a new token. The address is also in the file [`FILE`] of the queue's folder, where `rezq adb:PACKAGE` finds it:
//! on Android that folder can be read by the app itself, and by `run-as` for a debuggable build.
//!
//! ```
//! # use rez_monitor::{Config, Monitor};
//! # use rez_inspect::endpoint::Endpoint;
//! # use std::time::Duration;
//! # let folder = std::env::temp_dir().join(format!("rez-endpoint-{}", std::process::id()));
//! let config = Config::builder(&folder, "shop", "shop@1").sessions(false).inspector(true).build()?;
//! let monitor = Monitor::open(config)?;
//! let endpoint = Endpoint::start(&monitor, 0)?;
//! assert!(endpoint.url().starts_with("http://127.0.0.1:"));
//! endpoint.stop();
//! # monitor.close(Duration::from_secs(5));
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::source::address::FILE;

use crate::source::App;
use crate::source::address::{read, write};
use crate::web::{Server, WebError};
use rez_monitor::Monitor;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The longest wait for the engine. `send_now` waits for servers.
const WAIT: Duration = Duration::from_secs(30);

/// The longest wait for the engine at the start.
const START: Duration = Duration::from_secs(5);

/// Why there is no endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The engine does not answer an inspector: it is off, as in a release build, or the engine is closed.
    #[error("no debug endpoint: {0}")]
    Refused(String),
    /// The port cannot be used.
    #[error(transparent)]
    Server(#[from] WebError),
}

/// A running endpoint. Dropping it stops it.
pub struct Endpoint {
    server: Server,
    file: PathBuf,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Starts it on `127.0.0.1`, on threads of its own. Port 0 picks a free port. Do not call it on a main thread: it waits for the
    /// engine's writer once.
    ///
    /// # Errors
    /// Inspection is off ([`rez_monitor::ConfigBuilder::inspector`]), or the port is taken.
    pub fn start(monitor: &Monitor, port: u16) -> Result<Endpoint, EndpointError> {
        let about = monitor.inspect(r#"{"ask":"about"}"#, START);
        let about: serde_json::Value = serde_json::from_str(&about).unwrap_or_default();
        if let Some(why) = about.get("error").and_then(serde_json::Value::as_str) {
            return Err(EndpointError::Refused(why.to_owned()));
        }
        let app = App::new(monitor.clone(), WAIT);
        let server = Server::start(([127, 0, 0, 1], port).into(), Arc::new(app))?;
        let file = Path::new(&monitor.status().folder).join(FILE);
        // On a full disk the endpoint serves those who know its address.
        let _ = write(&file, server.url());
        Ok(Endpoint { server, file })
    }

    /// The address of the page, with the token. Whoever knows it can read the queue.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Stops it. Waits for the answer to a request that has begun.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // One that was started later has written its own address.
        if read(&self.file).is_some_and(|url| url == self.server.url()) {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Inspect as _, Remote};
    use rez_monitor::{Config, Level};
    use std::net::TcpListener;

    fn open(folder: &Path, inspects: bool) -> Monitor {
        let config = Config::builder(folder, "shop", "shop@1").sessions(false).inspector(inspects);
        Monitor::open(config.build().unwrap()).unwrap()
    }

    #[test]
    fn a_running_app_answers_and_gives_its_queue_as_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = open(dir.path(), true);
        let endpoint = Endpoint::start(&monitor, 0).unwrap();
        let remote = Remote::new(&read(&dir.path().join(FILE)).unwrap()).unwrap();
        let _ = monitor.message("hello", Level::Info, &[]);
        monitor.persist(WAIT).unwrap();
        assert!(remote.inspect(r#"{"ask":"list"}"#).contains("hello"));
        assert!(remote.inspect(r#"{"tell":"mark","text":"tapped Pay"}"#).contains("\"id\""));
        let copied = tempfile::tempdir().unwrap();
        std::fs::write(copied.path().join(crate::queue::FILE), remote.snapshot().unwrap()).unwrap();
        let copied = crate::source::Folder::open(copied.path()).unwrap();
        let list = copied.inspect(r#"{"ask":"list"}"#);
        assert!(list.contains("hello") && list.contains("tapped Pay"), "{list}");
        endpoint.stop();
        assert!(remote.try_inspect(r#"{"ask":"about"}"#).is_err());
        assert!(!dir.path().join(FILE).exists());
        monitor.close(WAIT);
    }

    #[test]
    fn an_engine_that_does_not_inspect_or_is_closed_has_no_endpoint() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = open(dir.path(), false);
        let error = Endpoint::start(&monitor, 0).unwrap_err().to_string();
        assert!(error.contains("`inspector`"), "{error}");
        assert!(!dir.path().join(FILE).exists());
        monitor.close(WAIT);
        let monitor = open(dir.path(), true);
        monitor.clone().close(WAIT);
        assert!(matches!(Endpoint::start(&monitor, 0), Err(EndpointError::Refused(_))));
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = open(dir.path(), true);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Endpoint::start(&monitor, port).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("another port"), "{error}");
        monitor.close(WAIT);
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_reads_the_address_and_a_link_in_its_place_is_not_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let monitor = open(&folder, true);
        symlink(dir.path().join("elsewhere"), folder.join(FILE)).unwrap();
        let first = Endpoint::start(&monitor, 0).unwrap();
        assert!(!dir.path().join("elsewhere").exists());
        assert_eq!(folder.join(FILE).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let second = Endpoint::start(&monitor, 0).unwrap();
        drop(first);
        assert_eq!(read(&folder.join(FILE)).as_deref(), Some(second.url()), "the address of the later one stays");
        drop(second);
        monitor.close(WAIT);
    }
}
