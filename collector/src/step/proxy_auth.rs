//! What a proxy is told about who asks: Basic at once, as curl does it; Digest
//! (RFC 7616) once the proxy has asked for it; Negotiate (RFC 4559) where it asks for
//! that and nothing else is known, or an option says so, with a new token for each
//! request. NTLM is not answered: it takes the password, or what Windows makes of it,
//! and is being switched off (curl took it out in 2026).
//!
//! A token goes to the route's own proxy alone, which a setting or an option names.

use super::negotiate::{is_asked, token};
use crate::config::Credentials;
use crate::step::Ctx;
use crate::step::request::basic;
use http_auth::{DigestClient, PasswordParams};
use std::sync::{Mutex, PoisonError};
use wss_bundle::observation::SignOn;
use wss_bundle::{ResponseHead, Secret};

/// The part of a step's time that making a token may take: the proxy's answer is to be
/// recorded also where none comes of it.
const SHARE: f64 = 0.6;

/// What is known of one proxy.
#[derive(Debug, Default)]
pub struct ProxyAuth {
    digest: Mutex<Option<DigestClient>>,
    ticket: tokio::sync::Mutex<Ticket>,
}

/// What is known of signing on by the user's ticket.
#[derive(Debug, Default)]
enum Ticket {
    /// Nobody has asked for it.
    #[default]
    Unasked,
    /// It works; a token that nobody was told yet.
    Works(Option<Secret>),
    /// It does not.
    Fails(SignOn),
}

/// What a request for the proxy says of who asks.
#[derive(Debug, Default)]
pub struct Said {
    /// The value of `Proxy-Authorization`.
    pub value: Option<Secret>,
    /// What became of a ticket, where one was meant to make it.
    pub sign_on: Option<SignOn>,
}

impl Said {
    fn of(token: Result<Secret, SignOn>) -> Self {
        match token {
            Ok(value) => Self { value: Some(value), sign_on: Some(SignOn::Sent) },
            Err(why) => Self { value: None, sign_on: Some(why) },
        }
    }
}

async fn new_token(ctx: &Ctx) -> Result<Secret, SignOn> {
    let host = ctx.route().route.proxy.as_ref().map(|proxy| proxy.host.as_str());
    let config = &ctx.net.config;
    token(host.unwrap_or_default(), ctx.timeout().mul_f64(SHARE), &config.learned).await
}

impl ProxyAuth {
    /// What a request to the proxy says of who asks; `connect` for one for a tunnel.
    pub async fn said(&self, ctx: &Ctx, connect: bool) -> Said {
        let forced = ctx.net.config.negotiate;
        if let Some(known) = ctx.route().auth.as_ref().filter(|_| !forced) {
            let value = match connect {
                true => self.header(known, &ctx.net.config.target.host_port()),
                false => basic(known),
            };
            return Said { value: Some(Secret::new(value)), sign_on: None };
        }
        let mut ticket = self.ticket.lock().await;
        match &mut *ticket {
            Ticket::Unasked if forced => Said::of(first(&mut ticket, ctx).await),
            Ticket::Unasked => Said::default(),
            Ticket::Fails(why) => Said { value: None, sign_on: Some(*why) },
            Ticket::Works(spare) => match spare.take() {
                Some(token) => Said::of(Ok(token)),
                None => {
                    drop(ticket);
                    Said::of(new_token(ctx).await)
                }
            },
        }
    }

    /// The value of `Proxy-Authorization` for a tunnel to `to`.
    #[must_use]
    pub fn header(&self, credentials: &Credentials, to: &str) -> String {
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Learns from a 407 to a request that said nothing of a ticket, where it asks for
    /// one: whether there is one now, or why not; `None` where it does not ask.
    pub async fn asked(&self, ctx: &Ctx, head: &ResponseHead) -> Option<Result<(), SignOn>> {
        if ctx.route().auth.is_some() || !is_asked(head) {
            return None;
        }
        let mut ticket = self.ticket.lock().await;
        Some(match &mut *ticket {
            Ticket::Works(_) => Ok(()),
            Ticket::Fails(why) => Err(*why),
            Ticket::Unasked => match first(&mut ticket, ctx).await {
                Ok(token) => {
                    *ticket = Ticket::Works(Some(token));
                    Ok(())
                }
                Err(why) => Err(why),
            },
        })
    }

    /// Learns from a 407. True when there is something to say now that was not
    /// said before: another try is worth it.
    #[must_use]
    pub fn learn(&self, head: &ResponseHead) -> bool {
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The first token for a proxy, which tells whether there can be any.
async fn first(ticket: &mut Ticket, ctx: &Ctx) -> Result<Secret, SignOn> {
    let made = new_token(ctx).await;
    *ticket = match &made {
        Ok(_) => Ticket::Works(None),
        Err(why) => Ticket::Fails(*why),
    };
    made
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
