//! The real binary in front of servers that answer badly: code 1, one sentence that says what is wrong, nothing
//! written, and no token anywhere but where it belongs.
#![cfg(unix)]

use crate::support::commands;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::commands::{TOKEN, expect, office, stderr, strowger};
use crate::support::hostile::{Asked, Hostile, JSON, answer, forward, good, is_for};

fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.insert(entry.path());
        }
    }
}

/// Plans and applies; both must fail with this sentence and leave the account and the folder as they were.
#[track_caller]
fn refused(server: &Hostile, wanted: &str) {
    let folder = office("wework", &server.url);
    let mut before = BTreeSet::new();
    files(folder.path(), &mut before);
    let saved: &[&str] = &["plan", ".", "--out", "plan.json"];
    for arguments in [saved, &["apply", ".", "--auto-approve"], &["export", ".", "--out", "exported"]] {
        let output = strowger(folder.path(), arguments);
        let out = expect(&output, 1);
        let said = stderr(&output);
        assert!(said.contains(wanted), "{wanted:?} is not in {said:?}");
        assert_eq!(said.lines().filter(|line| !line.starts_with("Not saved to ")).count(), 1, "{said}");
        assert!(said.len() < 800 && said.starts_with("strowger: cannot read the account "), "{said}");
        assert!(!said.contains("panicked") && !said.contains(TOKEN), "{said}");
        assert_eq!(out, "");
    }
    let mut after = BTreeSet::new();
    files(folder.path(), &mut after);
    after.retain(|file| file.extension().is_none_or(|extension| extension != "lock"));
    assert_eq!(after, before, "nothing is left behind");
    let writes: Vec<_> = server.asked().into_iter().filter(|asked| !asked.line.starts_with("GET ")).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// A good account but for what it answers at one path.
fn but(
    path: &'static str,
    bad: impl Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
) -> Hostile {
    Hostile::start(move |asked, to| if is_for(asked, path) { bad(asked, to) } else { good(asked, to) })
}

fn page(path: &'static str, items: &'static str) -> Hostile {
    but(path, move |_, to| answer(to, "200 OK", &[JSON], &format!("{{\"items\":[{items}],\"next\":null}}")))
}

#[test]
fn half_an_answer_is_no_account() {
    refused(&but("account", |_, to| answer(to, "200 OK", &[JSON], r#"{"id":"1","na"#)), "EOF while parsing");
    let half = but("numbers", |_, to| answer(to, "200 OK", &[JSON], r#"{"items":[{"id":"n1","number":"+331"#));
    refused(&half, "the list of numbers cannot be read: EOF while parsing");
}

#[test]
fn an_answer_that_breaks_off_is_tried_again_and_then_given_up() {
    let broken = but("users", |_, to| {
        write!(to, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{{\"items\":[")?;
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
    refused(&broken, "did not answer usably after 5 attempts");
    let asked = broken.asked().into_iter().filter(|asked| is_for(asked, "users")).count();
    assert_eq!(asked, 3 * 5);
}

#[test]
fn what_is_no_json_is_named_for_what_it_is() {
    let portal = [("content-type", "text/html; charset=utf-8")];
    let login = Hostile::start(move |_, to| answer(to, "200 OK", &portal, "<html><h1>Wi-Fi login</h1>"));
    refused(&login, "is not an Account API: GET /v1/account answers text/html, not JSON");
    let proxy = but("users", move |_, to| answer(to, "200 OK", &portal, r#"{"items":[],"next":null}"#));
    refused(&proxy, "GET /v1/users answers text/html, not JSON");
    let binary = but("account", |_, to| answer(to, "200 OK", &[], "\u{0}\u{1b}[2J\u{7f}\r\n::error::x"));
    refused(&binary, "its account cannot be read (expected value at line 1 column 1)");
}

#[test]
fn success_with_an_error_inside_is_none() {
    const PROBLEM: &str = r#"{"type":"about:blank","title":"Internal error","status":500,"detail":"no database"}"#;
    refused(&but("account", |_, to| answer(to, "200 OK", &[JSON], PROBLEM)), "missing field `id`");
    refused(&but("conferences", |_, to| answer(to, "200 OK", &[JSON], PROBLEM)), "missing field `items`");
    refused(
        &but("ring_groups", |_, to| answer(to, "200 OK", &[JSON], "null")),
        "the list of ring_groups cannot be read",
    );
    refused(&but("ring_groups", |_, to| answer(to, "204 No Content", &[], "")), "GET /v1/ring_groups answers 204");
}

#[test]
fn ten_gigabytes_are_not_taken() {
    static CHUNK: [u8; 1 << 16] = [b' '; 1 << 16];
    let announced = but("numbers", |_, to| {
        write!(to, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10737418240\r\n\r\n")?;
        (0..10 << 14).try_for_each(|_| to.write_all(&CHUNK))
    });
    refused(&announced, "an answer is larger than 64 MiB");
    // Nothing of it was read; what left is what the sockets hold.
    assert!(announced.sent() < 3 * (16 << 20), "{} bytes were taken", announced.sent());
    let endless = but("numbers", |_, to| {
        write!(to, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")?;
        loop {
            write!(to, "{:x}\r\n", CHUNK.len())?;
            to.write_all(&CHUNK)?;
            to.write_all(b"\r\n")?;
        }
    });
    refused(&endless, "an answer is larger than 64 MiB");
    assert!(endless.sent() < 3 * (80 << 20), "{} bytes were taken", endless.sent());
}

#[test]
fn a_list_without_end_is_refused() {
    let circle = but("users", |asked, to| {
        let next = if asked.line.contains("cursor=a") { "b" } else { "a" };
        answer(to, "200 OK", &[JSON], &format!(r#"{{"items":[],"next":"{next}"}}"#))
    });
    refused(&circle, "the list of users cannot be read: its pages go round in a circle");
    let count = std::sync::atomic::AtomicU32::new(0);
    let endless = but("numbers", move |_, to| {
        let next = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        answer(to, "200 OK", &[JSON], &format!(r#"{{"items":[],"next":"c{next}"}}"#))
    });
    refused(&endless, "the list of numbers cannot be read: it has no end");
}

#[test]
fn values_that_make_no_sense_are_named_with_their_object() {
    for (path, items, wanted) in [
        ("numbers", r#"{"id":"n1","number":33142685300}"#, "an item of numbers with the id \"n1\" cannot be read"),
        ("ring_groups", r#"{"id":"g","name":"a","ring":"sequential"}"#, "members"),
        ("users", r#"{"id":"u"},{"id":"u"}"#, "the account listed user u twice"),
        (
            "numbers",
            r#"{"id":"n1","number":"+33142685300"},{"id":"n1","number":"+33142685301"}"#,
            "listed number n1 twice",
        ),
        ("conferences", r#"{"id":"","name":"x"}"#, "an id is empty"),
    ] {
        refused(&page(path, items), wanted);
    }
}

#[test]
fn a_redirect_is_not_followed_and_the_token_stays() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let thief = Hostile::start(good);
        let to = thief.url.clone();
        let server = Hostile::start(move |asked, out| {
            let path = asked.line.split(' ').nth(1).unwrap();
            answer(out, status, &[("location", &format!("{to}{path}"))], "")
        });
        refused(&server, "where the token must not go");
        assert!(!server.asked().is_empty());
        assert!(thief.asked().is_empty(), "{status}: {:?}", thief.asked());
    }
}

#[test]
fn a_write_that_is_redirected_goes_nowhere_either() {
    let thief = Hostile::start(good);
    let to = thief.url.clone();
    let account = commands::Server::start("wework", &[]);
    let behind = account.url.clone();
    let server = Hostile::start(move |asked, out| {
        if asked.line.starts_with("GET ") {
            return forward(&behind, asked, out);
        }
        let path = asked.line.split(' ').nth(1).unwrap();
        answer(out, "307 Temporary Redirect", &[("location", &format!("{to}{path}"))], "")
    });
    let folder = office("wework", &server.url);
    let before = account.state();
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    expect(&output, 1);
    assert!(server.asked().iter().any(|asked| asked.line.starts_with("PATCH ")));
    assert!(thief.asked().is_empty(), "{:?}", thief.asked());
    assert_eq!(account.state(), before);
    let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("307") && !said.contains(TOKEN), "{said}");
}
