//! The compiled form of a filter: which members to look for, and what to ask once they are found.
//!
//! The paths of a filter make a tree of names. One pass over a document's text finds the members of
//! that tree, each into its slot, and skips all others by their bytes. A conjunct that is cheap and
//! rests on one top-level member is asked as soon as that member is found, so that most documents
//! are left early; the others are asked at the end, the cheap ones first, and as in any chain of
//! `&&` and `||` only until the outcome is known. An array is where the tree of names ends: what
//! lies below is found by the condition's own walk, which begins at the array.
//!
//! Invariant: it says of every document what evaluating each node by itself would say.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    matches::{Place, passes},
    node::{Condition, ElemMatch, Node, Test},
};
use crate::document::{self, Document, Kind, Members, Path, Raw};
use crate::sync::Arc;
use crate::version::Version;

/// Slots that need no memory of their own.
const SLOTS_INLINE: usize = 8;

/// Up to this many names are sought one after the other.
const NAMES_IN_TURN: usize = 8;

/// What costs as much or more is asked when the rest of the document has been seen.
const COST_LATE: usize = 100;

/// The member that is not in a document's text.
const VERSION: &str = "_version";

/// A compiled filter.
#[derive(Debug, Default)]
pub(super) struct Program {
    names: Names,
    slots: usize,
    /// The slot of the document's version, when the filter names it.
    version: Option<usize>,
    /// What is asked when all members have been found.
    late: Vec<Step>,
}

/// The members to look for in one object.
#[derive(Debug, Default)]
struct Names {
    list: Vec<Name>,
    /// A bit for each length in bytes that a name has, the last one for all that are longer.
    lengths: u64,
    places: BTreeMap<Box<str>, usize>,
}

#[derive(Debug)]
struct Name {
    name: Box<str>,
    slot: usize,
    /// The members to look for in its value, if that is an object.
    below: Names,
    /// What is asked as soon as it is found, or known to be missing. Only at the top.
    early: Vec<Step>,
}

/// One question.
#[derive(Debug)]
enum Step {
    All(Vec<Step>),
    Any(Vec<Step>),
    None(Vec<Step>),
    /// A condition, and the slots of the steps of its path.
    Test(Arc<Condition>, Vec<usize>),
    Never,
}

/// The values found so far.
type Slots<'a> = [Option<Raw<'a>>];

impl Program {
    pub(super) fn new(root: &Node) -> Program {
        let mut program = Program::default();
        let mut conjuncts: Vec<&Node> = root.conjuncts().iter().collect();
        conjuncts.sort_by_key(|conjunct| cost(conjunct));
        for conjunct in conjuncts {
            let step = program.step(conjunct);
            let only = if cost(conjunct) < COST_LATE { program.only_name(&step) } else { None };
            match only {
                Some(name) => name.early.push(step),
                None => program.late.push(step),
            }
        }
        program.version = program.names.find(VERSION).map(|name| name.slot);
        program
    }

    /// Whether a document matches.
    pub(super) fn matches(&self, document: &Document) -> bool {
        match self.version {
            Some(slot) if document.version() > Version::ZERO => {
                let text = document.version().to_string();
                self.with_slots(|slots| {
                    if let Some(version) = slots.get_mut(slot) {
                        *version = Some(Raw::trusted(&text));
                    }
                    self.names.fill(document.raw(), slots, Name::holds)
                        && self.names.find(VERSION).is_none_or(|name| name.holds(slots))
                        && self.finish(slots)
                })
            }
            Some(_) | None => self.with_slots(|slots| {
                self.names.fill(document.raw(), slots, Name::holds) && self.finish(slots)
            }),
        }
    }

