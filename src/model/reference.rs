//! References to objects, as people write them: `kind/selector`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::{ExtensionNumber, Kind, Name, NameError, NameKey};

/// A reference that is well formed; whether it names anything is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub kind: Kind,
    /// Which one.
    pub selector: Selector,
}

/// How a reference tells one object of a kind from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// By internal number: all digits.
    Extension(ExtensionNumber),
    /// By e-mail address: has an `@`. Compared without regard to case.
    Email(Box<str>),
    /// By name. Compared by [`NameKey`].
    Name(Name),
}

/// Why a text is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// There is no `/`.
    #[error("a reference is written `kind/selector`, such as `user/202`")]
    NoSlash,
    /// The word before the `/` is not a kind.
    #[error("`{0}` is not a kind of object")]
    UnknownKind(Box<str>),
    /// What follows the `/` is not a name.
    #[error("{0}")]
    Selector(NameError),
}

impl Selector {
    /// Reads a selector: all digits is an extension, an `@` makes it an e-mail, the rest is a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if let Ok(extension) = text.parse() {
            return Ok(Self::Extension(extension));
        }
        let name: Name = text.parse()?;
        if text.contains('@') {
            return Ok(Self::Email(name.as_str().into()));
        }
        Ok(Self::Name(name))
    }

    /// The text, as people see it.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Extension(extension) => extension.as_str(),
            Self::Email(email) => email,
            Self::Name(name) => name.as_str(),
        }
    }

    /// The text under which e-mails and names are compared.
    pub fn key(&self) -> NameKey {
        NameKey::of(self.as_str())
    }

    /// The text of [`Self::key`], borrowed where it needs no change: for look-ups that keep nothing.
    pub fn folded(&self) -> Cow<'_, str> {
        NameKey::folded(self.as_str())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, selector) = text.split_once('/').ok_or(ReferenceError::NoSlash)?;
        let word = word.trim();
        let kind = Kind::parse(word).ok_or_else(|| ReferenceError::UnknownKind(word.into()))?;
        let selector = Selector::parse(selector).map_err(ReferenceError::Selector)?;
        Ok(Self { kind, selector })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(extension) => extension.fmt(f),
            Self::Email(email) => f.write_str(email),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.selector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selector_tells_its_own_kind() {
        let parse = |text: &str| text.parse::<Reference>().map(|reference| reference.selector);
        assert!(matches!(parse("user/202"), Ok(Selector::Extension(_))));
        assert!(matches!(parse("user/amelie@example.org"), Ok(Selector::Email(_))));
        assert!(matches!(parse("conference/salle-1"), Ok(Selector::Name(_))));
        assert!(matches!(parse("receptionist/a/b"), Ok(Selector::Name(_))));
    }

    #[test]
    fn a_reference_survives_the_round_trip_through_text() {
        for text in ["user/202", "user/a@b.c", "ring_group/Ventes Nord", "device/front-desk"] {
            assert_eq!(text.parse::<Reference>().map(|reference| reference.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn half_a_reference_is_refused() {
        assert_eq!("ventes".parse::<Reference>(), Err(ReferenceError::NoSlash));
        assert_eq!("grp/x".parse::<Reference>(), Err(ReferenceError::UnknownKind("grp".into())));
        assert_eq!("user/".parse::<Reference>(), Err(ReferenceError::Selector(NameError::Empty)));
    }
}
