//! New inputs from old ones: of bytes, of lines, of words, and of what is nested in JSON.

use fastrand::Rng;
use serde_json::Value;

/// The most bytes of an input: enough for what repeats, little enough for thousands of inputs a minute.
const MOST: usize = 64 << 10;

/// Numbers at whose edges things go wrong.
const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "-0",
    "1e309",
    "1e-9",
    "0.5",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0x1f",
    "007",
];

/// Texts that are hard on everyone.
const TEXTS: [&str; 18] = [
    "\u{0}",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "é",
    "e\u{301}",
    "\u{1f4de}",
    "\r\n",
    "\t",
    "\\",
    "\"",
    "'",
    "\\u0000",
    "\\ud800",
    "",
    "::error::x",
];

/// Makes inputs of a corpus. The same seed makes the same input.
#[derive(Clone)]
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    words: &'static [&'static str],
}

impl Mutator {
    pub fn new(corpus: Vec<Vec<u8>>, words: &'static [&'static str]) -> Self {
        assert!(!corpus.is_empty(), "there is no corpus");
        Self { corpus, words }
    }

    /// The input of a seed.
    pub fn input(&self, seed: u64) -> Vec<u8> {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = self.entry(&mut rng).clone();
        // Most inputs are nearly right: those get furthest.
        for _ in 0..=rng.usize(..3) * usize::from(rng.u8(..3) == 0) {
            self.mutate(&mut rng, &mut bytes);
            bytes.truncate(MOST);
        }
        bytes
    }

    fn entry(&self, rng: &mut Rng) -> &Vec<u8> {
        &self.corpus[rng.usize(..self.corpus.len())]
    }

    fn mutate(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        match rng.u8(..20) {
            0 => flip(rng, bytes),
            1 => bytes.truncate(at(rng, bytes)),
            2 => drop(bytes.drain(range(rng, bytes))),
            3 => repeat(rng, bytes),
            4 => {
                let other = self.entry(rng);
                splice(rng, bytes, other);
            }
            5 => {
                let (at, text) = (at(rng, bytes), self.text(rng));
                bytes.splice(at..at, text);
            }
            6..=8 => self.word(rng, bytes),
            9 | 10 => self.lines(rng, bytes),
            _ => self.json(rng, bytes),
        }
    }

    /// Something to put in.
    fn text(&self, rng: &mut Rng) -> Vec<u8> {
        match rng.u8(..4) {
            0 => rng.choice(NUMBERS).unwrap().into(),
            1 => rng.choice(TEXTS).unwrap().into(),
            2 => {
                let entry = self.entry(rng);
                rng.choice(words(entry)).map_or_else(Vec::new, |word| entry[word].to_vec())
            }
            _ => rng.choice(self.words).map_or_else(Vec::new, |word| (*word).into()),
        }
    }

    /// Puts something in the place of a word or a number.
    fn word(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        if let Some(word) = rng.choice(words(bytes)) {
            let text = self.text(rng);
            bytes.splice(word, text);
        }
    }

    /// Leaves a line out, says it twice, moves it, indents it otherwise, or takes one from elsewhere.
    fn lines(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if lines.is_empty() {
            return;
        }
        let (from, to) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
        match rng.u8(..5) {
            0 => drop(lines.remove(from)),
            1 => lines.insert(to, lines[from].clone()),
            2 => lines.swap(from, to),
            3 => drop(lines[from].splice(0..0, vec![b' '; rng.usize(1..5)])),
            _ => {
                let other: Vec<&[u8]> = self.entry(rng).split_inclusive(|byte| *byte == b'\n').collect();
                lines.insert(to, rng.choice(other).unwrap_or_default().to_vec());
            }
        }
        *bytes = lines.concat();
    }

    /// Changes a value of the JSON in one line, or of the whole if it is one document. What is no JSON stays.
    fn json(&self, rng: &mut Rng, bytes: &mut Vec<u8>) {
        let start = |line: &[u8]| line.iter().position(|byte| *byte == b'{');
        if serde_json::from_slice::<Value>(bytes).is_ok() {
            let all = 0..bytes.len();
            return self.json_in(rng, bytes, all);
        }
        let mut places = Vec::new();
        let mut begin = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let end = begin + line.len() - usize::from(line.ends_with(b"\n"));
            places.extend(start(line).map(|brace| begin + brace..end));
            begin += line.len();
        }
        match rng.choice(places) {
            Some(place) if serde_json::from_slice::<Value>(&bytes[place.clone()]).is_ok() => {
                self.json_in(rng, bytes, place);
            }
            _ => self.word(rng, bytes),
        }
    }

    fn json_in(&self, rng: &mut Rng, bytes: &mut Vec<u8>, place: std::ops::Range<usize>) {
        let mut value: Value = serde_json::from_slice(&bytes[place.clone()]).unwrap();
        let donor = self.entry(rng);
        let brace = donor.iter().position(|byte| *byte == b'{').unwrap_or_default();
        let mut donor = serde_json::Deserializer::from_slice(&donor[brace..]).into_iter::<Value>();
        let donor = donor.next().and_then(Result::ok).unwrap_or(Value::Null);
        self.node(rng, &mut value, &donor);
        bytes.splice(place, serde_json::to_vec(&value).unwrap());
    }

    /// Goes down to some value and changes it.
    fn node(&self, rng: &mut Rng, value: &mut Value, donor: &Value) {
        let inner = match value {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if inner == 0 || rng.u8(..8) == 0 {
            *value = self.value(rng, value, donor);
            return;
        }
        let index = rng.usize(..inner);
        match value {
            Value::Object(fields) => {
                let key = fields.keys().nth(index).unwrap().clone();
                match rng.u8(..20) {
                    0 => drop(fields.remove(&key)),
                    1 => drop(fields.insert(String::from_utf8_lossy(&self.text(rng)).into_owned(), part(rng, donor))),
                    _ => self.node(rng, &mut fields[&key], donor),
                }
            }
            Value::Array(items) => match rng.u8(..12) {
                0 => drop(items.remove(index)),
                1 => items.insert(rng.usize(..=inner), items[index].clone()),
                2 => items.swap(index, rng.usize(..inner)),
                _ => self.node(rng, &mut items[index], donor),
            },
            _ => {}
        }
    }

    fn value(&self, rng: &mut Rng, old: &Value, donor: &Value) -> Value {
        let text = |bytes: Vec<u8>| Value::String(String::from_utf8_lossy(&bytes).into_owned());
        match rng.u8(..12) {
            0 => Value::Null,
            1 => Value::Bool(rng.bool()),
            2 => serde_json::from_str(rng.choice(NUMBERS).unwrap()).unwrap_or(Value::Null),
            3 => Value::Array(vec![old.clone(); rng.usize(..4)]),
            4 => (0..rng.usize(1..200)).fold(old.clone(), |inner, _| Value::Array(vec![inner])),
            5 => text(vec![b'a'; 1 << rng.usize(..16)]),
            6 => Value::Object(serde_json::Map::new()),
            7..=9 => part(rng, donor),
            _ => text(self.text(rng)),
        }
    }
}

