//! The headers that carry a trace to a server. Each style says what its own destination decided about the trace.

use super::baggage::{BAGGAGE_BYTES, Baggage};
use super::text::{Hex, Text};
use super::{TraceContext, TraceStyle};
use std::fmt::{self, Write};

/// Longest other header in bytes; `traceparent`, the longest, has 55.
const HEADER_BYTES: usize = 64;

/// What the headers of a trace say about sampling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision<'a> {
    /// Whether any destination keeps the trace.
    pub(crate) anybody: bool,
    /// Whether Datadog does.
    pub(crate) datadog: bool,
    /// Whether Sentry does.
    pub(crate) sentry: bool,
    /// The entries of Sentry's `baggage`. Without a key Sentry ignores the header, so that it is sent only for a project.
    pub(crate) baggage: Option<&'a Baggage>,
}

impl TraceContext {
    /// Calls `out` with the name and value of each header of the styles. No heap allocation.
    ///
    /// An app that sends its own `baggage` must join the two values with a comma.
    pub(crate) fn headers(&self, styles: &[TraceStyle], decision: &Decision<'_>, out: &mut dyn FnMut(&str, &str)) {
        let (trace_id, span_id) = (self.trace_id(), self.span_id());
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
                text.write_str(if decision.anybody { "-01" } else { "-00" })
            });
        }
        // Datadog's own headers carry the lower half of the id as the id: none of them fits a trace without one.
        if styles.contains(&TraceStyle::Datadog) && trace_id as u64 != 0 {
            send("x-datadog-trace-id", &|text| write!(text, "{}", trace_id as u64));
            send("x-datadog-parent-id", &|text| write!(text, "{span_id}"));
            send("x-datadog-sampling-priority", &|text| text.write_str(if decision.datadog { "1" } else { "0" }));
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
                text.write_str(if decision.sentry { "-1" } else { "-0" })
            });
            if let Some(baggage) = decision.baggage {
                let mut text = Text::<BAGGAGE_BYTES>::default();
                baggage.write(self, decision.sentry, &mut text);
                out("baggage", text.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::IdGenerator;
    use proptest::prelude::*;

    const KEPT: Decision<'_> = Decision { anybody: true, datadog: true, sentry: true, baggage: None };
    const LEFT_OUT: Decision<'_> = Decision { anybody: false, datadog: false, sentry: false, baggage: None };

    fn context(trace_id: u128) -> TraceContext {
        TraceContext::new(trace_id, 0x00f0_67aa_0ba9_02b7).unwrap()
    }

    fn usual() -> TraceContext {
        context(0x4bf92f35_77b34da6_a3ce929d_0e0e4736)
    }

    fn headers(context: TraceContext, styles: &[TraceStyle], decision: Decision<'_>) -> Vec<(String, String)> {
        let mut all = Vec::new();
        context.headers(styles, &decision, &mut |name, value| all.push((name.to_owned(), value.to_owned())));
        all
    }

    fn pairs(all: &[(String, String)]) -> Vec<(&str, &str)> {
        all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn each_style_has_its_own_headers() {
        let baggage = Baggage::new(
            "abc123",
            0.2,
            &[("release", Some("app.rez@1.2.3+45")), ("environment", Some("production")), ("org_id", Some("1"))],
        );
        assert_eq!(
            pairs(&headers(usual(), &[TraceStyle::W3c], KEPT)),
            [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
        );
        assert_eq!(
            pairs(&headers(usual(), &[TraceStyle::Datadog], KEPT)),
            [
                ("x-datadog-trace-id", "11803532876627986230"),
                ("x-datadog-parent-id", "67667974448284343"),
                ("x-datadog-sampling-priority", "1"),
                ("x-datadog-origin", "rum"),
                ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
            ]
        );
        let decision = Decision { sentry: false, baggage: Some(&baggage), ..KEPT };
        assert_eq!(
            pairs(&headers(usual(), &[TraceStyle::Sentry], decision)),
            [
                ("sentry-trace", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"),
                (
                    "baggage",
                    "sentry-trace_id=4bf92f3577b34da6a3ce929d0e0e4736,sentry-public_key=abc123,\
                     sentry-sample_rate=0.2,sentry-sample_rand=0.559483,sentry-sampled=false,\
                     sentry-release=app.rez%401.2.3%2B45,sentry-environment=production,sentry-org_id=1"
                ),
            ]
        );
        assert!(headers(usual(), &[], KEPT).is_empty());
    }

    #[test]
    fn every_style_says_its_own_decision() {
        let all = headers(context(5), &[TraceStyle::W3c, TraceStyle::Sentry, TraceStyle::Datadog], LEFT_OUT);
        let all = pairs(&all);
        assert!(all.contains(&("traceparent", "00-00000000000000000000000000000005-00f067aa0ba902b7-00")));
        assert!(all.contains(&("sentry-trace", "00000000000000000000000000000005-00f067aa0ba902b7-0")));
        assert!(all.contains(&("x-datadog-sampling-priority", "0")));
        assert!(!all.iter().any(|(name, _)| matches!(*name, "x-datadog-tags" | "baggage")));
        let mixed = Decision { datadog: true, anybody: true, ..LEFT_OUT };
        let all = headers(context(5), &[TraceStyle::W3c, TraceStyle::Sentry, TraceStyle::Datadog], mixed);
        let all = pairs(&all);
        assert!(all.contains(&("traceparent", "00-00000000000000000000000000000005-00f067aa0ba902b7-01")));
        assert!(all.contains(&("sentry-trace", "00000000000000000000000000000005-00f067aa0ba902b7-0")));
        assert!(all.contains(&("x-datadog-sampling-priority", "1")));
    }

    #[test]
    fn a_trace_id_that_datadog_would_read_as_zero_has_no_datadog_headers() {
        assert!(headers(context(7 << 64), &[TraceStyle::Datadog], KEPT).is_empty());
    }

    #[test]
    fn baggage_of_a_trace_that_a_server_has_decided_has_no_rate() {
        let baggage = Baggage::new("k", 0.5, &[]);
        let decision = Decision { baggage: Some(&baggage), ..KEPT };
        let all = headers(context(5).with_sampled(Some(true)), &[TraceStyle::Sentry], decision);
        assert_eq!(
            all[1].1,
            "sentry-trace_id=00000000000000000000000000000005,sentry-public_key=k,sentry-sampled=true"
        );
    }

    #[test]
    fn baggage_escapes_delimiters_and_leaves_out_what_does_not_fit() {
        let long = "r".repeat(2_000);
        let others = [("release", Some(long.as_str())), ("environment", Some("a,b;c=d\r\né")), ("org_id", None)];
        let baggage = Baggage::new("k", f64::MIN_POSITIVE, &others);
        let decision = Decision { baggage: Some(&baggage), ..KEPT };
        let all = headers(context(5), &[TraceStyle::Sentry], decision);
        let (start, end) = all[1].1.split_once(",sentry-sample_rand=").unwrap();
        assert!(start.starts_with("sentry-trace_id=00000000000000000000000000000005,sentry-public_key=k"), "{start}");
        assert_eq!(end, "0.000000,sentry-sampled=true,sentry-environment=a%2Cb%3Bc%3Dd%0D%0A%C3%A9");
    }

    proptest! {
        #[test]
        fn a_written_traceparent_is_read_back(seed: [u8; 16], sampled: bool) {
            let context = IdGenerator::from_seed(seed).root().with_sampled(Some(sampled));
            let all = headers(context, &[TraceStyle::W3c], Decision { anybody: sampled, ..KEPT });
            prop_assert_eq!(TraceContext::from_traceparent(&all[0].1), Some(context));
        }
    }
}
