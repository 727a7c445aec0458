//! "Did you mean …?"

/// The candidate that a misspelt word most likely means; of equals the first in the alphabet, in
/// whatever order they come.
///
/// A word counts as misspelt if a third of its characters or fewer are wrong (and one may always be), which
/// finds slips of the finger and leaves other words alone.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a word of this length, and the distance costs the product of the two lengths.
    const LONGEST: usize = 200;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
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
            assert_eq!(nearest("anx", order), Some("ann"));
        }
        assert_eq!(nearest("too", known), Some("to"));
        assert_eq!(nearest("destination", known), None);
    }
}
