//! The account itself: its document, with what the server can do, and how a new one begins.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::collection::{Collection, TargetKind};
use super::kinds::{self, extensions, limits, locations, numbers, receptionists, users};
use super::problem::Problem;
use super::{etag, text, write};
use crate::model::{FieldName, emergency_numbers};

/// The first numbers of new accounts. Where a country has numbers set aside for fiction, it is one of those.
const MAIN_NUMBERS: &[(&str, &str)] = &[
    ("AU", "+61255500100"),
    ("BE", "+3225550100"),
    ("CA", "+14165550100"),
    ("CH", "+41445550100"),
    ("DE", "+493023125000"),
    ("ES", "+34910000100"),
    ("FR", "+33142685300"),
    ("GB", "+442079460000"),
    ("IE", "+35315550100"),
    ("IT", "+390655501000"),
    ("NL", "+31205550100"),
    ("PT", "+351210000100"),
    ("US", "+12125550100"),
];

/// The countries of accounts that can be created without a seed.
pub fn countries() -> impl Iterator<Item = &'static str> {
    MAIN_NUMBERS.iter().map(|(country, _)| *country)
}

pub(super) fn main_number(country: &str) -> Option<&'static str> {
    MAIN_NUMBERS.iter().find(|(known, _)| *known == country).map(|(_, number)| *number)
}

/// The account document.
pub(super) fn read(db: &Connection, per_second: Option<u32>) -> Result<Value, Problem> {
    let sql = "SELECT a.id, a.name, a.country, n.number FROM account a LEFT JOIN numbers n ON n.key = a.default_number";
    let mut account = db.query_row(sql, [], |row| {
        Ok(json!({
            "id": row.get::<_, String>(0)?,
            "name": row.get::<_, String>(1)?,
            "country": row.get::<_, String>(2)?,
            "default_number": row.get::<_, Option<String>>(3)?,
        }))
    })?;
    let country = account.get("country").and_then(Value::as_str).unwrap_or_default();
    let capabilities = capabilities(country, per_second);
    let owners = kinds::owners(db)?;
    // Creating and deleting a claim restores the document, but must not restore its tag.
    let version = write::version(db, Collection::Owners)?;
    if let Value::Object(map) = &mut account {
        map.insert("capabilities".to_owned(), capabilities);
        map.insert("owners".to_owned(), Value::Array(owners));
        map.insert("etag".to_owned(), Value::String(etag::of(&format!("{} {version}", Value::Object(map.clone())))));
    }
    Ok(account)
}

fn capabilities(country: &str, per_second: Option<u32>) -> Value {
    let names = |kinds: &[TargetKind]| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>();
    let (min, max, default) = limits::RING_FOR;
    json!({
        "page_limit": super::page::MAX_LIMIT,
        "extension_digits": { "min": 3, "max": 4 },
        "reserved_extensions": emergency_numbers(Some(country)),
        "name_length": text::NAME_MOST,
        "label_length": text::LABEL_MOST,
        "ring_modes": limits::RING_MODES,
        (FieldName::RingFor.as_str()): { "min": min, "max": max, "default": default },
        "members": { "kinds": names(limits::MEMBER_KINDS), "max": limits::MAX_MEMBERS },
        "no_answer_kinds": names(limits::NO_ANSWER_KINDS),
        "destination_kinds": names(limits::DESTINATIONS),
        "requests": { "per_second": per_second, "concurrent": 16 },
    })
}

/// The country of the account.
pub(super) fn country(db: &Connection) -> rusqlite::Result<String> {
    db.prepare_cached("SELECT country FROM account")?.query_row([], |row| row.get(0))
}

/// Whether the state has an account.
pub(super) fn exists(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM account")?.exists([])
}

/// A new account: one number to the receptionist, a second one to the first user.
pub(super) fn create_account(db: &Connection, name: &str, country: &str, number: &str) -> Result<(), Problem> {
    let office = locations::insert(db, "Office", "")?;
    let receptionist = extensions::insert(db, TargetKind::Receptionist, "main", receptionist_extension(country))?;
    receptionists::insert(db, receptionist, "UTC")?;
    numbers::insert(db, number, "local", "", Some(receptionist), false, None)?;
    insert_account(db, name, country, number)?;
    let user = extensions::insert(db, TargetKind::User, "First User", "201")?;
    users::insert(db, user, "first.user@example.org", office, true, ("disabled", None))?;
    numbers::bundle(db, user)?;
    Ok(())
}

/// Puts a number behind the name of a new account, and makes its id that of no other account of the server.
pub(super) fn number(db: &Connection, number: u32) -> rusqlite::Result<()> {
    let sql = "SELECT a.name, a.country, n.number FROM account a JOIN numbers n ON n.key = a.default_number";
    let text = |row: &rusqlite::Row<'_>, at| row.get::<_, String>(at);
    let (name, country, main) = db.query_row(sql, [], |row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?)))?;
    // Room for the number in a name that is as long as names may be.
    let name: String = name.chars().take(text::NAME_MOST - 11).collect();
    let name = format!("{} {number}", name.trim_end());
    db.execute("UPDATE account SET id = ?1, name = ?2", [id(&name, &country, &main), name])?;
    Ok(())
}

/// The id of a new account. It is derived from the arguments, so a recreated account has the same id.
fn id(name: &str, country: &str, default_number: &str) -> String {
    format!("acc_{}", etag::digest(format!("{name}\n{country}\n{default_number}").as_bytes(), 8))
}

/// 100 by convention, except where that is a public service number.
fn receptionist_extension(country: &str) -> &'static str {
    if text::is_reserved("100", country) { "200" } else { "100" }
}

/// Writes the account's own row; its default number must be there already.
pub(super) fn insert_account(db: &Connection, name: &str, country: &str, default_number: &str) -> rusqlite::Result<()> {
    let id = id(name, country, default_number);
    db.execute(
        "INSERT INTO account (one, id, name, country, default_number) VALUES (1, ?1, ?2, ?3, (SELECT key FROM numbers WHERE number = ?4))",
        params![id, name, country, default_number],
    )?;
    Ok(())
}
