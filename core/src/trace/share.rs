//! The share of a trace or a session: the number from 0 to below 1 that is compared with a rate.

use crate::hash::stable_hash;

/// The share of a trace: whole millionths, so that the six digits of Sentry's `sample_rand` are exactly the number that is
/// compared with the rate.
pub(crate) fn trace_share(trace_id: u128) -> f64 {
    f64::from(trace_millionths(trace_id)) / 1e6
}

/// From the lower half of the id. The two highest bits of that half are fixed in an event id, which stands in for the id of
/// a trace where there is none; the rest is uniformly distributed in both.
pub(crate) fn trace_millionths(trace_id: u128) -> u32 {
    const BITS: u32 = 62;
    let low = trace_id & ((1 << BITS) - 1);
    ((low * 1_000_000) >> BITS) as u32
}

/// The share of a session.
pub(crate) fn session_share(session: &str) -> f64 {
    // The low bits of the hash are the best mixed; a double holds 53 of them.
    (stable_hash(&[session]) & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_below_1_and_ignores_the_two_fixed_bits_of_an_event_id() {
        assert_eq!((trace_share(1), trace_share((1 << 62) - 1)), (0.0, 0.999_999));
        assert_eq!(trace_share(u128::MAX), 0.999_999);
        assert_eq!(trace_share(1 << 61), trace_share((1 << 61) | (0b10 << 62)));
    }

    proptest! {
        #[test]
        fn the_six_digits_of_a_share_are_the_share(id: u128) {
            let text = format!("0.{:06}", trace_millionths(id));
            prop_assert_eq!(text.parse::<f64>().unwrap(), trace_share(id));
        }
    }
}
