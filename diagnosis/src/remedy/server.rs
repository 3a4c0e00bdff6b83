//! Whoever answers before the server, on its side: what to change there, in the
//! words of the product that was found or named.

use super::products::{self, Product, Source};
use super::snippets::{self, Purpose};
use super::{remedy, target, with_found, with_snippet};
use crate::evidence::Evidence;
use crate::evidence::redirect::Redirect;
use crate::model::{Cause, Remedy};
use crate::said::{Row, Says};

/// The command that tries a product's configuration and takes it over.
fn reload(product: Option<&Product>) -> Option<&'static str> {
    let id = product?.id.as_deref()?;
    Some(match id {
        "nginx" | "openresty" => "nginx -t && systemctl reload nginx",
        "haproxy" => "haproxy -c -f haproxy.cfg && systemctl reload haproxy",
        "apache" => "apachectl configtest && systemctl reload apache2",
        "caddy" => "caddy validate && systemctl reload caddy",
        _ => return None,
    })
}

/// The steps for the products on the path, and the snippet of the first that has
/// one; where nobody knows what stands there, nginx's as an example.
fn for_products(e: &Evidence<'_>, mut base: Remedy, purpose: Purpose) -> Remedy {
    let all = products::on_the_path(e);
    if all.is_empty() {
        let example = snippets::of("nginx", purpose);
        if let Some(example) = example {
            base.steps.push(
                "What stands before Bindplane is not known (wss-collector --lb 'NAME AND VERSION' \
                 tells it): the lines below are an example, for nginx."
                    .into(),
            );
            base.known_from(example.source);
            base = with_snippet(base, example.language, example.text);
        }
        return base;
    }
    let mut shown = false;
    for product in &all {
        let found = product.id.as_deref().and_then(|id| snippets::of(id, purpose));
        let known = product.id.as_deref().and_then(|id| e.signatures.get(id));
        match (found, product.by) {
            (Some(found), _) if !shown => {
                if product.by == Source::Told {
                    base.steps.push(format!("For {}, which you named:", product.name));
                }
                shown = true;
                base = with_found(base, Some(found));
            }
            (Some(found), _) => {
                let steps = found.steps.iter().map(|step| format!("{}: {step}", product.name));
                base.steps.extend(steps);
                base.steps.push(format!("{}: {}", product.name, found.source));
            }
            (None, Source::Told) => base.steps.push(match known {
                Some(known) if !known.misconfigured.is_empty() => format!(
                    "You named {}. What is known of it: {}.",
                    product.name, known.misconfigured
                ),
                _ => format!(
                    "You named {}: look in its manual for WebSocket, or for the upgrade of a \
                     connection.",
                    product.name
                ),
            }),
            (None, Source::Found) => {
                if let Some(known) = known.filter(|known| !known.misconfigured.is_empty()) {
                    base.steps
                        .push(format!("What is known of {}: {}.", known.name, known.misconfigured));
                }
            }
        }
    }
    base
}

/// The headers do not arrive.
pub(crate) fn forward_upgrade(e: &Evidence<'_>) -> Remedy {
    let all = products::on_the_path(e);
    let first = all.first();
    let check = match reload(first) {
        Some(command) => format!("then: {command}"),
        None => "on every hop that ends HTTP between the browser and Bindplane".to_owned(),
    };
    let mut base = remedy(
        e,
        "Forward the upgrade headers to Bindplane",
        &[format!(
            "Forward `Upgrade` and `Connection` to Bindplane over HTTP/1.1, and keep the \
             connection open for 3600 s; {check}."
        )],
    );
    if all.iter().any(|p| p.is(&["haproxy"])) {
        base.steps.push(
            "HAProxy forwards upgrades by itself in `mode http`: look for http-request del-header of \
             Upgrade or Connection."
                .into(),
        );
    }
    if all.is_empty() || all.iter().any(|p| p.is(&["nginx", "openresty"])) {
        base.steps.push(
            "In nginx, a proxy_set_header in a nested location loses all those of the level above: \
             look at the location that matches the WebSocket path."
                .into(),
        );
    }
    for_products(e, base, Purpose::Forward)
}

