//! The status page: plain HTML that needs no script, and a script that keeps it up to date.
//!
//! Invariants: what needs somebody comes first; a state is told by a word and a shape, never by colour alone; all
//! text that is not ours is escaped. Each account's element has a mark that stands for its picture, so that the
//! script replaces only what changed.

mod card;
mod fingerprints;
mod labels;
mod summary;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use crate::render::html;

use super::super::status::AccountStatus;
use super::Shared;
use super::commands;
use super::problem::Problem;
use card::Extent;
use labels::{is_urgent, rank};

pub(super) use fingerprints::{mark, source_mark};

/// So many accounts have a card on the overview; the rest are a line each.
const CARDS: usize = 40;
/// With more cards than this, the plans in them are closed.
const OPEN: usize = 5;

/// The script never asks for more accounts at once.
const MOST_FRAGMENTS: usize = 20;

/// What of the accounts is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// A part of the name.
    q: String,
    /// The word of a state.
    state: String,
}

/// What `/fragments` takes: the names of accounts, one a line.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    accounts: String,
}

/// All accounts.
pub(super) async fn overview(
    State(shared): State<Arc<Shared>>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Html<String> {
    // Who asks for something else sees all.
    let filter = filter.map(|Query(filter)| filter).unwrap_or_default();
    let all = shared.board.all();
    let mut shown: Vec<Arc<AccountStatus>> =
        all.iter().filter(|account| filter.lets_through(account)).cloned().collect();
    sort(&mut shown);
    let mut main = summary::section(&all, &shared.board.source(), &filter.state, &shared.clock.stamp());
    summary::search(&mut main, &filter);
    lists(&mut main, &shared, &shown);
    let main_attributes = "data-page=\"overview\"";
    Html(document(&summary::title(&all), main_attributes, &main))
}

/// One account in full.
pub(super) async fn account(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<Box<str>>,
) -> Result<Html<String>, Problem> {
    let account = shared.board.get(&name).ok_or_else(|| commands::unknown(&name))?;
    let title = format!("{}: {} – Strowger", html::text(&name, 200), labels::state(account.state).0);
    let mut main =
        "<p class=\"back\"><a href=\"/\">All accounts</a></p><ul id=\"attention\" class=\"cards\">".to_owned();
    card::item(&mut main, &account, Extent::Whole, shared.address);
    main.push_str("</ul>");
    let attributes = format!("data-page=\"account\" data-only=\"{}\"", html::escaped(&name));
    Ok(Html(document(&title, &attributes, &main)))
}

/// The head of the overview and some accounts, for the script.
pub(super) async fn fragments(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>) -> Html<String> {
    let all = shared.board.all();
    let names: BTreeSet<&str> = wanted.accounts.lines().take(MOST_FRAGMENTS).collect();
    let mut shown: Vec<Arc<AccountStatus>> = names.into_iter().filter_map(|name| shared.board.get(name)).collect();
    sort(&mut shown);
    let mut main = summary::section(&all, &shared.board.source(), "", &shared.clock.stamp());
    lists(&mut main, &shared, &shown);
    Html(document(&summary::title(&all), "data-page=\"fragments\"", &main))
}

fn sort(accounts: &mut [Arc<AccountStatus>]) {
    // They come by name, and stay so within a rank.
    accounts.sort_by_key(|account| rank(account));
}

/// Those that need somebody, and the others.
fn lists(main: &mut String, shared: &Shared, accounts: &[Arc<AccountStatus>]) {
    let (urgent, settled): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| is_urgent(account));
    main.push_str("<section aria-labelledby=\"attention-title\"><h2 id=\"attention-title\">Needs attention</h2>");
    main.push_str("<ul id=\"attention\" class=\"cards\">");
    for (index, account) in urgent.iter().enumerate() {
        let extent = if index < CARDS { Extent::Card { open: urgent.len() <= OPEN } } else { Extent::Line };
        card::item(main, account, extent, shared.address);
    }
    main.push_str("</ul><p class=\"nothing\">Nothing needs you.</p></section>");
    main.push_str("<section aria-labelledby=\"settled-title\"><h2 id=\"settled-title\">Nothing to do</h2>");
    main.push_str("<ul id=\"settled\" class=\"lines\">");
    for account in settled {
        card::item(main, account, Extent::Line, shared.address);
    }
    main.push_str("</ul><p class=\"nothing\">None.</p></section>");
}

/// The whole page; title, attributes and content are HTML already.
fn document(title: &str, attributes: &str, main: &str) -> String {
    let mut page = String::with_capacity(main.len() + 4096);
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/page.css\">\
         <script src=\"/page.js\" defer></script></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the accounts</a>{}\
         <header><a class=\"home\" href=\"/\"><svg aria-hidden=\"true\" class=\"logo\" viewBox=\"0 0 32 32\">\
         <use href=\"#logo\"/></svg>Strowger</a>\
         <p id=\"connection\" role=\"status\"><noscript>Reload to see what changes.</noscript></p></header>\
         <p id=\"news\" role=\"status\" class=\"unseen\"></p>\
         <main id=\"main\" tabindex=\"-1\" aria-labelledby=\"title\" {attributes}><h1 id=\"title\" class=\"unseen\">{}</h1>{main}</main>\
         <footer><a href=\"/api/status\">JSON</a> <a href=\"/metrics\">Metrics</a></footer></body></html>",
        labels::SHAPES,
        title.trim_end_matches(" – Strowger"),
    );
    page
}

impl Filter {
    fn lets_through(&self, account: &AccountStatus) -> bool {
        let named = account.account.to_lowercase().contains(&self.q.trim().to_lowercase());
        let stands = self.state.is_empty() || account.state.as_str() == self.state;
        named && stands
    }
}

/// The page's style.
pub(super) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("page/page.css"))
}

/// The page's script.
pub(super) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

/// The page's icon.
pub(super) async fn icon() -> impl IntoResponse {
    file("image/svg+xml", include_str!("page/icon.svg"))
}

fn file(media: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media)], text).into_response()
}
