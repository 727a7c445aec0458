//! Destinations in words, as people and portals write them into a spreadsheet: `user 201`, `Groupe : Ventes`, `none`.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::model::{E164, ExtensionNumber, Kind};

/// Where the calls of a number go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The number is unassigned.
    None,
    /// A number outside of the account.
    Outside(E164),
    Object(Spoken),
}

/// An object as a destination names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    /// One of those that numbers lead to.
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) extension: Option<ExtensionNumber>,
    pub(super) email: Option<String>,
}

/// Why a text is not a destination: what is wrong, and the remedy.
pub(super) type Refusal = (String, String);

/// The words for no destination.
const NONE: [&str; 15] = [
    "",
    "none",
    "no",
    "-",
    "–",
    "—",
    "n/a",
    "unassigned",
    "not assigned",
    "aucun",
    "aucune",
    "neant",
    "libre",
    "non attribue",
    "non affecte",
];

/// The words for each kind, without accents and in small letters.
const KINDS: [(Kind, &[&str]); 6] = [
    (Kind::User, &["user", "extension", "ext", "utilisateur", "utilisatrice", "poste"]),
    (
        Kind::RingGroup,
        &["ring group", "group", "hunt group", "groupe", "groupe d'appel", "groupe d'appels", "groupe de sonnerie"],
    ),
    (
        Kind::Receptionist,
        &[
            "receptionist",
            "auto attendant",
            "attendant",
            "ivr",
            "menu",
            "standard",
            "standard automatique",
            "svi",
            "serveur vocal",
        ],
    ),
    (Kind::Conference, &["conference", "conference line", "conference room", "salle de conference"]),
    (
        Kind::Voicemail,
        &["voicemail", "voicemail of", "mailbox", "messagerie", "messagerie de", "boite vocale", "repondeur"],
    ),
    (Kind::External, &["external", "outside", "externe", "exterieur", "mobile"]),
];

/// Reads a destination; `phone` understands the usual spellings of a number.
pub(super) fn parse(text: &str, phone: impl Fn(&str) -> Option<E164>) -> Result<Destination, Refusal> {
    let text = words(text);
    if NONE.contains(&folded(&text).as_str()) {
        return Ok(Destination::None);
    }
    let Some((kind, name)) = kind(&text) else {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        return match phone(&text) {
            Some(number) if digits > 6 => Ok(Destination::Outside(number)),
            _ => Err(without_kind(&text)),
        };
    };
    if kind == Kind::External {
        let refusal = || (format!("`{name}` is not a phone number"), "write `external +33612345678`".to_owned());
        return phone(&name).map(Destination::Outside).ok_or_else(refusal);
    }
    object(kind, &name).map(Destination::Object)
}

fn without_kind(text: &str) -> Refusal {
    let hint = "write `user`, `ring group`, `receptionist`, `conference`, `voicemail` or `external` before it, such as";
    let message = format!("`{text}` does not say what kind of destination it is");
    match text.parse::<ExtensionNumber>() {
        Ok(digits) => (message, format!("{hint} `user {digits}`, or leave the cell empty for none")),
        Err(_) => (message, format!("{hint} `ring group {text}`, or leave the cell empty for none")),
    }
}

/// The object of a kind that the words behind the kind name.
fn object(kind: Kind, name: &str) -> Result<Spoken, Refusal> {
    let mut spoken = Spoken { kind, name: None, extension: None, email: None };
    // `Sales (300)`: a name and an extension number.
    let (name, behind) = match name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) {
        Some((before, digits)) if digits.trim().parse::<ExtensionNumber>().is_ok() => (before.trim(), digits.trim()),
        _ => (name, ""),
    };
    spoken.extension = behind.parse().ok();
    match name {
        "" if matches!(kind, Kind::Receptionist | Kind::Conference) => spoken.name = Some(kind.to_string()),
        "" if spoken.extension.is_some() => {}
        "" => {
            let word = kind.to_string().replace('_', " ");
            return Err((
                format!("which {word} is meant?"),
                format!("write its name or extension number, such as `{word} 201`"),
            ));
        }
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let extension = digits.parse().map_err(|why| {
                (format!("`{digits}`: {why}"), "write the extension number as the portal shows it".to_owned())
            })?;
            spoken.extension = Some(extension);
        }
        email if email.contains('@') && matches!(kind, Kind::User | Kind::Voicemail) => {
            spoken.email = Some(email.to_owned());
        }
        name => spoken.name = Some(name.to_owned()),
    }
    Ok(spoken)
}

