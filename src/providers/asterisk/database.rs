//! The connection to the database, and what its errors mean.

use std::fmt;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use crate::providers::{ReadError, RetryPolicy, Secret, WriteError};
use crate::text::{is_loopback_host, sanitized};

/// Says which database, for whom, and how its certificate is checked.
pub(super) struct Database {
    config: Config,
    /// Without TLS only on this machine.
    tls: Option<MakeRustlsConnect>,
    password: Secret,
    /// The most time for one answer.
    limit: Duration,
    /// Host and port, for messages.
    pub(super) host: String,
    pub(super) name: String,
}

/// An open connection; it ends with this value.
pub(super) struct Connection {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a question was not answered.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database refuses, and would refuse again.
    Refused { state: SqlState, why: String },
    /// It may be different the next time: another transaction was in the way, or the server goes down.
    Transient(String),
    /// The server ends the connection, or is short of something.
    Stopping(String),
    /// The connection broke.
    Lost(String),
    /// The user or its password is not accepted.
    Login(String),
    /// Its certificate is not trusted, or it has no TLS.
    Untrusted(String),
}

impl Database {
    /// The database at this address. `roots` are the certificates that sign its own; without them, those of the system.
    pub(super) fn new(
        address: &str,
        password: Secret,
        roots: Option<&[u8]>,
        retry: RetryPolicy,
    ) -> Result<Self, ReadError> {
        let invalid = |why: &str| ReadError::Settings(format!("the account's `database` {why}"));
        let url = Url::parse(address).map_err(|error| invalid(&format!("is not a URL ({error})")))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid("names no server"))?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let name = decoded(url.path().trim_matches('/'));
        let mut config = Config::new();
        let is_local = is_loopback_host(host);
        config
            .host(host.trim_matches(['[', ']']))
            .port(url.port().unwrap_or(5432))
            .user(decoded(url.username()))
            .password(password.expose())
            .dbname(&name)
            .application_name("strowger")
            .connect_timeout(retry.connect)
            .tcp_user_timeout(retry.request)
            .ssl_mode(if is_local { SslMode::Disable } else { SslMode::Require });
        let tls = if is_local { None } else { Some(tls(roots).map_err(ReadError::Settings)?) };
        let shown = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { config, tls, password, limit: retry.request, host: shown, name })
    }

    /// What the server answers, if it does so in time.
    pub(super) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Trouble> {
        match tokio::time::timeout(self.limit, answer).await {
            Ok(answer) => answer.map_err(|error| self.trouble(&error)),
            Err(_) => Err(Trouble::Lost(format!("it did not answer within {} s", self.limit.as_secs()))),
        }
    }

    /// A new connection whose notices are handed on.
    pub(super) async fn connect(&self, notice: impl Fn(&str) + Send + 'static) -> Result<Connection, Trouble> {
        let connection = match &self.tls {
            None => {
                let (client, connection) = self.within(self.config.connect(NoTls)).await?;
                Connection { client, task: tokio::spawn(drive(connection, notice)) }
            }
            Some(tls) => {
                let (client, connection) = self.within(self.config.connect(tls.clone())).await?;
                Connection { client, task: tokio::spawn(drive(connection, notice)) }
            }
        };
        // A transaction that this process leaves open holds up other writers, so the server ends it.
        let settings = "set idle_in_transaction_session_timeout = '30s'; set lock_timeout = '10s'; \
                        set statement_timeout = '25s'; set timezone = 'UTC'";
        self.within(connection.client.batch_execute(settings)).await?;
        Ok(connection)
    }

    /// What an error means. The password is not part of it, whatever the server repeats.
    pub(super) fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        let Some(answer) = error.as_db_error() else {
            let why = causes(error);
            return if why.contains("certificate") || why.contains("does not support TLS") {
                Trouble::Untrusted(sanitized(&why, 300))
            } else {
                Trouble::Lost(sanitized(&why, 300))
            };
        };
        let state = answer.code().clone();
        let why = sanitized(&self.password.redacted(answer.message()), 300);
        match state.code().get(..2).unwrap_or_default() {
            "28" => Trouble::Login(why),
            // Another transaction in the way.
            "40" | "55" => Trouble::Transient(why),
            "08" | "53" | "57" | "58" => Trouble::Stopping(why),
            _ => Trouble::Refused { state, why },
        }
    }

    /// What trouble means for a reading.
    pub(super) fn read_error(&self, trouble: Trouble, attempts: u32) -> ReadError {
        let host = self.host.clone();
        match trouble {
            Trouble::Login(why) => ReadError::DatabaseLogin { host, why },
            Trouble::Untrusted(why) => ReadError::Untrusted { host, why },
            Trouble::Transient(why) | Trouble::Stopping(why) => ReadError::Unavailable { host, attempts, why },
            Trouble::Lost(why) => ReadError::Database(format!(
                "cannot reach the database at {host}: {why}; check the account's `database` and the network"
            )),
            Trouble::Refused { state, why } => ReadError::Database(self.refusal(&state, &why)),
        }
    }

    /// What trouble means for a change that was not carried out.
    pub(super) fn write_error(&self, trouble: Trouble) -> WriteError {
        match trouble {
            Trouble::Login(why) => WriteError::Unauthorized { status: 401, detail: format!(", {why}") },
            Trouble::Untrusted(why) | Trouble::Transient(why) | Trouble::Stopping(why) | Trouble::Lost(why) => {
                WriteError::Unavailable { attempts: 1, why }
            }
            Trouble::Refused { state, why } => WriteError::Unsupported(self.refusal(&state, &why)),
        }
    }

    fn refusal(&self, state: &SqlState, why: &str) -> String {
        let host = &self.host;
        let remedy = match state.code() {
            "3D000" => "check the name of the database in the account's `database`".to_owned(),
            "42501" => "the role needs the rights of docs/providers/asterisk.md".to_owned(),
            "42P01" | "42703" => {
                format!("{} is not a database with Asterisk's realtime tables", sanitized(&self.name, 80))
            }
            code => format!("SQLSTATE {code}"),
        };
        format!("the database at {host} refuses: {why}; {remedy}")
    }
}

/// Drives a connection until it ends, which is a notice without a payload.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, notice: impl Fn(&str) + Send + 'static)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
{
    // Errors also reach the question that is under way.
    while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(one) = message {
            notice(one.payload());
        }
    }
    notice("");
}

fn tls(roots: Option<&[u8]>) -> Result<MakeRustlsConnect, String> {
    // An error says that one is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(roots) = roots else {
        let system = MakeRustlsConnect::with_native_certs();
        return system.map(|(connect, _)| connect).map_err(|_| "this system has no trusted certificates".to_owned());
    };
    let mut store = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots) {
        let wrong = || "the account's `database_ca` is not a PEM file of certificates".to_owned();
        store.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    if store.is_empty() {
        return Err("the account's `database_ca` has no certificate in it".to_owned());
    }
    Ok(MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(store).with_no_client_auth()))
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl Trouble {
    /// Whether another attempt may have another end.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, Self::Transient(_) | Self::Stopping(_) | Self::Lost(_))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused { why, .. }
        | Self::Transient(why)
        | Self::Stopping(why)
        | Self::Lost(why)
        | Self::Login(why)
        | Self::Untrusted(why)) = self;
        f.write_str(why)
    }
}
