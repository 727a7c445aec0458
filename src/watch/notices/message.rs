//! The formats of notices.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::text::sanitized;

use super::super::status::{Event, EventKind};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum NotifyFormat {
    /// CloudEvents 1.0 as JSON
    #[default]
    #[value(name = "cloudevents")]
    CloudEvents,
    /// An object with a text, for Slack and compatible services
    Slack,
}

#[derive(Debug)]
pub(super) struct Notice {
    /// Unique.
    pub(super) id: String,
    pub(super) account: Arc<str>,
    pub(super) event: Event,
}

impl NotifyFormat {
    /// The media type of [`Notice::body`].
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
            Self::Slack => "application/json; charset=utf-8",
        }
    }
}

impl Notice {
    pub(super) fn body(&self, format: NotifyFormat) -> Vec<u8> {
        let value = match format {
            NotifyFormat::CloudEvents => self.cloud_event(),
            // Without `mrkdwn`, Slack formats nothing in the text.
            NotifyFormat::Slack => json!({ "text": self.line(), "mrkdwn": false }),
        };
        value.to_string().into_bytes()
    }

    fn cloud_event(&self) -> serde_json::Value {
        let mut data =
            json!({ "account": &*self.account, "kind": self.event.kind.as_str(), "message": self.event.message });
        if let (Some(run), Some(data)) = (&self.event.run, data.as_object_mut()) {
            data.insert("run".to_owned(), run.as_str().into());
        }
        if let (Some(approval), Some(data)) = (&self.event.approval, data.as_object_mut()) {
            data.insert("approval".to_owned(), json!(approval));
        }
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": format!("/strowger/accounts/{}", utf8_percent_encode(&self.account, NON_ALPHANUMERIC)),
            "type": format!("strowger.account.{}", self.event.kind.as_str()),
            "subject": &*self.account,
            "time": self.event.at,
            "datacontenttype": "application/json",
            "data": data,
        })
    }

    fn line(&self) -> String {
        let run = self.event.run.as_ref().map(|run| format!(" (run {run})")).unwrap_or_default();
        let account = sanitized(&self.account, 200);
        plain(&format!("{account} {}: {}{run}", verb(self.event.kind), self.event.message))
    }
}

/// The event as the middle of a sentence.
const fn verb(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Files => "uses updated files",
        EventKind::Invalid => "has files with errors",
        EventKind::Drift => "differs from its files",
        EventKind::Applied => "was changed",
        EventKind::Blocked => "is blocked",
        EventKind::Degraded => "is degraded",
        EventKind::Fight => "is being changed by someone else",
        EventKind::Failed => "failed",
        EventKind::Suspended => "is suspended",
        EventKind::Recovered => "has recovered",
    }
}

/// Text without mentions and links: Slack reads `<…>` and `&`, others also `@all` and `[…](…)`.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            // Only at the start of a word it may be a mention; in an e-mail address it is not.
            '@' | '#' if !before.is_alphanumeric() => plain.extend([c, '\u{200b}']),
            '(' if before == ']' => plain.push_str(" ("),
            _ => plain.push(c),
        }
        before = c;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(account: &str, message: &str) -> Notice {
        let event = Event {
            at: "2026-11-23T18:00:00.000Z".to_owned(),
            kind: EventKind::Blocked,
            message: message.to_owned(),
            run: "20261123T142500123Z-1a2b3c4d".parse().ok(),
            approval: None,
        };
        Notice { id: "1-1".to_owned(), account: account.into(), event }
    }

    #[test]
    fn a_cloud_event_has_all_required_attributes() {
        let body = notice("a/b é", "says <so>").body(NotifyFormat::CloudEvents);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            value,
            json!({
                "specversion": "1.0", "id": "1-1", "source": "/strowger/accounts/a%2Fb%20%C3%A9",
                "type": "strowger.account.blocked", "subject": "a/b é", "time": "2026-11-23T18:00:00.000Z",
                "datacontenttype": "application/json",
                "data": {
                    "account": "a/b é", "kind": "blocked", "message": "says <so>",
                    "run": "20261123T142500123Z-1a2b3c4d"
                },
            })
        );
    }

    #[test]
    fn hostile_text_mentions_no_one_in_a_chat() {
        let body = notice("<!here>", "@all see [x](https://evil.example) & a@b.c\n*_~`").body(NotifyFormat::Slack);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let text = value["text"].as_str().unwrap();
        assert!(text.starts_with("&lt;!here&gt; is blocked: @\u{200b}all see [x] (https"), "{text}");
        assert!(text.contains(" &amp; a@b.c"), "{text}");
        assert_eq!(value["mrkdwn"], false);
    }
}
