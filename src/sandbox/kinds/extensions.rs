//! What users, ring groups, receptionists and conference lines have in common: a name and an extension number,
//! each unique across all four, and the things that may point at them.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Effects, Reference};
use crate::sandbox::account;
use crate::sandbox::collection::{Collection, TargetKind};
use crate::sandbox::problem::{Code, Problem, Referrer};
use crate::sandbox::text;

/// Checks and makes a base row. Without an extension number the lowest free one is taken.
pub(super) fn create(db: &Connection, kind: TargetKind, name: &str, extension: Option<&str>) -> Result<i64, Problem> {
    check_name(db, name, 0)?;
    let extension = match extension {
        Some(wanted) => {
            check_extension(db, wanted, 0)?;
            wanted.to_owned()
        }
        None => lowest_free(db)?,
    };
    Ok(insert(db, kind, name, &extension)?)
}

/// Adds a base row; returns its key.
pub(in crate::sandbox) fn insert(
    db: &Connection,
    kind: TargetKind,
    name: &str,
    extension: &str,
) -> rusqlite::Result<i64> {
    db.prepare_cached("INSERT INTO extensions (kind, name, name_key, extension) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![kind.name(), name, text::name_key(name), extension])
}

/// Renames or renumbers; `None` leaves as is.
pub(super) fn update(db: &Connection, key: i64, name: Option<&str>, extension: Option<&str>) -> Result<(), Problem> {
    if let Some(name) = name {
        check_name(db, name, key)?;
        db.prepare_cached("UPDATE extensions SET name = ?2, name_key = ?3 WHERE key = ?1")?.execute(params![
            key,
            name,
            text::name_key(name)
        ])?;
    }
    if let Some(extension) = extension {
        check_extension(db, extension, key)?;
        db.prepare_cached("UPDATE extensions SET extension = ?2 WHERE key = ?1")?.execute(params![key, extension])?;
    }
    Ok(())
}

/// Deletes the base row, which cascades to the detail row, and the numbers that were bundled with it.
pub(super) fn delete(db: &Connection, key: i64) -> Result<Effects, Problem> {
    let effects = super::numbers::release_owned(db, key)?;
    db.prepare_cached("DELETE FROM extensions WHERE key = ?1")?.execute([key])?;
    Ok(effects)
}

/// What may point at an extension.
pub(super) const REFERENCES: &[Reference] = &[
    // A bundled number is deleted if it still leads here; one that leads elsewhere is in use.
    (Collection::Numbers, "destination", "SELECT key, number FROM numbers WHERE destination = ?1 AND owner IS NOT ?1"),
    (Collection::Numbers, "owner", "SELECT key, number FROM numbers WHERE owner = ?1 AND destination <> ?1"),
    (
        Collection::RingGroups,
        "members",
        "SELECT e.key, e.name FROM members m JOIN extensions e ON e.key = m.ring_group WHERE m.user = ?1 \
         UNION SELECT e.key, e.name FROM devices d JOIN members m ON m.device = d.key \
         JOIN extensions e ON e.key = m.ring_group WHERE d.user = ?1",
    ),
    (
        Collection::RingGroups,
        "no_answer",
        "SELECT e.key, e.name FROM ring_groups g JOIN extensions e ON e.key = g.key WHERE g.no_answer = ?1",
    ),
    // Its own keys do not keep a receptionist alive.
    (
        Collection::Receptionists,
        "keys",
        "SELECT DISTINCT e.key, e.name FROM keys k JOIN extensions e ON e.key = k.receptionist \
         WHERE k.target = ?1 AND k.receptionist <> ?1",
    ),
    (Collection::Bridges, "assigned_to", "SELECT key, name FROM bridges WHERE assigned_to = ?1"),
    (Collection::Bridges, "conference", "SELECT key, name FROM bridges WHERE conference = ?1"),
];

/// The account, if the extension owns its default number, which would go with it.
pub(super) fn account_with_default_number(db: &Connection, key: i64) -> Result<Option<Referrer>, Problem> {
    let sql = "SELECT a.name FROM account a JOIN numbers n ON n.key = a.default_number WHERE n.owner = ?1";
    let name = db.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?;
    let referrer =
        |name| Referrer { kind: "account", id: "account".to_owned(), name, field: "default_number".to_owned() };
    Ok(name.map(referrer))
}

fn check_name(db: &Connection, name: &str, but: i64) -> Result<(), Problem> {
    let holder = db
        .prepare_cached("SELECT kind, name FROM extensions WHERE name_key = ?1 AND key <> ?2")?
        .query_row(params![text::name_key(name), but], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    match holder {
        None => Ok(()),
        Some((kind, name)) => Err(Problem::conflict_at(Code::NameTaken, "/name", format!("is taken by {kind} {name}"))),
    }
}

fn check_extension(db: &Connection, extension: &str, but: i64) -> Result<(), Problem> {
    let own = "SELECT 1 FROM extensions WHERE extension = ?1 AND key = ?2";
    if text::is_reserved(extension, &account::country(db)?)
        && !db.prepare_cached(own)?.exists(params![extension, but])?
    {
        return Err(Problem::conflict_at(Code::Conflict, "/extension", text::RESERVED));
    }
    let holder = db
        .prepare_cached("SELECT kind, name FROM extensions WHERE extension = ?1 AND key <> ?2")?
        .query_row(params![extension, but], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    match holder {
        None => Ok(()),
        Some((kind, name)) => {
            Err(Problem::conflict_at(Code::NumberTaken, "/extension", format!("is taken by {kind} {name}")))
        }
    }
}

/// The lowest free extension number: 100 to 999, then 1000 to 9999, without those that are reserved.
fn lowest_free(db: &Connection) -> Result<String, Problem> {
    let mut taken: Vec<bool> = vec![false; 10_000];
    let mut statement = db.prepare_cached("SELECT extension FROM extensions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // "0300" and "300" are two extensions: only a number without a leading zero blocks its value.
        let text: String = row.get(0)?;
        if let Some(slot) = text.parse().ok().filter(|_| !text.starts_with('0')).and_then(|n: usize| taken.get_mut(n)) {
            *slot = true;
        }
    }
    let country = account::country(db)?;
    let free = taken.iter().enumerate().skip(100).filter(|(_, taken)| !**taken).map(|(number, _)| number.to_string());
    free.into_iter()
        .find(|number| !text::is_reserved(number, &country))
        .ok_or_else(|| Problem::new(Code::Exhausted, "every extension number is taken"))
}
