//! Tokens for assertions (RFC 7523): over real HTTP, with a server that verifies the signatures.

use std::sync::Mutex;
use std::time::SystemTime;

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{StatusCode, Url};
use ring::signature::{self, KeyPair as _, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use strowger::providers::http::{Assertion, Auth, Failure, Grant, Http, SendError, SigningKey, TokenSource};
use strowger::providers::{Access, Secret};

use super::http_tokens::{Seen, get, json_answer, limited_client, oauth, serve};

const RSA: &str = include_str!("../../fixtures/keys/rsa.pem");

/// A private key, and how a server verifies what it signed.
struct TestKey {
    pem: String,
    algorithm: &'static str,
    verification: &'static dyn VerificationAlgorithm,
    public: Vec<u8>,
}

fn rsa() -> TestKey {
    let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
    let pair = signature::RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let verification = &signature::RSA_PKCS1_2048_8192_SHA256;
    TestKey { pem: RSA.to_owned(), algorithm: "RS256", verification, public }
}

fn p256() -> TestKey {
    let pair = rcgen::KeyPair::generate().unwrap();
    let (pem, public) = (pair.serialize_pem(), pair.public_key_raw().to_vec());
    TestKey { pem, algorithm: "ES256", verification: &signature::ECDSA_P256_SHA256_FIXED, public }
}

/// The claims of the assertion in a request for a token, if it is signed by the key.
fn verified(seen: &Seen, key: &TestKey) -> Option<Value> {
    let form = Url::parse(&format!("http://form/?{}", seen.body)).unwrap();
    let field = |name: &str| form.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    if field("grant_type")? != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
        return None;
    }
    let assertion = field("assertion")?;
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let document = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).ok();
    if document(header)? != json!({"alg": key.algorithm, "typ": "JWT", "kid": "key-7"}) {
        return None;
    }
    let public = UnparsedPublicKey::new(key.verification, &key.public);
    public.verify(signed.as_bytes(), &decoded(signature)?).ok()?;
    document(claims)
}

/// A token server, and the account that takes its `token-N`, N being the number of assertions before. All claims that were
/// verified are kept.
fn account(
    key: TestKey,
    lifetime: u64,
    accepts: fn(&str) -> bool,
) -> (impl Fn(&Seen, usize) -> Response + Send + Sync, &'static Mutex<Vec<Value>>) {
    let all: &Mutex<Vec<Value>> = Box::leak(Box::default());
    let answer = move |seen: &Seen, _| {
        if seen.line != "POST /token" {
            return if accepts(&seen.token) {
                json_answer(&json!([]))
            } else {
                StatusCode::UNAUTHORIZED.into_response()
            };
        }
        let Some(claims) = verified(seen, &key) else { return StatusCode::BAD_REQUEST.into_response() };
        let mut all = all.lock().unwrap();
        all.push(claims);
        json_answer(&json!({"access_token": format!("token-{}", all.len() - 1), "expires_in": lifetime}))
    };
    (answer, all)
}

fn client(base: &Url, pem: &str) -> Http {
    let claims = json!({"iss": "strowger@example.org", "aud": "https://example.org/token", "scope": "phones"});
    let Value::Object(claims) = claims else { unreachable!() };
    let key = SigningKey::from_pem(Secret::new(pem)).unwrap();
    let grant = Grant::Assertion(Assertion::Signed { claims, key_id: Some("key-7".to_owned()), key });
    let source = TokenSource::OAuth { url: base.join("token").unwrap(), client: None, grant };
    limited_client(base, Auth::bearer(source), &[], Access::Write)
}

