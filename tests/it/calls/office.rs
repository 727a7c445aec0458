//! The office of `tests/asterisk/seed.sql`, and where its numbers lead: what a correct telephone system does with a call.

use std::collections::BTreeMap;
use std::fmt;

/// The phones of the office, by the extension of their user.
const PHONES: [(&str, &str); 12] = [
    ("201", "amelie"),
    ("202", "bruno"),
    ("203", "claire"),
    ("204", "david"),
    ("205", "busy-bea"),
    ("206", "busy-ben"),
    ("207", "silent-sam"),
    ("208", "silent-sue"),
    ("209", "desk-in-the-open-space-of-the-second-floor-beside-the-kitchen-north"),
    ("210", "busy-in-the-open-space-of-the-second-floor-beside-the-kitchen-east"),
    ("211", "desk-in-the-open-space-of-the-second-floor-beside-the-kitchen-south"),
    ("212", "busy-in-the-open-space-of-the-second-floor-beside-the-kitchen-west"),
];

/// The extensions of all users.
pub fn users() -> [&'static str; 12] {
    PHONES.map(|(extension, _)| extension)
}

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
    pub ring_for: usize,
    pub no_answer: Destination,
    pub extension: String,
}

/// What Strowger manages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Office {
    pub numbers: BTreeMap<String, Destination>,
    pub labels: BTreeMap<String, String>,
    pub ring_groups: BTreeMap<String, RingGroup>,
}

impl Office {
    /// The sections of an account file that make the office so. `renamed` has the former name of each group that was renamed,
    /// `absent` the groups that are deleted.
    pub fn sections(&self, renamed: &BTreeMap<String, String>, absent: &[String]) -> String {
        let mut text = "ring_groups:\n".to_owned();
        for (name, group) in &self.ring_groups {
            let members: Vec<_> = group.members.iter().map(|member| format!("user/{member}")).collect();
            let ring = if group.is_simultaneous { "simultaneous" } else { "sequential" };
            let former = renamed.get(name).map(|former| format!(", renamed_from: {former}")).unwrap_or_default();
            let RingGroup { ring_for, no_answer, extension, .. } = group;
            text += &format!(
                "  {name}: {{ members: [{}], ring: {ring}, ring_for: {ring_for}s, no_answer: {no_answer}, extension: \"{extension}\"{former} }}\n",
                members.join(", ")
            );
        }
        text += "numbers:\n";
        for (number, destination) in &self.numbers {
            let label = self.labels.get(number).map(String::as_str).unwrap_or_default();
            text += &format!("  \"{number}\": {{ to: {destination}, label: \"{label}\" }}\n");
        }
        let absent: Vec<_> = absent.iter().map(|name| format!("ring_group/{name}")).collect();
        text + &format!("absent: [{}]\n", absent.join(", "))
    }
}

/// As account files write it.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(extension) => write!(f, "user/{extension}"),
            Self::RingGroup(name) => write!(f, "ring_group/{name}"),
            Self::Receptionist => f.write_str("receptionist/main"),
            Self::Conference => f.write_str("conference/board"),
            Self::Mailbox => f.write_str("voicemail/201"),
            Self::Outside(number) => write!(f, "external/{number}"),
            Self::None => f.write_str("none"),
        }
    }
}
