//! Locations: where users are, and therefore where an emergency call is sent.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, Reference, remove};
use crate::sandbox::collection::Collection;
use crate::sandbox::fields::{Fields, Need};
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

pub(super) struct Locations;

impl Kind for Locations {
    fn collection(&self) -> Collection {
        Collection::Locations
    }

    fn select(&self) -> &'static str {
        "SELECT key, label, address FROM locations WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Locations.id(key),
            "label": row.get::<_, String>(1)?,
            "address": row.get::<_, String>(2)?,
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let label = body.text("label", Need::Required, text::name);
        let address = body.text("address", Need::Optional, text::label).unwrap_or_default();
        body.finish()?;
        let label = label.unwrap_or_default();
        check_label(db, label, 0)?;
        Ok((insert(db, label, address)?, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let label = body.text("label", Need::Optional, text::name);
        let address = body.text("address", Need::Optional, text::label);
        body.finish()?;
        if let Some(label) = label {
            check_label(db, label, key)?;
        }
        db.prepare_cached(
            "UPDATE locations SET label = coalesce(?2, label), label_key = coalesce(?3, label_key), \
             address = coalesce(?4, address) WHERE key = ?1",
        )?
        .execute(params![key, label, label.map(text::name_key), address])?;
        Ok(Effects::default())
    }

    fn references(&self) -> &'static [Reference] {
        &[(
            Collection::Users,
            "location",
            "SELECT u.key, e.name FROM users u JOIN extensions e ON e.key = u.key WHERE u.location = ?1 LIMIT 20",
        )]
    }

    fn delete(&self, db: &Connection, key: i64) -> Result<Effects, Problem> {
        // A new user needs a location to be put in.
        let others = db.prepare_cached("SELECT 1 FROM locations WHERE key <> ?1")?.exists([key])?;
        if !others {
            return Err(Problem::new(Code::Conflict, "the last location of an account cannot be deleted"));
        }
        remove(db, Collection::Locations, key)?;
        Ok(Effects::default())
    }
}

/// Adds a row; returns its key.
pub(in crate::sandbox) fn insert(db: &Connection, label: &str, address: &str) -> rusqlite::Result<i64> {
    db.prepare_cached("INSERT INTO locations (label, label_key, address) VALUES (?1, ?2, ?3)")?.insert(params![
        label,
        text::name_key(label),
        address
    ])
}

fn check_label(db: &Connection, label: &str, but: i64) -> Result<(), Problem> {
    let sql = "SELECT 1 FROM locations WHERE label_key = ?1 AND key <> ?2";
    if db.prepare_cached(sql)?.exists(params![text::name_key(label), but])? {
        return Err(Problem::conflict_at(Code::NameTaken, "/label", "is taken by another location"));
    }
    Ok(())
}
