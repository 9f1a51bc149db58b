//! The few lines of HTTP that it takes to see whether a server of ours answers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};

/// A server that does not answer in this time is not well; before its first status it tries what the machine can run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest answer that is read, bytes: a page or a short JSON document.
const LONGEST: u64 = 1 << 20;

/// Status and body of `GET path` at `address` (`127.0.0.1:8080`).
pub(crate) fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("nothing listens at {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    // In one piece: a server that answers after its first read and closes would else reset what is still on its way.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{extra}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).context("the answer did not come whole")?;
    parse(&String::from_utf8_lossy(&answer)).context("the answer is not HTTP")
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_are_parsed() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", Some((200, "body"))),
            ("HTTP/1.0 404 Not Found\r\n\r\n", Some((404, ""))),
            ("HTTP/1.1 200", None),
            ("SSH-2.0\r\n\r\n", None),
        ] {
            assert_eq!(parse(answer), expected.map(|(status, body)| (status, body.to_owned())));
        }
    }

    #[test]
    fn a_server_is_asked_as_a_browser_would() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        assert_eq!(get(&address, "/a", &[("X-Token", "t")]).unwrap(), (200, "hello".to_owned()));
        let asked = server.join().unwrap();
        assert_eq!(asked, format!("GET /a HTTP/1.0\r\nHost: {address}\r\nX-Token: t\r\n\r\n"));
    }
}
