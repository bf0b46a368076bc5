//! Sentry's entries of the header `baggage`, from which its servers learn of the decision.

use super::TraceContext;
use super::share::trace_millionths;
use super::text::{Hex, Text};
use std::fmt::Write;

/// Longest `baggage` header in bytes, several times what a usual environment, release and key need. An entry that does not
/// fit is left out. W3C requires receivers to accept 8,192 bytes.
pub(super) const BAGGAGE_BYTES: usize = 1024;

/// The entries of Sentry's `baggage` that are the same for every trace, percent-encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baggage {
    rate: f64,
    public_key: String,
    /// Release, environment and organisation.
    others: Vec<String>,
}

impl Baggage {
    pub(crate) fn new(public_key: &str, rate: f64, others: &[(&str, Option<&str>)]) -> Baggage {
        let others = others.iter().filter_map(|(name, value)| Some(entry(name, (*value)?)));
        Baggage { rate, public_key: entry("public_key", public_key), others: others.collect() }
    }

    /// The entries in the order of Sentry's specification. Where another system has decided, its rate is unknown: rate and
    /// random value are then left out.
    pub(super) fn write(&self, trace: &TraceContext, sampled: bool, text: &mut Text<BAGGAGE_BYTES>) {
        text.whole(|text| {
            text.write_str("sentry-trace_id=")?;
            text.write_str(Hex::<32>::of(trace.trace_id()).as_str())
        });
        text.whole(|text| text.write_str(&self.public_key));
        if trace.sampled().is_none() {
            text.whole(|text| write!(text, ",sentry-sample_rate={}", self.rate));
            text.whole(|text| write!(text, ",sentry-sample_rand=0.{:06}", trace_millionths(trace.trace_id())));
        }
        text.whole(|text| text.write_str(if sampled { ",sentry-sampled=true" } else { ",sentry-sampled=false" }));
        for entry in &self.others {
            text.whole(|text| text.write_str(entry));
        }
    }
}

/// `,sentry-<name>=<value>`. Every character that a reader of baggage might take for a delimiter is percent-encoded.
fn entry(name: &str, value: &str) -> String {
    let mut entry = format!(",sentry-{name}=");
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => entry.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => _ = write!(entry, "%{byte:02X}"),
        }
    }
    entry
}
