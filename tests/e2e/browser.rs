//! A headless Chromium with one page, driven through the DevTools protocol over a pipe: no port, no driver program.
//!
//! Everything that the page complains about is kept: exceptions, console errors, refused content, dialogs, requests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

/// How long the browser may take for one answer before the test has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// What keeps it from talking to anybody, and lets it run as root in a container.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
];

/// A running browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    session: Option<String>,
    complaints: Vec<String>,
    requests: Vec<String>,
    loads: u32,
    folder: tempfile::TempDir,
}

impl Browser {
    /// Starts it with an empty page.
    pub(crate) fn start() -> Self {
        let found = Command::new("sh").args(["-c", "command -v chromium"]).stdout(Stdio::null()).status().unwrap();
        assert!(found.success(), "this test needs Chromium: install Debian's package `chromium`");
        let folder = tempfile::tempdir().unwrap();
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        // The browser reads commands from descriptor 3 and answers on 4: the shell puts our pipes there.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec chromium \"$@\" 3<&0 4>&1 0</dev/null 1>&2", "chromium"]).args(FLAGS).arg(profile);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                let parsed = serde_json::from_slice(message.strip_suffix(b"\0").unwrap_or(&message)).unwrap();
                if sender.send(parsed).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let (complaints, requests) = (Vec::new(), Vec::new());
        let mut browser =
            Self { child, input, messages, last_id: 0, session: None, complaints, requests, loads: 0, folder };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach)["sessionId"].as_str().unwrap().to_owned();
        browser.session = Some(session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Starts it and opens a file.
    pub(crate) fn open(file: &Path, anchor: &str) -> Self {
        let mut browser = Self::start();
        browser.size(1280, 900);
        browser.load(file, anchor);
        browser
    }

    /// Calls a method of the protocol and returns its result.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let sent = self.input.write_all(format!("{message}\0").as_bytes()).and_then(|()| self.input.flush());
        sent.unwrap_or_else(|error| panic!("{method}: {error}\n{}", self.log()));
        loop {
            let message = self.receive(method);
            if message["id"] == id {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
        }
    }

    fn receive(&mut self, waiting_for: &str) -> Value {
        let Ok(message) = self.messages.recv_timeout(PATIENCE) else {
            panic!("no answer from the browser to {waiting_for}\n{}", self.log());
        };
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Page.javascriptDialogOpening") => {
                self.complaints.push(params.to_string())
            }
            Some("Runtime.consoleAPICalled") if params["type"] != "log" => self.complaints.push(params.to_string()),
            Some("Log.entryAdded") => self.complaints.push(params["entry"].to_string()),
            Some("Network.requestWillBeSent") => {
                self.requests.push(params["request"]["url"].as_str().unwrap().to_owned());
            }
            Some("Page.loadEventFired") => self.loads += 1,
            _ => {}
        }
        message
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Opens a file, at an anchor if one is given, and waits until it is loaded.
    pub(crate) fn load(&mut self, file: &Path, anchor: &str) {
        // From one page to the same with another anchor nothing would be loaded.
        for url in ["about:blank".to_owned(), format!("file://{}{anchor}", file.display())] {
            let before = self.loads;
            self.call("Page.navigate", &json!({ "url": url }));
            while self.loads == before {
                self.receive("load the page");
            }
        }
    }

    /// The size of the window.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the system prefers: `light` or `dark`.
    pub(crate) fn prefers(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// The value of an expression in the page; a promise is waited for.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &params);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression holds.
    pub(crate) fn wait_until(&mut self, condition: &str) {
        let expression = format!(
            "new Promise((done) => {{ const end = performance.now() + 60000; const look = () => {{ \
             if ({condition}) done(true); else if (performance.now() > end) done(false); \
             else setTimeout(look, 5); }}; look(); }})"
        );
        assert_eq!(self.value(&expression), true, "it never became true: {condition}");
    }

    /// Presses a key: `/`, `Escape`, `Tab`, `Enter`.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Escape" => 27,
            "Tab" => 9,
            "Enter" => 13,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 => key,
            _ => "",
        };
        let mut down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }));
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// A picture of the window, as PNG in base64.
    pub(crate) fn picture(&mut self) -> String {
        let shot = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        shot["data"].as_str().unwrap().to_owned()
    }

    /// What the page complained about so far.
    pub(crate) fn complaints(&mut self) -> &[String] {
        // Events arrive in order: after this answer none from before it is missing.
        self.value("0");
        &self.complaints
    }

    /// What was asked for so far, apart from the empty page.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.value("0");
        self.requests.iter().filter(|url| *url != "about:blank").cloned().collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A closed browser ends its own helpers; a killed one that does not answer loses its pipes.
        let close = json!({ "id": 0, "method": "Browser.close" });
        let asked = self.input.write_all(format!("{close}\0").as_bytes()).and_then(|()| self.input.flush());
        let closed = asked.is_ok()
            && loop {
                match self.messages.recv_timeout(Duration::from_secs(20)) {
                    Ok(_) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break true,
                    Err(mpsc::RecvTimeoutError::Timeout) => break false,
                }
            };
        if !closed {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
