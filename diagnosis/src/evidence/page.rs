//! Addresses of pages, given in place of a socket's: what is copied from the address
//! bar. The collector asks for the path once, and tries the console's sockets where a
//! page comes.

use super::route::RouteView;
use wss_bundle::observation::{HttpReply, probe};
use wss_bundle::{Observation, Step};

/// The pages that are always asked for.
const ALWAYS: [&str; 3] = ["/health", "/js/_globals.js", "/"];

/// How sockets' paths end, as people name them: no redirect makes a page of these.
const SOCKETS: [&str; 6] = ["ws", "wss", "websocket", "socket", "graphql", "opamp"];

/// Words of addresses at which people sign on.
const SIGN_ON: [&str; 8] = ["login", "signin", "sign-in", "logon", "sso", "saml", "oauth", "auth"];

/// Whether what a path answers to a plain GET is a page's: a document, or the way to
/// the sign-on. A socket answers 400 or 426, and a redirect for a slash is no page's.
#[must_use]
pub fn is_a_page(path: &str, reply: &HttpReply) -> bool {
    let head = &reply.head;
    let bare = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = bare.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    match head.status() {
        Some(200..=299) => {
            let html = head.header("content-type").is_some_and(|kind| kind.contains("text/html"));
            html || super::reply::is_page_shell(&reply.body.bytes.text())
        }
        Some(300..=399) if !SOCKETS.contains(&last.as_str()) => {
            let to = head.header("location").unwrap_or_default().to_ascii_lowercase();
            SIGN_ON.iter().any(|word| to.contains(word))
        }
        _ => false,
    }
}

/// The answer to the address of a page that was given as the target, on any route.
pub(crate) fn given<'v, 'a>(
    routes: &'v [RouteView<'a>],
) -> Option<(&'v RouteView<'a>, &'a Observation)> {
    routes.iter().find_map(|route| {
        let own = |o: &&&Observation| {
            let path = o.path.as_deref().unwrap_or_default();
            o.probe == probe::PAGES && matches!(o.step, Step::Http(_)) && !ALWAYS.contains(&path)
        };
        route.observations.iter().find(own).map(|o| (route, *o))
    })
}
