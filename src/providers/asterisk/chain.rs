//! The rows of a ring group's chain: what rings, for how long, and what comes then.
//!
//! A chain is never changed: a changed group gets a new version of it, and calls that are under way end on the one that
//! they began with.

use std::collections::HashMap;

use crate::model::{LiveRingGroup, ObjectRef, RingFor, RingMode};

use super::action::{Action, Target, dialled};
use super::layout::{Layout, Leads, NO_ANSWER};
use super::people::People;
use super::rows::{Extension, NOTE, note};

/// The most characters of the column `appdata` in Asterisk's own schema. Above 511 a `Dial` fails as a whole.
pub(super) const MOST_DATA: usize = 256;
/// Asterisk cuts what is longer.
const MOST_BYTES: usize = 511;
/// The most characters of an endpoint's name for which the largest group still fits.
const PART_MOST: usize = 8;

/// What a group does with a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) ring: RingMode,
    pub(super) members: Vec<ObjectRef>,
    pub(super) ring_for: Option<RingFor>,
    pub(super) no_answer: Option<ObjectRef>,
}

/// The rows of one extension to insert: its name, the priority and what is done.
pub(super) type NewRow = (String, i32, Action);

/// How endpoints are spelled in a chain: an endpoint with several registrations may be written so that all of them ring.
pub(super) type Spelling = HashMap<Box<str>, bool>;

impl Chain {
    /// That of a group.
    pub(super) fn of(group: &LiveRingGroup) -> Self {
        Self {
            ring: group.ring,
            members: group.members.clone(),
            ring_for: group.ring_for,
            no_answer: group.no_answer.clone(),
        }
    }

    /// Reads a chain, or says why it is not one. `part` gives the rows of a part of a long list.
    pub(super) fn read<'r>(
        rows: &Extension<'r>,
        part: impl Fn(&str) -> Option<Extension<'r>>,
        people: &People,
        layout: &Layout,
    ) -> Result<Self, String> {
        let mut turns: Vec<(Vec<Target>, Option<u64>)> = Vec::new();
        let mut no_answer = None;
        let mut ended = false;
        let mut stated = None;
        for (expected, (priority, row)) in (1..).zip(rows) {
            if *priority >= NOTE {
                stated = stated.or_else(|| row.note("ring"));
                continue;
            }
            if *priority != expected {
                return Err(format!("its priorities have a gap before {priority}"));
            }
            let action = row.action();
            match action.as_ref().and_then(|action| layout.leads(action)) {
                // After the mailbox or the outside number, the call ends anyway.
                _ if ended => {}
                Some(Leads::To(to)) => (no_answer, ended) = (Some(to), true),
                Some(Leads::Nowhere) => ended = true,
                None => match action {
                    Some(Action::Dial { targets, seconds }) => {
                        turns.push((expanded(targets, &layout.groups, &part)?, seconds));
                    }
                    _ => return Err(format!("priority {priority} is {}", row.shown())),
                },
            }
        }
        let ring = match (turns.len(), stated.as_deref()) {
            (0 | 1, Some("sequential")) | (2.., _) => RingMode::Sequential,
            _ => RingMode::Simultaneous,
        };
        let mut seconds = turns.iter().map(|(_, seconds)| *seconds);
        let first = seconds.next().flatten();
        if seconds.any(|other| other != first) {
            return Err("its members ring for different times".to_owned());
        }
        let mut members = Vec::new();
        for (targets, _) in &turns {
            let endpoints = targets.iter().filter_map(Target::endpoint).collect::<Vec<_>>();
            if endpoints.len() < targets.len() {
                return Err(format!("it rings `{}`", crate::text::sanitized(&dialled(targets, None), 120)));
            }
            let found = people.members(&endpoints);
            members.extend(if ring == RingMode::Simultaneous { found } else { vec![people.in_turn(&found)?] });
        }
        let ring_for = first.map(RingFor::from_seconds).transpose().map_err(|error| error.to_string())?;
        Ok(Self { ring, members, ring_for, no_answer })
    }

    /// The rows of a version of the chain, or why there are none.
    pub(super) fn rows(
        &self,
        version: &str,
        people: &People,
        layout: &Layout,
        spelling: &Spelling,
    ) -> Result<Vec<NewRow>, String> {
        let seconds = self.ring_for.map(|duration| u64::from(duration.seconds()));
        let mut phones = Vec::new();
        for member in &self.members {
            let endpoints = people.endpoints(member.kind, &member.id.0);
            let gone = || format!("{} {} has no phone in the tables", member.kind, member.id);
            let target = |id: Box<str>| {
                let all_contacts = spelling.get(&id).copied().unwrap_or_default();
                Target::Endpoint { id, all_contacts }
            };
            phones.push(endpoints.ok_or_else(gone)?.into_iter().map(target).collect::<Vec<_>>());
        }
        if self.ring == RingMode::Simultaneous {
            phones = vec![phones.concat()];
            phones.retain(|together| !together.is_empty());
        }
        let mut rows: Vec<NewRow> = Vec::new();
        let mut parts = 0;
        for together in phones {
            let targets = in_parts(together, version, layout, &mut parts, &mut rows)?;
            let priority = next(&rows, version);
            rows.push((version.to_owned(), priority, Action::Dial { targets, seconds }));
        }
        let end = Action::Hangup { cause: Some(NO_ANSWER) };
        let tail = match &self.no_answer {
            None => vec![end],
            Some(to) => {
                let action = layout.action(to.kind, &to.id.0);
                let action = action.ok_or_else(|| format!("{} {} cannot take a call here", to.kind, to.id))?;
                let goes_away = matches!(action, Action::Goto { .. });
                if goes_away { vec![action] } else { vec![action, end] }
            }
        };
        for action in tail {
            let priority = next(&rows, version);
            rows.push((version.to_owned(), priority, action));
        }
        if self.ring == RingMode::Sequential && self.members.len() < 2 {
            rows.push((version.to_owned(), NOTE, note("ring", "sequential")));
        }
        Ok(rows)
    }

    /// How long a call may be on its way through this chain, in seconds; `None` if that has no end.
    pub(super) fn seconds(&self) -> Option<u64> {
        let each = u64::from(self.ring_for?.seconds());
        let times = if self.ring == RingMode::Sequential { self.members.len() as u64 } else { 1 };
        Some(each * times)
    }
}

