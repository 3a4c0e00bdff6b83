//! Kubernetes' objects, as `kubectl get … -o yaml` (or json) prints them and people
//! keep them: an Ingress with the annotations of its controller, Services, the
//! Gateway API, and what GKE, Envoy Gateway, Istio, Traefik, Contour and OpenShift add.
//!
//! `object` finds the objects, `class` says whose an Ingress is, `path` which rule
//! takes a request, `ingress` follows it there (`annotation` and the controllers'
//! own files say what is set), `gateway`, `istio`, `traefik`, `contour` and `openshift`
//! do so for theirs, `service` looks at what is behind. `row` is the row.
//!
//! A controller that is not known decides nothing: then it cannot be told.

mod alb;
mod annotation;
mod class;
mod cloud;
mod contour;
mod controller;
mod envoy_gateway;
mod front;
mod gateway;
mod ingress;
mod ingress_nginx;
mod istio;
mod object;
mod openshift;
mod others;
pub(crate) mod path;
mod read;
mod row;
mod service;
mod traefik;

pub(crate) use row::DIALECT;
