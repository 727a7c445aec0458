//! Cycles in a list in which each position has at most one next position, such as groups and no-answer targets.

/// The cycles, in the order in which a walk from the first position on meets them. Linear in the length of the list.
/// A position that is its own next is a cycle of one.
pub fn cycles(next: &[Option<u32>]) -> Vec<Vec<usize>> {
    let follow = |at: usize| next.get(at).copied().flatten().map(|then| then as usize);
    let mut cycles = Vec::new();
    // The walk in which a position was first met; zero is none.
    let mut walks: Vec<u32> = vec![0; next.len()];
    for start in 0..next.len() {
        let walk = u32::try_from(start + 1).unwrap_or(u32::MAX);
        let mut at = start;
        while let Some(met) = walks.get_mut(at).filter(|met| **met == 0) {
            *met = walk;
            match follow(at) {
                Some(then) => at = then,
                None => break,
            }
        }
        // Met again in the same walk: `at` is where the cycle closes. A walk that just ended has no next.
        if walks.get(at) == Some(&walk) && follow(at).is_some() {
            let rest = std::iter::successors(follow(at), |&other| follow(other)).take_while(|&other| other != at);
            cycles.push(std::iter::once(at).chain(rest).collect());
        }
    }
    cycles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_found_once_whatever_leads_into_it() {
        // 0 → 1 → 2 → 1, 3 → 2, 4 → 4, 5 ends, 6 → 5, 7 → past the end.
        let next = [Some(1), Some(2), Some(1), Some(2), Some(4), None, Some(5), Some(99)];
        assert_eq!(cycles(&next), [vec![1, 2], vec![4]]);
    }

    #[test]
    fn a_long_chain_is_walked_once() {
        let length: u32 = 300_000;
        let mut next: Vec<Option<u32>> = (1..=length).map(Some).collect();
        next.push(None);
        assert!(cycles(&next).is_empty());
        next.pop();
        next.push(Some(0));
        assert_eq!(cycles(&next).iter().map(Vec::len).collect::<Vec<_>>(), [length as usize + 1]);
    }
}
