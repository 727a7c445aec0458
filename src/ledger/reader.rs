//! Reading a ledger, line by line.
//!
//! What a dying process leaves is tolerated: a last line without its end. Everything else that does not fit is
//! an error with its line, because a ledger that is half understood is worse than none.

use std::collections::HashSet;

use crate::model::ChangeId;
use crate::text::sanitized;

use super::line::{Line, LineError, Planned, Record, RunRecord};
use super::run::Run;
use super::run_id::RunId;

/// Why a ledger cannot be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no whole line.
    #[error("it has no whole line: the run died before it wrote anything, also to the account")]
    Empty,
    /// A line is broken.
    #[error("line {line} is not a ledger line: {why}")]
    Broken {
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A line is of another version.
    #[error("line {line} is of version {version}, and this Strowger reads versions 1 and 2; use a newer Strowger")]
    Version { line: usize, version: u32 },
    /// A line is in the wrong place.
    #[error("line {line} does not belong there: {why}")]
    Misplaced {
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
        match Line::read(bytes) {
            Ok(read) => self.take(line, read),
            Err(LineError::Head(_)) if !whole => {
                self.torn = true;
                Ok(())
            }
            Err(LineError::Head(error) | LineError::Record(error)) => Err(broken(line, &error)),
            Err(LineError::Version(version)) => Err(ReadError::Version { line, version }),
        }
    }

    fn take(&mut self, line: usize, read: Line) -> Result<(), ReadError> {
        let misplaced = |why| Err(ReadError::Misplaced { line, why });
        match (&self.run, read.record) {
            (None, Record::Run(RunRecord::Planned(planned))) => {
                self.changes = planned.changes.iter().map(|change| change.id).collect();
                if self.changes.len() < planned.changes.len() {
                    return misplaced("two of its changes have one number");
                }
                self.run = Some((read.run, read.at, *planned));
                Ok(())
            }
            (None, _) => misplaced("a ledger begins with what was planned"),
            (Some(_), Record::Run(RunRecord::Planned(_))) => misplaced("a second plan"),
            (Some((id, ..)), _) if *id != read.run => misplaced("it is of another run"),
            (Some(_), _) if self.over => misplaced("the run is already summed up"),
            (Some(_), record) => {
                if record.change().is_some_and(|change| !self.changes.contains(&change)) {
                    return misplaced("the plan has no such change");
                }
                self.over = matches!(record, Record::Run(RunRecord::Summary(_)));
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
    use crate::ledger::{ChangeOutcome, ChangeRecord, Ending, Summary};
    use crate::plan::Digest;

    fn planned(changes: u32) -> RunRecord {
        let change = |id: u32| {
            let change = serde_json::json!({
                "id": id, "verb": "update", "object": {"kind": "number", "id": "n", "name": "+33142685300"},
                "fields": [], "reason": "declared", "calls": 1,
            });
            serde_json::from_value(change).unwrap()
        };
        RunRecord::Planned(Box::new(Planned {
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

    fn line(record: impl Into<Record>) -> String {
        let run = RunId::new("2026-11-23T14:25:00.000Z", 7).unwrap();
        Line { version: Line::VERSION, at: "2026-11-23T14:25:00.000Z".into(), run, record: record.into() }.text()
    }

    fn read(lines: &[String]) -> Result<Run, ReadError> {
        let mut reader = Reader::default();
        for line in lines {
            reader.line(line.as_bytes())?;
        }
        reader.finish()
    }

    fn attempt(change: u32, step: u32, id: Option<&str>) -> String {
        line(RunRecord::Attempt { change: ChangeId(change), step, id: id.map(Into::into) })
    }

    #[test]
    fn what_became_of_each_change_is_what_the_last_line_on_it_says() {
        let outcome = ChangeOutcome::Applied { id: "n".into(), revision: None, requests: 1 };
        let applied = line(Record::Change(ChangeRecord { outcome: outcome.clone(), change: ChangeId(1) }));
        let started = line(RunRecord::Started);
        let run = read(&[line(planned(3)), started, attempt(1, 1, None), attempt(2, 1, None), applied]).unwrap();
        assert_eq!(run.outcomes[0], outcome);
        assert!(run.outcomes[1].is_unknown(), "an attempt without a result");
        assert_eq!(run.outcomes[2], ChangeOutcome::NotAttempted);
        assert_eq!(run.ending(), Ending::Interrupted);
    }

    #[test]
    fn a_process_that_dies_between_two_steps_leaves_a_change_that_is_partly_done() {
        let steps =
            r#""steps":[{"name":"create","calls":1},{"name":"put members","calls":1},{"name":"extension","calls":1}]"#;
        let planned = line(planned(1)).replace("\"calls\":1}", &format!("\"calls\":3,{steps}}}"));
        let begun = read(&[planned.clone(), attempt(1, 1, None)]).unwrap();
        assert!(begun.outcomes[0].is_unknown(), "{:?}", begun.outcomes);
        let run = read(&[planned, attempt(1, 1, None), attempt(1, 2, Some("g7"))]).unwrap();
        let ChangeOutcome::PartlyDone { id, left, .. } = &run.outcomes[0] else { panic!("{:?}", run.outcomes) };
        assert_eq!((id.as_ref(), left.len()), (Some(&"g7".into()), 2), "{left:?}");
        assert_eq!((run.counts().partly_done, run.counts().not_applied()), (1, 1));
    }

    #[test]
    fn a_ledger_of_version_1_is_read_as_before() {
        let old = |text: String| text.replace("\"version\":2", "\"version\":1");
        let attempt = old(attempt(1, 1, None)).replace(",\"step\":1", "");
        assert!(!attempt.contains("step"), "{attempt}");
        let failed = ChangeOutcome::Failed { error: "no".into(), permanent: false };
        let failed = old(line(Record::Change(ChangeRecord { outcome: failed.clone(), change: ChangeId(2) })));
        let summary = old(line(RunRecord::Summary(Summary::default()))).replace("\"partly_done\":0,", "");
        let run = read(&[old(line(planned(2))), attempt, failed, summary]).unwrap();
        assert!(run.outcomes[0].is_unknown() && run.summary.is_some(), "{run:?}");
        assert_eq!(run.outcomes[1].as_str(), "failed");
    }

    #[test]
    fn only_a_torn_last_line_is_tolerated() {
        let summary = line(RunRecord::Summary(Summary::default()));
        for cut in 0..summary.len() - 1 {
            let run = read(&[line(planned(1)), summary[..cut].to_owned()]).unwrap();
            assert!(run.summary.is_none() && run.torn, "{cut}");
        }
        let whole = read(&[line(planned(1)), summary.trim_end().to_owned()]).unwrap();
        assert!(whole.summary.is_some() && !whole.torn);
        let torn_inside = read(&[line(planned(1)), "{\"version\":2,\n".to_owned(), summary]);
        assert!(matches!(torn_inside, Err(ReadError::Broken { line: 2, .. })), "{torn_inside:?}");
    }

    #[test]
    fn what_this_version_does_not_know_is_an_error_with_its_line() {
        let newer = line(RunRecord::Started).replace("\"version\":2", "\"version\":3");
        assert_eq!(read(&[line(planned(1)), newer]), Err(ReadError::Version { line: 2, version: 3 }));
        let unknown = line(RunRecord::Started).replace("started", "celebrated");
        let error = read(&[line(planned(1)), unknown]).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is not a ledger line: unknown variant `celebrated`"), "{error}");
        let foreign = attempt(9, 1, None);
        assert!(matches!(read(&[line(planned(1)), foreign]), Err(ReadError::Misplaced { line: 2, .. })));
        assert!(matches!(read(&[line(RunRecord::Started)]), Err(ReadError::Misplaced { line: 1, .. })));
        assert_eq!(read(&[]), Err(ReadError::Empty));
    }
}
