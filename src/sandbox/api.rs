//! The API's operations: from a request to a job for the store and back to a response.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rusqlite::Connection;
use serde_json::Value;

use super::auth::Role;
use super::body;
use super::collection::Collection;
use super::etag::{self, Condition};
use super::hosted::Hosted;
use super::kinds;
use super::lifecycle::Phase;
use super::page::{self, ListQuery};
use super::problem::{Code, Problem};
use super::routes::{Place, Route};
use super::write::{self, Outcome, Who};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Answers a request that matched a route.
pub(super) async fn answer(account: Hosted, route: &'static Route, request: Request) -> Response {
    handle(account, route, request).await.unwrap_or_else(Problem::into_response)
}

async fn handle(account: Hosted, route: &'static Route, request: Request) -> Result<Response, Problem> {
    let method = request.method().clone();
    if !route.methods.contains(&method.as_str()) {
        let allow = route.methods.join(", ");
        let detail = format!("{} answers to {allow}", route.path);
        return Err(Problem::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, allow));
    }
    let role = request.extensions().get::<Role>().copied().unwrap_or(Role::Reader);
    let reads = matches!(method, Method::GET | Method::HEAD);
    if role == Role::Reader && !reads {
        return Err(Problem::new(Code::Forbidden, "this token may only read"));
    }
    let (parts, body) = request.into_parts();
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
    let headers = &parts.headers;
    let who = || Ok::<_, Problem>(Who { actor: role.actor(), client: client(headers), key: idempotency_key(headers)? });
    match (route.place, &method) {
        (Place::Account, _) => get_account(&account, headers).await,
        (Place::List(collection), &Method::POST) => post(account, collection, who()?, headers, body).await,
        (Place::List(collection), _) => {
            list(&account, collection, headers, parts.uri.query().unwrap_or_default()).await
        }
        (Place::Item(collection), &Method::PATCH) => {
            let key = collection.key(last).ok_or_else(Problem::not_found)?;
            patch(account, collection, key, who()?, headers, body).await
        }
        (Place::Item(collection), &Method::DELETE) => {
            let key = collection.key(last).ok_or_else(Problem::not_found)?;
            delete(account, collection, key, who()?, headers).await
        }
        (Place::Item(collection), _) => {
            let key = collection.key(last).ok_or_else(Problem::not_found)?;
            get(&account, collection, key, headers).await
        }
    }
}

/// The first word of the `User-Agent`, sanitized.
fn client(headers: &HeaderMap) -> Option<Box<str>> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let word: String = agent.split_whitespace().next()?.chars().filter(char::is_ascii_graphic).take(100).collect();
    (!word.is_empty()).then(|| word.into())
}

async fn get_account(account: &Hosted, headers: &HeaderMap) -> Result<Response, Problem> {
    let per_second = account.shared.injector.rate_limit();
    let document = account.store.run(move |db| super::account::read(db, per_second)).await?;
    conditional(headers, etag::inside(&document), &document)
}

async fn get(account: &Hosted, collection: Collection, key: i64, headers: &HeaderMap) -> Result<Response, Problem> {
    let object =
        account.store.run(move |db| kinds::of(collection).row(db, key)).await?.ok_or_else(Problem::not_found)?;
    conditional(headers, etag::inside(&object), &object)
}

async fn list(account: &Hosted, collection: Collection, headers: &HeaderMap, query: &str) -> Result<Response, Problem> {
    let wanted = ListQuery::parse(collection, query)?;
    let query = query.to_owned();
    let known = Condition::from(headers, &header::IF_NONE_MATCH)?;
    let (tag, answer) = account
        .store
        .run(move |db| {
            // The tag identifies the page and the version, so a page that the client has is never rendered.
            let tag = etag::of(&format!("{} {} {query}", collection.name(), write::version(db, collection)?));
            let is_known = known.is_some_and(|condition| condition.matches_weakly(&tag));
            let answer = if is_known {
                None
            } else {
                Some(page::page(db, collection, wanted, |span| kinds::of(collection).rows(db, span))?)
            };
            Ok((tag, answer))
        })
        .await?;
    Ok(answer.map_or_else(|| not_modified(&tag), |answer| json(StatusCode::OK, &tag, &answer)))
}

async fn post(
    account: Hosted,
    collection: Collection,
    who: Who,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::read(headers, body, &[JSON]).await?;
    let created = run_write(&account, move |db| write::create(db, collection, &who, &body)).await?;
    let id = created.object.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}/v1/{}/{id}", account.prefix, collection.name());
    let replayed = created.replayed.then_some([("idempotency-replayed", "true")]);
    let response = json(StatusCode::CREATED, etag::inside(&created.object), &created.object);
    Ok(([(header::LOCATION, location)], replayed, response).into_response())
}

async fn patch(
    account: Hosted,
    collection: Collection,
    key: i64,
    who: Who,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let condition = Condition::from(headers, &header::IF_MATCH)?;
    let body = body::read(headers, body, &[MERGE_PATCH, JSON]).await?;
    let object =
        run_write(&account, move |db| write::update(db, collection, key, &who, condition.as_ref(), &body)).await?;
    Ok(json(StatusCode::OK, etag::inside(&object), &object))
}

async fn delete(
    account: Hosted,
    collection: Collection,
    key: i64,
    who: Who,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let condition = Condition::from(headers, &header::IF_MATCH)?;
    run_write(&account, move |db| write::delete(db, collection, key, &who, condition.as_ref())).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Runs a write between the two faults that count writes.
async fn run_write<T: Send + 'static>(
    account: &Hosted,
    work: impl FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
) -> Result<T, Problem> {
    let at_store = Arc::clone(&account.shared);
    account
        .store
        .run(move |db| {
            at_store.injector.before_write()?;
            let (answer, committed) = work(db)?;
            if committed && at_store.injector.after_commit() {
                // Before the answer is handed back, so that it cannot be sent.
                at_store.life.advance(Phase::Dead);
            }
            Ok(answer)
        })
        .await
}

/// 304 if the client has this version, else the whole answer.
fn conditional(headers: &HeaderMap, tag: &str, value: &Value) -> Result<Response, Problem> {
    let known = Condition::from(headers, &header::IF_NONE_MATCH)?;
    if known.is_some_and(|condition| condition.matches_weakly(tag)) {
        return Ok(not_modified(tag));
    }
    Ok(json(StatusCode::OK, tag, value))
}

fn not_modified(tag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

fn json(status: StatusCode, tag: &str, value: &Value) -> Response {
    // Caches must revalidate with the tag.
    let headers = [(header::CONTENT_TYPE, JSON), (header::ETAG, tag), (header::CACHE_CONTROL, "no-cache")];
    (status, headers, value.to_string()).into_response()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let wrong = || Problem::new(Code::InvalidParameter, "Idempotency-Key must be 1 to 255 visible ASCII characters");
    let key = value.to_str().map_err(|_| wrong())?;
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong());
    }
    Ok(Some(key.to_owned()))
}
