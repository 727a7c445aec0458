//! Bodies of requests, each with its content type.

use serde::Serialize;

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Json(Vec<u8>),
    /// RFC 7396: only the fields that change.
    MergePatch(Vec<u8>),
    Form(String),
}

impl Body {
    /// A form (`application/x-www-form-urlencoded`).
    pub fn form(fields: &[(&str, &str)]) -> Self {
        Self::Form(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
    }

    /// A JSON document.
    pub fn json(document: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(document).map(Self::Json)
    }

    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::MergePatch(_) => "application/merge-patch+json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Json(bytes) | Self::MergePatch(bytes) => bytes,
            Self::Form(text) => text.into_bytes(),
        }
    }
}
