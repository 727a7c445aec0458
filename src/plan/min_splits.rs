//! Second writes for as few objects as can be, and a third for none, where taking the next best split goes wrong.
//!
//! [`split`](super::split) undoes one circle after the other by the split that leaves the fewest writes on circles.
//! Where circles share writes, that can end with an object that is written three times although other splits
//! would do with two. Then this looks through all sets of splits, the smallest first, in which no object is
//! split twice. The work is bounded: by the number of writes on circles, and by that of the sets that are tried.

use crate::diff::Difference;

use super::dependencies::needs;
use super::split::{Spare, WAYS, Way, halved, halves};
use super::write::Write;

/// The most writes on circles that are looked through.
const MOST_WRITES: usize = 64;
/// The most sets of splits that are tried.
const MOST_TRIED: u32 = 20_000;

/// The same writes with every circle undone by at most so many splits and no object split twice; `None` if that
/// cannot be, or is not found within bounds.
pub(super) fn undone(difference: &Difference<'_>, writes: &[Write], most: usize) -> Option<Vec<Write>> {
    let knotted: Vec<usize> = needs(writes).circles().into_iter().flatten().collect();
    if knotted.len() > MOST_WRITES {
        return None;
    }
    let inside: Vec<Write> = knotted.iter().filter_map(|&index| writes.get(index)).cloned().collect();
    let mut search = Search { difference, tried: 0 };
    let splits = (1..=most).find_map(|depth| search.deepen(&inside, depth))?;
    let mut writes = writes.to_vec();
    for (position, way) in splits {
        apply(difference, &mut writes, *knotted.get(position)?, way)?;
    }
    Some(writes)
}

struct Search<'s, 'd> {
    difference: &'s Difference<'d>,
    tried: u32,
}

impl Search<'_, '_> {
    /// So many splits that leave no circle: which writes, and how.
    fn deepen(&mut self, writes: &[Write], depth: usize) -> Option<Vec<(usize, Way)>> {
        let circles = needs(writes).circles();
        let Some(circle) = circles.first() else { return Some(Vec::new()) };
        // Each split undoes circles of one knot at most.
        if depth < circles.len() {
            return None;
        }
        let halved = halved(writes);
        for way in WAYS {
            for &index in circle.iter().filter(|index| !halved.contains(index)) {
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
fn apply(difference: &Difference<'_>, writes: &mut Vec<Write>, index: usize, way: Way) -> Option<()> {
    let aside = if way == Way::Park { Some(Spare::new(difference).unused(writes)?) } else { None };
    let slot = writes.get_mut(index)?;
    let (first, mut second) = halves(slot, way, aside)?;
    *slot = first;
    second.after = Some(index);
    writes.push(second);
    Some(())
}
