//! A spreadsheet of numbers as an account: the way in for a system without an API.
//!
//! Pure. Each row is a number, where its calls go, and its label. The users, groups and menus that destinations name are
//! objects of the account; nothing else is known about them, so ring groups have no members and stay unmanaged. All errors
//! are reported, each with its row, its column and its remedy.

use std::collections::HashMap;
use std::fmt;

use crate::model::{
    AccountInfo, Capabilities, E164, Kind, LiveAccount, LiveConference, LiveNumber, LiveReceptionist, LiveRingGroup,
    LiveUser, Name, NameKey, ObjectId, ObjectRef, RingMode,
};
use crate::text::sanitized;

use super::columns::{self, Column};
use super::destination::{self, Destination, Spoken, words};

/// The most errors that are reported.
const MOST: usize = 20;

/// What is wrong in a spreadsheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetError {
    /// From 1, as a spreadsheet shows it.
    pub row: usize,
    /// The column's letters and its name.
    pub column: Option<String>,
    pub message: String,
    pub hint: String,
}

impl SheetError {
    pub(super) fn new(row: usize, column: Option<&Column>, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        let column = column.map(|column| format!("{} (`{}`)", letters(column.at), sanitized(&column.name, 40)));
        Self { row, column, message: sanitized(message.as_ref(), 300), hint: sanitized(hint.as_ref(), 300) }
    }
}

impl fmt::Display for SheetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, column, message, hint } = self;
        write!(f, "row {row}")?;
        if let Some(column) = column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {message} ({hint})")
    }
}

/// What a spreadsheet calls a column: `A` to `Z`, then `AA`.
fn letters(mut at: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'A' + u8::try_from(at % 26).unwrap_or_default()));
        if at < 26 {
            return letters;
        }
        at = at / 26 - 1;
    }
}

/// The account that a spreadsheet describes. `phone` understands the usual spellings of a number.
pub fn account(text: &str, name: &str, phone: impl Fn(&str) -> Option<E164>) -> Result<LiveAccount, Vec<SheetError>> {
    let (columns, records) = columns::read(text).map_err(|error| vec![error])?;
    let mut objects = Objects::default();
    let mut numbers: Vec<LiveNumber> = Vec::new();
    let mut rows: HashMap<E164, usize> = HashMap::new();
    let mut errors = Vec::new();
    for record in &records {
        let cell = |column: &Column| record.fields.get(column.at).map_or("", String::as_str);
        let number = read_number(record.row, &columns.number, cell(&columns.number), &phone).and_then(|number| {
            match rows.insert(number, record.row) {
                None => Ok(number),
                Some(first) => {
                    let message = format!("{number} is in row {first} already");
                    Err(SheetError::new(record.row, Some(&columns.number), message, "keep one of the two rows"))
                }
            }
        });
        let at_destination = |(message, hint): destination::Refusal| {
            SheetError::new(record.row, Some(&columns.destination), message, hint)
        };
        let to = destination::parse(cell(&columns.destination), &phone)
            .and_then(|destination| objects.reference(destination, record.row))
            .map_err(at_destination);
        let label = columns.label.as_ref().map_or_else(String::new, |column| words(cell(column)));
        match (number, to) {
            (Ok(number), Ok(to)) => numbers.push(LiveNumber {
                id: ObjectId(number.to_string().into()),
                number,
                to,
                label: label.into(),
                emergency_callback: false,
                revision: None,
                document: None,
            }),
            (number, to) => errors.extend([number.err(), to.err()].into_iter().flatten()),
        }
    }
    if records.is_empty() {
        errors.push(SheetError::new(1, None, "there are no rows below the names", "write a row for each number"));
    }
    if !errors.is_empty() {
        let more = errors.len().saturating_sub(MOST);
        errors.truncate(MOST);
        if let (Some(last), true) = (errors.last_mut(), more > 0) {
            last.hint = format!("{}; {more} more errors follow", last.hint);
        }
        return Err(errors);
    }
    let account = AccountInfo { id: name.into(), name: name.into(), ..AccountInfo::default() };
    Ok(LiveAccount { account, capabilities: Capabilities::of_snapshot(), numbers, ..objects.account() })
}

fn read_number(
    row: usize,
    column: &Column,
    cell: &str,
    phone: impl Fn(&str) -> Option<E164>,
) -> Result<E164, SheetError> {
    // Spreadsheets keep digits as text behind an apostrophe, or in a formula.
    let text = words(cell);
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
    let text = text.strip_prefix('\'').unwrap_or(text);
    let refuse = |message: String, hint: &str| Err(SheetError::new(row, Some(column), message, hint));
    if text.is_empty() {
        return refuse("the number is missing".to_owned(), "write the number, or remove the row");
    }
    if let Some(number) = phone(text) {
        return Ok(number);
    }
    let is_shortened =
        text.contains(['E', 'e']) && text.chars().all(|c| c.is_ascii_digit() || ".,+eE".contains(c)) && text.len() > 3;
    if is_shortened {
        let hint = "format the column as text in the spreadsheet, and write the number again";
        return refuse(format!("`{text}` has lost digits of the number"), hint);
    }
    let hint =
        "write it with `+` and the country code, such as `+33142685300`, or pass `--country` for national numbers";
    refuse(format!("`{text}` is not a phone number"), hint)
}

