//! Untrusted text: quoted for YAML, or made safe to show.
//!
//! Names, labels and error bodies come from an account or a file, so they are untrusted. [`sanitized`] keeps them
//! on one line and away from the control of a terminal or a CI runner; [`path`] does so where they begin a line;
//! [`yaml`] and [`json`] make every string read back exactly. [`is_loopback_host`] decides what may be sent
//! unencrypted.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use sha2::Digest as _;

/// The words that a YAML reader may parse as another type than text, in any case: YAML 1.1 has the long list.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// Bytes in hexadecimal, lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file name for the account of this name, without a suffix. A name with other characters than a file name needs gets
/// a hash, so that two names never share a file.
pub fn file_stem(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.chars().all(plain) && !name.starts_with('.') && name.len() <= 100 {
        return name.to_owned();
    }
    let slug: String = name.chars().map(|character| if plain(character) { character } else { '-' }).take(64).collect();
    let digest = sha2::Sha256::digest(name.as_bytes());
    format!("{}-{}", slug.trim_start_matches('.'), hex(digest.get(..5).unwrap_or_default()))
}

/// A YAML scalar that reads back as exactly this text: plain where no reader can misread it, else in double quotes.
///
/// No reader and no version of YAML may see anything but a string, so whatever does not start with a letter is
/// quoted: numbers, `+33…`, `~`, dates.
pub fn yaml(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

fn is_plain(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '+'))
        && !text.contains("  ")
        // Some readers parse a lone dash as the start of a list.
        && !text.ends_with(" -")
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The text in double quotes, as YAML reads it; what cannot be printed is escaped.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_unsafe(c) || starts_command(before, c) => {
                let code = u32::from(c);
                let _ = if code > 0xffff { write!(quoted, "\\U{code:08x}") } else { write!(quoted, "\\u{code:04x}") };
            }
            c => quoted.push(c),
        }
        before = c;
    }
    quoted.push('"');
    quoted
}

/// JSON text that means the same and can be printed anywhere: what a terminal, a page or a CI runner would obey is
/// escaped. None of it can stand outside of a JSON string.
pub fn json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let (mut before, mut units) = (' ', [0; 2]);
    for c in json.chars() {
        if c != '\n' && is_unsafe(c) || starts_command(before, c) {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
        before = c;
    }
    safe
}

/// The text on one line, with everything escaped that could move the cursor, start a line, turn the writing
/// direction, hide, or give a CI runner an order in the midst of a line.
///
/// It is cut at `most` characters, with `…` if there is more. An escape counts as its written form, and is
/// written whole: text from outside must not decide how long a sentence gets.
pub fn sanitized(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let (mut before, mut room) = (' ', most);
    for c in text.trim().chars() {
        let escape = (is_unsafe(c) || starts_command(before, c)).then(|| c.escape_unicode());
        let Some(left) = room.checked_sub(escape.as_ref().map_or(1, ExactSizeIterator::len)) else {
            shown.push('…');
            break;
        };
        match escape {
            Some(escape) => shown.extend(escape),
            None => shown.push(c),
        }
        (before, room) = (c, left);
    }
    shown
}

/// A file's path as [`sanitized`], also where it begins a line: a runner takes a line that begins with `::` for an
/// order to it, and `:` is half of that before a line's number. A path that begins so is relative, and the same with
/// `./` before it.
pub fn path(path: &str, most: usize) -> String {
    let shown = sanitized(path, most);
    if shown.starts_with(':') { format!("./{shown}") } else { shown }
}

/// The line, from 1, on which brackets nest deeper than this in a YAML text.
///
/// libyaml takes time in the square of the nesting: half a minute for a hundred kilobytes of `[`. So a text is
/// looked through before it is parsed. Quotes and comments are recognised where a token can start; what is
/// miscounted beyond that costs time, or refuses unusual texts.
pub fn nests_deeper(text: &str, most: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut line, mut at, mut before) = (0_usize, 1, 0, b'\n');
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        let starts = matches!(before, b'\n' | b'[' | b'{' | b',' | b':' | b'-' | b'?');
        match byte {
            b' ' | b'\t' | b'\r' => continue,
            b'\n' => line += 1,
            b'[' | b'{' if starts => {
                depth += 1;
                if depth > most {
                    return Some(line);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' if matches!(bytes.get(at.wrapping_sub(2)), None | Some(b' ' | b'\t' | b'\n')) => {
                at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
                continue;
            }
            b'"' | b'\'' if starts => {
                let start = at;
                while let Some(&inside) = bytes.get(at) {
                    at += if inside == b'\\' && byte == b'"' { 2 } else { 1 };
                    if inside == byte {
                        break;
                    }
                }
                let inside = bytes.get(start..at).unwrap_or_default();
                line += inside.iter().map(|byte| usize::from(*byte == b'\n')).sum::<usize>();
            }
            _ => {}
        }
        // A bracket inside a plain text opens nothing, also not for the bracket behind it.
        before = if matches!(byte, b'[' | b'{') && !starts { b'a' } else { byte };
    }
    None
}

