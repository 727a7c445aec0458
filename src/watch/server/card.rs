//! One account as a list item of the status page: a line, a card, or in full.

use std::fmt::Write as _;
use std::net::SocketAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::plan::Plan;
use crate::render::{counted, html};

use super::super::status::{AccountState, AccountStatus};
use super::fingerprints::fingerprint;
use super::labels::{event_label, findings, has_file_errors, needs_attention, rank, shape, state, time};

/// The characters of a path segment that are percent-encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How much of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The state, the message and the last check.
    Line,
    /// What a person needs to decide.
    Card {
        /// Whether a short plan is expanded.
        open: bool,
    },
    /// The whole plan and history.
    Full,
}

impl Extent {
    const fn max_changes(self) -> usize {
        if matches!(self, Self::Full) { 500 } else { 20 }
    }

    const fn max_events(self) -> usize {
        if matches!(self, Self::Full) { usize::MAX } else { 8 }
    }
}

pub(super) fn item(page: &mut String, account: &AccountStatus, extent: Extent, address: SocketAddr) {
    let list = if needs_attention(account) || extent == Extent::Full { "attention" } else { "in-sync" };
    let class = if extent == Extent::Line { "line" } else { "card" };
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<li class=\"{class} {}\" data-account=\"{}\" data-list=\"{list}\" data-rank=\"{}\" data-state=\"{}\" data-fingerprint=\"{}\">",
        account.state.as_str(),
        html::escaped(&account.account),
        rank(account),
        state(account.state).0,
        fingerprint(account),
    );
    match extent {
        Extent::Line => line(page, account),
        Extent::Card { .. } | Extent::Full => card(page, account, extent, address),
    }
    page.push_str("</li>");
}

fn path(account: &AccountStatus) -> String {
    format!("/accounts/{}", segment(account))
}

fn segment(account: &AccountStatus) -> String {
    match &*account.account {
        // A browser would resolve these as relative paths.
        dots @ ("." | "..") => dots.replace('.', "%2E"),
        name => utf8_percent_encode(name, PATH).to_string(),
    }
}

fn badge(account: &AccountStatus) -> String {
    let (word, explanation) = state(account.state);
    format!("<span class=\"badge\" title=\"{explanation}\">{}{word}</span>", shape(account.state))
}

fn line(page: &mut String, account: &AccountStatus) {
    let name = html::text(&account.account, 200);
    let _ = write!(page, "{} <a class=\"name\" href=\"{}\">{name}</a>", badge(account), path(account));
    if let Some(message) = &account.message {
        let _ = write!(page, " <span class=\"message\">{}</span>", html::text(message, 200));
    }
    if let Some(check) = &account.last_check {
        let _ = write!(page, " <span class=\"checked\">checked {}</span>", time(check, "check"));
    }
}

fn card(page: &mut String, account: &AccountStatus, extent: Extent, address: SocketAddr) {
    let name = html::text(&account.account, 200);
    let level = if extent == Extent::Full { 2 } else { 3 };
    let _ = write!(page, "<article aria-label=\"{name}\"><header><h{level}>");
    if extent == Extent::Full {
        let _ = write!(page, "<span class=\"name\">{name}</span>");
    } else {
        let _ = write!(page, "<a class=\"name\" href=\"{}\">{name}</a>", path(account));
    }
    let _ = write!(page, "</h{level}>{}</header>", badge(account));
    if let Some(message) = &account.message {
        let _ = write!(page, "<p class=\"message\">{}</p>", html::text(message, 1200));
    }
    files(page, account);
    findings(page, &account.findings);
    degraded(page, account);
    facts(page, account);
    if let Some(plan) = &account.plan {
        plan_section(page, plan, account, extent);
        if account.approvable {
            approval(page, plan, account, address);
        }
    }
    history(page, account, extent);
    page.push_str("</article>");
}

fn files(page: &mut String, account: &AccountStatus) {
    if has_file_errors(account) {
        page.push_str(
            "<p class=\"warning\"><b>The newest files have errors</b>; the last valid files stay in use.</p>",
        );
        findings(page, &account.files.errors);
    }
}

