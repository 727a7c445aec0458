//! The state file: one `SQLite` connection on one thread, fed by a queue.
//!
//! Everything that touches the account runs there, one job after the other, so a job sees no half-done write
//! and needs no lock. The file is held exclusively: one server, one account, one file.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::problem::{Code, Problem};

/// Marks our files among other `SQLite` files: "STRW".
const APPLICATION_ID: i64 = 0x5354_5257;

/// Each step takes the file to its version. Released steps never change.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("store/001_account.sql")),
    (2, include_str!("store/002_audit_client.sql")),
    (3, include_str!("store/003_revisions.sql")),
    (4, include_str!("store/004_owners.sql")),
];

/// The version that this release writes.
const NEWEST: i64 = 4;

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{path} is in use by another server; stop that one, or choose another file")]
    Locked { path: PathBuf },
    #[error("{path} is not a SQLite file; choose another path, or move the file away")]
    NotSqlite { path: PathBuf },
    #[error("{path} is a SQLite file of another program; choose another path")]
    Foreign { path: PathBuf },
    #[error("{path} has state version {found}, this release reads up to {known}; upgrade, or choose another file")]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("cannot open {path}: {reason}")]
    Unusable { path: PathBuf, reason: String },
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the thread; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Store {
    jobs: mpsc::Sender<Message>,
}

enum Message {
    Run(Job),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

impl Store {
    /// Starts the thread that owns the connection.
    pub(super) fn start(mut db: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        thread::Builder::new().name("sandbox-store".to_owned()).spawn(move || {
            while let Ok(message) = queue.recv() {
                match message {
                    Message::Run(job) => job(&mut db),
                    Message::Close(done) => {
                        // Close, which checkpoints the log and unlocks the file, before signalling the end.
                        if let Err((_, error)) = db.close() {
                            tracing::warn!(%error, "closing the state file failed");
                        }
                        let _ = done.send(());
                        return;
                    }
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Runs a job on the thread and waits for its answer.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, waiting) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // The send fails if the client has disconnected; the work is done anyway.
            let _ = answer.send(job(db));
        });
        let gone = || Problem::new(Code::Unavailable, "the server is going away");
        self.jobs.send(Message::Run(job)).map_err(|_| gone())?;
        waiting.await.map_err(|_| gone())?
    }

    /// Ends the thread after the jobs already queued.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Message::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }
}

/// Opens a state file, making or migrating it as needed.
pub(super) fn open_file(path: &Path) -> Result<Connection, StateError> {
    let unusable =
        |reason: &dyn std::fmt::Display| StateError::Unusable { path: path.to_owned(), reason: reason.to_string() };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    }
    let unusable = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StateError::Locked { path: path.to_owned() },
        Some(ErrorCode::NotADatabase) => StateError::NotSqlite { path: path.to_owned() },
        _ => unusable(&error),
    };
    let mut db = Connection::open(path).map_err(unusable)?;
    db.busy_timeout(Duration::from_millis(500)).map_err(unusable)?;
    db.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(unusable)?;
    // Check before writing anything, so that a foreign file is not changed.
    let version = pragma(&db, "user_version").map_err(unusable)?;
    let application = pragma(&db, "application_id").map_err(unusable)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(unusable)?;
    if application != APPLICATION_ID && (tables > 0 || version != 0) {
        return Err(StateError::Foreign { path: path.to_owned() });
    }
    if version > NEWEST {
        return Err(StateError::Newer { path: path.to_owned(), found: version, known: NEWEST });
    }
    db.pragma_update(None, "journal_mode", "WAL").map_err(unusable)?;
    // A killed process loses nothing; a power cut may lose the last writes, never the file.
    db.pragma_update(None, "synchronous", "NORMAL").map_err(unusable)?;
    prepare(&mut db, version).map_err(unusable)?;
    Ok(db)
}

/// An account that lives as long as the server.
pub(super) fn open_memory() -> Result<Connection, StateError> {
    let unusable = |error: rusqlite::Error| StateError::Unusable { path: ":memory:".into(), reason: error.to_string() };
    let mut db = Connection::open_in_memory().map_err(unusable)?;
    prepare(&mut db, 0).map_err(unusable)?;
    Ok(db)
}

fn prepare(db: &mut Connection, version: i64) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(128);
    db.pragma_update(None, "foreign_keys", true)?;
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for (_, step) in MIGRATIONS.iter().filter(|(to, _)| *to > version) {
        tx.execute_batch(step)?;
    }
    // The version of every collection that has not changed since, so that no two state files have one in common.
    tx.execute("INSERT OR IGNORE INTO versions (collection, version) VALUES ('', random())", [])?;
    tx.pragma_update(None, "user_version", NEWEST)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0))
}
