//! A notice as receivers read it: as CloudEvents has it, or a line for a chat.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::text::sanitized;

use super::super::status::{Event, EventKind};

/// How a receiver wants to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// CloudEvents 1.0 in JSON, structured mode.
    #[default]
    CloudEvents,
    /// An object with a `text`, as Slack's incoming webhooks and their imitations take it.
    Slack,
}

/// Something that happened, on its way.
#[derive(Debug)]
pub(super) struct Notice {
    /// Never the id of another one.
    pub(super) id: String,
    pub(super) account: Arc<str>,
    pub(super) event: Event,
}

impl Form {
    /// The media type of what [`Notice::body`] makes.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
            Self::Slack => "application/json; charset=utf-8",
        }
    }
}

impl Notice {
    /// The request's body.
    pub(super) fn body(&self, form: Form) -> Vec<u8> {
        let value = match form {
            Form::CloudEvents => self.cloud_event(),
            // Where receivers know the switch, nothing in the text is markup.
            Form::Slack => json!({ "text": self.line(), "mrkdwn": false }),
        };
        value.to_string().into_bytes()
    }

    fn cloud_event(&self) -> serde_json::Value {
        let mut data = json!({ "account": &*self.account, "what": self.event.what.as_str(), "says": self.event.says });
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
            "type": format!("strowger.account.{}", self.event.what.as_str()),
            "subject": &*self.account,
            "time": self.event.at,
            "datacontenttype": "application/json",
            "data": data,
        })
    }

    fn line(&self) -> String {
        let run = self.event.run.as_ref().map(|run| format!(" (run {run})")).unwrap_or_default();
        let account = sanitized(&self.account, 200);
        plain(&format!("{account} {}: {}{run}", verb(self.event.what), self.event.says))
    }
}

/// What happened to the account, as the middle of a sentence.
const fn verb(what: EventKind) -> &'static str {
    match what {
        EventKind::Files => "has other files",
        EventKind::Invalid => "has files with errors",
        EventKind::Drift => "has drifted",
        EventKind::Applied => "was changed",
        EventKind::Blocked => "is blocked",
        EventKind::Degraded => "is degraded",
        EventKind::Fight => "is fought over",
        EventKind::Failed => "failed",
        EventKind::Suspended => "is suspended",
        EventKind::Recovered => "has recovered",
    }
}

/// Text that calls nobody and links nowhere: Slack reads `<…>` and `&`, others read `@all` and `[…](…)` as well.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            // The `@` of an e-mail address calls nobody; at the start of a word it may.
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

    fn notice(account: &str, says: &str) -> Notice {
        let event = Event {
            at: "2026-11-23T18:00:00.000Z".to_owned(),
            what: EventKind::Blocked,
            says: says.to_owned(),
            run: "20261123T142500123Z-1a2b3c4d".parse().ok(),
            approval: None,
        };
        Notice { id: "1-1".to_owned(), account: account.into(), event }
    }

    #[test]
    fn a_cloud_event_has_all_that_the_standard_asks_for() {
        let body = notice("a/b é", "says <so>").body(Form::CloudEvents);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            value,
            json!({
                "specversion": "1.0", "id": "1-1", "source": "/strowger/accounts/a%2Fb%20%C3%A9",
                "type": "strowger.account.blocked", "subject": "a/b é", "time": "2026-11-23T18:00:00.000Z",
                "datacontenttype": "application/json",
                "data": {
                    "account": "a/b é", "what": "blocked", "says": "says <so>",
                    "run": "20261123T142500123Z-1a2b3c4d"
                },
            })
        );
    }

    #[test]
    fn hostile_text_calls_nobody_in_a_chat() {
        let body = notice("<!here>", "@all see [x](https://evil.example) & a@b.c\n*_~`").body(Form::Slack);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let text = value["text"].as_str().unwrap();
        assert!(text.starts_with("&lt;!here&gt; is blocked: @\u{200b}all see [x] (https"), "{text}");
        assert!(text.contains(" &amp; a@b.c"), "{text}");
        assert_eq!(value["mrkdwn"], false);
    }
}
