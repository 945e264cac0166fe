//! Aggregates of distinct values: `uniqueCount`, `uniques`, `funnel`.
//!
//! What always holds: they are exact, however many values there are.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::expression::Node;
use super::super::key::Keys;
use super::super::relation::Relation;
use super::super::value::Value;
use super::seen::Seen;
use super::{Accumulator, Input, list, moves, whole};
use crate::lab::store::hash::QuickMap;

/// A slot and a value's number as one.
fn pair(slot: u32, number: u32) -> u64 {
    (u64::from(slot) << 32) | u64::from(number)
}

/// And back.
fn split(pair: u64) -> (usize, u32) {
    (usize::try_from(pair >> 32).unwrap_or(usize::MAX), u32::try_from(pair & u64::from(u32::MAX)).unwrap_or(u32::MAX))
}

/// `uniqueCount`.
pub(super) struct UniqueCount {
    keys: Rc<RefCell<Keys>>,
    seen: Seen,
    counts: Vec<u64>,
}

impl UniqueCount {
    pub(super) fn new(nodes: &[Node], slots: usize, relation: &Relation) -> Self {
        Self { keys: Rc::new(RefCell::new(Keys::new(nodes, relation))), seen: Seen::new(slots), counts: vec![0; slots] }
    }

    fn put(&mut self, slot: u32, number: u32) {
        if self.seen.insert(slot, number)
            && let Some(count) = self.counts.get_mut(slot as usize)
        {
            *count += 1;
        }
    }
}

impl Accumulator for UniqueCount {
    fn add(&mut self, input: &Input<'_, '_>) {
        let numbers = self.keys.borrow_mut().number(input.evaluator, input.batch, input.rows, false);
        for (number, slot) in numbers.into_iter().zip(input.slots).filter(|(number, _)| *number != u32::MAX) {
            self.put(*slot, number);
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let mut other = Self { keys: Rc::clone(&self.keys), seen: Seen::new(slots), counts: vec![0; slots] };
        self.seen.each(|slot, number| {
            if let Some(to) = to.get(slot as usize).filter(|to| **to != u32::MAX) {
                other.put(*to, number);
            }
        });
        Box::new(other)
    }

    fn held(&self) -> u64 {
        self.keys.borrow().held() + self.seen.held()
    }

    fn has(&self, slot: usize) -> bool {
        self.counts.get(slot).is_some_and(|count| *count > 0)
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        whole(self.counts.get(slot).copied().unwrap_or(0))
    }
}

/// `uniques`: in order of discovery.
pub(super) struct Uniques {
    keys: Rc<RefCell<Keys>>,
    most: usize,
    seen: Seen,
    lists: Vec<Vec<u32>>,
}

impl Uniques {
    pub(super) fn new(node: &Node, most: usize, slots: usize, relation: &Relation) -> Self {
        let keys = Rc::new(RefCell::new(Keys::new(std::slice::from_ref(node), relation)));
        Self { keys, most, seen: Seen::new(slots), lists: vec![Vec::new(); slots] }
    }

    fn put(&mut self, slot: u32, number: u32) {
        if let Some(list) = self.lists.get_mut(slot as usize).filter(|list| list.len() < self.most)
            && self.seen.insert(slot, number)
        {
            list.push(number);
        }
    }
}

impl Accumulator for Uniques {
    fn add(&mut self, input: &Input<'_, '_>) {
        let numbers = self.keys.borrow_mut().number(input.evaluator, input.batch, input.rows, false);
        for (number, slot) in numbers.into_iter().zip(input.slots).filter(|(number, _)| *number != u32::MAX) {
            self.put(*slot, number);
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let lists = vec![Vec::new(); slots];
        let mut other = Self { keys: Rc::clone(&self.keys), most: self.most, seen: Seen::new(slots), lists };
        for (from, to) in moves(to) {
            let slot = u32::try_from(to).unwrap_or(u32::MAX);
            self.lists.get(from).into_iter().flatten().for_each(|number| other.put(slot, *number));
        }
        Box::new(other)
    }

    fn held(&self) -> u64 {
        // Every pair that was seen stands in a list too.
        self.keys.borrow().held() + 2 * self.seen.held()
    }

    fn has(&self, slot: usize) -> bool {
        self.lists.get(slot).is_some_and(|list| !list.is_empty())
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        let keys = self.keys.borrow();
        list(self.lists.get(slot).into_iter().flatten().map(|number| keys.values(*number).pop().unwrap_or_default()))
    }
}

/// `funnel`: which steps each value has satisfied, in whatever order and rows.
pub(super) struct Funnel {
    keys: Rc<RefCell<Keys>>,
    steps: Vec<Node>,
    done: QuickMap<u64, u16>,
    /// For each slot, how many values have satisfied the first step, the first two, …
    counts: Vec<Vec<u64>>,
}

impl Funnel {
    pub(super) fn new(node: &Node, steps: &[Node], slots: usize, relation: &Relation) -> Self {
        let keys = Rc::new(RefCell::new(Keys::new(std::slice::from_ref(node), relation)));
        Self { keys, steps: steps.to_vec(), done: QuickMap::default(), counts: vec![Vec::new(); slots] }
    }

    /// Steps a value has satisfied in a slot.
    fn put(&mut self, slot: u32, number: u32, steps: u16) {
        let Some(counts) = self.counts.get_mut(slot as usize) else { return };
        counts.resize(self.steps.len(), 0);
        let done = self.done.entry(pair(slot, number)).or_default();
        let in_a_row = |steps: u16| usize::try_from(steps.trailing_ones()).unwrap_or(0);
        let before = in_a_row(*done);
        *done |= steps;
        counts.iter_mut().take(in_a_row(*done)).skip(before).for_each(|count| *count += 1);
    }
}

impl Accumulator for Funnel {
    fn add(&mut self, input: &Input<'_, '_>) {
        let numbers = self.keys.borrow_mut().number(input.evaluator, input.batch, input.rows, false);
        for step in 0..self.steps.len() {
            let holds = self.steps.get(step).map(|condition| input.evaluator.select(condition, input.batch, input.rows));
            for position in holds.into_iter().flatten() {
                let found = numbers.get(position as usize).zip(input.slots.get(position as usize));
                if let Some((number, slot)) = found.filter(|(number, _)| **number != u32::MAX) {
                    self.put(*slot, *number, 1 << step);
                }
            }
        }
    }

    fn regroup(&self, to: &[u32], slots: usize) -> Box<dyn Accumulator> {
        let counts = vec![Vec::new(); slots];
        let mut other = Self { keys: Rc::clone(&self.keys), steps: self.steps.clone(), done: QuickMap::default(), counts };
        for (value, steps) in &self.done {
            let (slot, number) = split(*value);
            if let Some(to) = to.get(slot).filter(|to| **to != u32::MAX) {
                other.put(*to, number, *steps);
            }
        }
        Box::new(other)
    }

    fn held(&self) -> u64 {
        self.keys.borrow().held() + 24 * self.done.len() as u64
    }

    fn has(&self, slot: usize) -> bool {
        self.counts.get(slot).is_some_and(|counts| !counts.is_empty())
    }

    fn value(&self, slot: usize, _: i64) -> Value {
        let counts = self.counts.get(slot).filter(|counts| !counts.is_empty());
        list((0..self.steps.len()).map(|step| whole(counts.and_then(|counts| counts.get(step)).copied().unwrap_or(0))))
    }
}
