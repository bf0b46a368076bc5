//! The debug endpoint of an app, opened and closed by a request: `{"tell": "endpoint"}`.
//!
//! It is no function of its own, so that every language and the packages on top of them have it without a change, and a library
//! without the feature `debug-endpoint` has the same surface. Only the app itself can open it: the endpoint passes its requests to the
//! engine, which does not know this one.

use rez_monitor::Monitor;
use serde_json::{Value, json};

/// Answers a request about the endpoint; `None` for any other request.
pub(crate) fn answer(handle: u64, monitor: &Monitor, request: &str) -> Option<String> {
    // Other requests are parsed once, by the engine.
    if !request.contains("\"endpoint\"") {
        return None;
    }
    let asked: Value = serde_json::from_str(request).ok()?;
    if asked.get("tell")?.as_str()? != "endpoint" {
        return None;
    }
    Some(tell(handle, monitor, &asked).unwrap_or_else(|error| json!({ "error": error })).to_string())
}

#[cfg(feature = "debug-endpoint")]
pub(crate) use running::close;
#[cfg(feature = "debug-endpoint")]
use running::tell;

#[cfg(feature = "debug-endpoint")]
mod running {
    use rez_inspect::endpoint::Endpoint;
    use rez_monitor::Monitor;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// What an app asks.
    #[derive(Debug, PartialEq)]
    enum Asked {
        Open { port: u16 },
        Close,
    }

    impl Asked {
        fn read(asked: &Value) -> Result<Asked, String> {
            for name in asked.as_object().into_iter().flat_map(|members| members.keys()) {
                if !matches!(name.as_str(), "tell" | "port" | "open") {
                    return Err(format!("`{name}` is no member of this request; use `open` and `port`"));
                }
            }
            match asked.get("open") {
                None | Some(Value::Bool(true)) => {}
                Some(Value::Bool(false)) => return Ok(Asked::Close),
                Some(_) => return Err("`open` must be true or false".to_owned()),
            }
            let port = asked.get("port").map_or(Some(0), Value::as_u64).and_then(|port| u16::try_from(port).ok());
            Ok(Asked::Open { port: port.ok_or("`port` must be a number from 0 (any free port) to 65535")? })
        }
    }

    /// By the handle of the engine.
    static OPEN: Mutex<BTreeMap<u64, Endpoint>> = Mutex::new(BTreeMap::new());

    fn all() -> MutexGuard<'static, BTreeMap<u64, Endpoint>> {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(handle: u64, monitor: &Monitor, asked: &Value) -> Result<Value, String> {
        let Asked::Open { port } = Asked::read(asked)? else {
            close(handle);
            return Ok(json!({ "url": null }));
        };
        if let Some(open) = all().get(&handle).filter(|open| port == 0 || open.port() == port) {
            return Ok(json!({ "url": open.url() }));
        }
        // Neither is done with the lock, which the end of every engine takes.
        let opened = Endpoint::start(monitor, port).map_err(|error| error.to_string())?;
        let answer = json!({ "url": opened.url() });
        let replaced = all().insert(handle, opened);
        drop(replaced);
        Ok(answer)
    }

    /// Closes the endpoint of an engine, if it is open.
    pub(crate) fn close(handle: u64) {
        let Some(open) = all().remove(&handle) else { return };
        // It waits for the answer to a request that has begun, and the end of an engine does not.
        let ended = std::thread::Builder::new().name("rez-endpoint-end".to_owned()).spawn(move || drop(open));
        drop(ended);
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn read(request: &str) -> Result<Asked, String> {
            Asked::read(&serde_json::from_str(request).unwrap())
        }

        #[test]
        fn a_request_opens_a_port_or_closes_it() {
            assert_eq!(read(r#"{"tell":"endpoint"}"#), Ok(Asked::Open { port: 0 }));
            assert_eq!(read(r#"{"tell":"endpoint","open":true,"port":7345}"#), Ok(Asked::Open { port: 7345 }));
            assert_eq!(read(r#"{"tell":"endpoint","open":false}"#), Ok(Asked::Close));
            for (wrong, member) in [
                (r#"{"tell":"endpoint","port":65536}"#, "`port`"),
                (r#"{"tell":"endpoint","port":-1}"#, "`port`"),
                (r#"{"tell":"endpoint","port":"80"}"#, "`port`"),
                (r#"{"tell":"endpoint","open":1}"#, "`open`"),
                (r#"{"tell":"endpoint","host":"0.0.0.0"}"#, "`host`"),
            ] {
                assert!(read(wrong).unwrap_err().contains(member), "{wrong}");
            }
        }
    }
}

#[cfg(not(feature = "debug-endpoint"))]
pub(crate) fn close(_: u64) {}

#[cfg(not(feature = "debug-endpoint"))]
fn tell(_: u64, _: &Monitor, _: &Value) -> Result<Value, String> {
    Err("this build of the library has no debug endpoint; build it with the feature `debug-endpoint`".to_owned())
}