/// Somebody saw the headers, and refuses.
pub(crate) fn refused_upgrade(e: &Evidence<'_>, who: &str, said: Option<&Row>) -> Remedy {
    let all = products::on_the_path(e);
    let is = |ids: &[&str]| all.iter().any(|p| p.is(ids));
    let mut steps = Vec::new();
    match said {
        Some(row) if row.says == Says::RefusesUpgrades => {
            let base = remedy(e, "Let upgrades pass where they are refused", &[]);
            return for_products(e, base, Purpose::Forward);
        }
        Some(row) if row.says == Says::CannotHandOver => {
            steps.push(
                "The upgrade arrived: a middleware between the listener and the WebSocket handler \
                 (logging, compression, tracing, authentication) wraps the response and cannot hand \
                 over the connection. Exempt the WebSocket paths from it, or update it to one that \
                 passes Hijack through."
                    .to_owned(),
            );
        }
        _ => {}
    }
    let look = said.map(|row| row.look).filter(|look| !look.is_empty());
    steps.push(match look {
        Some(look) => {
            format!("Look in the log of {who} at the time of the test, and at this: {look}.")
        }
        None => format!("Look in the error log of {who} at the time of the test: it says why."),
    });
    if all.is_empty() || is(&["nginx", "openresty", "ingress-nginx"]) {
        steps.push(
            "nginx: an auth_request sub-request inherits Upgrade and Connection. In the location that \
             it names, write: proxy_set_header Upgrade \"\"; proxy_set_header Connection \"\";"
                .to_owned(),
        );
    }
    if is(&["traefik"]) {
        steps.push(
            "Traefik: try the router without its middlewares (forwardAuth, buffering, plugins)."
                .to_owned(),
        );
    }
    if is(&["caddy"]) {
        steps.push(
            "Caddy: forward_auth hands its own request to the sign-on; a plugin may wrap the response."
                .to_owned(),
        );
    }
    steps.push(
        "Look for a rule about Upgrade, Connection or the path (an access rule, a web application \
         firewall, a plugin), and for what it asks before the backend: a sign-on service, a limit."
            .to_owned(),
    );
    remedy(e, "Find out who refuses upgrades, and why", &steps)
}

/// The hop before asks by HTTP/1.0.
pub(crate) fn http10(e: &Evidence<'_>) -> Remedy {
    let base = remedy(
        e,
        "Speak HTTP/1.1 to what is behind the load balancer",
        &[
            "nginx asked by HTTP/1.0 unless told otherwise (until 1.29.7): write \
             `proxy_http_version 1.1;` in every location that passes to the backend, pages too, \
             and forward Upgrade and Connection beside it."
                .into(),
            "Or let the mesh take HTTP/1.0: Istio PILOT_HTTP10=1, Envoy accept_http_10. WebSocket \
             needs HTTP/1.1 all the same."
                .into(),
        ],
    );
    let all = products::on_the_path(e);
    let nginx = all.iter().find(|p| p.is(&["nginx", "openresty"]));
    with_found(base, nginx.and_then(|_| snippets::of("nginx", Purpose::Forward)))
}

