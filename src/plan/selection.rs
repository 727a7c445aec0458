//! `--only`: the declared objects that a plan is limited to.

use std::str::FromStr;

use crate::diag::nearest_of_any;
use crate::model::{
    Declaration, Desired, DesiredRingGroup, ExtensionNumber, NameKey, NamePattern, NameSet, NumberPattern, NumberSet,
    Selector,
};

/// One selector: a number, a range or beginning of numbers, or `ring_group/` with a name, the beginning of one or an
/// extension number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    text: Box<str>,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Numbers(NumberSet),
    Groups(NameSet, Option<ExtensionNumber>),
}

/// Why a text is not a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` selects nothing: write a number such as `+33142685300` or `+331426853*`, or `ring_group/NAME`")]
pub struct SelectError(Box<str>);

impl FromStr for Select {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SelectError(crate::text::sanitized(text, 80).into());
        let what = if let Some(name) = text.strip_prefix("ring_group/") {
            let mut names = NameSet::default();
            names.extend([name.parse::<NamePattern>().map_err(|_| wrong())?]);
            What::Groups(names, name.parse().ok())
        } else {
            let mut numbers = NumberSet::default();
            let number = text.strip_prefix("number/").unwrap_or(text);
            numbers.extend([number.parse::<NumberPattern>().map_err(|_| wrong())?]);
            What::Numbers(numbers)
        };
        Ok(Self { text: text.into(), what })
    }
}

impl Select {
    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the selector means this declaration.
    pub fn has(&self, desired: &Desired, declaration: Declaration) -> bool {
        match (declaration, &self.what) {
            (Declaration::Number(at), What::Numbers(numbers)) => {
                desired.numbers.get(at as usize).is_some_and(|number| numbers.contains(number.number))
            }
            (Declaration::RingGroup(at), What::Groups(names, extension)) => {
                desired.ring_groups.get(at as usize).is_some_and(|group| means(group, names, extension.as_ref()))
            }
            (Declaration::Absent(at), What::Groups(names, extension)) => {
                desired.absent.get(at as usize).is_some_and(|absent| match &absent.reference.value.selector {
                    Selector::Extension(own) => Some(own) == extension.as_ref(),
                    selector => names.contains(&selector.key()),
                })
            }
            _ => false,
        }
    }

    /// Whether an account declares something that the selector means.
    pub fn matches(&self, desired: &Desired) -> bool {
        declarations(desired).any(|declaration| self.has(desired, declaration))
    }

    /// What is declared and is written almost like this selector.
    pub fn nearest(&self, accounts: &[&Desired]) -> Option<String> {
        let groups = matches!(self.what, What::Groups(..));
        let all = accounts.iter().flat_map(|desired| {
            let all = declarations(desired).filter_map(|declaration| desired.declared(declaration));
            all.filter(|(kind, ..)| (*kind == crate::model::Kind::RingGroup) == groups)
        });
        let names: Vec<String> = all.map(|(_, name, _)| name).collect();
        let word = self.text.strip_prefix("ring_group/").unwrap_or(&self.text);
        let prefix = if groups { "ring_group/" } else { "" };
        nearest_of_any(word, names.iter().map(String::as_str)).map(|near| format!("{prefix}{near}"))
    }
}

/// Every declaration of an account.
pub(super) fn declarations(desired: &Desired) -> impl Iterator<Item = Declaration> + '_ {
    let numbers = (0u32..).zip(&desired.numbers).map(|(at, _)| Declaration::Number(at));
    let groups = (0u32..).zip(&desired.ring_groups).map(|(at, _)| Declaration::RingGroup(at));
    let absent = (0u32..).zip(&desired.absent).map(|(at, _)| Declaration::Absent(at));
    numbers.chain(groups).chain(absent)
}

fn means(group: &DesiredRingGroup, names: &NameSet, extension: Option<&ExtensionNumber>) -> bool {
    let has = |key: NameKey| names.contains(&key);
    has(group.name.value.key())
        || group.renamed_from.as_ref().is_some_and(|name| has(name.value.key()))
        || extension.is_some_and(|extension| group.extension.as_ref().is_some_and(|own| own.value == *extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_a_number_a_beginning_or_a_ring_group() {
        for right in ["+33142685300", "number/+33142685300", "+3314268*", "ring_group/ventes", "ring_group/fr-*"] {
            assert!(right.parse::<Select>().is_ok(), "{right}");
        }
        for wrong in ["", "ventes", "user/202", "ring_group/", "0142685300", "number/ventes"] {
            assert!(wrong.parse::<Select>().is_err(), "{wrong}");
        }
    }
}
