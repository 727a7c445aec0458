//! A thousand edits, swaps and changes at the portal in a row, over a server that fails: it ends in sync with the last
//! good file, and nothing that the file never mentioned was touched.
#![cfg(unix)]

use crate::support::commands;
use std::fs;
use std::path::Path;

use crate::support::commands::{Server, TOKEN, office};
use crate::support::process::Watch;
use fastrand::Rng;
use serde_json::{Value, json};

const EDITS: usize = 1000;
/// After so many edits the account is waited for.
const BATCH: usize = 40;

/// Asks again and again until the server, which fails, has answered.
struct Portal {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
}

impl Portal {
    fn new(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, client: reqwest::Client::new(), url: url.to_owned() }
    }

    fn answer(&self, build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder) -> Value {
        for _ in 0..200 {
            let answer = self.runtime.block_on(async {
                let answer = build(&self.client).bearer_auth(TOKEN).send().await.ok()?;
                if answer.status().is_success() { answer.json::<Value>().await.ok() } else { None }
            });
            if let Some(answer) = answer {
                return answer;
            }
        }
        panic!("the server never answers");
    }

    fn number(&self, number: &str) -> Value {
        let list = self.answer(|client| client.get(format!("{}/v1/numbers?limit=1000", self.url)));
        list["items"].as_array().unwrap().iter().find(|one| one["number"] == number).unwrap().clone()
    }

    fn patch(&self, number: &str, body: &Value) {
        let id = self.number(number)["id"].as_str().unwrap().to_owned();
        self.answer(|client| client.patch(format!("{}/v1/numbers/{id}", self.url)).json(body));
    }
}

/// Saves a text as one editor or another does.
fn save(folder: &Path, text: &str, random: &mut Rng) {
    let path = folder.join("account.yaml");
    match random.u8(..4) {
        0 => fs::write(path, text).unwrap(),
        1 => {
            fs::write(folder.join(".next"), text).unwrap();
            fs::rename(folder.join(".next"), path).unwrap();
        }
        2 => {
            let _ = fs::remove_file(&path);
            fs::write(path, text).unwrap();
        }
        _ => {
            fs::write(&path, &text[..text.len() / 2]).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

#[test]
fn a_thousand_edits_in_a_row_end_in_sync_with_the_last_good_file() {
    let faults = ["--error-rate", "0.05", "--late-error-rate", "0.03", "--reset-rate", "0.05", "--fault-seed", "7"];
    let server = Server::start("wework", &faults);
    let portal = Portal::new(&server.url);
    let unmanaged = portal.number("+33142685305");
    let folder = office("wework", &server.url);
    let good = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let seed = std::env::var("STROWGER_CHAOS").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11);
    let mut random = Rng::with_seed(seed);
    // Fights are for another test: here somebody changes the same few fields all the time.
    let arguments = ["--mode", "correct", "--interval", "1s", "--fight-limit", "255", "--attempts", "8"];
    let watch = Watch::start(folder.path(), &arguments);
    watch.until("applied", || watch.said().contains("applied"));
    for batch in 0..EDITS / BATCH {
        for edit in 0..BATCH {
            let text = good
                .replace("label: Ventes }", &format!("label: Ventes {batch}-{edit} }}"))
                .replace("ring_for: 20s", ["ring_for: 20s", "ring_for: 25s", "ring_for: 30s"][random.usize(..3)]);
            match random.u8(..10) {
                0 => save(folder.path(), &text.replace("version: 1", "version: one"), &mut random),
                1 => drop(fs::remove_file(folder.path().join("account.yaml"))),
                2 => portal.patch("+33142685303", &json!({ "label": format!("by hand {edit}") })),
                3 => portal.patch("+33142685301", &json!({ "label": "by hand" })),
                _ => save(folder.path(), &text, &mut random),
            }
        }
        let last = format!("Ventes, batch {batch}");
        save(folder.path(), &good.replace("label: Ventes }", &format!("label: \"{last}\" }}")), &mut random);
        watch.until(&format!("in sync after batch {batch}, seed {seed}"), || {
            portal.number("+33142685302")["label"] == *last
                && portal.number("+33142685303")["label"] == "Ventes (vitrine)"
        });
    }
    assert_eq!(watch.stop(), Some(0));
    assert_eq!(portal.number("+33142685305"), unmanaged, "what no file mentions was touched");
    let plan = commands::strowger(folder.path(), &["plan", ".", "--detailed-exitcode", "--attempts", "20"]);
    assert_eq!(plan.status.code(), Some(0), "{}\n{}", String::from_utf8_lossy(&plan.stdout), commands::stderr(&plan));
}
