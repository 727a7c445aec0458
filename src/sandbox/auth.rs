//! Bearer tokens: one that may do everything, and optionally one that may only read.

use crate::providers::Secret;
use std::fmt;

use axum::http::{HeaderMap, header};

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
        let refused = || Problem::new(Code::Unauthorized, "send the header Authorization: Bearer TOKEN");
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(refused)?;
        let (scheme, token) = value.split_once(' ').ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused());
        }
        let given = token.trim();
        if self.administrator.is(given) {
            return Ok(Role::Administrator);
        }
        match &self.reader {
            Some(reader) if reader.is(given) => Ok(Role::Reader),
            _ => Err(refused()),
        }
    }
}
