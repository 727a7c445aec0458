//! What `strowger watch` shows and tells others, as a process: the status server, its page in a real browser, notices.
#![cfg(unix)]

mod browser;
mod http;
mod notices;
mod page;
mod server;
mod states;

use std::path::PathBuf;

use crate::support::process::Watch;

/// A program that a test needs. Without it the test is skipped, unless `STROWGER_TOOLS=required`.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("STROWGER_TOOLS").is_ok_and(|value| value == "required");
        assert!(!required, "{name} is not installed");
        println!("skipped: {name} is not installed; scripts/test installs it");
    }
    found
}

/// Where the status of a process is.
#[track_caller]
fn address(watch: &Watch) -> String {
    watch.until("a status server", || watch.said().contains("the status is at http://"));
    let said = watch.said();
    let from = said.split("the status is at ").nth(1).unwrap();
    from.split('/').take(3).collect::<Vec<_>>().join("/").trim().to_owned()
}
