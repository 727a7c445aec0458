//! A token or password.

/// A secret. It has no `Debug`, no `Display` and no `Serialize`, so it cannot reach a log, a plan or a message.
///
/// Only the HTTP client looks inside.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes charge of a secret; white space around it, such as a file's last line break, is not part of it.
    pub fn new(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self(text.trim().into())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// The text without this secret: servers echo tokens in error bodies.
    pub(super) fn redacted(&self, text: &str) -> String {
        if self.is_empty() { text.to_owned() } else { text.replace(&*self.0, "[token]") }
    }
}
