//! Conference lines: destinations of numbers, with rooms (bridges). Each line is created with its own number.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, bundle, extensions};
use crate::sandbox::collection::{Collection, TargetKind};
use crate::sandbox::fields::{Fields, Need};
use crate::sandbox::problem::Problem;
use crate::sandbox::text;

pub(super) struct Conferences;

impl Kind for Conferences {
    fn collection(&self) -> Collection {
        Collection::Conferences
    }

    fn select(&self) -> &'static str {
        "SELECT c.key, e.name, e.extension FROM conferences c JOIN extensions e ON e.key = c.key \
         WHERE c.key > ?1 AND c.key <= ?2 ORDER BY c.key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Conferences.id(key),
            "name": row.get::<_, String>(1)?,
            "extension": row.get::<_, String>(2)?,
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let name = body.text("name", Need::Required, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        body.finish()?;
        let key = extensions::create(db, TargetKind::Conference, name.unwrap_or_default(), extension)?;
        insert(db, key)?;
        Ok((key, bundle(db, key)?))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let name = body.text("name", Need::Optional, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        body.finish()?;
        extensions::update(db, key, name, extension)?;
        Ok(Effects::default())
    }
}

/// Adds the row of the extension with this key.
pub(in crate::sandbox) fn insert(db: &Connection, key: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO conferences (key) VALUES (?1)")?.execute([key]).map(drop)
}
