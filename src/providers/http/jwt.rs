//! Signed claims (JWT, RFC 7519) that a token server exchanges for an access token (RFC 7523).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

use crate::providers::Secret;

/// How long an assertion is valid; it is used at once, so this only has to cover clocks that differ.
const LIFETIME: Duration = Duration::from_secs(120);

/// What an access token is given for.
pub enum Assertion {
    /// One that the vendor issued (`RingCentral`).
    Issued(Secret),
    /// One that is signed for each renewal (Google). The claims say who asks (`iss`, `sub`), whom (`aud`) and for what;
    /// `iat`, `exp` and `jti` are added.
    Signed { claims: Map<String, Value>, key_id: Option<String>, key: SigningKey },
}

/// An account's private key. The algorithm follows from its type.
pub struct SigningKey {
    pem: Secret,
    pair: Box<KeyPair>,
}

enum KeyPair {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
}

impl SigningKey {
    /// Reads a key in PEM (PKCS#8). No part of it gets into the error.
    pub fn from_pem(pem: Secret) -> Result<Self, String> {
        let read = PrivatePkcs8KeyDer::from_pem_slice(pem.expose().as_bytes()).ok().and_then(|key| {
            let der = key.secret_pkcs8_der();
            let ecdsa = || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
            RsaKeyPair::from_pkcs8(der).map(KeyPair::Rs256).or_else(|_| ecdsa().map(KeyPair::Es256)).ok()
        });
        let unusable = "the private key cannot be used: it has to be an RSA key of 2048 bits or more, or a P-256 key, in \
                        PEM that begins with `-----BEGIN PRIVATE KEY-----`; `openssl pkcs8 -topk8 -nocrypt` converts \
                        other forms";
        read.map(|pair| Self { pem, pair: Box::new(pair) }).ok_or_else(|| unusable.to_owned())
    }

    fn algorithm(&self) -> &'static str {
        match *self.pair {
            KeyPair::Rs256(_) => "RS256",
            KeyPair::Es256(_) => "ES256",
        }
    }

    fn sign(&self, text: &str) -> Result<Vec<u8>, ring::error::Unspecified> {
        let random = SystemRandom::new();
        match &*self.pair {
            KeyPair::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).map(|()| signature)
            }
            KeyPair::Es256(pair) => pair.sign(&random, text.as_bytes()).map(|signature| signature.as_ref().to_vec()),
        }
    }
}

impl Assertion {
    /// What must not be shown.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Issued(secret) | Self::Signed { key: SigningKey { pem: secret, .. }, .. } => secret,
        }
    }

    /// The assertion to send.
    pub(super) fn text(&self, now: SystemTime) -> Result<Secret, String> {
        let (claims, key_id, key) = match self {
            Self::Issued(assertion) => return Ok(assertion.clone()),
            Self::Signed { claims, key_id, key } => (claims, key_id, key),
        };
        let issued = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut header = Map::from_iter([("alg".to_owned(), json!(key.algorithm())), ("typ".to_owned(), json!("JWT"))]);
        header.extend(key_id.as_ref().map(|key_id| ("kid".to_owned(), json!(key_id))));
        let mut claims = claims.clone();
        claims.insert("iat".to_owned(), json!(issued.as_secs()));
        claims.insert("exp".to_owned(), json!((issued + LIFETIME).as_secs()));
        // Servers may refuse an assertion that they have seen before.
        claims.insert("jti".to_owned(), json!(format!("{:032x}", fastrand::u128(..))));
        let encoded = |part| URL_SAFE_NO_PAD.encode(Value::Object(part).to_string());
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = key.sign(&signed).map_err(|_| "the private key cannot sign".to_owned())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}
