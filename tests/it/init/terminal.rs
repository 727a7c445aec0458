//! The first run at a terminal: keys go in, and a screen is looked at.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::commands::{Server, TOKEN, expect, strowger};
use crate::support::terminal::{CTRL_C, DOWN, ENTER, ESC, RIGHT, Terminal, UP, clear};

/// Every file and folder below, but for git's own.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && path.file_name().is_some_and(|name| name != ".git") {
                folders.push(path.clone());
            }
            found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

fn account(folder: &Path) -> String {
    fs::read_to_string(folder.join("phones/account.yaml")).unwrap()
}

#[test]
fn enter_alone_leads_to_files_whose_plan_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(folder.path(), "init");
    terminal.answer("Which provider has the account?", ENTER);
    terminal.answer("Which folder will hold the files? (phones)", ENTER);
    terminal.answer("What is the account called? (phones)", ENTER);
    terminal.answer("In which country?", ENTER);
    terminal.wait("+33142685300 receptionist/main");
    terminal.answer("Which numbers to manage?", ENTER);
    terminal.answer("Write GitHub workflows? (y/N)", ENTER);
    terminal.wait("phones/account.yaml");
    assert!(below(folder.path()).is_empty(), "something is written before the last question");
    terminal.answer("Write them? (Y/n)", ENTER);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("No changes. 2 objects match."), "{screen}");
    assert!(screen.contains("Next: edit phones/account.yaml"), "{screen}");
    let files = below(folder.path());
    let wanted = [
        "phones",
        "phones/.gitignore",
        "phones/.strowger",
        "phones/.strowger/phones.db",
        "phones/account.v1.schema.json",
        "phones/account.yaml",
    ];
    assert_eq!(files, wanted);
    expect(&strowger(folder.path(), &["plan", "phones", "--detailed-exitcode"]), 0);
    // What is edited is planned and applied, on the account that was shown.
    let path = folder.path().join("phones/account.yaml");
    let text = fs::read_to_string(&path).unwrap().replace("to: receptionist/main", "to: user/201");
    fs::write(&path, text).unwrap();
    expect(&strowger(folder.path(), &["plan", "phones", "--detailed-exitcode"]), 2);
}

