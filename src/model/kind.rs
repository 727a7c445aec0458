//! The kinds of object that a reference may name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of object in a phone account, as it is written before the `/` of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A phone number (DID).
    Number,
    /// A person's extension.
    User,
    /// Several phones that ring for one call.
    RingGroup,
    /// An auto-attendant.
    Receptionist,
    /// A conference line; the bridge is chosen inside it.
    Conference,
    /// One phone of a user.
    Device,
    /// The mailbox of a user.
    Voicemail,
    /// Something that the vendor has and Strowger does not model, such as a queue or a fax. It can be read
    /// and shown, never written.
    Other,
}

impl Kind {
    /// Every kind that can stand in a reference.
    pub const REFERABLE: [Self; 6] =
        [Self::User, Self::RingGroup, Self::Receptionist, Self::Conference, Self::Device, Self::Voicemail];
    /// How many kinds there are: for lists by kind, in the order of the kinds.
    pub const COUNT: usize = Self::Other as usize + 1;
    /// What a number may be mapped to (domain reference, section 2).
    pub const DESTINATIONS: [Self; 4] = [Self::Receptionist, Self::User, Self::RingGroup, Self::Conference];
    /// What may be a member of a ring group (domain reference, section 3).
    pub const MEMBERS: [Self; 2] = [Self::User, Self::Device];
    /// What may take a call that a ring group did not answer, where the provider can do it.
    pub const NO_ANSWER: [Self; 4] = [Self::User, Self::Voicemail, Self::RingGroup, Self::Receptionist];

    /// The word in front of the `/`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::User => "user",
            Self::RingGroup => "ring_group",
            Self::Receptionist => "receptionist",
            Self::Conference => "conference",
            Self::Device => "device",
            Self::Voicemail => "voicemail",
            Self::Other => "other",
        }
    }

    /// The kind that this word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::REFERABLE.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
