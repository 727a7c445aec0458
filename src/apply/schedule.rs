//! Which change may start next.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::model::{Change, ChangeId};

/// The dependencies of a plan while it is carried out. Changes are meant by their positions in the plan.
pub(super) struct Graph {
    /// For each change, those that wait for it.
    dependents: Vec<Vec<usize>>,
    /// For each change, how many it still waits for.
    waiting: Vec<usize>,
    /// For each change, whether it started or never will.
    settled: Vec<bool>,
    /// Those that may start, the first of the plan first.
    ready: BinaryHeap<Reverse<usize>>,
    positions: HashMap<ChangeId, usize>,
}

impl Graph {
    pub(super) fn new(changes: &[Change]) -> Self {
        let positions: HashMap<_, _> = changes.iter().map(|change| change.id).zip(0..).collect();
        let mut dependents = vec![Vec::new(); changes.len()];
        let mut waiting = vec![0; changes.len()];
        for ((position, change), waiting) in changes.iter().enumerate().zip(&mut waiting) {
            *waiting = change.depends_on.len();
            for dependency in &change.depends_on {
                // One that does not exist is waited for all the same: the change never starts.
                if let Some(waiters) = positions.get(dependency).and_then(|&at| dependents.get_mut(at)) {
                    waiters.push(position);
                }
            }
        }
        let free = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
        let ready = free.map(|(position, _)| Reverse(position)).collect();
        Self { dependents, waiting, settled: vec![false; changes.len()], ready, positions }
    }

    /// Takes the change that starts next.
    pub(super) fn next(&mut self) -> Option<usize> {
        let Reverse(position) = self.ready.pop()?;
        self.settle(position);
        Some(position)
    }

    /// A change was applied: what waited only for it may start.
    pub(super) fn applied(&mut self, position: usize) {
        for dependent in self.dependents.get_mut(position).map(std::mem::take).unwrap_or_default() {
            if let Some(waiting) = self.waiting.get_mut(dependent) {
                *waiting -= 1;
                if *waiting == 0 {
                    self.ready.push(Reverse(dependent));
                }
            }
        }
    }

    /// A change was not applied: everything that depends on it, in the order of the plan, will never start.
    pub(super) fn stopped(&mut self, position: usize) -> Vec<usize> {
        let mut stopped = Vec::new();
        let mut causes = vec![position];
        while let Some(cause) = causes.pop() {
            for dependent in self.dependents.get_mut(cause).map(std::mem::take).unwrap_or_default() {
                if self.settle(dependent) {
                    stopped.push(dependent);
                    causes.push(dependent);
                }
            }
        }
        stopped.sort_unstable();
        stopped
    }

    /// What keeps a change from ever starting.
    pub(super) fn waits_for(&self, changes: &[Change], position: usize) -> ChangeId {
        let Some(change) = changes.get(position) else { return ChangeId(0) };
        let open = |id: &ChangeId| self.positions.get(id).is_none_or(|&at| self.settled.get(at) != Some(&true));
        change.depends_on.iter().copied().find(|id| open(id)).unwrap_or(change.id)
    }

    /// Whether it was not settled before.
    fn settle(&mut self, position: usize) -> bool {
        self.settled.get_mut(position).is_some_and(|settled| !std::mem::replace(settled, true))
    }
}
