//! A plan as Markdown, for pull requests and job summaries.
//!
//! Everything that came from a file or an account stands inside a code block whose fence is longer than any
//! run of back-ticks in it, so that no mark-up, mention or HTML in a name can take effect.

use crate::plan::Plan;

use super::diagnostics::Style;
use super::{fields, human, summary};

/// The plan of one account: a heading, the changes as a diff, the counts and the price.
pub fn plan(plan: &Plan) -> String {
    let account = code(&fields::shown(&plan.account));
    let mut parts = vec![format!("### Strowger plan for {account}"), format!("**{}**", summary::counts(plan))];
    if !plan.changes.is_empty() {
        let body = body(plan);
        let fence = "`".repeat(longest_run(&body).max(2) + 1);
        parts.push(format!("{fence}diff\n{body}{fence}"));
    }
    parts.extend(summary::unmanaged(plan).map(|line| line + "."));
    parts.push(format!("Price: {}.", summary::price(plan)));
    parts.join("\n\n") + "\n"
}

/// The changes as the terminal shows them, with the signs in the first column, where a `diff` block wants
/// them; `!` is its sign for a changed line.
fn body(plan: &Plan) -> String {
    let mut body = String::new();
    for line in human::changes(plan, Style { color: false, width: usize::MAX }).lines() {
        match line.strip_prefix("  ") {
            Some(change) if change.starts_with('~') => body.push_str(&change.replacen('~', "!", 1)),
            Some(change) => body.push_str(change),
            None => body.push_str(line),
        }
        body.push('\n');
    }
    body
}

/// Text as inline code that it cannot leave.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}
