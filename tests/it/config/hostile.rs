//! Hostile and broken files: each gives one clear finding, soon, and never a panic.

#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use strowger::config::{Loaded, load};
use strowger::render::{diagnostics, repository::Repository, sarif};

fn loaded(path: &Path) -> Loaded {
    load(&[path.to_path_buf()])
}

fn rules(path: &Path) -> Vec<(&'static str, u32, u32)> {
    let loaded = loaded(path);
    assert!(loaded.accounts.is_empty(), "{} gave an account", path.display());
    let place = |span: Option<strowger::model::Span>| span.map_or((0, 0), |span| (span.line, span.column));
    loaded.diagnostics.iter().map(|finding| (finding.rule.id, place(finding.span).0, place(finding.span).1)).collect()
}

fn of_text(text: impl AsRef<[u8]>) -> Vec<(&'static str, u32, u32)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, text).unwrap();
    rules(&path)
}

const GOOD: &str = "version: 1\naccount: { name: a, provider: sandbox }\nnumbers:\n  \"+33142685300\": { to: none }\n";

#[test]
fn what_is_no_regular_file_is_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo.yaml");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(rules(&fifo), [("unreadable-file", 1, 1)]);
    assert_eq!(rules(folder.path()), [("unreadable-file", 1, 1)]);
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(rules(&socket), [("unreadable-file", 1, 1)]);
    assert_eq!(rules(Path::new("/dev/zero")), [("unreadable-file", 1, 1)]);
}

#[test]
fn a_gigabyte_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.yaml");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    assert_eq!(rules(&path), [("file-too-large", 1, 1)]);
}

#[test]
fn links_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    symlink(folder.path(), folder.path().join("again")).unwrap();
    assert_eq!(rules(folder.path()), [("no-files", 0, 0)]);
    symlink(folder.path().join("self.yaml"), folder.path().join("self.yaml")).unwrap();
    assert_eq!(rules(folder.path()), [("unreadable-file", 1, 1)]);
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, GOOD).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever runs the tests as root may read everything.
    if File::open(&path).is_err() {
        assert_eq!(rules(&path), [("unreadable-file", 1, 1)]);
    }
    assert_eq!(rules(&folder.path().join("missing.yaml")), [("no-files", 0, 0)]);
    assert!(load(&[]).diagnostics.len() == 1);
}

#[test]
fn ten_megabytes_of_aliases_stand_for_little() {
    let mut text = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let found = of_text(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "alias-limit");
    let wide = format!("version: 1\na: &a x\nb: [{}]\n", vec!["*a"; 3_000_000].join(","));
    assert_eq!(of_text(wide)[0].0, "alias-limit");
    assert_eq!(of_text("version: 1\na: &a [*a]\n")[0].0, "alias-limit");
}

#[test]
fn a_hundred_thousand_levels_are_refused() {
    for (open, levels) in [("[", 100_000), ("{a: ", 100_000), ("- ", 100_000)] {
        let found = of_text(format!("version: 1\nnumbers:\n  {}", open.repeat(levels)));
        assert_eq!(found.len(), 1, "{open:?}: {found:?}");
        assert_eq!(found[0].0, "too-deep", "{open:?}");
    }
    let stairs: String = (0..2_000).fold(String::new(), |mut text, level| {
        writeln!(text, "{}a:", " ".repeat(level)).unwrap();
        text
    });
    assert_eq!(of_text(stairs)[0].0, "too-deep");
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    assert_eq!(of_text(b"version: 1\nb: \xe9\n"), [("not-utf8", 2, 4)]);
    assert_eq!(of_text(b"\xff\xfev\0e\0"), [("not-utf8", 1, 1)]);
    assert_eq!(of_text("version: 1\nb: \u{1b}[31m\n"), [("control-character", 2, 4)]);
    assert_eq!(of_text("version: 1\0\n"), [("control-character", 1, 11)]);
    assert_eq!(of_text(""), [("empty-file", 1, 1)]);
    assert_eq!(of_text("# nothing\n\n# at all\n"), [("empty-file", 1, 1)]);
}

