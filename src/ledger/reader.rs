//! Reading a ledger, line by line.
//!
//! What a dying process leaves is tolerated: a last line without its end. Everything else that does not fit is
//! an error with its line, because a ledger that is half understood is worse than none.

use std::collections::HashSet;

use serde::Deserialize;

use crate::model::ChangeId;
use crate::text::sanitized;

use super::line::{Line, Planned, Record};
use super::run::Run;
use super::run_id::RunId;

/// Why a ledger cannot be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no whole line.
    #[error("it has no whole line: the run died before it wrote anything, also to the account")]
    Empty,
    /// A line is broken.
    #[error("line {line} is no ledger line: {why}")]
    Broken {
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A line is of another version.
    #[error("line {line} is of version {version}, and this Strowger reads version 1; use a newer Strowger")]
    Version {
        /// The line.
        line: usize,
        /// Its version.
        version: u32,
    },
    /// A line is in the wrong place.
    #[error("line {line} does not belong there: {why}")]
    Misplaced {
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file has the name of another run.
    #[error("its lines are of another run than its name says")]
    Renamed,
}

/// Takes the lines of one ledger, in order.
#[derive(Debug, Default)]
pub struct Reader {
    lines: usize,
    run: Option<(RunId, String, Planned)>,
    changes: HashSet<ChangeId>,
    records: Vec<Record>,
    torn: bool,
    over: bool,
}

/// What every version of a line has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Reader {
    /// Takes the next line, with its end if it has one.
    ///
    /// The last line of a file, without an end, is torn and left out. One that has no end and is whole is
    /// taken: a process may have died between the line and its end.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        self.lines += 1;
        let line = self.lines;
        if self.torn {
            return Err(ReadError::Misplaced { line, why: "it follows a torn line" });
        }
        let whole = bytes.last() == Some(&b'\n');
        let version = match serde_json::from_slice::<Version>(bytes) {
            Ok(Version { version }) => version,
            Err(_) if !whole => {
                self.torn = true;
                return Ok(());
            }
            Err(error) => return Err(broken(line, &error)),
        };
        if version != Line::VERSION {
            return Err(ReadError::Version { line, version });
        }
        let read: Line = serde_json::from_slice(bytes).map_err(|error| broken(line, &error))?;
        self.take(line, read)
    }

    fn take(&mut self, line: usize, read: Line) -> Result<(), ReadError> {
        let misplaced = |why| Err(ReadError::Misplaced { line, why });
        match (&self.run, read.record) {
            (None, Record::Planned(planned)) => {
                self.changes = planned.changes.iter().map(|change| change.id).collect();
                if self.changes.len() < planned.changes.len() {
                    return misplaced("two of its changes have one number");
                }
                self.run = Some((read.run, read.at, *planned));
                Ok(())
            }
            (None, _) => misplaced("a ledger begins with what was planned"),
            (Some(_), Record::Planned(_)) => misplaced("a second plan"),
            (Some((id, ..)), _) if *id != read.run => misplaced("it is of another run"),
            (Some(_), _) if self.over => misplaced("the run is already summed up"),
            (Some(_), record) => {
                if record.change().is_some_and(|change| !self.changes.contains(&change)) {
                    return misplaced("the plan has no such change");
                }
                self.over = matches!(record, Record::Summary(_));
                self.records.push(record);
                Ok(())
            }
        }
    }

    /// The run, once all lines were taken.
    pub fn finish(self) -> Result<Run, ReadError> {
        let (id, at, planned) = self.run.ok_or(ReadError::Empty)?;
        Ok(Run::new(id, at, planned, self.records, self.torn))
    }
}

fn broken(line: usize, error: &serde_json::Error) -> ReadError {
    // An error of serde quotes the line, which is as untrusted as the file.
    ReadError::Broken { line, why: sanitized(&error.to_string(), 200) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ending, Fate, Summary};
    use crate::plan::Digest;

    fn planned(changes: u32) -> Record {
        let change = |id: u32| {
            let change = serde_json::json!({
                "id": id, "verb": "update", "object": {"kind": "number", "id": "n", "name": "+33142685300"},
                "fields": [], "reason": "declared", "calls": 1,
            });
            serde_json::from_value(change).unwrap()
        };
        Record::Planned(Box::new(Planned {
            strowger: "0.1.0".into(),
            account: "a".into(),
            account_id: "1".into(),
            digest: Digest::of("1", &[]),
            commit: None,
            actor: None,
            undoes: None,
            claim: None,
            changes: (1..=changes).map(change).collect(),
        }))
    }

    fn line(record: Record) -> String {
        let run = RunId::new("2026-11-23T14:25:00.000Z", 7).unwrap();
        Line { version: 1, at: "2026-11-23T14:25:00.000Z".into(), run, record }.text()
    }

    fn read(lines: &[String]) -> Result<Run, ReadError> {
        let mut reader = Reader::default();
        for line in lines {
            reader.line(line.as_bytes())?;
        }
        reader.finish()
    }

    #[test]
    fn what_became_of_each_change_is_what_the_last_line_on_it_says() {
        let applied = Record::Applied { change: ChangeId(1), id: "n".into(), revision: None, requests: 1 };
        let attempt = |change| line(Record::Attempt { change: ChangeId(change) });
        let run = read(&[line(planned(3)), line(Record::Started), attempt(1), attempt(2), line(applied)]).unwrap();
        assert_eq!(run.fates[0], Fate::Applied { id: "n".into() });
        assert!(matches!(&run.fates[1], Fate::Unknown(_)), "an attempt without a result");
        assert_eq!(run.fates[2], Fate::NotAttempted);
        assert_eq!(run.ending(), Ending::Interrupted);
    }

    #[test]
    fn only_a_torn_last_line_is_tolerated() {
        let summary = line(Record::Summary(Summary::default()));
        for cut in 0..summary.len() - 1 {
            let run = read(&[line(planned(1)), summary[..cut].to_owned()]).unwrap();
            assert!(run.summary.is_none() && run.torn, "{cut}");
        }
        let whole = read(&[line(planned(1)), summary.trim_end().to_owned()]).unwrap();
        assert!(whole.summary.is_some() && !whole.torn);
        let torn_inside = read(&[line(planned(1)), "{\"version\":1,\n".to_owned(), summary]);
        assert!(matches!(torn_inside, Err(ReadError::Broken { line: 2, .. })), "{torn_inside:?}");
    }

    #[test]
    fn what_this_version_does_not_know_is_an_error_with_its_line() {
        let newer = line(Record::Started).replace("\"version\":1", "\"version\":2");
        assert_eq!(read(&[line(planned(1)), newer]), Err(ReadError::Version { line: 2, version: 2 }));
        let unknown = line(Record::Started).replace("started", "celebrated");
        let error = read(&[line(planned(1)), unknown]).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is no ledger line: unknown variant `celebrated`"), "{error}");
        let foreign = line(Record::Attempt { change: ChangeId(9) });
        assert!(matches!(read(&[line(planned(1)), foreign]), Err(ReadError::Misplaced { line: 2, .. })));
        assert!(matches!(read(&[line(Record::Started)]), Err(ReadError::Misplaced { line: 1, .. })));
        assert_eq!(read(&[]), Err(ReadError::Empty));
    }
}
