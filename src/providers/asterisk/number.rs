//! Writing a number: its one row, and its label; and looking up what rows lead to.

use tokio_postgres::types::Type;

use crate::model::{Change, FieldName, FieldValue, Kind, PlannedRef, Verb};
use crate::providers::WriteError;

use super::action::Action;
use super::layout::UNALLOCATED;
use super::rows::{NOTE, note, revision};
use super::transaction::{Failed, Transaction, Written, named};

impl Transaction<'_> {
    pub(super) async fn write_number(&self, change: &Change) -> Result<Written, Failed> {
        let Some(id) = change.object.id.clone().filter(|_| change.verb == Verb::Update) else {
            return Err(Failed::Write(WriteError::Unsupported("numbers are neither made nor deleted".to_owned())));
        };
        let carrier = &*self.asterisk.layout.carrier;
        let rows = self.extension(carrier, &id.0).await?;
        self.untouched(change, &id, &rows)?;
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::To, FieldValue::None) => {
                    let action = Action::Hangup { cause: Some(UNALLOCATED) };
                    self.put(&rows, carrier, &id.0, 1, &action).await?;
                }
                (FieldName::To, FieldValue::Reference(to)) => {
                    let action = self.target(to).await?;
                    self.put(&rows, carrier, &id.0, 1, &action).await?;
                }
                (FieldName::Label, FieldValue::Text(text)) => {
                    self.put(&rows, carrier, &id.0, NOTE, &note("label", text)).await?;
                }
                (FieldName::Label, FieldValue::None) => self.remove(carrier, &id.0, NOTE).await?,
                (field, _) => return Err(unsupported(change, field)),
            }
        }
        let revision = revision(&self.extension(carrier, &id.0).await?);
        Ok(Written { id, revision: Some(revision) })
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
                let rows = self.extension(&layout.groups, &id.0).await?;
                rows.iter().any(|row| row.priority == 1) && rows.iter().all(|row| row.note("until").is_none())
            }
            Kind::User => {
                let rows = self.extension(&layout.internal, &id.0).await?;
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
}

pub(super) fn unsupported(change: &Change, field: FieldName) -> Failed {
    let why = format!("`{}` of {} cannot have this value", field.as_str(), named(change));
    Failed::Write(WriteError::Unsupported(why))
}
