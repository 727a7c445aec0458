//! The three writes, the same for every kind: one transaction each, which carries the change, its audit
//! entries, the collections' new versions and, for a create, the answer to replay.
//!
//! A patch that changes nothing leaves no trace: no version, no audit entry.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde_json::{Map, Value};

use super::collection::Collection;
use super::etag::{self, Condition};
use super::fields::{Fields, Mode};
use super::kinds::{self, Effect};
use super::problem::{Code, Problem};

/// The role that writes, as the audit log names it.
pub(super) type Actor = &'static str;

/// A write request.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) actor: Actor,
    /// The program, as it calls itself: `curl/8.5.0`.
    pub(super) client: Option<Box<str>>,
    /// What names this request in the log, and makes a create repeatable.
    pub(super) key: Option<String>,
}

/// The answer to a create; `replayed` when it is an earlier one.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) object: Value,
    pub(super) replayed: bool,
}

/// The result of a write: the response, and whether anything was committed.
pub(super) type Outcome<T> = Result<(T, bool), Problem>;

pub(super) fn create(
    db: &mut Connection,
    collection: Collection,
    who: &Who,
    body: &Map<String, Value>,
) -> Outcome<Created> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let key = who.key.as_ref();
    let digest = etag::digest(Value::Object(body.clone()).to_string().as_bytes(), 32);
    if let Some(key) = key
        && let Some(object) = replay(&tx, collection, who.actor, key, &digest)?
    {
        return Ok((Created { object, replayed: true }, false));
    }
    let kind = kinds::of(collection);
    let (made, effects) = kind.create(&tx, Fields::new(body, Mode::Create))?;
    let object = kind.row(&tx, made)?.ok_or_else(Problem::not_found)?;
    renew_embedding(&tx, collection, &object)?;
    record(&tx, who, &Effect { collection, before: None, after: Some(object.clone()) })?;
    for effect in &effects.also {
        record(&tx, who, effect)?;
    }
    bump(&tx, collection)?;
    if let Some(key) = key {
        tx.prepare_cached(
            "INSERT INTO idempotency (actor, path, key, body_digest, answer, created_at) VALUES (?1, ?2, ?3, ?4, ?5, unixepoch())",
        )?
        .execute(params![who.actor, collection.name(), key, digest, object.to_string()])?;
    }
    tx.commit()?;
    Ok((Created { object, replayed: false }, true))
}

pub(super) fn update(
    db: &mut Connection,
    collection: Collection,
    key: i64,
    who: &Who,
    condition: Option<&Condition>,
    body: &Map<String, Value>,
) -> Outcome<Value> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kind = kinds::of(collection);
    let before = kind.row(&tx, key)?.ok_or_else(Problem::not_found)?;
    let updated = kind.update(&tx, key, Fields::new(body, Mode::Patch));
    // An invalid body is reported first; a failed precondition explains all other errors.
    let effects = match (updated, unchanged(&before, condition)) {
        (Err(wrong), Err(_)) if wrong.is_invalid() => return Err(wrong),
        (_, Err(stale)) => return Err(stale),
        (updated, Ok(())) => updated?,
    };
    let after = kind.row(&tx, key)?.ok_or_else(Problem::not_found)?;
    if before == after && !effects.hidden {
        return Ok((after, false));
    }
    let after = if before == after {
        after
    } else {
        etag::renew(&tx, collection, key)?;
        renew_embedding(&tx, collection, &after)?;
        kind.row(&tx, key)?.ok_or_else(Problem::not_found)?
    };
    record(&tx, who, &Effect { collection, before: Some(before), after: Some(after.clone()) })?;
    bump(&tx, collection)?;
    tx.commit()?;
    Ok((after, true))
}

pub(super) fn delete(
    db: &mut Connection,
    collection: Collection,
    key: i64,
    who: &Who,
    condition: Option<&Condition>,
) -> Outcome<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kind = kinds::of(collection);
    let before = kind.row(&tx, key)?.ok_or_else(Problem::not_found)?;
    unchanged(&before, condition)?;
    let referrers = kind.referrers(&tx, key)?;
    if !referrers.is_empty() {
        return Err(Problem::in_use(&format!("{} {}", collection.kind(), name_of(&before)), &referrers));
    }
    let effects = kind.delete(&tx, key)?;
    renew_embedding(&tx, collection, &before)?;
    for effect in &effects.also {
        record(&tx, who, effect)?;
    }
    record(&tx, who, &Effect { collection, before: Some(before), after: None })?;
    bump(&tx, collection)?;
    tx.commit()?;
    Ok(((), true))
}

