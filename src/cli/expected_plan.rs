//! `apply --expect` and `apply --reviewed`: a fresh plan is applied only if it was reviewed.
//!
//! A digest names exactly the changes, their order and what they expect of the account, so an equal digest says
//! that neither the files nor the objects that they write have changed since the review. Several plans that were
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
/// The most changes that are listed.
const SHOWN: usize = 20;

/// Which plans were reviewed.
#[derive(Debug, clap::Args)]
pub(super) struct ExpectedPlans {
    /// Apply only reviewed plans: those with these digests, and nothing if any other plan has changes. Can be repeated
    /// for several accounts; `none` expects no changes
    #[arg(long, value_name = "DIGEST")]
    expect: Vec<Expected>,
    /// Also apply a plan whose changes are exactly those of all these reviewed plans together: saved plans, or the
    /// output of `show --format review`. Repeat it for each plan that was reviewed since the last apply
    #[arg(long, value_name = "FILE")]
    reviewed: Vec<PathBuf>,
}

/// A reviewed plan, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
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

impl ExpectedPlans {
    /// Why these plans are not the reviewed ones, in lines for people; `None` if they are, or if none was given.
    ///
    /// A plan without changes is always expected: the reviewed changes have been applied.
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
            let _ = match one {
                Expected::Plan(digest) => writeln!(lines, "strowger: expected {digest}"),
                Expected::Nothing => writeln!(lines, "strowger: expected no changes"),
            };
        }
        lines.push_str(
            "strowger: nothing was applied; the files or the account have changed since the review: have the plan above reviewed\n",
        );
        Ok(Some(lines))
    }

    fn say(&self, lines: &mut String, plan: &Plan, difference: Option<&Unreviewed>) {
        let account = sanitized(&plan.account, 200);
        let digest = &plan.digest;
        let _ = writeln!(lines, "strowger: the plan of {account} is not an expected plan; its digest is {digest}");
        let Some(difference) = difference.filter(|_| !self.reviewed.is_empty()) else { return };
        let _ = writeln!(lines, "strowger: it also differs from the reviewed plans taken together:");
        let unread = plan.changes.iter().filter(|change| difference.changes.contains(&change.id));
        for change in unread.take(SHOWN) {
            let (kind, name) = (change.object.kind, sanitized(&change.object.name, 200));
            let _ = writeln!(lines, "  change {} ({kind} {name}) is in none of the reviewed plans", change.id.0);
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