#[test]
fn what_hides_its_meaning_is_refused() {
    for (text, rule, line, column) in [
        ("version: 1\n---\nversion: 1\n", "several-documents", 2, 1),
        ("version: !!int 1\n", "yaml-tag", 1, 10),
        ("version: 1\na: &a { x: 1 }\nb: { <<: *a }\n", "merge-key", 3, 6),
        ("version: 1\nnumbers:\n\t\"+33142685300\": { to: none }\n", "tab-indentation", 3, 1),
        ("version: 1\n[a]: b\n", "key-not-text", 2, 1),
        ("version: 1\n? { a: b }\n: c\n", "key-not-text", 2, 3),
        ("version: 1\na: 'b\n", "yaml-syntax", 2, 4),
        ("version: 1\na: b: c\n", "yaml-syntax", 2, 5),
        ("version: 1\na: { b: |\nc\n}\n", "yaml-syntax", 2, 9),
        ("version: 1\na: { b: >c }\n", "yaml-syntax", 2, 9),
        ("version: 1\na: [|, b]\n", "yaml-syntax", 2, 5),
        ("version: 1\na: { >b: c }\n", "yaml-syntax", 2, 6),
        ("version: 1\na: [?, b]\n", "yaml-syntax", 2, 5),
        ("version: 1\na: [b,#c]\n", "yaml-syntax", 2, 7),
        ("version: 1\na: [-, b]\n", "yaml-syntax", 2, 5),
        ("version: 1\na: [@b]\n", "yaml-syntax", 2, 5),
        ("version: 1\na: `b\n", "yaml-syntax", 2, 4),
        ("version: 1\na: %b\n", "yaml-syntax", 2, 4),
        ("version: 1\n%b\n", "yaml-syntax", 2, 1),
    ] {
        assert_eq!(of_text(text), [(rule, line, column)], "{text:?}");
    }
}

#[test]
fn thousands_of_findings_on_one_line_are_reported_without_an_excerpt() {
    let fields: String = (0..6_000).map(|field| format!("f{field}: x, ")).collect::<Vec<_>>().concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, GOOD.replace("to: none", &format!("{fields} to: none"))).unwrap();
    let loaded = loaded(&path);
    assert_eq!(loaded.diagnostics.len() + strowger::diag::more(&loaded.diagnostics), 6_000);
    let text = diagnostics::human(&loaded.diagnostics, &loaded.sources, diagnostics::Style::default());
    assert!(text.contains("a.yaml:4:"), "the place is told without an excerpt");
    let repository = Repository::new(folder.path(), folder.path());
    assert!(sarif::findings(&loaded.diagnostics, &loaded.sources, &repository).contains("unknown-field"));
}

#[test]
fn a_field_that_is_called_like_a_number_is_told_once() {
    let text = GOOD.replace("to: none", "to: none, \"+33142685300\": x");
    assert_eq!(of_text(text), [("unknown-field", 4, 31)]);
}

#[test]
fn a_byte_order_mark_and_other_line_ends_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for text in [format!("\u{feff}{GOOD}"), GOOD.replace('\n', "\r\n"), GOOD.replace('\n', "\r")] {
        let path = folder.path().join("a.yaml");
        fs::write(&path, &text).unwrap();
        let loaded = loaded(&path);
        assert_eq!(loaded.accounts.len(), 1, "{text:?}: {:?}", loaded.diagnostics);
        let number = &loaded.accounts[0].desired.numbers[0];
        assert_eq!((number.span.line, number.span.column, number.span.length), (4, 3, 14), "{text:?}");
        assert_eq!((number.to.span.line, number.to.span.column), (4, 25), "{text:?}");
    }
}

#[test]
fn a_folder_is_one_account_and_a_folder_of_folders_is_a_fleet() {
    let folder = tempfile::tempdir().unwrap();
    for (name, number) in [("paris", "+33142685300"), ("lyon", "+33472000000")] {
        let account = folder.path().join(name);
        fs::create_dir(&account).unwrap();
        let text = format!("version: 1\naccount: {{ name: {name}, provider: sandbox }}\n");
        fs::write(account.join("account.yaml"), text).unwrap();
        fs::write(account.join("numbers.yml"), format!("version: 1\nnumbers: {{ \"{number}\": {{ to: none }} }}\n"))
            .unwrap();
        fs::write(account.join("README.md"), "no YAML").unwrap();
    }
    let fleet = loaded(folder.path());
    assert_eq!(fleet.diagnostics, []);
    let names: Vec<&str> = fleet.accounts.iter().map(|account| &*account.settings.name).collect();
    assert_eq!(names, ["lyon", "paris"]);
    let paris = &fleet.accounts[1];
    assert_eq!(paris.root, folder.path().join("paris"));
    let place = paris.desired.place(paris.desired.numbers[0].span);
    assert!(place.file.ends_with("paris/numbers.yml"), "{place:?}");
}