/// Gives a new tag to what embeds the object: a user's devices are a part of the user.
fn renew_embedding(db: &Connection, collection: Collection, object: &Value) -> Result<(), Problem> {
    let user = object.get("user").and_then(Value::as_str).and_then(|id| Collection::Users.key(id));
    match (collection, user) {
        (Collection::Devices, Some(user)) => etag::renew(db, Collection::Users, user),
        _ => Ok(()),
    }
}

/// Fails if the client's picture of the object is an old one.
fn unchanged(object: &Value, condition: Option<&Condition>) -> Result<(), Problem> {
    let tag = etag::inside(object);
    if condition.is_none_or(|c| c.matches_strongly(tag)) {
        return Ok(());
    }
    let detail = format!("the object has changed since it was read; its tag is now {tag}");
    Err(Problem::new(Code::PreconditionFailed, detail))
}

/// The stored answer for this key, if there is one for the same body; keys live for a day.
fn replay(
    db: &Connection,
    collection: Collection,
    actor: Actor,
    key: &str,
    digest: &str,
) -> Result<Option<Value>, Problem> {
    db.prepare_cached("DELETE FROM idempotency WHERE created_at <= unixepoch() - 86400")?.execute([])?;
    let stored: Option<(String, String)> = db
        .prepare_cached("SELECT body_digest, answer FROM idempotency WHERE actor = ?1 AND path = ?2 AND key = ?3")?
        .query_row(params![actor, collection.name(), key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match stored {
        None => Ok(None),
        Some((same, answer)) if same == digest => Ok(Some(serde_json::from_str(&answer)?)),
        Some(_) => {
            Err(Problem::new(Code::IdempotencyMismatch, "this Idempotency-Key was sent with another body before"))
        }
    }
}

fn record(db: &Connection, who: &Who, effect: &Effect) -> Result<(), Problem> {
    let action = match (&effect.before, &effect.after) {
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "delete",
    };
    let Some(object) = effect.after.as_ref().or(effect.before.as_ref()) else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO audit (at, actor, client, action, object_kind, object_id, object_name, before, after, idempotency_key) \
         VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        who.actor,
        who.client,
        action,
        effect.collection.kind(),
        object.get("id").and_then(Value::as_str).unwrap_or_default(),
        name_of(object),
        effect.before.as_ref().map(Value::to_string),
        effect.after.as_ref().map(Value::to_string),
        who.key,
    ])?;
    Ok(())
}

/// What people call the object.
fn name_of(object: &Value) -> &str {
    ["number", "name", "label", "owner"].iter().find_map(|field| object.get(field)?.as_str()).unwrap_or_default()
}

/// Gives every collection whose lists may now read differently a new version.
///
/// Versions are random: one that counts would come again, for other content, in a state file that was put back or
/// created again.
fn bump(db: &Connection, collection: Collection) -> Result<(), Problem> {
    let touched: &[Collection] = match collection {
        Collection::Users => &[Collection::Users, Collection::Devices, Collection::Numbers],
        Collection::Devices => &[Collection::Devices, Collection::Users],
        Collection::Conferences => &[Collection::Conferences, Collection::Numbers],
        _ => &[collection],
    };
    let mut statement = db.prepare_cached(
        "INSERT INTO versions (collection, version) VALUES (?1, random()) \
         ON CONFLICT (collection) DO UPDATE SET version = excluded.version",
    )?;
    for collection in touched.iter().chain([&Collection::Audit]) {
        statement.execute([collection.name()])?;
    }
    Ok(())
}

/// The version of a collection: that of its last change, or else that of the state file.
pub(super) fn version(db: &Connection, collection: Collection) -> Result<i64, Problem> {
    let found = db
        .prepare_cached("SELECT version FROM versions WHERE collection IN (?1, '') ORDER BY collection DESC LIMIT 1")?
        .query_row([collection.name()], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}
