//! Which of several routes a browser ends up on: a PAC file may name proxies
//! one after another, and browsers go on to the next when one does not answer.

use wss_bundle::observation::{Peer, Resolver, Route};
use wss_bundle::{Observation, RouteId, Step};

/// Moves the choice on from proxies that nobody could connect to. Gives what to
/// note when it did. A proxy that answers, whatever it says, is stayed with.
#[must_use]
pub fn settle(
    routes: &mut [Route],
    then: &[RouteId],
    observations: &[Observation],
) -> Option<String> {
    let first = routes.iter().find(|route| route.selected)?.id.clone();
    let order = std::iter::once(&first).chain(then);
    let next = order.clone().find(|id| !unreachable(id, observations))?.clone();
    if next == first || !routes.iter().any(|route| route.id == next) {
        return None;
    }
    let why = format!("the settings name {first} first, which does not answer");
    for route in routes {
        route.selected = route.id == next;
        if route.selected {
            route.sources.push(why.clone());
        }
    }
    Some(format!("{why}; browsers go on to {next}, after a delay"))
}

/// Whether every attempt to connect to the route's proxy failed.
fn unreachable(id: &RouteId, observations: &[Observation]) -> bool {
    let mut failed = false;
    for o in observations.iter().filter(|o| o.route == *id) {
        match &o.step {
            Step::Connect(step) if step.peer == Peer::Proxy => match step.result.ok() {
                Some(_) => return false,
                None => failed = true,
            },
            Step::Resolve(step) if step.peer == Peer::Proxy => {
                failed |= step.resolver == Resolver::System && step.result.ok().is_none();
            }
            _ => {}
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::observation::{Connect, Connected, RouteKind};
    use wss_bundle::{Failure, FailureKind, Operation, Outcome};

    fn route(id: &str, selected: bool) -> Route {
        Route {
            id: RouteId(id.into()),
            kind: RouteKind::HttpProxy,
            proxy: None,
            sources: Vec::new(),
            selected,
        }
    }

    fn connect(id: &str, works: bool) -> Observation {
        let local = "127.0.0.1:1".parse().unwrap();
        let result = if works {
            Outcome::Ok(Connected { local })
        } else {
            let kind = FailureKind::ConnectionRefused;
            Outcome::Failed(Failure::new(Operation::Connect, kind, "refused"))
        };
        Observation {
            id: "o1".into(),
            probe: "upgrade".into(),
            route: RouteId(id.into()),
            path: None,
            connection: Some(1),
            start_ms: 0.0,
            duration_ms: 1.0,
            step: Step::Connect(Connect { peer: Peer::Proxy, address: local, result }),
        }
    }

    fn chosen(seen: &[Observation], then: &[&str]) -> (String, bool) {
        let mut routes = [route("direct", false), route("proxy a", true), route("proxy b", false)];
        let then: Vec<RouteId> = then.iter().map(|id| RouteId((*id).into())).collect();
        let note = settle(&mut routes, &then, seen);
        let selected: Vec<_> = routes.iter().filter(|r| r.selected).collect();
        assert_eq!(selected.len(), 1);
        (selected[0].id.0.clone(), note.is_some())
    }

    #[test]
    fn a_dead_proxy_is_passed_over_and_a_live_one_is_not() {
        let (dead, live) = (connect("proxy a", false), connect("proxy a", true));
        assert_eq!(chosen(std::slice::from_ref(&dead), &["direct"]), ("direct".into(), true));
        assert_eq!(chosen(std::slice::from_ref(&live), &["direct"]), ("proxy a".into(), false));
        assert_eq!(chosen(&[dead.clone(), live], &["direct"]), ("proxy a".into(), false));
        // Without another there is none to go on to.
        assert_eq!(chosen(std::slice::from_ref(&dead), &[]), ("proxy a".into(), false));
        assert_eq!(chosen(&[], &["direct"]), ("proxy a".into(), false));
        let both = [dead.clone(), connect("proxy b", false)];
        assert_eq!(chosen(&both, &["proxy b", "direct"]), ("direct".into(), true));
        let second = [dead, connect("proxy b", true)];
        assert_eq!(chosen(&second, &["proxy b", "direct"]), ("proxy b".into(), true));
    }
}
