//! Runs a target on its corpus, then on mutations of it until the time is up.
//!
//! Each mutation follows from the corpus and one number, its seed, so a finding is replayed by its seed. A finding
//! is a panic (also of an assertion), an abort, or one input that takes longer than [`HANG`].

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::mutate::Mutator;

/// Longer than any input takes, on a machine that has other things to do.
const HANG: Duration = Duration::from_secs(10);

/// How many mutations a plain `cargo test` tries, and what their seeds follow from: the same on every machine and
/// on every day, so that it fails for a change and never by chance. What is new is found by looking longer.
const BRIEF: usize = 2_000;
const ALWAYS: u64 = 1891;

/// What is fuzzed.
pub struct Target {
    /// The name of its folder below `corpus`.
    pub name: &'static str,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
    /// How much longer than [`HANG`] one input may take.
    pub slack: Duration,
}

/// What a target made of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    Refused,
}

enum Event {
    Begun { seed: Option<u64> },
    Ended { verdict: Verdict },
}

/// Figures of a run.
#[derive(Default)]
struct Tally {
    inputs: u64,
    taken: u64,
    slowest: (Duration, Option<u64>),
}

/// Fuzzes a target with the same inputs each time; with `STROWGER_FUZZ`, for so many seconds with new ones; with
/// `STROWGER_FUZZ_SEED`, replays one.
pub fn fuzz(target: &'static Target, run: impl FnMut(&[u8]) -> Verdict + Send + 'static) {
    let corpus = corpus(target.name);
    let mutator = Mutator::new(corpus.clone(), target.words);
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a whole number"));
    let time = number("STROWGER_FUZZ").map(Duration::from_secs);
    let first = number("STROWGER_FUZZ_SEED");
    let mark = folder().join(format!("{}.running", target.name));
    let (tell, events) = mpsc::channel();
    let seeds: Seeds = match (first, time) {
        (Some(seed), _) => Box::new(std::iter::once(seed)),
        (None, None) => Box::new(random(Rng::with_seed(ALWAYS)).take(BRIEF)),
        (None, Some(time)) => {
            let end = Instant::now() + time;
            Box::new(random(Rng::new()).take_while(move |_| Instant::now() < end))
        }
    };
    let job = Job { corpus, mutator: mutator.clone(), seeds, mark };
    let worker = std::thread::spawn(move || job.work(run, &tell));
    let mut tally = Tally::default();
    let mut running = (None, Instant::now());
    loop {
        match events.recv_timeout(HANG + target.slack) {
            Ok(Event::Begun { seed }) => running = (seed, Instant::now()),
            Ok(Event::Ended { verdict }) => tally.add(verdict, running.0, running.1.elapsed()),
            Err(mpsc::RecvTimeoutError::Timeout) => fail(target.name, &mutator, running.0, "takes too long"),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if worker.join().is_err() {
        fail(target.name, &mutator, running.0, "panics; see above");
    }
    if let Some(seed) = first {
        println!("{}", save(target.name, &mutator, seed).display());
    }
    let Tally { inputs, taken, slowest: (slowest, seed) } = tally;
    println!("{}: {inputs} inputs, {taken} of them taken; the slowest {slowest:?} (seed {seed:?})", target.name);
    assert!(taken > 0, "nothing was taken, so nothing was tried");
}

type Seeds = Box<dyn Iterator<Item = u64> + Send>;

fn random(mut rng: Rng) -> impl Iterator<Item = u64> + Send {
    std::iter::repeat_with(move || rng.u64(..))
}

impl Tally {
    fn add(&mut self, verdict: Verdict, seed: Option<u64>, took: Duration) {
        self.inputs += 1;
        self.taken += u64::from(verdict == Verdict::Taken);
        self.slowest = self.slowest.max((took, seed));
    }
}

/// What the working thread needs.
struct Job {
    corpus: Vec<Vec<u8>>,
    mutator: Mutator,
    seeds: Seeds,
    mark: PathBuf,
}

impl Job {
    fn work(self, mut run: impl FnMut(&[u8]) -> Verdict, tell: &mpsc::Sender<Event>) {
        let mut one = |seed, input: &[u8]| {
            tell.send(Event::Begun { seed }).unwrap();
            let verdict = run(input);
            tell.send(Event::Ended { verdict }).unwrap();
        };
        for entry in &self.corpus {
            one(None, entry);
        }
        // What aborts the process cannot be reported by it, so the seed of what runs is on the disk.
        let mut mark = fs::File::create(&self.mark).unwrap();
        for seed in self.seeds {
            mark.rewind().unwrap();
            write!(mark, "{seed:<20}").unwrap();
            one(Some(seed), &self.mutator.input(seed));
        }
        drop(mark);
        // Another run of the same target may have been faster.
        let _ = fs::remove_file(&self.mark);
    }
}

fn fail(name: &str, mutator: &Mutator, seed: Option<u64>, how: &str) -> ! {
    let Some(seed) = seed else { panic!("an entry of the corpus of {name} {how}") };
    let path = save(name, mutator, seed);
    panic!("{name} {how}: STROWGER_FUZZ_SEED={seed} replays it; the input is {}", path.display());
}

fn save(name: &str, mutator: &Mutator, seed: u64) -> PathBuf {
    let path = folder().join(format!("{name}-{seed}"));
    fs::write(&path, mutator.input(seed)).unwrap();
    path
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The corpus of a target, by name, so that a seed means the same everywhere.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}
