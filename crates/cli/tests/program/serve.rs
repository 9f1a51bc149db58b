//! `catamaran serve`, the real program: what it serves, and each thing that it refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use crate::common::{SMALL, catamaran, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Server {
    child: Child,
    address: SocketAddr,
    token: String,
    _page: TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

impl Server {
    fn start() -> Self {
        let page = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(page.path().join(name), text).unwrap();
        write("index.html", "<!doctype html><script type=\"module\">alert(1)</script>");
        write("web-0123456789abcdef_bg.wasm", "\0asm");
        write("worker.js", "1");
        std::fs::write(page.path().parent().unwrap().join("catamaran-secret.txt"), "secret").unwrap();
        let mut child =
            catamaran(&["serve", "--addr", "127.0.0.1:0", "--dist", text(page.path())]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let words = line.split_whitespace().collect::<Vec<_>>();
        let [ready, url, seconds] = words[..] else { panic!("{line:?}") };
        assert_eq!(ready, "ready");
        assert!(seconds.parse::<f64>().is_ok(), "{line:?}");
        let (address, token) = url.strip_prefix("http://").unwrap().split_once("/#token=").unwrap();
        let (address, token) = (address.parse().unwrap(), token.to_owned());
        Self { child, address, token, _page: page }
    }

    fn own_name(&self) -> String {
        self.address.to_string()
    }

    /// Sends the head as it is.
    fn raw(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // A body that is refused unread may break the connection.
        let _ = stream.write_all(body.as_bytes());
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        self.raw(&(head + "\r\n"), body)
    }

    /// As the page asks.
    fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [
            ("Host", self.own_name()),
            ("X-Catamaran-Token", self.token.clone()),
            ("Content-Type", "application/json".to_owned()),
            ("Origin", format!("http://{}", self.address)),
        ];
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        self.request(method, path, &headers, body)
    }

    fn interrupt(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn order(scenario: &str, platform: &str) -> String {
    json!({ "scenario": scenario, "platform": platform }).to_string()
}

#[test]
fn a_foreign_host_is_refused() {
    let server = Server::start();
    let port = server.address.port();
    for path in ["/", "/api/status"] {
        for host in [
            "evil.example".to_owned(),
            format!("evil.example:{port}"),
            "127.0.0.1".into(),
            "127.0.0.1:1".into(),
        ] {
            let answer =
                server.request("GET", path, &[("Host", &host), ("X-Catamaran-Token", &server.token)], "");
            assert_eq!(answer.status, 403, "{host}");
            assert!(answer.json()["error"].as_str().unwrap().contains("foreign Host"), "{}", answer.body);
        }
        for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
            let answer =
                server.request("GET", path, &[("Host", &host), ("X-Catamaran-Token", &server.token)], "");
            assert_eq!(answer.status, 200, "{host}");
        }
    }
    let missing = server.request("GET", "/", &[], "");
    assert!([400, 403].contains(&missing.status), "{}", missing.head);
}

#[test]
fn a_foreign_origin_is_refused() {
    let server = Server::start();
    let own = server.own_name();
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"] {
        let headers = [("Host", own.as_str()), ("Origin", origin), ("X-Catamaran-Token", &server.token)];
        for (method, path) in
            [("GET", "/api/status"), ("POST", "/api/run"), ("OPTIONS", "/api/run"), ("GET", "/")]
        {
            let answer = server.request(method, path, &headers, "");
            assert_eq!(answer.status, 403, "{method} {path} from {origin}");
            assert!(answer.json()["error"].as_str().unwrap().contains("foreign Origin"), "{}", answer.body);
            assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        }
    }
}

#[test]
fn a_missing_or_wrong_token_is_refused() {
    let server = Server::start();
    let own = server.own_name();
    for (method, path) in [
        ("GET", "/api/status"),
        ("POST", "/api/run"),
        ("GET", "/api/run/1"),
        ("DELETE", "/api/run/1"),
        ("GET", "/api/nothing"),
        ("GET", "/api"),
    ] {
        let answer = server.request(method, path, &[("Host", &own)], "");
        assert_eq!(answer.status, 401, "{method} {path}");
        assert!(answer.json()["error"].as_str().unwrap().contains("token is missing"), "{}", answer.body);
        let wrong =
            server.request(method, path, &[("Host", &own), ("X-Catamaran-Token", &server.token[1..])], "");
        assert_eq!(wrong.status, 401, "{method} {path}");
    }
    assert!(server.token.len() >= 32, "128 bits at least");
    assert_ne!(server.token, Server::start().token);
}

#[test]
fn an_oversized_body_is_refused() {
    let server = Server::start();
    let fits = server.api("POST", "/api/run", &order(&"#".repeat(200 * 1024), "bare-metal"));
    assert_eq!(fits.status, 422, "read, and found to be no scenario: {}", fits.body);
    let answer = server.api("POST", "/api/run", &order(&"#".repeat(257 * 1024), "bare-metal"));
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.json()["error"].as_str().unwrap().contains("256 KiB"), "{}", answer.body);
}

