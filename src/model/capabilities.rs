//! What a provider's account can do, checked while planning, before the first write.

use std::num::NonZeroU16;

use super::{ExtensionNumber, Kind, RingFor, RingMode, Steps};

/// What an account accepts. Where the vendor's limit is unknown, the field says `None` or lists everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What a number may be mapped to.
    pub destinations: Vec<Kind>,
    /// What becomes of a number without a destination.
    pub unassigned: Unassigned,
    /// Whether a new destination of a number replaces the former one in one step. Else callers may meet a gap.
    pub atomic_destination: bool,
    pub ring_modes: Vec<RingMode>,
    /// The shortest ring duration.
    pub ring_for_least: RingFor,
    /// The longest ring duration.
    pub ring_for_most: RingFor,
    /// The duration of a group that states none.
    pub ring_for_default: RingFor,
    /// The seconds of which a ring duration is a multiple: some vendors count in rings.
    pub ring_for_step: NonZeroU16,
    /// What the ring duration of a sequential group is for.
    pub ring_for_scope: RingForScope,
    /// What may be a member of a ring group.
    pub members: Vec<Kind>,
    /// The most members that a group may have.
    pub members_most: Option<usize>,
    /// What may take a call that a group did not answer.
    pub no_answer: Vec<Kind>,
    /// The fewest and the most digits of an extension number.
    pub extension_digits: (usize, usize),
    /// When a ring group's extension number can be chosen.
    pub extension_choice: ExtensionChoice,
    /// Extension numbers that the account keeps for itself.
    pub reserved_extensions: Vec<ExtensionNumber>,
    /// The most characters of a ring group's name.
    pub name_most: Option<usize>,
    /// The most characters of a number's label.
    pub label_most: Option<usize>,
    /// Whether a number or a ring group may lead to an object of another site.
    pub across_sites: bool,
    /// How fast the account may be asked.
    pub requests: RequestLimits,
    /// How many vendor calls its changes take, and which.
    pub steps: Steps,
}

/// What becomes of a number without a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// The account keeps the number, and a call to it ends.
    EndsCall,
    /// The account keeps the number and sends its calls to a destination of its own.
    Default,
    /// The account releases the number. Strowger never asks for that.
    ReleasesNumber,
    /// The account has no such numbers. Also for a word that is not known.
    #[serde(other)]
    Unsupported,
}

/// What a sequential group's ring duration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingForScope {
    Member,
    Group,
}

/// When a ring group's extension number can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionChoice {
    /// Never: the account gives out the numbers.
    Never,
    /// When the group is created.
    Creation,
    Always,
}

/// How fast an account may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The most requests in a second; `None` if the vendor states no limit.
    pub per_second: Option<std::num::NonZeroU32>,
    /// The most requests under way at once.
    pub concurrent: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { per_second: None, concurrent: 16 }
    }
}

impl Capabilities {
    /// What a file is checked with before an account is read whose own destinations are not known: its other limits are
    /// those of the Account API.
    pub fn before_reading() -> Self {
        Self { destinations: Kind::DESTINATIONS.to_vec(), no_answer: Kind::NO_ANSWER.to_vec(), ..Self::default() }
    }

    /// What a plan against a snapshot is checked with. A snapshot may come from any vendor, so extension numbers
    /// may have any length that vendors use, and texts any that the file format takes.
    pub fn of_snapshot() -> Self {
        Self { extension_digits: (2, 8), name_most: None, label_most: None, ..Self::before_reading() }
    }

    /// Whether this extension number is one that the account hands out.
    pub fn extension_fits(&self, extension: &ExtensionNumber) -> bool {
        let (least, most) = self.extension_digits;
        (least..=most).contains(&extension.as_str().len()) && !self.reserved_extensions.contains(extension)
    }
}

impl Default for Capabilities {
    /// The Account API's own limits, which the embedded account has: what a file can be checked against
    /// before any account was asked.
    fn default() -> Self {
        let seconds = |count| RingFor::from_seconds(count).unwrap_or(RingFor::SHORTEST);
        Self {
            destinations: vec![Kind::Receptionist, Kind::User, Kind::RingGroup, Kind::Conference],
            unassigned: Unassigned::EndsCall,
            atomic_destination: true,
            ring_modes: vec![RingMode::Simultaneous, RingMode::Sequential],
            ring_for_least: seconds(5),
            ring_for_most: seconds(300),
            ring_for_default: seconds(20),
            ring_for_step: NonZeroU16::MIN,
            ring_for_scope: RingForScope::Member,
            members: Kind::MEMBERS.to_vec(),
            members_most: Some(50),
            no_answer: vec![Kind::User, Kind::Voicemail, Kind::RingGroup],
            extension_digits: (3, 4),
            extension_choice: ExtensionChoice::Always,
            reserved_extensions: Vec::new(),
            name_most: Some(64),
            label_most: Some(200),
            across_sites: true,
            requests: RequestLimits::default(),
            steps: Steps::default(),
        }
    }
}
