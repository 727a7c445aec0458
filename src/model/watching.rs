//! What the files say to `strowger watch`, and to nothing else: plans and applies do not read it.

use super::WritableKind;

/// The part of a policy that is for the loop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchPolicy {
    /// What happens to changes that were made in the account.
    pub drift: DriftPolicy,
}

/// What to do about drift, for each kind of object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftPolicy {
    pub numbers: OnDrift,
    pub ring_groups: OnDrift,
}

impl DriftPolicy {
    pub fn of(&self, kind: WritableKind) -> OnDrift {
        match kind {
            WritableKind::Number => self.numbers,
            WritableKind::RingGroup => self.ring_groups,
        }
    }
}

super::words! {
    /// What happens to an object that was changed in the account.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum OnDrift {
        /// It is reported, and stays.
        Report = "report",
        /// It becomes what the files say.
        #[default]
        Correct = "correct",
        /// The files are to become what it is.
        Adopt = "adopt",
    }
}

impl OnDrift {
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_parsed_as_the_value_that_writes_it() {
        for known in OnDrift::ALL {
            assert_eq!(OnDrift::parse(known.as_str()), Some(known));
        }
        assert_eq!(OnDrift::parse("Correct"), None);
    }
}
