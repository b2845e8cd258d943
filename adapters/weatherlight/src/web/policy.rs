//! What a request must be to be answered, and what a browser may do with the answer.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

/// Whether a request is answered.
///
/// # Errors
///
/// With which status it is not. Another host's name in the request means that a page from elsewhere had its own name point here.
pub(crate) fn admit(method: &Method, headers: &HeaderMap) -> Result<(), StatusCode> {
    if method != Method::GET && method != Method::HEAD {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix("[::1]") {
        Some(port) if port.is_empty() || port.starts_with(':') => "localhost",
        _ => host.split(':').next().unwrap_or_default(),
    };
    let is_here = name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    if is_here { Ok(()) } else { Err(StatusCode::MISDIRECTED_REQUEST) }
}

/// What a browser may do with the page: run the one script and use the one style that are in it, and ask this program.
pub(crate) fn content_security(script: &str, style: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(script),
        hash(style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_from_here_is_answered() {
        let from = |host: &str| HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        for host in ["localhost", "localhost:7077", "127.0.0.1:7077", "[::1]:7077", "[::1]"] {
            assert_eq!(admit(&Method::GET, &from(host)), Ok(()), "{host}");
        }
        for host in ["", "attacker.example", "127.0.0.1.attacker.example", "[::1].attacker.example", "10.0.0.1:80"] {
            assert_eq!(admit(&Method::GET, &from(host)), Err(StatusCode::MISDIRECTED_REQUEST), "{host}");
        }
        assert_eq!(admit(&Method::GET, &HeaderMap::new()), Err(StatusCode::MISDIRECTED_REQUEST));
        assert_eq!(admit(&Method::POST, &from("localhost")), Err(StatusCode::METHOD_NOT_ALLOWED));
    }
}
