//! What a test or a demo can make the collector do.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bytes of the answer of [`What::Huge`] unless told otherwise: ten times what a client should ever read.
const HUGE_BYTES: usize = 10 * 1024 * 1024;

/// All switches. `POST /v1/switches` replaces them as a whole, so `{}` turns everything off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Wait before each answer to a batch, in milliseconds.
    pub latency_ms: u64,
    /// What happens to the next batches, in this order.
    pub faults: VecDeque<Fault>,
    /// New connections are accepted and dropped at once, without a byte read.
    pub hang_up: bool,
    /// Connections are refused for this many milliseconds, beginning right after this request; then this is 0 again.
    pub refuse_ms: u64,
    /// Batches whose body contains this text are answered 400.
    pub poison: Option<String>,
    /// Events whose JSON contains this text are rejected, the others of their batch are not.
    pub reject: Option<String>,
    /// Limits named in every answer.
    pub limits: Vec<KindLimit>,
}

/// A limit on one kind, as the protocol's `limits` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindLimit {
    /// The kind.
    pub kind: String,
    /// For how many seconds.
    pub retry_after: u64,
}

/// One thing that happens to a number of batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub what: What,
    /// To how many batches; 0 = to all until the switches are replaced.
    #[serde(default = "once")]
    pub times: u32,
    /// Whether the batch is stored all the same; see [`What`] for the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
}

fn once() -> u32 {
    1
}

fn huge() -> usize {
    HUGE_BYTES
}

/// What happens to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// This status, nothing stored.
    Status {
        /// HTTP status.
        code: u16,
        /// The `Retry-After` header, verbatim.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
        /// The body.
        #[serde(default)]
        body: String,
    },
    /// Stored; the answer's body ends after this many bytes.
    CutBody {
        /// Bytes of the body that arrive.
        bytes: u64,
    },
    /// Stored; the whole answer, head included, ends after this many bytes.
    CutAnswer {
        /// Bytes of the answer that arrive.
        bytes: u64,
    },
    /// Stored; no answer, the connection ends.
    DropAnswer,
    /// A redirect to this address, nothing stored.
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// Status 200 with this body, nothing stored: wrong JSON, or none.
    Text {
        /// The body.
        body: String,
    },
    /// Status 200 with a body of this size, nothing stored.
    Huge {
        /// Its size in bytes.
        #[serde(default = "huge")]
        bytes: usize,
    },
    /// Stored; the answer comes one byte at a time.
    Drip {
        /// Pause between two bytes, in milliseconds.
        every_ms: u64,
    },
    /// No answer, nothing stored, the connection stays open.
    Hang,
}

impl Fault {
    /// This, once, with its usual effect on storing.
    #[must_use]
    pub fn once(what: What) -> Fault {
        Fault { what, times: 1, commit: None }
    }

    /// The same for a number of batches.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Whether the batch is stored.
    #[must_use]
    pub fn commits(&self) -> bool {
        self.commit.unwrap_or(matches!(
            self.what,
            What::CutBody { .. } | What::CutAnswer { .. } | What::DropAnswer | What::Drip { .. }
        ))
    }
}

impl Switches {
    /// Takes what happens to the next batch.
    pub(crate) fn next_fault(&mut self) -> Option<Fault> {
        let first = self.faults.front_mut()?;
        match first.times {
            0 => Some(first.clone()),
            1 => self.faults.pop_front(),
            _ => {
                first.times = first.times.saturating_sub(1);
                Some(first.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_used_up_in_order_and_a_zero_stays() {
        let json = r#"{"faults":[{"what":{"status":{"code":503}},"times":2},{"what":"drop_answer"},{"what":"hang","times":0}]}"#;
        let mut switches: Switches = serde_json::from_str(json).unwrap();
        let taken: Vec<What> = (0..5).filter_map(|_| switches.next_fault()).map(|fault| fault.what).collect();
        let busy = What::Status { code: 503, retry_after: None, body: String::new() };
        assert_eq!(taken, [busy.clone(), busy, What::DropAnswer, What::Hang, What::Hang]);
    }

    #[test]
    fn a_misspelled_switch_is_an_error() {
        assert!(serde_json::from_str::<Switches>(r#"{"latency":5}"#).is_err());
        assert!(serde_json::from_str::<Switches>(r#"{"faults":[{"what":"drop"}]}"#).is_err());
    }
}
