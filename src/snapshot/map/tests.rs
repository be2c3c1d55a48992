//! Maps against the standard library's.

use std::collections::BTreeMap;

use super::{change::NODE_MAX, *};

/// Numbers that look random, always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

struct At(u64);

impl equivalent::Equivalent<u64> for At {
    fn equivalent(&self, key: &u64) -> bool {
        self.0 == *key
    }
}

impl Comparable<u64> for At {
    fn compare(&self, key: &u64) -> std::cmp::Ordering {
        self.0.cmp(key)
    }
}

/// A map and what it should hold.
type Both = (Map<u64, u64>, BTreeMap<u64, u64>);

/// Changes keys below `end`, of which a share of `removals` in ten goes.
fn change((map, model): &mut Both, numbers: &mut Numbers, end: u64, removals: u64) {
    let count = if numbers.below(3) == 0 { 1 } else { numbers.below(200) };
    let changes: BTreeMap<u64, Option<u64>> = (0..count)
        .map(|_| {
            let is_removal = numbers.below(10) < removals;
            (numbers.below(end), (!is_removal).then(|| numbers.below(5)))
        })
        .collect();
    map.apply(&changes.clone().into_iter().collect::<Vec<_>>());
    for (key, value) in changes {
        match value {
            Some(value) => drop(model.insert(key, value)),
            None => drop(model.remove(&key)),
        }
    }
}

fn check((map, model): &Both, numbers: &mut Numbers, end: u64) {
    check_node(&map.root, true, None);
    assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
    assert!(map.iter().eq(model.iter()));
    assert!(map.iter().rev().eq(model.iter().rev()));
    assert_eq!(map.last(), model.last_key_value());
    for _ in 0..20 {
        let (one, two) = (numbers.below(end + 2), numbers.below(end + 2));
        assert_eq!(map.get(&one), model.get(&one));
        let (from, to) = (one.min(two), one.max(two));
        let expected: Vec<_> = model.range(from..to).collect();
        let mut walk = map.range(&At(from), Some(&At(to)));
        let mut ends = (Vec::new(), Vec::new());
        loop {
            // From both ends in turns of any length.
            let (entry, side) = match numbers.below(2) {
                0 => (walk.next(), &mut ends.0),
                _ => (walk.next_back(), &mut ends.1),
            };
            let Some(entry) = entry else { break };
            side.push(entry);
        }
        assert!(walk.next().is_none() && walk.next_back().is_none());
        ends.0.extend(ends.1.into_iter().rev());
        assert_eq!(ends.0, expected, "{from} to {to}");
        assert!(map.range(&At(from), None).eq(model.range(from..)));
        assert!(from == to || map.range(&At(to), Some(&At(from))).next().is_none());
    }
}

/// The depth of a node whose invariants hold.
fn check_node(node: &Node<u64, u64>, is_root: bool, first: Option<u64>) -> usize {
    assert!(node.len() <= NODE_MAX && (is_root || node.len() > 0));
    match node {
        Node::Leaf(entries) => {
            assert!(entries.is_sorted_by(|(one, _), (two, _)| one < two));
            assert!(first.is_none_or(|first| entries.first().map(|(key, _)| *key) == Some(first)));
            0
        }
        Node::Branch(children) => {
            assert!(!is_root || children.len() > 1);
            assert!(first.is_none_or(|first| children.first().map(|c| c.first) == Some(first)));
            let depths: Vec<_> = children
                .iter()
                .map(|child| check_node(&child.node, false, Some(child.first)))
                .collect();
            assert!(depths.windows(2).all(|two| two[0] == two[1]));
            depths[0] + 1
        }
    }
}

/// What differs, and how many nodes were opened for it at most.
fn check_difference(earlier: &Both, later: &Both) {
    let keys = earlier.1.keys().chain(later.1.keys()).collect::<std::collections::BTreeSet<_>>();
    let expected = keys
        .into_iter()
        .map(|key| (key, earlier.1.get(key), later.1.get(key)))
        .filter(|(_, old, new)| old != new);
    assert!(earlier.0.difference(&later.0).eq(expected));
}

