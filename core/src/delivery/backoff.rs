//! Exponential backoff with full jitter.

use crate::destination::Backoff;
use std::time::Duration;

/// The wait after the `failures`-th failure in a row, from 1: uniform in `first ..= min(most, first * 2^failures)`.
/// `random` is 64 uniformly distributed bits.
pub(crate) fn wait(backoff: Backoff, failures: u32, random: u64) -> Duration {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let first = ms(backoff.first);
    let most = ms(backoff.most).max(first);
    let bound = 1u64.checked_shl(failures.max(1)).map_or(u64::MAX, |factor| first.saturating_mul(factor)).min(most);
    let span = (bound - first).saturating_add(1);
    // The high half of the product is uniform enough and needs no division.
    let offset = (u128::from(random) * u128::from(span)) >> 64;
    Duration::from_millis(first.saturating_add(u64::try_from(offset).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standard_wait_grows_from_one_second_to_five_minutes() {
        let most = |failures| wait(Backoff::STANDARD, failures, u64::MAX).as_millis();
        let least = |failures| wait(Backoff::STANDARD, failures, 0).as_millis();
        assert_eq!(
            [most(0), most(1), most(2), most(5), most(8), most(9)],
            [2000, 2000, 4000, 32_000, 256_000, 300_000]
        );
        assert!((0..200).all(|failures| least(failures) == 1000 && most(failures + 9) == 300_000));
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds(first in 0u64..100_000, more in 0u64..1_000_000, failures: u32, random: u64) {
            let backoff = Backoff { first: Duration::from_millis(first), most: Duration::from_millis(first + more) };
            let wait = wait(backoff, failures, random);
            prop_assert!(wait >= backoff.first && wait <= backoff.most);
        }
    }
}
