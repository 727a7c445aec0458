//! Names, labels, addresses and paths come from people whom nobody knows. They are shown, and do nothing else.

use proptest::prelude::*;
use proptest::test_runner::Config;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use strowger::providers::snapshot::{Format, parse};
use strowger::render::diagnostics::{self, Style};
use strowger::render::export::{ByFolder, ExportOptions, export};
use strowger::render::json::Report;
use strowger::render::runbook::Language;
use strowger::render::{github, html, human, json, markdown, runbook, sarif};

use super::nasty::{self, MARK, TEXTS};
use super::runner::commands;
use super::sample::{repository, sources};

/// Nothing that moves the cursor, turns the writing direction, or is there and not seen.
#[track_caller]
fn assert_visible(page: &str) {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f)
            || matches!(u32::from(c), 0xfeff | 0xe0000..=0xe007f)
    };
    let found = page.chars().find(|c| hidden(*c));
    assert_eq!(found, None, "{page:.2000}");
}

/// Safe in a log: visible, and no line is an order to a runner.
#[track_caller]
pub fn assert_safe_in_a_log(page: &str) {
    assert_visible(page);
    assert_eq!(commands(page), [], "{page:.2000}");
}

fn human_is_safe(text: &str) {
    let (plan, findings, sources) = (nasty::plan(text), [nasty::diagnostic(text)], sources(text, text));
    for width in [1, 30, 200] {
        assert_safe_in_a_log(&human::plan(&plan, Style { color: false, width }));
        assert_safe_in_a_log(&diagnostics::human(&findings, &sources, Style { color: false, width }));
    }
    assert_safe_in_a_log(&diagnostics::plain(&findings, &sources));
}

fn runbook_is_safe(text: &str) {
    for language in [Language::English, Language::French] {
        assert_safe_in_a_log(&runbook::plans(&[nasty::plan(text)], language));
    }
}

/// Read as a page would read it, nothing of the text stands outside of code, and nothing but our own mark-up is there.
fn markdown_is_safe(text: &str) {
    for budget in [markdown::LEAST, markdown::COMMENT] {
        let page = markdown::plans(&[nasty::plan(text), nasty::plan(text)], budget);
        assert_safe_in_a_log(&page);
        let mut in_code = false;
        for event in Parser::new_ext(&page, Options::all()) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Strong)
                | Event::End(_)
                | Event::Code(_)
                | Event::SoftBreak => {}
                Event::Text(text) => {
                    let ours = !text.contains(MARK) && !text.contains(['@', '<', '[', '#', '|']);
                    assert!(in_code || ours, "{text} in {page}");
                }
                other => panic!("{other:?} in {page}"),
            }
        }
    }
}

/// Between our own tags stands nothing that a page would take for one, for the start of a character, or for their end.
fn html_is_safe(text: &str) {
    const OURS: [&str; 14] = ["ol", "ul", "li", "p", "span", "code", "dl", "dt", "dd", "div", "ins", "del", "b", "br"];
    const ENTITIES: [&str; 5] = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let plan = nasty::plan(text);
    let page = html::changes(&plan, 100) + &html::blocked(&plan) + &html::counts(&plan) + &html::text(text, 300);
    assert_visible(&page);
    for (at, _) in page.match_indices('<') {
        let rest = page[at + 1..].trim_start_matches('/');
        let (tag, _) = rest.split_once('>').unwrap();
        let name = tag.split(' ').next().unwrap();
        assert!(OURS.contains(&name) && !tag.contains(MARK), "<{tag}> in {page}");
    }
    for (at, _) in page.match_indices('&') {
        assert!(ENTITIES.iter().any(|entity| page[at + 1..].starts_with(entity)), "{page}");
    }
    let quoted = html::escaped(text);
    assert!(!quoted.contains(['<', '>', '"', '\'']), "{quoted}");
}

fn json_is_exact_and_safe(text: &str) {
    let (plan, findings, sources) = (nasty::plan(text), [nasty::diagnostic(text)], sources(text, text));
    let findings_json = diagnostics::json(&findings, &sources);
    let page = json::text(&Report::new(Vec::new(), vec![plan.clone()], Vec::new(), findings_json));
    assert_safe_in_a_log(&page);
    let read: Report = serde_json::from_str(&page).unwrap();
    assert_eq!(read.plans, [plan]);
    assert_eq!(read.diagnostics[0]["message"], text);
    assert_safe_in_a_log(&json::text(&diagnostics::json(&findings, &sources)));
}

