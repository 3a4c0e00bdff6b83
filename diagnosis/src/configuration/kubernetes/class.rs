//! Whose an Ingress is: its class, and the controller of that.

use super::controller::{KNOWN, Known, owner};
use super::object::Object;
use wss_bundle::structured::Node;

const CLASS: &str = "kubernetes.io/ingress.class";
const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

/// What is known of an Ingress' class.
#[derive(Clone, Copy)]
pub(super) struct Class<'n> {
    /// Its name; empty where none is set.
    pub(super) name: &'n str,
    /// Where it is set.
    pub(super) at: Option<&'n Node>,
    /// Who reads the Ingress; `None` where that is not known.
    pub(super) known: Option<&'static Known>,
}

/// The class of an Ingress.
pub(super) fn of<'n>(ingress: &Object<'n>, classes: &[Object<'n>]) -> Class<'n> {
    let at = ingress.annotation(CLASS).or_else(|| ingress.get(&["spec", "ingressClassName"]));
    let name = at.map_or("", Node::text);
    let default = |c: &&Object<'n>| c.annotation(DEFAULT).is_some_and(|node| node.text() == "true");
    let given = match name {
        "" => classes.iter().find(default),
        name => classes.iter().find(|class| class.name == name),
    };
    if let Some(class) = given {
        let controller = class.text(&["spec", "controller"]);
        let known = KNOWN.iter().find(|known| known.is_controller(controller));
        return Class { name, at, known };
    }
    let named: Vec<&Known> = KNOWN.iter().filter(|known| known.is_class(name)).collect();
    let known = match (named.as_slice(), by_annotations(ingress)) {
        ([one], _) => Some(*one),
        // `nginx` is the class of two, and so is `haproxy`.
        ([_, ..], Some(own)) if named.iter().any(|k| k.controller == own.controller) => Some(own),
        ([], Some(own)) if name.is_empty() => Some(own),
        ([], Some(own)) if like(name, own) => Some(own),
        _ => None,
    };
    Class { name, at, known }
}

/// `nginx-internal`, with annotations of ingress-nginx.
fn like(name: &str, known: &Known) -> bool {
    known.name.split(['-', ' ']).any(|word| word.len() > 3 && name.contains(&word.to_lowercase()))
}

/// Whose annotations it has, where they are one program's.
fn by_annotations(ingress: &Object<'_>) -> Option<&'static Known> {
    let mut owners = ingress.annotations().iter().filter_map(|(name, _)| owner(name));
    let first = owners.next()?;
    owners.all(|other| other.controller == first.controller).then_some(first)
}
