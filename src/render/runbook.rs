//! A plan as numbered clicks in the Ooma Office portal, for accounts that no API reaches.
//!
//! Only clicks that Ooma's own pages describe are given (see `words.rs`). Where they describe none, the step says so,
//! and says what must be true in the end. Each step is preceded by what must be seen before, as the plan read it.
//!
//! Sentences come from one table for each language; this module only chooses and fills them.

mod english;
mod french;
mod step;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{FieldName, FieldValue, ObjectId};
use crate::plan::Plan;
use crate::text;

use super::blocks::{self, BlockedChanges};
use super::failed_accounts::Unplanned;
use super::{fields, skipped};

use step::Step;
use words::{Words, fill};

/// The language of the sentences; the portal's own labels stay as they are documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// English
    #[default]
    #[value(name = "en")]
    English,
    /// French
    #[value(name = "fr")]
    French,
}

impl Language {
    fn words(self) -> &'static Words {
        match self {
            Self::English => &english::WORDS,
            Self::French => &french::WORDS,
        }
    }
}

/// The runbooks of all accounts.
pub fn plans(plans: &[Plan], language: Language) -> String {
    plans.iter().map(|plan| one(plan, language.words())).collect::<Vec<_>>().join("\n")
}

/// The accounts without a plan, which have no steps here.
pub fn unplanned(unplanned: &[Unplanned], language: Language) -> String {
    let words = language.words().unplanned;
    let mut text = String::new();
    for one in unplanned {
        let filled =
            fill(words, &[("account", &fields::quoted(&one.account)), ("why", &text::sanitized(&one.message, 300))]);
        text.push_str(&filled);
        text.push('\n');
    }
    text
}

/// What is left out and must not be touched, although the files declare it.
fn left_out(plan: &Plan, words: &Words) -> String {
    if plan.skipped.is_empty() {
        return String::new();
    }
    format!("\n{}\n  - {}\n", words.left_out, skipped::list(plan).join("\n  - "))
}

/// The runbook of one account: how to use it, what is blocked, the steps, and how to see that all is done.
fn one(plan: &Plan, words: &Words) -> String {
    let account = fields::quoted(&plan.account);
    let count = plan.changes.len().to_string();
    let mut text = fill(words.title, &[("account", &account), ("count", &count)]) + "\n\n";
    if plan.is_empty() {
        return text + words.nothing + "\n" + &left_out(plan, words);
    }
    for line in words.introduction {
        text.push_str(line);
        text.push('\n');
    }
    let blocked = BlockedChanges::of(plan);
    if plan.is_blocked() {
        text.push('\n');
        text.push_str(&fill(words.blocked, &[("digest", &fields::sanitized(&plan.digest.0))]));
        text.push('\n');
        for block in &plan.blocked {
            let _ = writeln!(text, "  - {}", blocks::title(block).0);
        }
    }
    text.push_str(&left_out(plan, words));
    let _ = writeln!(text, "\n1. {}", words.sign_in);
    // A group that an earlier step renamed is found under its new name.
    let mut names: BTreeMap<&ObjectId, &str> = BTreeMap::new();
    for (change, number) in plan.changes.iter().zip(2_usize..) {
        let known = change.object.id.as_ref().and_then(|id| names.get(id)).copied();
        let step = Step { words, change, number, name: known.unwrap_or(&change.object.name) };
        text.push('\n');
        text.push_str(&step.text(blocked.by(change)));
        if let (Some(id), Some(FieldValue::Name(name))) = (&change.object.id, change.after(FieldName::Name)) {
            names.insert(id, name.as_str());
        }
    }
    let last = (plan.changes.len() + 2).to_string();
    let _ = writeln!(text, "\n{last}. {}", words.finish);
    text.push_str(&fill(words.digest, &[("digest", &fields::sanitized(&plan.digest.0))]));
    text.push('\n');
    text
}
