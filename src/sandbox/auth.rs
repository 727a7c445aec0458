//! Bearer tokens: one that may do everything, and optionally one that may only read.

use std::fmt;

use axum::http::HeaderMap;

use crate::providers::Secret;
use crate::serve::bearer;

use super::problem::{Code, Problem};
use super::write::Actor;

/// The tokens: nothing here can print one.
pub(super) struct Tokens {
    administrator: Secret,
    reader: Option<Secret>,
}

/// The permissions of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Administrator,
    Reader,
}

impl Role {
    /// The name in the audit log.
    pub(super) const fn actor(self) -> Actor {
        match self {
            Self::Administrator => "administrator",
            Self::Reader => "reader",
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    pub(super) fn new(administrator: &str, reader: Option<&str>) -> Self {
        Self { administrator: Secret::new(administrator), reader: reader.map(Secret::new) }
    }

    /// The role of a request's token.
    pub(super) fn role(&self, headers: &HeaderMap) -> Result<Role, Problem> {
        let is = |token: &Secret| bearer(headers).is_some_and(|given| token.is(given));
        if is(&self.administrator) {
            Ok(Role::Administrator)
        } else if self.reader.as_ref().is_some_and(is) {
            Ok(Role::Reader)
        } else {
            Err(Problem::new(Code::Unauthorized, "send the header Authorization: Bearer TOKEN"))
        }
    }
}