/// An object that destinations name.
struct Object {
    spoken: Spoken,
    /// Where it was named first.
    row: usize,
}

/// The objects that destinations name, each once.
#[derive(Default)]
struct Objects {
    all: Vec<Object>,
    /// Positions by kind and name, address or extension number.
    known: HashMap<(Kind, String), usize>,
}

impl Objects {
    fn reference(&mut self, destination: Destination, row: usize) -> Result<Option<ObjectRef>, destination::Refusal> {
        let spoken = match destination {
            Destination::None => return Ok(None),
            Destination::Outside(number) => {
                return Ok(Some(ObjectRef { kind: Kind::External, id: ObjectId(number.to_string().into()) }));
            }
            Destination::Object(spoken) => spoken,
        };
        let kind = spoken.kind;
        // A mailbox is that of a user.
        let owner = if kind == Kind::Voicemail { Kind::User } else { kind };
        if let Some(name) = spoken.name.as_deref().or(spoken.email.as_deref())
            && let Err(why) = name.parse::<Name>()
        {
            return Err((format!("`{name}`: {why}"), "write a shorter name".to_owned()));
        }
        let at = self.find_or_add(owner, Spoken { kind: owner, ..spoken }, row)?;
        Ok(Some(ObjectRef { kind, id: id(kind, at) }))
    }

    /// The position of the object, which is new unless its name or its extension number is known.
    fn find_or_add(&mut self, kind: Kind, spoken: Spoken, row: usize) -> Result<usize, destination::Refusal> {
        let name = spoken.name.as_ref().or(spoken.email.as_ref());
        let by_name = name.map(|name| (kind, NameKey::of(name).as_str().to_owned()));
        let by_extension = spoken.extension.as_ref().map(|digits| (kind, format!("#{digits}")));
        let at = |key: &Option<(Kind, String)>| key.as_ref().and_then(|key| self.known.get(key)).copied();
        let position = match (at(&by_name), at(&by_extension)) {
            (Some(one), Some(other)) if one != other => return Err(self.conflict(&spoken, other)),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => {
                self.all.push(Object { spoken: spoken.clone(), row });
                self.all.len() - 1
            }
        };
        let known = self.all.get_mut(position).map(|object| &mut object.spoken);
        if let Some(known) = known {
            let differs = |known: &Option<String>, own: &Option<String>| matches!((known, own), (Some(known), Some(own)) if NameKey::of(known) != NameKey::of(own));
            let other_digits =
                matches!((&known.extension, &spoken.extension), (Some(one), Some(other)) if one != other);
            if differs(&known.name, &spoken.name) || differs(&known.email, &spoken.email) || other_digits {
                return Err(self.conflict(&spoken, position));
            }
            known.name = known.name.take().or(spoken.name);
            known.email = known.email.take().or(spoken.email);
            known.extension = known.extension.take().or(spoken.extension);
        }
        for key in [by_name, by_extension].into_iter().flatten() {
            self.known.insert(key, position);
        }
        Ok(position)
    }

    fn conflict(&self, spoken: &Spoken, position: usize) -> destination::Refusal {
        let row = self.all.get(position).map_or(0, |object| object.row);
        let name = spoken.name.as_deref().or(spoken.email.as_deref()).unwrap_or_default();
        let digits = spoken.extension.as_ref().map(|digits| format!(" ({digits})")).unwrap_or_default();
        let message = format!("`{name}{digits}` contradicts row {row}, which has another name or extension number");
        (message, "correct one of the two rows".to_owned())
    }

    /// The account that has them.
    fn account(self) -> LiveAccount {
        let mut live = LiveAccount::default();
        for (at, Object { spoken, .. }) in self.all.into_iter().enumerate() {
            let Spoken { kind, name, extension, email } = spoken;
            let named = name.clone().or_else(|| email.clone()).unwrap_or_else(|| {
                let digits = extension.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{} {digits}", kind.to_string().replace('_', " "))
            });
            let id = id(kind, at);
            match kind {
                Kind::User => live.users.push(LiveUser {
                    voicemail: Some(self::id(Kind::Voicemail, at)),
                    id,
                    name: named.into(),
                    email: email.map(Into::into),
                    extension,
                    always_forwarded: false,
                }),
                Kind::RingGroup => live.ring_groups.extend(named.parse().ok().map(|name| LiveRingGroup {
                    id,
                    name,
                    extension,
                    ring: RingMode::default(),
                    members: Vec::new(),
                    ring_for: Some(Capabilities::of_snapshot().ring_for_default),
                    no_answer: None,
                    revision: None,
                    document: None,
                })),
                Kind::Receptionist => {
                    live.receptionists.push(LiveReceptionist { id, name: named.into(), extension, keys: Vec::new() });
                }
                Kind::Conference => live.conferences.push(LiveConference { id, name: named.into(), extension }),
                _ => {}
            }
        }
        live
    }
}

