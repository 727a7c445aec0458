//! A real PostgreSQL with Asterisk's tables, for the tests that need root: one server for all of them, a database for each.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use strowger::config;
use strowger::model::{Change, Desired, LiveAccount};
use strowger::plan::Plan;
use strowger::providers::asterisk::{Asterisk, SPEC};
use strowger::providers::settings::{ProviderSettings, SecretRef, SettingValue};
use strowger::providers::{
    Access, BoxFuture, ClientOptions, EmbeddedAccount, EmbeddedServer, Host, OpenRequest, Provider, RetryPolicy, Secret,
};
use tokio_postgres::{Client, NoTls};

use super::telephony::Telephony;

const PASSWORD: &str = "bench";

fn server() -> Option<&'static Telephony> {
    static SERVER: OnceLock<Option<Telephony>> = OnceLock::new();
    SERVER.get_or_init(|| Telephony::start("database")).as_ref()
}

/// Whether there is a server, which is started if it can be.
pub fn is_available() -> bool {
    server().is_some()
}

/// A database of one test.
pub struct Database {
    pub address: String,
    pub name: String,
}

impl Database {
    /// A new one with the tables, an office of three users, and nothing in the dialplan; `None` without a server.
    pub async fn new() -> Option<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        // A template is copied by one connection at a time.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let address = server()?.address.clone();
        let all = connect(&address, "postgres").await;
        let turn = TURN.lock().await;
        all.batch_execute(&format!("create database {name} template asterisk")).await.unwrap();
        drop(turn);
        let database = Self { address, name };
        database.sql(OFFICE).await;
        Some(database)
    }

    /// Has the server use TLS from here on, with this certificate.
    pub async fn use_tls(&self, certificate: &str, key: &str) {
        let data = server().unwrap().folder.join("database/data");
        let owner = fs::metadata(&data).unwrap();
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        let client = self.client().await;
        client.batch_execute("alter system set ssl = on").await.unwrap();
        client.batch_execute("select pg_reload_conf()").await.unwrap();
        let is_on = "select setting = 'on' from pg_settings where name = 'ssl'";
        while !self.client().await.query_one(is_on, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::task::yield_now().await;
        }
    }

    /// One that was made by another process.
    pub fn of(url: &str) -> Self {
        let url: url::Url = url.parse().unwrap();
        Self { address: url.host_str().unwrap().to_owned(), name: url.path().trim_matches('/').to_owned() }
    }

    pub fn url(&self) -> String {
        format!("postgresql://strowger@{}/{}", self.address, self.name)
    }

    /// A connection of the owner.
    pub async fn client(&self) -> Client {
        connect(&self.address, &self.name).await
    }

    pub async fn sql(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    /// The rows of the dialplan: `context|exten|priority|app|appdata`, in order.
    pub async fn rows(&self) -> Vec<String> {
        let sql = "select concat_ws('|', context, exten, priority, app, appdata) from extensions
            order by context collate \"C\", exten collate \"C\", priority";
        self.client().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    pub fn provider(&self) -> Asterisk {
        provider(&self.url(), ClientOptions::default())
    }

    /// A connection of the owner, and the payloads of what it is told.
    pub async fn listener(&self) -> (Client, std::sync::mpsc::Receiver<String>) {
        let (sender, payloads) = std::sync::mpsc::channel();
        let parameters = format!("host={} user=postgres password={PASSWORD} dbname={}", self.address, self.name);
        let (client, mut connection) = tokio_postgres::connect(&parameters, NoTls).await.unwrap();
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
                if let tokio_postgres::AsyncMessage::Notification(notice) = message {
                    let _ = sender.send(notice.payload().to_owned());
                }
            }
        });
        (client, payloads)
    }
}