#[test]
fn a_wrong_token_is_told_and_asked_again_and_appears_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    fs::write(folder.path().join("wrong"), "not-the-token-51c9\n").unwrap();
    let terminal = Terminal::run(
        folder.path(),
        "strowger init",
        (60, 100),
        &[("STROWGER_TOKEN", "no-token-77aa"), ("PHONES_KEY", TOKEN)],
    );
    terminal.wait("> sandbox");
    terminal.keys(DOWN);
    terminal.wait("> office");
    terminal.keys(ENTER);
    terminal.answer("Which folder", ENTER);
    // Told before anything is sent anywhere.
    terminal.answer("Where is the Account API?", &format!("http://accounts.invalid{ENTER}"));
    terminal.wait("the token would travel unencrypted");
    terminal.keys(&format!("{}{}{ENTER}", clear(), server.url));
    terminal.answer("Where will the API token be?", ENTER);
    terminal.answer("Which variable? (STROWGER_TOKEN)", ENTER);
    terminal.wait("does not accept the token (401)");
    assert!(below(folder.path()) == ["wrong"], "something is written");
    // Another place, which has another wrong one.
    terminal.wait("> In an environment variable");
    terminal.keys(DOWN);
    terminal.wait("> In a file");
    terminal.keys(ENTER);
    terminal.answer("Which file?", &format!("wrong{ENTER}"));
    terminal.until(|screen| screen.matches("(401)").count() == 2, "a second refusal");
    // A command that would not work from the files' folder is told now, and not after the last question.
    terminal.wait("> In a file");
    terminal.keys(DOWN);
    terminal.wait("> A command prints it");
    terminal.keys(ENTER);
    terminal.answer("Which command?", &format!("cat wrong{ENTER}"));
    terminal.wait("finds wrong only from here");
    terminal.wait("> A command prints it");
    terminal.keys(UP);
    terminal.wait("> In a file");
    terminal.keys(UP);
    terminal.wait("> In an environment variable");
    terminal.keys(ENTER);
    terminal.answer("Which variable? (STROWGER_TOKEN)", &format!("PHONES_KEY{ENTER}"));
    terminal.wait("wework-republique holds");
    terminal.answer("Which numbers to", ENTER);
    terminal.answer("What is the account called? (wework-republique)", ENTER);
    terminal.answer("Write GitHub workflows?", &format!("y{ENTER}"));
    terminal.answer("Write them?", ENTER);
    terminal.wait("make the secret PHONES_KEY on GitHub");
    let bytes = terminal.bytes();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("No changes."), "{screen}");
    let text = account(folder.path());
    assert!(text.contains("provider: office") && text.contains("token: { env: PHONES_KEY }"), "{text}");
    let workflow = fs::read_to_string(folder.path().join(".github/workflows/strowger-merge.yml")).unwrap();
    assert!(workflow.contains("secrets.PHONES_KEY") && !workflow.contains("STROWGER_TOKEN"), "{workflow}");
    for secret in [TOKEN, "no-token-77aa", "not-the-token-51c9"] {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{secret} was shown");
        for file in below(folder.path()).iter().map(|file| folder.path().join(file)).filter(|file| file.is_file()) {
            let text = fs::read(&file).unwrap();
            assert!(file.ends_with("wrong") || !String::from_utf8_lossy(&text).contains(secret), "{}", file.display());
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_told_and_its_address_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    let terminal = Terminal::run(
        folder.path(),
        "strowger init phones --url http://127.0.0.1:1 --token-env KEY",
        (60, 100),
        &[("KEY", TOKEN)],
    );
    terminal.wait("That does not work: cannot reach http://127.0.0.1:1");
    terminal.answer("Where is the Account API? (http://127.0.0.1:1)", &format!("{}{ENTER}", server.url));
    terminal.wait("wework-republique holds");
    terminal.answer("Which numbers to", ESC);
    let (code, screen) = terminal.end();
    assert_eq!(code, 64, "{screen}");
    assert!(screen.contains("Nothing written."), "{screen}");
    assert!(below(folder.path()).is_empty());
}

#[test]
fn some_numbers_are_chosen_by_moving_and_by_typing() {
    let folder = tempfile::tempdir().unwrap();
    let seed = format!("{}/examples/agency/sandbox/seed.yaml", env!("CARGO_MANIFEST_DIR"));
    // A seed outside of the account's folder and those above it would have to be allowed.
    fs::copy(seed, folder.path().join("seed.yaml")).unwrap();
    let terminal = Terminal::start(folder.path(), "init --seed seed.yaml --name agency --workflow=none");
    terminal.answer("Which folder", ENTER);
    terminal.answer("Which numbers to", DOWN);
    terminal.wait("> Some");
    terminal.keys(ENTER);
    terminal.wait("Space, → these");
    // None is no choice of some.
    terminal.keys(ENTER);
    terminal.wait("Choose one with the space bar");
    let first = terminal.until(|screen| screen.contains("> [ ]"), "a box");
    let chosen = number(&first, "> [ ]");
    terminal.keys(" ");
    terminal.wait("> [x]");
    terminal.keys("zzz");
    terminal.until(|screen| !screen.contains("[ ]") && !screen.contains("[x]"), "an empty list");
    terminal.keys(&clear());
    terminal.wait("> [x]");
    terminal.keys(DOWN);
    let second = terminal.until(|screen| screen.contains("> [ ]"), "another box");
    let other = number(&second, "> [ ]");
    terminal.keys(&format!(" {ENTER}"));
    terminal.wait("Which numbers? 2 numbers");
    terminal.answer("Which ring groups to", DOWN);
    terminal.wait("> Some");
    terminal.keys(DOWN);
    terminal.wait("> None");
    terminal.keys(ENTER);
    terminal.answer("Write them?", ENTER);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("No changes. 2 objects"), "{screen}");
    let text = account(folder.path());
    let numbers: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
    assert_eq!(numbers, [chosen, other]);
    assert!(!text.contains("ring_groups:"), "{text}");
}