#[test]
fn an_unvalidated_scenario_is_refused() {
    let server = Server::start();
    let with = |before: &str, after: &str| {
        assert!(SMALL.contains(before), "{before}");
        SMALL.replace(before, after)
    };
    let table = [
        ("hello".to_owned(), 400, "JSON"),
        ("{}".to_owned(), 422, "scenario"),
        (json!({ "scenario": SMALL, "platform": "bare-metal", "argv": [] }).to_string(), 422, "argv"),
        (order("", "bare-metal"), 422, "schema"),
        (order(&with("cores = 1", "coers = 1"), "bare-metal"), 422, "did you mean"),
        (order(&with("duration = \"1s\"", "duration = \"61s\""), "bare-metal"), 422, "duration"),
        (order(&with("\"256MiB\"", "\"900GiB\""), "bare-metal"), 422, "host.memory"),
        (order(&with("threads = 2", "threads = 62"), "bare-metal"), 422, "processes and threads"),
        (
            order(&with("name = \"batch\"", "name = \"batch\"\nreplicas = 40"), "bare-metal"),
            422,
            "processes and threads",
        ),
        (
            order(
                &with(
                    "kind = \"compute\", threads = 2, work = \"200ms\"",
                    "kind = \"command\", argv = [\"/bin/true\"]",
                ),
                "bare-metal",
            ),
            422,
            "command",
        ),
        (
            order(
                &with(
                    "{ kind = \"compute\", threads = 2, work = \"200ms\" }",
                    "{ phases = [{ kind = \"idle\", for = \"1ms\" }, { kind = \"command\", argv = [\"/bin/true\"], like = { kind = \"idle\" } }] }",
                ),
                "bare-metal",
            ),
            422,
            "a page may not",
        ),
        (order(SMALL, "bare-metl"), 422, "no platform"),
        (order(SMALL, "kubernetes"), 422, "kubernetes"),
    ];
    for (body, status, says) in table {
        let answer = server.api("POST", "/api/run", &body);
        assert_eq!(answer.status, status, "{body}\n{}", answer.body);
        assert!(answer.json()["error"].as_str().unwrap().contains(says), "no {says:?} in {}", answer.body);
    }
    assert_eq!(server.api("GET", "/api/status", "").json()["running"], Value::Null, "nothing was started");
}

#[test]
fn unknown_routes_are_told_in_json() {
    let server = Server::start();
    for (method, path, status) in [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/run/1", 404),
        ("DELETE", "/api/run/x", 404),
        ("GET", "/api/run", 405),
        ("PUT", "/api/status", 405),
    ] {
        let answer = server.api(method, path, "");
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.json()["error"].is_string());
    }
}

#[test]
fn the_page_comes_with_types_and_headers() {
    let server = Server::start();
    let own = server.own_name();
    let get = |path: &str| server.request("GET", path, &[("Host", &own)], "");
    for (path, kind, cache) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/worker.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/web-0123456789abcdef_bg.wasm", "application/wasm", "public, max-age=31536000, immutable"),
    ] {
        let answer = get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("Content-Type"), Some(kind), "{path}");
        assert_eq!(answer.header("Cache-Control"), Some(cache), "{path}");
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
        let policy = answer.header("Content-Security-Policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'self'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(
            path.ends_with(".js") || path.ends_with(".wasm"),
            !policy.contains("sha256-"),
            "{path}: {policy}"
        );
    }
    for path in [
        "/missing.js",
        "/../catamaran-secret.txt",
        "/%2e%2e/catamaran-secret.txt",
        "/..%2fcatamaran-secret.txt",
    ] {
        let answer = get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(!answer.body.contains("secret"), "{path}");
    }
    assert_eq!(server.api("GET", "/api/status", "").header("Cache-Control"), Some("no-store"));
}

#[test]
fn ctrl_c_ends_it_with_nothing_wrong() {
    let server = Server::start();
    assert_eq!(server.interrupt(), Some(0));
}

/// Needs a machine where `bare-metal` can be run for real; elsewhere it says so and checks that the refusal does.
#[test]
fn a_run_for_real_gives_its_report() {
    let server = Server::start();
    let status = server.api("GET", "/api/status", "").json();
    let platforms = status["platforms"].as_array().unwrap();
    let works = platforms.iter().any(|check| check["name"] == "bare-metal" && check["works"] == true);
    let started = server.api("POST", "/api/run", &order(SMALL, "bare-metal"));
    if !works {
        eprintln!("bare-metal cannot be run here: the refusal was checked instead of the run");
        assert_eq!(started.status, 422, "{}", started.body);
        return;
    }
    assert_eq!(started.status, 202, "{}", started.body);
    let id = started.json()["id"].as_str().unwrap().to_owned();
    let second = server.api("POST", "/api/run", &order(SMALL, "bare-metal"));
    assert_eq!(second.status, 409, "{}", second.body);
    let path = format!("/api/run/{id}");
    let view = loop {
        let view = server.api("GET", &path, "").json();
        if view["state"] != "running" {
            break view;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(view["state"], "completed", "{view}");
    assert_eq!(view["report"]["backend"], "native");
    assert_eq!(view["report"]["tenants"][0]["name"], "shop");
}

#[test]
fn a_run_can_be_cancelled_and_ends_with_the_server() {
    let long = SMALL.replace("duration = \"1s\"", "duration = \"50s\"").replace("\"200ms\"", "\"1h\"");
    let server = Server::start();
    let started = server.api("POST", "/api/run", &order(&long, "bare-metal"));
    if started.status == 422 {
        eprintln!("bare-metal cannot be run here: {}", started.body);
        return;
    }
    assert_eq!(started.status, 202, "{}", started.body);
    let path = format!("/api/run/{}", started.json()["id"].as_str().unwrap());
    let cancelled = server.api("DELETE", &path, "").json();
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    assert_eq!(server.api("POST", "/api/run", &order(&long, "bare-metal")).status, 202, "free again");
    assert_eq!(server.interrupt(), Some(0));
    let left = run(&["clean"]);
    assert_eq!(left.stdout.lines().next(), Some("nothing was left behind"), "{}", left.stdout);
}
