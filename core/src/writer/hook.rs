//! Runs the app's `before_send` hook on a thread of its own, so that a panic or a hang does not affect the fold.

use crate::channel::{Receiver, Sender, channel};
use crate::config::BeforeSend;
use crate::kind::Kind;
use crate::limits::{HOOK_WAIT, ROW_BYTES};
use crate::privacy::Rules;
use crate::reason::Reason;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Members of a row that privacy rules do not change: ids and what the app set about the user.
const UNSCRUBBED: [&str; 7] = ["user", "session", "trace", "view", "email", "about", "child_of"];

/// The result of the hook: the row, `None` to drop it, or `Err` if the hook panicked.
type Reply = Result<Option<Value>, ()>;

/// The hook and its thread. After the first failure every event of the run is dropped: a broken filter must not let events
/// through.
pub(crate) struct Hook {
    requests: Sender<(Kind, Value)>,
    replies: Receiver<Reply>,
    broken: bool,
    rules: Rules,
}

impl Hook {
    /// Starts the thread. If the system provides none, every event is dropped.
    pub(crate) fn start(hook: BeforeSend, rules: Rules) -> Hook {
        let (requests, incoming) = channel::<(Kind, Value)>();
        let (outgoing, replies) = channel();
        let thread = std::thread::Builder::new().name("rez-hook".into()).spawn(move || {
            super::mark_ours();
            for (kind, mut value) in incoming.iter() {
                let kept = catch_unwind(AssertUnwindSafe(|| hook(kind, &mut value)));
                if outgoing.send(kept.map(|kept| kept.then_some(value)).map_err(|_| ())).is_err() {
                    return;
                }
            }
        });
        Hook { requests, replies, broken: thread.is_err(), rules }
    }

    /// Runs the hook on a row and returns the changed row, or the reason to drop it.
    pub(crate) fn run(&mut self, kind: Kind, json: &str) -> Result<String, Reason> {
        if self.broken {
            return Err(Reason::HookFailed);
        }
        let reply = serde_json::from_str(json)
            .ok()
            .and_then(|value| self.requests.send((kind, value)).ok())
            .and_then(|()| self.replies.recv_timeout(HOOK_WAIT).ok());
        match reply {
            Some(Ok(Some(Value::Object(mut row)))) => {
                // The privacy rules apply to what the hook added as well.
                let unscrubbed = |key: &str| UNSCRUBBED.contains(&key);
                row.iter_mut().filter(|(key, _)| !unscrubbed(key)).for_each(|(key, value)| self.rules.json(key, value));
                let row = Value::Object(row).to_string();
                if row.len() > ROW_BYTES { Err(Reason::TooLarge) } else { Ok(row) }
            }
            Some(Ok(None)) => Err(Reason::Filtered),
            _ => {
                self.broken = true;
                Err(Reason::HookFailed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_row_that_a_hook_makes_too_large_is_dropped_and_the_next_one_is_not() {
        let grow = |kind, value: &mut Value| {
            let bytes = if kind == Kind::Error { ROW_BYTES - r#"{"a":"","b":1}"#.len() } else { ROW_BYTES };
            value["a"] = " ".repeat(bytes).into();
            true
        };
        let mut hook = Hook::start(Arc::new(grow), Rules::default());
        assert_eq!(hook.run(Kind::Message, r#"{"b":1}"#), Err(Reason::TooLarge));
        assert_eq!(hook.run(Kind::Error, r#"{"b":1}"#).map(|row| row.len()), Ok(ROW_BYTES));
    }

    #[test]
    fn a_hook_can_change_and_drop_events_and_fails_closed() {
        let mut hook = Hook::start(
            Arc::new(|kind, value: &mut Value| {
                assert!(kind != Kind::Crash, "this hook panics on a crash");
                value["seen"] = true.into();
                kind != Kind::Metric
            }),
            Rules::default(),
        );
        assert_eq!(hook.run(Kind::Error, r#"{"a":1}"#), Ok(r#"{"a":1,"seen":true}"#.into()));
        assert_eq!(hook.run(Kind::Metric, "{}"), Err(Reason::Filtered));
        assert_eq!(hook.run(Kind::Crash, "{}"), Err(Reason::HookFailed));
        assert_eq!(hook.run(Kind::Error, "{}"), Err(Reason::HookFailed));
    }
}