impl Target {
    fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Endpoint { id, .. } => Some(id),
            Self::Trunk { .. } | Self::Local { .. } => None,
        }
    }
}

/// How the chain that there is spells its endpoints.
pub(super) fn spelling<'r>(rows: impl IntoIterator<Item = &'r super::rows::DialplanRow>) -> Spelling {
    let mut spelling = Spelling::new();
    for row in rows {
        if let Some(Action::Dial { targets, .. }) = row.action() {
            spelling.extend(targets.into_iter().filter_map(|target| match target {
                Target::Endpoint { id, all_contacts } => Some((id, all_contacts)),
                Target::Trunk { .. } | Target::Local { .. } => None,
            }));
        }
    }
    spelling
}

/// The most members for which a list with its longest endpoints fits into the parts of a `Dial`.
pub(super) fn members_most(longest: usize) -> usize {
    let target = "${PJSIP_DIAL_CONTACTS()}&".len() + longest;
    PART_MOST * ((MOST_DATA - ",3600".len()) / target.max(1))
}

/// The priority after those of an extension.
fn next(rows: &[NewRow], version: &str) -> i32 {
    let own = rows.iter().filter(|(exten, priority, _)| exten == version && *priority < NOTE);
    i32::try_from(own.count()).unwrap_or(NOTE).saturating_add(1)
}

/// The phones that a `Dial` rings, with the parts of a long list in place of references to them.
fn expanded<'r>(
    targets: Vec<Target>,
    groups: &str,
    part: &impl Fn(&str) -> Option<Extension<'r>>,
) -> Result<Vec<Target>, String> {
    let mut phones = Vec::new();
    for target in targets {
        let Target::Local { exten, context } = &target else {
            phones.push(target);
            continue;
        };
        let rows = if **context == *groups { part(exten).unwrap_or_default() } else { Extension::new() };
        match rows.values().map(|row| row.action()).collect::<Vec<_>>().as_slice() {
            [Some(Action::Dial { targets, seconds: None })] => phones.extend(targets.iter().cloned()),
            _ => return Err(format!("it rings `{target}`")),
        }
    }
    Ok(phones)
}

/// The targets of one `Dial`: a list that is too long is divided into parts, whose rows are added.
fn in_parts(
    phones: Vec<Target>,
    version: &str,
    layout: &Layout,
    parts: &mut usize,
    rows: &mut Vec<NewRow>,
) -> Result<Vec<Target>, String> {
    let fits = |targets: &[Target]| {
        let data = dialled(targets, Some(u64::from(u16::MAX)));
        data.chars().count() <= MOST_DATA && data.len() < MOST_BYTES
    };
    if fits(&phones) {
        return Ok(phones);
    }
    let mut lists: Vec<Vec<Target>> = vec![Vec::new()];
    for phone in phones {
        let Some(last) = lists.last_mut() else { break };
        last.push(phone);
        if !fits(last) {
            let phone = last.pop();
            lists.push(phone.into_iter().collect());
        }
    }
    let mut targets = Vec::new();
    for list in lists {
        *parts += 1;
        let exten = format!("{version}-{parts}");
        targets.push(Target::Local { exten: exten.as_str().into(), context: layout.groups.clone() });
        rows.push((exten, 1, Action::Dial { targets: list, seconds: None }));
    }
    if fits(&targets) { Ok(targets) } else { Err("it has more members than a `Dial` can ring".to_owned()) }
}
