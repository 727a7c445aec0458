//! `apply --expect` and `apply --reviewed`: a fresh plan is applied only if it is one that somebody has read.
//!
//! A digest names exactly the changes, their order and what they expect of the account, so an equal digest says
//! that neither the files nor the objects that they write have moved since the plan was read. Several plans that were
//! reviewed apart and merged one after the other are one plan afterwards, which has none of their digests: it has to be
//! exactly the union of their changes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;

use crate::plan::{Digest, DigestError, Plan, Review, Unreviewed, unreviewed};
use crate::render::{counted, review};
use crate::text::sanitized;

/// More than the plans of a run for a million numbers.
const MOST_BYTES: u64 = 1 << 30;
/// At most so many changes are named.
const SHOWN: usize = 20;

/// Which plans were read.
#[derive(Debug, clap::Args)]
pub(super) struct Expecting {
    /// Apply only plans that somebody has read: those with these digests, or nothing if another plan has changes.
    /// Repeat it for several accounts; `none` expects that nothing is left to do
    #[arg(long, value_name = "DIGEST")]
    expect: Vec<Expected>,
    /// Also apply a plan whose changes are exactly those of all these plans together: a saved plan, or what `show --format
    /// review` printed of one. Repeat it for each plan that was reviewed since the last apply
    #[arg(long, value_name = "FILE")]
    reviewed: Vec<PathBuf>,
}

/// A plan that was read, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// The plan with this digest.
    Plan(Digest),
    /// No changes at all.
    Nothing,
}

impl FromStr for Expected {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self::Nothing) } else { text.parse().map(Self::Plan) }
    }
}

impl Expecting {
    /// Why these plans are not those that were read, in lines for people; `None` if they are, or if none was named.
    ///
    /// A plan without changes surprises nobody: what was read has been done.
    pub(super) fn unexpected_plans(&self, plans: &[&Plan]) -> anyhow::Result<Option<String>> {
        let reviews = self.reviewed.iter().map(|path| reviews(path)).collect::<anyhow::Result<Vec<_>>>()?.concat();
        if self.expect.is_empty() && self.reviewed.is_empty() {
            return Ok(None);
        }
        let named = |plan: &Plan| self.expect.contains(&Expected::Plan(plan.digest.clone()));
        let mut lines = String::new();
        for plan in plans.iter().filter(|plan| !plan.is_empty() && !named(plan)) {
            let difference = unreviewed(plan, &reviews);
            if self.reviewed.is_empty() || difference.is_some() {
                self.say(&mut lines, plan, difference.as_ref());
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        for one in &self.expect {
            // Writing to a string cannot fail, here and below.
            let _ = match one {
                Expected::Plan(digest) => writeln!(lines, "strowger: expected {digest}"),
                Expected::Nothing => writeln!(lines, "strowger: expected that nothing is left to do"),
            };
        }
        lines.push_str(
            "strowger: nothing was applied; the files or the account moved since: have the plan above read\n",
        );
        Ok(Some(lines))
    }

    fn say(&self, lines: &mut String, plan: &Plan, difference: Option<&Unreviewed>) {
        let account = sanitized(&plan.account, 200);
        let digest = &plan.digest;
        let _ = writeln!(lines, "strowger: the plan of {account} is not one that was expected; its digest is {digest}");
        let Some(difference) = difference.filter(|_| !self.reviewed.is_empty()) else { return };
        let _ = writeln!(lines, "strowger: nor is it exactly what the reviewed plans have together:");
        let unread = plan.changes.iter().filter(|change| difference.changes.contains(&change.id));
        for change in unread.take(SHOWN) {
            let (kind, name) = (change.object.kind, sanitized(&change.object.name, 200));
            let _ = writeln!(lines, "  change {} ({kind} {name}) is in none of them", change.id.0);
        }
        if difference.changes.len() > SHOWN {
            let _ = writeln!(lines, "  and {} more", difference.changes.len() - SHOWN);
        }
        if difference.missing > 0 {
            let are = if difference.missing == 1 { "is" } else { "are" };
            let _ = writeln!(lines, "  {} of theirs {are} not in it", counted(difference.missing, "change"));
        }
    }
}

fn reviews(path: &Path) -> anyhow::Result<Vec<Review>> {
    let named = || format!("cannot use the review {}", sanitized(&path.to_string_lossy(), 200));
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text)).with_context(named)?;
    review::read(&text).with_context(named)
}
