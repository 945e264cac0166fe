//! Who may ask: pages of this server, nobody else.
//!
//! In: the head of a request. Out: whether it may pass. What always holds: a page of another site cannot read an answer, not even
//! when its name was made to point at this machine (DNS rebinding), and cannot make the server do anything.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// Why a request may not pass.
pub(super) type Denied = (StatusCode, &'static str);

/// What the browser is told on every answer. Styles are set by script and by the style sheet, never by attributes; nothing
/// comes from elsewhere.
pub(super) const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cache-control", "no-store"),
];

/// The hosts by which a browser on this machine may call the server.
pub(super) fn hosts(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let mut hosts = vec![address.to_string(), format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
    if port == 80 {
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
    }
    hosts
}

/// Whether a request may pass.
///
/// # Errors
/// The answer to one that may not.
pub(super) fn check(hosts: &[String], method: &Method, headers: &HeaderMap) -> Result<(), Denied> {
    let text = |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let host = text(headers.get(header::HOST));
    if !hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
        return Err((StatusCode::MISDIRECTED_REQUEST, "this server answers only by the address it printed"));
    }
    // Browsers send it with every POST, and with what other sites ask.
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = text(Some(origin));
        let own =
            origin.strip_prefix("http://").is_some_and(|origin| hosts.iter().any(|known| known.eq_ignore_ascii_case(origin)));
        if !own {
            return Err((StatusCode::FORBIDDEN, "only the page of this server may ask"));
        }
    }
    // A form of another site cannot send this type without asking first.
    let content_type = text(headers.get(header::CONTENT_TYPE));
    let json = content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    if *method == Method::POST && !json {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_may_ask() {
        let hosts = hosts("127.0.0.1:8910".parse().unwrap());
        for (name, method, headers, expected) in [
            ("by address", "GET", vec![("host", "127.0.0.1:8910")], None),
            ("by name", "GET", vec![("host", "LOCALHOST:8910")], None),
            ("by the other address", "GET", vec![("host", "[::1]:8910")], None),
            ("a rebound name", "GET", vec![("host", "evil.example:8910")], Some(421)),
            ("another port", "GET", vec![("host", "127.0.0.1:80")], Some(421)),
            ("no host", "GET", vec![], Some(421)),
            (
                "own page",
                "POST",
                vec![
                    ("host", "localhost:8910"),
                    ("origin", "http://localhost:8910"),
                    ("content-type", "application/json; charset=utf-8"),
                ],
                None,
            ),
            ("another site", "GET", vec![("host", "localhost:8910"), ("origin", "http://evil.example")], Some(403)),
            ("a sandboxed page", "GET", vec![("host", "localhost:8910"), ("origin", "null")], Some(403)),
            ("a form", "POST", vec![("host", "localhost:8910"), ("content-type", "text/plain")], Some(415)),
            ("no type", "POST", vec![("host", "localhost:8910")], Some(415)),
        ] {
            let mut map = HeaderMap::new();
            for (header, value) in headers {
                map.insert(header, HeaderValue::from_static(value));
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let denied = check(&hosts, &method, &map).err().map(|(status, _)| status.as_u16());
            assert_eq!(denied, expected, "{name}");
        }
    }
}
