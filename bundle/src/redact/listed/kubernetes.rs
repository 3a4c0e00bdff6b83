//! Kubernetes: objects as `kubectl` prints them. Of a Secret nothing stays; where
//! anybody writes what he likes (annotations, data, environments), numbers have to be
//! listed as well.

use super::{Finer, Listed};
use crate::structured::Node;

fn is_object(node: &Node) -> bool {
    !node.text_of("apiVersion").is_empty() && !node.text_of("kind").is_empty()
}

/// Objects, one or a list.
pub static KUBERNETES: Listed = Listed {
    whose: |node| {
        is_object(node)
            || node.items().first().is_some_and(is_object)
            || node.items_of("items").first().is_some_and(is_object)
    },
    keys: &[
        "apiVersion",
        "kind",
        "name",
        "namespace",
        "namespaces",
        "host",
        "hosts",
        "hostname",
        "hostnames",
        "path",
        "pathType",
        "port",
        "type",
        "serviceName",
        "servicePort",
        "targetPort",
        "appProtocol",
        "protocol",
        "scheme",
        "method",
        "group",
        "ingressClassName",
        "loadBalancerClass",
        "gatewayClassName",
        "controller",
        "controllerName",
        "sectionName",
        "backendType",
        // The Gateway API.
        "path.value",
        "timeouts.request",
        "timeouts.backendRequest",
        "replaceFullPath",
        "replacePrefixMatch",
        "remove",
        // Envoy Gateway.
        "http.streamIdleTimeout",
        "http.requestTimeout",
        "http.maxStreamDuration",
        "http.connectionIdleTimeout",
        "http.idleTimeout",
        "http.requestReceivedTimeout",
        // Istio.
        "uri.exact",
        "uri.prefix",
        "uri.regex",
        "authority.exact",
        "authority.prefix",
        "scheme.exact",
        "method.exact",
        "http.timeout",
        "rewrite.uri",
        "rewrite.authority",
        "h2UpgradePolicy",
        // Traefik.
        "match",
        "stripPrefix.prefixes",
        "addPrefix.prefix",
        // AWS' parameters of a class.
        "loadBalancerAttributes.key",
        "kubernetes.io/service-name",
        "ingressclass.kubernetes.io/is-default-class",
        "kubernetes.io/ingress.class",
        // ingress-nginx.
        "nginx.ingress.kubernetes.io/proxy-read-timeout",
        "nginx.ingress.kubernetes.io/proxy-send-timeout",
        "nginx.ingress.kubernetes.io/proxy-connect-timeout",
        "nginx.ingress.kubernetes.io/proxy-http-version",
        "nginx.ingress.kubernetes.io/backend-protocol",
        "nginx.ingress.kubernetes.io/connection-proxy-header",
        "nginx.ingress.kubernetes.io/upstream-vhost",
        "nginx.ingress.kubernetes.io/server-alias",
        "nginx.ingress.kubernetes.io/use-regex",
        "nginx.ingress.kubernetes.io/rewrite-target",
        "nginx.ingress.kubernetes.io/canary",
        "nginx.ingress.kubernetes.io/ssl-redirect",
        "nginx.ingress.kubernetes.io/force-ssl-redirect",
        "nginx.ingress.kubernetes.io/limit-connections",
        "nginx.ingress.kubernetes.io/limit-rps",
        "nginx.ingress.kubernetes.io/limit-rpm",
        "nginx.ingress.kubernetes.io/auth-type",
        "nginx.ingress.kubernetes.io/websocket-services",
        "ingress.kubernetes.io/proxy-read-timeout",
        "ingress.kubernetes.io/proxy-send-timeout",
        "data.proxy-read-timeout",
        "data.proxy-send-timeout",
        "data.worker-shutdown-timeout",
        "data.use-proxy-protocol",
        "data.use-forwarded-headers",
        "data.limit-req-status-code",
        "data.hide-headers",
        "data.allow-snippet-annotations",
        // F5's controller.
        "nginx.org/websocket-services",
        "nginx.org/grpc-services",
        "nginx.org/proxy-read-timeout",
        "nginx.org/proxy-send-timeout",
        // AWS.
        "alb.ingress.kubernetes.io/backend-protocol-version",
        "alb.ingress.kubernetes.io/backend-protocol",
        "alb.ingress.kubernetes.io/auth-type",
        "service.beta.kubernetes.io/aws-load-balancer-type",
        "service.beta.kubernetes.io/aws-load-balancer-backend-protocol",
        "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout",
        "service.beta.kubernetes.io/aws-load-balancer-proxy-protocol",
        // Azure.
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout",
        "appgw.ingress.kubernetes.io/request-timeout",
        "appgw.ingress.kubernetes.io/backend-path-prefix",
        "appgw.ingress.kubernetes.io/backend-hostname",
        // GKE.
        "cloud.google.com/backend-config",
        "beta.cloud.google.com/backend-config",
        "cloud.google.com/app-protocols",
        // Others.
        "traefik.ingress.kubernetes.io/router.middlewares",
        "traefik.ingress.kubernetes.io/service.serversscheme",
        "haproxy-ingress.github.io/timeout-tunnel",
        "haproxy-ingress.github.io/backend-protocol",
        "haproxy.org/timeout-tunnel",
        "haproxy.org/server-proto",
        "haproxy.router.openshift.io/timeout-tunnel",
        "projectcontour.io/websocket-routes",
        "projectcontour.io/upstream-protocol.h2",
        "projectcontour.io/upstream-protocol.h2c",
        "konghq.com/read-timeout",
        "konghq.com/write-timeout",
        "konghq.com/strip-path",
        "konghq.com/protocol",
    ],
    pairs: &[],
    finer: &Finer {
        attributes: &[
            "alb.ingress.kubernetes.io/load-balancer-attributes",
            "alb.ingress.kubernetes.io/target-group-attributes",
            "service.beta.kubernetes.io/aws-load-balancer-attributes",
            "service.beta.kubernetes.io/aws-load-balancer-listener-attributes.TCP-443",
            "service.beta.kubernetes.io/aws-load-balancer-listener-attributes.TCP-80",
            "service.beta.kubernetes.io/aws-load-balancer-listener-attributes.TLS-443",
        ],
        strict: &[
            "annotations",
            "labels",
            "data",
            "stringData",
            "binaryData",
            "env",
            "args",
            "command",
        ],
        hidden: &["Secret", "SealedSecret"],
        // What a header has to hold may be a secret.
        except: &["Header", "Query"],
    },
};
