//! An office whose telephone system Strowger manages while its numbers are dialled all the time.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use tempfile::TempDir;

use super::bench::{Bench, Caller};
use super::cable::Cable;
use super::editor::{Edit, Editor, numbers};
use super::judge::Count;
use super::office::{Destination, Office};
use super::timeline::Timeline;
use crate::support::commands;

const RATE: usize = 20;
const PASSWORD: &str = "STROWGER_BENCH_PASSWORD";

pub struct Site {
    pub bench: Arc<Bench>,
    pub cable: Cable,
    pub folder: TempDir,
    /// The same file, but with the address of the database itself.
    direct: TempDir,
    pub timeline: Timeline,
    pub editor: Editor,
    /// In force, as far as no change is under way.
    pub office: Office,
    harms: [usize; 4],
}

/// What happens while Strowger works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    None,
    /// The process is killed.
    Kill,
    /// Its connection breaks.
    Cut,
    /// Another administrator re-points a number.
    Admin,
}

const HARMS: [Harm; 4] = [Harm::None, Harm::Kill, Harm::Cut, Harm::Admin];
/// A change of this size has fewer messages to the database than this.
const MESSAGES: usize = 60;

/// A harm that was planned: whether it happened is known when it is over.
pub struct Planned {
    harm: Harm,
    process: Arc<AtomicU32>,
    /// Ends when the other administrator is done.
    admin: mpsc::Receiver<()>,
}

impl Planned {
    /// Says which process is killed.
    pub fn aim(&self, process: u32) {
        self.process.store(process, Ordering::SeqCst);
    }
}

impl Site {
    /// An office after some edits; None where the programs are missing.
    pub fn new(seed: u64) -> Option<Self> {
        let bench = Arc::new(Bench::start()?);
        let rows: Vec<_> =
            numbers().map(|number| format!("('from-carrier', '{number}', 1, 'Goto', 'internal,201,1')")).collect();
        bench.sql(&format!(
            "insert into extensions (context, exten, priority, app, appdata) values {}",
            rows.join(", ")
        ));
        let office = Editor::first();
        let mut site = Self {
            cable: Cable::to(format!("{}:5432", bench.address)),
            bench,
            folder: tempfile::tempdir().unwrap(),
            direct: tempfile::tempdir().unwrap(),
            timeline: Timeline::new(&office),
            editor: Editor::new(seed),
            office,
            harms: [0; 4],
        };
        for _ in 0..6 {
            let edit = site.editor.edit(&site.office);
            site.write(&edit);
            site.run_until_done(&["apply", ".", "--auto-approve"]);
            site.office = edit.office;
        }
        site.timeline = Timeline::new(&site.office);
        Some(site)
    }

