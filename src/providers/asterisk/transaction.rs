//! Carrying out one change: one transaction, whose end is always found out.

use std::collections::HashSet;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::model::{
    Change, FieldName, FieldValue, LiveNumber, LiveRingGroup, Name, NameKey, ObjectId, Revision, Verb, Writable,
    WritableKind,
};
use crate::providers::http::Attempts;
use crate::providers::{Access, Progress, WriteError, WriteReceipt};

use super::Asterisk;
use super::account::Dialplan;
use super::database::{Connection, Trouble};
use super::read::Parameter;
use super::rows::{COLUMNS, DialplanRow, NOTE, UNTIL, VersionName};

/// The lock that all transactions of Strowger in a database take, so that each finds what the one before left.
const LOCK: i64 = 0x5374_726f_7767_6572;

/// Why a transaction was not committed.
pub(super) enum Failed {
    Trouble(Trouble),
    /// The change cannot or must not be carried out.
    Write(WriteError),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// A transaction that is under way.
pub(super) struct Transaction<'a> {
    pub(super) asterisk: &'a Asterisk,
    pub(super) client: &'a Client,
}

/// An object as it is read.
type Object = Writable<LiveNumber, LiveRingGroup>;

/// What a transaction made of the object.
pub(super) struct Written {
    pub(super) id: ObjectId,
    /// `None` after a deletion.
    pub(super) revision: Option<Revision>,
}

impl Asterisk {
    pub(super) async fn write_change(&self, change: &Change) -> Result<WriteReceipt, WriteError> {
        if self.access == Access::ReadOnly {
            return Err(WriteError::ReadOnlyClient);
        }
        let _turn = self.turn.lock().await;
        let mut attempts = Attempts::new(self.retry);
        loop {
            attempts.made += 1;
            let why = match self.attempt(change, &mut attempts).await {
                Ok(Written { id, revision }) => {
                    return Ok(WriteReceipt { id, revision, document: None, requests: 1 });
                }
                Err(Failed::Write(error)) => return Err(error),
                Err(Failed::Trouble(trouble)) if trouble.is_temporary() => trouble.to_string(),
                Err(Failed::Trouble(trouble)) => return Err(self.database.write_error(trouble)),
            };
            if !self.may_try_again(&mut attempts).await {
                return Err(WriteError::Unavailable { attempts: attempts.made, why });
            }
        }
    }

    /// One transaction, to its end.
    async fn attempt(&self, change: &Change, attempts: &mut Attempts) -> Result<Written, Failed> {
        let connection = self.connection().await?;
        let transaction = Transaction { asterisk: self, client: &connection.client };
        let id = transaction.begin().await?;
        let written = match transaction.write(change).await {
            Ok(written) => written,
            Err(failed) => {
                // After any other trouble, the server ends the transaction with the connection.
                if matches!(failed, Failed::Write(_)) && transaction.command("rollback").await.is_ok() {
                    self.keep(connection).await;
                }
                return Err(failed);
            }
        };
        match transaction.command("commit").await {
            Ok(()) => self.keep(connection).await,
            // A server that goes down may have done it before.
            Err(Trouble::Lost(why) | Trouble::Stopping(why) | Trouble::Untrusted(why)) => {
                drop(connection);
                self.settle(&id, why, attempts).await?;
            }
            Err(trouble) => return Err(trouble.into()),
        }
        Ok(written)
    }

    /// Asks the server whether a transaction was committed whose commit was not answered.
    async fn settle(&self, id: &str, lost: String, attempts: &mut Attempts) -> Result<(), Failed> {
        loop {
            let status = match self.connection().await {
                Err(_) => None,
                Ok(connection) => {
                    let status = self.status(&connection, id).await;
                    if status.is_some() {
                        self.keep(connection).await;
                    }
                    status
                }
            };
            match status.as_deref() {
                Some("committed") => return Ok(()),
                Some("aborted") => return Err(Trouble::Transient(lost).into()),
                _ => {}
            }
            if !self.may_try_again(attempts).await {
                return Err(Failed::Write(WriteError::Unknown(format!("the commit was not answered: {lost}"))));
            }
        }
    }

    async fn status(&self, connection: &Connection, id: &str) -> Option<String> {
        let question = "select txid_status($1::text::bigint)";
        let rows = self.ask(&connection.client, question, &[(&id, Type::TEXT)]).await.ok()?;
        rows.first()?.try_get::<_, Option<String>>(0).ok().flatten()
    }

    /// How far a change has come: a transaction is done or not.
    pub(super) async fn inspect_change(&self, change: &Change) -> Result<Progress, WriteError> {
        let failed = |failed| match failed {
            Failed::Write(error) => error,
            Failed::Trouble(trouble) => self.database.write_error(trouble),
        };
        let connection = self.connection().await.map_err(|trouble| failed(trouble.into()))?;
        let transaction = Transaction { asterisk: self, client: &connection.client };
        let compared = transaction.compare(change).await.map_err(failed)?;
        self.keep(connection).await;
        Ok(compared)
    }

