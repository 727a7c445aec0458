//! The head of the status page: how many accounts are in each state, and the source of the files.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::render::{counted, html};

use super::super::status::{AccountState, AccountStatus, SourceStatus};
use super::fingerprints::source_fingerprint;
use super::labels::{BY_URGENCY, findings, needs_attention, shape, state, time};

pub(super) fn title(all: &[Arc<AccountStatus>]) -> String {
    let urgent = all.iter().filter(|account| needs_attention(account)).count();
    match (urgent, all.len()) {
        (0, count) => format!("{}, none needs attention – Strowger", counted(count, "account")),
        (urgent, count) => format!("Attention: {urgent} of {} – Strowger", counted(count, "account")),
    }
}

pub(super) fn section(all: &[Arc<AccountStatus>], source: &SourceStatus, current: &str, now: &str) -> String {
    let mut page = format!(
        "<section id=\"summary\" aria-label=\"Summary\" data-fingerprint=\"{}\" data-now=\"{}\"><ul class=\"counts\">",
        source_fingerprint(source),
        html::escaped(now)
    );
    chip(&mut page, "/", all.len(), "", "All", current.is_empty());
    for one in BY_URGENCY {
        let count = all.iter().filter(|account| account.state == one).count();
        if count > 0 || one == AccountState::InSync {
            let (word, here) = (one.as_str(), one.as_str() == current);
            chip(&mut page, &format!("/?state={word}"), count, &shape(one), state(one).0, here);
        }
    }
    page.push_str("</ul>");
    files(&mut page, source);
    page.push_str("</section>");
    page
}

fn chip(page: &mut String, link: &str, count: usize, shape: &str, word: &str, here: bool) {
    let current = if here { " aria-current=\"true\"" } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(page, "<li><a href=\"{link}\"{current}>{shape}<b>{count}</b> {word}</a></li>");
}

fn files(page: &mut String, source: &SourceStatus) {
    let _ = write!(page, "<p class=\"source\">Files from <code>{}</code>", html::text(&source.from, 500));
    if let Some(commit) = &source.commit {
        let _ = write!(page, " at commit <code>{}</code>", html::text(commit, 12));
    }
    if let Some(read) = &source.last_success {
        let _ = write!(page, ", read {}", time(read, "read"));
    }
    page.push_str("</p>");
    if let Some(failing) = &source.failing {
        let _ = write!(
            page,
            "<p class=\"alarm\"><b>The files cannot be updated:</b> {}. The last valid files stay in use.</p>",
            html::text(failing, 500)
        );
    }
    if !source.errors.is_empty() {
        page.push_str("<div class=\"alarm\"><b>The newest files have errors:</b>");
        findings(page, &source.errors);
        page.push_str("</div>");
    }
}
