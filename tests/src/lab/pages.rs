//! What hops say themselves: error pages as nginx, HAProxy and Envoy write
//! them, and a proxy's block page.

use super::config::{AnswerConfig, Product};
use super::http1::{Response, date, reason};

/// What nginx signs its pages with.
const NGINX: &str = "nginx/1.22.1";

/// A product's own page for this status.
pub(crate) fn page(product: Product, status: u16) -> Response {
    let headers = [("Date", date())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    match product {
        Product::Nginx => nginx(status, &nginx_title(status), None),
        Product::Haproxy => {
            let title = match status {
                400 => "400 Bad request".to_owned(),
                504 => "504 Gateway Time-out".to_owned(),
                _ => format!("{status} {}", reason(status)),
            };
            let text = match status {
                400 => "Your browser sent an invalid request.",
                403 => "Request forbidden by administrative rules.",
                404 => "The resource could not be found.",
                502 => "The server returned an invalid or incomplete response.",
                503 => "No server is available to handle this request.",
                504 => "The server didn't respond in time.",
                _ => "",
            };
            let body = format!("<html><body><h1>{title}</h1>\n{text}\n</body></html>\n");
            let mut response = Response::new(status, &[], body);
            response.head.line = format!("HTTP/1.1 {title}");
            let length = response.body.len().to_string();
            response.head.push("content-length", length);
            response.head.push("cache-control", "no-cache");
            response.head.push("content-type", "text/html");
            response
        }
        Product::Envoy => {
            let body = match status {
                502 => {
                    "upstream connect error or disconnect/reset before headers. \
                     reset reason: protocol error"
                }
                503 => {
                    "upstream connect error or disconnect/reset before headers. \
                     reset reason: remote connection failure"
                }
                504 => "upstream request timeout",
                _ => "",
            };
            let mut response = Response::new(status, &[], body);
            response.head.push("content-length", body.len().to_string());
            if !body.is_empty() {
                response.head.push("content-type", "text/plain");
            }
            response.head.push("date", date());
            response.head.push("server", "envoy");
            response
        }
        Product::Plain => {
            let title = format!("{status} {}", reason(status));
            let mut response = Response::new(status, &headers, blocked(&title));
            let length = response.body.len().to_string();
            response.head.push("Content-Type", "text/html; charset=utf-8");
            response.head.push("Content-Length", length);
            response
        }
    }
}

fn blocked(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n\
         <p>This request was not let through by the Corp Web Gateway. \
         Please contact your network administrator.</p>\n</body></html>\n"
    )
}

fn nginx_title(status: u16) -> String {
    match status {
        503 => "503 Service Temporarily Unavailable".to_owned(),
        504 => "504 Gateway Time-out".to_owned(),
        _ => format!("{status} {}", reason(status)),
    }
}

fn nginx(status: u16, title: &str, detail: Option<&str>) -> Response {
    let heading = detail.map_or(title.to_owned(), |_| reason(status).to_owned());
    let mut body = format!("<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n");
    match detail {
        None => body.push_str(&format!("<center><h1>{heading}</h1></center>\r\n")),
        Some(detail) => body.push_str(&format!(
            "<center><h1>{status} {heading}</h1></center>\r\n<center>{detail}</center>\r\n"
        )),
    }
    body.push_str(&format!("<hr><center>{NGINX}</center>\r\n</body>\r\n</html>\r\n"));
    let mut response = Response::new(status, &[("Server", NGINX)], body);
    if detail.is_none() {
        response.head.line = format!("HTTP/1.1 {title}");
    }
    let length = response.body.len().to_string();
    response.head.push("Date", date());
    response.head.push("Content-Type", "text/html");
    response.head.push("Content-Length", length);
    response.head.push("Connection", if detail.is_some() { "close" } else { "keep-alive" });
    response
}

/// What a TLS port answers to a plain HTTP request; some say nothing.
pub(crate) fn http_to_tls(product: Product) -> Option<Response> {
    (product == Product::Nginx).then(|| {
        let detail = "The plain HTTP request was sent to HTTPS port";
        nginx(400, &format!("400 {detail}"), Some(detail))
    })
}

/// A configured answer, in a product's manners.
pub(crate) fn answer(product: Product, answer: &AnswerConfig) -> Response {
    let mut response = match &answer.body {
        None => page(product, answer.status),
        Some(body) => {
            let mut response = Response::new(answer.status, &[], body.as_bytes());
            response.head.push("Date", date());
            response.head.push("Content-Length", body.len().to_string());
            response
        }
    };
    for line in &answer.headers {
        // What is configured stands instead of what the page brought along.
        let name = line.split(':').next().unwrap_or_default();
        response.head.remove(name);
        response.head.push_line(line);
    }
    response
}
