//! The kinds of object that a reference may name.

use std::fmt;

use serde::{Deserialize, Serialize};

super::words! {
    /// A kind of object in a phone account, as it is written before the `/` of a reference.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Kind {
        /// A phone number (DID).
        Number = "number",
        /// A person's extension.
        User = "user",
        /// Several phones that ring for one call.
        RingGroup = "ring_group",
        /// An auto-attendant.
        Receptionist = "receptionist",
        /// A conference line; the bridge is chosen inside it.
        Conference = "conference",
        /// One phone of a user.
        Device = "device",
        /// A mailbox: of a user, of several, of a ring group or of the account itself.
        Voicemail = "voicemail",
        /// A number outside of the account, such as `external/+33612345678`. Not an object of the account.
        External = "external",
        /// Something that the vendor has and Strowger does not model, such as a queue or a fax. It can be read
        /// and shown, never written.
        Other = "other",
    }
}

impl Kind {
    /// Every kind that can stand in a reference.
    pub const REFERABLE: [Self; 7] = [
        Self::User,
        Self::RingGroup,
        Self::Receptionist,
        Self::Conference,
        Self::Device,
        Self::Voicemail,
        Self::External,
    ];
    /// How many kinds there are: for lists by kind, in the order of the kinds.
    pub const COUNT: usize = Self::ALL.len();
    /// What a number may be mapped to, where the provider can do it.
    pub const DESTINATIONS: [Self; 6] =
        [Self::Receptionist, Self::User, Self::RingGroup, Self::Conference, Self::Voicemail, Self::External];
    /// What may be a member of a ring group (domain reference, section 3).
    pub const MEMBERS: [Self; 2] = [Self::User, Self::Device];
    /// What may take a call that a ring group did not answer, where the provider can do it.
    pub const NO_ANSWER: [Self; 5] = [Self::User, Self::Voicemail, Self::RingGroup, Self::Receptionist, Self::External];

    /// The words for an object of the kind in a sentence: `a ring group`.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::User => "a user",
            Self::RingGroup => "a ring group",
            Self::Receptionist => "a receptionist",
            Self::Conference => "a conference",
            Self::Device => "a device",
            Self::Voicemail => "a voicemail box",
            Self::External => "an outside number",
            Self::Other => "an object of another kind",
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
