//! The status page in a real browser.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::address;
use super::browser::Browser;
use crate::support::commands::{Server, copy, edit, office};
use crate::support::process::Watch;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const NUMBER: &str = "+33142685302";

/// Where pictures are left for people to look at.
pub fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status-page");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A fleet, each account on a server of its own: an office as its files ask, one that is blocked, and one with errors in
/// its files.
fn fleet() -> (tempfile::TempDir, Vec<Server>) {
    let root = tempfile::tempdir().unwrap();
    let mut servers = Vec::new();
    for name in ["paris-république", "blocked-<i>office</i>", "invalid-office"] {
        let folder = root.path().join(name.replace(['<', '>', '/'], "_"));
        std::fs::create_dir(&folder).unwrap();
        let server = Server::start("wework", &[]);
        copy(office("wework", &server.url).path(), &folder);
        servers.push(server);
        edit(&folder, "name: wework-republique", &format!("name: \"{name}\""));
        match name {
            "invalid-office" => edit(&folder, "label: Accueil }", "label: Accueil, ring: loudly }"),
            "blocked-<i>office</i>" => {
                edit(&folder, "{ to: receptionist/main, label: Accueil }", "{ to: user/203, label: \"<b>&\" }");
                edit(&folder, "members: [", "members: [user/203, ");
            }
            _ => {}
        }
    }
    (root, servers)
}

fn relabel(server: &Server, label: &str) {
    let id = server.number(NUMBER)["id"].as_str().unwrap().to_owned();
    server.patch(&format!("numbers/{id}"), &json!({ "label": label }));
}

/// The state word that the page shows of an account.
fn badge(account: &str) -> String {
    format!("document.querySelector('li[data-account=\"{account}\"] .badge')?.textContent")
}

/// What Deque's axe finds, if it was installed.
pub fn inspect(browser: &Browser, place: &str) {
    let Some(axe) = std::env::var_os("STROWGER_AXE") else {
        let required = std::env::var("STROWGER_TOOLS").is_ok_and(|value| value == "required");
        assert!(!required, "STROWGER_AXE is not set");
        println!("skipped: STROWGER_AXE is not set; run STROWGER_AXE=$(scripts/axe) cargo test");
        return;
    };
    browser.run(&std::fs::read_to_string(axe).unwrap(), &[]);
    let script = "const done = arguments[arguments.length - 1]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', \
                  'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(done, (error) => done(String(error)));";
    let found = browser.run_async(script);
    assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 10), "{found}");
    let violations: Vec<String> = found["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let nodes = rule["nodes"].as_array().unwrap().iter();
            let nodes: Vec<String> =
                nodes.map(|node| format!("  {}: {}", node["html"], node["failureSummary"])).collect();
            format!("{}: {}\n{}", rule["id"], rule["help"], nodes.join("\n"))
        })
        .collect();
    assert!(violations.is_empty(), "{place}:\n{}", violations.join("\n"));
}

#[test]
fn the_page_shows_how_accounts_stand_and_keeps_up_without_reload() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let watch = Watch::start(folder.path(), &["--interval", "300ms", "--listen", "127.0.0.1:0"]);
    let url = address(&watch);
    browser.size(1280, 900);
    browser.open(&url);
    // The example and its account differ at first.
    browser.until(&format!("{} === 'Drifted'", badge("wework-republique")));
    browser.until("document.getElementById('connection').textContent === 'Live'");
    // Reloading would forget this; so would opening and the focus.
    browser.run("window.untouched = true; document.querySelector('details[data-key=history] summary').focus()", &[]);
    browser.press(ENTER);
    browser.until("document.querySelector('details[data-key=history]').open");
    let head = "document.querySelector('.history li').innerText";
    let before = browser.run(&format!("return {head}"), &[]);
    relabel(&server, "Changed <b>in</b> the portal");
    browser.until("document.querySelector('.changes').innerText.includes('Changed <b>in</b> the portal')");
    browser.until(&format!("{head} !== {before}"));
    assert_eq!(browser.run("return window.untouched", &[]), true, "the page was reloaded");
    browser.until("document.querySelector('details[data-key=history]').open");
    browser.until("document.activeElement?.closest('details')?.dataset.key === 'history'");
    // Everything is taken back by hand: the account moves to the others, and that is said.
    let wanted = server.number(NUMBER)["label"].clone();
    assert_ne!(wanted, "Ventes");
    let applied = crate::support::commands::strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    browser.until("document.querySelector('#in-sync li[data-account=\"wework-republique\"]')");
    browser.until("document.getElementById('announcement').textContent === 'wework-republique: In sync'");
    browser.until("document.title.startsWith('1 account, none needs attention')");
    browser.until("document.activeElement !== document.body");
    relabel(&server, "Once more");
    browser.until("document.querySelector('#attention li[data-account=\"wework-republique\"]')");
    // The account's own page keeps up as well.
    browser.open(&format!("{url}/accounts/wework-republique"));
    browser.until("document.querySelector('.changes')?.innerText.includes('Once more')");
    relabel(&server, "And again");
    browser.until("document.querySelector('.changes')?.innerText.includes('And again')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // When the process is gone, the page says so; when it is back, the page is as well, with what happened meanwhile.
    assert_eq!(watch.stop(), Some(0));
    browser.until("document.getElementById('connection').textContent.startsWith('Connection lost')");
    relabel(&server, "While nobody watched");
    let address = url.strip_prefix("http://").unwrap();
    let _watch = Watch::start(folder.path(), &["--interval", "300ms", "--listen", address]);
    browser.until("document.getElementById('connection').textContent === 'Live'");
    browser.until("document.querySelector('.changes')?.innerText.includes('While nobody watched')");
}

