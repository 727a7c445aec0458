//! A stub of GitHub: the part of its REST API that the action uses, and its releases. It holds every request against
//! what GitHub documents and notes what is wrong with it; a test that ends asserts that nothing was.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};

/// What the job may speak to GitHub with.
pub const TOKEN: &str = "ghs_A-planted.token_4c1d";
pub const BOT: &str = "github-actions[bot]";
pub const REPOSITORY: &str = "acme/phones";
/// The repository that hosts the action.
pub const HOST: &str = "strowger-co/strowger";
/// The most characters of a comment.
const LONGEST: usize = 65_536;

#[derive(Clone, Debug)]
pub struct Comment {
    pub id: u64,
    pub issue: u64,
    pub login: String,
    pub body: String,
}

/// An answer that goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    pub method: Method,
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Value,
    /// Whether the request is carried out all the same.
    pub done: bool,
}

#[derive(Default)]
pub struct State {
    pub comments: Vec<Comment>,
    /// Where this is.
    pub url: String,
    /// The pull requests of a commit.
    pub pulls: BTreeMap<String, Vec<Value>>,
    /// The runs of the workflow that applies.
    pub runs: Vec<Value>,
    /// The commits that revisions of the action's repository are.
    pub commits: BTreeMap<String, String>,
    /// Whether the action's repository is there only for whoever has a token.
    pub private: bool,
    /// Where the API sends for a file of a release, if not to its own storage.
    pub storage: Option<String>,
    /// Files of releases, by `TAG/NAME`.
    pub assets: BTreeMap<String, Vec<u8>>,
    /// Answers to the next requests with their method.
    pub faults: VecDeque<Fault>,
    /// A part of the paths that the token may not ask for.
    pub refused: Option<&'static str>,
    /// Who the token belongs to, if not the bot.
    pub login: Option<String>,
    /// The most items of a page, whatever was asked for.
    pub page: Option<usize>,
    /// Method and path of each request to the API.
    pub requests: Vec<String>,
    pub wrong: Vec<String>,
}

pub struct GitHub {
    pub url: String,
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
}

impl GitHub {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        state.lock().unwrap().url.clone_from(&url);
        let router = Router::new().fallback(serve).with_state(state.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, state, _runtime: runtime }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A comment of somebody.
    pub fn say(&self, issue: u64, login: &str, body: &str) {
        let mut state = self.state();
        let id = state.comments.len() as u64 + 1000;
        state.comments.push(Comment { id, issue, login: login.to_owned(), body: body.to_owned() });
    }

    /// The comments of the bot.
    pub fn ours(&self) -> Vec<Comment> {
        self.state().comments.iter().filter(|comment| comment.login == BOT).cloned().collect()
    }

    /// The one comment of the bot.
    #[track_caller]
    pub fn our(&self) -> Comment {
        let ours = self.ours();
        assert_eq!(ours.len(), 1, "{ours:#?}");
        ours[0].clone()
    }

    pub fn fail(&self, method: Method, status: u16, headers: &[(&'static str, &'static str)], message: &str) {
        let body =
            json!({ "message": message, "documentation_url": "https://example.org", "status": status.to_string() });
        self.state().faults.push_back(Fault { method, status, headers: headers.to_vec(), body, done: false });
    }

    /// How many requests began so.
    pub fn count(&self, start: &str) -> usize {
        self.state().requests.iter().filter(|request| request.starts_with(start)).count()
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let state = self.state();
            assert!(state.wrong.is_empty(), "requests that GitHub would mind: {:#?}", state.wrong);
            assert!(state.faults.is_empty(), "nobody met {:?}", state.faults);
        }
    }
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn said(status: u16, body: &Value) -> Answer {
    let json = ("content-type".to_owned(), "application/json; charset=utf-8".to_owned());
    (status, vec![json], serde_json::to_vec(body).unwrap())
}

