//! Searches the orders of a few writes for one that keeps some nodes of the routing graph reachable at every step.
//!
//! Exhaustive over sets of applied writes, so its answer "there is none" is a proof; the number of writes
//! is bounded so that the sets are few.

use std::collections::HashSet;

/// The most writes whose orders are searched: 2^12 sets at most.
pub(super) const MOST: usize = 12;

/// One write: to which nodes an object hands callers before and after it. The object is a node, or a number if `None`.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) from: Option<u32>,
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
}

/// The writes, what each needs, and the edges that no write changes.
pub(super) struct Problem<'p> {
    pub(super) steps: &'p [Step],
    /// For each write the set of those that must come before it, as bits.
    pub(super) needs: &'p [u32],
    /// Unchanged edges. An edge from `None` leads to a node that is always reachable.
    pub(super) fixed: &'p [(Option<u32>, u32)],
}

impl Problem<'_> {
    /// An order, as positions, in which the protected nodes are reachable after every write.
    pub(super) fn solve(&self, protected: &[u32]) -> Option<Vec<usize>> {
        let mut failed = HashSet::new();
        let mut order = Vec::with_capacity(self.steps.len());
        self.extend(0, protected, &mut failed, &mut order).then_some(order)
    }

    /// Depth is at most [`MOST`].
    fn extend(&self, done: u32, protected: &[u32], failed: &mut HashSet<u32>, order: &mut Vec<usize>) -> bool {
        if order.len() == self.steps.len() {
            return true;
        }
        for (position, needs) in self.needs.iter().enumerate() {
            let next = done | (1 << position);
            if next == done || needs & !done != 0 || failed.contains(&next) {
                continue;
            }
            if self.reaches(next, protected) {
                order.push(position);
                if self.extend(next, protected, failed, order) {
                    return true;
                }
                order.pop();
            }
            failed.insert(next);
        }
        false
    }

    fn reaches(&self, done: u32, protected: &[u32]) -> bool {
        let moving = self.steps.iter().enumerate().flat_map(|(position, step)| {
            let targets = if done & (1 << position) == 0 { &step.before } else { &step.after };
            targets.iter().map(|target| (step.from, *target))
        });
        let edges: Vec<(Option<u32>, u32)> = self.fixed.iter().copied().chain(moving).collect();
        let mut reached: HashSet<u32> = HashSet::new();
        loop {
            let size = reached.len();
            for (from, to) in &edges {
                if from.is_none_or(|from| reached.contains(&from)) {
                    reached.insert(*to);
                }
            }
            if reached.len() == size {
                return protected.iter().all(|node| reached.contains(node));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_swap_has_no_order_and_a_third_path_gives_one() {
        let swap = [
            Step { from: None, before: vec![1], after: vec![2] },
            Step { from: None, before: vec![2], after: vec![1] },
        ];
        let free = [0, 0];
        let problem = Problem { steps: &swap, needs: &free, fixed: &[] };
        assert_eq!(problem.solve(&[1, 2]), None);
        assert_eq!(problem.solve(&[2]), Some(vec![0, 1]));

        let with_third = Problem { steps: &swap, needs: &free, fixed: &[(None, 1)] };
        assert_eq!(with_third.solve(&[1, 2]), Some(vec![0, 1]));
    }

    #[test]
    fn needs_are_respected() {
        let step = || Step { from: None, before: Vec::new(), after: vec![1] };
        let problem = Problem { steps: &[step(), step()], needs: &[2, 0], fixed: &[] };
        assert_eq!(problem.solve(&[1]), Some(vec![1, 0]));
    }
}
