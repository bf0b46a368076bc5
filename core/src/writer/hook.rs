//! The app's own `before_send`, on a thread of its own: it may panic or hang without harm to the fold.

use crate::config::BeforeSend;
use crate::kind::Kind;
use crate::limits::HOOK_WAIT;
use crate::privacy::Rules;
use crate::reason::Reason;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Members of a row that no rule touches: ids and what the app said about the user.
const AS_GIVEN: [&str; 8] = ["user", "session", "trace", "view", "email", "about", "currency", "child_of"];

/// What the hook made of a row: `None` = drop it, `Err` = it panicked.
type Reply = Result<Option<Value>, ()>;

/// The hook's thread. After the first failure every event of this run is refused: a filter that does not work must not
/// let through what it would have held back.
pub(crate) struct Hook {
    questions: Sender<(Kind, Value)>,
    replies: Receiver<Reply>,
    broken: bool,
    rules: Rules,
}

impl Hook {
    /// Starts the thread. When the system has none to give, every event is refused.
    pub(crate) fn start(hook: BeforeSend, rules: Rules) -> Hook {
        let (questions, asked) = channel::<(Kind, Value)>();
        let (answer, replies) = channel();
        let thread = std::thread::Builder::new().name("rez-hook".into()).spawn(move || {
            super::mark_ours();
            for (kind, mut value) in asked {
                let kept = catch_unwind(AssertUnwindSafe(|| hook(kind, &mut value)));
                if answer.send(kept.map(|kept| kept.then_some(value)).map_err(|_| ())).is_err() {
                    return;
                }
            }
        });
        Hook { questions, replies, broken: thread.is_err(), rules }
    }

    /// The row as the app wants it.
    pub(crate) fn ask(&mut self, kind: Kind, json: &str) -> Result<String, Reason> {
        if self.broken {
            return Err(Reason::HookFailed);
        }
        let reply = serde_json::from_str(json)
            .ok()
            .and_then(|value| self.questions.send((kind, value)).ok())
            .and_then(|()| self.replies.recv_timeout(HOOK_WAIT).ok());
        match reply {
            Some(Ok(Some(Value::Object(mut row)))) => {
                // What the hook put in obeys the rules like everything else; what goes as the app gave it still does.
                let given = |key: &str| AS_GIVEN.contains(&key);
                row.iter_mut().filter(|(key, _)| !given(key)).for_each(|(key, value)| self.rules.json(key, value));
                Ok(Value::Object(row).to_string())
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
    fn a_hook_changes_filters_and_fails_closed() {
        let mut hook = Hook::start(
            Arc::new(|kind, value: &mut Value| {
                assert!(kind != Kind::Crash, "a hook with a fault");
                value["seen"] = true.into();
                kind != Kind::Metric
            }),
            Rules::default(),
        );
        assert_eq!(hook.ask(Kind::Error, r#"{"a":1}"#), Ok(r#"{"a":1,"seen":true}"#.into()));
        assert_eq!(hook.ask(Kind::Metric, "{}"), Err(Reason::Filtered));
        assert_eq!(hook.ask(Kind::Crash, "{}"), Err(Reason::HookFailed));
        assert_eq!(hook.ask(Kind::Error, "{}"), Err(Reason::HookFailed));
    }
}
