//! Whether a refusal is the plan's fault, or the account is not what the plan was made for any longer.
//!
//! No plan is made that gives a group a name or an extension that another object has, that refers to what is not there,
//! that deletes what something points at, or that takes the default number's destination away. So if a look finds one
//! of these, the account has changed since it was read, and the next plan is another one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{
    ExtensionNumber, FieldName, FieldValue, Kind, Name, NameKey, ObjectId, ObjectRef, PlannedRef, Verb,
};
use crate::providers::http::Request;
use crate::providers::{Referrer, WriteError};

use super::change_check::{Reading, Source};
use super::convert::{self, Item};
use super::wire;
use super::write::Writing;

/// An object that has a name and an extension number.
struct Holder {
    kind: Kind,
    id: ObjectId,
    name: Box<str>,
    extension: Option<ExtensionNumber>,
}

impl Writing<'_> {
    /// The refusal, or, if the account has changed since it was read in what the change relies on, how it has.
    pub(super) async fn unless_moved(&self, refusal: WriteError) -> WriteError {
        let reading = Reading::default();
        let moved = self.precondition(&refusal, &reading).await;
        self.looks.fetch_add(reading.requests(), Ordering::Relaxed);
        moved.map_or(refusal, WriteError::Stale)
    }

    async fn precondition(&self, refusal: &WriteError, reading: &Reading) -> Option<String> {
        if let (Verb::Delete, WriteError::Refused { referrers, .. }) = (self.change.verb, refusal) {
            for referrer in referrers {
                if self.points_here(referrer, reading.counter()).await {
                    return Some(format!("{} {} points at {} now", referrer.kind, referrer.name, self.name()));
                }
            }
        }
        if self.change.verb == Verb::Delete {
            return None;
        }
        let name = match self.change.after(FieldName::Name) {
            Some(FieldValue::Name(name)) => Some(name),
            _ => None,
        };
        let extension = match self.change.after(FieldName::Extension) {
            Some(FieldValue::Extension(extension)) => Some(extension),
            _ => None,
        };
        let references: Vec<&PlannedRef> =
            self.change.fields.iter().flat_map(|field| field.after.references()).filter(|to| to.id.is_some()).collect();
        for kind in [Kind::RingGroup, Kind::User, Kind::Receptionist, Kind::Conference] {
            let named = references.iter().copied().filter(|to| is_listed(kind, to.kind)).collect::<Vec<_>>();
            if name.is_none() && extension.is_none() && named.is_empty() {
                continue;
            }
            let (holders, ids) = self.holders(kind, reading).await?;
            if let Some(gone) = named.into_iter().find(|to| to.id.as_ref().is_some_and(|id| !ids.contains(id))) {
                return Some(format!("{} {} is gone", gone.kind, crate::text::sanitized(&gone.name, 80)));
            }
            if let Some(taken) = self.taken(&holders, name, extension) {
                return Some(taken);
            }
        }
        self.default_number(reading).await
    }

    /// The objects of a list that have names and extensions, and the ids of all that can be referred to.
    async fn holders(&self, kind: Kind, reading: &Reading) -> Option<(Vec<Holder>, HashSet<ObjectId>)> {
        let office = self.office;
        let mut ids = HashSet::new();
        let holder = |id, name, extension| Holder { kind, id, name, extension };
        let holders: Vec<Holder> = match kind {
            Kind::RingGroup => {
                let (groups, unreadable) = office.list::<wire::RingGroup>("ring_groups", reading).await.ok()?;
                let groups = groups.into_iter().map(|one| holder(one.id, one.name.as_str().into(), one.extension));
                let others = unreadable.into_iter().map(|one| holder(one.id, one.name, one.extension));
                groups.chain(others).collect()
            }
            Kind::User => {
                let (users, _) = office.list::<wire::User>("users", reading).await.ok()?;
                for (user, devices) in &users {
                    ids.extend(user.voicemail.clone());
                    ids.extend(devices.iter().map(|device| device.id.clone()));
                }
                users.into_iter().map(|(user, _)| holder(user.id, user.name, user.extension)).collect()
            }
            Kind::Receptionist => {
                let (all, _) = office.list::<wire::Receptionist>("receptionists", reading).await.ok()?;
                all.into_iter().map(|one| holder(one.id, one.name, one.extension)).collect()
            }
            _ => {
                let (all, _) = office.list::<wire::Conference>("conferences", reading).await.ok()?;
                all.into_iter().map(|one| holder(one.id, one.name, one.extension)).collect()
            }
        };
        ids.extend(holders.iter().map(|holder| holder.id.clone()));
        Some((holders, ids))
    }

    /// Who else has the name or the extension that the change gives.
    fn taken(&self, holders: &[Holder], name: Option<&Name>, extension: Option<&ExtensionNumber>) -> Option<String> {
        let others = || holders.iter().filter(|holder| self.change.object.id.as_ref() != Some(&holder.id));
        let by = |holder: &Holder| format!("{} {}", holder.kind, crate::text::sanitized(&holder.name, 80));
        if let Some(name) = name
            && let Some(holder) = others().find(|holder| NameKey::of(&holder.name) == name.key())
        {
            return Some(format!("{} has the name now", by(holder)));
        }
        let extension = extension?;
        let holder = others().find(|holder| holder.extension.as_ref() == Some(extension))?;
        Some(format!("{} has the extension {} now", by(holder), extension.as_str()))
    }

    /// Whether what a refusal names does point at the object.
    async fn points_here(&self, referrer: &Referrer, requests: &AtomicU64) -> bool {
        let list = match referrer.kind {
            Kind::Number => "numbers",
            Kind::RingGroup => "ring_groups",
            Kind::Receptionist => "receptionists",
            _ => return false,
        };
        let url = self.office.url(&[list, &referrer.id.0]);
        let Ok(answer) = self.office.answer(&Request::get(url), requests).await else { return false };
        let here =
            |to: &ObjectRef| self.change.object.kind == to.kind && Some(&to.id) == self.change.object.id.as_ref();
        let targets: Vec<ObjectRef> = match referrer.kind {
            Kind::Number => read::<wire::Number>(&answer.body).and_then(|number| number.to).into_iter().collect(),
            Kind::RingGroup => {
                let group = read::<wire::RingGroup>(&answer.body);
                group.map(|group| group.members.into_iter().chain(group.no_answer).collect()).unwrap_or_default()
            }
            _ => {
                let keys = read::<wire::Receptionist>(&answer.body).map(|one| one.keys).unwrap_or_default();
                keys.into_iter().map(|(_, to)| to).collect()
            }
        };
        answer.status.as_u16() == 200 && targets.iter().any(here)
    }

    /// Whether a number that is to lead nowhere has become the account's default number.
    async fn default_number(&self, reading: &Reading) -> Option<String> {
        if self.change.after(FieldName::To) != Some(&FieldValue::None) {
            return None;
        }
        let body = self.office.get(Source::Account, reading).await.ok()?;
        let (account, ..) = convert::account(serde_json::from_slice(&body).ok()?);
        let is_default = account.default_number.is_some() && account.default_number == self.change.number();
        is_default.then(|| format!("{} is the account's default number now", self.name()))
    }
}

/// Whether the objects of a kind are found in the list of another: phones and mailboxes are among the users.
fn is_listed(list: Kind, kind: Kind) -> bool {
    list == kind || list == Kind::User && matches!(kind, Kind::Device | Kind::Voicemail)
}

fn read<T: Item>(body: &[u8]) -> Option<T::Live> {
    serde_json::from_slice::<T>(body).ok()?.live().ok()
}
