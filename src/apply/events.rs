//! The event stream: the lines of a run, for a machine that follows it.
//!
//! A reader that is slow or goes away never holds up or ends a run: lines go through a thread of their own,
//! and once one cannot be written the rest is dropped.

use std::io::Write;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// So long the end of a command waits for a reader that does not read.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stream of events, shared by all runs of a command.
#[derive(Debug)]
pub struct Events {
    sender: Option<mpsc::Sender<String>>,
    /// Behind a lock only because runs share the stream; its one reader is the end.
    over: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Events {
    /// A stream that goes into this writer.
    pub fn new(writer: Box<dyn Write + Send>) -> std::io::Result<Self> {
        let (sender, lines) = mpsc::channel::<String>();
        let (done, over) = mpsc::channel();
        let thread = std::thread::Builder::new().name("events".to_owned()).spawn(move || {
            copy(writer, &lines);
            // The reader that was too slow has been dropped.
            let _ = done.send(());
        })?;
        Ok(Self { sender: Some(sender), over: Mutex::new(over), thread: Some(thread) })
    }

    /// Sends a line; whether anybody reads it is their affair.
    pub fn send(&self, line: String) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(line);
        }
    }
}

fn copy(mut writer: Box<dyn Write + Send>, lines: &mpsc::Receiver<String>) {
    while let Ok(mut batch) = lines.recv() {
        batch.extend(lines.try_iter());
        if let Err(error) = writer.write_all(batch.as_bytes()).and_then(|()| writer.flush()) {
            tracing::warn!(%error, "the event stream has ended; the run goes on");
            return;
        }
    }
}

/// Everything is written when this returns, unless the reader does not read.
impl Drop for Events {
    fn drop(&mut self) {
        self.sender = None;
        let over = self.over.get_mut().unwrap_or_else(PoisonError::into_inner);
        if over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the reader of the event stream does not read; the rest is dropped");
        } else if let Some(thread) = self.thread.take() {
            // It has said that it is done.
            let _ = thread.join();
        }
    }
}
