//! Bearer tokens: one that may do everything, and optionally one that may only read.

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use super::problem::{Code, Problem};
use super::write::Actor;

/// The tokens, kept as digests: nothing here can print one.
#[derive(Debug)]
pub(super) struct Tokens {
    administrator: [u8; 32],
    reader: Option<[u8; 32]>,
}

/// What a token allows.
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

impl Tokens {
    pub(super) fn new(administrator: &str, reader: Option<&str>) -> Self {
        Self { administrator: digest(administrator), reader: reader.map(digest) }
    }

    /// The role of a request's token.
    pub(super) fn role(&self, headers: &HeaderMap) -> Result<Role, Problem> {
        let refused = || Problem::new(Code::Unauthorized, "send the header Authorization: Bearer TOKEN");
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(refused)?;
        let (scheme, token) = value.split_once(' ').ok_or_else(refused)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refused());
        }
        let given = digest(token.trim());
        if same(&given, &self.administrator) {
            return Ok(Role::Administrator);
        }
        match &self.reader {
            Some(reader) if same(&given, reader) => Ok(Role::Reader),
            _ => Err(refused()),
        }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares in a time that depends on neither content nor, through the digest, length.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let differing = a.iter().zip(b).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(differing) == 0
}
