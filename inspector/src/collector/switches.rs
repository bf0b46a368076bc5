//! Faults that the collector can simulate.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Default size of [`What::Huge`] in bytes: ten times what a client should read.
const HUGE_BYTES: usize = 10 * 1024 * 1024;

/// All simulated faults. `POST /v1/switches` replaces them as a whole, so `{}` clears them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Delay of each response to a batch, in milliseconds.
    pub latency_ms: u64,
    /// Faults of the next batches, in this order.
    pub faults: VecDeque<Fault>,
    /// Accept new connections and close them at once.
    pub hang_up: bool,
    /// Refuse connections for this many milliseconds, starting after this request.
    pub refuse_ms: u64,
    /// Respond with 400 to batches that contain this text.
    pub poison: Option<String>,
    /// Reject events whose JSON contains this text, and accept the others of the batch.
    pub reject: Option<String>,
    /// The `limits` of every response.
    pub limits: Vec<KindLimit>,
}

/// An entry of `limits` in the batch protocol: a rate limit of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindLimit {
    /// The kind.
    pub kind: String,
    /// Duration in seconds.
    pub retry_after: u64,
}

/// A fault of a number of batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The fault.
    pub what: What,
    /// Number of batches; 0 means all until the switches are replaced.
    #[serde(default = "once")]
    pub times: u32,
    /// Overrides whether the batch is stored; see [`What`] for the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
}

fn once() -> u32 {
    1
}

fn huge() -> usize {
    HUGE_BYTES
}

/// The kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// Respond with this status. Nothing is stored.
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
    /// Store the batch, and close the connection after this many bytes of the response body.
    CutBody {
        /// Bytes of the body to send.
        bytes: u64,
    },
    /// Store the batch, and close the connection after this many bytes of the response, including its head.
    #[serde(rename = "cut_answer")]
    CutResponse {
        /// Bytes of the response to send.
        bytes: u64,
    },
    /// Store the batch, and close the connection without a response.
    #[serde(rename = "drop_answer")]
    DropResponse,
    /// Redirect to this address. Nothing is stored.
    Redirect {
        /// The `Location`.
        to: String,
    },
    /// Respond with 200 and this body. Nothing is stored.
    Text {
        /// The body.
        body: String,
    },
    /// Respond with 200 and a body of this size. Nothing is stored.
    Huge {
        /// Its size in bytes.
        #[serde(default = "huge")]
        bytes: usize,
    },
    /// Store the batch, and send the response one byte at a time.
    Drip {
        /// Delay between two bytes, in milliseconds.
        every_ms: u64,
    },
    /// Never respond, and keep the connection open. Nothing is stored.
    Hang,
}

impl Fault {
    /// A fault of one batch.
    #[must_use]
    pub fn once(what: What) -> Fault {
        Fault { what, times: 1, commit: None }
    }

    /// Sets the number of batches.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Returns true if the batch is stored.
    #[must_use]
    pub fn commits(&self) -> bool {
        self.commit.unwrap_or(matches!(
            self.what,
            What::CutBody { .. } | What::CutResponse { .. } | What::DropResponse | What::Drip { .. }
        ))
    }
}

impl Switches {
    /// Removes and returns the fault of the next batch.
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
    fn faults_apply_in_order_and_zero_repeats_for_ever() {
        let json = r#"{"faults":[{"what":{"status":{"code":503}},"times":2},{"what":"drop_answer"},{"what":"hang","times":0}]}"#;
        let mut switches: Switches = serde_json::from_str(json).unwrap();
        let taken: Vec<What> = (0..5).filter_map(|_| switches.next_fault()).map(|fault| fault.what).collect();
        let busy = What::Status { code: 503, retry_after: None, body: String::new() };
        assert_eq!(taken, [busy.clone(), busy, What::DropResponse, What::Hang, What::Hang]);
    }

    #[test]
    fn an_unknown_switch_is_an_error() {
        assert!(serde_json::from_str::<Switches>(r#"{"latency":5}"#).is_err());
        assert!(serde_json::from_str::<Switches>(r#"{"faults":[{"what":"drop"}]}"#).is_err());
    }
}
