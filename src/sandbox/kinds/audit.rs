//! The audit log as a collection: it can be listed and nothing else.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Columns, Effects, Kind};
use crate::sandbox::collection::Collection;
use crate::sandbox::problem::Problem;

pub(super) struct Audit;

impl Kind for Audit {
    fn collection(&self) -> Collection {
        Collection::Audit
    }

    fn select(&self) -> &'static str {
        "SELECT key, at, actor, action, object_kind, object_id, object_name, before, after, client, idempotency_key FROM audit \
         WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        let document = |at| -> rusqlite::Result<Value> {
            let text: Option<String> = row.get(at)?;
            Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
        };
        Ok(json!({
            "id": Collection::Audit.id(key),
            "at": row.get::<_, String>(1)?,
            "actor": row.get::<_, String>(2)?,
            "client": row.get::<_, Option<String>>(9)?,
            "idempotency_key": row.get::<_, Option<String>>(10)?,
            "action": row.get::<_, String>(3)?,
            "object": { "kind": row.get::<_, String>(4)?, "id": row.get::<_, String>(5)?, "name": row.get::<_, String>(6)? },
            "before": document(7)?,
            "after": document(8)?,
        }))
    }

    fn delete(&self, _db: &Connection, _key: i64) -> Result<Effects, Problem> {
        Err(Problem::not_found())
    }
}
