//! Users. A new user brings a number and a voicemail box; deleting one releases the numbers that came with it.
//!
//! The representation embeds the user's devices and voicemail box, so that a reader needs no second list.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, Row, bundle, extensions};
use crate::sandbox::collection::{Collection, TargetKind};
use crate::sandbox::fields::{Fields, Need};
use crate::sandbox::page::join;
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

pub(super) struct Users;

/// How a user's calls are forwarded.
pub(in crate::sandbox) const FORWARDING: &[&str] = &["disabled", "when_offline", "enabled"];

/// The fields of a user in a body, besides name and extension.
struct Details<'a> {
    email: Option<&'a str>,
    location: Option<i64>,
    voicemail: Option<bool>,
    forwarding: Option<(&'static str, Option<&'a str>)>,
}

impl Kind for Users {
    fn collection(&self) -> Collection {
        Collection::Users
    }

    fn select(&self) -> &'static str {
        "SELECT u.key, e.name, e.extension, u.email, u.location, u.voicemail, u.forwarding_mode, u.forwarding_to \
         FROM users u JOIN extensions e ON e.key = u.key \
         WHERE u.key > ?1 AND u.key <= ?2 ORDER BY u.key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        Ok(json!({
            "id": Collection::Users.id(key),
            "name": row.get::<_, String>(1)?,
            "email": row.get::<_, String>(3)?,
            "extension": row.get::<_, String>(2)?,
            "location": Collection::Locations.id(row.get(4)?),
            "voicemail": { "id": format!("{}_{key}", TargetKind::Voicemail.prefix()), "enabled": row.get::<_, bool>(5)? },
            "forwarding": { "mode": row.get::<_, String>(6)?, "to": row.get::<_, Option<String>>(7)? },
            "devices": [],
        }))
    }

    fn embed(&self, db: &Connection, users: &mut [Row]) -> Result<(), Problem> {
        let sql = "SELECT user, key, name, kind FROM devices WHERE user BETWEEN ?1 AND ?2 ORDER BY user, key";
        join(db, users, sql, |user, row| {
            let device = json!({
                "id": Collection::Devices.id(row.get(1)?),
                "name": row.get::<_, String>(2)?,
                "kind": row.get::<_, String>(3)?,
            });
            if let Some(Value::Array(devices)) = user.get_mut("devices") {
                devices.push(device);
            }
            Ok(())
        })
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let name = body.text("name", Need::Required, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        let details = details(&mut body);
        body.finish()?;
        check(db, &details, 0)?;
        let location = match details.location {
            Some(location) => location,
            None => db.query_row("SELECT min(key) FROM locations", [], |row| row.get(0))?,
        };
        let key = extensions::create(db, TargetKind::User, name.unwrap_or_default(), extension)?;
        let email = details.email.unwrap_or_default();
        let (mode, to) = details.forwarding.unwrap_or(("disabled", None));
        insert(db, key, email, location, details.voicemail.unwrap_or(true), (mode, to))?;
        Ok((key, bundle(db, key)?))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let name = body.text("name", Need::Optional, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        let details = details(&mut body);
        body.finish()?;
        check(db, &details, key)?;
        extensions::update(db, key, name, extension)?;
        db.prepare_cached(
            "UPDATE users SET email = coalesce(?2, email), email_key = coalesce(?3, email_key), \
             location = coalesce(?4, location), voicemail = coalesce(?5, voicemail) WHERE key = ?1",
        )?
        .execute(params![
            key,
            details.email,
            details.email.map(text::name_key),
            details.location,
            details.voicemail
        ])?;
        if let Some((mode, to)) = details.forwarding {
            db.prepare_cached("UPDATE users SET forwarding_mode = ?2, forwarding_to = ?3 WHERE key = ?1")?
                .execute(params![key, mode, to])?;
        }
        Ok(Effects::default())
    }
}

/// Adds the row of the extension with this key.
pub(in crate::sandbox) fn insert(
    db: &Connection,
    key: i64,
    email: &str,
    location: i64,
    voicemail: bool,
    (mode, to): (&str, Option<&str>),
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO users (key, email, email_key, location, voicemail, forwarding_mode, forwarding_to) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![key, email, text::name_key(email), location, voicemail, mode, to];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

fn details<'a>(body: &mut Fields<'a>) -> Details<'a> {
    Details {
        email: body.text("email", Need::Required, text::email),
        location: body.id("location", Need::Optional, Collection::Locations.prefix()),
        voicemail: body.object("voicemail", Need::Optional, |v| v.boolean("enabled", Need::Optional)).flatten(),
        forwarding: body.object("forwarding", Need::Optional, forwarding).flatten(),
    }
}

/// Mode and target are one value, in a patch too: forwarding without a target would lose the calls.
fn forwarding<'a>(body: &mut Fields<'a>) -> Option<(&'static str, Option<&'a str>)> {
    let mode = body.one_of("mode", Need::Optional, FORWARDING);
    let to = body.nullable_text("to", text::e164).set();
    if mode.is_none() && !body.members().contains_key("mode") {
        body.reject("mode", "is required");
    }
    // Invalid numbers have been rejected already.
    let given = body.members().get("to").is_some_and(|to| !to.is_null());
    if mode.is_some_and(|m| m != "disabled") && !given {
        body.reject("to", "is required unless the mode is disabled");
    }
    mode.map(|mode| (mode, to))
}

fn check(db: &Connection, details: &Details<'_>, but: i64) -> Result<(), Problem> {
    if let Some(email) = details.email {
        let holder: Option<String> = db
            .prepare_cached(
                "SELECT e.name FROM users u JOIN extensions e ON e.key = u.key WHERE u.email_key = ?1 AND u.key <> ?2",
            )?
            .query_row(params![text::name_key(email), but], |row| row.get(0))
            .optional()?;
        if let Some(name) = holder {
            return Err(Problem::conflict_at(Code::NameTaken, "/email", format!("is taken by user {name}")));
        }
    }
    if let Some(location) = details.location
        && !db.prepare_cached("SELECT 1 FROM locations WHERE key = ?1")?.exists([location])?
    {
        let detail = format!("refers to {}, which does not exist", Collection::Locations.id(location));
        return Err(Problem::conflict_at(Code::UnknownReference, "/location", detail));
    }
    Ok(())
}
