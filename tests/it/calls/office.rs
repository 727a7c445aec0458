//! The office of `tests/asterisk/seed.sql`, and where its numbers lead: what a correct telephone system does with a call.

use std::collections::BTreeMap;

/// The phones of the office, by the extension of their user.
const PHONES: [(&str, &str); 8] = [
    ("201", "amelie"),
    ("202", "bruno"),
    ("203", "claire"),
    ("204", "david"),
    ("205", "busy-bea"),
    ("206", "busy-ben"),
    ("207", "silent-sam"),
    ("208", "silent-sue"),
];

/// The phone of a user.
pub fn phone(extension: &str) -> &'static str {
    PHONES.iter().find(|(user, _)| *user == extension).expect("a user of the office").1
}

/// Whether a phone takes calls, as `tests/asterisk/phones.xml` has it.
pub fn answers(phone: &str) -> bool {
    !phone.starts_with("busy-") && !phone.starts_with("silent-")
}

/// Where a number leads, or a ring group that got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// By extension.
    User(String),
    RingGroup(String),
    Receptionist,
    Conference,
    Mailbox,
    Outside(String),
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingGroup {
    /// By extension.
    pub members: Vec<String>,
    pub is_simultaneous: bool,
    pub no_answer: Destination,
}

/// What Strowger manages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Office {
    pub numbers: BTreeMap<String, Destination>,
    pub ring_groups: BTreeMap<String, RingGroup>,
}
