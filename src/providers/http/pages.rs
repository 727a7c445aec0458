//! Lists that come in pages, in the forms that vendors use.
//!
//! A list is complete or an error: a page that repeats, a list that does not end, and a link to another server, which
//! would get the token, are refused.

use std::collections::HashSet;

use reqwest::Url;
use serde_json::Value;

use super::{Answer, Http, Request, SendError};

/// No list has more pages.
const MOST_PAGES: usize = 100_000;

/// How the next page is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Paging {
    /// `page=2`, from `first`, until a page has fewer items than `size`.
    Number { parameter: &'static str, first: usize, size: usize },
    /// `offset=100`, until a page has fewer items than `size`.
    Offset { parameter: &'static str, size: usize },
    /// A cursor in the answer, at a JSON pointer; absent, null or empty on the last page.
    Cursor { parameter: &'static str, pointer: &'static str },
    /// The answer's `Link` header with `rel="next"` (RFC 8288).
    Link,
}

/// Why a list is not complete.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("there is no answer")]
    Send(SendError),
    #[error("the answer is {}", .0.status.as_u16())]
    Status(Answer),
    #[error("{0}")]
    Malformed(String),
}

impl Http {
    /// All items of a list; `items` is the JSON pointer to those of a page. The address has the page size, if the server
    /// takes one. Returns the number of requests as well.
    pub async fn list(&self, first: &Url, paging: Paging, items: &str) -> Result<(Vec<Value>, u64), PageError> {
        let (mut all, mut requests) = (Vec::new(), 0);
        let mut seen: HashSet<Url> = HashSet::new();
        let mut next = Some(first.clone());
        let malformed = |why: &str| PageError::Malformed(format!("{}: {why}", self.sanitized(first.path())));
        while let Some(url) = next {
            if seen.len() == MOST_PAGES || !seen.insert(url.clone()) {
                return Err(malformed("the list does not end"));
            }
            let mut attempts = self.attempts();
            let sent = self.send(&Request::get(url.clone()), &mut attempts).await;
            requests += u64::from(attempts.made);
            let answer = sent.map_err(PageError::Send)?;
            if !answer.status.is_success() {
                return Err(PageError::Status(answer));
            }
            let mut page: Value =
                serde_json::from_slice(&answer.body).map_err(|_| malformed("a page is not a JSON document"))?;
            let Some(Value::Array(found)) = page.pointer_mut(items).map(Value::take) else {
                return Err(malformed("a page has no list of items"));
            };
            let pages = seen.len();
            next = paging.next(first, &url, &page, &answer, (pages, found.len(), all.len() + found.len()));
            if next.as_ref().is_some_and(|next| next.origin() != first.origin()) {
                return Err(malformed("the next page is on another server, which must not get the token"));
            }
            all.extend(found);
        }
        Ok((all, requests))
    }
}

impl Paging {
    /// The address of the page after `url`, if there is one: with the number of pages, of items on the last one, and of
    /// all items so far.
    fn next(
        self,
        first: &Url,
        url: &Url,
        page: &Value,
        answer: &Answer,
        (pages, last, all): (usize, usize, usize),
    ) -> Option<Url> {
        match self {
            Self::Number { parameter, first: number, size } => {
                (last >= size).then(|| with_parameter(first, parameter, &(number + pages).to_string()))
            }
            Self::Offset { parameter, size } => {
                (last >= size).then(|| with_parameter(first, parameter, &all.to_string()))
            }
            Self::Cursor { parameter, pointer } => {
                let cursor = match page.pointer(pointer)? {
                    Value::String(cursor) if !cursor.is_empty() => cursor.clone(),
                    Value::Number(cursor) => cursor.to_string(),
                    _ => return None,
                };
                Some(with_parameter(first, parameter, &cursor))
            }
            Self::Link => url.join(next_link(answer.link.as_deref()?)?).ok(),
        }
    }
}

/// The address with another value of a query parameter.
fn with_parameter(url: &Url, parameter: &str, value: &str) -> Url {
    let mut next = url.clone();
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != parameter)
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair(parameter, value);
    next
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(header: &str) -> Option<&str> {
    header.split('<').skip(1).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let value = value.trim().trim_end_matches(',').trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|rel| rel.eq_ignore_ascii_case("next"))
        };
        parameters.split(';').any(is_next).then_some(target)
    })
}