#[tokio::test]
async fn an_assertion_is_signed_with_the_accounts_key_and_many_requests_wait_for_its_token() {
    for key in [rsa(), p256()] {
        let pem = key.pem.clone();
        let (answer, verified) = account(key, 3600, |token| token == "Bearer token-0");
        let (base, server) = serve(answer).await;
        let http = client(&base, &pem);
        let all = futures_util::future::join_all((0..12).map(|_| get(&http, &base))).await;
        assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
        assert_eq!(server.count("POST /token"), 1);
        assert_eq!(server.seen.lock().unwrap()[0].token, "", "nothing but the assertion identifies the client");
        let claims = verified.lock().unwrap()[0].clone();
        let stated = [&claims["iss"], &claims["aud"], &claims["scope"]].map(|claim| claim.as_str().unwrap());
        assert_eq!(stated, ["strowger@example.org", "https://example.org/token", "phones"]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let issued = claims["iat"].as_u64().unwrap();
        assert!((now - 60..=now).contains(&issued), "{issued} at {now}");
        assert_eq!(claims["exp"].as_u64(), Some(issued + 120));
    }
}

#[tokio::test]
async fn a_token_is_renewed_with_a_new_assertion_before_it_expires_and_once_after_a_401() {
    for (lifetime, accepts, requests) in
        [(0, (|_| true) as fn(&str) -> bool, 2), (3600, |token| token == "Bearer token-1", 1)]
    {
        let (answer, verified) = account(rsa(), lifetime, accepts);
        let (base, server) = serve(answer).await;
        let http = client(&base, RSA);
        for _ in 0..requests {
            assert_eq!(get(&http, &base).await, Ok(200));
        }
        assert_eq!(server.count("POST /token"), 2);
        let verified = verified.lock().unwrap();
        assert_ne!(verified[0]["jti"], verified[1]["jti"]);
    }
}

#[tokio::test]
async fn the_assertion_of_another_key_is_refused() {
    let (answer, verified) = account(p256(), 3600, |_| true);
    let (base, _server) = serve(answer).await;
    let refused = "the token server refused the credentials (400)".to_owned();
    assert_eq!(get(&client(&base, &p256().pem), &base).await, Err(SendError::NotDone(Failure::NoToken(refused))));
    assert_eq!(verified.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_assertion_that_the_vendor_issued_is_sent_with_the_clients_credentials() {
    let (base, server) = serve(|_, _| json_answer(&json!({"access_token": "token-0", "expires_in": 3600}))).await;
    let grant = Grant::Assertion(Assertion::Issued(Secret::new("eyJhbGciOi.issued.once")));
    let http = limited_client(&base, oauth(&base, grant), &[], Access::ReadOnly);
    assert_eq!(get(&http, &base).await, Ok(200));
    let seen = server.seen.lock().unwrap()[0].clone();
    let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJhbGciOi.issued.once";
    assert_eq!((seen.body.as_str(), seen.token.as_str()), (body, "Basic c3Ryb3dnZXI6Y2xpZW50LXNlY3JldC00NzEx"));
    assert_eq!(http.redacted("eyJhbGciOi.issued.once"), "[token]");
}

#[tokio::test]
async fn a_private_key_is_never_shown() {
    let (answer, _) = account(rsa(), 3600, |_| true);
    let (base, _server) = serve(answer).await;
    let http = client(&base, RSA);
    assert_eq!(get(&http, &base).await, Ok(200));
    let one_line = RSA.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    for shown in [RSA.trim(), &RSA.trim().replace('\n', "\\n"), &one_line] {
        assert_eq!(http.redacted(&format!("<{shown}>")), "<[token]>");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_refused_with_the_remedy_and_without_its_text() {
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    let line = RSA.lines().nth(3).unwrap();
    for pem in [&RSA.replace("PRIVATE", "RSA PRIVATE"), &RSA.replace(line, ""), &other, ""] {
        let error = SigningKey::from_pem(Secret::new(pem)).err().unwrap();
        assert!(error.contains("openssl pkcs8 -topk8 -nocrypt"), "{error}");
        assert!(pem.lines().all(|line| line.len() < 40 || !error.contains(line)), "{error}");
    }
}