fn id(kind: Kind, at: usize) -> ObjectId {
    ObjectId(format!("{kind}/{at}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::snapshot::{Format, parse, write};

    fn phone(text: &str) -> Option<E164> {
        let digits = text.replace([' ', '.'], "");
        digits.strip_prefix('0').map_or(digits.clone(), |national| format!("+33{national}")).parse().ok()
    }

    /// Each number with its destination and label, after the way through the snapshot.
    fn numbers(text: &str) -> Vec<String> {
        let live = account(text, "office", phone).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let snapshot = write(&live);
        let live = parse(&snapshot, Format::Yaml).unwrap_or_else(|error| panic!("{error}\n{snapshot}"));
        let shown = |number: &LiveNumber| {
            let to = number.to.as_ref().map_or("none", |to| &to.id.0);
            format!("{} {to} {}", number.number, number.label)
        };
        live.numbers.iter().map(shown).collect()
    }

    fn errors(text: &str) -> Vec<String> {
        account(text, "office", phone).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_found_by_name_in_two_languages_and_with_three_delimiters() {
        let wanted = ["+33142685300 ring_group/Ventes Accueil", "+33142685301 none "];
        for text in [
            "number,destination,label\n+33142685300,ring group Ventes,Accueil\n01 42 68 53 01,,\n",
            "\u{feff}Numéro de téléphone;Renvoi;Libellé\r\n01.42.68.53.00;Groupe: Ventes;Accueil\r\n0142685301;Aucun;\r\n",
            "Label\tSite\tPhone Number\tTo\nAccueil\tParis\t+33142685300\tgroup Ventes\n\tParis\t+33142685301\n",
            "sep=;\nNUMERO;VERS;NOM\n'0142685300;groupe Ventes;\"Accueil\"\n=\"0142685301\";-;\n",
            "Étiquette,Numéro :,Destination\n\"Accueil\n\",0142685300,\"Groupe\n Ventes\"\n,0142685301,none",
        ] {
            assert_eq!(numbers(text), wanted, "{text}");
        }
    }

    #[test]
    fn an_object_that_several_rows_name_is_one() {
        let text = "number,to\n+33142685300,user 201\n+33142685301,User Amélie Durand (201)\n\
                    +33142685302,poste amélie durand\n+33142685303,voicemail 201\n+33142685304,user a@b.example\n\
                    +33142685305,+33612345678\n";
        let to: Vec<String> =
            numbers(text).iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
        let user = "user/Amélie Durand ";
        let mailbox = "voicemail/Amélie Durand ";
        assert_eq!(to, [user, user, user, mailbox, "user/a@b.example ", "+33612345678 "]);
    }

    #[test]
    fn every_error_has_its_row_its_column_and_its_remedy() {
        let text = "Site;Numéro;Renvoi;Nom\nParis;01 42;user 201;a\n\nParis;0142685301;Ventes;b\nParis;;;c\n\
                    Paris;0142685302;user Anna (202);\nParis;0142685303;user Ben (202);\nParis;0142685302;;\n\
                    Paris;3,31427E+10;;\n";
        assert_eq!(
            errors(text),
            [
                "row 2, column B (`Numéro`): `01 42` is not a phone number (write it with `+` and the country code, such as `+33142685300`, or pass `--country` for national numbers)",
                "row 4, column C (`Renvoi`): `Ventes` does not say what kind of destination it is (write `user`, `ring group`, `receptionist`, `conference`, `voicemail` or `external` before it, such as `ring group Ventes`, or leave the cell empty for none)",
                "row 5, column B (`Numéro`): the number is missing (write the number, or remove the row)",
                "row 7, column C (`Renvoi`): `Ben (202)` contradicts row 6, which has another name or extension number (correct one of the two rows)",
                "row 8, column B (`Numéro`): +33142685302 is in row 6 already (keep one of the two rows)",
                "row 9, column B (`Numéro`): `3,31427E+10` has lost digits of the number (format the column as text in the spreadsheet, and write the number again)",
            ]
        );
    }

    #[test]
    fn a_spreadsheet_without_its_columns_or_rows_is_an_error() {
        for (text, wanted) in [
            ("", "row 1: the spreadsheet is empty (write a row with the names"),
            ("number,to\n", "row 1: there are no rows below the names (write a row for each number)"),
            ("a,b\n1,2\n", "row 1: no column holds the number: the columns are `a`, `b` (call it `number`,"),
            (
                "\nnumber\n1\n",
                "row 2: no column holds the destination: the columns are `number` (call it `destination`,",
            ),
            (
                "number,phone,to\n",
                "row 1, column B (`phone`): columns `number` and `phone` could both be meant (remove",
            ),
            ("number,to\n\"1,2\n", "row 2: a field begins with a quote that is never closed (write"),
            ("number;to\n\"1\"2;3\n", "row 2: there is text behind the closing quote of a field (write `;` behind"),
        ] {
            let errors = errors(text);
            assert!(errors[0].starts_with(wanted), "{text:?}: {errors:?}");
        }
        let many = format!("number,to\n{}", "x,\n".repeat(50));
        let errors = errors(&many);
        assert!(errors.len() == 20 && errors[19].contains("30 more errors follow"), "{errors:?}");
    }

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
