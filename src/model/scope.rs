//! What the files of an account own: ranges of numbers, and names of ring groups.
//!
//! However a scope is written, asking whether it has a number or a name takes no longer for a long scope than
//! for a short one: ranges and prefixes become sorted stretches of integers, names become a set.

use std::collections::HashSet;
use std::str::FromStr;

use super::{E164, Name, NameKey, Span};

/// What is owned, for each kind; a list that is not written owns everything of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The numbers, and where the list begins.
    pub numbers: Option<(NumberSet, Span)>,
    /// The ring groups, and where the list begins.
    pub ring_groups: Option<(NameSet, Span)>,
}

/// Numbers in ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberSet {
    /// From the first to the last digits of each range; sorted, and apart from each other.
    ranges: Vec<(u64, u64)>,
}

/// Names, and beginnings of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameSet {
    whole: HashSet<NameKey>,
    beginnings: HashSet<NameKey>,
}

/// One entry of a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberPattern {
    /// From one number to another, both of them included; one number is a range of its own.
    Range(E164, E164),
    /// Every number that begins with these digits.
    Prefix(u64),
}

/// One entry of a list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Whole(NameKey),
    /// Every name that begins so.
    Beginning(NameKey),
}

/// Why a text is no entry of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no number, no range and no prefix.
    #[error("it is no number, no range of numbers and no prefix")]
    Number,
    /// The first number of a range is above the last.
    #[error("the range ends before it begins")]
    Backwards,
    /// The two numbers of a range have different lengths.
    #[error("the two numbers of the range have different lengths")]
    Lengths,
    /// It is no name and no beginning of one.
    #[error("it is no name and no beginning of a name")]
    Name,
    /// A `*` that is not the last character.
    #[error("only the last character can be a `*`")]
    Star,
}

impl Scope {
    /// The scope of these lists, of no place.
    pub fn of(
        numbers: Option<impl IntoIterator<Item = NumberPattern>>,
        groups: Option<impl IntoIterator<Item = NamePattern>>,
    ) -> Self {
        fn set<S: Default + Extend<P>, P>(patterns: impl IntoIterator<Item = P>) -> (S, Span) {
            let mut set = S::default();
            set.extend(patterns);
            (set, Span::default())
        }
        Self { numbers: numbers.map(set), ring_groups: groups.map(set) }
    }

    /// Whether nothing can be owned by both. Names that do not exist yet count as well.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let numbers = match (&self.numbers, &other.numbers) {
            (Some((one, _)), Some((other, _))) => one.is_disjoint(other),
            (Some((one, _)), None) | (None, Some((one, _))) => one.ranges.is_empty(),
            (None, None) => false,
        };
        let groups = match (&self.ring_groups, &other.ring_groups) {
            (Some((one, _)), Some((other, _))) => one.is_disjoint(other),
            (Some((one, _)), None) | (None, Some((one, _))) => one.whole.is_empty() && one.beginnings.is_empty(),
            (None, None) => false,
        };
        numbers && groups
    }
}

impl NumberSet {
    /// Whether no number is in both.
    fn is_disjoint(&self, other: &Self) -> bool {
        let (mut one, mut other) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        while let (Some((from, to)), Some((other_from, other_to))) = (one.peek(), other.peek()) {
            if from <= other_to && other_from <= to {
                return false;
            }
            if to < other_from {
                one.next()
            } else {
                other.next()
            };
        }
        true
    }

    /// Whether the number is in one of the ranges.
    pub fn contains(&self, number: E164) -> bool {
        let digits = number.digits();
        let after = self.ranges.partition_point(|(from, _)| *from <= digits);
        after.checked_sub(1).and_then(|index| self.ranges.get(index)).is_some_and(|(_, to)| digits <= *to)
    }
}

impl Extend<NumberPattern> for NumberSet {
    fn extend<T: IntoIterator<Item = NumberPattern>>(&mut self, patterns: T) {
        for pattern in patterns {
            match pattern {
                NumberPattern::Range(from, to) => self.ranges.push((from.digits(), to.digits())),
                NumberPattern::Prefix(prefix) => self.ranges.extend(stretches(prefix)),
            }
        }
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, last| {
            let touching = next.0 <= last.1;
            if touching {
                last.1 = last.1.max(next.1);
            }
            touching
        });
    }
}

