//! Phone numbers: each leads to one destination or to nothing; many may lead to the same one.
//!
//! A user or a conference line is created with a number ([`bundle`]), which is deleted with it ([`release_owned`]). The
//! default number cannot be deleted and always has a destination.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::{Columns, Effect, Effects, Kind, remove, require};
use crate::sandbox::collection::{Collection, TargetKind};
use crate::sandbox::fields::{Change, Fields, Need};
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

pub(super) struct Numbers;

/// Where a number may lead.
pub(in crate::sandbox) const DESTINATIONS: &[TargetKind] =
    &[TargetKind::Receptionist, TargetKind::User, TargetKind::RingGroup, TargetKind::Conference];
pub(in crate::sandbox) const KINDS: &[&str] = &["local", "toll_free", "virtual"];

const SELECT: &str = "SELECT n.key, n.number, n.kind, n.label, n.destination, d.kind, n.emergency_callback, n.owner, o.kind, \
     n.key IS (SELECT default_number FROM account) \
     FROM numbers n LEFT JOIN extensions d ON d.key = n.destination LEFT JOIN extensions o ON o.key = n.owner \
     WHERE n.key > ?1 AND n.key <= ?2 ORDER BY n.key LIMIT ?3";

impl Kind for Numbers {
    fn collection(&self) -> Collection {
        Collection::Numbers
    }

    fn select(&self) -> &'static str {
        SELECT
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        let reference = |at_key: usize, at_kind: usize| -> rusqlite::Result<Option<(String, String)>> {
            let (key, kind): (Option<i64>, Option<String>) = (row.get(at_key)?, row.get(at_kind)?);
            Ok(key.zip(kind).map(|(key, kind)| (TargetKind::id_of(&kind, key), kind)))
        };
        Ok(json!({
            "id": Collection::Numbers.id(key),
            "number": row.get::<_, String>(1)?,
            "kind": row.get::<_, String>(2)?,
            "label": row.get::<_, String>(3)?,
            "destination": reference(4, 5)?.map(|(id, kind)| json!({ "kind": kind, "id": id })),
            "default": row.get::<_, bool>(9)?,
            "emergency_callback": row.get::<_, bool>(6)?,
            "owner": reference(7, 8)?.map(|(id, _)| id),
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let number = body.text("number", Need::Required, text::e164);
        let kind = body.one_of("kind", Need::Optional, KINDS).unwrap_or("local");
        let label = body.text("label", Need::Optional, text::label).unwrap_or_default();
        let destination = body.nullable_target("destination", DESTINATIONS).set();
        let emergency = body.boolean("emergency_callback", Need::Optional).unwrap_or_default();
        body.finish()?;
        let number = number.unwrap_or_default();
        if db.prepare_cached("SELECT 1 FROM numbers WHERE number = ?1")?.exists([number])? {
            return Err(Problem::conflict_at(Code::NumberTaken, "/number", "is in the account already"));
        }
        if let Some(target) = destination {
            require(db, target, "/destination")?;
        }
        let key = insert(db, number, kind, label, destination.map(|target| target.key), emergency, None)?;
        Ok((key, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let kind = body.one_of("kind", Need::Optional, KINDS);
        let label = body.text("label", Need::Optional, text::label);
        let destination = body.nullable_target("destination", DESTINATIONS);
        let emergency = body.boolean("emergency_callback", Need::Optional);
        body.finish()?;
        match destination {
            Change::Keep => {}
            Change::Clear if is_default(db, key)? => {
                let detail = "cannot be null for the default number: callers of the main line would not reach anyone";
                return Err(Problem::conflict_at(Code::DefaultNumber, "/destination", detail));
            }
            Change::Clear => {
                db.prepare_cached("UPDATE numbers SET destination = NULL WHERE key = ?1")?.execute([key])?;
            }
            Change::Set(target) => {
                require(db, target, "/destination")?;
                db.prepare_cached("UPDATE numbers SET destination = ?2 WHERE key = ?1")?.execute([key, target.key])?;
            }
        }
        db.prepare_cached(
            "UPDATE numbers SET kind = coalesce(?2, kind), label = coalesce(?3, label), \
             emergency_callback = coalesce(?4, emergency_callback) WHERE key = ?1",
        )?
        .execute(params![key, kind, label, emergency])?;
        Ok(Effects::default())
    }

    fn delete(&self, db: &Connection, key: i64) -> Result<Effects, Problem> {
        if is_default(db, key)? {
            return Err(Problem::new(Code::DefaultNumber, "the default number cannot be deleted"));
        }
        remove(db, Collection::Numbers, key)?;
        Ok(Effects::default())
    }
}

/// Adds a row; returns its key. Destination and owner are keys of extensions.
pub(in crate::sandbox) fn insert(
    db: &Connection,
    number: &str,
    kind: &str,
    label: &str,
    destination: Option<i64>,
    emergency_callback: bool,
    owner: Option<i64>,
) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO numbers (number, kind, label, destination, emergency_callback, owner) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.insert(params![number, kind, label, destination, emergency_callback, owner])
}

/// Gives a new extension its own number: the first free one after the account's default number.
pub(in crate::sandbox) fn bundle(db: &Connection, owner: i64) -> Result<Effects, Problem> {
    let number = next_free(db)?;
    let key = insert(db, &number, "local", "", Some(owner), false, Some(owner))?;
    let after = Numbers.row(db, key)?;
    Ok(Effects { also: vec![Effect { collection: Collection::Numbers, before: None, after }], hidden: false })
}

/// Releases the numbers that an extension owns.
pub(super) fn release_owned(db: &Connection, owner: i64) -> Result<Effects, Problem> {
    let keys: Vec<i64> = db
        .prepare_cached("SELECT key FROM numbers WHERE owner = ?1 ORDER BY key")?
        .query_map([owner], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut effects = Effects::default();
    for key in keys {
        let before = Numbers.row(db, key)?;
        remove(db, Collection::Numbers, key)?;
        effects.also.push(Effect { collection: Collection::Numbers, before, after: None });
    }
    Ok(effects)
}

/// The end of the unbroken run of numbers that starts at the default number, plus one.
fn next_free(db: &Connection) -> Result<String, Problem> {
    let last: Option<String> = db
        .prepare_cached(
            "SELECT n.number FROM numbers n JOIN account a JOIN numbers d ON d.key = a.default_number \
             WHERE n.number >= d.number AND length(n.number) = length(d.number) AND NOT EXISTS \
             (SELECT 1 FROM numbers x WHERE x.number = '+' || (CAST(substr(n.number, 2) AS INTEGER) + 1)) \
             ORDER BY n.number LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    last.and_then(|number| number.strip_prefix('+')?.parse::<u64>().ok())
        .map(|digits| format!("+{}", digits + 1))
        .filter(|number| text::e164(number).is_ok())
        .ok_or_else(|| Problem::new(Code::Exhausted, "no number is free after the default number"))
}

fn is_default(db: &Connection, key: i64) -> Result<bool, Problem> {
    Ok(db.prepare_cached("SELECT 1 FROM account WHERE default_number = ?1")?.exists([key])?)
}
