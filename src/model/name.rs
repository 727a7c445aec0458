//! Names that people give to things.
//!
//! Two names are the same if their [`NameKey`]s are: Unicode-normalised (NFKC), lower-cased, white space
//! folded. What people see is kept as they wrote it, in NFC.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use unicode_normalization::{UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// A name: 1 to 128 characters, trimmed, NFC, no control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

/// The form of a [`Name`] under which it is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(Box<str>);

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name cannot be empty")]
    Empty,
    #[error("a name has at most 128 characters")]
    TooLong,
    /// A control character: a line break, an escape, a NUL.
    #[error("a name has no control characters")]
    Control,
}

/// Why a file cannot call a ring group so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsayable {
    /// It has an `@`.
    #[error("would be taken for an e-mail address")]
    Email,
    /// It is nothing but digits.
    #[error("would be taken for an extension number")]
    Extension,
    /// It has a line break that is not a control character.
    #[error("has a line break in it")]
    LineBreak,
}

impl Name {
    /// The most characters that a name may have.
    pub const MOST: usize = 128;

    /// The name as people see it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which the name is looked up.
    pub fn key(&self) -> NameKey {
        NameKey::of(&self.0)
    }

    /// The text of [`Self::key`], borrowed where it needs no change: for look-ups that keep nothing.
    pub fn folded(&self) -> Cow<'_, str> {
        NameKey::folded(&self.0)
    }
}

impl Name {
    /// Whether a file can call a ring group so: a reference must not take the name for something else.
    pub fn of_ring_group(&self) -> Result<(), Unsayable> {
        if self.0.contains('@') {
            return Err(Unsayable::Email);
        }
        if self.0.chars().all(|character| character.is_ascii_digit() || character.is_whitespace()) {
            return Err(Unsayable::Extension);
        }
        if self.0.chars().any(super::is_unprintable) {
            return Err(Unsayable::LineBreak);
        }
        Ok(())
    }
}

impl NameKey {
    /// The key of any text: also of one that is not a valid name, such as half a reference.
    pub fn of(text: &str) -> Self {
        Self(Self::folded(text).into())
    }

    /// A beginning of keys, which may end in the blank that no key ends in.
    pub(super) fn beginning(text: &str) -> Self {
        Self(text.into())
    }

    /// The key's text, to look it up without making a key: nearly every text is its own.
    pub(super) fn folded(text: &str) -> Cow<'_, str> {
        if text.is_ascii() {
            let plain = !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_whitespace());
            if plain {
                return Cow::Borrowed(text);
            }
        }
        let folded: String = match is_nfkc_quick(text.chars()) {
            unicode_normalization::IsNormalized::Yes => text.to_lowercase(),
            _ => text.nfkc().collect::<String>().to_lowercase().nfkc().collect(),
        };
        let mut key = String::with_capacity(folded.len());
        for word in folded.split_whitespace() {
            if !key.is_empty() {
                key.push(' ');
            }
            key.push_str(word);
        }
        Cow::Owned(key)
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for NameKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if text.chars().count() > Self::MOST {
            return Err(NameError::TooLong);
        }
        match is_nfc_quick(text.chars()) {
            unicode_normalization::IsNormalized::Yes => Ok(Self(text.into())),
            _ => Ok(Self(text.nfc().collect::<String>().into())),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

super::text::written_as_text!(Name);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_have_the_same_key() {
        for (left, right) in [
            ("Ventes", "ventes"),
            ("Me\u{301}tro", "m\u{e9}tro"),
            ("salle  1", " Salle 1 "),
            ("\u{ff33}alle", "salle"),
            ("STRASSE", "strasse"),
        ] {
            assert_eq!(NameKey::of(left), NameKey::of(right), "{left:?} {right:?}");
        }
        assert_ne!(NameKey::of("salle 1"), NameKey::of("salle1"));
    }

    #[test]
    fn a_key_is_its_own_key() {
        for text in ["Ventes", "\u{130}stanbul", "\u{1e9e}", "\u{fb03}", "A\u{345}"] {
            let key = NameKey::of(text);
            assert_eq!(NameKey::of(key.as_str()), key, "{text:?}");
        }
    }

    #[test]
    fn text_that_could_break_a_terminal_is_no_name() {
        assert_eq!("a\u{1b}[31m".parse::<Name>(), Err(NameError::Control));
        assert_eq!("  ".parse::<Name>(), Err(NameError::Empty));
        assert_eq!("x".repeat(129).parse::<Name>(), Err(NameError::TooLong));
    }
}