/// One stretch for each length that a number with this beginning can have.
fn stretches(prefix: u64) -> impl Iterator<Item = (u64, u64)> {
    let written = prefix.checked_ilog10().unwrap_or_default() as usize + 1;
    E164::DIGITS.filter(move |length| *length >= written).filter_map(move |length| {
        let factor = 10_u64.checked_pow(u32::try_from(length - written).ok()?)?;
        let from = prefix.checked_mul(factor)?;
        Some((from, from.checked_add(factor - 1)?))
    })
}

impl NameSet {
    /// Whether no name can be in both.
    fn is_disjoint(&self, other: &Self) -> bool {
        // Of two beginnings that a name can share, one begins the other.
        let apart = |one: &Self, other: &Self| one.whole.iter().chain(&one.beginnings).all(|key| !other.contains(key));
        apart(self, other) && apart(other, self)
    }

    /// Whether the name, or a beginning of it, is in the set.
    pub fn contains(&self, name: &NameKey) -> bool {
        let text = name.as_str();
        self.whole.contains(text)
            || (!self.beginnings.is_empty()
                && text
                    .char_indices()
                    .map(|(index, character)| index + character.len_utf8())
                    .any(|end| text.get(..end).is_some_and(|beginning| self.beginnings.contains(beginning))))
    }
}

impl Extend<NamePattern> for NameSet {
    fn extend<T: IntoIterator<Item = NamePattern>>(&mut self, patterns: T) {
        for pattern in patterns {
            match pattern {
                NamePattern::Whole(key) => self.whole.insert(key),
                NamePattern::Beginning(key) => self.beginnings.insert(key),
            };
        }
    }
}

impl FromStr for NumberPattern {
    type Err = PatternError;