fn github_is_safe(text: &str) {
    let (plan, findings, sources) = (nasty::plan(text), [nasty::diagnostic(text)], sources(text, text));
    let page = github::plans(&[plan], &[], &findings, &sources, &repository());
    assert_visible(&page);
    for command in commands(&page) {
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{command:?}");
        for (key, value) in &command.properties {
            assert!(["file", "line", "col", "title"].contains(&key.as_str()), "{command:?}");
            assert!(key != "line" || value == "1", "{command:?}");
            assert_visible(value);
        }
        assert_visible(&command.message);
        assert!(command.message.chars().count() < 8_000, "{}", command.message.len());
    }
}

fn sarif_is_exact_and_safe(text: &str) {
    let (plan, findings, sources) = (nasty::plan(text), [nasty::diagnostic(text)], sources(text, text));
    let page = sarif::plans(&[plan], &[], &findings, &sources, &repository());
    assert_safe_in_a_log(&page);
    let log = super::sarif::valid(&page);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[0]["properties"]["message"], format!("{text} ({text})"));
    for result in results {
        // What escapes is taken away with what it escapes: nothing that means something is left.
        let message = result["message"]["text"].as_str().unwrap();
        let rest =
            ["\\\\", "\\[", "\\]", "{{", "}}"].iter().fold(message.to_owned(), |rest, known| rest.replace(known, ""));
        assert!(!rest.contains(['[', ']', '{', '}', '\\']), "{message:.2000}");
    }
}

fn export_is_safe(text: &str) {
    let mut live = parse("snapshot: 1\naccount: { name: a }\nusers: { a@b.c: { name: A, extension: \"201\" } }\nring_groups:\n  g: { extension: \"300\", ring: simultaneous, members: [user/a@b.c], ring_for: 10s, no_answer: none }\nnumbers: { \"+33142685300\": { to: ring_group/g, label: x } }\n", Format::Yaml).unwrap();
    live.account.name = text.into();
    live.users[0].name = text.into();
    live.users[0].email = Some(text.into());
    live.numbers[0].label = text.into();
    if let Ok(name) = text.parse() {
        live.ring_groups[0].name = name;
    }
    let options = ExportOptions { name: text.to_owned(), by_folder: ByFolder::Never, ..ExportOptions::default() };
    for (_, page) in export(&live, &options) {
        assert_safe_in_a_log(&page);
    }
}

fn each(check: fn(&str)) {
    for text in TEXTS {
        check(text);
    }
}

#[test]
fn terminals_and_logs_get_text_only() {
    each(human_is_safe);
}

#[test]
fn markdown_gets_text_only() {
    each(markdown_is_safe);
}

#[test]
fn pages_get_text_only() {
    each(html_is_safe);
}

#[test]
fn programs_get_the_exact_text_escaped() {
    each(json_is_exact_and_safe);
}

#[test]
fn workflow_commands_are_ours_alone() {
    each(github_is_safe);
}

#[test]
fn code_scanning_gets_the_exact_text_escaped() {
    each(sarif_is_exact_and_safe);
}

#[test]
fn runbooks_get_text_only() {
    each(runbook_is_safe);
}

#[test]
fn exported_files_get_text_only() {
    each(export_is_safe);
}

#[test]
fn a_megabyte_of_text_is_cut_and_marked() {
    let text = nasty::endless();
    let (plan, findings, sources) = (nasty::plan(&text), [nasty::diagnostic(&text)], sources(&text, &text));
    let style = Style::default();
    for page in [
        human::plan(&plan, style),
        diagnostics::human(&findings, &sources, style),
        diagnostics::plain(&findings, &sources),
        github::plans(std::slice::from_ref(&plan), &[], &findings, &sources, &repository()),
        runbook::plans(std::slice::from_ref(&plan), Language::French),
        markdown::plans(&[plan], markdown::COMMENT),
    ] {
        assert!(page.len() < 100_000, "{} bytes: {page:.500}", page.len());
        assert!(page.contains("zqx…") || page.contains("z…") || page.contains("zq…"), "{page:.2000}");
    }
    // Programs get all of it.
    let log = super::sarif::valid(&sarif::findings(&findings, &sources, &repository()));
    assert_eq!(log["runs"][0]["results"][0]["properties"]["message"], format!("{text} ({text})"));
    assert_eq!(diagnostics::json(&findings, &sources)[0]["message"], text);
}

proptest! {
    #![proptest_config(Config { cases: 128, ..Config::default() })]

    #[test]
    fn any_text_is_shown_and_does_nothing_else(text in nasty::texts()) {
        human_is_safe(&text);
        markdown_is_safe(&text);
        html_is_safe(&text);
        json_is_exact_and_safe(&text);
        github_is_safe(&text);
        sarif_is_exact_and_safe(&text);
        runbook_is_safe(&text);
        export_is_safe(&text);
    }
}
