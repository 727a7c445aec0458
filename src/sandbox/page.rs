//! Pages of a list: keyset pagination over the immutable integer key.
//!
//! A cursor is a half-open interval of keys, `(after, until]`. Nothing that is inserted or deleted while a
//! client reads can shift a page, so every object that exists during the whole read is returned exactly once.
//! With `ranges=true` the first page hands out one cursor for each further page; the intervals do not overlap
//! and the last one is open, so they can be fetched concurrently, in any order.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::collection::{Collection, Row};
use super::problem::{Code, Problem};

/// The largest page.
pub(super) const MAX_LIMIT: i64 = 1000;
const DEFAULT_LIMIT: i64 = 100;

/// Keys above `after` and up to `until`, at most `limit` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) after: i64,
    pub(super) until: i64,
    pub(super) limit: i64,
}

impl Span {
    /// The span of exactly one key.
    pub(super) const fn one(key: i64) -> Self {
        Self { after: key - 1, until: key, limit: 1 }
    }
}

/// The query of a list request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListQuery {
    pub(super) span: Span,
    pub(super) ranges: bool,
}

impl ListQuery {
    /// Reads `limit`, `cursor` and `ranges`; anything else, or anything twice, is refused.
    pub(super) fn parse(collection: Collection, query: &str) -> Result<Self, Problem> {
        let mut span = Span { after: 0, until: i64::MAX, limit: DEFAULT_LIMIT };
        let mut ranges = false;
        let mut has_cursor = false;
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if seen.contains(&name) {
                return Err(wrong(name, "is given twice"));
            }
            seen.push(name);
            match name {
                "limit" => span.limit = parse_limit(value).ok_or_else(|| wrong(name, "must be from 1 to 1000"))?,
                "ranges" => ranges = parse_flag(value).ok_or_else(|| wrong(name, "must be true or false"))?,
                "cursor" => {
                    (span.after, span.until) =
                        parse_cursor(collection, value).ok_or_else(|| wrong(name, "is not a cursor of this list"))?;
                    has_cursor = true;
                }
                _ => return Err(wrong(name, "is unknown; use limit, cursor and ranges")),
            }
        }
        Ok(Self { span, ranges: ranges && !has_cursor })
    }
}

/// Builds the response to a list request from one row more than the page has.
pub(super) fn page(
    db: &Connection,
    collection: Collection,
    query: ListQuery,
    rows: impl FnOnce(Span) -> Result<Vec<Row>, Problem>,
) -> Result<Value, Problem> {
    let mut span = query.span;
    let mut cursors = Vec::new();
    if query.ranges {
        let bounds = boundaries(db, collection, span.limit)?;
        let ends = bounds.iter().skip(1).copied().chain([i64::MAX]);
        cursors = bounds.iter().copied().zip(ends).map(|(after, until)| cursor(collection, after, until)).collect();
        span.until = bounds.first().copied().unwrap_or(i64::MAX);
    }
    let mut rows = rows(Span { limit: span.limit + 1, ..span })?;
    let limit = usize::try_from(span.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(key, _)| cursor(collection, *key, span.until));
    let items: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    let mut answer = json!({ "items": items, "next": next });
    if query.ranges
        && let Value::Object(map) = &mut answer
    {
        map.insert("cursors".to_owned(), json!(cursors));
    }
    Ok(answer)
}

/// Adds the rows of a query to the objects of a page that they belong to: one query for the whole page.
///
/// The query is for the keys from `?1` to `?2`, in their order, and its first column is the key of the object.
pub(super) fn join(
    db: &Connection,
    page: &mut [Row],
    sql: &str,
    add: impl Fn(&mut Value, &rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), Problem> {
    let (Some(first), Some(last)) = (page.first().map(|row| row.0), page.last().map(|row| row.0)) else {
        return Ok(());
    };
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([first, last])?;
    let mut objects = page.iter_mut().peekable();
    while let Some(row) = rows.next()? {
        let owner: i64 = row.get(0)?;
        while objects.next_if(|(key, _)| *key < owner).is_some() {}
        if let Some((_, object)) = objects.peek_mut().filter(|(key, _)| *key == owner) {
            add(object, row)?;
        }
    }
    Ok(())
}

/// The last key of every full page, except where nothing follows.
fn boundaries(db: &Connection, collection: Collection, limit: i64) -> Result<Vec<i64>, Problem> {
    let table = collection.name();
    let sql = format!(
        "SELECT key FROM (SELECT key, row_number() OVER (ORDER BY key) AS row FROM {table}) \
         WHERE row % ?1 = 0 AND key < (SELECT max(key) FROM {table}) ORDER BY key"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let keys = statement.query_map(params![limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(keys)
}

fn wrong(name: &str, detail: &str) -> Problem {
    // The name comes from the client, so only a known one is repeated.
    let name = if ["limit", "cursor", "ranges"].contains(&name) { name } else { "a query parameter" };
    Problem::new(Code::InvalidParameter, format!("{name} {detail}"))
}

fn parse_limit(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| plain && (1..=MAX_LIMIT).contains(n))
}

fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// `num.100.200` is the interval (100, 200] of numbers; `num.100` has no end.
fn cursor(collection: Collection, after: i64, until: i64) -> String {
    let prefix = collection.prefix();
    if until == i64::MAX { format!("{prefix}.{after}") } else { format!("{prefix}.{after}.{until}") }
}

fn parse_cursor(collection: Collection, text: &str) -> Option<(i64, i64)> {
    let rest = text.strip_prefix(collection.prefix())?.strip_prefix('.')?;
    let number = |digits: &str| {
        let plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { digits.parse::<i64>().ok() } else { None }
    };
    match rest.split_once('.') {
        None => Some((number(rest)?, i64::MAX)),
        Some((after, until)) => Some((number(after)?, number(until)?)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_list() {
        let text = cursor(Collection::Numbers, 100, 200);
        assert_eq!(parse_cursor(Collection::Numbers, &text), Some((100, 200)));
        assert_eq!(parse_cursor(Collection::Users, &text), None);
        for wrong in ["", "num", "num.", "num.1.", "num.-1", "num.1.2.3", "num.x"] {
            assert_eq!(parse_cursor(Collection::Numbers, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_parameter_is_refused() {
        assert!(ListQuery::parse(Collection::Users, "limt=10").is_err());
        assert!(ListQuery::parse(Collection::Users, "limit=10&limit=20").is_err());
        assert_eq!(ListQuery::parse(Collection::Users, "limit=10").unwrap().span.limit, 10);
    }
}
