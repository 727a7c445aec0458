//! The Prometheus text format: families with help and type, samples with labels.

use std::fmt::Write as _;

#[derive(Debug, Default)]
pub(super) struct Text(String);

/// The samples of one metric. A family without samples is not written.
pub(super) struct Family<'t> {
    text: &'t mut String,
    name: String,
    /// Written before the first sample.
    head: Option<String>,
}

impl Text {
    /// Begins a family; name and help must be constants.
    pub(super) fn family(&mut self, name: &str, help: &str, kind: &str) -> Family<'_> {
        let head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text: &mut self.0, name: name.to_owned(), head: Some(head) }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Adds a sample; the values of labels may be untrusted text.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        if let Some(head) = self.head.take() {
            self.text.push_str(&head);
        }
        self.text.push_str(&self.name);
        for (index, (label, text)) in labels.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "{}{label}=\"", if index == 0 { '{' } else { ',' });
            for c in text.chars() {
                match c {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    c => self.text.push(c),
                }
            }
            self.text.push('"');
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// Adds a sample if there is a value.
    pub(super) fn optional(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.sample(labels, value);
        }
    }
}
