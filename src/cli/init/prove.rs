//! The end of the first run: the files are planned, and what to do next is said.

use anyhow::anyhow;

use crate::cli::accept;
use crate::cli::console::{self, OutputStream};
use crate::cli::open::open;
use crate::cli::read_account::read_and_plan;
use crate::cli::request_limits::Effort;
use crate::config;
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::providers::Access;
use crate::render::human;
use crate::text::sanitized;

use super::files::Written;
use super::place::{Place, near};

/// Plans the files that were written as `plan` does. An embedded account is founded now.
pub(super) async fn prove(place: &Place, mut written: Written) -> anyhow::Result<Exit> {
    let out = OutputStream::Out;
    let mut loaded = config::load_guarded(std::slice::from_ref(&place.folder), None)?;
    // The address and the token were given a moment ago.
    accept::everything(&mut loaded);
    let account = loaded.accounts.first().filter(|_| !has_errors(&loaded.diagnostics));
    let opened = match account {
        Some(account) => {
            let access = if written.provider.is_embedded { Access::Write } else { Access::ReadOnly };
            let opened = open(account, access, Effort::default()).await;
            Some(opened.map_err(|error| anyhow!("{error:#}; {}", remedy(&written)))?)
        }
        None => None,
    };
    // Whatever fails from here on leaves them there.
    written.made.keep();
    for path in &written.files {
        out.say(&format!("wrote {}", near(path)));
    }
    let mut plan: Option<Plan> = None;
    if let (Some(account), Some(opened)) = (account, opened) {
        let planned = read_and_plan(account, &*opened.provider, &crate::plan::Part::default()).await;
        opened.close().await;
        let fresh = planned?;
        loaded.diagnostics.extend(fresh.findings);
        plan = fresh.plan;
    }
    crate::diag::sort(&mut loaded.diagnostics);
    console::report(&loaded, &loaded.diagnostics);
    let Some(plan) = plan else { return Ok(Exit::Invalid) };
    let folder = place.folder.to_string_lossy();
    let folder = sanitized(&shlex::try_quote(&folder).unwrap_or_default(), 200);
    out.say(&format!("\n$ strowger plan {folder}\n{}", human::plan(&plan, console::style())));
    for remark in &written.remarks {
        out.say(&format!("{}\n", sanitized(remark, 400)));
    }
    if !plan.is_empty() {
        out.say("The account was changed meanwhile: the plan above says how the files differ from it.");
        return Ok(Exit::Failure);
    }
    let edit = place.folder.join("account.yaml");
    out.say(&format!("Next: edit {}, then", sanitized(&edit.to_string_lossy(), 200)));
    out.say(&format!("  strowger plan {folder}     shows what your edit changes"));
    if written.provider.is_read_only {
        out.say(&format!("  strowger plan {folder} --format runbook    says what to click in the portal"));
    } else {
        out.say(&format!("  strowger apply {folder}    changes the account, once you say yes"));
    }
    Ok(Exit::Ok)
}

/// What to do where the account was opened from the current folder and cannot be from that of its files.
fn remedy(written: &Written) -> &'static str {
    if written.has_command {
        "the command runs in the account's folder: give whole paths in it. Nothing of what was written is left"
    } else {
        "nothing of what was written is left"
    }
}
