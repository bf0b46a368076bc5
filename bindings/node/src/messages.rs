//! What the engine has to say to a developer, until JavaScript takes it.

use rez_monitor::{LogCode, LogLevel, Logger};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Messages that wait at most. Older ones make room.
const WAITING: usize = 100;

/// The last messages. Clones share them.
#[derive(Clone, Default)]
pub struct Messages(Arc<Mutex<VecDeque<Value>>>);

impl Messages {
    /// Takes all as a JSON list of `{"level", "code", "text"}`, the oldest first.
    pub fn take(&self) -> String {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Value::from_iter(waiting).to_string()
    }
}

impl Logger for Messages {
    fn log(&self, level: LogLevel, code: LogCode, text: &str) {
        let message = json!({"level": level.as_str(), "code": code.as_str(), "text": text});
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hundred_messages_are_taken_once() {
        let messages = Messages::default();
        assert_eq!(messages.take(), "[]");
        for number in 0..250 {
            messages.log(LogLevel::Warning, LogCode::RingFull, &format!("message {number}"));
        }
        let taken: Value = serde_json::from_str(&messages.take()).unwrap();
        assert_eq!(taken.as_array().unwrap().len(), WAITING);
        assert_eq!(taken[0], json!({"level": "warning", "code": "ring_full", "text": "message 150"}));
        assert_eq!(taken[99]["text"], "message 249");
        assert_eq!(messages.take(), "[]");
    }
}