async fn serve(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let (status, headers, body) = answer(&mut state.lock().unwrap(), &parts.method, &parts.uri, &parts.headers, &body);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

fn answer(state: &mut State, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
    let path = uri.path().to_owned();
    if let Some(asset) = path.strip_prefix(&format!("/{HOST}/releases/download/")) {
        if headers.contains_key("authorization") {
            state.wrong.push(format!("{path}: the token went to where files are"));
        }
        return match state.assets.get(asset).filter(|_| !state.private) {
            Some(bytes) => (200, Vec::new(), bytes.clone()),
            None => (404, Vec::new(), b"Not Found".to_vec()),
        };
    }
    if let Some(asset) = path.strip_prefix("/storage/") {
        if headers.contains_key("authorization") {
            state.wrong.push(format!("{path}: the token went to where files are"));
        }
        return (200, Vec::new(), state.assets[asset].clone());
    }
    state.requests.push(format!("{method} {path}"));
    check(state, method, &path, headers);
    if state.refused.is_some_and(|part| path.contains(part)) {
        return said(403, &json!({ "message": "Resource not accessible by integration" }));
    }
    let fault = state.faults.iter().position(|fault| fault.method == method);
    let fault = fault.and_then(|at| state.faults.remove(at));
    if let Some(fault) = fault {
        if fault.done {
            carry_out(state, method, uri, body);
        }
        let mut answer = said(fault.status, &fault.body);
        answer.1.extend(fault.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        return answer;
    }
    carry_out(state, method, uri, body)
}

/// What GitHub wants of every request.
fn check(state: &mut State, method: &Method, path: &str, headers: &HeaderMap) {
    let accept =
        if path.contains("/releases/assets/") { "application/octet-stream" } else { "application/vnd.github+json" };
    let mut wanted = vec![
        ("authorization", format!("Bearer {TOKEN}")),
        ("accept", accept.to_owned()),
        ("x-github-api-version", "2022-11-28".to_owned()),
        ("user-agent", "strowger-action".to_owned()),
    ];
    if *method != Method::GET {
        wanted.push(("content-type", "application/json".to_owned()));
    }
    for (name, value) in wanted {
        let found: Vec<_> = headers.get_all(name).iter().map(|found| found.to_str().unwrap().to_owned()).collect();
        if found != [value] {
            state.wrong.push(format!("{method} {path}: {name} is {found:?}"));
        }
    }
}

fn carry_out(state: &mut State, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
    let base = format!("/repos/{REPOSITORY}/");
    let missing = || said(404, &json!({ "message": "Not Found" }));
    if let Some(reference) = uri.path().strip_prefix(&format!("/repos/{HOST}/commits/")) {
        let commit = state.commits.get(reference);
        return commit.map_or_else(missing, |sha| said(200, &json!({ "sha": sha })));
    }
    if let Some(rest) = uri.path().strip_prefix(&format!("/repos/{HOST}/releases/")) {
        let named = |(at, name): (usize, &String)| (at, name.clone());
        let files: Vec<(usize, String)> = state.assets.keys().enumerate().map(named).collect();
        if let Some(tag) = rest.strip_prefix("tags/") {
            let of_tag = files.iter().filter_map(|(at, name)| Some((at, name.strip_prefix(&format!("{tag}/"))?)));
            let assets: Vec<_> = of_tag.map(|(at, name)| json!({ "id": at, "name": name })).collect();
            return if assets.is_empty() {
                missing()
            } else {
                said(200, &json!({ "tag_name": tag, "assets": assets }))
            };
        }
        let asset = rest.strip_prefix("assets/").and_then(|id| files.get(id.parse::<usize>().ok()?));
        return asset.map_or_else(missing, |(_, name)| {
            let place = state.storage.clone().unwrap_or_else(|| format!("{}/storage/{name}", state.url));
            (302, vec![("location".to_owned(), place)], Vec::new())
        });
    }
    let Some(rest) = uri.path().strip_prefix(&base) else { return missing() };
    let parts: Vec<&str> = rest.split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["commits", sha, "pulls"]) => {
            let pulls = state.pulls.get(*sha).cloned().unwrap_or_default();
            list(state, uri, pulls)
        }
        ("GET", ["actions", "workflows", "strowger-merge.yml", "runs"]) => {
            for wanted in ["branch=main", "status=success", "per_page=100"] {
                if !uri.query().unwrap_or_default().split('&').any(|pair| pair == wanted) {
                    state.wrong.push(format!("{uri}: no {wanted}"));
                }
            }
            let runs: Vec<_> = state.runs.iter().filter(|run| run["conclusion"] == "success").collect();
            said(200, &json!({ "total_count": runs.len(), "workflow_runs": runs }))
        }
        ("GET", ["issues", number, "comments"]) => {
            let issue: u64 = number.parse().unwrap();
            let items = state.comments.iter().filter(|comment| comment.issue == issue).map(wire).collect();
            list(state, uri, items)
        }
        ("POST", ["issues", number, "comments"]) => match text(state, uri, body) {
            Ok(body) => {
                let id = state.comments.len() as u64 + 5000;
                let login = state.login.clone().unwrap_or_else(|| BOT.to_owned());
                let comment = Comment { id, issue: number.parse().unwrap(), login, body };
                state.comments.push(comment.clone());
                said(201, &wire(&comment))
            }
            Err(answer) => answer,
        },
        ("PATCH", ["issues", "comments", id]) => match text(state, uri, body) {
            Ok(body) => {
                let id: u64 = id.parse().unwrap();
                let Some(comment) = state.comments.iter_mut().find(|comment| comment.id == id) else {
                    return missing();
                };
                comment.body = body;
                said(200, &wire(comment))
            }
            Err(answer) => answer,
        },
        _ => {
            state.wrong.push(format!("{method} {uri}: there is no such operation"));
            missing()
        }
    }
}

fn wire(comment: &Comment) -> Value {
    let kind = if comment.login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({ "id": comment.id, "body": comment.body, "user": { "login": comment.login, "type": kind } })
}

/// The text of a comment, if its document is one.
fn text(state: &mut State, uri: &Uri, body: &[u8]) -> Result<String, Answer> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = document["body"].as_str().unwrap_or_default().to_owned();
    if text.is_empty() || document.as_object().is_none_or(|fields| fields.len() != 1) {
        state.wrong.push(format!("{uri}: the body is {document}"));
    }
    if text.chars().count() > LONGEST {
        state.wrong.push(format!("{uri}: {} characters", text.chars().count()));
        return Err(said(422, &json!({ "message": "Validation Failed" })));
    }
    Ok(text)
}

/// A page of a list, with the header that says whether there is another.
fn list(state: &mut State, uri: &Uri, items: Vec<Value>) -> Answer {
    let asked = |name: &str| {
        let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse::<usize>().ok())
    };
    let (Some(size @ 1..=100), Some(page @ 1..)) = (asked("per_page"), asked("page")) else {
        state.wrong.push(format!("{uri}: no page is asked for"));
        return said(200, &json!(items));
    };
    let size = state.page.unwrap_or(size);
    let more = items.len() > page * size;
    let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    let mut answer = said(200, &json!(shown));
    if page > 1 || more {
        let mut link = format!("<{}?page=1>; rel=\"first\"", uri.path());
        if more {
            link = format!("<{}?page={}>; rel=\"next\", {link}", uri.path(), page + 1);
        }
        answer.1.push(("link".to_owned(), link));
    }
    answer
}