/// Some part of a document.
fn part(rng: &mut Rng, value: &Value) -> Value {
    let inner = match value {
        Value::Object(fields) if !fields.is_empty() => fields.values().nth(rng.usize(..fields.len())),
        Value::Array(items) => rng.choice(items),
        _ => None,
    };
    match inner {
        Some(inner) if rng.u8(..6) > 0 => part(rng, inner),
        _ => value.clone(),
    }
}

/// Where the words are: runs of letters, digits and what holds them together.
fn words(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+-./@".contains(byte) || !byte.is_ascii();
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (inside(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(begin)) => {
                words.push(begin..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|begin| begin..bytes.len()));
    words
}

fn at(rng: &mut Rng, bytes: &[u8]) -> usize {
    rng.usize(..=bytes.len())
}

/// A part, mostly a short one.
fn range(rng: &mut Rng, bytes: &[u8]) -> std::ops::Range<usize> {
    let start = at(rng, bytes);
    let most = 1 << rng.usize(..12);
    start..(start + rng.usize(..=most)).min(bytes.len())
}

fn flip(rng: &mut Rng, bytes: &mut [u8]) {
    for _ in 0..=rng.usize(..4) {
        if let Some(byte) = bytes.get_mut(rng.usize(..bytes.len().max(1))) {
            *byte ^= 1 << rng.u8(..8);
        }
    }
}

fn repeat(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let part = bytes[range(rng, bytes)].to_vec();
    let times = (MOST / part.len().max(1)).min(1 << rng.usize(..14));
    let at = at(rng, bytes);
    bytes.splice(at..at, part.repeat(times));
}

fn splice(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    bytes.truncate(at(rng, bytes));
    bytes.extend_from_slice(&other[at(rng, other)..]);
}