fn clone(both: &Both) -> Both {
    (both.0.clone(), both.1.clone())
}

#[test]
fn maps_hold_what_they_were_given() {
    let numbers = &mut Numbers(7);
    for end in [10, 100, 3_000, 50_000] {
        let mut both: Both = (Map::new(), BTreeMap::new());
        let mut versions = vec![clone(&both)];
        for removals in [0, 3, 5, 1, 9, 10, 2, 10] {
            for _ in 0..40 {
                change(&mut both, numbers, end, removals);
            }
            check(&both, numbers, end);
            versions.push(clone(&both));
        }
        for earlier in &versions {
            check(earlier, numbers, end);
            versions.iter().for_each(|later| check_difference(earlier, later));
        }
    }
}

#[test]
fn small_steps_differ_little() {
    let numbers = &mut Numbers(11);
    let entries: Vec<_> = (0..20_000).map(|key| (key * 2, 0)).collect();
    let mut both: Both = (Map::from_sorted(entries.clone()), entries.into_iter().collect());
    check(&both, numbers, 40_000);
    for _ in 0..200 {
        let before = clone(&both);
        change(&mut both, numbers, 40_000, 4);
        check_difference(&before, &both);
    }
}

#[test]
fn single_changes_of_what_nobody_holds_keep_every_first_key() {
    let numbers = &mut Numbers(13);
    let entries: Vec<_> = (0..5_000).map(|key| (key * 2, 0)).collect();
    let mut both: Both = (Map::from_sorted(entries.clone()), entries.into_iter().collect());
    for _ in 0..2_000 {
        let (key, value) = (numbers.below(10_000), numbers.below(2));
        both.0.apply(&[(key, (value == 0).then_some(value))]);
        match value {
            0 => drop(both.1.insert(key, value)),
            _ => drop(both.1.remove(&key)),
        }
        check_node(&both.0.root, true, None);
    }
    check(&both, numbers, 10_000);
}

#[test]
fn every_sorted_size_makes_a_map() {
    for size in (0..200).chain([1_023, 1_024, 1_025, 32_768, 32_769]) {
        let entries: Vec<_> = (0..size).map(|key| (key, key)).collect();
        let map = Map::from_sorted(entries.clone());
        check_node(&map.root, true, None);
        assert!(map.iter().map(|(key, value)| (*key, *value)).eq(entries));
        assert_eq!(map.len() as u64, size);
    }
}

/// A value that knows how often it was compared.
struct Counted<'a>(u64, &'a std::cell::Cell<usize>);

impl PartialEq for Counted<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.1.set(self.1.get() + 1);
        self.0 == other.0
    }
}

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        Counted(self.0, self.1)
    }
}

#[test]
fn what_is_shared_is_not_compared() {
    let compared = std::cell::Cell::new(0);
    let entries = (0..100_000_u64).map(|key| (key, Counted(key, &compared))).collect();
    let earlier = Map::from_sorted(entries);
    let mut later = earlier.clone();
    // Into the middle, so that all behind it stands at other places of its branches.
    for key in (0..50).map(|_| 50_000) {
        later.apply(&[(key, Some(Counted(1, &compared)))]);
    }
    later.apply(&[(7, None), (99_999, None)]);
    let found: Vec<_> = earlier.difference(&later).map(|(key, ..)| *key).collect();
    assert_eq!(found, [7, 50_000, 99_999]);
    assert!(compared.get() <= 4 * NODE_MAX, "{}", compared.get());
}

#[test]
fn ascending_keys_fill_their_leaves() {
    let mut map = Map::new();
    for key in 0..10_000_u64 {
        map.apply(&[(key, Some(()))]);
    }
    let Node::Branch(children) = &map.root else { panic!("many entries make branches") };
    let mut leaves = 0;
    let mut waiting: Vec<&Node<u64, ()>> = children.iter().map(|child| &child.node).collect();
    while let Some(node) = waiting.pop() {
        match node {
            Node::Leaf(_) => leaves += 1,
            Node::Branch(children) => waiting.extend(children.iter().map(|child| &child.node)),
        }
    }
    assert_eq!(leaves, 10_000_usize.div_ceil(NODE_MAX));
}