#[test]
fn the_page_is_for_everybody() {
    let Some(browser) = Browser::start() else { return };
    let (root, _servers) = fleet();
    let watch = Watch::start(root.path(), &["--mode", "correct", "--interval", "1h", "--listen", "127.0.0.1:0"]);
    let url = address(&watch);
    browser.size(1280, 900);
    browser.open(&url);
    browser.until(&format!("{} === 'In sync'", badge("paris-république")));
    browser.until(&format!("{} === 'Blocked'", badge("blocked-<i>office</i>")));
    browser.until("document.getElementById('connection').textContent === 'Live'");
    let text = browser.text();
    for part in ["blocked-<i>office</i>", "\"<b>&\"", "blocked by: protected", "have errors", "/approve", "In sync"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(
        browser.run("return document.querySelectorAll('main i, main dd b').length", &[]),
        0,
        "text became markup"
    );

    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        for (width, height) in [(1280, 900), (360, 740)] {
            browser.size(width, height);
            inspect(&browser, &format!("{scheme}, {width}"));
            let wide = browser.run("return document.documentElement.scrollWidth - innerWidth", &[]);
            assert!(wide.as_i64().unwrap() <= 0, "{scheme}, {width}: {wide} too wide");
            browser.picture(&pictures().join(format!("{scheme}-{width}.png")), true);
        }
    }
    browser.scheme("light");
    browser.size(1280, 900);

    // With the keyboard alone: from the top through everything in the order in which it stands, and Enter opens.
    browser.open(&url);
    browser.until("document.getElementById('connection').textContent === 'Live'");
    let mut walk = Vec::new();
    for _ in 0..60 {
        browser.press(TAB);
        let script = "const it = document.activeElement; if (it === document.body) return null; \
                      const outlined = getComputedStyle(it).outlineStyle !== 'none'; \
                      return [it.tagName, it.innerText ?? '', it.getBoundingClientRect().top + scrollY, outlined]";
        let here = browser.run(script, &[]);
        if here.is_null() {
            break;
        }
        walk.push(here);
    }
    let tags: Vec<&str> = walk.iter().map(|here| here[0].as_str().unwrap()).collect();
    assert_eq!(walk[0][1], "Skip to the accounts");
    assert!(tags.contains(&"INPUT") && tags.contains(&"SUMMARY"), "{walk:?}");
    assert!(walk.iter().all(|here| here[3] == true), "something has no visible focus: {walk:?}");
    let tops: Vec<f64> = walk[1..].iter().map(|here| here[2].as_f64().unwrap()).collect();
    assert!(tops.windows(2).all(|pair| pair[1] > pair[0] - 60.0), "the order jumps: {walk:?}");
    browser.run("document.querySelector('details[data-key=history] summary').focus()", &[]);
    for open in [true, false] {
        browser.press(ENTER);
        browser.until(&format!("document.querySelector('details[data-key=history]').open === {open}"));
    }
    let controls = browser.controls();
    let nameless: Vec<_> = controls.iter().filter(|(_, name)| name.trim().is_empty()).collect();
    assert!(controls.len() > 10 && nameless.is_empty(), "{nameless:?} of {controls:?}");
    assert!(controls.iter().any(|(role, name)| role == "searchbox" && name == "Find accounts"), "{controls:?}");

    // The filter finds while somebody types.
    browser.run("const q = document.getElementById('q'); q.value = 'PARIS'; q.dispatchEvent(new Event('input'))", &[]);
    browser.until("document.getElementById('found').textContent === '1 found'");
    browser.until("document.querySelector('li[data-account^=blocked]').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // Accounts come and go with their files, and so does what is wrong with those.
    browser.run("const q = document.getElementById('q'); q.value = ''; q.dispatchEvent(new Event('input'))", &[]);
    edit(&root.path().join("invalid-office"), ", ring: loudly }", " }");
    browser.until("document.querySelector('li[data-account=\"invalid-office\"]')");
    browser.until("!document.querySelector('.alarm')");
    std::fs::remove_dir_all(root.path().join("invalid-office")).unwrap();
    browser.until("!document.querySelector('li[data-account=\"invalid-office\"]')");
    browser.until("document.querySelector('.counts a[href=\"/\"] b').textContent === '2'");

    // Without any script it is the same page, and the filter asks the server.
    browser.command("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&format!("{url}/?q=paris&state=in_sync"));
    let listed = super::http::get(&format!("{url}/?q=paris&state=in_sync")).text.matches("<li class=\"line").count();
    assert_eq!(listed, 1);
    drop(watch);
}

#[test]
fn a_thousand_accounts_stay_usable() {
    let Some(browser) = Browser::start() else { return };
    let root = tempfile::tempdir().unwrap();
    let number = |index: usize| format!("+331426{index:05}");
    for index in 0..1000 {
        let folder = root.path().join(format!("office-{index:04}"));
        std::fs::create_dir(&folder).unwrap();
        let label = if index % 10 == 0 { "Other" } else { "Front" };
        let text = format!(
            "version: 1\naccount: {{ name: office-{index:04}, country: FR, provider: snapshot, file: live/live.yaml }}\n\
             numbers:\n  \"{}\": {{ to: none, label: {label} }}\n",
            number(index)
        );
        std::fs::write(folder.join("account.yaml"), text).unwrap();
        let live = format!(
            "snapshot: 1\naccount: {{ name: Office, country: FR }}\nnumbers:\n  \"{}\": {{ label: Front }}\n",
            number(index)
        );
        std::fs::create_dir(folder.join("live")).unwrap();
        std::fs::write(folder.join("live/live.yaml"), live).unwrap();
    }
    let watch = Watch::start(root.path(), &["--interval", "5s", "--listen", "127.0.0.1:0"]);
    let url = address(&watch);
    watch.until("ready", || super::http::get(&format!("{url}/readyz")).status == 200);
    browser.size(1280, 900);
    browser.open(&url);
    browser.until("document.getElementById('connection').textContent === 'Live'");
    browser.until("document.querySelectorAll('li[data-account]').length === 1000");
    let count = |state: &str| -> Value {
        browser.run(
            "return document.querySelector(`.counts a[href='/?state=${arguments[0]}'] b`)?.textContent",
            &[state.into()],
        )
    };
    assert_eq!((count("drifted"), count("in_sync")), (json!("100"), json!("900")), "{}", browser.text());
    assert_eq!(browser.run("return document.querySelectorAll('#attention > .card').length", &[]), 40);
    let bytes = super::http::get(&url).text.len();
    assert!(bytes < 2 << 20, "{bytes} bytes");
    // Typing stays quick while looks come in.
    let took = browser.run(
        "const q = document.getElementById('q'), began = performance.now(); \
         for (const text of ['o', 'of', 'office-0123']) { q.value = text; q.dispatchEvent(new Event('input')); } \
         return performance.now() - began",
        &[],
    );
    browser.until("document.getElementById('found').textContent === '1 found'");
    println!("1,000 accounts: {bytes} bytes, three letters in {took} ms");
    assert!(took.as_f64().unwrap() < 1500.0, "{took} ms for three letters");
    browser.run("const q = document.getElementById('q'); q.value = ''; q.dispatchEvent(new Event('input'))", &[]);
    browser.picture(&pictures().join("thousand.png"), false);
}