/// The character with which this text without quotes begins, if none may begin so in YAML.
///
/// The parser takes `|` and `>` inside of brackets for text, and hands `{ label: |` over as the text `|` and whatever
/// follows; other readers refuse it. So its plain texts are checked again.
pub fn forbidden_plain_start(text: &str) -> Option<char> {
    let first = text.chars().next()?;
    let alone = matches!(text, "-" | "?" | ":");
    (alone || ",[]{}#&*!|>'\"%@`".contains(first)).then_some(first)
}

/// Control characters, line and paragraph separators, bidirectional controls, invisible characters, and
/// what YAML cannot hold.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Whether this character makes `##` of the one before. Runners look for their older commands, `##[group]` and
/// `##vso[…]`, anywhere in a line.
pub fn starts_command(before: char, c: char) -> bool {
    before == '#' && c == '#'
}

/// Whether the host of an address, an IPv6 one with or without brackets, is this machine: only there a token may
/// travel unencrypted, and no proxy is asked.
///
/// `localhost` counts, though a resolver may be set up to lead elsewhere: the HTTP client does not ask one for it.
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_yaml_could_misread_is_quoted() {
        for text in
            ["no", "NULL", "300", "+33142685300", "a: b", "a #b", " x", "x ", "", "~", "1e5", "-", "*a", "a,b", "a -"]
        {
            assert!(yaml(text).starts_with('"'), "{text:?}");
        }
        for text in ["accueil", "Amélie Durand", "user/amelie@example.org", "salle-1"] {
            assert_eq!(yaml(text), text);
        }
    }

    #[test]
    fn what_is_shown_stays_on_its_line() {
        assert_eq!(sanitized("a\u{1b}[2J\nb\u{202e}", 24), "a\\u{1b}[2J\\u{a}b\\u{202e}");
        assert_eq!(sanitized("a\u{1b}[2J\nb\u{202e}", 23), "a\\u{1b}[2J\\u{a}b…");
        assert_eq!(sanitized("abcdef", 3), "abc…");
        assert_eq!(sanitized("abc", 3), "abc");
    }

    #[test]
    fn what_is_shown_gives_a_runner_no_orders() {
        assert_eq!(sanitized("a ##[error]b", 20), "a #\\u{23}[error]b");
        assert_eq!(path(" ::error::b.yaml", 20), "./::error::b.yaml");
        assert_eq!(path(":", 20), "./:");
        assert_eq!(path("a::b.yaml", 20), "a::b.yaml");
    }

    #[test]
    fn json_means_the_same_and_can_be_printed() {
        let text = "##[group]\u{202e}\u{7f}\u{e0041}";
        let safe = json(&format!("[\n\"{text}\"\n]"));
        assert_eq!(safe, "[\n\"#\\u0023[group]\\u202e\\u007f\\udb40\\udc41\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }

    #[test]
    fn only_brackets_that_open_something_nest() {
        assert_eq!(nests_deeper(&"[".repeat(100), 99), Some(1));
        assert_eq!(nests_deeper(&format!("a: 1\nb: {}", "{a: ".repeat(100)), 99), Some(2));
        assert_eq!(nests_deeper(&"- [a, {b: c}]\n".repeat(100), 2), None);
        assert_eq!(nests_deeper(&"- \"[\\\"[[\"\n- '[[''[['\n- a[[ # [[[\n".repeat(100), 2), None);
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", "0.0.0.0", "[::]", "192.0.2.1", "localhost.example.org", "127.0.0.1.example.org", "[::1"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back_from_yaml(text in any::<String>()) {
            let read: String = serde_yaml::from_str(&yaml(&text)).unwrap();
            prop_assert_eq!(read, text);
        }

        #[test]
        fn every_text_reads_back_as_a_key(text in "[\\PC \\u{0}-\\u{20}]{0,120}") {
            let read: std::collections::BTreeMap<String, u8> =
                serde_yaml::from_str(&format!("{}: 2\n", yaml(&text))).unwrap();
            prop_assert!(read.contains_key(&text));
        }
    }
}
