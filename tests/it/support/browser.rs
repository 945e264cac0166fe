//! A headless Chromium, driven over its `DevTools` protocol.
//!
//! What a page did wrong (errors on the console, exceptions, breaches of its content policy) is kept. The protocol is JSON in
//! `WebSocket` frames on 127.0.0.1; what it needs of both is here, so the tests bring no crate and no driver. Dropping it ends
//! the browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{PATIENCE, setting, skip};

/// Names under which the browser may be installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    socket: TcpStream,
    last_id: u64,
    wrongs: Vec<String>,
    /// Removed when the browser has ended.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; `None`, said by [`skip`], when none is installed.
    pub(crate) fn start(width: u32, height: u32) -> Option<Self> {
        let Some(program) = installed() else {
            skip("no Chromium on PATH");
            return None;
        };
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut process = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--window-size={width},{height}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a browser that starts");
        let mut lines = BufReader::new(process.stderr.take().expect("standard error")).lines();
        let address = lines
            .find_map(|line| {
                line.ok()?.strip_prefix("DevTools listening on ws://")?.split_once('/').map(|(host, _)| host.to_owned())
            })
            .expect("a browser that listens");
        // It must not meet a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let socket = connect(&address);
        let mut browser = Self { process, socket, last_id: 0, wrongs: Vec::new(), _profile: profile };
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Opens an address and waits until its widgets have their answers.
    pub(crate) fn open(&mut self, address: &str) {
        self.call("Page.navigate", json!({ "url": address }));
        self.ready();
    }

    /// Runs this in every document that is opened from now on, before anything of its own.
    pub(crate) fn before_every_page(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Waits until the page says that it is drawn.
    pub(crate) fn ready(&mut self) {
        // Between two documents there is none.
        self.until("document.documentElement?.dataset.ready === 'true'");
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != Value::Bool(true) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {expression}; {:?}", self.wrongs);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The value of an expression in the page; of a promise, what it becomes.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key, by its DOM name.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if key == "Enter" && kind == "keyDown" { json!("\r") } else { Value::Null };
            let mut event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if !text.is_null() {
                event["text"] = text;
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// What went wrong in the page since it was asked last.
    pub(crate) fn wrongs(&mut self) -> Vec<String> {
        // What happened before the answer to a question has been told by then.
        self.value("1");
        std::mem::take(&mut self.wrongs)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        send(&mut self.socket, &json!({ "id": id, "method": method, "params": parameters }).to_string());
        loop {
            let message: Value = serde_json::from_str(&receive(&mut self.socket)).expect("JSON");
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            let details = &message["params"];
            match message["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => self.wrongs.push(details["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if details["type"] == "error" => self.wrongs.push(details["args"].to_string()),
                "Log.entryAdded" if details["entry"]["level"] == "error" => {
                    self.wrongs.push(details["entry"]["text"].to_string());
                }
                _ => {}
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill().is_ok() && self.process.wait().is_ok();
    }
}

fn installed() -> Option<PathBuf> {
    let path = setting("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.is_file())
}

/// The `WebSocket` of the browser's first page.
fn connect(address: &str) -> TcpStream {
    let mut list = TcpStream::connect(address).expect("the browser's port");
    write!(list, "GET /json/list HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request");
    list.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // The browser keeps the connection open: the body ends with the list.
    let mut text = String::new();
    let mut reader = BufReader::new(list);
    while !text.trim_end().ends_with(']') {
        assert!(reader.read_line(&mut text).expect("an answer") > 0, "{text}");
    }
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    let targets: Value = serde_json::from_str(body).expect("a list");
    let page = targets.as_array().expect("a list").iter().find(|target| target["type"] == "page").expect("a page");
    let url = page["webSocketDebuggerUrl"].as_str().expect("its address").to_owned();
    let path = url.strip_prefix("ws://").and_then(|rest| rest.split_once('/')).map(|(_, path)| path).expect("a path");
    let mut socket = TcpStream::connect(address).expect("the browser's port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let head =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {address}\r\n{head}\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(read(&mut socket, 1)[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    socket
}

/// One text frame. A mask of zeros leaves the bytes as they are; on this machine nobody else reads them.
fn send(socket: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81];
    match text.len() {
        short if short < 126 => frame.push(0x80 | u8::try_from(short).expect("short")),
        middle if middle < 65_536 => {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(middle).expect("middle").to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    socket.write_all(&frame).expect("a browser that reads");
}

/// One whole message.
fn receive(socket: &mut TcpStream) -> String {
    let mut message = Vec::new();
    loop {
        let head = read(socket, 2);
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(read(socket, 2).try_into().expect("two bytes"))),
            127 => u64::from_be_bytes(read(socket, 8).try_into().expect("eight bytes")),
            short => u64::from(short),
        };
        let bytes = read(socket, usize::try_from(length).expect("fits"));
        // Text and its continuations; the rest is about the connection.
        if matches!(head[0] & 0x0f, 0 | 1) {
            message.extend(bytes);
            if head[0] & 0x80 != 0 {
                return String::from_utf8(message).expect("text");
            }
        }
    }
}

fn read(socket: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    socket.read_exact(&mut bytes).expect("a browser that answers");
    bytes
}
