//! "Did you mean …?"

/// The candidate that a misspelt word most likely means; the first of equals.
///
/// A word counts as misspelt if a third of its characters or fewer are wrong (and one may always be), which
/// finds slips of the finger and leaves other words alone.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, candidates.into_iter()).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// [`nearest`] among candidates that come in any order: of equals the first in the alphabet.
pub fn nearest_of_any<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(word, candidates.into_iter()).min().map(|(_, candidate)| candidate)
}

/// The candidates that a word may be a slip of, with their distances from it.
fn near<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    // Words of this length are not typos, and the distance costs the product of the two lengths.
    const LONGEST: usize = 200;
    let word = Some(word).filter(|word| word.len() <= LONGEST).map(str::to_lowercase);
    let most = word.as_ref().map_or(0, |word| (word.chars().count() / 3).max(1));
    candidates
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter_map(move |candidate| {
            Some((strsim::damerau_levenshtein(word.as_ref()?, &candidate.to_lowercase()), candidate))
        })
        .filter(move |(distance, _)| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let known = ["to", "label", "members"];
        assert_eq!(nearest("lable", known), Some("label"));
        assert_eq!(nearest("Members", known), Some("members"));
        for order in [["ann", "any"], ["any", "ann"]] {
            assert_eq!(nearest_of_any("anx", order), Some("ann"));
            assert_eq!(nearest("anx", order), Some(order[0]));
        }
        assert_eq!(nearest("too", known), Some("to"));
        assert_eq!(nearest("destination", known), None);
    }
}
