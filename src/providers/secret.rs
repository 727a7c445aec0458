//! A token or password.

mod redact;

use sha2::{Digest as _, Sha256};

/// What replaces a secret in a text.
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

    /// The text without this secret and without pieces of it: servers echo tokens in error bodies, escaped, encoded and cut
    /// off; see [`redact`].
    pub(super) fn redacted(&self, text: &str) -> String {
        let mut safe = String::with_capacity(text.len());
        let mut done = 0;
        for found in redact::find(&self.0, text) {
            safe.push_str(text.get(done..found.start).unwrap_or_default());
            safe.push_str(MARK);
            done = found.end;
        }
        safe.push_str(text.get(done..).unwrap_or_default());
        safe
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

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
        for other in ["tok-3%", "tok-3c1f/9a", "tok-3c1f%2", "%74", "tok-3c1f/%c3x", "tok-\\u{3c1f/9a77"] {
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

    #[test]
    fn a_piece_is_hidden_where_a_text_was_cut_or_if_it_is_most_of_the_secret() {
        for text in [
            "3c1f/9a77+é?x is wrong",
            "…f/9a77+é?x is wrong",
            "tok-3c1f/9a77+ is wrong",
            "1f/9a7",
            "…1f/9a7…",
            "...1f/9a7...",
        ] {
            let shown = redacted(text);
            assert!(shown.contains(MARK) && !shown.contains("9a7"), "{text}: {shown}");
        }
        assert_eq!(redacted("the 3c1f/9a7 of it"), "the 3c1f/9a7 of it");
        assert_eq!(redacted("…a77 and 9a77+"), "…a77 and 9a77+");
    }

    /// Ways in which a server may write a character.
    fn written(c: char, way: usize) -> String {
        let bytes = |each: fn(u8) -> String| c.encode_utf8(&mut [0; 4]).bytes().map(each).collect::<String>();
        let units =
            || c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |all, unit| all + &format!("\\u{unit:04X}"));
        let code = u32::from(c);
        match way % 12 {
            0 => c.to_string(),
            1 => c.to_uppercase().to_string(),
            2 => bytes(|byte| format!("%{byte:02x}")),
            3 => bytes(|byte| format!("%{byte:02X}")),
            4 => bytes(|byte| format!("%25{byte:02X}")),
            5 => format!("&#{code};"),
            6 => format!("&#x{code:X};"),
            7 => format!("&amp;#{code};"),
            8 => units(),
            9 => format!("\\{}", units()),
            10 => format!("{c}\r\n "),
            _ if code < 0x80 => format!("\\x{code:02x}"),
            _ => format!("\\u{{{code:x}}}"),
        }
    }

    proptest! {
        #[test]
        fn a_secret_is_hidden_however_each_of_its_characters_is_written(
            token in "[A-Za-z0-9_./+=~é-]{8,40}", ways in prop::collection::vec(0..12_usize, 40), around in "[ <>\"':,]{0,4}",
        ) {
            let echo: String = token.chars().zip(&ways).map(|(c, way)| written(c, *way)).collect();
            let shown = Secret::new(token.clone()).redacted(&format!("{around} {echo} {around}"));
            let rest = shown.replace(MARK, "");
            let rest = rest.trim_matches([' ', '<', '>', '"', '\'', ':', ',']).trim();
            prop_assert_eq!(rest, "", "{} as {}", token, echo);
        }

        #[test]
        fn a_secret_is_hidden_in_hexadecimal(token in "[A-Za-z0-9_./+=~é-]{8,40}", upper: bool, between in "|:|-| |, |0x|\\\\x") {
            let one = |byte: u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            let echo = token.bytes().map(one).collect::<Vec<_>>().join(&between);
            let shown = Secret::new(token.clone()).redacted(&format!("<{echo}>"));
            prop_assert_eq!(shown, "<[token]>", "{} as {}", token, echo);
        }

        #[test]
        fn a_secret_that_is_cut_at_either_end_is_hidden(token in "[A-Za-z0-9_]{16,60}", from in 0..10_usize, to in 0..10_usize) {
            let piece = &token[from..];
            let shown = Secret::new(token.clone()).redacted(&format!("{piece} was refused"));
            prop_assert_eq!(shown, "[token] was refused");
            let piece = &token[..token.len() - to];
            prop_assert_eq!(Secret::new(token.clone()).redacted(&format!("refused: {piece}")), "refused: [token]");
        }

        #[test]
        fn a_text_that_has_nothing_of_the_secret_stays_as_it_is(text in "\\PC{0,80}") {
            prop_assert_eq!(Secret::new("0123456789abcdef0123").redacted(&text), text);
        }
    }
}
