//! References to objects, as people write them: `kind/selector`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::{E164, E164Error, ExtensionNumber, Kind, Name, NameError, NameKey};

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
    /// By phone number: one outside of the account.
    Number(E164),
}

/// Why a text is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("a reference is written `kind/selector`, such as `user/202`")]
    NoSlash,
    #[error("`{0}` is not a kind of object")]
    UnknownKind(Box<str>),
    /// What follows the `/` is not a name.
    #[error("{0}")]
    Selector(NameError),
    /// What follows `external/` is not a phone number.
    #[error("{0}")]
    Number(E164Error),
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
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Extension(extension) => extension.as_str().into(),
            Self::Email(email) => (&**email).into(),
            Self::Name(name) => name.as_str().into(),
            Self::Number(number) => number.to_string().into(),
        }
    }

    /// The text under which e-mails and names are compared.
    pub fn key(&self) -> NameKey {
        NameKey::of(&self.text())
    }

    /// The text of [`Self::key`], borrowed where it needs no change: for look-ups that keep nothing.
    pub fn folded(&self) -> Cow<'_, str> {
        match self.text() {
            Cow::Borrowed(text) => NameKey::folded(text),
            Cow::Owned(text) => NameKey::folded(&text).into_owned().into(),
        }
    }
}

impl Reference {
    /// A reference to an object of this kind, from what follows the `/`.
    pub fn parse(kind: Kind, selector: &str) -> Result<Self, ReferenceError> {
        let selector = match kind {
            Kind::External => Selector::Number(selector.trim().parse().map_err(ReferenceError::Number)?),
            _ => Selector::parse(selector).map_err(ReferenceError::Selector)?,
        };
        Ok(Self { kind, selector })
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, selector) = text.split_once('/').ok_or(ReferenceError::NoSlash)?;
        let word = word.trim();
        let kind = Kind::parse(word).ok_or_else(|| ReferenceError::UnknownKind(word.into()))?;
        Self::parse(kind, selector)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(extension) => extension.fmt(f),
            Self::Email(email) => f.write_str(email),
            Self::Name(name) => name.fmt(f),
            Self::Number(number) => number.fmt(f),
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
        for text in ["user/202", "user/a@b.c", "ring_group/Ventes Nord", "device/front-desk", "external/+33612345678"] {
            assert_eq!(text.parse::<Reference>().map(|reference| reference.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn half_a_reference_is_refused() {
        assert_eq!("ventes".parse::<Reference>(), Err(ReferenceError::NoSlash));
        assert_eq!("grp/x".parse::<Reference>(), Err(ReferenceError::UnknownKind("grp".into())));
        assert_eq!("external/0612345678".parse::<Reference>(), Err(ReferenceError::Number(E164Error::NoPlus)));
        assert_eq!("user/".parse::<Reference>(), Err(ReferenceError::Selector(NameError::Empty)));
    }
}
