//! The page with accounts in every state, and with texts that would like to be more than text.

use strowger::apply::ShutdownSignal;
use strowger::plan::{Digest, Guard, GuardViolation, Plan};
use strowger::watch::server::{Setup, serve};
use strowger::watch::status::{AccountState, Event, EventKind};
use strowger::watch::{Clock, StatusStore};
use tokio::sync::mpsc;

use super::browser::Browser;
use super::page::{inspect, pictures};

const HOSTILE: &str = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"' onfocus='hacked=1' \u{202e}x";

/// A plan without changes that a guard holds back.
fn plan() -> Plan {
    let block = GuardViolation { guard: Guard::Base, message: HOSTILE.to_owned(), changes: Vec::new(), place: None };
    Plan {
        claim: None,
        version: Plan::VERSION,
        account: HOSTILE.to_owned(),
        account_id: "id".to_owned(),
        changes: Vec::new(),
        in_sync: 3,
        unmanaged: strowger::diff::Unmanaged::default(),
        estimate: strowger::plan::CallEstimate::default(),
        blocked: vec![block],
        unreadable: Vec::new(),
        skipped: Vec::new(),
        only: Vec::new(),
        digest: Digest("0".repeat(64)),
    }
}

fn status_store() -> StatusStore {
    let status_store = StatusStore::default();
    let now = Clock::system().stamp();
    status_store.update_source(|source| {
        HOSTILE.clone_into(&mut source.from);
        source.failing = Some(HOSTILE.to_owned());
        source.errors = vec![HOSTILE.to_owned()];
    });
    for state in AccountState::ALL {
        for (name, says) in [(state.as_str().to_owned(), "as an example"), (format!("{state:?} {HOSTILE}"), HOSTILE)] {
            status_store.update(&name, |account| {
                account.state = state;
                account.provider = "office";
                account.since.clone_from(&now);
                account.last_check = Some(now.clone());
                account.next_check = Some(Clock::system().stamp_in(std::time::Duration::from_secs(90)));
                account.message = (state != AccountState::InSync).then(|| says.to_owned());
                account.findings = if state == AccountState::Invalid { vec![says.to_owned()] } else { Vec::new() };
                account.files.valid = state != AccountState::Suspended;
                account.files.errors =
                    if state == AccountState::Suspended { vec![says.to_owned()] } else { Vec::new() };
                account.degraded = (state == AccountState::Degraded)
                    .then(|| strowger::watch::status::Degraded { objects: 1, reasons: vec![says.to_owned()] });
                account.plan = (state == AccountState::Blocked).then(|| plan().into());
                account.approvable = state == AccountState::Blocked;
                account.add_event(Event {
                    at: now.clone(),
                    kind: EventKind::Drift,
                    message: says.to_owned(),
                    run: None,
                    approval: None,
                });
            });
        }
    }
    status_store
}

#[test]
fn every_state_has_a_word_and_a_shape_and_no_text_is_more_than_text() {
    let Some(browser) = Browser::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (commands, _commands) = mpsc::channel(1);
    let status_store = status_store();
    let setup = Setup {
        status_store: status_store.clone(),
        commands,
        clock: Clock::system(),
        token: None,
        hosts: Vec::new(),
        delivery_counters: Vec::new(),
        stop: ShutdownSignal::never(),
    };
    runtime.spawn(serve(listener, address, setup));
    browser.size(1280, 900);
    browser.open(&format!("http://{address}/"));
    browser.until("document.getElementById('connection').textContent === 'Live'");
    let script = "return [...document.querySelectorAll('li[data-account] .badge')].map((badge) => \
                  [badge.textContent, badge.querySelector('use').getAttribute('href'), \
                  badge.querySelector('svg').getBBox().width > 0])";
    let badges = browser.run(script, &[]);
    let mut seen: Vec<(&str, &str)> = badges
        .as_array()
        .unwrap()
        .iter()
        .map(|badge| {
            assert_eq!(badge[2], true, "a shape is empty: {badge}");
            (badge[0].as_str().unwrap(), badge[1].as_str().unwrap())
        })
        .collect();
    assert_eq!(seen.len(), 2 * AccountState::ALL.len());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), AccountState::ALL.len(), "each state has one word and one shape: {seen:?}");
    // A change while somebody looks is as harmless as the page itself.
    let name = format!("{:?} {HOSTILE}", AccountState::InSync);
    status_store.update(&name, |account| {
        account.state = AccountState::Failing;
        account.message = Some(HOSTILE.to_owned());
    });
    browser.until("document.querySelectorAll('.badge use[href=\"#failing\"]').length === 3");
    let strange = "document.querySelectorAll('main script, main img, main [onerror], main [onfocus]').length";
    assert_eq!(browser.run(&format!("return [{strange}, window.hacked ?? null]"), &[]).to_string(), "[0,null]");
    // The account's own page is found by the same name, and shows it.
    browser.run("[...document.querySelectorAll('a.name')].find((a) => a.textContent.includes('script')).click()", &[]);
    browser.until("location.pathname.startsWith('/accounts/') && document.querySelector('article')");
    assert_eq!(browser.run(&format!("return [{strange}, window.hacked ?? null]"), &[]).to_string(), "[0,null]");
    browser.open(&format!("http://{address}/?q=a&state=failing"));
    browser.open(&format!("http://{address}/"));
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        inspect(&browser, scheme);
        browser.picture(&pictures().join(format!("states-{scheme}.png")), true);
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
