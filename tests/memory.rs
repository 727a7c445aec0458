//! What a thousand clients in one process cost.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what went wrong by failing")]

use strowger::providers::ClientOptions;
use strowger::providers::Secret;
use strowger::providers::office::Office;

/// Kilobytes of this process in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn a_thousand_clients_of_encrypted_accounts_hold_one_set_of_certificates() {
    let begun = std::time::Instant::now();
    let before = resident().unwrap();
    let offices: Vec<_> = (0..1_000)
        .map(|account| {
            let url = format!("https://account-{account}.example.org");
            Office::new(&url, Secret::new(format!("token-{account}")), ClientOptions::default()).unwrap()
        })
        .collect();
    let kilobytes = resident().unwrap() - before;
    eprintln!("{} clients: {kilobytes} kB, {:?}", offices.len(), begun.elapsed());
    assert!(kilobytes < 8 << 10, "{kilobytes} kB");
}
