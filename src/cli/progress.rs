//! Progress on stderr: only for people, and only for work that takes more than a second.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time;

use crate::text::sanitized;

use super::console;

const QUIET: Duration = Duration::from_secs(1);

/// Awaits the work; after a second a spinner says what is going on.
pub(super) async fn during<T>(message: &str, work: impl Future<Output = T>) -> T {
    let bar = spinner(message);
    let done = show_after_a_while(&bar, work).await;
    bar.finish_and_clear();
    done
}

/// Awaits the work; after a second the bar is shown.
pub(super) async fn show_after_a_while<T>(bar: &ProgressBar, work: impl Future<Output = T>) -> T {
    let shown = bar.clone();
    // On another thread: the work may be one that never waits.
    let timer = tokio::spawn(async move {
        time::sleep(QUIET).await;
        if console::watched() {
            shown.set_draw_target(ProgressDrawTarget::stderr());
            shown.enable_steady_tick(Duration::from_millis(120));
        }
    });
    let done = work.await;
    timer.abort();
    done
}

fn spinner(message: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    bar.set_style(ProgressStyle::default_spinner());
    bar.set_message(message.to_owned());
    bar
}

/// A spinner for accounts that are read side by side: `reading lyon (3 of 6)` names the first one that is still
/// being read, because that one causes the delay.
pub(super) struct Reading<'a> {
    pub(super) bar: ProgressBar,
    names: Vec<&'a str>,
    read: Mutex<Vec<bool>>,
}

impl<'a> Reading<'a> {
    /// For the accounts with these names, in the order of the files.
    pub(super) fn new(names: Vec<&'a str>) -> Self {
        let reading = Self { bar: spinner(""), read: Mutex::new(vec![false; names.len()]), names };
        reading.update();
        reading
    }

    /// The account at this position was read.
    pub(super) fn done(&self, at: usize) {
        if let Some(read) = self.read.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            *read = true;
        }
        self.update();
    }

    fn update(&self) {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let next = read.iter().position(|read| !read).and_then(|at| self.names.get(at));
        let Some(name) = next else { return };
        let (name, all) = (sanitized(name, 80), self.names.len());
        let done = read.iter().filter(|read| **read).count();
        self.bar.set_message(if all == 1 {
            format!("reading {name}")
        } else {
            format!("reading {name} ({} of {all})", done + 1)
        });
    }
}

/// A bar, hidden until [`show_after_a_while`] shows it.
pub(super) fn bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden());
    style(&bar, "  {bar:30} {pos}/{len} changes");
    bar
}

/// Shows the remaining time, which is unknown before the first step is done.
pub(super) fn estimate(bar: &ProgressBar) {
    style(bar, "  {bar:30} {pos}/{len} changes, {eta} left");
}

fn style(bar: &ProgressBar, template: &str) {
    // The templates are fixed, so they cannot be wrong.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
