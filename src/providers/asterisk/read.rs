//! Reading the tables, all at one time.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::model::{AccountInfo, Capabilities, LiveAccount};
use crate::providers::{Access, ChangeCheck, FetchedAccount, ReadError};

use super::account::{Dialplan, Tables};
use super::database::Trouble;
use super::layout::Layout;
use super::rows::{COLUMNS, DialplanRow, EndpointRow, MailboxRow};
use super::{Asterisk, spec};

/// The rows of `extensions` that matter: those of the account's contexts, and all that lead to ring groups.
const OF_ACCOUNT: &str = "context = any($1) or lower(app) = 'goto' and split_part(appdata, ',', 1) = $2";

/// The tables as one reading found them.
pub(super) struct Reading {
    tables: Tables,
    facts: Facts,
}

/// What has to be known of the database itself.
struct Facts {
    /// Of all that was read: another one if anything changed.
    fingerprint: Box<str>,
    /// Whether the rows of an extension are unique by priority.
    has_key: bool,
    /// A column without a default.
    demands: Option<String>,
    can_write: bool,
}

/// A parameter of a question, with its type.
pub(super) type Parameter<'p> = (&'p (dyn ToSql + Sync), Type);

impl Asterisk {
    pub(super) async fn read_account(&self) -> Result<FetchedAccount, ReadError> {
        let mut attempts = crate::providers::http::Attempts::new(self.retry);
        loop {
            attempts.made += 1;
            let trouble = match self.read_once().await {
                Ok(reading) => return self.fetched(reading, u64::from(attempts.made)),
                Err(trouble) => trouble,
            };
            if !trouble.is_temporary() || !self.may_try_again(&mut attempts).await {
                return Err(self.database.read_error(trouble, attempts.made));
            }
        }
    }

    /// Whether the tables certainly are as they were when all of them were read.
    pub(super) async fn look_again(&self) -> Result<ChangeCheck, ReadError> {
        let before = self.lock_seen().as_ref().map(|seen| seen.fingerprint.clone());
        let Some(before) = before else { return Ok(ChangeCheck { unchanged: false, requests: 0 }) };
        let now = async {
            let connection = self.connection().await?;
            let row = self.ask_one(&connection.client, &fingerprint(), &self.parameters()).await?;
            let now = column(&row, 0).map_err(|error| self.database.trouble(&error))?;
            self.keep(connection).await;
            Ok::<Box<str>, Trouble>(now)
        };
        match now.await {
            Ok(now) => Ok(ChangeCheck { unchanged: now == before, requests: 1 }),
            // Reading it will say what is wrong.
            Err(_) => Ok(ChangeCheck { unchanged: false, requests: 1 }),
        }
    }

    async fn read_once(&self) -> Result<Reading, Trouble> {
        let connection = self.connection().await?;
        let client = &connection.client;
        let database = &self.database;
        database.within(client.batch_execute("begin isolation level repeatable read read only")).await?;
        let parameters @ [contexts, groups, internal, voicemail] = &self.parameters();
        let of_context =
            "select id::text, callerid::text, mailboxes::text from ps_endpoints where context = $1 order by id";
        let boxes =
            "select mailbox::text, fullname::text, email::text from voicemail where context = $1 order by mailbox";
        let rows = format!("select {COLUMNS} from extensions where {OF_ACCOUNT}");
        let fingerprint = fingerprint();
        let of_rows = [contexts.clone(), groups.clone()];
        let (rows, endpoints, mailboxes, facts, fingerprint) = tokio::join!(
            self.ask(client, &rows, &of_rows),
            self.ask(client, of_context, std::slice::from_ref(internal)),
            self.ask(client, boxes, std::slice::from_ref(voicemail)),
            self.ask_one(client, FACTS, &[]),
            self.ask_one(client, &fingerprint, parameters),
        );
        // In order, so that the one that failed first comes before those that only failed because of it.
        let (rows, endpoints, mailboxes, facts, fingerprint) = (rows?, endpoints?, mailboxes?, facts?, fingerprint?);
        let whole = || {
            Ok(Reading {
                tables: Tables {
                    rows: rows.iter().map(DialplanRow::read).collect::<Result<_, _>>()?,
                    endpoints: endpoints.iter().map(EndpointRow::read).collect::<Result<_, _>>()?,
                    mailboxes: mailboxes.iter().map(MailboxRow::read).collect::<Result<_, _>>()?,
                },
                facts: Facts {
                    fingerprint: column(&fingerprint, 0)?,
                    has_key: facts.try_get(0)?,
                    demands: facts.try_get(1)?,
                    can_write: facts.try_get(2)?,
                },
            })
        };
        let reading = whole().map_err(|error| database.trouble(&error))?;
        database.within(client.batch_execute("commit")).await?;
        self.keep(connection).await;
        Ok(reading)
    }

