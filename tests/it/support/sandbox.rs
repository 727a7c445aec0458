//! What the sandbox tests share: a server on a free port, a client that knows the token, a small seed.

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use strowger::sandbox::{self, Faults, Running, SandboxOptions, Seed};

pub const TOKEN: &str = "administrator-token";
pub const READ_TOKEN: &str = "reader-token";
pub const SEED: &str = include_str!("../sandbox/wework.yaml");

/// A running server and a client for it.
pub struct Account {
    pub server: Running,
    pub http: reqwest::Client,
    pub url: String,
}

/// One answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// Asserts the status and, for failures, that the body is a proper problem document.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        if status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json");
            assert_eq!(self.body["status"], status);
            let code = self.body["code"].as_str().unwrap();
            assert_eq!(self.body["type"], format!("urn:strowger:problem:{code}"));
            assert!(self.body["title"].is_string() && self.body["detail"].is_string());
        }
        self
    }

    /// Asserts a problem's status and code.
    pub fn problem(self, status: u16, code: &str) -> Self {
        let this = self.expect(status);
        assert_eq!(this.body["code"], code, "{}", this.body);
        this
    }
}

pub fn options() -> SandboxOptions {
    let mut options = SandboxOptions::new(TOKEN);
    options.read_token = Some(READ_TOKEN.to_owned());
    options
}

pub fn seeded() -> SandboxOptions {
    SandboxOptions { seed: Some(Seed::from_yaml(SEED).unwrap()), ..options() }
}

pub fn client() -> reqwest::Client {
    // The crate brings no default TLS provider; a client cannot be built without one, plain HTTP or not.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub async fn start(options: SandboxOptions) -> Account {
    let server = sandbox::start(options).await.unwrap();
    Account { url: server.url(), server, http: client() }
}

pub async fn start_with(faults: Faults) -> Account {
    start(SandboxOptions { faults, ..seeded() }).await
}

impl Account {
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/v1/{path}", self.url)).bearer_auth(TOKEN)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// All objects of a collection, by one page.
    pub async fn items(&self, collection: &str) -> Vec<Value> {
        let answer = self.get(&format!("{collection}?limit=1000")).await.expect(200);
        answer.body["items"].as_array().unwrap().clone()
    }

    /// The object whose `field` is `value`.
    pub async fn find(&self, collection: &str, field: &str, value: &str) -> Value {
        self.items(collection).await.into_iter().find(|item| item[field] == value).unwrap()
    }

    /// The path of the object whose `field` is `value`.
    pub async fn path(&self, collection: &str, field: &str, value: &str) -> String {
        format!("{collection}/{}", self.find(collection, field, value).await["id"].as_str().unwrap())
    }
}

pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    read(request.send().await.unwrap()).await
}

pub async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    Answer { status, headers, body }
}
