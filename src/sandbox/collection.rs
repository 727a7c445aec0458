//! The collections of an account, and the ids of what is in them.
//!
//! An id is a kind's prefix and an integer key that is never given twice: `usr_3`.

/// An object's key and its representation, tag included.
pub(super) type Row = (i64, serde_json::Value);

/// One collection of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Numbers,
    Users,
    Devices,
    RingGroups,
    Receptionists,
    Conferences,
    Bridges,
    Locations,
    Owners,
    Audit,
}

impl Collection {
    /// The name, the kind of one object, and the prefix of its id.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Numbers => ("numbers", "number", "num"),
            Self::Users => ("users", "user", "usr"),
            Self::Devices => ("devices", "device", "dev"),
            Self::RingGroups => ("ring_groups", "ring_group", "grp"),
            Self::Receptionists => ("receptionists", "receptionist", "rcp"),
            Self::Conferences => ("conferences", "conference", "cnf"),
            Self::Bridges => ("bridges", "bridge", "brg"),
            Self::Locations => ("locations", "location", "loc"),
            Self::Owners => ("owners", "owner", "own"),
            Self::Audit => ("audit", "audit_entry", "aud"),
        }
    }

    /// The path segment, which is also the name of the table.
    pub(super) const fn name(self) -> &'static str {
        self.words().0
    }

    /// The kind of one object.
    pub(super) const fn kind(self) -> &'static str {
        self.words().1
    }

    pub(super) const fn prefix(self) -> &'static str {
        self.words().2
    }

    /// Whether its objects have an extension number, and a name that is unique among them.
    pub(super) const fn is_extension(self) -> bool {
        matches!(self, Self::Users | Self::RingGroups | Self::Receptionists | Self::Conferences)
    }

    /// The id of the object with this key.
    pub(super) fn id(self, key: i64) -> String {
        id(self.prefix(), key)
    }

    /// The key in an id of this collection.
    pub(super) fn key(self, id: &str) -> Option<i64> {
        key(self.prefix(), id)
    }
}

/// What a reference may name. A voicemail box shares its user's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TargetKind {
    User,
    Device,
    Voicemail,
    RingGroup,
    Receptionist,
    Conference,
}

impl TargetKind {
    pub(super) const ALL: [Self; 6] =
        [Self::User, Self::Device, Self::Voicemail, Self::RingGroup, Self::Receptionist, Self::Conference];

    /// Where the object is, or the user whose voicemail box it is.
    pub(super) const fn collection(self) -> Collection {
        match self {
            Self::User | Self::Voicemail => Collection::Users,
            Self::Device => Collection::Devices,
            Self::RingGroup => Collection::RingGroups,
            Self::Receptionist => Collection::Receptionists,
            Self::Conference => Collection::Conferences,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        if let Self::Voicemail = self { "voicemail" } else { self.collection().kind() }
    }

    pub(super) const fn prefix(self) -> &'static str {
        if let Self::Voicemail = self { "vmb" } else { self.collection().prefix() }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The id of the target, for an object whose stored kind is `name`.
    pub(super) fn id_of(name: &str, key: i64) -> String {
        id(Self::parse(name).map_or("obj", Self::prefix), key)
    }
}

/// A reference inside the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) kind: TargetKind,
    pub(super) key: i64,
}

impl Target {
    pub(super) fn id(self) -> String {
        id(self.kind.prefix(), self.key)
    }
}

pub(super) fn id(prefix: &str, key: i64) -> String {
    format!("{prefix}_{key}")
}

/// The key in an id: canonical digits only, so that one object has one id.
pub(super) fn key(prefix: &str, id: &str) -> Option<i64> {
    let digits = id.strip_prefix(prefix)?.strip_prefix('_')?;
    let canonical =
        (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if canonical { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_has_one_id() {
        assert_eq!(Collection::Users.key("usr_12"), Some(12));
        for wrong in ["usr_012", "usr_", "usr_+1", "num_12", "usr_1234567890123456789", "usr_0"] {
            assert_eq!(Collection::Users.key(wrong), None, "{wrong}");
        }
    }
}
