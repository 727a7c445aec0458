//! The exit codes, which are the same in the code and in the documentation.

use std::fs;

use strowger::exit::Exit;

const ALL: [Exit; 8] =
    [Exit::Ok, Exit::Failure, Exit::Pending, Exit::Invalid, Exit::Blocked, Exit::Stale, Exit::Partial, Exit::Usage];

/// The rows of the first Markdown table in a text.
fn table(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.trim_start_matches("//!").trim())
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_page_has_the_table_of_the_code() {
    let code = table(&fs::read_to_string("src/exit.rs").unwrap());
    let page = table(&fs::read_to_string("docs/exit-codes.md").unwrap());
    assert_eq!(page, code, "copy the table of src/exit.rs to docs/exit-codes.md");
}

#[test]
fn the_table_has_every_code() {
    let table = table(&fs::read_to_string("src/exit.rs").unwrap());
    let rows: Vec<String> =
        table.iter().skip(2).map(|row| row.split('|').take(3).collect::<Vec<_>>().join("|")).collect();
    let codes: Vec<String> = ALL.iter().map(|exit| format!("| {} | `{exit:?}` ", exit.code())).collect();
    assert_eq!(rows, codes);
}