/// The number on the line that begins so.
fn number(screen: &str, before: &str) -> String {
    let line = screen.lines().find_map(|line| line.trim_start().strip_prefix(before)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn nothing_is_left_behind_by_esc_or_ctrl_c_at_any_question() {
    let questions = [
        ("Which provider", ENTER),
        ("Which folder", ENTER),
        ("What is the account called", ENTER),
        ("In which country", ENTER),
        ("Which numbers to", ENTER),
        ("Write GitHub workflows?", ENTER),
        ("Write them?", "n\r"),
    ];
    for (at, (last, _)) in questions.iter().enumerate() {
        for leave in [ESC, CTRL_C] {
            let folder = tempfile::tempdir().unwrap();
            let line = "strowger init; echo exit=$?; stty -a";
            let terminal = Terminal::run(folder.path(), line, (60, 100), &[]);
            for (question, keys) in &questions[..at] {
                terminal.answer(question, keys);
            }
            terminal.answer(last, leave);
            terminal.wait("exit=64");
            terminal.wait("iexten");
            assert!(terminal.is_as_before(), "{last}");
            let (_, screen) = terminal.end();
            assert!(screen.contains("Nothing written."), "{screen}");
            for mode in [" icanon", " echo ", " isig"] {
                assert!(screen.replace('\n', " ").contains(mode), "{mode}: {screen}");
            }
            assert!(below(folder.path()).is_empty(), "{last}");
        }
    }
}

#[test]
fn ctrl_c_while_the_account_is_read_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let line = format!("strowger init phones --url {url} --token-env KEY; echo exit=$?");
    let terminal = Terminal::run(folder.path(), &line, (60, 100), &[("KEY", TOKEN)]);
    terminal.wait("reading the account");
    terminal.keys(CTRL_C);
    let (_, screen) = terminal.end();
    assert!(below(folder.path()).is_empty(), "{screen}");
}

#[test]
fn managing_nothing_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(folder.path(), "init . --provider sandbox --name a --country GB --workflow=none");
    terminal.answer("Which numbers to manage?", DOWN);
    terminal.wait("> Some");
    terminal.keys(DOWN);
    terminal.wait("> None");
    terminal.keys(ENTER);
    terminal.wait("nothing would be managed");
    terminal.wait("> All 2");
    terminal.keys(ENTER);
    terminal.answer("Write them?", ENTER);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(fs::read_to_string(folder.path().join("account.yaml")).unwrap().contains("+442079460000"));
}

#[test]
fn no_as_the_last_answer_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let line = "init phones --provider sandbox --name a --country FR --numbers all --groups all --workflow=none";
    let terminal = Terminal::start(folder.path(), line);
    terminal.answer("Write them?", &format!("n{ENTER}"));
    let (code, screen) = terminal.end();
    assert_eq!(code, 64, "{screen}");
    assert!(screen.contains("Nothing written."), "{screen}");
    assert!(below(folder.path()).is_empty());
}

