//! One edge, and how messages name where it starts.

use crate::model::{Handle, Kind, Name};

use super::RoutingGraph;

/// One object hands callers to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge<'a> {
    /// The number, group, receptionist or unreadable object that hands callers on.
    pub from: Handle,
    /// In which case.
    pub label: EdgeLabel<'a>,
    /// The object that gets them.
    pub to: Handle,
}

/// In which case callers are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeLabel<'a> {
    /// Always: it is the destination of a number.
    Destination,
    /// If they press this key of a receptionist.
    Key(&'a str),
    /// When a ring group rings.
    Member,
    /// If no member of a ring group answers.
    NoAnswer,
    /// A ring group that cannot be read refers to it, as a member or as its no-answer target.
    Unknown,
}

impl RoutingGraph<'_, '_> {
    /// The start of an edge as messages write it, such as `receptionist/welcome (key 1)`. It may hold names from the
    /// account, so it is untrusted text.
    pub fn referrer(&self, edge: &Edge<'_>) -> String {
        let live = self.directory.live();
        let index = edge.from.index as usize;
        match edge.label {
            EdgeLabel::Key(key) => {
                let name = live.receptionists.get(index).map_or("", |one| &*one.name);
                format!("receptionist/{name} (key {key})")
            }
            EdgeLabel::Member => format!("ring_group/{} (members)", self.group_name(edge.from)),
            EdgeLabel::NoAnswer => format!("ring_group/{} (no_answer)", self.group_name(edge.from)),
            EdgeLabel::Destination | EdgeLabel::Unknown => match live.numbers.get(index) {
                Some(number) if edge.from.kind == Kind::Number => format!("number {}", number.number),
                _ => live.unreadable.get(index).map_or_else(String::new, |one| format!("{}/{}", one.kind, one.name)),
            },
        }
    }

    /// The name of a group: as the account has it, or as the files have it for a group that does not exist yet.
    pub fn group_name(&self, group: Handle) -> &str {
        let index = group.index as usize;
        let live = &self.directory.live().ring_groups;
        let created = || index.checked_sub(live.len()).and_then(|created| self.created.get(created).copied());
        live.get(index).map(|group| &group.name).or_else(created).map_or("", Name::as_str)
    }
}
