//! Servers that cannot prove who they are: not one byte of HTTP reaches them, so no token either.
//!
//! The real binary, a real TLS server, and an authority that it is told to trust, which makes the good certificate
//! good and leaves each bad one a single fault.
#![cfg(target_os = "linux")]

use crate::support::hostile;
use std::io::BufReader;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::commands::{TOKEN, command, expect, office, stderr};
use crate::support::hostile::{good, request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server shows, and the authority that the client trusts.
struct Shown {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    trusted: String,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "The authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of the trusted authority.
fn issued(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let authority = authority();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap().der().clone();
    Shown { certificate, key, trusted: authority.pem() }
}

/// A certificate that only vouches for itself.
fn self_signed() -> Shown {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    Shown { certificate: certificate.der().clone(), key, trusted: authority().pem() }
}

type Log = Arc<Mutex<Vec<String>>>;

/// A server of a small, good account, behind TLS; gives its URL and the requests that it could read.
fn serve(shown: &Shown) -> (String, Log) {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(shown.key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = versions.with_no_client_auth().with_single_cert(vec![shown.certificate.clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let log = Log::default();
    let seen = log.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (config, seen) = (config.clone(), seen.clone());
            std::thread::spawn(move || {
                let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                let mut reader = BufReader::new(&mut tls);
                while let Ok(Some(asked)) = request(&mut reader) {
                    seen.lock().unwrap().push(asked.head.clone());
                    if good(&asked, reader.get_mut()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, log)
}

/// The exit code, what was said, and the requests that arrived.
fn export(shown: &Shown, arguments: &[&str]) -> (i32, String, Vec<String>) {
    let (url, log) = serve(shown);
    let folder = office("wework", &url);
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, &shown.trusted).unwrap();
    let output = command(folder.path(), arguments).env("SSL_CERT_FILE", &trusted).env_remove("SSL_CERT_DIR").output();
    let output = output.unwrap();
    let seen = log.lock().unwrap().clone();
    (output.status.code().unwrap(), stderr(&output), seen)
}

#[track_caller]
fn distrusted(shown: &Shown, wanted: &str) {
    for arguments in [&["plan", "."][..], &["apply", ".", "--auto-approve"], &["export", "."]] {
        let (code, said, seen) = export(shown, arguments);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("cannot prove who it is") && said.contains(wanted), "{said}");
        assert!(said.contains("nothing was sent to it") && !said.contains(TOKEN), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(seen, Vec::<String>::new());
    }
}

#[test]
fn a_good_certificate_is_trusted() {
    let (code, said, seen) = export(&issued("localhost", |_| ()), &["export", "."]);
    assert_eq!((code, seen.len()), (0, 6), "{said}");
    assert!(seen.iter().all(|head| head.contains(TOKEN)));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not() {
    distrusted(&self_signed(), "UnknownIssuer");
}

#[test]
fn a_certificate_that_has_expired_is_not() {
    let expired = issued("localhost", |params| params.not_after = date_time_ymd(2020, 1, 1));
    distrusted(&expired, "expired");
}

#[test]
fn a_certificate_of_the_days_to_come_is_not() {
    distrusted(&issued("localhost", |params| params.not_before = date_time_ymd(2999, 1, 1)), "not valid yet");
}

#[test]
fn a_certificate_of_another_host_is_not() {
    distrusted(&issued("pbx.example.org", |_| ()), "not valid for name");
}

#[test]
fn what_speaks_no_tls_gets_no_token() {
    let plain = hostile::Hostile::start(good);
    let folder = office("wework", &plain.url.replace("http://", "https://"));
    let output = command(folder.path(), &["plan", "."]).output().unwrap();
    expect(&output, 1);
    let said = stderr(&output);
    assert!(!said.contains(TOKEN) && said.lines().count() == 1, "{said}");
    assert!(plain.asked().iter().all(|asked| !asked.head.contains(TOKEN)), "{:?}", plain.asked());
}
