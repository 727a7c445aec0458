//! What an account holds, in lines for the terminal. Its texts are untrusted, and escaped.

use std::collections::HashMap;

use crate::model::{Directory, Handle, LiveAccount};
use crate::render::counted;
use crate::text::sanitized;

/// At most so many numbers, and so many groups, of an account that is listed.
const LISTED: usize = 10;
/// The longest name or label.
const LONGEST: usize = 60;

/// Lines about one account.
pub(super) struct Holdings<'a> {
    pub(super) directory: Directory<'a>,
    /// The positions of the groups, by their names.
    groups: Vec<usize>,
}

impl<'a> Holdings<'a> {
    pub(super) fn of(live: &'a LiveAccount) -> Self {
        let mut groups: Vec<usize> = (0..live.ring_groups.len()).collect();
        groups.sort_by_cached_key(|at| live.ring_groups.get(*at).map(|group| (group.name.key(), group.id.clone())));
        Self { directory: Directory::new(live), groups }
    }

    /// How much there is of everything, then the first numbers and groups.
    pub(super) fn summary(&self) -> Vec<String> {
        let live = self.directory.live();
        let counts = [
            counted(live.numbers.len(), "number"),
            counted(live.ring_groups.len(), "ring group"),
            counted(live.users.len(), "user"),
            counted(live.receptionists.len(), "receptionist"),
            counted(live.conferences.len(), "conference line"),
        ];
        let mut lines =
            vec![format!("The account {} holds:", sanitized(&live.account.name, LONGEST)), counts.join(", ")];
        lines.extend(list(self.numbers(LISTED), live.numbers.len()));
        lines.extend(list(self.ring_groups(LISTED), live.ring_groups.len()));
        lines
    }

    /// The first so many numbers, each with its destination and its label.
    pub(super) fn numbers(&self, most: usize) -> Vec<String> {
        let mut labels: HashMap<Handle, String> = HashMap::new();
        let numbers = self.directory.live().numbers.iter().zip(0_u32..).take(most);
        let lines = numbers.map(|(number, at)| {
            let to = match (&number.to, self.directory.destination(at)) {
                (None, _) => "none",
                (Some(_), None) => "(something else)",
                (Some(_), Some(handle)) => labels.entry(handle).or_insert_with(|| {
                    format!("{}/{}", handle.kind, sanitized(&self.directory.label(handle), LONGEST))
                }),
            };
            format!("{}  {to}  {}", number.number, sanitized(&number.label, LONGEST)).trim_end().to_owned()
        });
        lines.collect()
    }

    /// The first so many ring groups, by their names.
    pub(super) fn ring_groups(&self, most: usize) -> Vec<String> {
        let groups = self.groups.iter().filter_map(|at| self.directory.live().ring_groups.get(*at)).take(most);
        let lines = groups.map(|group| {
            let extension = group.extension.as_ref().map(|extension| format!(" ({extension})")).unwrap_or_default();
            let name = sanitized(group.name.as_str(), LONGEST);
            format!("ring_group/{name}{extension}  {}", counted(group.members.len(), "member"))
        });
        lines.collect()
    }

    /// The position in the account of a group at a position of [`Self::ring_groups`].
    pub(super) fn group_at(&self, position: usize) -> Option<usize> {
        self.groups.get(position).copied()
    }
}

/// Lines below others, and how many more there are.
fn list(listed: Vec<String>, all: usize) -> impl Iterator<Item = String> {
    let more = all - listed.len();
    let rest = (more > 0).then(|| format!("  … and {more} more"));
    listed.into_iter().map(|line| format!("  {line}")).chain(rest)
}
