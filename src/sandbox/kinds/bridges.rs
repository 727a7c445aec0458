//! Conference bridges: the rooms of a conference line. PINs are write-only.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, require};
use crate::sandbox::collection::{Collection, Target, TargetKind};
use crate::sandbox::etag;
use crate::sandbox::fields::{Change, Fields, Need};
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

pub(super) struct Bridges;

const MAX_PARTICIPANTS: i64 = 10;

impl Kind for Bridges {
    fn collection(&self) -> Collection {
        Collection::Bridges
    }

    fn select(&self) -> &'static str {
        "SELECT key, conference, name, number, pin_digest IS NOT NULL, assigned_to FROM bridges \
         WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Bridges.id(key),
            "conference": Collection::Conferences.id(row.get(1)?),
            "name": row.get::<_, String>(2)?,
            "number": row.get::<_, String>(3)?,
            "pin_set": row.get::<_, bool>(4)?,
            "assigned_to": row.get::<_, Option<i64>>(5)?.map(|key| Collection::Users.id(key)),
            "max_participants": MAX_PARTICIPANTS,
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let conference = body.id("conference", Need::Required, Collection::Conferences.prefix());
        let name = body.text("name", Need::Required, text::name);
        let number = body.text("number", Need::Required, text::room);
        let pin = body.nullable_text("pin", text::pin).set();
        let assigned_to = body.nullable_id("assigned_to", Collection::Users.prefix()).set();
        body.finish()?;
        let (conference, number) = (conference.unwrap_or_default(), number.unwrap_or_default());
        require(db, Target { kind: TargetKind::Conference, key: conference }, "/conference")?;
        check(db, Some(number), assigned_to, 0)?;
        let pin = pin.map(pin_digest);
        let key = insert(db, conference, name.unwrap_or_default(), number, pin.as_deref(), assigned_to)?;
        Ok((key, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let name = body.text("name", Need::Optional, text::name);
        let number = body.text("number", Need::Optional, text::room);
        let pin = body.nullable_text("pin", text::pin);
        let assigned_to = body.nullable_id("assigned_to", Collection::Users.prefix());
        body.finish()?;
        check(db, number, assigned_to.set(), key)?;
        db.prepare_cached(
            "UPDATE bridges SET name = coalesce(?2, name), number = coalesce(?3, number) WHERE key = ?1",
        )?
        .execute(params![key, name, number])?;
        if assigned_to != Change::Keep {
            let user = assigned_to.set();
            db.prepare_cached("UPDATE bridges SET assigned_to = ?2 WHERE key = ?1")?.execute(params![key, user])?;
        }
        let hidden = match pin {
            Change::Keep => false,
            Change::Clear => set_pin(db, key, None)?,
            Change::Set(pin) => set_pin(db, key, Some(pin))?,
        };
        Ok(Effects { hidden, ..Effects::default() })
    }
}

/// Adds a row; returns its key.
pub(in crate::sandbox) fn insert(
    db: &Connection,
    conference: i64,
    name: &str,
    number: &str,
    pin_digest: Option<&str>,
    assigned_to: Option<i64>,
) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO bridges (conference, name, number, pin_digest, assigned_to) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(sql)?.insert(params![conference, name, number, pin_digest, assigned_to])
}

/// Returns whether the PIN is another one than before.
fn set_pin(db: &Connection, key: i64, pin: Option<&str>) -> Result<bool, Problem> {
    let old: Option<String> =
        db.query_row("SELECT pin_digest FROM bridges WHERE key = ?1", [key], |row| row.get(0)).optional()?.flatten();
    let new = pin.map(pin_digest);
    if old == new {
        return Ok(false);
    }
    db.prepare_cached("UPDATE bridges SET pin_digest = ?2 WHERE key = ?1")?.execute(params![key, new])?;
    Ok(true)
}

fn check(db: &Connection, number: Option<&str>, assigned_to: Option<i64>, but: i64) -> Result<(), Problem> {
    if let Some(number) = number
        && db.prepare_cached("SELECT 1 FROM bridges WHERE number = ?1 AND key <> ?2")?.exists(params![number, but])?
    {
        return Err(Problem::conflict_at(Code::NumberTaken, "/number", "is taken by another bridge"));
    }
    if let Some(key) = assigned_to {
        require(db, Target { kind: TargetKind::User, key }, "/assigned_to")?;
    }
    Ok(())
}

/// Only detects whether a PIN has changed; the sandbox never verifies one.
pub(in crate::sandbox) fn pin_digest(pin: &str) -> String {
    etag::digest(format!("bridge-pin:{pin}").as_bytes(), 16)
}
