//! One account as an element of a list: a line, a card, or everything.

use std::fmt::Write as _;
use std::net::SocketAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::plan::Plan;
use crate::render::{counted, html};

use super::super::super::status::{AccountStatus, State};
use super::fingerprints::mark;
use super::labels::{happening, has_refused_files, is_urgent, rank, shape, state, time};

/// What a path may show as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How much of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// How it stands, and when it was looked at.
    Line,
    /// What somebody needs who has to decide; whether a short plan is open.
    Card {
        /// See above.
        open: bool,
    },
    /// Everything.
    Whole,
}

impl Extent {
    /// The most changes of a plan that are shown.
    const fn changes(self) -> usize {
        if matches!(self, Self::Whole) { 500 } else { 20 }
    }

    /// The most events that are shown.
    const fn events(self) -> usize {
        if matches!(self, Self::Whole) { usize::MAX } else { 8 }
    }
}

/// The element of an account.
pub(super) fn item(page: &mut String, account: &AccountStatus, extent: Extent, address: SocketAddr) {
    let list = if is_urgent(account) || extent == Extent::Whole { "attention" } else { "settled" };
    let class = if extent == Extent::Line { "line" } else { "card" };
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<li class=\"{class} {}\" data-account=\"{}\" data-list=\"{list}\" data-rank=\"{}\" data-state=\"{}\" data-mark=\"{}\">",
        account.state.as_str(),
        html::escaped(&account.account),
        rank(account),
        state(account.state).0,
        mark(account),
    );
    match extent {
        Extent::Line => line(page, account),
        Extent::Card { .. } | Extent::Whole => card(page, account, extent, address),
    }
    page.push_str("</li>");
}

/// The account's path on this server.
fn path(account: &AccountStatus) -> String {
    format!("/accounts/{}", segment(account))
}

fn segment(account: &AccountStatus) -> String {
    match &*account.account {
        // A browser would take these for orders.
        dots @ ("." | "..") => dots.replace('.', "%2E"),
        name => utf8_percent_encode(name, PATH).to_string(),
    }
}

fn badge(account: &AccountStatus) -> String {
    let (word, means) = state(account.state);
    format!("<span class=\"badge\" title=\"{means}\">{}{word}</span>", shape(account.state))
}

fn line(page: &mut String, account: &AccountStatus) {
    let name = html::text(&account.account, 200);
    let _ = write!(page, "{} <a class=\"name\" href=\"{}\">{name}</a>", badge(account), path(account));
    if let Some(says) = &account.says {
        let _ = write!(page, " <span class=\"says\">{}</span>", html::text(says, 200));
    }
    if let Some(look) = &account.last_look {
        let _ = write!(page, " <span class=\"looked\">looked {}</span>", time(look, "look"));
    }
}

fn card(page: &mut String, account: &AccountStatus, extent: Extent, address: SocketAddr) {
    let name = html::text(&account.account, 200);
    let level = if extent == Extent::Whole { 2 } else { 3 };
    let _ = write!(page, "<article aria-label=\"{name}\"><header><h{level}>");
    if extent == Extent::Whole {
        let _ = write!(page, "<span class=\"name\">{name}</span>");
    } else {
        let _ = write!(page, "<a class=\"name\" href=\"{}\">{name}</a>", path(account));
    }
    let _ = write!(page, "</h{level}>{}</header>", badge(account));
    if let Some(says) = &account.says {
        let _ = write!(page, "<p class=\"says\">{}</p>", html::text(says, 1200));
    }
    files(page, account);
    findings(page, &account.findings);
    degraded(page, account);
    facts(page, account);
    if let Some(plan) = &account.plan {
        plan_of(page, plan, account, extent);
        if account.approvable {
            approval(page, plan, account, address);
        }
    }
    history(page, account, extent);
    page.push_str("</article>");
}

fn files(page: &mut String, account: &AccountStatus) {
    if has_refused_files(account) {
        page.push_str("<p class=\"refused\"><b>Its newest files have errors</b>; the state before still counts.</p>");
        findings(page, &account.files.errors);
    }
}

