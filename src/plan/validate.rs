//! Whether the changes of a plan file are consistent.
//!
//! Those that `plan` makes are. A file may have any changes: this refuses those that contradict themselves, before they
//! are compared with the account.

use std::collections::HashSet;

use crate::model::{Change, ChangeId, E164, Kind, PlannedRef, Verb, WritableKind};

use super::Plan;

impl Plan {
    /// Says what contradicts itself in the changes, if anything does.
    pub fn validate(&self) -> Result<(), String> {
        for (index, change) in self.changes.iter().enumerate() {
            let earlier = self.changes.get(..index).unwrap_or_default();
            validate(change, earlier).map_err(|why| format!("change {}: {why}", index + 1))?;
        }
        Ok(())
    }
}

fn validate(change: &Change, earlier: &[Change]) -> Result<(), String> {
    if usize::try_from(change.id.0).ok() != Some(earlier.len() + 1) {
        return Err(format!("it has the number {}", change.id.0));
    }
    let before = |id: &ChangeId| id.0 > 0 && id.0 < change.id.0;
    if let Some(later) = change.depends_on.iter().find(|id| !before(id)) {
        return Err(format!("it depends on change {}, which is not before it", later.0));
    }
    let mut fields = HashSet::new();
    if let Some(twice) = change.fields.iter().find(|field| !fields.insert(field.field)) {
        return Err(format!("it writes `{}` twice", twice.field.as_str()));
    }
    object(change, earlier)?;
    for target in change.fields.iter().flat_map(|field| field.after.references()) {
        reference(target, change, earlier)?;
    }
    Ok(())
}

fn object(change: &Change, earlier: &[Change]) -> Result<(), String> {
    let name = &change.object.name;
    let exists = change.object.id.is_some();
    let can_be_written = match (change.object.kind, change.verb) {
        (WritableKind::Number, Verb::Update) if name.parse::<E164>().is_err() => {
            return Err("its object is not a number".to_owned());
        }
        (WritableKind::Number, verb) => exists && verb == Verb::Update,
        (WritableKind::RingGroup, Verb::Create) => !exists,
        (WritableKind::RingGroup, Verb::Update) => exists || earlier.iter().any(|made| makes(made, name)),
        (WritableKind::RingGroup, Verb::Delete) => exists,
    };
    let has_fields = change.fields.iter().all(|field| field.field.spec().kind == change.object.kind);
    if can_be_written && has_fields {
        Ok(())
    } else {
        Err("no provider writes such an object in such a way".to_owned())
    }
}

/// The target exists, or an earlier change that this one waits for creates it under the same name.
fn reference(target: &PlannedRef, change: &Change, earlier: &[Change]) -> Result<(), String> {
    let called = format!("`{}/{}`", target.kind, target.name);
    match (&target.id, target.created_by) {
        // The id is what is dialled, and the name is what people read.
        (Some(id), None)
            if target.kind == Kind::External && (id.0.parse::<E164>().is_err() || *id.0 != *target.name) =>
        {
            Err(format!("it points at {called}, which is not the number that would be called"))
        }
        (Some(_), None) => Ok(()),
        (None, Some(ChangeId(made))) => {
            let maker = usize::try_from(made).ok().and_then(|made| earlier.get(made.checked_sub(1)?));
            let right = maker.is_some_and(|maker| target.kind == Kind::RingGroup && makes(maker, &target.name));
            if !right {
                return Err(format!("change {made}, which it waits for, does not make {called}"));
            }
            if change.depends_on.contains(&ChangeId(made)) {
                return Ok(());
            }
            Err(format!("it points at {called} and does not wait for it"))
        }
        _ => Err(format!("it points at {called} and does not say which one that is")),
    }
}

fn makes(change: &Change, name: &str) -> bool {
    change.verb == Verb::Create && change.object.kind == Kind::RingGroup && change.object.name == name
}
