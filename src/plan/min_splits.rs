//! The fewest second writes, and no third one, where the greedy search of [`split`](super::split) fails.
//!
//! That search breaks one cycle after the other by the split that leaves the fewest writes on cycles. Where cycles share
//! writes, it can write an object three times although other splits need only two writes. Then this tries all sets of
//! splits in which no object is split twice, the smallest first. The number of writes on cycles and the number of sets
//! are bounded.

use crate::diff::Difference;

use super::dependencies::needs;
use super::split::{FreeExtensions, SplitKind, WAYS, halved, split_write};
use super::write::Write;

/// The most writes on cycles that are looked through.
const MOST_WRITES: usize = 64;
/// The most sets of splits that are tried.
const MOST_TRIED: u32 = 20_000;

/// The same writes with every cycle broken by at most `most` splits and no object split twice; `None` if there is no
/// such set of splits, or none is found within the bounds.
pub(super) fn search(difference: &Difference<'_>, writes: &[Write], most: usize) -> Option<Vec<Write>> {
    let in_cycle: Vec<usize> = needs(writes).cycles().into_iter().flatten().collect();
    if in_cycle.len() > MOST_WRITES {
        return None;
    }
    let inside: Vec<Write> = in_cycle.iter().filter_map(|&index| writes.get(index)).cloned().collect();
    let mut search = Search { difference, tried: 0 };
    let splits = (1..=most).find_map(|depth| search.deepen(&inside, depth))?;
    let mut writes = writes.to_vec();
    for (position, way) in splits {
        apply(difference, &mut writes, *in_cycle.get(position)?, way)?;
    }
    Some(writes)
}

struct Search<'s, 'd> {
    difference: &'s Difference<'d>,
    tried: u32,
}

impl Search<'_, '_> {
    /// So many splits that leave no cycle: which writes, and how.
    fn deepen(&mut self, writes: &[Write], depth: usize) -> Option<Vec<(usize, SplitKind)>> {
        let cycles = needs(writes).cycles();
        let Some(cycle) = cycles.first() else { return Some(Vec::new()) };
        // Each split breaks cycles of one strongly connected component at most.
        if depth < cycles.len() {
            return None;
        }
        let halved = halved(writes);
        for way in WAYS {
            for &index in cycle.iter().filter(|index| !halved.contains(index)) {
                self.tried += 1;
                if self.tried > MOST_TRIED {
                    return None;
                }
                let mut next = writes.to_vec();
                if apply(self.difference, &mut next, index, way).is_none() {
                    continue;
                }
                if let Some(mut splits) = self.deepen(&next, depth - 1) {
                    splits.insert(0, (index, way));
                    return Some(splits);
                }
            }
        }
        None
    }
}

/// Splits one write; the second half comes last.
fn apply(difference: &Difference<'_>, writes: &mut Vec<Write>, index: usize, way: SplitKind) -> Option<()> {
    let aside = if way == SplitKind::Park { Some(FreeExtensions::new(difference).unused(writes)?) } else { None };
    let slot = writes.get_mut(index)?;
    let (first, mut second) = split_write(slot, way, aside)?;
    *slot = first;
    second.after = Some(index);
    writes.push(second);
    Some(())
}
