//! The rows of the realtime tables, and the questions that read them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;

use crate::model::Revision;
use crate::text::hex;

use super::action::Action;

/// The priority of a note that belongs to an extension: no call gets there.
pub(super) const NOTE: i32 = 1000;
/// The priority of the note that says until when a retired extension is kept.
pub(super) const UNTIL: i32 = 1001;

/// The columns of a row that are read, in this order.
pub(super) const COLUMNS: &str =
    "context::text, exten::text, least(coalesce(priority, -1), 2147483647)::int, app::text, appdata::text, xmin::text";

/// A row of the table `extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DialplanRow {
    pub(super) context: Box<str>,
    pub(super) exten: Box<str>,
    pub(super) priority: i32,
    pub(super) app: Box<str>,
    pub(super) data: Box<str>,
    /// The transaction that wrote it: its version.
    pub(super) xmin: Box<str>,
}

/// A row of `ps_endpoints`: a phone or a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointRow {
    pub(super) id: Box<str>,
    pub(super) callerid: Box<str>,
    pub(super) mailboxes: Box<str>,
}

/// A row of `voicemail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailboxRow {
    pub(super) number: Box<str>,
    pub(super) name: Box<str>,
    pub(super) email: Box<str>,
}

/// The rows of one extension, by priority.
pub(super) type Extension<'r> = BTreeMap<i32, &'r DialplanRow>;

fn text(row: &Row, at: usize) -> Result<Box<str>, tokio_postgres::Error> {
    // Columns that Strowger only reads may be null.
    row.try_get::<_, Option<&str>>(at).map(|text| text.unwrap_or_default().into())
}

impl DialplanRow {
    pub(super) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            context: text(row, 0)?,
            exten: text(row, 1)?,
            priority: row.try_get(2)?,
            app: text(row, 3)?,
            data: text(row, 4)?,
            xmin: text(row, 5)?,
        })
    }

    pub(super) fn action(&self) -> Option<Action> {
        Action::parse(&self.app, &self.data)
    }

    /// The value of a note of ours, such as `label`.
    pub(super) fn note(&self, key: &str) -> Option<Box<str>> {
        match self.action() {
            Some(Action::Note(text)) => {
                text.strip_prefix("strowger:")?.strip_prefix(key)?.strip_prefix('=').map(Into::into)
            }
            _ => None,
        }
    }

    /// The row in words, for people: `Queue(sales)`.
    pub(super) fn shown(&self) -> String {
        crate::text::sanitized(&format!("{}({})", self.app, self.data), 120)
    }
}

impl EndpointRow {
    pub(super) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { id: text(row, 0)?, callerid: text(row, 1)?, mailboxes: text(row, 2)? })
    }
}

impl MailboxRow {
    pub(super) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { number: text(row, 0)?, name: text(row, 1)?, email: text(row, 2)? })
    }
}

/// The name of a version of a ring group's chain, `ID.4`, or of a part of one, `ID.4-1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VersionName<'e> {
    pub(super) group: &'e str,
    /// Digits only.
    pub(super) number: &'e str,
    /// The version, without the part.
    pub(super) version: &'e str,
}

impl<'e> VersionName<'e> {
    pub(super) fn parse(exten: &'e str) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let version = match exten.rsplit_once('-') {
            Some((version, part)) if digits(part) => version,
            _ => exten,
        };
        let (group, number) = version.rsplit_once('.')?;
        digits(number).then_some(Self { group, number, version })
    }
}

/// A note of ours.
pub(super) fn note(key: &str, value: &str) -> Action {
    Action::Note(format!("strowger:{key}={value}").into())
}

/// The version of an object: of all its rows.
pub(super) fn revision<'r>(rows: impl IntoIterator<Item = &'r DialplanRow>) -> Revision {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable_by_key(|row| (&row.context, &row.exten, row.priority));
    let mut hash = Sha256::new();
    for row in rows {
        let priority = row.priority.to_string();
        for part in [&*row.context, &*row.exten, &*priority, &*row.app, &*row.data, &*row.xmin] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    Revision(hex(hash.get(..16).unwrap_or_default()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_group_and_a_number() {
        let parsed = |exten| VersionName::parse(exten).map(|name| (name.group, name.number, name.version));
        assert_eq!(parsed("7f3a.4"), Some(("7f3a", "4", "7f3a.4")));
        assert_eq!(parsed("7f3a.4-12"), Some(("7f3a", "4", "7f3a.4")));
        assert_eq!(parsed("paris.sales-night.1"), Some(("paris.sales-night", "1", "paris.sales-night.1")));
        assert_eq!(parsed("a.1.2-3"), Some(("a.1", "2", "a.1.2")));
        for other in ["", "7f3a", "7f3a.", "7f3a.x", "7f3a.4-", "7f3a.4-x", "night-2", "paris.sales"] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }
}