    /// Whether a value matches: an object, or an array taken as one whose names are its indexes.
    pub(super) fn matches_value(&self, value: Raw<'_>) -> bool {
        self.with_slots(|slots| match value.kind() {
            Kind::Object => self.names.fill(value, slots, Name::holds) && self.finish(slots),
            Kind::Array => {
                self.names.fill_by_index(value, slots);
                self.names.list.iter().all(|name| name.holds(slots)) && self.ends(slots)
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => false,
        })
    }

    /// Asks what has not been asked when all members that are there have been found.
    fn finish(&self, slots: &Slots<'_>) -> bool {
        let missing = |name: &&Name| slots.get(name.slot).copied().flatten().is_none();
        self.names.list.iter().filter(missing).all(|name| name.holds(slots)) && self.ends(slots)
    }

    fn ends(&self, slots: &Slots<'_>) -> bool {
        self.late.iter().all(|step| step.holds(slots))
    }

    fn with_slots<'a>(&self, run: impl FnOnce(&mut Slots<'a>) -> bool) -> bool {
        let mut inline = [None; SLOTS_INLINE];
        match inline.get_mut(..self.slots) {
            Some(slots) => run(slots),
            None => run(&mut vec![None; self.slots]),
        }
    }

    fn step(&mut self, node: &Node) -> Step {
        match node {
            Node::And(parts) => Step::All(self.steps(parts)),
            Node::Or(parts) => Step::Any(self.steps(parts)),
            Node::Nor(parts) => Step::None(self.steps(parts)),
            Node::Condition(condition) => {
                Step::Test(Arc::clone(condition), self.slots_of(&condition.path))
            }
            Node::Invalid(_) => Step::Never,
        }
    }

    /// The questions of a node's parts, in the order in which they are asked.
    fn steps(&mut self, parts: &[Node]) -> Vec<Step> {
        let mut parts: Vec<&Node> = parts.iter().collect();
        parts.sort_by_key(|part| cost(part));
        parts.into_iter().map(|part| self.step(part)).collect()
    }

    fn slots_of(&mut self, path: &Path) -> Vec<usize> {
        let mut names = &mut self.names;
        let mut slots = Vec::new();
        for step in path.names() {
            let name = names.add(step, &mut self.slots);
            slots.push(name.slot);
            names = &mut name.below;
        }
        slots
    }

    /// The top-level name that a question rests on, when there is just one.
    fn only_name(&mut self, step: &Step) -> Option<&mut Name> {
        let slot = step.only_slot()?;
        self.names.list.iter_mut().find(|name| name.slot == slot)
    }
}

impl Names {
    fn find(&self, name: &str) -> Option<&Name> {
        if self.list.len() <= NAMES_IN_TURN {
            return self.list.iter().find(|known| *known.name == *name);
        }
        self.places.get(name).and_then(|place| self.list.get(*place))
    }

    fn add(&mut self, name: &str, slots: &mut usize) -> &mut Name {
        let place = *self.places.entry(name.into()).or_insert_with(|| {
            let slot = *slots;
            *slots += 1;
            self.lengths |= length_bit(name.len());
            let (below, early) = (Names::default(), Vec::new());
            self.list.push(Name { name: name.into(), slot, below, early });
            self.list.len() - 1
        });
        self.list.get_mut(place).expect("a place is that of a name")
    }

    /// Finds the members of an object, and asks of each; false as soon as one does not hold.
    fn fill<'a>(
        &self,
        object: Raw<'a>,
        slots: &mut Slots<'a>,
        holds: impl Fn(&Name, &Slots<'a>) -> bool,
    ) -> bool {
        let mut left = self.list.len();
        let mut members = object.walk();
        while left > 0
            && let Some(place) = members.place()
        {
            if let Some(name) = self.at(&members, &place) {
                left -= 1;
                name.fill(Raw::trusted(members.value(&place)), slots);
                if !holds(name, slots) {
                    return false;
                }
            }
        }
        true
    }

    /// The name that the member there has, if it is one of these.
    #[inline]
    fn at(&self, members: &Members<'_>, place: &document::Place) -> Option<&Name> {
        if place.plain_length().is_some_and(|length| self.lengths & length_bit(length) == 0) {
            return None;
        }
        if self.list.len() <= NAMES_IN_TURN {
            return self.list.iter().find(|known| members.is_named(place, &known.name));
        }
        self.find(&members.name(place))
    }

