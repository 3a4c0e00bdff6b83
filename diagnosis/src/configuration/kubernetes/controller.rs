//! The controllers that are known: what their classes and annotations are called.

use super::path::Specific;

/// A controller of Ingresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    IngressNginx,
    F5,
    Alb,
    Gke,
    Traefik,
    HaproxyIngress,
    HaproxyTech,
    Contour,
    Kong,
    AppGateway,
    Istio,
    Cilium,
    OpenShift,
}

/// What one is called where.
pub(super) struct Known {
    pub(super) controller: Controller,
    /// Its name, for people.
    pub(super) name: &'static str,
    /// Id of the device (`signatures/`) that it sets.
    pub(super) device: &'static str,
    /// Beginnings or parts of an IngressClass' `spec.controller`.
    controllers: &'static [&'static str],
    /// Classes that its documentation names.
    classes: &'static [&'static str],
    /// What its annotations begin with.
    pub(super) prefixes: &'static [&'static str],
}

/// Sources: each project's documentation of its class and annotations.
pub(super) static KNOWN: [Known; 13] = [
    Known {
        controller: Controller::IngressNginx,
        name: "ingress-nginx",
        device: "ingress-nginx",
        controllers: &["ingress-nginx", "webapprouting.kubernetes.azure.com/nginx"],
        classes: &["nginx", "ingress-nginx", "webapprouting.kubernetes.azure.com"],
        prefixes: &["nginx.ingress.kubernetes.io/"],
    },
    Known {
        controller: Controller::F5,
        name: "F5's NGINX Ingress Controller",
        device: "nginx",
        controllers: &["nginx.org/ingress-controller"],
        classes: &["nginx"],
        prefixes: &["nginx.org/", "nginx.com/"],
    },
    Known {
        controller: Controller::Alb,
        name: "the AWS Load Balancer Controller",
        device: "aws-alb",
        controllers: &["ingress.k8s.aws/alb", "eks.amazonaws.com/alb"],
        classes: &["alb"],
        prefixes: &["alb.ingress.kubernetes.io/"],
    },
    Known {
        controller: Controller::Gke,
        name: "GKE's controller",
        device: "gcp-glb",
        controllers: &["networking.gke.io/", "ingress-gce"],
        classes: &["gce", "gce-internal"],
        prefixes: &[
            "networking.gke.io/",
            "ingress.gcp.kubernetes.io/",
            "kubernetes.io/ingress.global-static-ip-name",
            "ingress.kubernetes.io/backends",
            "ingress.kubernetes.io/url-map",
        ],
    },
    Known {
        controller: Controller::Traefik,
        name: "Traefik",
        device: "traefik",
        controllers: &["traefik.io/ingress-controller"],
        classes: &["traefik"],
        prefixes: &["traefik.ingress.kubernetes.io/"],
    },
    Known {
        controller: Controller::HaproxyIngress,
        name: "HAProxy Ingress",
        device: "haproxy",
        controllers: &["haproxy-ingress.github.io/controller"],
        classes: &["haproxy"],
        prefixes: &["haproxy-ingress.github.io/"],
    },
    Known {
        controller: Controller::HaproxyTech,
        name: "HAProxy's Kubernetes Ingress Controller",
        device: "haproxy",
        controllers: &["haproxy.org/ingress-controller"],
        classes: &["haproxy"],
        prefixes: &["haproxy.org/"],
    },
    Known {
        controller: Controller::Contour,
        name: "Contour",
        device: "envoy",
        controllers: &["projectcontour.io/"],
        classes: &["contour"],
        prefixes: &["projectcontour.io/"],
    },
    Known {
        controller: Controller::Kong,
        name: "Kong",
        device: "kong",
        controllers: &["ingress-controllers.konghq.com/kong"],
        classes: &["kong"],
        prefixes: &["konghq.com/"],
    },
    Known {
        controller: Controller::AppGateway,
        name: "Azure's Application Gateway controller",
        device: "azure-appgw",
        controllers: &["azure/application-gateway"],
        classes: &["azure/application-gateway", "azure-application-gateway"],
        prefixes: &["appgw.ingress.kubernetes.io/"],
    },
    Known {
        controller: Controller::Istio,
        name: "Istio",
        device: "istio",
        controllers: &["istio.io/ingress-controller"],
        classes: &["istio"],
        prefixes: &[],
    },
    Known {
        controller: Controller::Cilium,
        name: "Cilium",
        device: "envoy",
        controllers: &["cilium.io/ingress-controller"],
        classes: &["cilium"],
        prefixes: &["ingress.cilium.io/"],
    },
    Known {
        controller: Controller::OpenShift,
        name: "OpenShift's router",
        device: "openshift-router",
        controllers: &["openshift.io/ingress-to-route"],
        classes: &["openshift-default"],
        prefixes: &["haproxy.router.openshift.io/", "route.openshift.io/"],
    },
];

impl Known {
    pub(super) fn is_controller(&self, text: &str) -> bool {
        self.controllers.iter().any(|own| text.contains(own))
    }

    pub(super) fn is_class(&self, name: &str) -> bool {
        self.classes.contains(&name)
    }

    pub(super) fn owns(&self, annotation: &str) -> bool {
        self.prefixes.iter().any(|prefix| annotation.starts_with(prefix))
    }

    /// How it understands a path of no standard type.
    pub(super) fn specific(&self) -> Specific {
        match self.controller {
            Controller::Alb => Specific::Pattern,
            Controller::Gke | Controller::AppGateway => Specific::Star,
            _ => Specific::Begins,
        }
    }
}

/// Whose an annotation is.
pub(super) fn owner(annotation: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.owns(annotation))
}
