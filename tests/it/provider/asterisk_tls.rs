//! The connection to the database is encrypted, and the server has proved who it is, before a password is sent.

use std::net::{IpAddr, UdpSocket};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use strowger::providers::{ClientOptions, Provider, ReadError, RetryPolicy, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::postgres::{self, Database};

/// An address of this machine that is not one of loopback, as a server elsewhere has.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Sends nothing: it only looks for the way there.
    let found = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok()?.ip();
    (!found.is_loopback() && !found.is_unspecified()).then_some(found)
}

/// Hands on connections to a database.
async fn forwarder(address: IpAddr, database: &Database) -> String {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let upstream = database.address.clone();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect((upstream.as_str(), 5432)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    format!("postgresql://strowger@{address}:{port}/{}", database.name)
}

fn client(url: &str, roots: Option<&str>) -> impl Provider + use<> {
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let options = ClientOptions { retry, ..ClientOptions::default() };
    postgres::trusting(url, Secret::new("bench"), roots.map(str::as_bytes), options)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_elsewhere_is_spoken_to_only_behind_a_certificate_that_is_trusted() {
    let (Some(database), Some(address)) = (Database::new().await, own_address()) else {
        println!("skipped: no PostgreSQL, or no address but loopback");
        return;
    };
    let authority = authority();
    let issued = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    };
    let url = forwarder(address, &database).await;

    let (certificate, key) = issued(&address.to_string());
    database.use_tls(&certificate, &key).await;
    let good = client(&url, Some(&authority.pem()));
    assert_eq!(good.read().await.unwrap().live.users.len(), 3);
    let encrypted = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid)
        where usename = 'strowger' and datname = current_database()";
    assert!(database.client().await.query_one(encrypted, &[]).await.unwrap().get::<_, bool>(0));
    for roots in [None, Some(&*self::authority().pem())] {
        let error = client(&url, roots).read().await.unwrap_err();
        assert!(matches!(error, ReadError::Untrusted { .. }), "{error}");
    }

    let (certificate, key) = issued("elsewhere.example.org");
    database.use_tls(&certificate, &key).await;
    let error = client(&url, Some(&authority.pem())).read().await.unwrap_err();
    assert!(matches!(error, ReadError::Untrusted { .. }), "{error}");
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn a_server_without_tls_gets_no_password() {
    let Some(address) = own_address() else { return };
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 8];
        stream.read_exact(&mut heard).await.unwrap();
        // No.
        stream.write_all(b"N").await.unwrap();
        stream.read_to_end(&mut heard).await.unwrap();
        heard
    });
    let url = format!("postgresql://strowger@{address}:{port}/asterisk");
    let error = client(&url, None).read().await.unwrap_err();
    assert!(matches!(error, ReadError::Untrusted { .. }), "{error}");
    assert_eq!(heard.await.unwrap().len(), 8, "nothing follows the question for TLS");
}
