//! Plans that were saved: `plan --out` writes them, `apply --plan` reads them.
//!
//! A saved plan holds no secret and no way to an account: those come from the files, which are read again.
//! Of the files, only the accounts' settings and guards are used; their desired state is not.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::config::{Account, InvalidAccount};
use crate::plan::Plan;
use crate::render::json::{self, Report};
use crate::render::names;
use crate::text::sanitized;

use super::write_file;

/// More than a plan for a million numbers.
const MOST_BYTES: u64 = 1 << 30;

/// The plans of a file.
pub(super) struct Saved {
    pub(super) report: Report,
}

impl Saved {
    /// Reads and checks a file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("cannot use the plan {}", path.display());
        let about = fs::metadata(path).with_context(named)?;
        if !about.is_file() {
            bail!("{}: it is not a regular file", named());
        }
        let mut text = String::new();
        File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text)).with_context(named)?;
        let report = Report::read(&text).with_context(named)?;
        if report.plans.is_empty() {
            bail!("{}: it contains no plan", named());
        }
        Ok(Self { report })
    }

    /// Reads and checks a file whose plans are to be applied: each account must have a plan.
    pub(super) fn read_whole(path: &Path) -> anyhow::Result<Self> {
        let saved = Self::read(path)?;
        let Report { unplanned, diagnostics, .. } = &saved.report;
        if !unplanned.is_empty() {
            let lacking: Vec<&str> = unplanned.iter().map(|one| one.account.as_str()).collect();
            bail!(
                "cannot use the plan {}: it has no plan for {}; save a complete one with `plan --out`",
                path.display(),
                names(&lacking)
            );
        }
        // An error that is about what a plan leaves out was known when it was saved.
        let skipped = saved.report.plans.iter().flat_map(|plan| &plan.skipped).filter_map(|one| one.rule.as_deref());
        let skipped: Vec<&str> = skipped.collect();
        let is_about = |finding: &Value, rule: &str| finding.get("rule").is_some_and(|found| found == rule);
        let mut errors = diagnostics.iter().filter(|one| one.get("severity").is_some_and(|word| word == "error"));
        if errors.any(|finding| !skipped.iter().any(|rule| is_about(finding, rule))) {
            bail!("cannot use the plan {}: the files had errors when it was saved", path.display());
        }
        Ok(saved)
    }

    /// Where the accounts' settings are, unless paths are given.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.report.paths.iter().map(PathBuf::from).collect()
    }

    /// The accounts that have a plan, in the order of the files. All plans must have their account, unless files have
    /// errors, which is said elsewhere.
    pub(super) fn accounts<'a>(
        &self,
        accounts: &'a [Account],
        invalid: &[InvalidAccount],
        paths: &[PathBuf],
    ) -> anyhow::Result<Vec<&'a Account>> {
        let name = |account: &Account| account.settings.name.to_string();
        for plan in &self.report.plans {
            if invalid.is_empty() && !accounts.iter().any(|account| name(account) == plan.account) {
                let paths: Vec<_> = paths.iter().map(|path| sanitized(&path.to_string_lossy(), 200)).collect();
                bail!(
                    "the plan is for the account {}, which is not in {}; name the files of that account",
                    sanitized(&plan.account, 200),
                    paths.join(", ")
                );
            }
        }
        Ok(accounts.iter().filter(|account| self.of(account).is_some()).collect())
    }

    /// The plan of an account.
    pub(super) fn of(&self, account: &Account) -> Option<&Plan> {
        self.report.plans.iter().find(|plan| *plan.account == *account.settings.name)
    }
}

/// Saves the plan in a file that the operator named.
pub(super) fn save(path: &Path, report: &Report) -> anyhow::Result<()> {
    write_file::write_through(path, &json::text(report))
        .with_context(|| format!("cannot save the plan to {}", path.display()))
}
