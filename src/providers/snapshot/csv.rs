//! Comma-separated values (RFC 4180), with `;` or a tab where a spreadsheet writes that.
//!
//! Pure. A quoted field may have delimiters, line breaks and doubled quotes in it.

/// One row that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The row that a spreadsheet shows it in, from 1.
    pub(super) row: usize,
    pub(super) fields: Vec<String>,
}

/// Why a text cannot be divided into rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvError {
    /// A quote is opened in this row and never closed.
    Unclosed { row: usize },
    /// There is text behind a closed quote in this row.
    BehindQuote { row: usize },
}

/// The rows of a text.
pub(super) fn records(text: &str, delimiter: char) -> Result<Vec<Record>, CsvError> {
    let mut records = Vec::new();
    let mut rest = text;
    let mut row = 1;
    while !rest.is_empty() {
        let (fields, after) = record(rest, delimiter, row)?;
        if fields.iter().any(|field| !field.trim().is_empty()) {
            records.push(Record { row, fields });
        }
        rest = after;
        row += 1;
    }
    Ok(records)
}

/// The fields of the first row, and what follows the row.
fn record(text: &str, delimiter: char, row: usize) -> Result<(Vec<String>, &str), CsvError> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_field(quoted).ok_or(CsvError::Unclosed { row })?
        } else {
            let (field, after) = rest.split_at(rest.find([delimiter, '\n', '\r']).unwrap_or(rest.len()));
            (field.to_owned(), after)
        };
        fields.push(field);
        if let Some(next) = after.strip_prefix(delimiter) {
            rest = next;
            continue;
        }
        let ends = ["\r\n", "\n", "\r"];
        return match ends.iter().find_map(|end| after.strip_prefix(end)) {
            Some(next) => Ok((fields, next)),
            None if after.is_empty() => Ok((fields, after)),
            None => Err(CsvError::BehindQuote { row }),
        };
    }
}

/// The text up to the closing quote, and what follows that.
fn quoted_field(mut text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    loop {
        let (before, after) = text.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(rest) => {
                field.push('"');
                text = rest;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, delimiter: char) -> Vec<(usize, Vec<String>)> {
        records(text, delimiter).unwrap().into_iter().map(|record| (record.row, record.fields)).collect()
    }

    #[test]
    fn quotes_hold_delimiters_line_breaks_and_quotes() {
        let found = rows("a,\"b,c\",\"d\r\n\"\"e\"\"\"\r\n\r\n,,\nf,\"\",g", ',');
        let wanted = [(1, vec!["a", "b,c", "d\r\n\"e\""]), (4, vec!["f", "", "g"])];
        assert_eq!(found, wanted.map(|(row, fields)| (row, fields.into_iter().map(str::to_owned).collect())));
    }

    #[test]
    fn every_line_end_ends_a_row() {
        for end in ["\n", "\r\n", "\r"] {
            let found = rows(&["a;b", "c;d", ""].join(end), ';');
            assert_eq!(found.iter().map(|(row, fields)| (*row, fields.len())).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
        }
    }

    #[test]
    fn a_quote_that_does_not_end_its_field_is_an_error_with_its_row() {
        assert_eq!(records("a\n\"b\nc\n", ','), Err(CsvError::Unclosed { row: 2 }));
        assert_eq!(records("a\n\"b\"c\n", ','), Err(CsvError::BehindQuote { row: 2 }));
        assert_eq!(rows("a\"b\"\n", ',')[0].1, ["a\"b\""]);
    }
}