/// A gateway's error about its backend.
pub(crate) fn gateway(e: &Evidence<'_>, cause: Cause, said: Option<&Row>) -> Remedy {
    let look = said.map(|row| row.look).filter(|look| !look.is_empty());
    let look = look.map(|look| format!("Look here: {look}."));
    let own = said.map(|row| row.says);
    let (title, mut steps): (&str, Vec<String>) = match own {
        Some(Says::HangsUp) => return hangs_up(e, look),
        Some(Says::OwnUnavailable | Says::Closed) => (
            "Find out why the load balancer is closed",
            vec![
                "Bindplane was not asked: starting it changes nothing. Look in the load balancer's \
                 configuration for what answers 503 (a maintenance page, `return 503`, a limit)."
                    .into(),
            ],
        ),
        Some(Says::BackendTls) => (
            "Repair TLS between load balancer and Bindplane",
            vec![
                "Check the scheme that the load balancer uses to Bindplane (http or https, port 3001), \
                 the certificate there, and the name that the load balancer expects."
                    .into(),
            ],
        ),
        Some(Says::Full | Says::Limited) => (
            "Raise the limit at the load balancer",
            vec![
                "It has as much under way as it may: every open WebSocket counts for as long as it \
                 lives."
                    .into(),
            ],
        ),
        Some(Says::ClientLeft) => (
            "Raise the timeout of the hop before it",
            vec![
                "It is about time, and no refusal: compare the timeouts of the hops, from the client \
                 on, and how long Bindplane takes to answer."
                    .into(),
            ],
        ),
        Some(Says::NoRoute | Says::UnknownHost) => (
            "Lead host and path to Bindplane",
            vec!["A rule for this host and path is missing there.".into()],
        ),
        Some(Says::Crashed) => (
            "Find out why it fails",
            vec!["It is an error inside that program, and no refusal.".into()],
        ),
        _ => ("Repair the way from load balancer to Bindplane", of_cause(cause, own)),
    };
    steps.extend(look);
    remedy(e, title, &steps)
}

fn of_cause(cause: Cause, says: Option<Says>) -> Vec<String> {
    let address = "Check on the load balancer that Bindplane's address, port 3001 and scheme (http or \
                   https) are right, and that it listens on more than 127.0.0.1.";
    let health = "Check that Bindplane runs and that the health check asks for GET /health, which \
                  answers 200 without credentials, on port 3001.";
    let log = "Look in the load balancer's error log at the time of the test.";
    let steps: &[&str] = match (says, cause) {
        (Some(Says::NoConnection), _) => &[address, log],
        (Some(Says::NoBackend), _) => &[health],
        (Some(Says::Slow), _) | (_, Cause::GatewayTimeout) => &[
            "Check on the load balancer that Bindplane answers the upgrade: send the same request \
             from there to port 3001.",
            "A firewall between load balancer and Bindplane that drops packets looks the same.",
        ],
        (_, Cause::NoHealthyBackend) => &[health],
        _ => &[address, log],
    };
    steps.iter().map(|step| (*step).to_owned()).collect()
}

/// The backend is there, and ends the connection.
fn hangs_up(e: &Evidence<'_>, look: Option<String>) -> Remedy {
    let mut r = remedy(
        e,
        "Find out why the backend ends the connection",
        &[
            "Look in Bindplane's log at the time of the test: it, or a hop between load balancer and \
             Bindplane, ended the connection when the request came."
                .into(),
            "Check that the port which the load balancer uses is Bindplane's (3001), with the scheme \
             that it speaks (http or https); send the same upgrade from the load balancer to it."
                .into(),
        ],
    );
    r.steps.extend(look);
    r
}

/// Somebody on the server's side answers everything.
pub(crate) fn own_answer(e: &Evidence<'_>, who: &str, said: Option<&Row>) -> Remedy {
    let look = said.map(|row| row.look).filter(|look| !look.is_empty());
    let mut steps = vec![format!(
        "Ask whoever runs {who}: it answers by itself, to pages and upgrades alike, and does not ask \
         Bindplane."
    )];
    steps.extend(look.map(|look| format!("Look here: {look}.")));
    steps.push(
        "Compare the Host header that arrives there with the names that it knows (with and without \
         the port), and look in its log at the time of the test."
            .into(),
    );
    remedy(e, "Lead this host to Bindplane at the load balancer", &steps)
}

/// Nobody knows who answers.
pub(crate) fn who_answers(e: &Evidence<'_>) -> Remedy {
    let (host, ..) = target(e);
    remedy(
        e,
        "Find out who answers in the server's place",
        &[
            format!(
                "Open https://{host}/ in a browser here: a portal or a filter names itself there."
            ),
            "Run the collector from outside as well: where the same comes there, it is on the \
             server's side (another site, a wrong address)."
                .into(),
        ],
    )
}

