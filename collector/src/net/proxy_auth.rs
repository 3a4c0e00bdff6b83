//! What a proxy is told about who asks: Basic at once, as curl does it, and
//! Digest (RFC 7616) once the proxy has asked for it. NTLM and Negotiate want
//! the system's own credentials, and are not answered.

use crate::config::Credentials;
use crate::net::request::basic;
use http_auth::{DigestClient, PasswordParams};
use std::sync::{Mutex, PoisonError};
use wss_bundle::ResponseHead;

/// What is known of one proxy.
#[derive(Debug, Default)]
pub struct ProxyAuth(Mutex<Option<DigestClient>>);

impl ProxyAuth {
    /// The value of `Proxy-Authorization` for a tunnel to `to`.
    #[must_use]
    pub fn header(&self, credentials: &Credentials, to: &str) -> String {
        let mut digest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        digest
            .as_mut()
            .and_then(|digest| {
                let parameters = PasswordParams {
                    username: credentials.user.expose(),
                    password: credentials.password.expose(),
                    uri: to,
                    method: "CONNECT",
                    body: Some(&[]),
                };
                digest.respond(&parameters).ok()
            })
            .unwrap_or_else(|| basic(credentials))
    }

    /// Learns from a 407. True when there is something to say now that was not
    /// said before: another try is worth it.
    #[must_use]
    pub fn learn(&self, head: &ResponseHead) -> bool {
        let mut digest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = head.headers();
        let values = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("proxy-authenticate"));
        for (_, value) in values {
            let Ok(challenges) = http_auth::parse_challenges(value) else { continue };
            for challenge in challenges.iter().filter(|c| c.scheme.eq_ignore_ascii_case("digest")) {
                // A second refusal is meant, unless the nonce was too old.
                let stale = challenge.params.iter().any(|(name, value)| {
                    name.eq_ignore_ascii_case("stale")
                        && value.to_unescaped().eq_ignore_ascii_case("true")
                });
                if digest.is_some() && !stale {
                    return false;
                }
                if let Ok(client) = DigestClient::try_from(challenge) {
                    *digest = Some(client);
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::Secret;

    fn head(lines: &str) -> ResponseHead {
        ResponseHead::new(format!("HTTP/1.1 407 x\r\n{lines}\r\n\r\n").into_bytes())
    }

    fn credentials() -> Credentials {
        Credentials { user: Secret::new("us\"er"), password: Secret::new("p4ss") }
    }

    #[test]
    fn basic_until_digest_is_asked_for() {
        let auth = ProxyAuth::default();
        assert!(auth.header(&credentials(), "b.example:443").starts_with("Basic "));
        for lines in ["X: y", "Proxy-Authenticate: Basic realm=x", "Proxy-Authenticate: NTLM"] {
            assert!(!auth.learn(&head(lines)), "{lines}");
        }
        assert!(!auth.learn(&head("Proxy-Authenticate: Digest realm=, nonsense=\"")));
        let asks = "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: Digest realm=\"a\", \
                    nonce=\"abc\", qop=\"auth\", stale=false";
        assert!(auth.learn(&head(asks)));
        let value = auth.header(&credentials(), "b.example:443");
        assert!(value.starts_with("Digest ") && value.contains("uri=\"b.example:443\""), "{value}");
        assert!(!value.contains("p4ss"));
        // Refused once more: it is meant.
        assert!(!auth.learn(&head(asks)));
        assert!(auth.learn(&head(&asks.replace("stale=false", "stale=true"))));
    }
}
