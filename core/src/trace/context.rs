//! A position in a trace: the ids of the trace, of a span in it and of the span's parent.

use super::ids::IdGenerator;
use std::num::NonZeroU64;

/// A position in a trace, by the rules of W3C Trace Context: a trace id of 128 bits, the id of one span in it (64 bits) and
/// the id of the span's parent. Neither id is zero, which the type guarantees. Copying it is cheap.
///
/// Whether a trace is kept is decided once, by its id, for each destination on its own. A context that a server has sent
/// ([`TraceContext::from_traceparent`]) also carries the server's decision, which then applies to every destination.
///
/// ```
/// use rez_monitor::TraceContext;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let sent = TraceContext::from_traceparent(header).unwrap();
/// assert_eq!(sent.span_id(), 0x00f067aa0ba902b7);
/// assert_eq!(sent.sampled(), Some(true));
/// assert_eq!(TraceContext::new(0, 1), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    high: u64,
    low: u64,
    span: NonZeroU64,
    parent: Option<NonZeroU64>,
    sampled: Option<bool>,
}

impl TraceContext {
    /// A span of a trace. `None` if one of the ids is zero.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64) -> Option<TraceContext> {
        let span = NonZeroU64::new(span_id)?;
        let (high, low) = ((trace_id >> 64) as u64, trace_id as u64);
        (trace_id != 0).then_some(TraceContext { high, low, span, parent: None, sampled: None })
    }

    /// The root of a trace whose id has these halves.
    pub(super) fn root(high: u64, low: u64, span: NonZeroU64) -> TraceContext {
        TraceContext { high, low, span, parent: None, sampled: None }
    }

    /// A span of a trace from the hexadecimal forms of its ids: 32 and 16 digits, in lower case. `None` if one of them has
    /// another form or is zero.
    #[must_use]
    pub fn from_hex(trace_id: &str, span_id: &str) -> Option<TraceContext> {
        TraceContext::new(hex(trace_id, 32)?, u64::try_from(hex(span_id, 16)?).ok()?)
    }

    /// Reads a `traceparent` header: the context of the server that sent it, with its decision about sampling. Record work of
    /// the app that continues the trace under [`TraceContext::child`]. `None` if W3C's rules forbid the header.
    #[must_use]
    pub fn from_traceparent(header: &str) -> Option<TraceContext> {
        let mut fields = header.split('-');
        let version = hex(fields.next()?, 2)?;
        let context = TraceContext::from_hex(fields.next()?, fields.next()?)?;
        let flags = hex(fields.next()?, 2)?;
        // Version 0 has four fields; later versions may add some. 255 is invalid.
        let more = fields.next().is_some();
        if version == 255 || (version == 0 && more) {
            return None;
        }
        Some(context.with_sampled(Some(flags & 1 == 1)))
    }

    /// The same span with this parent; 0 = none.
    #[must_use]
    pub fn with_parent(self, span_id: u64) -> TraceContext {
        TraceContext { parent: NonZeroU64::new(span_id), ..self }
    }

    /// The same span with the decision of another system about the trace, which then applies to every destination. `None`:
    /// each destination decides by its own rate.
    #[must_use]
    pub fn with_sampled(self, sampled: Option<bool>) -> TraceContext {
        TraceContext { sampled, ..self }
    }

    /// A new span inside this one.
    #[must_use]
    pub fn child(&self, ids: &IdGenerator) -> TraceContext {
        TraceContext { span: ids.next_span(), parent: Some(self.span), ..*self }
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    /// The id of the span.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        self.span.get()
    }

    /// The id of the parent span; `None` for the root of a trace.
    #[must_use]
    pub fn parent(&self) -> Option<u64> {
        self.parent.map(NonZeroU64::get)
    }

    /// The decision of another system about the trace, if it has sent one.
    #[must_use]
    pub fn sampled(&self) -> Option<bool> {
        self.sampled
    }
}

/// Exactly `digits` lower-case hexadecimal digits as a number.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let valid = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_traceparent_is_read_by_w3cs_rules() {
        let ok = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::new(0x4bf92f35_77b34da6_a3ce929d_0e0e4736, 0x00f0_67aa_0ba9_02b7).unwrap();
        let sampled = |yes| Some(context.with_sampled(Some(yes)));
        assert_eq!(TraceContext::from_traceparent(ok), sampled(true));
        assert_eq!(TraceContext::from_traceparent(&ok.replace("-01", "-02")), sampled(false));
        assert_eq!(TraceContext::from_traceparent(&format!("cc{}-what-ever", &ok[2..])), sampled(true));
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
            assert_eq!(TraceContext::from_traceparent(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_id_of_zeros_is_no_context() {
        assert_eq!(TraceContext::new(0, 1), None);
        assert_eq!(TraceContext::new(1, 0), None);
        assert_eq!(TraceContext::from_hex(&"0".repeat(32), &"1".repeat(16)), None);
        assert_eq!(TraceContext::from_hex(&"1".repeat(32), &"0".repeat(16)), None);
        let own = TraceContext::new(1, 2).unwrap();
        assert_eq!((own.with_parent(0).parent(), own.with_parent(7).parent()), (None, Some(7)));
    }

    #[test]
    fn a_child_has_the_trace_and_the_decision_of_its_parent() {
        let ids = IdGenerator::from_seed([3; 16]);
        let root = TraceContext::new(5 << 64, 9).unwrap().with_sampled(Some(false));
        let child = root.child(&ids);
        assert_eq!((child.trace_id(), child.parent(), child.sampled()), (5 << 64, Some(9), Some(false)));
        assert_ne!(child.span_id(), root.child(&ids).span_id());
    }

    #[test]
    fn a_context_is_small_enough_to_be_copied_with_every_event() {
        assert!(size_of::<Option<TraceContext>>() <= 40);
    }

    proptest! {
        #[test]
        fn no_text_panics_the_parser(text in "\\PC*") {
            let _ = TraceContext::from_traceparent(&text);
            let _ = TraceContext::from_hex(&text, &text);
        }
    }
}
