//! The audit log as a collection: it can be listed and nothing else.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Effects, Kind, Row};
use crate::sandbox::collection::Collection;
use crate::sandbox::etag;
use crate::sandbox::fields::Fields;
use crate::sandbox::page::Span;
use crate::sandbox::problem::{Problem, Referrer};

pub(super) struct Audit;

impl Kind for Audit {
    fn collection(&self) -> Collection {
        Collection::Audit
    }

    fn sealed(&self, db: &Connection, span: Span) -> Result<Vec<Row>, Problem> {
        let mut statement = db.prepare_cached(
            "SELECT key, at, actor, action, object_kind, object_id, object_name, before, after, client, idempotency_key FROM audit \
             WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3",
        )?;
        let rows = statement.query_map(params![span.after, span.until, span.limit], |row| {
            let key: i64 = row.get(0)?;
            let document = |at| -> rusqlite::Result<Value> {
                let text: Option<String> = row.get(at)?;
                Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
            };
            let entry = json!({
                "id": Collection::Audit.id(key),
                "at": row.get::<_, String>(1)?,
                "actor": row.get::<_, String>(2)?,
                "client": row.get::<_, Option<String>>(9)?,
                "idempotency_key": row.get::<_, Option<String>>(10)?,
                "action": row.get::<_, String>(3)?,
                "object": { "kind": row.get::<_, String>(4)?, "id": row.get::<_, String>(5)?, "name": row.get::<_, String>(6)? },
                "before": document(7)?,
                "after": document(8)?,
            });
            Ok((key, etag::seal(entry)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn create(&self, _db: &Connection, _body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        Err(Problem::not_found())
    }

    fn update(&self, _db: &Connection, _key: i64, _body: Fields<'_>) -> Result<Effects, Problem> {
        Err(Problem::not_found())
    }

    fn referrers(&self, _db: &Connection, _key: i64) -> Result<Vec<Referrer>, Problem> {
        Ok(Vec::new())
    }

    fn delete(&self, _db: &Connection, _key: i64) -> Result<Effects, Problem> {
        Err(Problem::not_found())
    }
}
