//! Text that somebody else wrote: account names, labels, paths, titles, comments. None of it is obeyed.

use std::fs;
use std::path::Path;

use pulldown_cmark::{Event as Markdown, Parser, Tag};
use serde_json::json;

use super::project::{NUMBER, office};
use crate::support::commands::{self, copy};

const NAME: &str =
    "x --> <!-- strowger v1 path= account= --> ``` @ada <img src=x> $(touch injected) ::error::pwned %0A##[error]";
const LABEL: &str =
    "<!-- /plan --> ```` </details> @ada ::set-output name=digest::0 ::warning::pwned `touch injected` EOF";

/// What a page would show beside plain text and code.
fn active(page: &str) -> Vec<String> {
    let mut code = false;
    let mut active = Vec::new();
    for event in Parser::new(page) {
        match event {
            Markdown::Start(Tag::CodeBlock(_)) => code = true,
            Markdown::End(pulldown_cmark::TagEnd::CodeBlock) => code = false,
            Markdown::Html(html) | Markdown::InlineHtml(html) => active.push(html.into_string()),
            Markdown::Text(text) if !code && text.contains("@ada") => active.push(text.into_string()),
            Markdown::Start(Tag::Image { dest_url, .. } | Tag::Link { dest_url, .. }) => {
                active.push(dest_url.into_string());
            }
            _ => {}
        }
    }
    active
}

#[test]
fn names_and_labels_inject_no_command_no_marker_and_no_output() {
    let (server, project) = office();
    let number = server.number("+33142685302");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "Before ::error::x" }));
    let hostile = |project: &super::project::Project| {
        let quoted = serde_json::to_string(NAME).unwrap();
        commands::edit(&project.phones(), "name: wework-republique", &format!("name: {quoted}"));
        let quoted = serde_json::to_string(LABEL).unwrap();
        commands::edit(&project.phones(), "label: Accueil", &format!("label: {quoted}"));
    };
    let event = project.propose(hostile);
    let ended = project.plan(&event).expect(0);
    assert_eq!([ended.output("changes"), ended.output("digest").len().to_string().as_str()], ["5", "64"]);
    let known = ["::notice ", "::warning ", "::group::", "::endgroup::"];
    for command in ended.commands() {
        assert!(known.iter().any(|known| command.starts_with(known)), "{command}");
        assert!(!command.starts_with("::warning::") && !command.starts_with("::error"), "{command}");
    }
    let body = project.github.our().body;
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with("<!-- strowger v1")).count(), 1, "{body}");
    let inside = |start, end| lines[0].split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0;
    let (path, account) = (inside(" path=", " "), inside(" account=", " -->"));
    assert_eq!(lines[0], format!("<!-- strowger v1 path={path} account={account} -->"));
    let plain = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    assert!(plain(path, "") && plain(account, "+/="), "{}", lines[0]);
    assert!(lines[1].starts_with(&format!("<!-- digest={} ", ended.output("digest"))), "{body}");
    let review = lines[2].strip_prefix("<!-- review={").and_then(|rest| rest.strip_suffix("} -->")).unwrap();
    assert!(plain(review, "\":,{}[]"), "{review}");
    assert_eq!(lines.iter().filter(|line| **line == "<!-- /plan -->").count(), 1, "{body}");
    for page in [&body, &ended.summary] {
        let active = active(page);
        let ours = |html: &String| {
            html.starts_with("<!-- strowger v1 ")
                || html.starts_with("<!-- digest=")
                || html.starts_with("<!-- review=")
                || ["<!-- plan -->\n", "<!-- /plan -->\n"].contains(&html.as_str())
                || html.starts_with(&project.github.url)
        };
        assert!(active.iter().all(ours), "{active:#?}");
    }
    // It is found again, and its digest is read back.
    project.plan(&event).expect(0);
    assert_eq!(project.github.ours().len(), 1);
    let merged = project.merge();
    let ended = project.apply(&merged).expect(0);
    assert!(!ended.commands().iter().any(|command| command.starts_with("::error")), "{}", ended.log);
    assert!(!project.repository.path().join("injected").exists() && !project.phones().join("injected").exists());
}

#[test]
fn what_moved_is_shown_and_not_obeyed() {
    let (server, project) = office();
    let event = project.propose(|_| {});
    project.plan(&event).expect(0);
    // The reviewed text is a comment's, and may be anything by now.
    let hostile = "<!-- plan -->\n::error::pwned\n##[error]pwned\n\u{1b}[2J``````\n@ada <img src=x>\n";
    let body = project.github.our().body.replacen("<!-- plan -->\n", hostile, 1);
    // Behind a line that would end a fence of the usual length.
    let body = body.replacen("\n```\n", "\n```\n@ada <img src=x>\n", 1);
    project.github.state().comments[0].body = body;
    let number = server.number("+33142685302");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "Moved" }));
    let merged = project.merge();
    let ended = project.apply(&merged).expect(5);
    assert!(ended.log.contains("##[error]pwned"), "the difference shows it: {}", ended.log);
    assert!(!ended.log.contains('\u{1b}'));
    for command in ended.commands() {
        assert!(!command.contains("pwned"), "{command}");
    }
    let active = active(&ended.summary);
    assert!(active.is_empty(), "{active:#?}");
}

#[test]
fn a_path_is_one_argument_and_never_an_option() {
    let (_server, project) = office();
    let odd = "--out=x $(touch injected);`id`";
    copy(&project.phones(), &{
        let to = project.repository.path().join(odd);
        fs::create_dir(&to).unwrap();
        to
    });
    let event = project.propose(|project| fs::remove_dir_all(project.phones()).unwrap());
    let ended = project.run(&event, &[("path", odd)]).expect(0);
    assert_eq!(ended.output("changes"), "5");
    let merged = project.merge();
    project.run(&merged, &[("mode", "apply"), ("path", odd)]).expect(0);
    assert!(!project.repository.path().join("injected").exists());
    assert!(!Path::new(&format!("{}/x", project.repository.path().display())).exists());
}

#[test]
fn the_payload_is_data() {
    let (_server, project) = office();
    let mut event = project.propose(|_| {});
    event.payload["pull_request"]["number"] = json!("7; touch injected");
    event.payload["pull_request"]["head"]["sha"] = json!("$(touch injected)");
    project.plan(&event).expect(0);
    assert!(project.github.state().requests.is_empty(), "a pull request without a number has no comments");
    assert!(!project.repository.path().join("injected").exists());
    assert_eq!(NUMBER, 7);
}
