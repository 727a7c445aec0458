//! The ledger of one run: a file that is only ever appended to.
//!
//! A thread of its own writes, so that one `fsync` covers all lines that wait: a thousand changes at a
//! concurrency of 16 cost about a thousand sixteenth of them. After the first failure nothing more is written,
//! so a torn line can only be the last one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{RunId, folder};

/// A ledger that is being written.
#[derive(Debug)]
pub struct Ledger {
    sender: Option<mpsc::Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
}

/// Lines to write, and who waits until they are on the disk.
struct Entry {
    text: String,
    durable: Option<oneshot::Sender<Result<(), String>>>,
}

impl Ledger {
    /// Begins the ledger of a run in the account's folder, with its first lines on the disk when this returns.
    pub fn create(root: &Path, run: &RunId, first: &str) -> io::Result<Self> {
        let folder = folder::of(root)?;
        std::fs::create_dir_all(&folder)?;
        let path: PathBuf = folder.join(folder::file_name(run));
        let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
        file.write_all(first.as_bytes())?;
        file.sync_all()?;
        // The names must survive as well.
        for folder in [folder.as_path(), folder.parent().unwrap_or(root)] {
            sync_folder(folder)?;
        }
        Self::over(file)
    }

    /// A ledger that goes on in this file.
    fn over(file: File) -> io::Result<Self> {
        let (sender, entries) = mpsc::channel();
        let writer = Writer { file, broken: None };
        let thread = std::thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&entries))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Writes a line sooner or later; it is on the disk after [`Self::finish`] at the latest.
    pub fn note(&self, text: String) {
        self.send(Entry { text, durable: None });
    }

    /// Writes a line and returns once it is on the disk, with everything noted before, or why it is not.
    pub async fn keep(&self, text: String) -> Result<(), String> {
        let (durable, done) = oneshot::channel();
        self.send(Entry { text, durable: Some(durable) });
        done.await.unwrap_or_else(|_| Err("the ledger is closed".to_owned()))
    }

    /// An entry that is not taken is not reported here: its waiter sees the closed channel.
    fn send(&self, entry: Entry) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(entry);
        }
    }

    /// Writes the last line and closes the ledger; everything is on the disk when this returns.
    pub async fn finish(self, text: String) -> Result<(), String> {
        self.keep(text).await
    }
}

/// What was noted is written before the process can end; the thread ends when all senders are gone.
impl Drop for Ledger {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to write.
            let _ = thread.join();
        }
    }
}

struct Writer {
    file: File,
    broken: Option<String>,
}

impl Writer {
    fn run(mut self, entries: &mpsc::Receiver<Entry>) {
        while let Ok(first) = entries.recv() {
            let mut batch = first.text;
            let mut waiting: Vec<_> = first.durable.into_iter().collect();
            for entry in entries.try_iter() {
                batch.push_str(&entry.text);
                waiting.extend(entry.durable);
            }
            let written = self.write(&batch, !waiting.is_empty());
            for durable in waiting {
                // Who does not wait any longer needs no answer.
                let _ = durable.send(written.clone());
            }
        }
        // What was only noted.
        if self.broken.is_none() {
            let _ = self.file.sync_data();
        }
    }

    fn write(&mut self, batch: &str, durable: bool) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let mut written = self.file.write_all(batch.as_bytes());
        if written.is_ok() && durable {
            written = self.file.sync_data();
        }
        written.map_err(|error| self.broken.insert(error.to_string()).clone())
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the system keeps names by itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        RunId::new("2026-11-23T14:25:00.000Z", 1).unwrap()
    }

    #[tokio::test]
    async fn what_is_kept_is_on_the_disk_with_everything_noted_before() {
        let root = tempfile::tempdir().unwrap();
        let ledger = Ledger::create(root.path(), &run(), "first\n").unwrap();
        ledger.note("noted\n".to_owned());
        ledger.keep("kept\n".to_owned()).await.unwrap();
        let path = root.path().join(".strowger/ledger/20261123T142500000Z-00000001.jsonl");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nnoted\nkept\n");
        ledger.note("last\n".to_owned());
        drop(ledger);
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("kept\nlast\n"));
    }

    #[test]
    fn a_ledger_is_never_begun_twice() {
        let root = tempfile::tempdir().unwrap();
        Ledger::create(root.path(), &run(), "first\n").unwrap();
        let again = Ledger::create(root.path(), &run(), "second\n").map(drop).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_full_disk_is_an_answer_and_stays_one() {
        let ledger = Ledger::over(OpenOptions::new().append(true).open("/dev/full").unwrap()).unwrap();
        let why = ledger.keep("kept\n".to_owned()).await.unwrap_err();
        assert!(why.contains("No space left"), "{why}");
        assert_eq!(ledger.finish("last\n".to_owned()).await, Err(why));
    }
}
