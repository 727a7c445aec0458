//! "Did you mean": the candidate that a slip of the fingers would turn into what was written.

use strsim::damerau_levenshtein;

/// The candidate nearest to `word`, if one is near enough to be meant: at most a third of the letters differ.
///
/// Linear in the candidates; the caller limits how often it asks.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let most = (length / 3).max(1);
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most)
        .map(|candidate| (damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let names = ["ventes", "accueil", "support"];
        assert_eq!(nearest("vnetes", names.into_iter()), Some("ventes"));
        assert_eq!(nearest("acceuil", names.into_iter()), Some("accueil"));
        assert_eq!(nearest("compta", names.into_iter()), None);
    }
}
