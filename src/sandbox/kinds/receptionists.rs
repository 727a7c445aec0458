//! Virtual receptionists. Their extension number is given once and never changed.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, Row, extensions, require};
use crate::sandbox::collection::{Collection, Target, TargetKind};
use crate::sandbox::fields::{Fields, Mode, Need};
use crate::sandbox::page::join;
use crate::sandbox::problem::Problem;
use crate::sandbox::text;

pub(super) struct Receptionists;

/// The destinations that a key may have.
pub(in crate::sandbox) const KEY_TARGETS: &[TargetKind] =
    &[TargetKind::User, TargetKind::RingGroup, TargetKind::Voicemail, TargetKind::Conference, TargetKind::Receptionist];
pub(in crate::sandbox) const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"];

/// Per key: a target, or `None` to clear it.
type Keys<'a> = Vec<(&'a str, Option<Target>)>;

impl Kind for Receptionists {
    fn collection(&self) -> Collection {
        Collection::Receptionists
    }

    fn select(&self) -> &'static str {
        "SELECT r.key, e.name, e.extension, r.timezone FROM receptionists r JOIN extensions e ON e.key = r.key \
         WHERE r.key > ?1 AND r.key <= ?2 ORDER BY r.key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Receptionists.id(key),
            "name": row.get::<_, String>(1)?,
            "extension": row.get::<_, String>(2)?,
            "timezone": row.get::<_, String>(3)?,
            "keys": {},
        }))
    }

    fn embed(&self, db: &Connection, receptionists: &mut [Row]) -> Result<(), Problem> {
        let sql = "SELECT receptionist, digit, kind, target FROM keys WHERE receptionist BETWEEN ?1 AND ?2 \
                   ORDER BY receptionist, digit";
        join(db, receptionists, sql, |receptionist, row| {
            let kind: String = row.get(2)?;
            let target = json!({ "id": TargetKind::id_of(&kind, row.get(3)?), "kind": kind });
            if let Some(Value::Object(keys)) = receptionist.get_mut("keys") {
                keys.insert(row.get(1)?, target);
            }
            Ok(())
        })
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let name = body.text("name", Need::Required, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        let timezone = body.text("timezone", Need::Optional, text::timezone).unwrap_or("UTC");
        let keys = body.object("keys", Need::Optional, keys).unwrap_or_default();
        body.finish()?;
        let key = extensions::create(db, TargetKind::Receptionist, name.unwrap_or_default(), extension)?;
        insert(db, key, timezone)?;
        set_keys(db, key, &keys)?;
        Ok((key, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let name = body.text("name", Need::Optional, text::name);
        if body.value("extension", Need::Optional).is_some() {
            body.reject("extension", "cannot be changed on a receptionist");
        }
        let timezone = body.text("timezone", Need::Optional, text::timezone);
        let keys = body.object("keys", Need::Optional, keys).unwrap_or_default();
        body.finish()?;
        extensions::update(db, key, name, None)?;
        db.prepare_cached("UPDATE receptionists SET timezone = coalesce(?2, timezone) WHERE key = ?1")?
            .execute(params![key, timezone])?;
        set_keys(db, key, &keys)?;
        Ok(Effects::default())
    }
}

/// A merge patch of the keys: a patch clears one with `null`, a create has nothing to clear.
fn keys<'a>(body: &mut Fields<'a>) -> Keys<'a> {
    let mut keys = Vec::new();
    for (digit, value) in body.members() {
        body.know(digit);
        if !DIGITS.contains(&digit.as_str()) {
            body.reject(digit, "is not a key; keys are 0 to 9, * and #");
        } else if value.is_null() && body.mode() == Mode::Patch {
            keys.push((digit.as_str(), None));
        } else if let Some(target) = body.target(digit, value, KEY_TARGETS) {
            keys.push((digit.as_str(), Some(target)));
        }
    }
    keys
}

/// Adds the row of the extension with this key.
pub(in crate::sandbox) fn insert(db: &Connection, key: i64, timezone: &str) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO receptionists (key, timezone) VALUES (?1, ?2)")?;
    insert.execute(params![key, timezone]).map(drop)
}

pub(in crate::sandbox) fn set_key(
    db: &Connection,
    receptionist: i64,
    digit: &str,
    target: Target,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO keys (receptionist, digit, kind, target) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![receptionist, digit, target.kind.name(), target.key])
        .map(drop)
}

fn set_keys(db: &Connection, receptionist: i64, keys: &Keys<'_>) -> Result<(), Problem> {
    for (digit, target) in keys {
        match target {
            None => {
                db.prepare_cached("DELETE FROM keys WHERE receptionist = ?1 AND digit = ?2")?
                    .execute(params![receptionist, digit])?;
            }
            Some(target) => {
                require(db, *target, &format!("/keys/{digit}"))?;
                set_key(db, receptionist, digit, *target)?;
            }
        }
    }
    Ok(())
}
