//! A token or password.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A piece of a secret at the end of a text counts as the secret from so many characters on: texts are cut anywhere.
const PIECE: usize = 6;

/// What stands for a secret in a text.
const MARK: &str = "[token]";

/// A secret. It has no `Debug`, no `Display` and no `Serialize`, so it cannot reach a log, a plan or a message.
///
/// Only the HTTP client looks inside.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes charge of a secret; white space around it, such as a file's last line break, is not part of it.
    pub fn new(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self(text.trim().into())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this text is the secret, found out in a time that depends on neither.
    pub fn is(&self, given: &str) -> bool {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        let (own, given) = (digest(&self.0), digest(given));
        let differing = own.iter().zip(given).fold(0_u8, |sum, (own, given)| sum | (own ^ given));
        std::hint::black_box(differing) == 0
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// The text without this secret: servers echo tokens in error bodies, also percent-encoded, in base64, or with
    /// line breaks in the midst of them.
    pub(super) fn redacted(&self, text: &str) -> String {
        let forms = self.forms();
        let mut safe = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = forms.iter().find_map(|form| end_of(rest, form));
            match end {
                Some(_) => safe.push_str(MARK),
                None => safe.push(first),
            }
            rest = rest.get(end.unwrap_or(first.len_utf8())..).unwrap_or_default();
        }
        safe
    }

    /// The secret as it is, and what of it stands in base64 wherever it begins in the bytes that were encoded.
    fn forms(&self) -> Vec<String> {
        let mut forms = vec![(*self.0).to_owned()];
        for before in 0..3_usize {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(self.0.as_bytes());
            // Six bits a letter: the first letters and the last one may hold bits of what is around the secret.
            let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                let inner = encoded.get(from..to).unwrap_or_default();
                if inner.len() >= PIECE {
                    forms.push(inner.to_owned());
                }
            }
        }
        forms.retain(|form| !form.is_empty());
        forms
    }
}

/// Where a form of a secret ends with which a text begins, or a piece of it with which the text ends.
fn end_of(text: &str, form: &str) -> Option<usize> {
    let mut rest = text;
    for (done, character) in form.chars().enumerate() {
        // No secret begins with what is skipped, so that what stands before one stays.
        let next = if done == 0 { rest } else { seen(rest) };
        if done >= PIECE && (next.is_empty() || next.starts_with('…')) {
            rest = next;
            break;
        }
        rest = next.strip_prefix(character).or_else(|| encoded(next, character))?;
    }
    Some(text.len() - rest.len())
}

/// What follows a percent-encoded character with which a text begins.
fn encoded(text: &str, character: char) -> Option<&str> {
    character.encode_utf8(&mut [0; 4]).bytes().try_fold(text, |rest, byte| {
        let rest = rest.strip_prefix('%')?;
        let found = u8::from_str_radix(rest.get(..2)?, 16).ok()?;
        (found == byte).then(|| rest.get(2..))?
    })
}

/// The text from where somebody sees it: behind white space, control characters, and both as escapes.
fn seen(text: &str) -> &str {
    let unseen =
        |c: char| c.is_whitespace() || c.is_control() || "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(c);
    let mut rest = text.trim_start_matches(unseen);
    while let Some((digits, after)) = rest.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')) {
        if digits.len() > 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            break;
        }
        rest = after.trim_start_matches(unseen);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Secret::new("tok-3c1f/9a77+é?x").redacted(text)
    }

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        let secret = Secret::new("tok-3c1f\n");
        assert!(secret.is("tok-3c1f"));
        for other in ["", "tok-3c1", "tok-3c1f ", "TOK-3C1F"] {
            assert!(!secret.is(other), "{other:?}");
        }
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        for echo in [
            "tok-3c1f/9a77+é?x",
            "tok-3c1f%2F9a77%2b%C3%a9%3Fx",
            "%74%6f%6b%2d%33%63%31%66%2f%39%61%37%37%2b%c3%a9%3f%78",
            "tok-3c1f/\n   9a77+é?x",
            "tok-\r\n3c1f/9a77\u{200b}+é?x",
            "tok-3c\\u{a}1f/9a77+\\u{1b}é?x",
        ] {
            assert_eq!(redacted(&format!("<{echo}> {echo}")), "<[token]> [token]", "{echo:?}");
        }
        for other in ["tok-3%", "tok-3c1f/9a77+é", "tok-3c1f%2", "%74", "tok-3c1f/9a77%c3x", "tok-\\u{3c1f/9a77"] {
            assert_eq!(redacted(&format!("{other} and on")), format!("{other} and on"));
        }
        assert_eq!(Secret::new("").redacted("nothing to hide"), "nothing to hide");
    }

    #[test]
    fn a_secret_in_base64_is_found_wherever_it_begins() {
        let secret = Secret::new("a-planted-token>>?~7f3b");
        for before in ["", "u", "us", "user", "user:"] {
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let whole = engine.encode(format!("{before}a-planted-token>>?~7f3b, and more"));
                let shown = secret.redacted(&whole);
                assert!(shown.contains(MARK), "{whole}: {shown}");
                let left = shown.replace(MARK, "");
                assert!(left.len() <= whole.len() - 28, "{whole}: {shown}");
            }
        }
    }

    #[test]
    fn a_piece_at_the_end_of_a_text_is_hidden_too() {
        for text in ["see tok-3c1f/9a", "see tok-3c1", "see tok-3c1f…", "see tok-3c1f%2F…"] {
            assert!(redacted(text).starts_with("see [token]"), "{text}: {}", redacted(text));
        }
        assert_eq!(redacted("see tok"), "see tok");
        assert_eq!(redacted("tok-3c1 and on"), "tok-3c1 and on");
    }
}
