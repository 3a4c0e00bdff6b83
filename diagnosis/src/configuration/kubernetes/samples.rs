//! Kubernetes' samples: see `configuration/samples.rs`. Written by hand as `kubectl`
//! prints them, a file each.

use super::Sample;

pub(crate) const SECRETS: &str = include_str!("samples/secrets/all.yaml");

pub(crate) fn all() -> Vec<Sample> {
    let of =
        |about, text: &str, expected: &[&'static str]| (about, text.to_owned(), expected.to_vec());
    vec![
        of(
            "an ALB without an idle timeout",
            include_str!("samples/alb-default.yaml"),
            &["timeout 60 @5"],
        ),
        of(
            "an ALB that speaks HTTP/2 to the targets",
            include_str!("samples/alb-http2.yaml"),
            &["h2 @5"],
        ),
        of(
            "an ALB's path that is no prefix",
            include_str!("samples/alb-pattern.yaml"),
            &["path Some(404) @24"],
        ),
        of(
            "a group of an ALB in which the other's /* comes first",
            include_str!("samples/alb-order.yaml"),
            &["other @44 if seen"],
        ),
        of(
            "an ALB's prefix with a wildcard",
            include_str!("samples/alb-wildcard.yaml"),
            &["path Some(404) @19"],
        ),
        of("Contour's proxy, all is well", include_str!("samples/contour-good.yaml"), &[]),
        of(
            "a route of Contour's without upgrades",
            include_str!("samples/contour-plain.yaml"),
            &["headers @9", "idle @20", "life 15 @9 if seen", "limit 429 @12", "timeout 300 @9"],
        ),
        of(
            "what Contour's proxy includes",
            include_str!("samples/contour-proxy.yaml"),
            &["h2 @43", "headers @36", "moved @39", "timeout 90 @45"],
        ),
        of(
            "OpenShift passes TLS on, and its timeout is the tunnel's",
            include_str!("samples/openshift-passthrough.yaml"),
            &["timeout 90 @5"],
        ),
        of(
            "OpenShift's narrower Route",
            include_str!("samples/openshift-routes.yaml"),
            &["h2 @29 if seen", "idle @22", "idle @37", "moved @21"],
        ),
        of("OpenShift, all is well", include_str!("samples/openshift-good.yaml"), &[]),
        of(
            "a Route without TLS",
            include_str!("samples/openshift-plain.yaml"),
            &["path Some(503) @6"],
        ),
        of(
            "names that are no annotations",
            include_str!("samples/nginx-not-annotations.yaml"),
            &["idle @5", "idle @7"],
        ),
        of(
            "Azure's gateway ends requests",
            include_str!("samples/appgw-short.yaml"),
            &["life 45 @5"],
        ),
        of(
            "Contour, and the path not listed",
            include_str!("samples/contour-not-listed.yaml"),
            &["headers @8"],
        ),
        of(
            "what the ConfigMap sets for all",
            include_str!("samples/controller.yaml"),
            &["hides @4", "reload 240 @6", "timeout 120 @5"],
        ),
        of(
            "Envoy Gateway's five minutes",
            include_str!("samples/envoy-gateway-default.yaml"),
            &["timeout 300 @23"],
        ),
        of(
            "Envoy Gateway, by a policy",
            include_str!("samples/envoy-gateway-policy.yaml"),
            &["life 600 @68", "timeout 120 @67"],
        ),
        of(
            "a request's time lets Envoy Gateway be silent for an hour",
            include_str!("samples/envoy-gateway-request.yaml"),
            &[],
        ),
        of("F5's controller, all is well", include_str!("samples/f5-good.yaml"), &[]),
        of(
            "F5's controller, and the Service not listed",
            include_str!("samples/f5-not-listed.yaml"),
            &["headers @9"],
        ),
        of(
            "a gateway that asks for another path",
            include_str!("samples/gateway-rewrite.yaml"),
            &["life 60 @60 if seen", "moved @57"],
        ),
        of(
            "a gateway of no known class",
            include_str!("samples/gateway-unknown.yaml"),
            &["untold @16"],
        ),
        of(
            "GKE's gateway without a policy",
            include_str!("samples/gke-gateway.yaml"),
            &["life 30 @39 if seen", "timeout 30 @39"],
        ),
        of("GKE, all is well", include_str!("samples/gke-good.yaml"), &[]),
        of(
            "nginx' annotations on GKE",
            include_str!("samples/gke-nginx-annotations.yaml"),
            &["idle @5", "life 30 @37", "timeout 30 @37 if seen"],
        ),
        of(
            "GKE ends sockets early",
            include_str!("samples/gke-short.yaml"),
            &["life 120 @61", "timeout 120 @61 if seen"],
        ),
        of(
            "Istio speaks HTTP/2 to the server",
            include_str!("samples/istio.yaml"),
            &["h2 @37", "h2 @46", "life 10 @25 if seen"],
        ),
        of(
            "a Classic in front that reads HTTP",
            include_str!("samples/lb-classic.yaml"),
            &["headers @7", "timeout 60 @8"],
        ),
        of(
            "a Network Load Balancer in front, and a PROXY header",
            include_str!("samples/lb-nlb.json"),
            &["sends @6", "timeout 350 @9"],
        ),
        of(
            "ingress-nginx without times",
            include_str!("samples/nginx-default.yaml"),
            &["timeout 60 @9"],
        ),
        of(
            "a path that is Exact",
            include_str!("samples/nginx-exact.yaml"),
            &["path Some(404) @24"],
        ),
        of("ingress-nginx, all is well", include_str!("samples/nginx-good.yaml"), &[]),
        of("gRPC to the server", include_str!("samples/nginx-grpc.yaml"), &["h2 @5"]),
        of(
            "a Connection of its own, and a limit",
            include_str!("samples/nginx-keep-alive.yaml"),
            &["headers @5", "limit 503 @6"],
        ),
        of("no pod is ready", include_str!("samples/nginx-nobody.yaml"), &["path Some(503) @52"]),
        of(
            "another path alone",
            include_str!("samples/nginx-other-path.yaml"),
            &["path Some(404) @24"],
        ),
        of(
            "a port that the Service has not, beside a Secret",
            include_str!("samples/nginx-port.yaml"),
            &["path Some(503) @25"],
        ),
        of("everything rewritten to /", include_str!("samples/nginx-rewrite.yaml"), &["moved @7"]),
        of(
            "ingress-nginx with a minute",
            include_str!("samples/nginx-sixty.yaml"),
            &["timeout 60 @6"],
        ),
        of("a snippet", include_str!("samples/nginx-snippet.yaml"), &["untold @6"]),
        of("a time with a unit", include_str!("samples/nginx-unit.yaml"), &["timeout 60 @5"]),
        of(
            "a rendered template without quotes",
            include_str!("samples/nginx-unquoted.yaml"),
            &["idle @7"],
        ),
        of(
            "an annotation that is none",
            include_str!("samples/nginx-websocket-services.yaml"),
            &["idle @7"],
        ),
        of(
            "nginx' annotations on Traefik",
            include_str!("samples/traefik-nginx-annotations.yaml"),
            &["idle @6"],
        ),
        of(
            "Traefik takes a part of the path away",
            include_str!("samples/traefik-route.yaml"),
            &["h2 @17", "moved @31"],
        ),
        of("a class that nobody told", include_str!("samples/unknown-class.yaml"), &["untold @14"]),
    ]
}
