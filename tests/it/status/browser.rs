//! A real browser, driven over the `WebDriver` protocol by a `chromedriver` of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::http::send;
use super::tool;

/// A browser with one window, ended with the test.
pub struct Browser {
    driver: Child,
    session: String,
    /// The browser's process, for tests that fail.
    process: u32,
    _profile: tempfile::TempDir,
}

/// A driver and its port; none if it ended instead.
fn listening(driver: &Path) -> Option<(Child, String)> {
    let mut driver = Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port =
        lines.find_map(|line| Some(line.split("successfully on port ").nth(1)?.trim_end_matches('.').to_owned()));
    std::thread::spawn(move || lines.for_each(drop));
    if port.is_none() {
        driver.wait().unwrap();
    }
    Some((driver, port?))
}

impl Browser {
    /// None if it is not installed and need not be.
    pub fn start() -> Option<Self> {
        let (driver, chromium) = (tool("chromedriver")?, tool("chromium")?);
        let profile = tempfile::tempdir().unwrap();
        // It looks for a free port and then takes it, and another one that starts now may be faster.
        let (driver, port) = (0..5).find_map(|_| listening(&driver)).expect("a chromedriver that listens");
        let base = format!("http://127.0.0.1:{port}");
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            // Tests may run as root, in a container with little shared memory.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            &profile_argument,
        ];
        let options = json!({ "binary": chromium, "args": arguments });
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = send("POST", &format!("{base}/session"), |request| request.json(&capabilities)).json();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let process = answer["value"]["capabilities"]["goog:processID"].as_u64().unwrap().try_into().unwrap();
        Some(Self { driver, session: format!("{base}/session/{id}"), process, _profile: profile })
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = send("POST", &format!("{}/{path}", self.session), |request| request.json(body));
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        answer.json()["value"].take()
    }

    pub fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// What a script returns; `arguments` are in `arguments`.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// What a script hands to the last of its arguments.
    #[track_caller]
    pub fn run_async(&self, script: &str) -> Value {
        self.post("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// A command of the browser's own protocol.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    /// Waits until a script returns something true.
    #[track_caller]
    pub fn until(&self, script: &str) {
        let began = Instant::now();
        let mut last = Value::Null;
        while last != true {
            assert!(began.elapsed() < Duration::from_secs(60), "never: {script}\n{}", self.text());
            last = self.run(&format!("return Boolean({script})"), &[]);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// What somebody reads.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText", &[]).as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key.
    pub fn press(&self, key: &str) {
        let actions = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.post("actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }));
    }

    pub fn size(&self, width: u32, height: u32) {
        let mobile = width < 500;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// `light` or `dark`.
    pub fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// A picture of the whole page, or of what is in sight.
    pub fn picture(&self, file: &Path, whole: bool) {
        let options = json!({ "format": "png", "captureBeyondViewport": whole });
        let data = self.command("Page.captureScreenshot", &options);
        let bytes = base64::engine::general_purpose::STANDARD.decode(data["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// What the browser complains of.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The role and name of everything that assistive software lets people use.
    pub fn controls(&self) -> Vec<(String, String)> {
        let tree = self.command("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let of = |node: &Value, key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
        nodes
            .filter(|node| node["ignored"] != true)
            .filter(|node| {
                let focusable =
                    |property: &Value| property["name"] == "focusable" && property["value"]["value"] == true;
                node["properties"].as_array().is_some_and(|all| all.iter().any(focusable))
            })
            .map(|node| (of(node, "role"), of(node, "name")))
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = Command::new("kill").arg(self.process.to_string()).status();
        } else {
            let _ = send("DELETE", &self.session, |request| request);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
