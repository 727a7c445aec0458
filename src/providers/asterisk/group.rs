//! Writing a ring group: a new version of its chain, swapped in by one row.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_postgres::types::Type;

use crate::model::{
    Change, FieldName, FieldValue, LiveRingGroup, Name, ObjectId, ObjectRef, PlannedRef, Verb, Writable,
};
use crate::providers::WriteError;
use crate::text::sanitized;

use super::account::{Dialplan, is_part, version};
use super::action::Action;
use super::chain::{Chain, NewRow, spelling};
use super::people::People;
use super::read::Parameter;
use super::rows::{DialplanRow, NOTE, UNTIL, VersionName, note, revision};
use super::transaction::{Failed, Transaction, Written, named, words};

/// How much longer than a call can ring a chain is kept: a call that was answered may still go through its end.
const GRACE_SECONDS: u64 = 60;
/// How long a chain is kept that rings without end.
const ENDLESS_SECONDS: u64 = 24 * 60 * 60;
/// Digits of the id of a new group.
const ID_DIGITS: usize = 10;

/// A group as it is found, with its rows.
struct Found {
    id: ObjectId,
    rows: Vec<DialplanRow>,
    live: LiveRingGroup,
}

impl Transaction<'_> {
    pub(super) async fn write_group(&self, change: &Change) -> Result<Written, Failed> {
        match change.verb {
            Verb::Create => self.create_group(change).await,
            Verb::Update => self.update_group(change).await,
            Verb::Delete => self.delete_group(change).await,
        }
    }

    async fn create_group(&self, change: &Change) -> Result<Written, Failed> {
        let groups = self.asterisk.layout.groups.clone();
        let id = format!("{:0ID_DIGITS$x}", fastrand::u64(..1 << (4 * ID_DIGITS)));
        let id = ObjectId::from(&*id);
        let Some(FieldValue::Name(name)) = change.after(FieldName::Name) else {
            return Err(Failed::Write(WriteError::Unsupported(format!("{} has no name", named(change)))));
        };
        self.check_name(name, &id).await?;
        let chain = self.changed(Chain::default(), change).await?;
        self.write_chain(&id, 1, &chain, &[]).await?;
        self.add(&groups, &id.0, NOTE, &note("name", name.as_str())).await?;
        self.add(&groups, &id.0, 1, &Action::goto(&groups, &format!("{id}.1"))).await?;
        if let Some(FieldValue::Extension(extension)) = change.after(FieldName::Extension) {
            self.add_extension(extension.as_str(), &id).await?;
        }
        self.written(id).await
    }

    async fn update_group(&self, change: &Change) -> Result<Written, Failed> {
        let Found { id, rows, live } = self.find(change).await?;
        let groups = self.asterisk.layout.groups.clone();
        if let Some(FieldValue::Name(name)) = change.after(FieldName::Name) {
            self.check_name(name, &id).await?;
            self.put(&rows, &groups, &id.0, NOTE, &note("name", name.as_str())).await?;
        }
        match change.after(FieldName::Extension) {
            Some(FieldValue::Extension(extension)) => {
                self.remove_extension(&live, change).await?;
                self.add_extension(extension.as_str(), &id).await?;
            }
            Some(FieldValue::None) => self.remove_extension(&live, change).await?,
            _ => {}
        }
        let before = Chain::of(&live);
        let after = self.changed(before.clone(), change).await?;
        if after != before {
            let current = self.current_version(&rows, &id);
            let next = newest(&rows, &id).checked_add(1);
            let no_more = || Failed::Write(WriteError::Unsupported(format!("{} has no more versions", named(change))));
            let next = next.ok_or_else(no_more)?;
            self.write_chain(&id, next, &after, &rows).await?;
            // From here on, calls take the new version.
            self.put(&rows, &groups, &id.0, 1, &Action::goto(&groups, &format!("{id}.{next}"))).await?;
            if let Some(current) = current {
                self.retire_version(&rows, &current, before.seconds(), None).await?;
            }
        }
        self.written(id).await
    }

    async fn delete_group(&self, change: &Change) -> Result<Written, Failed> {
        let Found { id, rows, live } = self.find(change).await?;
        let groups = self.asterisk.layout.groups.clone();
        let seconds = Chain::of(&live).seconds();
        let leading = Action::goto(&groups, &id.0).columns().1;
        let until = self.retired_referrers(&leading).await?;
        if let Some(row) = self.referrer(&live).await? {
            let (context, exten) = (sanitized(&row.context, 40), sanitized(&row.exten, 40));
            let what = format!("{context},{exten} leads to {}", named(change));
            return Err(Failed::Write(WriteError::Stale(what)));
        }
        self.remove_extension(&live, change).await?;
        self.remove(&groups, &id.0, NOTE).await?;
        // A call that is on its way here still finds the group.
        self.retire(&id.0, seconds, until.as_deref()).await?;
        if let Some(current) = self.current_version(&rows, &id) {
            self.retire_version(&rows, &current, seconds, until.as_deref()).await?;
        }
        Ok(Written { id, revision: None })
    }

    /// The rows of a ring group, all of them locked.
    pub(super) async fn group_rows(&self, id: &str) -> Result<Vec<DialplanRow>, Failed> {
        let layout = &self.asterisk.layout;
        let (groups, internal) = (&layout.groups, &layout.internal);
        let leads = Action::goto(groups, id).columns().1;
        let condition = "context = $1 and (exten = $2 or starts_with(exten, $2 || '.'))
            or context = $3 and exten in
                (select exten from extensions where context = $3 and lower(app) = 'goto' and appdata = $4)";
        let parameters: [Parameter<'_>; 4] =
            [(groups, Type::TEXT), (&id, Type::TEXT), (internal, Type::TEXT), (&leads, Type::TEXT)];
        Ok(self.rows(condition, &parameters).await?)
    }

    /// The group of a change, if it still is as the plan saw it.
    async fn find(&self, change: &Change) -> Result<Found, Failed> {
        let Some(id) = change.object.id.clone() else {
            return Err(Failed::Write(WriteError::Unsupported(format!("{} has no id", named(change)))));
        };
        let rows = self.group_rows(&id.0).await?;
        let Writable::RingGroup(live) = self.untouched(change, &id, &rows)? else {
            return Err(Failed::Write(WriteError::Unsupported(format!("{} is not a ring group", named(change)))));
        };
        Ok(Found { id, rows, live })
    }

    /// The chain with what the change asks for, whose targets are there.
    async fn changed(&self, mut chain: Chain, change: &Change) -> Result<Chain, Failed> {
        let live = |to: &PlannedRef| {
            let id = to.id.clone().ok_or_else(|| unknown(to))?;
            Ok::<_, Failed>(ObjectRef { kind: to.kind, id })
        };
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::Ring, FieldValue::Ring(ring)) => chain.ring = *ring,
                (FieldName::RingFor, FieldValue::RingFor(duration)) => chain.ring_for = Some(*duration),
                (FieldName::RingFor, FieldValue::None) => chain.ring_for = None,
                (FieldName::Members, FieldValue::References(members)) => {
                    chain.members = members.iter().map(live).collect::<Result<_, _>>()?;
                }
                (FieldName::Members, FieldValue::None) => chain.members = Vec::new(),
                (FieldName::NoAnswer, FieldValue::Reference(to)) => {
                    self.target(to).await?;
                    chain.no_answer = Some(live(to)?);
                }
                (FieldName::NoAnswer, FieldValue::None) => chain.no_answer = None,
                (FieldName::Name | FieldName::Extension, _) => {}
                (field, _) => return Err(super::number::unsupported(change, field)),
            }
        }
        Ok(chain)
    }

    /// Adds the rows of a version, whose phones are there.
    async fn write_chain(&self, id: &ObjectId, number: u64, chain: &Chain, rows: &[DialplanRow]) -> Result<(), Failed> {
        let (layout, people) = (&self.asterisk.layout, self.asterisk.people());
        let refused = |why: String| Failed::Write(WriteError::Stale(why));
        let phones: Vec<Box<str>> =
            chain.members.iter().filter_map(|member| people.endpoints(member.kind, &member.id.0)).flatten().collect();
        if let Some(missing) = self.missing(&phones).await?.first() {
            return Err(refused(format!("the phone `{}` is gone", sanitized(missing, 80))));
        }
        let version = format!("{id}.{number}");
        let new = chain.rows(&version, &people, layout, &spelling(rows)).map_err(refused)?;
        let read = self.read_back(&new, &version, &people);
        if read.as_ref() != Ok(chain) {
            let other = |read: Chain| {
                let members = read.members.iter().map(|member| format!("{}/{}", member.kind, member.id));
                format!(
                    "its rows would be read as a group whose members are {}",
                    members.collect::<Vec<_>>().join(", ")
                )
            };
            return Err(Failed::Write(WriteError::Unsupported(read.map_or_else(|why| why, other))));
        }
        for (exten, priority, action) in new {
            self.add(&layout.groups, &exten, priority, &action).await?;
        }
        Ok(())
    }

    /// The chain that new rows would be read as, or why they would not be one.
    fn read_back(&self, new: &[NewRow], version: &str, people: &Arc<People>) -> Result<Chain, String> {
        let layout = &self.asterisk.layout;
        let row = |(exten, priority, action): &NewRow| {
            let (app, data) = action.columns();
            let (context, exten) = (layout.groups.clone(), exten.as_str().into());
            DialplanRow { context, exten, priority: *priority, app: app.into(), data: data.into(), xmin: "".into() }
        };
        let rows: Vec<_> = new.iter().map(row).collect();
        Dialplan::with_people(layout, &rows, Arc::clone(people)).chain(version)
    }

    /// Says of an extension until when calls that are under way may need it.
    async fn retire(&self, exten: &str, seconds: Option<u64>, not_before: Option<&str>) -> Result<(), Failed> {
        let seconds = seconds.map_or(ENDLESS_SECONDS, |seconds| seconds + GRACE_SECONDS);
        let sql = "insert into extensions (context, exten, priority, app, appdata) values ($1, $2, $3, 'NoOp', 'strowger:until='
                || to_char((greatest(now(), $4::text::timestamptz) + $5::text::interval) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))
            on conflict (context, exten, priority) do update set app = excluded.app, appdata = excluded.appdata";
        let groups = &self.asterisk.layout.groups;
        let seconds = format!("{seconds} seconds");
        let parameters: [Parameter<'_>; 5] = [
            (groups, Type::TEXT),
            (&exten, Type::TEXT),
            (&UNTIL, Type::INT4),
            (&not_before, Type::TEXT),
            (&seconds, Type::TEXT),
        ];
        Ok(self.ask(sql, &parameters).await.map(drop)?)
    }

    /// A version of a chain, with its parts.
    async fn retire_version(
        &self,
        rows: &[DialplanRow],
        version: &str,
        seconds: Option<u64>,
        not_before: Option<&str>,
    ) -> Result<(), Failed> {
        let groups = &self.asterisk.layout.groups;
        let own = rows.iter().filter(|row| row.context == *groups && is_part(&row.exten, version));
        for exten in own.map(|row| &*row.exten).collect::<BTreeSet<_>>() {
            self.retire(exten, seconds, not_before).await?;
        }
        Ok(())
    }

    /// A row in force that names a group, and is not of the group itself.
    async fn referrer(&self, live: &LiveRingGroup) -> Result<Option<DialplanRow>, Failed> {
        let (layout, id) = (&self.asterisk.layout, &*live.id.0);
        let leading = Action::goto(&layout.groups, id).columns().1;
        let is_own = |row: &DialplanRow| {
            let of_group =
                row.context == layout.groups && (*row.exten == *id || row.exten.starts_with(&format!("{id}.")));
            let extension = live.extension.as_ref().is_some_and(|extension| *row.exten == *extension.as_str());
            of_group || extension && row.context == layout.internal && *row.data == *leading
        };
        let rows = self.in_force_with(id).await?;
        Ok(rows.into_iter().find(|row| words(&row.data).any(|word| word == id) && !is_own(row)))
    }

    /// Until when calls may come here from retired chains.
    async fn retired_referrers(&self, leading: &str) -> Result<Option<String>, Failed> {
        let question = "select max(substring(note.appdata from 16)) from extensions as note join extensions as row
                on row.context = note.context and row.exten = note.exten
            where note.priority = $2 and note.appdata ~ '^strowger:until=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
            and lower(row.app) = 'goto' and row.appdata = $1";
        let rows = self.ask(question, &[(&leading, Type::TEXT), (&UNTIL, Type::INT4)]).await?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok()).flatten())
    }

    /// Names are unique among ring groups, which no key of the table ensures.
    async fn check_name(&self, name: &Name, id: &ObjectId) -> Result<(), Failed> {
        if self.group_named(name).await?.is_some_and(|other| other != *id) {
            return Err(Failed::Write(WriteError::Stale(format!("another ring group has the name {name} now"))));
        }
        Ok(())
    }

    async fn add_extension(&self, extension: &str, id: &ObjectId) -> Result<(), Failed> {
        let layout = &self.asterisk.layout;
        self.add(&layout.internal, extension, 1, &Action::goto(&layout.groups, &id.0)).await
    }

    /// Takes a group's extension number away, if nothing but phones dials it.
    async fn remove_extension(&self, live: &LiveRingGroup, change: &Change) -> Result<(), Failed> {
        let Some(extension) = &live.extension else { return Ok(()) };
        let internal = self.asterisk.layout.internal.clone();
        let leading = Action::goto(&internal, extension.as_str()).columns().1;
        let condition = "lower(app) = 'goto' and appdata = $1";
        let dialling = self.rows(condition, &[(&leading, Type::TEXT)]).await?;
        if let Some(row) = dialling.first() {
            let (context, exten) = (sanitized(&row.context, 40), sanitized(&row.exten, 40));
            let why = format!(
                "{context},{exten} leads to the extension number {} of {}: let it lead to the ring group first",
                extension.as_str(),
                named(change)
            );
            return Err(Failed::Write(WriteError::Unsupported(why)));
        }
        self.remove(&internal, extension.as_str(), 1).await
    }

    fn current_version(&self, rows: &[DialplanRow], id: &ObjectId) -> Option<Box<str>> {
        let layout = &self.asterisk.layout;
        let own = rows.iter().find(|row| row.context == layout.groups && *row.exten == *id.0 && row.priority == 1);
        own.and_then(|row| version(row, &id.0, layout))
    }

    async fn written(&self, id: ObjectId) -> Result<Written, Failed> {
        let rows = self.group_rows(&id.0).await?;
        let dialplan = Dialplan::with_people(&self.asterisk.layout, &rows, self.asterisk.people());
        let revision = revision(dialplan.group_rows(&id.0));
        Ok(Written { id, revision: Some(revision) })
    }
}

fn unknown(to: &PlannedRef) -> Failed {
    let why = format!("{} {} has no id", to.kind, sanitized(&to.name, 80));
    Failed::Write(WriteError::Unsupported(why))
}

/// The newest version of a group's chain, retired ones included.
fn newest(rows: &[DialplanRow], id: &ObjectId) -> u64 {
    let names = rows.iter().filter_map(|row| VersionName::parse(&row.exten)).filter(|name| *name.group == *id.0);
    names.filter_map(|name| name.number.parse().ok()).max().unwrap_or_default()
}
