//! How findings look.

use std::path::PathBuf;

use strowger::diag::{Diagnostic, Rule, Source, Sources};
use strowger::model::{FileId, Span};
use strowger::render::diagnostics::{Style, human, json, plain};

fn span(line: u32, column: u32, length: u32) -> Span {
    Span { file: FileId(0), line, column, length }
}

fn sources(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.push(Source::unread("account.yaml", PathBuf::from("account.yaml")).with_text(text.into()));
    sources
}

#[test]
fn people_see_the_line_the_place_and_the_remedy() {
    let sources = sources("numbers:\n  \"+33142685300\": { to: a }\n  \"+33142685300\": { to: b }\n");
    let finding = Diagnostic::new(Rule::DUPLICATE_NUMBER, Some(span(3, 3, 14)), "+33142685300 is given twice")
        .related(span(2, 3, 14), "here as well")
        .hint("keep one of the two");
    insta::assert_snapshot!(human(std::slice::from_ref(&finding), &sources, Style::default()), @r##"
    error[duplicate-number]: +33142685300 is given twice
     --> account.yaml:3:3
      |
    3 |   "+33142685300": { to: b }
      |   ^^^^^^^^^^^^^^
      |
     ::: account.yaml:2:3
      |
    2 |   "+33142685300": { to: a }
      |   -------------- here as well
      |
      = help: keep one of the two

    1 error in 1 file
    "##);
    insta::assert_snapshot!(plain(&[finding], &sources), @r##"
    account.yaml:3:3: error[duplicate-number]: +33142685300 is given twice; account.yaml:2:3: here as well (keep one of the two)
    1 error in 1 file
    "##);
}

#[test]
fn programs_get_every_part() {
    let finding = Diagnostic::new(Rule::NOT_E164, Some(span(1, 1, 1)), "x").related(span(2, 3, 1), "y").hint("z");
    insta::assert_snapshot!(format!("{:#}", json(&[finding], &sources(""))), @r##"
    [
      {
        "column": 1,
        "file": "account.yaml",
        "hint": "z",
        "line": 1,
        "message": "x",
        "related": [
          {
            "column": 3,
            "file": "account.yaml",
            "line": 2,
            "message": "y"
          }
        ],
        "rule": "not-e164",
        "severity": "error"
      }
    ]
    "##);
}

#[test]
fn text_of_a_file_gives_the_terminal_no_orders() {
    let sources = sources("a: \u{202e}\u{9b}31m\n");
    let finding = Diagnostic::new(Rule::WRONG_VALUE, Some(span(1, 4, 2)), "there is no `\u{1b}[31m`").hint("\u{202e}");
    for text in [human(std::slice::from_ref(&finding), &sources, Style::default()), plain(&[finding], &sources)] {
        assert!(
            !text.chars().any(|character| (character.is_control() && character != '\n') || character == '\u{202e}')
        );
    }
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let sources = sources(&format!("a: [{} x{}]\n", "b, ".repeat(50_000), ", b".repeat(50_000)));
    let finding = Diagnostic::new(Rule::WRONG_VALUE, Some(span(1, 150_006, 1)), "there is no `x`");
    let text = human(&[finding], &sources, Style::default());
    assert!(text.len() < 700, "{} bytes", text.len());
    insta::assert_snapshot!(text, @r"
    error[wrong-value]: there is no `x`
     --> account.yaml:1:150006
      |
    1 | …b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b,  x, b, b, b, b, b, b, b...
      |                                                                        ^

    1 error in 1 file
    ");
}

#[test]
fn many_findings_on_one_long_line_are_shown_a_hundred_times_and_then_listed() {
    let count = 3_000;
    let sources = sources(&"{ too: none }, ".repeat(count as usize));
    let findings: Vec<_> = (0..count)
        .map(|at| Diagnostic::new(Rule::UNKNOWN_FIELD, Some(span(1, at * 15 + 3, 3)), "there is no field `too`"))
        .collect();
    let text = human(&findings, &sources, Style::default());
    assert_eq!(text.matches("error[unknown-field]").count(), count as usize);
    assert_eq!(text.matches("^^^").count(), 100);
    assert!(text.len() < 100 * 700 + 100 * count as usize, "{} bytes", text.len());
    assert!(
        text.contains(
            "\naccount.yaml:1:44988: error[unknown-field]: there is no field `too`\n\n3000 errors in 1 file\n"
        )
    );
}