fn degraded(page: &mut String, account: &AccountStatus) {
    let Some(degraded) = &account.degraded else { return };
    let count = counted(degraded.objects, "declared object");
    let _ =
        write!(page, "<p class=\"refused\"><b>Left out: {count}</b>; the rest is as the files ask, or planned.</p>");
    findings(page, &degraded.reasons);
}

fn findings(page: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.push_str("<ul class=\"findings\">");
    for line in lines {
        let _ = write!(page, "<li><code>{}</code></li>", html::text(line, 1000));
    }
    page.push_str("</ul>");
}

fn facts(page: &mut String, account: &AccountStatus) {
    page.push_str("<dl class=\"facts\">");
    let mut fact = |name: &str, stamp: Option<&str>, role: &str| {
        if let Some(stamp) = stamp.filter(|stamp| !stamp.is_empty()) {
            let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", time(stamp, role));
        }
    };
    fact("Since", Some(&account.since), "since");
    if account.state != State::InSync {
        fact("Last in sync", account.last_in_sync.as_deref(), "in-sync");
    }
    fact("Last change", account.last_change.as_deref(), "change");
    fact("ChangeCheck", account.last_look.as_deref(), "look");
    fact("Next look", account.next_look.as_deref(), "next");
    fact("Files since", account.files.since.as_deref(), "files");
    if !account.provider.is_empty() {
        let _ = write!(page, "<div><dt>Provider</dt><dd>{}</dd></div>", html::escaped(account.provider));
    }
    if let Some(commit) = &account.files.commit {
        let _ = write!(page, "<div><dt>Commit</dt><dd><code>{}</code></dd></div>", html::text(commit, 12));
    }
    page.push_str("</dl>");
}

fn plan_of(page: &mut String, plan: &Plan, account: &AccountStatus, extent: Extent) {
    let name = html::text(&account.account, 200);
    let is_open = match extent {
        Extent::Card { open } => open && plan.changes.len() <= 5,
        _ => true,
    };
    let open = if is_open { " open" } else { "" };
    let _ = write!(
        page,
        "<details data-key=\"plan\"{open}><summary>Plan<span class=\"unseen\"> of {name}</span>: {}</summary>{}",
        html::counts(plan),
        html::changes(plan, extent.changes())
    );
    if extent != Extent::Whole && plan.changes.len() > extent.changes() {
        let _ = write!(page, "<p><a href=\"{}\">All changes of {name}</a></p>", path(account));
    }
    page.push_str("</details>");
}

/// What holds the plan back, and how to let it through.
fn approval(page: &mut String, plan: &Plan, account: &AccountStatus, address: SocketAddr) {
    let name = html::text(&account.account, 200);
    let digest = html::text(&plan.digest.0, 64);
    let _ = write!(
        page,
        "<section class=\"approval\" aria-label=\"What holds the plan of {name} back\">{}\
         <p>To let exactly this plan through, once:</p>\
         <pre><code>\
         curl --fail-with-body -H \"Authorization: Bearer $TOKEN\" \\\n  --json '{{\"digest\": \"{digest}\"}}' \\\n  \
         http://{address}/api/accounts/{}/approve</code></pre>\
         <p>Without a token of this server: start it anew with <code>--approve {digest}</code>.</p></section>",
        html::blocked(plan),
        segment(account)
    );
}

fn history(page: &mut String, account: &AccountStatus, extent: Extent) {
    if account.history.is_empty() {
        return;
    }
    let open = if extent == Extent::Whole { " open" } else { "" };
    let _ = write!(
        page,
        "<details data-key=\"history\"{open}><summary>History<span class=\"unseen\"> of {}</span></summary><ol class=\"history\">",
        html::text(&account.account, 200)
    );
    for event in account.history.iter().take(extent.events()) {
        let _ = write!(
            page,
            "<li>{} <b>{}</b> {}",
            time(&event.at, "event"),
            happening(event.what),
            html::text(&event.says, 1200)
        );
        if let Some(run) = &event.run {
            let _ = write!(page, " <span class=\"run\">run {}</span>", html::text(run.as_str(), 60));
        }
        page.push_str("</li>");
    }
    page.push_str("</ol></details>");
}
