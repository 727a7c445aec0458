//! Finding a secret in an untrusted text: whole or in part, and however it is written.
//!
//! A text is looked at several times: as it is, and with its escapes (percent-encoding, HTML entities, those of JSON and
//! C) undone once, twice and thrice. Each time white space and invisible characters are skipped and capitals do not
//! count. What is found are the pieces of the secret's forms: itself, hexadecimal, base64 wherever it begins.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::text::hex;

/// So many characters of a secret, where a text is cut off, are taken for it.
const PIECE: usize = 6;
/// So many are taken for it anywhere.
const LONG: usize = 12;
/// How often escapes may be escaped.
const DEEPEST: usize = 3;

/// How a secret may be written.
struct Form {
    units: Vec<char>,
    /// Characters that stand for six of the secret.
    piece: usize,
    /// The same for twelve.
    long: usize,
}

impl Form {
    /// `written` has so many characters for so many of the secret.
    fn new(written: &str, (many, of): (usize, usize)) -> Self {
        let units = written.chars().filter(|c| !is_unseen(*c)).map(lower).collect();
        Self { units, piece: (PIECE * many).div_ceil(of), long: (LONG * many).div_ceil(of) }
    }
}

/// A character of a text, and where in the text it is.
#[derive(Clone)]
struct Unit {
    is: char,
    at: Range<usize>,
}

/// The stretches of a text that are the secret or a piece of it; in order, none touching the next.
pub(super) fn find(secret: &str, text: &str) -> Vec<Range<usize>> {
    if secret.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let forms = forms(secret);
    let hexadecimal = vec![Form::new(&hex(secret.as_bytes()), (2, 1))];
    let mut view: Vec<Unit> = text.char_indices().map(|(at, is)| Unit { is, at: at..at + is.len_utf8() }).collect();
    for depth in 0..=DEEPEST {
        let seen = without_unseen(&view);
        pieces(&forms, &seen, &mut found);
        pieces(&hexadecimal, &digits(&seen), &mut found);
        let next = if depth < DEEPEST { unescaped(&view) } else { None };
        let Some(next) = next else { break };
        view = next;
    }
    merged(found)
}

/// The secret itself, also as it is after escapes in it were undone, and what of it is in base64 wherever it begins in
/// the bytes that were encoded.
fn forms(secret: &str) -> Vec<Form> {
    let mut forms = vec![Form::new(secret, (1, 1))];
    let mut view: Vec<Unit> = secret.chars().map(|is| Unit { is, at: 0..0 }).collect();
    while let Some(next) = unescaped(&view).filter(|next| next.len() < view.len()) {
        view = next;
        forms.push(Form::new(&view.iter().map(|unit| unit.is).collect::<String>(), (1, 1)));
    }
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // Six bits a letter: the first letters and the last one may hold bits of what is around the secret.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let inner = encoded.get(from..to).unwrap_or_default();
            if inner.len() >= PIECE {
                forms.push(Form::new(inner, (4, 3)));
            }
        }
    }
    forms
}

/// Adds the pieces of any form that are in a view of the text.
fn pieces(forms: &[Form], view: &[Unit], found: &mut Vec<Range<usize>>) {
    let mut starts: HashMap<&[char], Vec<(&Form, usize)>> = HashMap::new();
    for form in forms {
        let width = form.units.len().min(PIECE);
        for (at, gram) in form.units.windows(width.max(1)).enumerate() {
            starts.entry(gram).or_default().push((form, at));
        }
    }
    let text: Vec<char> = view.iter().map(|unit| unit.is).collect();
    let widths: std::collections::BTreeSet<usize> = starts.keys().map(|gram| gram.len()).collect();
    let mut free = 0;
    for at in 0..text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let here = widths.iter().filter_map(|width| starts.get(rest.get(..*width)?)).flatten();
        let lengths = here.filter_map(|(form, from)| {
            let own = form.units.get(*from..).unwrap_or_default();
            let length = own.iter().zip(rest).take_while(|(own, seen)| own == seen).count();
            let is_whole = length == form.units.len();
            let is_last = from + length == form.units.len();
            let is_cut = is_end(rest.get(length..)?) || is_last && is_start(text.get(..at)?);
            (is_whole || length >= form.long || is_cut && length >= form.piece).then_some(length)
        });
        // Shorter pieces of one that was found already are part of it.
        let Some(length) = lengths.max().filter(|length| at + length > free) else { continue };
        free = at + length;
        if let (Some(first), Some(last)) = (view.get(at), view.get(free - 1)) {
            found.push(first.at.start..last.at.end);
        }
    }
}

fn is_end(rest: &[char]) -> bool {
    rest.is_empty() || rest.first() == Some(&'…') || rest.starts_with(&['.', '.', '.'])
}

fn is_start(before: &[char]) -> bool {
    before.is_empty() || before.last() == Some(&'…') || before.ends_with(&['.', '.', '.'])
}

fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Whether a reader does not see the character.
fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(c)
}

fn without_unseen(view: &[Unit]) -> Vec<Unit> {
    let seen = view.iter().filter(|unit| !is_unseen(unit.is));
    seen.map(|unit| Unit { is: lower(unit.is), at: unit.at.clone() }).collect()
}

/// The view without the separators between hexadecimal bytes.
fn digits(view: &[Unit]) -> Vec<Unit> {
    let mut digits = Vec::with_capacity(view.len());
    let mut rest = view;
    while let Some((first, after)) = rest.split_first() {
        let prefix = after.first().is_some_and(|next| next.is == 'x') && matches!(first.is, '0' | '\\');
        rest = if prefix { after.get(1..).unwrap_or_default() } else { after };
        if !prefix && !":-.,;_%|".contains(first.is) {
            digits.push(first.clone());
        }
    }
    digits
}

