//! The words and shapes of states on the status page, and its times as text.

use std::fmt::Write as _;

use crate::render::html;

use super::super::status::{AccountState, AccountStatus, EventKind};

/// The shapes of all states, distinguishable without colour, and the logo.
pub(super) const SHAPES: &str = concat!(
    "<svg class=\"sprite\" aria-hidden=\"true\" width=\"0\" height=\"0\">",
    "<symbol id=\"starting\" viewBox=\"0 0 16 16\"><circle cx=\"3\" cy=\"8\" r=\"1.7\"/><circle cx=\"8\" cy=\"8\" r=\"1.7\"/>",
    "<circle cx=\"13\" cy=\"8\" r=\"1.7\"/></symbol>",
    "<symbol id=\"in_sync\" viewBox=\"0 0 16 16\"><path d=\"M2 8.5 6.2 13 14 3.5\" fill=\"none\" stroke=\"currentColor\" ",
    "stroke-width=\"2.4\"/></symbol>",
    "<symbol id=\"drifted\" viewBox=\"0 0 16 16\"><path d=\"M8 1.5 15.2 14H.8Z\"/></symbol>",
    "<symbol id=\"blocked\" viewBox=\"0 0 16 16\"><path d=\"M5 1h6l4 4v6l-4 4H5l-4-4V5Z\"/></symbol>",
    "<symbol id=\"fighting\" viewBox=\"0 0 16 16\"><path d=\"M1 5h9V2l5 4.5-5 4.5V8.5H1ZM15 11H8v-.5L3 12l5 3v-1.5h7Z\"/></symbol>",
    "<symbol id=\"suspended\" viewBox=\"0 0 16 16\"><path d=\"M3 2h4v12H3Zm6 0h4v12H9Z\"/></symbol>",
    "<symbol id=\"degraded\" viewBox=\"0 0 16 16\"><path d=\"M8 1.5v13a6.5 6.5 0 0 1 0-13Z\"/><circle cx=\"8\" cy=\"8\" r=\"6.5\" ",
    "fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.8\"/></symbol>",
    "<symbol id=\"invalid\" viewBox=\"0 0 16 16\"><path d=\"M3 1h7l4 4v10H3Z\" fill=\"none\" stroke=\"currentColor\" ",
    "stroke-width=\"1.8\"/><path d=\"M5.6 7.2 11 12.6M11 7.2l-5.4 5.4\" stroke=\"currentColor\" stroke-width=\"1.8\"/></symbol>",
    "<symbol id=\"failing\" viewBox=\"0 0 16 16\"><path d=\"M2.5 2.5l11 11m0-11-11 11\" stroke=\"currentColor\" ",
    "stroke-width=\"3\"/></symbol>",
    "<symbol id=\"logo\" viewBox=\"0 0 32 32\"><circle cx=\"16\" cy=\"16\" r=\"14\" fill=\"none\" stroke=\"currentColor\" ",
    "stroke-width=\"2.5\"/><circle cx=\"16\" cy=\"16\" r=\"4\"/><circle cx=\"16\" cy=\"6.8\" r=\"2\"/><circle cx=\"24\" ",
    "cy=\"11.4\" r=\"2\"/><circle cx=\"24\" cy=\"20.6\" r=\"2\"/><circle cx=\"8\" cy=\"11.4\" r=\"2\"/><circle cx=\"8\" ",
    "cy=\"20.6\" r=\"2\"/></symbol></svg>"
);

/// A state as a word, with an explanation.
pub(super) const fn state(state: AccountState) -> (&'static str, &'static str) {
    match state {
        AccountState::Starting => ("Starting", "not checked yet"),
        AccountState::InSync => ("In sync", "matches the files"),
        AccountState::Drifted => ("Drifted", "differs from the files; not corrected"),
        AccountState::Blocked => ("Blocked", "a guard blocks the changes"),
        AccountState::Fighting => ("Fighting", "every correction is undone by someone else"),
        AccountState::Suspended => ("Suspended", "nothing is written for now"),
        AccountState::Degraded => ("Degraded", "matches the files, except for invalid declarations"),
        AccountState::Invalid => ("Invalid", "configuration errors"),
        AccountState::Failing => ("Failing", "the account cannot be read or written"),
    }
}

pub(super) const fn event_label(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Files => "Files",
        EventKind::Invalid => "Invalid",
        EventKind::Drift => "Drift",
        EventKind::Applied => "Applied",
        EventKind::Blocked => "Blocked",
        EventKind::Degraded => "Degraded",
        EventKind::Fight => "Fight",
        EventKind::Failed => "Failed",
        EventKind::Suspended => "Suspended",
        EventKind::Recovered => "Recovered",
    }
}

/// Whether the newest files have errors, so that older ones are in use.
pub(super) fn has_file_errors(account: &AccountStatus) -> bool {
    !account.files.valid && !account.files.errors.is_empty()
}

/// Whether a person must do something.
pub(super) fn needs_attention(account: &AccountStatus) -> bool {
    !matches!(account.state, AccountState::Starting | AccountState::InSync)
        || account.degraded.is_some()
        || has_file_errors(account)
}

/// The most urgent first.
pub(super) const BY_URGENCY: [AccountState; 9] = [
    AccountState::Failing,
    AccountState::Invalid,
    AccountState::Blocked,
    AccountState::Fighting,
    AccountState::Degraded,
    AccountState::Drifted,
    AccountState::Suspended,
    AccountState::Starting,
    AccountState::InSync,
];

/// The sort order: the smallest comes first.
pub(super) fn rank(account: &AccountStatus) -> usize {
    let place = |state| BY_URGENCY.iter().position(|one| *one == state).unwrap_or(BY_URGENCY.len());
    let rank = place(account.state);
    if has_file_errors(account) { rank.min(place(AccountState::Invalid)) } else { rank }
}

pub(super) fn shape(state: AccountState) -> String {
    let word = state.as_str();
    format!("<svg class=\"shape {word}\" aria-hidden=\"true\" viewBox=\"0 0 16 16\"><use href=\"#{word}\"/></svg>")
}

/// A list of findings; nothing if there are none.
pub(super) fn findings(page: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.push_str("<ul class=\"findings\">");
    for line in lines {
        let _ = write!(page, "<li><code>{}</code></li>", html::text(line, 1000));
    }
    page.push_str("</ul>");
}

/// A time; the script finds it by its role.
pub(super) fn time(stamp: &str, role: &str) -> String {
    let shown: String = stamp.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let (stamp, shown) = (html::escaped(stamp), html::escaped(&shown));
    format!("<time datetime=\"{stamp}\" data-role=\"{role}\">{shown} UTC</time>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_urgency() {
        for state in AccountState::ALL {
            assert!(BY_URGENCY.contains(&state), "{state:?}");
        }
        assert_eq!(BY_URGENCY.len(), AccountState::ALL.len());
    }
}