    /// Dials all numbers in turn until enough calls were placed: `STROWGER_CALLS`, or 1,000.
    pub fn dial(&self) -> Caller {
        let calls = std::env::var("STROWGER_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(1000);
        let numbers: Vec<String> = numbers().collect();
        self.bench.dial(&numbers.iter().map(String::as_str).collect::<Vec<_>>(), calls, RATE)
    }

    /// Saves an edit as an editor does, at once.
    pub fn write(&self, edit: &Edit) {
        for (folder, database) in
            [(&self.direct, format!("{}:5432", self.bench.address)), (&self.folder, self.cable.address.clone())]
        {
            let text = format!(
                "version: 1
account:
  name: bench
  provider: asterisk
  country: FR
  database: postgresql://strowger@{database}/asterisk
  password: {{ env: {PASSWORD} }}
  trunk: trunk
  receptionists: {{ main: \"ivr-main,s\" }}
  conferences: {{ board: \"conferences,800\" }}
policy:
  external: [FR]
  caps: {{ numbers: {{ update: off, unassign: off }}, ring_groups: {{ create: off, update: off, delete: off }} }}
{}",
                edit.sections
            );
            let new = folder.path().join(".new");
            fs::write(&new, text).unwrap();
            fs::rename(new, folder.path().join("account.yaml")).unwrap();
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(self.folder.path(), arguments)
    }

    /// Runs a command under some harm, and again if it did not do everything; what happened.
    #[track_caller]
    pub fn run_with(&mut self, planned: Planned, arguments: &[&str]) -> Harm {
        let process = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        planned.aim(process.id());
        let output = process.wait_with_output().unwrap();
        let harm = self.end_harm(planned);
        assert!(
            output.status.success() || harm != Harm::None,
            "failed without any harm:\n{}",
            commands::shown(&output)
        );
        self.run_until_done(arguments);
        harm
    }

    /// Runs a command that was interrupted until it has done everything.
    #[track_caller]
    pub fn run_until_done(&self, arguments: &[&str]) {
        let run = || self.command(arguments).output().unwrap();
        let mut output = run();
        for _ in 0..4 {
            if output.status.success() {
                return;
            }
            output = run();
        }
        panic!("{arguments:?} never ends well:\n{}", commands::shown(&output));
    }

    /// Whether the account is as the files say.
    pub fn is_in_sync(&self) -> bool {
        let output = command(self.direct.path(), &["plan", ".", "--detailed-exitcode"]).output().unwrap();
        match output.status.code() {
            Some(0) => true,
            Some(2) => false,
            _ => panic!("{}", commands::shown(&output)),
        }
    }

    /// Plans some harm at some message. `free` are the numbers that another administrator may re-point. Returns what that
    /// administrator makes of which number.
    pub fn plan_harm(&mut self, free: &[String]) -> (Planned, Option<(String, Destination)>) {
        // What happened least, so that all of it happens on a slow machine too.
        let rarest = HARMS.iter().zip(self.harms).min_by_key(|(_, times)| *times).map_or(Harm::None, |(harm, _)| *harm);
        let harm = if rarest == Harm::Admin && free.is_empty() { Harm::None } else { rarest };
        // Rather an early one: some changes have few.
        let most = 1 + self.editor.below(MESSAGES);
        let (message, is_after) = (1 + self.editor.below(most), self.editor.below(2) == 0);
        let process = Arc::new(AtomicU32::new(0));
        let (done, admin) = mpsc::channel();
        let mut pointed = None;
        match harm {
            Harm::Kill => {
                let process = Arc::clone(&process);
                self.cable.harm_at(message, is_after, move || {
                    let mut id = 0;
                    while id == 0 {
                        id = process.load(Ordering::SeqCst);
                        std::thread::yield_now();
                    }
                    // It may have ended by itself.
                    let _ = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
                    true
                });
            }
            Harm::Cut => self.cable.harm_at(message, is_after, || true),
            Harm::Admin => {
                let (number, user) = (self.editor.pick(free), self.editor.pick(&["203", "204"]));
                let sql = format!(
                    "update extensions set app = 'Goto', appdata = 'internal,{user},1'
                        where context = 'from-carrier' and exten = '{number}' and priority = 1"
                );
                pointed = Some((number, Destination::User(user.to_owned())));
                let bench = Arc::clone(&self.bench);
                // Strowger may hold the row: this must not wait for the administrator.
                self.cable.harm_at(message, is_after, move || {
                    std::thread::spawn(move || {
                        bench.sql(&sql);
                        drop(done);
                    });
                    false
                });
            }
            Harm::None => {}
        }
        (Planned { harm, process, admin }, pointed)
    }

    /// Waits until what was planned is over; what happened.
    pub fn end_harm(&mut self, planned: Planned) -> Harm {
        let Planned { harm, admin, .. } = planned;
        let happened = self.cable.harmed();
        // The other administrator's end of it is dropped when the statement is done, or will never be run.
        let _ = admin.recv();
        let harm = if happened { harm } else { Harm::None };
        self.harms[HARMS.iter().position(|other| *other == harm).unwrap()] += 1;
        harm
    }

    /// Waits for the calls, and says how they went.
    #[track_caller]
    pub fn expect_all_whole(&self, what: &str, caller: Caller) {
        let count = Count::of(&caller.finish(), &self.timeline);
        let [none, kill, cut, admin] = self.harms;
        let all = none + kill + cut + admin;
        // Past the test's own output, which is not shown if it succeeds.
        let mut stderr = std::io::stderr();
        let _ = writeln!(
            stderr,
            "{what}: {count}; {all} changes, {kill} of them killed, {cut} with a broken connection, {admin} beside another administrator"
        );
        count.expect_all_whole();
        assert!(self.harms.iter().all(|times| *times > 0), "{:?}", self.harms);
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = commands::command(folder, arguments);
    command.env(PASSWORD, "bench");
    command
}
