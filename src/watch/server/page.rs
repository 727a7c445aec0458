//! The status page: plain HTML that needs no script, and a script that keeps it up to date.
//!
//! Invariants: what needs attention comes first; a state is shown by a word and a shape, never by colour alone; all
//! untrusted text is escaped. Each account's element has a fingerprint, so that the script replaces only what changed.

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
use super::card::{self, Extent};
use super::labels::{self, needs_attention, rank};
use super::problem::Problem;
use super::{Shared, commands, summary};

/// How many accounts have a card on the overview; the rest are a line each.
const CARDS: usize = 40;
/// With more cards than this, their plans are collapsed.
const MOST_OPEN: usize = 5;

/// The script never asks for more accounts at once.
const MOST_FRAGMENTS: usize = 20;

/// Which accounts are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// A part of the name.
    q: String,
    /// A state, or empty for all.
    state: String,
}

/// The query of `/fragments`: the names of accounts, one per line.
#[derive(Debug, Deserialize)]
pub(super) struct FragmentQuery {
    #[serde(default)]
    accounts: String,
}

pub(super) async fn overview(
    State(shared): State<Arc<Shared>>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Html<String> {
    // An invalid query shows all accounts.
    let filter = filter.map(|Query(filter)| filter).unwrap_or_default();
    let all = shared.setup.status_store.all();
    let mut shown: Vec<Arc<AccountStatus>> = all.iter().filter(|account| filter.matches(account)).cloned().collect();
    sort(&mut shown);
    let mut main =
        summary::section(&all, &shared.setup.status_store.source(), &filter.state, &shared.setup.clock.stamp());
    search(&mut main, &filter);
    lists(&mut main, &shared, &shown);
    Html(document(&summary::title(&all), "data-page=\"overview\"", &main))
}

pub(super) async fn account(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<Box<str>>,
) -> Result<Html<String>, Problem> {
    let account = shared.setup.status_store.get(&name).ok_or_else(|| commands::unknown(&name))?;
    let title = format!("{}: {} – Strowger", html::text(&name, 200), labels::state(account.state).0);
    let mut main =
        "<p class=\"back\"><a href=\"/\">All accounts</a></p><ul id=\"attention\" class=\"cards\">".to_owned();
    card::item(&mut main, &account, Extent::Full, shared.address);
    main.push_str("</ul>");
    let attributes = format!("data-page=\"account\" data-only=\"{}\"", html::escaped(&name));
    Ok(Html(document(&title, &attributes, &main)))
}

/// The head of the overview and some accounts, for the script.
pub(super) async fn fragments(State(shared): State<Arc<Shared>>, Query(query): Query<FragmentQuery>) -> Html<String> {
    let all = shared.setup.status_store.all();
    let names: BTreeSet<&str> = query.accounts.lines().take(MOST_FRAGMENTS).collect();
    let mut shown: Vec<Arc<AccountStatus>> =
        names.into_iter().filter_map(|name| shared.setup.status_store.get(name)).collect();
    sort(&mut shown);
    let mut main = summary::section(&all, &shared.setup.status_store.source(), "", &shared.setup.clock.stamp());
    lists(&mut main, &shared, &shown);
    Html(document(&summary::title(&all), "data-page=\"fragments\"", &main))
}

fn sort(accounts: &mut [Arc<AccountStatus>]) {
    // A stable sort: accounts of one rank stay sorted by name.
    accounts.sort_by_key(|account| rank(account));
}

fn lists(main: &mut String, shared: &Shared, accounts: &[Arc<AccountStatus>]) {
    let (urgent, in_sync): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| needs_attention(account));
    main.push_str("<section aria-labelledby=\"attention-title\"><h2 id=\"attention-title\">Needs attention</h2>");
    main.push_str("<ul id=\"attention\" class=\"cards\">");
    for (index, account) in urgent.iter().enumerate() {
        let extent = if index < CARDS { Extent::Card { open: urgent.len() <= MOST_OPEN } } else { Extent::Line };
        card::item(main, account, extent, shared.address);
    }
    main.push_str("</ul><p class=\"nothing\">All accounts are fine.</p></section>");
    main.push_str("<section aria-labelledby=\"in-sync-title\"><h2 id=\"in-sync-title\">In sync</h2>");
    main.push_str("<ul id=\"in-sync\" class=\"lines\">");
    for account in in_sync {
        card::item(main, account, Extent::Line, shared.address);
    }
    main.push_str("</ul><p class=\"nothing\">None.</p></section>");
}

/// The whole page; the arguments are HTML.
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
         <p id=\"connection\" role=\"status\"><noscript>Reload for updates.</noscript></p></header>\
         <p id=\"announcement\" role=\"status\" class=\"visually-hidden\"></p>\
         <main id=\"main\" tabindex=\"-1\" aria-labelledby=\"title\" {attributes}><h1 id=\"title\" class=\"visually-hidden\">{}</h1>{main}</main>\
         <footer><a href=\"/api/status\">JSON</a> <a href=\"/metrics\">Metrics</a></footer></body></html>",
        labels::SHAPES,
        title.trim_end_matches(" – Strowger"),
    );
    page
}

/// The search form; the script filters while the user types.
fn search(page: &mut String, filter: &Filter) {
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<form id=\"filter\" role=\"search\" action=\"/\"><label for=\"q\">Find accounts</label>\
         <input id=\"q\" name=\"q\" type=\"search\" value=\"{}\" autocomplete=\"off\" spellcheck=\"false\">",
        html::escaped(&filter.q)
    );
    if !filter.state.is_empty() {
        let _ = write!(page, "<input type=\"hidden\" name=\"state\" value=\"{}\">", html::escaped(&filter.state));
    }
    page.push_str("<button>Find</button><span id=\"found\" role=\"status\"></span></form>");
}

impl Filter {
    fn matches(&self, account: &AccountStatus) -> bool {
        let name_matches = account.account.to_lowercase().contains(&self.q.trim().to_lowercase());
        let in_state = self.state.is_empty() || account.state.as_str() == self.state;
        name_matches && in_state
    }
}

pub(super) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("page.css"))
}

pub(super) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page.js"))
}

pub(super) async fn icon() -> impl IntoResponse {
    file("image/svg+xml", include_str!("icon.svg"))
}

fn file(media: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media)], text).into_response()
}
