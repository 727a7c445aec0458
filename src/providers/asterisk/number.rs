//! Writing a number: its one row, and its label.

use tokio_postgres::types::Type;

use crate::model::{Change, FieldName, FieldValue, Kind, PlannedRef, Verb};
use crate::providers::WriteError;

use super::account::Dialplan;
use super::action::Action;
use super::layout::UNALLOCATED;
use super::rows::{DialplanRow, NOTE, note, revision};
use super::transaction::{Failed, Transaction, Written, named};

impl Transaction<'_> {
    pub(super) async fn number_rows(&self, exten: &str) -> Result<Vec<DialplanRow>, Failed> {
        let carrier = &self.asterisk.layout.carrier;
        Ok(self.rows("context = $1 and exten = $2", &[(carrier, Type::TEXT), (&exten, Type::TEXT)]).await?)
    }

    pub(super) async fn write_number(&self, change: &Change) -> Result<Written, Failed> {
        let Some(id) = change.object.id.clone().filter(|_| change.verb == Verb::Update) else {
            return Err(Failed::Write(WriteError::Unsupported("numbers are neither made nor deleted".to_owned())));
        };
        let rows = self.number_rows(&id.0).await?;
        if Some(revision(&rows)) != change.revision {
            return Err(Failed::Write(WriteError::Stale(self.moved(change, &rows))));
        }
        let carrier = self.asterisk.layout.carrier.clone();
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::To, FieldValue::None) => {
                    let action = Action::Hangup { cause: Some(UNALLOCATED) };
                    self.put(&rows, &carrier, &id.0, 1, &action).await?;
                }
                (FieldName::To, FieldValue::Reference(to)) => {
                    let action = self.target(to).await?;
                    self.put(&rows, &carrier, &id.0, 1, &action).await?;
                }
                (FieldName::Label, FieldValue::Text(text)) => {
                    self.put(&rows, &carrier, &id.0, NOTE, &note("label", text)).await?;
                }
                (FieldName::Label, FieldValue::None) => self.remove(&carrier, &id.0, NOTE).await?,
                (field, _) => return Err(unsupported(change, field)),
            }
        }
        let revision = revision(&self.number_rows(&id.0).await?);
        Ok(Written { id, revision: Some(revision) })
    }

    /// Which fields of an object are not as the plan saw them.
    fn moved(&self, change: &Change, rows: &[DialplanRow]) -> String {
        let asterisk = self.asterisk;
        let dialplan = Dialplan::with_people(&asterisk.layout, rows, asterisk.people());
        let exten = change.object.id.as_ref().map_or("", |id| &*id.0);
        let Some(own) = dialplan.rows(&asterisk.layout.carrier, exten) else {
            return format!("{} is gone", named(change));
        };
        let number = dialplan.number(exten, own, asterisk.country.as_deref());
        number.map_or_else(
            |why| format!("{} is something else now: {why}", named(change)),
            |_| format!("{} was changed since it was read", named(change)),
        )
    }

    /// The action that leads to an object that is there, and stays until this transaction ends.
    pub(super) async fn target(&self, to: &PlannedRef) -> Result<Action, Failed> {
        let asterisk = self.asterisk;
        let shown = format!("{} {}", to.kind, crate::text::sanitized(&to.name, 80));
        let Some(id) = to.id.as_ref() else {
            return Err(Failed::Write(WriteError::Unsupported(format!("{shown} has no id"))));
        };
        let Some(action) = asterisk.layout.action(to.kind, &id.0) else {
            return Err(Failed::Write(WriteError::Unsupported(format!("no row can lead to {shown}"))));
        };
        let layout = &asterisk.layout;
        let is_there = match to.kind {
            Kind::RingGroup => {
                let (groups, id) = (&layout.groups, &*id.0);
                let rows = self.rows("context = $1 and exten = $2", &[(groups, Type::TEXT), (&id, Type::TEXT)]).await?;
                rows.iter().any(|row| row.priority == 1) && rows.iter().all(|row| row.note("until").is_none())
            }
            Kind::User => {
                let (internal, exten) = (&layout.internal, &*id.0);
                let condition = "context = $1 and exten = $2";
                let rows = self.rows(condition, &[(internal, Type::TEXT), (&exten, Type::TEXT)]).await?;
                let phones = asterisk.people().endpoints(Kind::User, &id.0).unwrap_or_default();
                !rows.is_empty() || self.missing(&phones).await?.len() < phones.len()
            }
            Kind::Voicemail => {
                let (number, _) = id.0.split_once('@').unwrap_or_default();
                let question = "select 1 from voicemail where context = $1 and mailbox = $2";
                let parameters = [(&layout.voicemail as _, Type::TEXT), (&number as _, Type::TEXT)];
                !self.ask(question, &parameters).await?.is_empty()
            }
            Kind::External => {
                let question = "select 1 from ps_endpoints where id = $1";
                !self.ask(question, &[(&layout.trunk, Type::TEXT)]).await?.is_empty()
            }
            // In the files of the dialplan.
            _ => true,
        };
        let gone = || Failed::Write(WriteError::Stale(format!("{shown} is gone")));
        is_there.then_some(action).ok_or_else(gone)
    }

    /// Which of these endpoints are not in the table.
    pub(super) async fn missing(&self, endpoints: &[Box<str>]) -> Result<Vec<Box<str>>, Failed> {
        let question = "select id::text from ps_endpoints where id = any($1) and context = $2";
        let internal = &self.asterisk.layout.internal;
        let found = self.ask(question, &[(&endpoints, Type::TEXT_ARRAY), (internal, Type::TEXT)]).await?;
        let found: Vec<&str> = found.iter().filter_map(|row| row.try_get(0).ok()).collect();
        Ok(endpoints.iter().filter(|endpoint| !found.contains(&&***endpoint)).cloned().collect())
    }

    /// Writes a row: in the place of the one that was read, if there was one.
    pub(super) async fn put(
        &self,
        read: &[DialplanRow],
        context: &str,
        exten: &str,
        priority: i32,
        action: &Action,
    ) -> Result<(), Failed> {
        let is_place =
            |row: &&DialplanRow| *row.context == *context && *row.exten == *exten && row.priority == priority;
        if read.iter().find(is_place).is_none() {
            return self.add(context, exten, priority, action).await;
        }
        let (app, data) = action.columns();
        let sql = "update extensions set app = $4, appdata = $5 where context = $1 and exten = $2 and priority = $3";
        self.write_row(sql, context, exten, priority, (app, &data)).await
    }

    /// Writes a row in a place that has none.
    pub(super) async fn add(&self, context: &str, exten: &str, priority: i32, action: &Action) -> Result<(), Failed> {
        let (app, data) = action.columns();
        let sql = "insert into extensions (context, exten, priority, app, appdata) values ($1, $2, $3, $4, $5)";
        self.write_row(sql, context, exten, priority, (app, &data)).await
    }

    async fn write_row(
        &self,
        sql: &str,
        context: &str,
        exten: &str,
        priority: i32,
        (app, data): (&str, &str),
    ) -> Result<(), Failed> {
        let parameters: [super::read::Parameter<'_>; 5] = [
            (&context, Type::TEXT),
            (&exten, Type::TEXT),
            (&priority, Type::INT4),
            (&app, Type::TEXT),
            (&data, Type::TEXT),
        ];
        Ok(self.ask(sql, &parameters).await.map(drop)?)
    }

    pub(super) async fn remove(&self, context: &str, exten: &str, priority: i32) -> Result<(), Failed> {
        let sql = "delete from extensions where context = $1 and exten = $2 and priority = $3";
        let parameters: [super::read::Parameter<'_>; 3] =
            [(&context, Type::TEXT), (&exten, Type::TEXT), (&priority, Type::INT4)];
        Ok(self.ask(sql, &parameters).await.map(drop)?)
    }
}

pub(super) fn unsupported(change: &Change, field: FieldName) -> Failed {
    let why = format!("`{}` of {} cannot have this value", field.as_str(), named(change));
    Failed::Write(WriteError::Unsupported(why))
}