fn degraded(page: &mut String, account: &AccountStatus) {
    let Some(degraded) = &account.degraded else { return };
    let count = counted(degraded.objects, "declared object");
    let _ = write!(page, "<p class=\"warning\"><b>Left out: {count}</b>; everything else is applied or planned.</p>");
    findings(page, &degraded.reasons);
}

fn facts(page: &mut String, account: &AccountStatus) {
    page.push_str("<dl class=\"facts\">");
    let mut fact = |name: &str, stamp: Option<&str>, role: &str| {
        if let Some(stamp) = stamp.filter(|stamp| !stamp.is_empty()) {
            let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", time(stamp, role));
        }
    };
    fact("Since", Some(&account.since), "since");
    if account.state != AccountState::InSync {
        fact("Last in sync", account.last_in_sync.as_deref(), "in-sync");
    }
    fact("Last change", account.last_change.as_deref(), "change");
    fact("Last check", account.last_check.as_deref(), "check");
    fact("Next check", account.next_check.as_deref(), "next");
    fact("Config loaded", account.files.since.as_deref(), "files");
    if !account.provider.is_empty() {
        let _ = write!(page, "<div><dt>Provider</dt><dd>{}</dd></div>", html::escaped(account.provider));
    }
    if let Some(commit) = &account.files.commit {
        let _ = write!(page, "<div><dt>Commit</dt><dd><code>{}</code></dd></div>", html::text(commit, 12));
    }
    page.push_str("</dl>");
}

fn plan_section(page: &mut String, plan: &Plan, account: &AccountStatus, extent: Extent) {
    let name = html::text(&account.account, 200);
    let is_open = match extent {
        Extent::Card { open } => open && plan.changes.len() <= 5,
        _ => true,
    };
    let open = if is_open { " open" } else { "" };
    let _ = write!(
        page,
        "<details data-key=\"plan\"{open}><summary>Plan<span class=\"visually-hidden\"> of {name}</span>: {}</summary>{}",
        html::counts(plan),
        html::changes(plan, extent.max_changes())
    );
    if extent != Extent::Full && plan.changes.len() > extent.max_changes() {
        let _ = write!(page, "<p><a href=\"{}\">All changes of {name}</a></p>", path(account));
    }
    page.push_str("</details>");
}

/// What blocks the plan, and how to approve it.
fn approval(page: &mut String, plan: &Plan, account: &AccountStatus, address: SocketAddr) {
    let name = html::text(&account.account, 200);
    let digest = html::text(&plan.digest.0, 64);
    let _ = write!(
        page,
        "<section class=\"approval\" aria-label=\"What blocks the plan of {name}\">{}\
         <p>To approve exactly this plan, once:</p>\
         <pre><code>\
         curl --fail-with-body -H \"Authorization: Bearer $TOKEN\" \\\n  --json '{{\"digest\": \"{digest}\"}}' \\\n  \
         http://{address}/api/accounts/{}/approve</code></pre>\
         <p>No token configured? Restart with <code>--approve {digest}</code>.</p></section>",
        html::blocked(plan),
        segment(account)
    );
}

fn history(page: &mut String, account: &AccountStatus, extent: Extent) {
    if account.history.is_empty() {
        return;
    }
    let open = if extent == Extent::Full { " open" } else { "" };
    let _ = write!(
        page,
        "<details data-key=\"history\"{open}><summary>History<span class=\"visually-hidden\"> of {}</span></summary><ol class=\"history\">",
        html::text(&account.account, 200)
    );
    for event in account.history.iter().take(extent.max_events()) {
        let _ = write!(
            page,
            "<li>{} <b>{}</b> {}",
            time(&event.at, "event"),
            event_label(event.kind),
            html::text(&event.message, 1200)
        );
        if let Some(run) = &event.run {
            let _ = write!(page, " <span class=\"run\">run {}</span>", html::text(run.as_str(), 60));
        }
        page.push_str("</li>");
    }
    page.push_str("</ol></details>");
}
