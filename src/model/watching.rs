//! What the files say to `strowger watch`, and to nothing else: plans and applies do not read it.

use super::Kind;

/// The part of a policy that is for the loop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchPolicy {
    /// What happens to changes that were made in the account.
    pub drift: DriftPolicy,
}

/// What becomes of drift, for each kind of object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftPolicy {
    /// Of numbers.
    pub numbers: OnDrift,
    /// Of ring groups.
    pub ring_groups: OnDrift,
}

impl DriftPolicy {
    /// Of objects of a kind.
    pub fn of(&self, kind: Kind) -> OnDrift {
        if kind == Kind::Number { self.numbers } else { self.ring_groups }
    }
}

/// What happens to an object that was changed in the account and so differs from the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnDrift {
    /// It is reported, and stays.
    Report,
    /// It becomes what the files say.
    #[default]
    Correct,
    /// The files are to become what it is.
    Adopt,
}

impl OnDrift {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Report, Self::Correct, Self::Adopt];

    /// The word for it in `policy.drift`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Correct => "correct",
            Self::Adopt => "adopt",
        }
    }

    /// What a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_what_it_stands_for() {
        for known in OnDrift::ALL {
            assert_eq!(OnDrift::parse(known.as_str()), Some(known));
        }
        assert_eq!(OnDrift::parse("Correct"), None);
    }
}