#[test]
fn a_narrow_terminal_without_colours_does_not_break() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::run(folder.path(), "strowger init", (24, 40), &[("NO_COLOR", "1")]);
    terminal.answer("Which provider", DOWN);
    terminal.wait("> office");
    terminal.keys(UP);
    let screen = terminal.wait("> sandbox");
    // One line for each, and none is left over from before.
    for option in ["sandbox:", "office:", "snapshot:"] {
        assert_eq!(screen.matches(option).count(), 1, "{screen}");
    }
    terminal.keys(ENTER);
    terminal.answer("Which folder", ENTER);
    terminal.answer("What is the account called", ENTER);
    terminal.answer("In which country", ENTER);
    terminal.answer("Which numbers to", DOWN);
    terminal.wait("> Some");
    terminal.keys(ENTER);
    terminal.wait("> [ ] +33142685300");
    terminal.keys(DOWN);
    terminal.wait("> [ ] +33142685301");
    terminal.keys(" ");
    let screen = terminal.wait("> [x] +33142685301");
    assert_eq!(screen.matches("[ ]").count(), 1, "{screen}");
    assert_eq!(screen.matches("Which numbers?").count(), 1, "{screen}");
    terminal.keys(ENTER);
    terminal.answer("Write GitHub workflows", ENTER);
    terminal.answer("Write them?", ENTER);
    let bytes = terminal.bytes();
    terminal.wait("strowger apply phones");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("1 object matches"), "{screen}");
    let colours = String::from_utf8_lossy(&bytes)
        .split("\u{1b}[")
        .skip(1)
        .filter(|rest| {
            let command = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            command.starts_with('m') && !rest.starts_with('m') && !rest.starts_with("0m")
        })
        .map(str::to_owned)
        .collect::<Vec<_>>();
    assert!(colours.is_empty(), "{colours:?}");
}

#[test]
fn what_an_account_calls_itself_gives_the_terminal_no_orders() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = "snapshot: 1\naccount: { name: \"a\\e[2Jb\" }\nusers: { a@example.org: { name: \"x\\e]0;y\\a\", extension: \"201\" } }\n\
                    numbers: { \"+33142685300\": { to: user/201, label: \"z\\e[31mz\" } }\n";
    fs::write(folder.path().join("live.yaml"), snapshot).unwrap();
    let terminal = Terminal::start(folder.path(), "init --snapshot live.yaml");
    terminal.answer("Which folder", ENTER);
    terminal.wait("a\\u{1b}[2Jb holds");
    terminal.answer("Which numbers to", DOWN);
    terminal.wait("> Some");
    terminal.keys(ENTER);
    terminal.wait("z\\u{1b}[31mz");
    // All that are found.
    terminal.keys(RIGHT);
    terminal.wait("[x]");
    terminal.keys(ENTER);
    // The account's own name is none.
    terminal.answer("What is the account called? (my-office)", ENTER);
    terminal.answer("Write GitHub workflows?", ENTER);
    terminal.answer("Write them?", ENTER);
    let bytes = terminal.bytes();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0") && !text.contains("\u{1b}[31m"), "{text}");
    assert!(account(folder.path()).contains("file: \"../live.yaml\""), "{}", account(folder.path()));
}

#[test]
fn a_list_of_a_hundred_thousand_numbers_stays_quick() {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshot =
        "snapshot: 1\naccount: { name: large }\nusers: { a@example.org: { name: a, extension: \"201\" } }\nnumbers:\n"
            .to_owned();
    for number in 0..100_000 {
        writeln!(snapshot, "  \"+3314{number:07}\": {{ to: user/201 }}").unwrap();
    }
    fs::write(folder.path().join("live.yaml"), snapshot).unwrap();
    let terminal = Terminal::start(folder.path(), "init phones --snapshot live.yaml --workflow=none --name large");
    terminal.wait("… and 99990 more");
    terminal.answer("Which numbers to", DOWN);
    terminal.wait("> Some");
    terminal.keys(ENTER);
    terminal.wait("> [ ] +33140000000");
    let start = std::time::Instant::now();
    // Ten keys, each of which looks through all of them.
    terminal.keys("0140099998");
    terminal.wait("> [ ] +33140099998");
    let took = start.elapsed();
    eprintln!("ten keys took {took:?}");
    assert!(took.as_secs() < 20, "{took:?}");
    terminal.keys(&format!(" {ENTER}"));
    terminal.answer("Write them?", ENTER);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("1 object matches"), "{screen}");
}
