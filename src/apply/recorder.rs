//! What a run says of itself, to its ledger and to whoever follows it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::ledger::{Approval, Line, Planned, Record, RunId, Summary};
use crate::model::ChangeId;
use crate::providers::BoxFuture;

use super::Journal;
use super::events::Events;
use super::outcome::Status;
use crate::ledger::Ledger;

/// Tells the time: RFC 3339, UTC, with milliseconds.
pub type Clock = fn() -> String;

/// Records one run.
#[derive(Debug)]
pub struct Recorder {
    run: RunId,
    clock: Clock,
    events: Option<Arc<Events>>,
    /// The first line, until there is a ledger that begins with it.
    planned: Option<Line>,
    /// The second line, if the plan needed an approval.
    approved: Option<Line>,
    ledger: Option<Ledger>,
    over: bool,
}

impl Recorder {
    /// A run is planned. Whoever follows learns it now; its ledger begins when it starts.
    pub fn new(run: RunId, planned: Planned, clock: Clock, events: Option<Arc<Events>>) -> Self {
        let recorder = Self { run, clock, events, planned: None, approved: None, ledger: None, over: false };
        let line = recorder.line(Record::Planned(Box::new(planned)));
        recorder.tell(&line);
        Self { planned: Some(line), ..recorder }
    }

    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The plan needed an approval, and this is it. To be called before [`Self::start`].
    pub fn approve(&mut self, approval: Approval) {
        let line = self.line(Record::Approved(Box::new(approval)));
        self.tell(&line);
        self.approved = Some(line);
    }

    /// The run starts: its ledger begins in the account's folder.
    pub fn start(&mut self, root: &Path) -> io::Result<()> {
        let started = self.line(Record::Started);
        let before: String = self.planned.take().iter().chain(&self.approved.take()).map(Line::text).collect();
        self.ledger = Some(Ledger::create(root, &self.run, &(before + &started.text()))?);
        self.tell(&started);
        Ok(())
    }

    /// The run is over, if it was not yet. Fails if the ledger does not have all of it; a run that never started
    /// has no ledger.
    pub async fn finish(&mut self, summary: Summary) -> Result<(), String> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(());
        }
        let line = self.line(Record::Summary(summary));
        self.tell(&line);
        match self.ledger.take() {
            Some(ledger) => ledger.finish(line.text()).await,
            None => Ok(()),
        }
    }

    fn line(&self, record: Record) -> Line {
        Line { version: Line::VERSION, at: (self.clock)(), run: self.run.clone(), record }
    }

    fn tell(&self, line: &Line) {
        if let Some(events) = &self.events {
            events.send(line.text());
        }
    }
}

impl Journal for Recorder {
    fn attempt(&self, change: ChangeId) -> BoxFuture<'_, Result<(), String>> {
        let line = self.line(Record::Attempt { change });
        Box::pin(async move {
            if let Some(ledger) = &self.ledger {
                ledger.keep(line.text()).await?;
            }
            self.tell(&line);
            Ok(())
        })
    }

    fn finished(&self, change: ChangeId, status: &Status) {
        let line = self.line(status.record(change));
        if let Some(ledger) = &self.ledger {
            ledger.note(line.text());
        }
        self.tell(&line);
    }
}
