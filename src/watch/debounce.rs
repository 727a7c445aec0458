//! Waits until files stop changing, so that no half-written file is read.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long files must stay the same.
pub(super) const QUIET: Duration = Duration::from_millis(200);
/// Files that keep changing are read after this time, so that their errors are reported.
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Returns the stamp once it has stayed the same for [`QUIET`].
pub(super) async fn debounce<S: PartialEq>(mut stamp: impl FnMut() -> S) -> S {
    let began = Instant::now();
    let mut now = stamp();
    loop {
        sleep(QUIET).await;
        let later = stamp();
        if later == now || began.elapsed() >= LONGEST {
            return later;
        }
        now = later;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn files_that_are_being_written_are_waited_for() {
        let began = Instant::now();
        // Written to every 150 ms, for two seconds.
        let stamp = debounce(|| (began.elapsed().as_millis() / 150).min(13)).await;
        assert_eq!(stamp, 13);
        assert!(began.elapsed() >= Duration::from_millis(13 * 150 + 200));
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_never_stop_changing_are_read_anyway() {
        let (began, counter) = (Instant::now(), Cell::new(0));
        debounce(|| counter.replace(counter.get() + 1)).await;
        assert!(began.elapsed() >= LONGEST && began.elapsed() < LONGEST + 2 * QUIET);
    }
}
