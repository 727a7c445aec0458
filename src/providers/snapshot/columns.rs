//! Which columns of a spreadsheet hold the number, the destination and the label: found by their names, in English or
//! French.

use super::csv::{self, CsvError, Record};
use super::destination::{folded, words};
use super::spreadsheet::SheetError;

/// A column by its position, from 0, and its name as the spreadsheet has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) at: usize,
    pub(super) name: String,
}

/// The columns that are read.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) number: Column,
    pub(super) destination: Column,
    pub(super) label: Option<Column>,
}

const NUMBER: &[&str] = &[
    "number",
    "phone number",
    "telephone number",
    "phone",
    "telephone",
    "did",
    "line",
    "numero",
    "numero de telephone",
    "numero de ligne",
    "n°",
    "ligne",
    "tel",
    "tel.",
    "sda",
];
const DESTINATION: &[&str] = &[
    "destination",
    "to",
    "goes to",
    "routed to",
    "routing",
    "forward to",
    "forwarded to",
    "assigned to",
    "renvoi",
    "renvoi vers",
    "renvoye vers",
    "vers",
    "routage",
    "affectation",
    "affecte a",
    "attribue a",
];
const LABEL: &[&str] = &["label", "name", "description", "libelle", "etiquette", "nom", "intitule"];

/// The delimiters that spreadsheets write.
const DELIMITERS: [char; 3] = [';', ',', '\t'];

/// The rows below the names of the columns, and which columns are which.
pub(super) fn read(text: &str) -> Result<(Columns, Vec<Record>), SheetError> {
    // Some editors put a byte order mark in front, and some spreadsheets a line that names the delimiter.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let named = first.strip_prefix("sep=").and_then(|named| named.chars().next());
    let delimiter = named.unwrap_or_else(|| delimiter(first));
    let mut records = csv::records(text, delimiter).map_err(|error| broken(error, delimiter))?;
    if named.is_some() && !records.is_empty() {
        records.remove(0);
    }
    if records.is_empty() {
        let hint = "write a row with the names `number`, `destination` and `label`, and a row for each number below it";
        return Err(SheetError::new(1, None, "the spreadsheet is empty", hint));
    }
    let header = records.remove(0);
    Ok((columns(&header)?, records))
}

/// The delimiter that divides the names of the columns into the most fields.
fn delimiter(header: &str) -> char {
    let count = |delimiter: &char| header.matches(*delimiter).count();
    let [first, others @ ..] = DELIMITERS;
    others.into_iter().fold(first, |best, other| if count(&other) > count(&best) { other } else { best })
}

fn broken(error: CsvError, delimiter: char) -> SheetError {
    match error {
        CsvError::Unclosed { row } => {
            let hint = "write `\"` at its end, or `\"\"` for a quote in the text";
            SheetError::new(row, None, "a field begins with a quote that is never closed", hint)
        }
        CsvError::BehindQuote { row } => {
            let delimiter = if delimiter == '\t' { "a tab".to_owned() } else { format!("`{delimiter}`") };
            let hint = format!("write {delimiter} behind the quote, or `\"\"` for a quote in the text");
            SheetError::new(row, None, "there is text behind the closing quote of a field", hint)
        }
    }
}

fn columns(header: &Record) -> Result<Columns, SheetError> {
    let find = |known: &[&str]| {
        let mut found = header.fields.iter().enumerate().filter(|(_, name)| {
            let name = folded(name);
            known.contains(&name.trim_end_matches([':', ' ']))
        });
        let column = |(at, name): (usize, &String)| Column { at, name: words(name) };
        match (found.next().map(column), found.next().map(column)) {
            (Some(first), Some(second)) => {
                let message = format!("columns `{}` and `{}` could both be meant", first.name, second.name);
                Err(SheetError::new(header.row, Some(&second), message, "remove one of the two columns, or rename it"))
            }
            (found, _) => Ok(found),
        }
    };
    let missing = |what: &str, names: &str| {
        let names_found: Vec<String> = header.fields.iter().map(|name| format!("`{}`", words(name))).collect();
        let message = format!("no column holds the {what}: the columns are {}", names_found.join(", "));
        SheetError::new(header.row, None, message, format!("call it {names}"))
    };
    let number = find(NUMBER)?;
    let destination = find(DESTINATION)?;
    Ok(Columns {
        number: number
            .ok_or_else(|| missing("number", "`number`, `phone number`, `numéro` or `numéro de téléphone`"))?,
        destination: destination.ok_or_else(|| missing("destination", "`destination`, `to`, `renvoi` or `vers`"))?,
        label: find(LABEL)?,
    })
}