    /// The account, if its tables are ones that can be written safely.
    fn fetched(&self, reading: Reading, requests: u64) -> Result<FetchedAccount, ReadError> {
        let Reading { tables, facts } = reading;
        let host = &self.database.host;
        if !facts.has_key {
            return Err(ReadError::Database(format!(
                "the table `extensions` at {host} has no unique key, so two rows could have one place: run `ALTER TABLE \
                 extensions ADD UNIQUE (context, exten, priority)`"
            )));
        }
        if let Some(name) = facts.demands {
            let name = crate::text::sanitized(&name, 80);
            return Err(ReadError::Database(format!(
                "the column `{name}` of the table `extensions` at {host} has no default, so no row can be added: give it one"
            )));
        }
        if self.access != Access::ReadOnly && !facts.can_write {
            return Err(ReadError::Database(format!(
                "the role may not write the table `extensions` at {host}: it needs INSERT, UPDATE and DELETE, and USAGE of the \
                 sequence of its `id`"
            )));
        }
        let dialplan = Dialplan::new(&self.layout, &tables);
        let longest = tables.endpoints.iter().map(|endpoint| endpoint.id.chars().count()).max().unwrap_or_default();
        let mut live = LiveAccount {
            account: AccountInfo {
                id: format!("{}/{}", self.database.name, self.layout.carrier).into(),
                name: self.database.name.as_str().into(),
                default_number: None,
                owners: None,
            },
            capabilities: Capabilities {
                members_most: Some(super::chain::members_most(longest).min(spec::MEMBERS)),
                ..spec::capabilities(self.layout.trunk.is_some())
            },
            ..dialplan.account(self.country.as_deref())
        };
        live = live.validated().map_err(ReadError::Inconsistent)?;
        *self.lock_seen() = Some(super::Seen { fingerprint: facts.fingerprint.clone(), people: dialplan.people });
        Ok(FetchedAccount { live, requests, versions: vec![facts.fingerprint] })
    }

    pub(super) async fn ask(
        &self,
        client: &Client,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Trouble> {
        self.database.within(client.query_typed(sql, parameters)).await
    }

    async fn ask_one(&self, client: &Client, sql: &str, parameters: &[Parameter<'_>]) -> Result<Row, Trouble> {
        self.database.within(client.query_typed_one(sql, parameters)).await
    }

    /// The contexts of dialplan rows, and those of ring groups, phones and mailboxes.
    fn parameters(&self) -> [Parameter<'_>; 4] {
        let Layout { groups, internal, voicemail, .. } = &self.layout;
        [(&self.contexts, Type::TEXT_ARRAY), (groups, Type::TEXT), (internal, Type::TEXT), (voicemail, Type::TEXT)]
    }
}

/// What has to be known of the database, in one row.
const FACTS: &str = "select
    exists (select from pg_index as index where index.indrelid = 'extensions'::regclass
        and index.indisunique and index.indisvalid and index.indpred is null
        and (select array_agg(attname::text order by attname) from pg_attribute
            where attrelid = index.indrelid and attnum = any(index.indkey)) = '{context,exten,priority}'),
    (select attname::text from pg_attribute where attrelid = 'extensions'::regclass and attnum > 0 and not attisdropped
        and attnotnull and not atthasdef and attidentity = '' and attgenerated = ''
        and attname not in ('context', 'exten', 'priority', 'app', 'appdata') limit 1),
    has_table_privilege('extensions', 'insert') and has_table_privilege('extensions', 'update')
        and has_table_privilege('extensions', 'delete')
        and coalesce((select bool_and(has_sequence_privilege(pg_get_serial_sequence('extensions', attname), 'usage'))
            from pg_attribute where attrelid = 'extensions'::regclass and attnum > 0 and not attisdropped
            and attidentity = '' and pg_get_serial_sequence('extensions', attname) is not null), true)";

/// A question for what changes whenever a row that is read does.
fn fingerprint() -> String {
    format!(
        "select md5(concat(
            (select string_agg(concat_ws('|', context, exten, priority, xmin), ',' order by context, exten, priority)
                from extensions where {OF_ACCOUNT}), '/',
            (select string_agg(concat_ws('|', id, callerid, mailboxes), ',' order by id)
                from ps_endpoints where context = $3), '/',
            (select string_agg(concat_ws('|', mailbox, fullname, email), ',' order by mailbox)
                from voicemail where context = $4)))"
    )
}

fn column(row: &Row, at: usize) -> Result<Box<str>, tokio_postgres::Error> {
    row.try_get::<_, &str>(at).map(Into::into)
}
