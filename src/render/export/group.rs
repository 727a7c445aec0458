//! The ring groups of an export.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::model::{
    Directory, ExtensionNumber, FieldName, Kind, LiveAccount, LiveRingGroup, NameKey, ObjectId, WritableKind,
    is_emergency,
};
use crate::routing::RoutingGraph;
use crate::text::{quoted, sanitized, yaml};

use super::{ExportOptions, LONGEST, Section, reference};

/// What the groups have in common that matters to each of them.
struct Groups<'a> {
    directory: &'a Directory<'a>,
    live: &'a LiveAccount,
    country: Option<&'a str>,
    names: HashMap<NameKey, usize>,
    extensions: HashMap<&'a ExtensionNumber, usize>,
    /// The groups whose unanswered calls come back to them.
    in_cycle: HashSet<&'a ObjectId>,
}

/// The section of the chosen groups; nothing without any. What each of them may say depends on all groups.
pub(super) fn section<'a>(directory: &'a Directory<'a>, options: &'a ExportOptions) -> Option<String> {
    let live = directory.live();
    let country = options.country.as_deref();
    let mut sorted: Vec<_> = live.ring_groups.iter().filter(|group| options.only.has_ring_group(group)).collect();
    if sorted.is_empty() {
        return None;
    }
    let (mut names, mut extensions) = (HashMap::new(), HashMap::new());
    for group in &live.ring_groups {
        *names.entry(group.name.key()).or_default() += 1;
        if let Some(extension) = &group.extension {
            *extensions.entry(extension).or_default() += 1;
        }
    }
    let cycles = RoutingGraph::live(directory).cycles();
    let in_cycle = cycles.into_iter().flatten().filter_map(|group| directory.id(group)).collect();
    let groups = Groups { directory, live, country, names, extensions, in_cycle };
    sorted.sort_by_cached_key(|group| (group.name.key(), group.id.clone()));
    let mut section = Section::new("ring_groups");
    for group in sorted {
        match groups.entry(group) {
            Ok((text, remarks)) => {
                for remark in remarks {
                    section.comment(&format!("{}: {remark}", group.name));
                }
                section.entry(&text);
            }
            Err(why) => section.comment(&format!("{} is left out: {why}", group.name)),
        }
    }
    Some(section.end())
}

impl<'a> Groups<'a> {
    /// The group's entry, and what had to be left out of it.
    fn entry(&self, group: &'a LiveRingGroup) -> Result<(String, Vec<String>), String> {
        if self.names.get(&group.name.key()).is_some_and(|count| *count > 1) {
            return Err(format!("another group has that name, too (this one is {})", sanitized(&group.id.0, LONGEST)));
        }
        if let Err(why) = group.name.of_ring_group() {
            return Err(format!("its name {why}"));
        }
        let members: Vec<_> = self.members(group)?.iter().map(|member| yaml(member).into_owned()).collect();
        let mut text = format!("{}:\n", yaml(group.name.as_str()));
        let mut remarks = Vec::new();
        for field in WritableKind::RingGroup.fields() {
            let value = match field {
                // The key of the entry.
                FieldName::Name | FieldName::To | FieldName::Label => continue,
                FieldName::Extension => match &group.extension {
                    Some(extension) => self.extension(extension),
                    None => continue,
                },
                FieldName::Ring => Ok(group.ring.to_string()),
                FieldName::Members => Ok(format!("[{}]", members.join(", "))),
                FieldName::RingFor => self.duration(group),
                FieldName::NoAnswer => {
                    let target = self.no_answer(group).map(|target| yaml(&target).into_owned());
                    target.map_err(|why| format!("no_answer is not managed: {why}"))
                }
            };
            match value {
                Ok(value) => {
                    let _ = writeln!(text, "  {}: {value}", field.as_str());
                }
                Err(remark) => remarks.push(remark),
            }
        }
        Ok((text, remarks))
    }

    fn duration(&self, group: &LiveRingGroup) -> Result<String, String> {
        let (name, capabilities) = (FieldName::RingFor.as_str(), &self.live.capabilities);
        match group.ring_for {
            Some(time) if (capabilities.ring_for_least..=capabilities.ring_for_most).contains(&time) => {
                Ok(time.to_string())
            }
            Some(time) => Err(format!("{name} is {time}, out of the account's own range, and not managed")),
            None => Err(format!("it rings without end, which no file can ask for: {name} is not managed")),
        }
    }

    fn extension(&self, extension: &ExtensionNumber) -> Result<String, String> {
        match self.refused(extension) {
            None => Ok(quoted(extension.as_str())),
            Some(why) => Err(format!("the extension {extension} is not managed: {why}")),
        }
    }

    fn members(&self, group: &'a LiveRingGroup) -> Result<Vec<String>, String> {
        if group.members.is_empty() {
            return Err("it has no members".to_owned());
        }
        if !self.live.capabilities.ring_modes.contains(&group.ring) {
            return Err(format!("the account does not list {} as a ring mode", group.ring));
        }
        let mut seen = HashSet::new();
        let members = group.members.iter().map(|member| {
            if !seen.insert(member) {
                return Err("a member of it is listed twice".to_owned());
            }
            if member.kind != Kind::Other && !self.live.capabilities.members.contains(&member.kind) {
                return Err(format!("the account does not list {} as a member", member.kind));
            }
            reference(self.directory, member).map_err(|why| format!("as to one of its members, {why}"))
        });
        members.collect()
    }

    fn no_answer(&self, group: &'a LiveRingGroup) -> Result<String, String> {
        let Some(target) = &group.no_answer else { return Ok("none".to_owned()) };
        if self.in_cycle.contains(&group.id) {
            return Err("it leads back to the group".to_owned());
        }
        if target.kind != Kind::Other && !self.live.capabilities.no_answer.contains(&target.kind) {
            return Err(format!("the account does not list {} for it", target.kind));
        }
        reference(self.directory, target)
    }

    /// Why no file may ask for this extension number.
    fn refused(&self, extension: &ExtensionNumber) -> Option<&'static str> {
        if self.extensions.get(extension).is_some_and(|count| *count > 1) {
            Some("several groups have it")
        } else if is_emergency(extension, self.country) {
            Some("it is an emergency number")
        } else if !self.live.capabilities.extension_fits(extension) {
            Some("it is out of the account's own range")
        } else {
            None
        }
    }
}
