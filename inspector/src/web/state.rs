//! What the handlers of the server share.

use super::access::Access;
use super::{Inspect, Timing};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Semaphore, watch};

/// Requests that the source answers at once. Others wait.
const AT_ONCE: usize = 8;

/// What the handlers share.
pub(super) struct State {
    source: Arc<dyn Inspect>,
    pub(super) access: Access,
    slots: Arc<Semaphore>,
    pub(super) timing: Timing,
    pub(super) changes: Changes,
}

impl State {
    pub(super) fn new(source: Arc<dyn Inspect>, access: Access, timing: Timing) -> State {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        State { source, access, slots, timing, changes: Changes::new() }
    }

    /// Passes a request to the source. The answer is a JSON object, also when the source fails.
    pub(super) async fn ask(&self, request: String) -> String {
        match self.work(move |source| source.inspect(&request)).await {
            Ok(answer) if is_object(&answer) => answer,
            Ok(_) => failure("the source answered with something that is no JSON object"),
            Err(why) => failure(&why),
        }
    }

    /// The file of the queue.
    pub(super) async fn snapshot(&self) -> Result<Vec<u8>, String> {
        self.work(|source| source.snapshot().map_err(|error| error.to_string())).await?
    }

    /// Lets the source work on a thread that may block. An error is a sentence.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Inspect) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (source, slots) = (Arc::clone(&self.source), Arc::clone(&self.slots));
        let work = async move {
            let slot = slots.acquire_owned().await;
            // The slot is free when the source has answered, not when the wait for it ends.
            tokio::task::spawn_blocking(move || (work(&*source), slot).0).await
        };
        match tokio::time::timeout(self.timing.answer, work).await {
            Ok(done) => done
                .map_err(|_| "the source failed to answer; this is a fault of rezq or of the app's bridge".to_owned()),
            Err(_) => Err(format!(
                "the source did not answer within {} s; it may be busy or stopped: try again",
                self.timing.answer.as_secs()
            )),
        }
    }
}

fn is_object(answer: &str) -> bool {
    answer.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(answer).is_ok()
}

fn failure(message: &str) -> String {
    json!({ "error": message }).to_string()
}

/// The id of the event that says why there is no version.
pub(super) const PROBLEM: &str = "problem";

/// What the source last answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing yet.
    #[default]
    Nothing,
    /// The version, as JSON.
    Version(String),
    /// Why there is none.
    Problem(String),
}

impl Seen {
    pub(super) fn read(answer: &str) -> Seen {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        match (answer.get("version"), answer.get("error")) {
            (Some(version @ Value::Number(_)), _) => Seen::Version(version.to_string()),
            (_, Some(Value::String(error))) => Seen::Problem(error.clone()),
            _ => Seen::Problem("the source does not answer `version`; update the app".to_owned()),
        }
    }

    /// The id by which a browser names it in `Last-Event-ID`.
    pub(super) fn id(&self) -> &str {
        match self {
            Seen::Nothing => "",
            Seen::Version(version) => version,
            Seen::Problem(_) => PROBLEM,
        }
    }
}

/// The latest version, for all listeners.
pub(super) struct Changes {
    pub(super) seen: watch::Sender<Seen>,
    pub(super) is_polling: AtomicBool,
}

impl Changes {
    fn new() -> Changes {
        Changes { seen: watch::Sender::new(Seen::Nothing), is_polling: AtomicBool::new(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_version_is_a_problem_with_a_sentence() {
        assert_eq!(Seen::read(r#"{"version":18446744073709551615}"#), Seen::Version("18446744073709551615".to_owned()));
        assert_eq!(Seen::read(r#"{"error":"inspection is off"}"#), Seen::Problem("inspection is off".to_owned()));
        for answer in ["", "[]", "{}", r#"{"version":"7\n\ndata: x"}"#, r#"{"version":null}"#, r#"{"error":1}"#] {
            assert!(matches!(Seen::read(answer), Seen::Problem(why) if why.contains("`version`")), "{answer}");
        }
    }
}
