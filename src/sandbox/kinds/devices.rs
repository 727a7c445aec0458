//! Devices of users: at most one each of analog phone, IP phone and external line per user, any number of mobile apps.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, Reference, require};
use crate::sandbox::collection::{Collection, Target, TargetKind};
use crate::sandbox::fields::{Fields, Need};
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

pub(super) struct Devices;

pub(in crate::sandbox) const KINDS: &[&str] = &["analog_phone", "ip_phone", "external", "mobile_app"];
/// The one kind of which a user may have several.
pub(in crate::sandbox) const MANY: &str = "mobile_app";

impl Kind for Devices {
    fn collection(&self) -> Collection {
        Collection::Devices
    }

    fn select(&self) -> &'static str {
        "SELECT key, user, name, kind FROM devices WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Devices.id(key),
            "user": Collection::Users.id(row.get(1)?),
            "name": row.get::<_, String>(2)?,
            "kind": row.get::<_, String>(3)?,
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let user = body.id("user", Need::Required, Collection::Users.prefix());
        let name = body.text("name", Need::Required, text::name);
        let kind = body.one_of("kind", Need::Required, KINDS);
        body.finish()?;
        let (user, name, kind) = (user.unwrap_or_default(), name.unwrap_or_default(), kind.unwrap_or_default());
        require(db, Target { kind: TargetKind::User, key: user }, "/user")?;
        check_name(db, name, 0)?;
        if kind != MANY
            && db.prepare_cached("SELECT 1 FROM devices WHERE user = ?1 AND kind = ?2")?.exists(params![user, kind])?
        {
            return Err(Problem::conflict_at(Code::Conflict, "/kind", format!("the user has an {kind} already")));
        }
        Ok((insert(db, user, name, kind)?, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let name = body.text("name", Need::Optional, text::name);
        body.finish()?;
        if let Some(name) = name {
            check_name(db, name, key)?;
            db.prepare_cached("UPDATE devices SET name = ?2, name_key = ?3 WHERE key = ?1")?.execute(params![
                key,
                name,
                text::name_key(name)
            ])?;
        }
        Ok(Effects::default())
    }

    fn references(&self) -> &'static [Reference] {
        &[(
            Collection::RingGroups,
            "members",
            "SELECT e.key, e.name FROM members m JOIN extensions e ON e.key = m.ring_group WHERE m.device = ?1",
        )]
    }
}

/// Adds a row; returns its key.
pub(in crate::sandbox) fn insert(db: &Connection, user: i64, name: &str, kind: &str) -> rusqlite::Result<i64> {
    db.prepare_cached("INSERT INTO devices (user, name, name_key, kind) VALUES (?1, ?2, ?3, ?4)")?.insert(params![
        user,
        name,
        text::name_key(name),
        kind
    ])
}

fn check_name(db: &Connection, name: &str, but: i64) -> Result<(), Problem> {
    let sql = "SELECT 1 FROM devices WHERE name_key = ?1 AND key <> ?2";
    if db.prepare_cached(sql)?.exists(params![text::name_key(name), but])? {
        return Err(Problem::conflict_at(Code::NameTaken, "/name", "is taken by another device"));
    }
    Ok(())
}
