//! Sorting and collecting with little code. The standard library compiles its sort again for each type and order, at 6 KB each, and
//! collects a map by sorting its members.

use std::cmp::Ordering;

/// Sorts by a key; equal items keep their order. For lists that are short or sorted seldom: it compares through a pointer.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// See [`sort_by_key`].
pub(crate) fn sort_by<T>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => order(one, other),
        _ => Ordering::Equal,
    });
    for to in 0..places.len() {
        // An item that was before `to` has moved to where the item of that place came from.
        let mut from = to;
        loop {
            from = places.get(from).copied().unwrap_or(to);
            if from >= to {
                break;
            }
        }
        items.swap(to, from);
        if let Some(place) = places.get_mut(to) {
            *place = from;
        }
    }
}

/// The only sort by an order of our own.
fn sort_places(places: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|one, other| order(*one, *other));
}

/// A map or set of these members, put in one by one. The last one of a name counts.
pub(crate) fn collected<C: Default + Extend<T>, T>(members: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(members);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_standard_library(keys in prop::collection::vec(0u8..20, 0..60)) {
            let mut ours: Vec<(u8, usize)> = keys.iter().copied().zip(0..).collect();
            let mut theirs = ours.clone();
            sort_by_key(&mut ours, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let map: BTreeMap<_, _> = collected([("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a", 2), ("b", 3)]);
    }
}
