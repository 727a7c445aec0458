//! A stranger's test of the server against its document: `schemathesis` (Python) generates requests from that
//! document, right and wrong ones, and holds the answers against it, with all its checks on.
//!
//! `STROWGER_SCHEMATHESIS` names the executable; `scripts/schemathesis` installs it and prints the path.

use std::path::Path;
use std::process::Command;

use strowger::sandbox::{self, SandboxOptions, Seed};

/// The token is also in `tests/it/sandbox/schemathesis.toml`.
const TOKEN: &str = "administrator-token";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let Some(program) = std::env::var_os("STROWGER_SCHEMATHESIS") else {
        println!(
            "skipped: STROWGER_SCHEMATHESIS is not set; run STROWGER_SCHEMATHESIS=$(scripts/schemathesis) cargo test"
        );
        return;
    };
    let seed = Some(Seed::from_yaml(include_str!("wework.yaml")).unwrap());
    let server = sandbox::start(SandboxOptions { seed, ..SandboxOptions::new(TOKEN) }).await.unwrap();
    let url = server.url();
    let output = tokio::task::spawn_blocking(move || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Command::new(program)
            .current_dir(root)
            .args(["--config-file", "tests/it/sandbox/schemathesis.toml", "run"])
            .arg("schemas/account-api.v1.openapi.yaml")
            .args(["--url", &url])
            .output()
            .expect("the executable runs")
    })
    .await
    .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    server.stop().await;
}