/// Requests do not come to Bindplane.
pub(crate) fn routing(e: &Evidence<'_>, another_site: bool) -> Remedy {
    let mut steps = Vec::new();
    if another_site {
        steps.push(
            "Another site answers: look at what chooses the site by the Host header. A Host with a \
             port (console.example.com:8443) is not equal to the name alone (HAProxy hdr(host) and \
             default_backend, Envoy domains, nginx server_name and the default server)."
                .to_owned(),
        );
    }
    steps.push(
        "Send all of /v1/ to Bindplane, before the rule that answers it now (nginx: a `location \
         /v1/` of its own, before try_files; Caddy: `/v1/*`, since `/v1/ws/*` does not take /v1/ws; \
         Kubernetes: pathType Prefix)."
            .to_owned(),
    );
    let all = products::on_the_path(e);
    let base = remedy(e, "Send the WebSocket paths to Bindplane", &steps);
    let first = all.iter().find_map(|p| snippets::of(p.id.as_deref()?, Purpose::Forward));
    match first.filter(|known| !known.text.is_empty()) {
        Some(found) => with_snippet(base, found.language, found.text),
        None => base,
    }
}

/// The upgrade is redirected.
pub(crate) fn redirect(e: &Evidence<'_>, to: &Redirect) -> Remedy {
    let no_redirect = "Answer the upgrade instead of redirecting it";
    let (title, steps): (&str, &[&str]) = match to {
        Redirect::ToHttps => {
            ("Use the https:// (wss://) address", &["Use the https:// (wss://) address."])
        }
        Redirect::Itself | Redirect::ToHttp | Redirect::OtherPort => (
            "Tell the hop behind that TLS was ended before it",
            &[
                "Whoever ends TLS must say so to the next hop: X-Forwarded-Proto: https (HAProxy: \
                 http-request set-header X-Forwarded-Proto https if { ssl_fc }; nginx: \
                 proxy_set_header X-Forwarded-Proto $scheme; Apache: RequestHeader set \
                 X-Forwarded-Proto https).",
                "And the hop behind must believe it: Traefik forwardedHeaders.trustedIPs, \
                 ingress-nginx use-forwarded-headers, Envoy xff_num_trusted_hops; Cloudflare: SSL mode \
                 Full, and not Flexible.",
                "Or take the redirect to https away from the hop behind: the one that ends TLS can \
                 make it.",
            ],
        ),
        Redirect::Slash { added } => (
            "Write the path rule without the slash",
            if *added {
                &[
                    "A rule for the path with a slash at its end redirects the path without it: write \
                     it without (nginx: `location /v1/ws` and not `location /v1/ws/`), or give the \
                     path without a slash a rule of its own.",
                    "It may be a rule that adds slashes to everything (rewrite, merge, Django's \
                     APPEND_SLASH): exempt /v1/.",
                ]
            } else {
                &[
                    "A rule takes the slash at the end away: use the path without it, or exempt /v1/.",
                ]
            },
        ),
        Redirect::SignOn { .. } => (
            no_redirect,
            &[
                "If a sign-on proxy stands before Bindplane, exempt the WebSocket paths from its \
                 redirect, or sign in again: the session may have expired.",
                "To judge what is behind it, give the session's cookie: -H 'Cookie: …'.",
            ],
        ),
        Redirect::Www | Redirect::OtherHost => (
            "Use the address that it is sent to, or stop sending it there",
            &[
                "If the host has moved, or has one canonical name, open the console by that name, and \
                 set BINDPLANE_REMOTE_URL and BINDPLANE_WEB_URL to it.",
                "If both names shall work, exempt /v1/ from the redirect.",
            ],
        ),
        Redirect::OtherPage | Redirect::Elsewhere | Redirect::Nowhere => (
            no_redirect,
            &[
                "Look for the rule that sends it there (a rewrite, an error page, a start page), at \
                 whoever ends TLS, and exempt /v1/ from it.",
            ],
        ),
    };
    let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    remedy(e, title, &steps)
}