/// The kind that a text begins with, and the words behind it.
fn kind(text: &str) -> Option<(Kind, String)> {
    let of = |words: &str| {
        let words = folded(words);
        KINDS.iter().find(|(_, known)| known.contains(&words.as_str())).map(|(kind, _)| *kind)
    };
    if let Some((head, tail)) = text.split_once([':', '/'])
        && let Some(kind) = of(head)
    {
        return Some((kind, tail.trim().to_owned()));
    }
    let all: Vec<&str> = text.split(' ').collect();
    // The longest first: `ring group sales` is not a group called `group sales`.
    (1..=all.len().min(4)).rev().find_map(|count| {
        let (head, tail) = all.split_at_checked(count)?;
        Some((of(&head.join(" "))?, tail.join(" ")))
    })
}

/// The text on one line, with one space between its words.
pub(super) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form in which words are compared: small letters, without accents.
pub(super) fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c)).collect::<String>().to_lowercase();
    words(&plain.replace('_', " ").replace('\u{2019}', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Destination, Refusal> {
        parse(text, |text| text.replace(' ', "").parse().ok())
    }

    fn object(text: &str) -> (Kind, String) {
        match read(text) {
            Ok(Destination::Object(Spoken { kind, name, extension, email })) => {
                let extension = extension.map(|digits| format!("#{digits}"));
                let parts = [name, email, extension].into_iter().flatten().collect::<Vec<_>>();
                (kind, parts.join(" "))
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_destination_is_understood_in_words_of_english_and_french() {
        for (text, kind, name) in [
            ("user 201", Kind::User, "#201"),
            ("Poste 201", Kind::User, "#201"),
            ("utilisateur : Amélie Durand (201)", Kind::User, "Amélie Durand #201"),
            ("user/amelie@example.org", Kind::User, "amelie@example.org"),
            ("ring group Sales", Kind::RingGroup, "Sales"),
            ("ring_group/sales", Kind::RingGroup, "sales"),
            ("Groupe: Ventes", Kind::RingGroup, "Ventes"),
            ("GROUPE D\u{2019}APPELS\u{a0}: Ventes", Kind::RingGroup, "Ventes"),
            ("Group Sales: EMEA", Kind::RingGroup, "Sales: EMEA"),
            ("receptionist main", Kind::Receptionist, "main"),
            ("Standard", Kind::Receptionist, "receptionist"),
            ("Conférence", Kind::Conference, "conference"),
            ("salle de conférence Paris", Kind::Conference, "Paris"),
            ("messagerie 201", Kind::Voicemail, "#201"),
        ] {
            assert_eq!(object(text), (kind, name.to_owned()), "{text}");
        }
        for text in ["", " ", "none", "Aucun", "N/A", "—", "Non attribué"] {
            assert_eq!(read(text), Ok(Destination::None), "{text:?}");
        }
        for text in ["+33 6 12 34 56 78", "external +33612345678", "external/+33612345678", "Mobile: +33612345678"] {
            assert_eq!(read(text), Ok(Destination::Outside("+33612345678".parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_has_a_remedy() {
        for (text, message, hint) in [
            ("Sales", "`Sales` does not say what kind of destination it is", "`ring group Sales`"),
            ("201", "`201` does not say what kind of destination it is", "`user 201`"),
            ("groupe", "which ring group is meant?", "`ring group 201`"),
            ("user 1", "`1`: an extension number has 2 to 8 digits", "as the portal shows it"),
            ("external Sales", "`Sales` is not a phone number", "`external +33612345678`"),
        ] {
            let (found, remedy) = read(text).unwrap_err();
            assert!(found == message && remedy.contains(hint), "{text}: {found} ({remedy})");
        }
    }
}
