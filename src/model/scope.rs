//! What the files of an account own: ranges of numbers, and names of ring groups.
//!
//! However a scope is written, asking whether it has a number or a name takes no longer for a long scope than
//! for a short one: ranges and prefixes become sorted stretches of integers, names become a set.

use std::collections::HashSet;

use super::{E164, NameKey, NamePattern, NumberPattern, Span};

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
    /// The numbers as they were written.
    patterns: Vec<NumberPattern>,
}

/// Names, and beginnings of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameSet {
    whole: HashSet<NameKey>,
    beginnings: HashSet<NameKey>,
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

    /// Whether both own the same, however it is written.
    pub fn is_same(&self, other: &Self) -> bool {
        let numbers = |scope: &'_ Self| scope.numbers.as_ref().map(|(set, _)| set.ranges.clone());
        let groups = |scope: &'_ Self| scope.ring_groups.as_ref().map(|(set, _)| set.clone());
        numbers(self) == numbers(other) && groups(self) == groups(other)
    }

    /// Whether it is not limited: everything is owned.
    pub fn is_whole(&self) -> bool {
        self.numbers.is_none() && self.ring_groups.is_none()
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
    /// The numbers as they were written.
    pub fn patterns(&self) -> &[NumberPattern] {
        &self.patterns
    }

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
            self.patterns.push(pattern);
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
    /// The names and beginnings, sorted.
    pub fn patterns(&self) -> Vec<NamePattern> {
        let sorted = |keys: &HashSet<NameKey>| {
            let mut keys: Vec<NameKey> = keys.iter().cloned().collect();
            keys.sort_unstable();
            keys
        };
        let beginnings = sorted(&self.beginnings).into_iter().map(NamePattern::Beginning);
        sorted(&self.whole).into_iter().map(NamePattern::Whole).chain(beginnings).collect()
    }

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
        // Written out and read again, it owns the same.
        let again = Scope::of(
            north.numbers.as_ref().map(|(set, _)| set.patterns().iter().map(|one| one.to_string().parse().unwrap())),
            north
                .ring_groups
                .as_ref()
                .map(|(set, _)| set.patterns().into_iter().map(|one| one.to_string().parse().unwrap())),
        );
        assert!(north.is_same(&again) && !north.is_same(&Scope::default()));
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