    /// The same for the elements of an array, which stand under their indexes.
    fn fill_by_index<'a>(&self, array: Raw<'a>, slots: &mut Slots<'a>) {
        let mut index_text = String::new();
        for (index, element) in array.elements().enumerate() {
            index_text.clear();
            write!(index_text, "{index}").expect("a string takes all text");
            if let Some(name) = self.find(&index_text) {
                name.fill(element, slots);
            }
        }
    }
}

impl Name {
    fn fill<'a>(&self, value: Raw<'a>, slots: &mut Slots<'a>) {
        if let Some(slot) = slots.get_mut(self.slot) {
            *slot = Some(value);
        }
        if value.kind() == Kind::Object {
            self.below.fill(value, slots, |_, _| true);
        }
    }

    fn holds(&self, slots: &Slots<'_>) -> bool {
        self.early.iter().all(|step| step.holds(slots))
    }
}

impl Step {
    fn holds(&self, slots: &Slots<'_>) -> bool {
        match self {
            Step::All(steps) => steps.iter().all(|step| step.holds(slots)),
            Step::Any(steps) => steps.iter().any(|step| step.holds(slots)),
            Step::None(steps) => !steps.iter().any(|step| step.holds(slots)),
            Step::Test(condition, path) => passes(&condition.test, place(condition, path, slots)),
            Step::Never => false,
        }
    }

    /// The slot of the one top-level name that all its conditions begin with.
    fn only_slot(&self) -> Option<usize> {
        match self {
            Step::All(steps) | Step::Any(steps) | Step::None(steps) => {
                let mut slots = steps.iter().map(Step::only_slot);
                let first = slots.next()??;
                slots.all(|slot| slot == Some(first)).then_some(first)
            }
            Step::Test(_, path) => path.first().copied(),
            Step::Never => None,
        }
    }
}

/// Where the path of a condition leads, as far as the slots know.
fn place<'p, 'a>(condition: &'p Condition, path: &[usize], slots: &Slots<'a>) -> Place<'p, 'a> {
    let found = |slot: &usize| slots.get(*slot).copied().flatten();
    let Some((last, before)) = path.split_last() else { return Place::At(None) };
    for (step, slot) in (1..).zip(before) {
        match found(slot) {
            Some(object) if object.kind() == Kind::Object => {}
            // The names below an array were not looked for.
            Some(array) if array.kind() == Kind::Array => {
                return Place::Below(condition.path.tail(step), array);
            }
            Some(_) | None => return Place::At(None),
        }
    }
    Place::At(found(last))
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// About how long a question takes, in comparisons of a value.
fn cost(node: &Node) -> usize {
    match node {
        Node::And(parts) | Node::Or(parts) | Node::Nor(parts) => parts.iter().map(cost).sum(),
        Node::Condition(condition) => cost_of_test(&condition.test),
        Node::Invalid(_) => 0,
    }
}

fn cost_of_test(test: &Test) -> usize {
    match test {
        Test::Exists(_) | Test::Type(_) => 1,
        Test::Eq(_) | Test::Ne(_) | Test::Gt(_) | Test::Gte(_) | Test::Lt(_) | Test::Lte(_) => 2,
        Test::StartsWith(_) | Test::Mod { .. } | Test::Size(_) => 3,
        Test::In(operands) | Test::Nin(operands) => {
            let comparisons = operands.values.len().checked_ilog2().unwrap_or_default() as usize;
            3 + comparisons + COST_LATE * operands.patterns.len()
        }
        Test::Regex(_) | Test::ElemMatch(ElemMatch::Filter(_) | ElemMatch::Tests(_)) => COST_LATE,
        Test::All(tests) | Test::Not(tests) => tests.iter().map(cost_of_test).sum(),
    }
}