    /// `+33142685300`, `+33142685300..+33142685399` or `+331426853*`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<E164>().map_err(|_| PatternError::Number);
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (number(from)?, number(to)?);
            return match (from.digits(), to.digits()) {
                (first, last) if first.checked_ilog10() != last.checked_ilog10() => Err(PatternError::Lengths),
                (first, last) if first > last => Err(PatternError::Backwards),
                _ => Ok(Self::Range(from, to)),
            };
        }
        let Some(beginning) = text.strip_suffix('*') else {
            return number(text).map(|number| Self::Range(number, number));
        };
        let digits = beginning.strip_prefix('+').ok_or(PatternError::Number)?;
        let sound = (1..=*E164::DIGITS.end()).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        let prefix = sound.then(|| digits.parse().ok()).flatten();
        prefix.map(Self::Prefix).ok_or(PatternError::Number)
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    /// `ventes`, or `fr-*` for every name that begins with `fr-`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (beginning, whole) = match text.strip_suffix('*') {
            Some(beginning) => (beginning, false),
            None => (text, true),
        };
        // White space around a name does not count, but nobody writes a line of it.
        if text.chars().count() > Name::MOST + 1 {
            return Err(PatternError::Name);
        }
        if beginning.contains('*') {
            return Err(PatternError::Star);
        }
        let name: Name = beginning.parse().map_err(|_| PatternError::Name)?;
        if whole {
            return Ok(Self::Whole(name.key()));
        }
        // `fr *` is about names whose first word is `fr`; a key alone would lose the blank.
        let blank = if beginning.ends_with(char::is_whitespace) { " " } else { "" };
        Ok(Self::Beginning(NameKey::beginning(&format!("{}{blank}", name.key().as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(patterns: &[&str]) -> NumberSet {
        let mut set = NumberSet::default();
        set.extend(patterns.iter().filter_map(|text| text.parse::<NumberPattern>().ok()));
        set
    }

    fn names(patterns: &[&str]) -> NameSet {
        let mut set = NameSet::default();
        set.extend(patterns.iter().filter_map(|text| text.parse::<NamePattern>().ok()));
        set
    }

    #[test]
    fn numbers_are_owned_one_by_one_by_range_and_by_prefix() {
        let set = numbers(&["+33142685300..+33142685399", "+3314268540*", "+15550001"]);
        let owned = |text: &str| text.parse().is_ok_and(|number| set.contains(number));
        for inside in ["+33142685300", "+33142685350", "+33142685399", "+33142685405", "+3314268540", "+15550001"] {
            assert!(owned(inside), "{inside}");
        }
        for outside in ["+33142685299", "+331426854100", "+33142685410", "+331426853", "+15550002", "+155500012"] {
            assert!(!owned(outside), "{outside}");
        }
        assert!(!numbers(&[]).contains("+33142685300".parse().unwrap_or_else(|_| unreachable!())));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        for (text, error) in [
            ("33142685300", PatternError::Number),
            ("+33142685300..", PatternError::Number),
            ("*", PatternError::Number),
            ("+*", PatternError::Number),
            ("+0*", PatternError::Number),
            ("+1234567890123456*", PatternError::Number),
            ("+33*1", PatternError::Number),
            ("+33142685399..+33142685300", PatternError::Backwards),
            ("+3314268530..+33142685300", PatternError::Lengths),
        ] {
            assert_eq!(text.parse::<NumberPattern>(), Err(error), "{text:?}");
        }
        for (text, error) in [("*", PatternError::Name), ("a*b", PatternError::Star), ("", PatternError::Name)] {
            assert_eq!(text.parse::<NamePattern>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn names_are_owned_however_they_are_spelt() {
        let set = names(&["FR-*", "Ventes", "de *", "e\u{301}*"]);
        for inside in ["fr-nord", "FR-", "ventes", "VENTES", "DE  süd", "École"] {
            assert!(set.contains(&NameKey::of(inside)), "{inside}");
        }
        for outside in ["fr", "ventes 2", "dent", "de", "ecole"] {
            assert!(!set.contains(&NameKey::of(outside)), "{outside}");
        }
    }

    fn scope(numbers: Option<&[&str]>, groups: Option<&[&str]>) -> Scope {
        Scope {
            numbers: numbers.map(|patterns| (self::numbers(patterns), Span::default())),
            ring_groups: groups.map(|patterns| (self::names(patterns), Span::default())),
        }
    }

    #[test]
    fn scopes_are_disjoint_only_if_nothing_can_ever_be_owned_by_both() {
        let north = scope(Some(&["+33142685300..+33142685349"]), Some(&["north-*", "front desk"]));
        for (numbers, groups) in [
            (&["+33142685350..+33142685399"][..], &["south-*"][..]),
            (&["+3324*", "+33142685299"], &["nor", "front desk 2"]),
            (&[], &[]),
        ] {
            let other = scope(Some(numbers), Some(groups));
            assert!(north.is_disjoint(&other) && other.is_disjoint(&north), "{numbers:?} {groups:?}");
        }
        for (numbers, groups) in [
            (&["+33142685349"][..], &["south-*"][..]),
            (&["+331*"], &["south-*"]),
            (&["+33142685200..+33142685400"], &[]),
            (&[], &["north-a"]),
            (&[], &["n*"]),
            (&[], &["north-east-*"]),
            (&[], &["Front  Desk"]),
        ] {
            let other = scope(Some(numbers), Some(groups));
            assert!(!north.is_disjoint(&other) && !other.is_disjoint(&north), "{numbers:?} {groups:?}");
        }
        // A list that is not written owns everything of its kind.
        assert!(!north.is_disjoint(&scope(Some(&[]), None)));
        assert!(!Scope::default().is_disjoint(&Scope::default()));
        assert!(scope(Some(&[]), None).is_disjoint(&scope(None, Some(&[]))));
    }

    proptest! {
        #[test]
        fn what_two_scopes_own_both_is_found(
            one in prop::collection::vec("[+][12]{1,8}[*]?", 0..5), other in prop::collection::vec("[+][12]{1,8}[*]?", 0..5),
            number in "[+][12]{7,9}",
        ) {
            let set = |patterns: &[String]| numbers(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
            let (one, other) = (set(&one), set(&other));
            let number: E164 = number.parse().unwrap();
            if one.contains(number) && other.contains(number) {
                prop_assert!(!one.is_disjoint(&other) && !other.is_disjoint(&one));
            }
            prop_assert_eq!(one.is_disjoint(&other), other.is_disjoint(&one));
        }

        #[test]
        fn a_prefix_owns_what_begins_with_it_and_nothing_else(prefix in 1..99_999_999_u64, number in 1_000_000..999_999_999_u64) {
            let set = numbers(&[&format!("+{prefix}*")]);
            let begins = number.to_string().starts_with(&prefix.to_string());
            prop_assert_eq!(format!("+{number}").parse().is_ok_and(|number| set.contains(number)), begins);
        }
    }
}
