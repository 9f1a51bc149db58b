//! Who may come in. Every request must be addressed to our own loopback name and must not come from a foreign page (that keeps out
//! DNS rebinding and forged requests), and `/api` needs the token besides.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rand::TryRng;
use rand::rngs::SysRng;
use subtle::ConstantTimeEq;

use super::refusal::Refusal;
use crate::failure::Failure;

/// The header that carries the token.
pub(crate) const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-catamaran-token");

/// 256 bits of the operating system's randomness.
const TOKEN_BYTES: usize = 32;

/// What a request must show.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    names: Arc<[String]>,
    token: Arc<str>,
}

impl Door {
    /// A door with a fresh token for a server that listens on `address`.
    ///
    /// # Errors
    /// Where the operating system has no randomness to give.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, Failure> {
        let mut bytes = [0; TOKEN_BYTES];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| {
            Failure::Failed(format!("the operating system gives no random token: {error}"))
        })?;
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(Self { names: own_names(address.port()).into(), token: token.into() })
    }

    /// The token, for the URL that is printed.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(HOST).iter();
        let own = |name: &str| self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let named = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().is_ok_and(own),
            _ => false,
        };
        if named && uri.authority().is_none_or(|authority| own(authority.as_str())) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!("foreign Host; this server is {}", self.names.join(", ")),
        ))
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let own = |origin: &str| {
            origin.strip_prefix("http://").is_some_and(|host| self.names.iter().any(|name| name == host))
        };
        if headers.get_all(ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(own)) {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::FORBIDDEN, "foreign Origin; only this server's own page may ask"))
    }

    /// Compared in constant time, so that a wrong token does not tell how much of it was right.
    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = headers.get(TOKEN_HEADER).map_or(&[][..], |value| value.as_bytes());
        if bool::from(given.ct_eq(self.token.as_bytes())) {
            return Ok(());
        }
        let error = if given.is_empty() { "the token is missing" } else { "the token is wrong" };
        Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            format!(
                "{error}; open the page by the URL that `catamaran serve` printed (header X-Catamaran-Token)"
            ),
        ))
    }
}

/// Middleware for every route.
pub(crate) async fn only_from_here(State(door): State<Door>, request: Request, next: Next) -> Response {
    let checked =
        door.check_host(request.uri(), request.headers()).and_then(|()| door.check_origin(request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Middleware for `/api`.
pub(crate) async fn only_with_token(State(door): State<Door>, request: Request, next: Next) -> Response {
    match door.check_token(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// What a browser on this machine may write into Host; the port is left out where it is HTTP's own.
fn own_names(port: u16) -> Vec<String> {
    let names = ["127.0.0.1", "localhost", "[::1]"];
    match port {
        80 => names.iter().map(ToString::to_string).collect(),
        _ => names.iter().map(|name| format!("{name}:{port}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn door() -> Door {
        Door::new(SocketAddr::from(([127, 0, 0, 1], 8080))).unwrap()
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn only_our_own_host_names_open() {
        let table: &[(&[&str], bool)] = &[
            (&["127.0.0.1:8080"], true),
            (&["localhost:8080"], true),
            (&["LocalHost:8080"], true),
            (&["[::1]:8080"], true),
            (&["127.0.0.1"], false),
            (&["127.0.0.1:80"], false),
            (&["127.0.0.1:8080.evil.example"], false),
            (&["evil.example:8080"], false),
            (&["localhost.evil.example:8080"], false),
            (&["127.0.0.1:8080", "evil.example"], false),
            (&[], false),
            (&[""], false),
        ];
        for (hosts, opens) in table {
            let pairs = hosts.iter().map(|host| (HOST, *host)).collect::<Vec<_>>();
            let answer = door().check_host(&Uri::from_static("/"), &headers(&pairs));
            assert_eq!(answer.is_ok(), *opens, "{hosts:?}");
        }
        let own = headers(&[(HOST, "localhost:8080")]);
        assert!(door().check_host(&Uri::from_static("http://evil.example/"), &own).is_err());
    }

    #[test]
    fn only_our_own_origin_opens() {
        let table: &[(&[&str], bool)] = &[
            (&[], true),
            (&["http://127.0.0.1:8080"], true),
            (&["http://localhost:8080"], true),
            (&["https://localhost:8080"], false),
            (&["http://localhost:8081"], false),
            (&["http://localhost"], false),
            (&["http://evil.example"], false),
            (&["null"], false),
            (&["http://127.0.0.1:8080", "http://evil.example"], false),
        ];
        for (origins, opens) in table {
            let pairs = origins.iter().map(|origin| (ORIGIN, *origin)).collect::<Vec<_>>();
            assert_eq!(door().check_origin(&headers(&pairs)).is_ok(), *opens, "{origins:?}");
        }
    }

    #[test]
    fn only_the_whole_token_opens() {
        let door = door();
        let token = door.token().to_owned();
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        assert_ne!(token, self::door().token());
        let given = |text: &str| door.check_token(&headers(&[(TOKEN_HEADER, text)])).is_ok();
        assert!(given(&token));
        assert!(!given(&token[1..]));
        assert!(!given(&format!("{token}0")));
        assert!(!given(""));
        assert!(door.check_token(&HeaderMap::new()).is_err());
    }

    #[test]
    fn the_default_port_is_left_out() {
        assert_eq!(own_names(80), ["127.0.0.1", "localhost", "[::1]"]);
    }
}
