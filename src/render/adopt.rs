//! The files that would make the account's state the desired one: what was changed in the portal, written as YAML.
//!
//! Only the values of the changes that are to be adopted are edited, where they stand; comments, order and form of
//! everything else stay. A group that is gone from the account goes from the files, one that is there in spite of
//! `absent` goes from that list. What no file can express is reported. The caller reads and plans the result again before
//! believing it: the edits are made by place, and a value may stand for others as well.

mod edit;
mod places;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::diag::{Source, Sources};
use crate::model::{
    Change, Declared, Desired, DesiredRingGroup, Directory, FieldName, FileId, Found, Kind, LiveAccount, LiveObject,
    LiveRingGroup, NameKey, ObjectRef, Value, Verb, WritableKind, is_unprintable,
};
use crate::text::{quoted, yaml};

use super::export::reference;
use edit::{Edit, Editor, Item};

/// Edited files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The files that differ now, with their whole texts.
    pub files: BTreeMap<FileId, String>,
    /// The changes that are not needed any longer, as positions in the list that was given.
    pub adopted: Vec<usize>,
    /// What cannot be adopted, and why: one sentence each, names in it untrusted.
    pub left: Vec<String>,
}

/// Edits files so that these changes are not needed any longer.
pub fn adopt(sources: &Sources, desired: &Desired, live: &LiveAccount, changes: &[&Change]) -> Adopted {
    let directory = Directory::new(live);
    let adopter = Adopter { desired, live, directory: &directory };
    // What a change needs is edited as a whole or not at all.
    let mut left: BTreeMap<usize, String> = BTreeMap::new();
    let mut edits_of: Vec<(usize, Vec<Edit>)> = Vec::new();
    for (position, change) in changes.iter().enumerate() {
        match adopter.edits(change) {
            Ok(edits) => edits_of.push((position, edits)),
            Err(why) => drop(left.insert(position, why)),
        }
    }
    loop {
        let files = match edited(sources, &edits_of) {
            Ok(files) => files,
            Err((position, why)) => {
                edits_of.retain(|(other, _)| *other != position);
                left.insert(position, why.to_owned());
                continue;
            }
        };
        let name = |position: &usize| changes.get(*position).map_or("", |change| &*change.object.name);
        return Adopted {
            files,
            adopted: edits_of.into_iter().map(|(position, _)| position).collect(),
            left: left.iter().map(|(position, why)| format!("{} is not adopted: {why}", name(position))).collect(),
        };
    }
}

/// The files with all edits, or the change that stands in the way, and why.
fn edited(
    sources: &Sources,
    edits_of: &[(usize, Vec<Edit>)],
) -> Result<BTreeMap<FileId, String>, (usize, &'static str)> {
    let mut editors: BTreeMap<FileId, (usize, Editor<'_>)> = BTreeMap::new();
    for (position, edit) in edits_of.iter().flat_map(|(position, edits)| edits.iter().map(|edit| (*position, edit))) {
        let file = edit.span().file;
        let (_, editor) = match editors.entry(file) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let text = sources.get(file).and_then(Source::text);
                let text = text.ok_or((position, "its file was changed meanwhile"))?;
                free.insert((position, Editor::new(text).ok_or((position, "its file cannot be read again"))?))
            }
        };
        editor.take(edit).ok_or((position, "the place where it is written cannot be edited by a program"))?;
    }
    let whole = editors.into_iter().map(|(file, (position, editor))| {
        let text = editor.finish().ok_or((position, "the edits of its file stand in each other's way"))?;
        Ok((file, text))
    });
    whole.collect()
}

struct Adopter<'a> {
    desired: &'a Desired,
    live: &'a LiveAccount,
    directory: &'a Directory<'a>,
}

impl<'a> Adopter<'a> {
    fn edits(&self, change: &Change) -> Result<Vec<Edit>, String> {
        match (change.object.kind, change.verb) {
            (WritableKind::Number, _) => self.number(change),
            (WritableKind::RingGroup, Verb::Create) => {
                let group = self.wanted(change).ok_or("no file declares it")?;
                Ok(vec![Edit::DropEntry { key: group.name.span }])
            }
            (WritableKind::RingGroup, Verb::Delete) => self.absent(change),
            (WritableKind::RingGroup, Verb::Update) => self.group(change),
        }
    }

