//! Sorting in few bytes, for what happens once a policy.
//!
//! The standard library's sorts are 4 to 12 KB of the module for every type and every order. Here all share one of them, which
//! sorts numbers and asks for the order of what they stand for. Findings, which are sorted for every message, have one of their own.
//! This module refuses to know what is sorted.

use std::cmp::Ordering;

/// The items in this order; equal ones stay as they were.
pub(crate) fn sorted_by<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut places: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| places.get_mut(place)?.take()).collect()
}

/// The items in their own order.
pub(crate) fn sorted<T: Ord>(items: Vec<T>) -> Vec<T> {
    sorted_by(items, T::cmp)
}

/// The items in their own order, each once.
pub(crate) fn sorted_set<T: Ord>(items: Vec<T>) -> Vec<T> {
    let mut items = sorted(items);
    items.dedup();
    items
}

/// The numbers below `len` in this order.
#[inline(never)]
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items in prop::collection::vec((0u8..20, any::<u16>()), 0..200)) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sorted_by(items.clone(), |a, b| a.0.cmp(&b.0)), expected);
            let mut expected = items.clone();
            expected.sort();
            prop_assert_eq!(sorted(items.clone()), expected.clone());
            expected.dedup();
            prop_assert_eq!(sorted_set(items), expected);
        }
    }
}
