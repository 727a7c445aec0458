//! The kinds of objects of an account: one file per kind, behind one small trait.
//!
//! A kind renders its rows, checks and writes a body, and finds what points at an object. Tags, preconditions,
//! audit and versions are the same for all and live in [`super::write`].

mod audit;
pub(super) mod bridges;
pub(super) mod conferences;
pub(super) mod devices;
pub(super) mod extensions;
pub(super) mod locations;
pub(super) mod numbers;
mod owners;
pub(super) mod receptionists;
pub(super) mod ring_groups;
pub(super) mod users;

use rusqlite::{Connection, Row as Columns, params};
use serde_json::Value;

pub(super) use self::bridges::pin_digest;
pub(super) use self::numbers::bundle;
pub(super) use self::owners::all as owners;
use super::collection::{Collection, Row, Target};
use super::etag;
use super::fields::Fields;
use super::page::Span;
use super::problem::{Code, Problem, Referrer};

/// What the kinds allow, for the account's capabilities and for seeds.
pub(super) mod limits {
    pub(in crate::sandbox) use super::devices::{KINDS as DEVICE_KINDS, MANY as DEVICE_OF_MANY};
    pub(in crate::sandbox) use super::numbers::{DESTINATIONS, KINDS as NUMBER_KINDS};
    pub(in crate::sandbox) use super::receptionists::{DIGITS, KEY_TARGETS};
    pub(in crate::sandbox) use super::ring_groups::{MAX_MEMBERS, MEMBER_KINDS, NO_ANSWER_KINDS, RING_FOR, RING_MODES};
    pub(in crate::sandbox) use super::users::FORWARDING;
}

/// What may point at an object: whose kind, by which member, and the query for their keys and names.
pub(super) type Reference = (Collection, &'static str, &'static str);

/// What a write changed besides its object's representation.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Objects that came or went with it: a user's bundled number, a deleted user's numbers.
    pub(super) also: Vec<Effect>,
    /// Something changed that no representation shows: a PIN.
    pub(super) hidden: bool,
}

/// A second object touched by a write, for the audit log.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) collection: Collection,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// One kind of object. All methods run inside the transaction of the request.
pub(super) trait Kind: Sync {
    /// Where the objects of this kind are.
    fn collection(&self) -> Collection;

    /// The query of the keys above `?1` and up to `?2`, at most `?3` of them, in their order. Its first column is the key.
    fn select(&self) -> &'static str;

    /// The object of a row of that query, without its tag.
    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value>;

    /// Adds to the objects what they contain of another table.
    fn embed(&self, _db: &Connection, _rows: &mut [Row]) -> Result<(), Problem> {
        Ok(())
    }

    /// Checks a body and makes the object; returns its key.
    fn create(&self, _db: &Connection, _body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        Err(Problem::not_found())
    }

    /// Checks a merge patch and applies it.
    fn update(&self, _db: &Connection, _key: i64, _body: Fields<'_>) -> Result<Effects, Problem> {
        Err(Problem::not_found())
    }

    /// What may point at an object of this kind.
    fn references(&self) -> &'static [Reference] {
        if self.collection().is_extension() { extensions::REFERENCES } else { &[] }
    }

    /// Everything that would dangle without the object.
    fn referrers(&self, db: &Connection, key: i64) -> Result<Vec<Referrer>, Problem> {
        let mut found = Vec::new();
        for (collection, field, sql) in self.references() {
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([key])?;
            while let Some(row) = rows.next()? {
                let (kind, id) = (collection.kind(), collection.id(row.get(0)?));
                found.push(Referrer { kind, id, name: row.get(1)?, field: (*field).to_owned() });
            }
        }
        if self.collection().is_extension() {
            found.extend(extensions::account_with_default_number(db, key)?);
        }
        Ok(found)
    }

    /// Deletes an object that nothing refers to.
    fn delete(&self, db: &Connection, key: i64) -> Result<Effects, Problem> {
        if self.collection().is_extension() {
            return extensions::delete(db, key);
        }
        remove(db, self.collection(), key)?;
        Ok(Effects::default())
    }

    /// The rows of a span, in the order of their keys, with tags that never come back.
    fn rows(&self, db: &Connection, span: Span) -> Result<Vec<Row>, Problem> {
        let mut statement = db.prepare_cached(self.select())?;
        let rows = statement.query_map(params![span.after, span.until, span.limit], |row| {
            let key = row.get(0)?;
            Ok((key, self.object(key, row)?))
        })?;
        let mut rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        self.embed(db, &mut rows)?;
        for (_, object) in &mut rows {
            etag::seal(object);
        }
        etag::revise(db, self.collection(), &mut rows)?;
        Ok(rows)
    }

    /// One object.
    fn row(&self, db: &Connection, key: i64) -> Result<Option<Value>, Problem> {
        Ok(self.rows(db, Span::one(key))?.pop().map(|(_, row)| row))
    }
}

/// The kind of a collection.
pub(super) fn of(collection: Collection) -> &'static dyn Kind {
    match collection {
        Collection::Numbers => &numbers::Numbers,
        Collection::Users => &users::Users,
        Collection::Devices => &devices::Devices,
        Collection::RingGroups => &ring_groups::RingGroups,
        Collection::Receptionists => &receptionists::Receptionists,
        Collection::Conferences => &conferences::Conferences,
        Collection::Bridges => &bridges::Bridges,
        Collection::Locations => &locations::Locations,
        Collection::Owners => &owners::Owners,
        Collection::Audit => &audit::Audit,
    }
}

/// Deletes a row, and nothing else of the object.
fn remove(db: &Connection, collection: Collection, key: i64) -> rusqlite::Result<()> {
    db.prepare_cached(&format!("DELETE FROM {} WHERE key = ?1", collection.name()))?.execute([key]).map(drop)
}

/// Fails unless the referenced object exists and has the kind of the reference.
fn require(db: &Connection, target: Target, pointer: &str) -> Result<(), Problem> {
    let sql = format!("SELECT 1 FROM {} WHERE key = ?1", target.kind.collection().name());
    if db.prepare_cached(&sql)?.exists([target.key])? {
        return Ok(());
    }
    let detail = format!("refers to {}, which does not exist", target.id());
    Err(Problem::conflict_at(Code::UnknownReference, pointer, detail))
}