    fn number(&self, change: &Change) -> Result<Vec<Edit>, String> {
        let number = change.number().ok_or("it is no number")?;
        let declared = self.desired.numbers.iter().find(|one| one.number == number).ok_or("no file declares it")?;
        let live = self.live.numbers.iter().find(|live| live.number == number).ok_or("the account does not have it")?;
        let (declared, live) = (Declared::Number(declared), LiveObject::Number(live));
        change.fields.iter().map(|field| self.edit(field.field, declared, live)).collect()
    }

    /// The field gets the account's value; where a file cannot state it, it is no longer managed.
    fn edit(&self, field: FieldName, declared: Declared<'_>, live: LiveObject<'a>) -> Result<Edit, String> {
        let now = live.field(field).ok_or_else(|| format!("it has no field `{}`", field.as_str()))?;
        let at = declared.field(field).ok_or_else(|| format!("its `{}` is not managed", field.as_str()))?.span;
        let text = match now {
            Value::None => match field {
                FieldName::To | FieldName::NoAnswer => "none".to_owned(),
                FieldName::Label => yaml("").into_owned(),
                FieldName::Name | FieldName::Extension | FieldName::Ring | FieldName::Members | FieldName::RingFor => {
                    return Ok(Edit::DropField { at });
                }
            },
            Value::Text(label) if label.chars().any(is_unprintable) => {
                return Err("its label has characters that a file cannot have".to_owned());
            }
            Value::Text(label) => yaml(&label).into_owned(),
            Value::Name(name) => yaml(name.as_str()).into_owned(),
            Value::Extension(extension) => quoted(extension.as_str()),
            Value::Ring(mode) => mode.to_string(),
            Value::RingFor(duration) => duration.to_string(),
            Value::Reference(target) => self.target(target)?,
            Value::ChosenByAccount | Value::References(_) => {
                return Err(format!("its `{}` cannot be edited", field.as_str()));
            }
        };
        Ok(Edit::Set { at, text })
    }

    /// The group that a change is about, as the files declare it.
    fn wanted(&self, change: &Change) -> Option<&'a DesiredRingGroup> {
        let after = match change.after(FieldName::Name) {
            Some(Value::Name(name)) => Some(name.key()),
            _ => None,
        };
        let keys = [Some(NameKey::of(&change.object.name)), after];
        self.desired.ring_groups.iter().find(|group| keys.contains(&Some(group.name.value.key())))
    }

    fn absent(&self, change: &Change) -> Result<Vec<Edit>, String> {
        let id = change.object.id.clone().ok_or("it has no id")?;
        let handle = self.directory.by_id(&ObjectRef { kind: Kind::RingGroup, id }).ok_or("it is gone")?;
        let asked = self
            .desired
            .absent
            .iter()
            .find(|absent| self.directory.find(&absent.reference.value) == Found::One(handle));
        let asked =
            asked.ok_or("nothing declares it, and `policy.prune` asks for that; `strowger export` writes it")?;
        Ok(vec![Edit::DropItem { at: asked.reference.span }])
    }

    fn group(&self, change: &Change) -> Result<Vec<Edit>, String> {
        let group = self.wanted(change).ok_or("no file declares it")?;
        let id = change.object.id.as_ref();
        let live = self.live.ring_groups.iter().find(|live| Some(&live.id) == id).ok_or("it is gone")?;
        let (declared, object) = (Declared::RingGroup(group), LiveObject::RingGroup(live));
        let edit = |field| match field {
            FieldName::Name if group.renamed_from.is_some() => Err("its files rename it".to_owned()),
            FieldName::Members => self.members(group, live),
            _ => self.edit(field, declared, object),
        };
        change.fields.iter().map(|field| edit(field.field)).collect()
    }

    /// Those that stay are written as they were.
    fn members(&self, group: &DesiredRingGroup, live: &'a LiveRingGroup) -> Result<Edit, String> {
        if live.members.is_empty() {
            return Err("it has no members, which no file can ask for".to_owned());
        }
        let old: Vec<Found> = group.members.iter().map(|member| self.directory.find(&member.value)).collect();
        let mut items = Vec::with_capacity(live.members.len());
        for member in &live.members {
            let handle = self.directory.by_id(member);
            let before = handle.and_then(|handle| old.iter().position(|old| *old == Found::One(handle)));
            items.push(match before {
                Some(position) => Item::Old(position),
                None => Item::New(self.target(member)?),
            });
        }
        Ok(Edit::Items { at: group.members_span, items })
    }

    /// A reference as a file has it, quoted where that is needed.
    fn target(&self, target: &'a ObjectRef) -> Result<String, String> {
        Ok(yaml(&reference(self.directory, target)?).into_owned())
    }
}