async fn connect(address: &str, name: &str) -> Client {
    let parameters = format!("host={address} user=postgres password={PASSWORD} dbname={name}");
    let (client, connection) = tokio_postgres::connect(&parameters, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The provider of an account in the usual contexts, that repeats quickly.
pub fn provider(url: &str, options: ClientOptions) -> Asterisk {
    let retry =
        RetryPolicy { first_pause: std::time::Duration::from_millis(20), attempts: 4, ..RetryPolicy::default() };
    open(url, Secret::new(PASSWORD), ClientOptions { retry, ..options })
}

pub fn open(url: &str, password: Secret, options: ClientOptions) -> Asterisk {
    trusting(url, password, None, options)
}

/// One that trusts these certificates, or those of the system.
pub fn trusting(url: &str, password: Secret, roots: Option<&[u8]>, options: ClientOptions) -> Asterisk {
    let word = |word: &str| SettingValue::Word(word.into());
    let place = |name: &str, place: &str| SettingValue::Dialplan(vec![(name.parse().unwrap(), place.into())]);
    let values = vec![
        ("database", SettingValue::Url(url.into())),
        ("password", SettingValue::Secret(SecretRef::Env("STROWGER_TOKEN".into()))),
        ("carrier_context", word("from-carrier")),
        ("group_context", word("ring-groups")),
        ("internal_context", word("internal")),
        ("voicemail_context", word("default")),
        ("trunk", word("carrier")),
        ("receptionists", place("main", "ivr-main,s")),
        ("conferences", place("board", "conferences,800")),
    ];
    let settings = ProviderSettings::new(&SPEC, values);
    let request =
        OpenRequest { settings: &settings, name: "bench", country: Some("FR".to_owned()), options, host: &NoHost };
    Asterisk::new(url, password, roots, &request).unwrap()
}

/// For an account that needs nothing of this machine.
struct NoHost;

impl Host for NoHost {
    fn file(&self, _: &str, _: &std::path::Path) -> anyhow::Result<std::path::PathBuf> {
        anyhow::bail!("no files")
    }

    fn secret(&self, _: &SecretRef) -> anyhow::Result<Secret> {
        anyhow::bail!("no secrets")
    }

    fn start(&self, _: EmbeddedAccount) -> BoxFuture<'_, anyhow::Result<Box<dyn EmbeddedServer>>> {
        Box::pin(async { anyhow::bail!("no servers") })
    }
}

/// Ana has 201, Ben 202 with two phones, Cleo 203; there is a door phone, and a trunk.
const OFFICE: &str = "
    delete from extensions; delete from ps_endpoints; delete from ps_aors; delete from voicemail;
    insert into ps_endpoints (id, context, callerid, mailboxes) values
        ('ana', 'internal', '\"Ana\" <201>', '201@default'), ('ben', 'internal', '\"Ben\" <202>', null),
        ('ben-soft', 'internal', '\"Ben\" <202>', null), ('cleo', 'internal', 'Cleo <203>', null),
        ('door', 'internal', null, null), ('carrier', 'from-carrier', null, null);
    insert into voicemail (context, mailbox, password, fullname, email) values
        ('default', '201', '1234', 'Ana', 'ana@example.org'), ('default', '900', '1234', 'Night', null),
        ('other', '500', '1234', 'Elsewhere', null);
";

/// Reads the account and finds a change of the plan by the name of its object.
pub async fn read(provider: &dyn Provider) -> LiveAccount {
    provider.read().await.unwrap().live
}

pub fn of<'p>(changes: &'p [Change], name: &str) -> &'p Change {
    changes.iter().find(|change| change.object.name == name).unwrap_or_else(|| panic!("no {name}: {changes:#?}"))
}

pub fn read_only() -> ClientOptions {
    ClientOptions { access: Access::ReadOnly, ..ClientOptions::default() }
}

/// What an account in such a database is to be.
pub fn desired(text: &str) -> Desired {
    let head = "version: 1\naccount: { name: bench, provider: asterisk, database: postgresql://a@127.0.0.1/b, password: { env: P } }\n";
    let loaded = config::text(std::path::Path::new(""), "a.yaml", &format!("{head}{text}"));
    assert_eq!(loaded.accounts.len(), 1, "{:#?}", loaded.diagnostics);
    loaded.accounts.into_iter().next().unwrap().desired
}

/// The plan for what is read of it.
pub fn planned(text: &str, live: &LiveAccount) -> Plan {
    crate::laws::planned(&desired(text), live)
}