    /// Removes what earlier changes left for calls that were under way, once no call can need it.
    pub(super) async fn remove_retired(&self) -> Result<(), Trouble> {
        let connection = self.connection().await?;
        let transaction = Transaction { asterisk: self, client: &connection.client };
        // A deletion of nothing would wake everyone who listens to the table.
        if !transaction.expired().await?.is_empty() {
            transaction.begin().await?;
            transaction.remove_expired().await?;
            transaction.command("commit").await?;
        }
        self.keep(connection).await;
        Ok(())
    }
}

impl Transaction<'_> {
    pub(super) async fn ask(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, Trouble> {
        self.asterisk.ask(self.client, sql, parameters).await
    }

    /// Some rows of `extensions`, which no other transaction changes before this one ends.
    pub(super) async fn rows(
        &self,
        condition: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<DialplanRow>, Trouble> {
        let sql = format!("select {COLUMNS} from extensions where {condition} for update");
        let rows = self.ask(&sql, parameters).await?;
        let read = rows.iter().map(DialplanRow::read).collect::<Result<_, _>>();
        read.map_err(|error| self.asterisk.database.trouble(&error))
    }

    /// Begins, and returns the number by which the server knows this transaction.
    async fn begin(&self) -> Result<String, Trouble> {
        // Each question sees what was committed before it, so also what the lock was waited for.
        self.command("begin isolation level read committed").await?;
        let nonce = &self.asterisk.nonce;
        // Who listens to the table can tell our changes from others by the nonce.
        let question =
            format!("select set_config('strowger.run', $1, true), pg_advisory_xact_lock({LOCK}), txid_current()::text");
        let rows = self.ask(&question, &[(nonce, Type::TEXT)]).await?;
        let id = rows.first().map(|row| row.try_get(2)).transpose();
        Ok(id.map_err(|error| self.asterisk.database.trouble(&error))?.unwrap_or_default())
    }

    /// Begins or ends the transaction.
    async fn command(&self, command: &str) -> Result<(), Trouble> {
        self.asterisk.database.within(self.client.batch_execute(command)).await
    }

    /// Makes the change, up to the commit.
    async fn write(&self, change: &Change) -> Result<Written, Failed> {
        let written = match change.object.kind {
            WritableKind::Number => self.write_number(change).await,
            WritableKind::RingGroup => self.write_group(change).await,
        };
        written.map_err(|failed| match failed {
            // Another program wrote a row where this change needs to put one.
            Failed::Trouble(Trouble::Refused { state, .. }) if state.code() == "23505" => {
                let what = format!("another row has a place that {} needs", named(change));
                Failed::Write(WriteError::Stale(what))
            }
            failed => failed,
        })
    }

    /// How far the change has come.
    async fn compare(&self, change: &Change) -> Result<Progress, Failed> {
        let (kind, asterisk) = (change.object.kind, self.asterisk);
        let progress = |id, revision, left| Progress { id, revision, document: None, left, requests: 1 };
        let id = match (&change.object.id, change.after(FieldName::Name)) {
            (Some(id), _) if change.verb != Verb::Create => id.clone(),
            (_, Some(FieldValue::Name(name))) => match self.group_named(name).await? {
                Some(id) => id,
                None => return Ok(progress(None, None, vec![0])),
            },
            _ => return Err(Failed::Write(WriteError::Unsupported(format!("{} has no id", named(change))))),
        };
        let rows = match kind {
            WritableKind::Number => self.extension(&asterisk.layout.carrier, &id.0).await?,
            WritableKind::RingGroup => self.group_rows(&id.0).await?,
        };
        let stale = |what: &str| Failed::Write(WriteError::Stale(format!("{} {what}", named(change))));
        let Some(object) = self.object(change, &id, &rows)? else {
            let is_done = change.verb == Verb::Delete;
            return if is_done { Ok(progress(Some(id), None, Vec::new())) } else { Err(stale("is gone")) };
        };
        let object = object.as_ref();
        let revision = object.revision().cloned();
        if change.verb != Verb::Create && revision == change.revision {
            return Ok(progress(Some(id), revision, vec![0]));
        }
        let is_done =
            change.verb != Verb::Delete && change.fields.iter().all(|field| object.has(field.field, &field.after));
        if is_done { Ok(progress(Some(id), revision, Vec::new())) } else { Err(stale("was changed since it was read")) }
    }

    /// The object of a change as its rows are now; `None` if there is none any more.
    fn object(&self, change: &Change, id: &ObjectId, rows: &[DialplanRow]) -> Result<Option<Object>, Failed> {
        let Asterisk { layout, country, .. } = self.asterisk;
        let dialplan = Dialplan::with_people(layout, rows, self.asterisk.people());
        let object = match change.object.kind {
            WritableKind::Number => {
                let own = dialplan.rows(&layout.carrier, &id.0);
                own.map(|own| dialplan.number(&id.0, own, country.as_deref()).map(Writable::Number))
            }
            WritableKind::RingGroup => {
                let own = dialplan.rows(&layout.groups, &id.0).filter(|own| !own.contains_key(&UNTIL));
                own.map(|own| dialplan.group(&id.0, own).map(Writable::RingGroup))
            }
        };
        let other = |why| WriteError::Stale(format!("{} is something else now: {why}", named(change)));
        object.transpose().map_err(|why| Failed::Write(other(why)))
    }

    /// The object of a change, if it still is as the plan saw it.
    pub(super) fn untouched(&self, change: &Change, id: &ObjectId, rows: &[DialplanRow]) -> Result<Object, Failed> {
        let stale = |what| Failed::Write(WriteError::Stale(format!("{} {what}", named(change))));
        let object = self.object(change, id, rows)?.ok_or_else(|| stale("is gone"))?;
        let is_same = object.as_ref().revision() == change.revision.as_ref();
        if is_same { Ok(object) } else { Err(stale("was changed since it was read")) }
    }

    /// The ring group of this name.
    pub(super) async fn group_named(&self, name: &Name) -> Result<Option<ObjectId>, Failed> {
        let groups = &self.asterisk.layout.groups;
        let condition = "context = $1 and priority = $2";
        let notes = self.rows(condition, &[(groups, Type::TEXT), (&NOTE, Type::INT4)]).await?;
        let has_name = |row: &&DialplanRow| row.note("name").is_some_and(|other| NameKey::of(&other) == name.key());
        Ok(notes.iter().find(has_name).map(|row| ObjectId::from(&*row.exten)))
    }

    /// Some extensions whose time has passed.
    async fn expired(&self) -> Result<Vec<String>, Trouble> {
        let question = "select exten::text from extensions where context = $1 and priority = $2 and app = 'NoOp'
            and starts_with(appdata, 'strowger:until=') and appdata collate \"C\" <
                'strowger:until=' || to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') limit 500";
        let groups = &self.asterisk.layout.groups;
        let rows = self.ask(question, &[(groups, Type::TEXT), (&UNTIL, Type::INT4)]).await?;
        Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
    }

    /// Removes them, but for those that something in force names: by hand, a version or a group may have been put back.
    async fn remove_expired(&self) -> Result<(), Trouble> {
        let groups = &self.asterisk.layout.groups;
        let mut named = self.in_force().await?;
        let mut expired = self.expired().await?;
        let rows = self
            .rows("context = $1 and exten = any($2)", &[(groups, Type::TEXT), (&expired, Type::TEXT_ARRAY)])
            .await?;
        loop {
            let count = expired.len();
            expired.retain(|exten| {
                !named.contains(exten.as_str())
                    && !VersionName::parse(exten).is_some_and(|name| named.contains(name.version))
            });
            if expired.len() == count {
                break;
            }
            // What is kept is in force itself.
            let kept = rows.iter().filter(|row| !expired.iter().any(|exten| **exten == *row.exten));
            named.extend(kept.flat_map(|row| words(&row.data)).map(ToOwned::to_owned));
        }
        let sql = "delete from extensions where context = $1 and exten = any($2)";
        self.ask(sql, &[(groups, Type::TEXT), (&expired, Type::TEXT_ARRAY)]).await.map(drop)
    }

    /// Every word of the rows in force that name the context of ring groups.
    async fn in_force(&self) -> Result<HashSet<String>, Trouble> {
        let rows = self.in_force_with("").await?;
        Ok(rows.iter().flat_map(|row| words(&row.data).map(ToOwned::to_owned)).collect())
    }

    /// The rows in force that name the context of ring groups and have this text.
    pub(super) async fn in_force_with(&self, text: &str) -> Result<Vec<DialplanRow>, Trouble> {
        let condition = "strpos(appdata, $1) > 0 and strpos(appdata, $2) > 0
            and not (context = $1 and exists (select from extensions as note where note.context = extensions.context
                and note.exten = extensions.exten and note.priority = $3 and starts_with(note.appdata, 'strowger:until=')))";
        let groups = &self.asterisk.layout.groups;
        self.rows(condition, &[(groups, Type::TEXT), (&text, Type::TEXT), (&UNTIL, Type::INT4)]).await
    }
}

/// The words of an `appdata`, any of which may be the name of an extension.
pub(super) fn words(data: &str) -> impl Iterator<Item = &str> {
    data.split(|c: char| !(c.is_alphanumeric() || "._+-*#".contains(c)))
}

/// The object of a change, in words.
pub(super) fn named(change: &Change) -> String {
    format!("{} {}", change.object.kind, crate::text::sanitized(&change.object.name, 80))
}