/// The view with its escapes undone; nothing if there are none.
fn unescaped(view: &[Unit]) -> Option<Vec<Unit>> {
    let mut undone = Vec::with_capacity(view.len());
    let (mut rest, mut any) = (view, false);
    while let Some((first, after)) = rest.split_first() {
        let escape = match first.is {
            '%' => percent(rest),
            '&' => entity(rest),
            '\\' => backslash(rest),
            _ => None,
        };
        let (characters, length) = escape.unwrap_or_else(|| (vec![first.is], 1));
        any |= length > 1;
        let end = rest.get(length - 1).map_or(first.at.end, |last| last.at.end);
        undone.extend(characters.into_iter().map(|is| Unit { is, at: first.at.start..end }));
        rest = if length == 1 { after } else { rest.get(length..).unwrap_or_default() };
    }
    any.then_some(undone)
}

/// A number of so many digits at most with which characters begin, and how many there are.
fn number(view: &[Unit], radix: u32, most: usize) -> Option<(u32, usize)> {
    let digits: String = view.iter().take(most).map(|unit| unit.is).take_while(|c| c.is_digit(radix)).collect();
    Some((u32::from_str_radix(&digits, radix).ok()?, digits.len()))
}

/// `%C3%A9`: the bytes of one character.
fn percent(view: &[Unit]) -> Option<(Vec<char>, usize)> {
    let mut bytes = Vec::new();
    for pair in view.chunks(3).take(4) {
        let [sign, digits @ ..] = pair else { break };
        let Some((byte, 2)) = number(digits, 16, 2).filter(|_| sign.is == '%') else { break };
        bytes.push(u8::try_from(byte).ok()?);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            return Some((text.chars().collect(), bytes.len() * 3));
        }
    }
    None
}

/// `&#45;`, `&#x2d;` and the names of ASCII characters.
fn entity(view: &[Unit]) -> Option<(Vec<char>, usize)> {
    const NAMES: [(&str, char); 40] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("sol", '/'),
        ("bsol", '\\'),
        ("plus", '+'),
        ("equals", '='),
        ("hyphen", '-'),
        ("dash", '-'),
        ("lowbar", '_'),
        ("UnderBar", '_'),
        ("period", '.'),
        ("colon", ':'),
        ("semi", ';'),
        ("comma", ','),
        ("num", '#'),
        ("percnt", '%'),
        ("excl", '!'),
        ("quest", '?'),
        ("dollar", '$'),
        ("commat", '@'),
        ("ast", '*'),
        ("midast", '*'),
        ("lpar", '('),
        ("rpar", ')'),
        ("lsqb", '['),
        ("lbrack", '['),
        ("rsqb", ']'),
        ("rbrack", ']'),
        ("lcub", '{'),
        ("lbrace", '{'),
        ("rcub", '}'),
        ("rbrace", '}'),
        ("verbar", '|'),
        ("vert", '|'),
        ("Hat", '^'),
        ("grave", '`'),
        ("tilde", '~'),
    ];
    let name: String = view.iter().skip(1).take(12).map(|unit| unit.is).take_while(|c| *c != ';').collect();
    let closed = view.get(1 + name.chars().count()).is_some_and(|unit| unit.is == ';');
    if let Some(digits) = name.strip_prefix('#') {
        let (skipped, radix) = if digits.starts_with(['x', 'X']) { (3, 16) } else { (2, 10) };
        let (code, length) = number(view.get(skipped..)?, radix, 8)?;
        // A browser needs no `;` either.
        let end = skipped + length;
        let closed = view.get(end).is_some_and(|unit| unit.is == ';');
        return Some((vec![char::from_u32(code)?], end + usize::from(closed)));
    }
    let (_, is) = NAMES.iter().find(|(known, _)| closed && *known == name)?;
    Some((vec![*is], name.len() + 2))
}

/// `\u002d`, `\u{2d}`, `\x2d`, `\/`. What has no sight, such as a line break, is nothing.
fn backslash(view: &[Unit]) -> Option<(Vec<char>, usize)> {
    let code = |code: u32| char::from_u32(code).map(|c| vec![c]);
    match view.get(1)?.is {
        'u' | 'U' if view.get(2)?.is == '{' => {
            let (value, length) = number(view.get(3..)?, 16, 6)?;
            (view.get(3 + length)?.is == '}').then_some((code(value)?, 4 + length))
        }
        'u' => match number(view.get(2..)?, 16, 4)? {
            (high @ 0xd800..=0xdbff, 4) => {
                let (low, digits) = number(view.get(8..)?, 16, 4)?;
                let follows = view.get(6)?.is == '\\' && view.get(7)?.is == 'u' && digits == 4;
                let low = low.checked_sub(0xdc00).filter(|low| follows && *low < 0x400)?;
                Some((code(0x10000 + ((high - 0xd800) << 10) + low)?, 12))
            }
            (value, 4) => Some((code(value)?, 6)),
            _ => None,
        },
        'x' => match number(view.get(2..)?, 16, 2)? {
            (value, 2) => Some((code(value)?, 4)),
            _ => None,
        },
        'n' | 'r' | 't' => Some((Vec::new(), 2)),
        c if c.is_ascii_punctuation() => Some((vec![c], 2)),
        _ => None,
    }
}
