//! Owners: who claims the account, or a part of it. No two owners have claims that overlap.
//!
//! Claims are created and deleted, never changed: a claim replaces an older one of the same owner that overlaps it or has the
//! same account. So an id identifies one immutable claim, and `take_over` needs no tag.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Columns, Effect, Effects, Kind, remove};
use crate::model::{NamePattern, NumberPattern, Scope};
use crate::sandbox::collection::Collection;
use crate::sandbox::fields::{Change, Fields, Need};
use crate::sandbox::page::Span;
use crate::sandbox::problem::{Code, Problem};
use crate::sandbox::text;

/// The most claims of an account: its document has them all.
const MOST: usize = 100;
/// The most entries of one list of a scope.
const MOST_PATTERNS: usize = 1000;

pub(super) struct Owners;

impl Kind for Owners {
    fn collection(&self) -> Collection {
        Collection::Owners
    }

    fn select(&self) -> &'static str {
        "SELECT key, owner, account, scope, since FROM owners WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        let scope: String = row.get(3)?;
        Ok(json!({
            "id": Collection::Owners.id(key),
            "owner": row.get::<_, String>(1)?,
            "account": row.get::<_, String>(2)?,
            "scope": serde_json::from_str::<Value>(&scope).unwrap_or_default(),
            "since": row.get::<_, String>(4)?,
        }))
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let owner = body.text("owner", Need::Required, text::owner).unwrap_or_default();
        let account = body.text("account", Need::Required, text::label).unwrap_or_default();
        let scope = body.object("scope", Need::Required, |scope| {
            json!({
                "numbers": list(scope, "numbers", text::number_pattern),
                "ring_groups": list(scope, "ring_groups", text::name_pattern),
            })
        });
        let take_over = body.ids("take_over", Collection::Owners.prefix(), MOST).unwrap_or_default();
        body.finish()?;
        let scope = scope.unwrap_or_default();
        let (mut effects, mut foreign) = (Effects::default(), Vec::new());
        let before = self.rows(db, Span { after: 0, until: i64::MAX, limit: i64::MAX })?;
        let all = before.len();
        for (key, claim) in before {
            let overlaps = !self::scope(claim.get("scope")).is_disjoint(&self::scope(Some(&scope)));
            let is_own = claim.get("owner").is_some_and(|is| *is == *owner);
            let replaced = is_own && (overlaps || claim.get("account").is_some_and(|is| *is == *account));
            if replaced || (overlaps && take_over.contains(&key)) {
                remove(db, Collection::Owners, key)?;
                effects.also.push(Effect { collection: Collection::Owners, before: Some(claim), after: None });
            } else if overlaps {
                foreign.push(claim);
            }
        }
        if !foreign.is_empty() {
            return Err(owned(foreign));
        }
        if all - effects.also.len() >= MOST {
            return Err(Problem::new(Code::Exhausted, format!("an account has at most {MOST} owners")));
        }
        let sql = "INSERT INTO owners (owner, account, scope, since) \
                   VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";
        db.prepare_cached(sql)?.execute(params![owner, account, scope.to_string()])?;
        Ok((db.last_insert_rowid(), effects))
    }
}

/// The claims, for the account's document.
pub(in crate::sandbox) fn all(db: &Connection) -> Result<Vec<Value>, Problem> {
    let rows = Owners.rows(db, Span { after: 0, until: i64::MAX, limit: i64::MAX })?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// A list that may be `null`, which is everything of the kind.
fn list<'a>(scope: &mut Fields<'a>, name: &'a str, rule: text::Rule) -> Option<Vec<&'a str>> {
    if let Change::Set(patterns) = scope.nullable_texts(name, rule, MOST_PATTERNS) { Some(patterns) } else { None }
}

/// The objects of a checked scope. A range that ends before it begins is empty.
fn scope(value: Option<&Value>) -> Scope {
    let list = |name| {
        let list = value.and_then(|scope| scope.get(name)).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str))
    };
    Scope::of(list("numbers").map(|list| list.filter_map(range)), list("ring_groups").map(|list| list.filter_map(name)))
}

fn range(text: &str) -> Option<NumberPattern> {
    if let Ok(pattern) = text.parse() {
        return Some(pattern);
    }
    // Of two lengths.
    let (from, to) = text.split_once("..")?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some(NumberPattern::Range(from, to))
}

fn name(text: &str) -> Option<NamePattern> {
    text.parse().ok()
}

/// 409 with the claims that are in the way.
fn owned(claims: Vec<Value>) -> Problem {
    let names: Vec<&str> = claims.iter().filter_map(|claim| claim.get("owner")?.as_str()).collect();
    let detail = format!("the account, or a part of what is claimed, belongs to {}", names.join(", "));
    Problem::new(Code::Owned, detail).with("owners", Value::Array(claims))
}
