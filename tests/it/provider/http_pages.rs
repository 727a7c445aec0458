//! Lists in pages, in each form that vendors use: over real HTTP.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::Url;
use serde_json::{Value, json};
use strowger::model::RequestLimits;
use strowger::providers::http::{Auth, Http, PageError, Paging, TokenSource};
use strowger::providers::{Access, RetryPolicy, Secret};

/// The items that the server has.
const ITEMS: usize = 7;
const SIZE: usize = 3;

/// A page from this item on, and where the next one begins.
fn page(from: usize) -> (Vec<usize>, Option<usize>) {
    let end = (from + SIZE).min(ITEMS);
    ((from..end).collect(), (end < ITEMS).then_some(end))
}

async fn answer(State(base): State<String>, request: Request) -> Response {
    let url = Url::parse(&format!("{base}{}", request.uri())).unwrap();
    let query = |name: &str| url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    let number = |name: &str| query(name).map(|value| value.parse::<usize>().unwrap());
    assert_eq!(query("filter").as_deref(), Some("a b"), "the rest of the query stays");
    match url.path() {
        "/number" => axum::Json(json!({"items": page((number("page").unwrap_or(1) - 1) * SIZE).0})).into_response(),
        "/offset" => axum::Json(json!({"items": page(number("offset").unwrap_or(0)).0})).into_response(),
        "/cursor" => {
            let (items, next) = page(number("after").unwrap_or(0));
            axum::Json(json!({"items": items, "meta": {"next": next.map(|next| next.to_string())}})).into_response()
        }
        "/link" => {
            let (items, next) = page(number("from").unwrap_or(0));
            let links =
                next.map(|next| format!("</first>; rel=\"first\", </link?filter=a%20b&from={next}>; rel=\"next\""));
            let mut response = axum::Json(json!({"items": items})).into_response();
            response.headers_mut().extend(links.map(|links| (axum::http::header::LINK, links.parse().unwrap())));
            response
        }
        "/stuck" => axum::Json(json!({"items": [1], "meta": {"next": "same"}})).into_response(),
        "/elsewhere" => ([("link", "<https://collector.example.org/>; rel=next")], axum::Json(json!({"items": [1]})))
            .into_response(),
        _ => axum::Json(json!({"things": []})).into_response(),
    }
}

async fn listed(path: &str, paging: Paging) -> Result<(Vec<Value>, u64), PageError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(base.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let url = Url::parse(&format!("{base}/{path}?filter=a%20b")).unwrap();
    let auth = Auth::bearer(TokenSource::Fixed(Secret::new("token")));
    let http = Http::new(&url, auth, RequestLimits::default(), &[], RetryPolicy::default(), Access::ReadOnly).unwrap();
    http.list(&url, paging, "/items").await
}

const CURSOR: Paging = Paging::Cursor { parameter: "after", pointer: "/meta/next" };

#[tokio::test]
async fn every_form_of_paging_gives_each_item_once() {
    for (path, paging) in [
        ("number", Paging::Number { parameter: "page", first: 1, size: SIZE }),
        ("offset", Paging::Offset { parameter: "offset", size: SIZE }),
        ("cursor", CURSOR),
        ("link", Paging::Link),
    ] {
        let (items, requests) = listed(path, paging).await.unwrap();
        assert_eq!(items, (0..ITEMS).map(Value::from).collect::<Vec<_>>(), "{path}");
        assert_eq!(requests, 3, "{path}");
    }
}

#[tokio::test]
async fn a_list_that_repeats_or_leads_elsewhere_or_is_none_is_an_error() {
    for (path, paging, why) in [
        ("stuck", CURSOR, "/stuck: the list does not end"),
        ("elsewhere", Paging::Link, "/elsewhere: the next page is on another server, which must not get the token"),
        ("nothing", Paging::Link, "/nothing: a page has no list of items"),
    ] {
        assert_eq!(listed(path, paging).await.unwrap_err().to_string(), why);
    }
}
