//! Files that adopt drift, where `policy.drift` says `adopt`.

use super::super::status::EventKind;
use super::Watcher;

impl Watcher {
    /// Writes the adopted files, and publishes the result if it is new.
    pub(super) async fn publish_adoption(&mut self) {
        let Some(result) = self.adoption.take() else { return };
        let message = match result {
            Ok((adoption, left_out)) => match self.context.environment.adopt(adoption).await {
                Ok(written) => written.into_iter().chain(left_out).collect::<Vec<_>>().join("; "),
                Err(error) => format!("the adopted files cannot be written: {error}"),
            },
            Err(error) => error,
        };
        if !message.is_empty() && self.last_published.adoption.as_ref() != Some(&message) {
            self.publish_event(EventKind::Drift, &message);
            self.last_published.adoption = Some(message);
        }
    }
}