#[test]
fn the_same_key_in_two_files_shows_both_places() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), GOOD).unwrap();
    fs::write(folder.path().join("b.yaml"), GOOD).unwrap();
    let loaded = loaded(folder.path());
    let found: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|finding| (finding.rule.id, finding.span.unwrap().file.0, finding.related[0].span.file.0))
        .collect();
    assert_eq!(found, [("duplicate-key", 1, 0), ("duplicate-number", 1, 0)]);
}

#[test]
fn two_accounts_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = ["a.yaml", "b.yaml"].iter().map(|name| folder.path().join(name)).collect();
    for path in &paths {
        fs::write(path, GOOD).unwrap();
    }
    let loaded = load(&paths);
    assert_eq!(loaded.diagnostics.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), ["duplicate-account"]);
}

#[test]
fn a_long_chain_of_groups_is_walked_without_recursion() {
    let mut text = "version: 1\naccount: { name: a, provider: sandbox }\nring_groups:\n".to_owned();
    let last = 100_000;
    for group in 0..last {
        writeln!(text, "  g{group}: {{ members: [user/202], no_answer: ring_group/g{} }}", (group + 1) % last).unwrap();
    }
    let found = of_text(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "no-answer-cycle");
}

#[test]
fn a_hundred_thousand_mistakes_take_no_longer_than_they_must() {
    let mut text = "version: 1\naccount: { name: a, provider: sandbox, country: FR }\nnumbers:\n".to_owned();
    for number in 0..10_000 {
        writeln!(text, "  \"+331{number:08}\": {{ to: ring_group/ventez{number} }}").unwrap();
        writeln!(text, "  \"+332{number:08}\": {{ too: ventes, label: 1 }}").unwrap();
        writeln!(text, "  \"+33 3{number:08}\": {{ to: none }}").unwrap();
    }
    text.push_str("ring_groups:\n");
    for group in 0..2_000 {
        writeln!(text, "  ventes{group}: {{ members: [user/202] }}").unwrap();
    }
    // More are not shown; `tests/it/config/many_findings.rs` says how they are counted.
    assert_eq!(of_text(&text).len(), strowger::diag::MOST);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_told_as_such_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("a.yaml");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for path in [link.as_path(), folder.path()] {
        let loaded = load(&[path.to_owned()]);
        let [finding] = loaded.diagnostics.as_slice() else { panic!("{:?}", loaded.diagnostics) };
        assert_eq!(finding.rule.id, "unreadable-file", "{path:?}");
        assert!(finding.message.contains("is a link that leads nowhere"), "{}", finding.message);
    }
}

#[test]
fn the_same_files_given_twice_are_one_account() {
    let folder = tempfile::tempdir().unwrap();
    let (path, inside) = (folder.path().join("a.yaml"), folder.path().join("inside"));
    fs::create_dir(&inside).unwrap();
    fs::write(&path, GOOD).unwrap();
    let around = inside.join("../a.yaml");
    for paths in [[path.clone(), path.clone()], [path.clone(), around], [folder.path().to_owned(), path]] {
        let loaded = load(&paths);
        assert_eq!((loaded.accounts.len(), loaded.diagnostics.len()), (1, 0), "{:?}", loaded.diagnostics);
    }
}

#[test]
fn a_word_of_a_command_that_is_no_text_is_told_and_not_repeated() {
    for (word, rule) in [("false", "unquoted-word"), ("20260101", "unquoted-number")] {
        let token = format!("{{ command: [echo, {word}] }}");
        let account = format!("{{ name: a, provider: office, url: \"https://a.example\", token: {token} }}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, format!("version: 1\naccount: {account}\n")).unwrap();
        let loaded = load(&[path]);
        let [finding] = loaded.diagnostics.as_slice() else { panic!("{:?}", loaded.diagnostics) };
        assert_eq!(finding.rule.id, rule);
        assert!(!finding.message.contains(word) && !finding.hint.as_deref().unwrap().contains(word));
        assert!(!loaded.sources.iter().next().unwrap().line(2).unwrap().contains(word));
    }
}
