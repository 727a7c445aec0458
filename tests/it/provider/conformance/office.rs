//! The Account API, by the embedded account.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use strowger::providers::office::Office;
use strowger::providers::settings::StateFile;
use strowger::providers::{ClientOptions, Provider, RetryPolicy, Secret};
use strowger::sandbox::{self, Running, SandboxOptions, Seed};

use super::subject::{SEED, Subject};

const TOKEN: &str = "conformance-token";

pub struct AccountApi {
    server: Running,
    url: String,
}

impl Subject for AccountApi {
    const WORD: &'static str = "office";

    async fn start(state: &Path) -> Self {
        let mut options = SandboxOptions::new(TOKEN);
        options.seed = (!state.exists()).then(|| Seed::from_yaml(SEED).unwrap());
        options.state = StateFile::File(state.to_owned());
        let server = sandbox::start(options).await.unwrap();
        let url = server.url();
        Self { server, url }
    }

    fn url(&self) -> &str {
        let _ = &self.server;
        &self.url
    }

    fn provider(url: &str) -> Box<dyn Provider> {
        let retry = RetryPolicy { first_pause: Duration::from_millis(2), attempts: 3, ..RetryPolicy::default() };
        let options = ClientOptions { retry, ..ClientOptions::default() };
        Box::new(Office::new(url, Secret::new(TOKEN), options).unwrap())
    }

    /// A group's id is no field of the model's.
    async fn unmodelled(url: &str) -> BTreeMap<String, String> {
        let request = crate::support::sandbox::client().get(format!("{url}/v1/ring_groups?limit=100"));
        let page: serde_json::Value = request.bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
        let groups = page["items"].as_array().unwrap().iter();
        groups.map(|group| (group["name"].as_str().unwrap().to_owned(), group["created_at"].to_string())).collect()
    }
}
