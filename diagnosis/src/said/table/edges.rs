//! Content delivery networks.

use super::*;
use Cause::*;
use Says::*;
use Sign::*;

const CLOUDFLARE: &[&str] = &["cloudflare"];
const CLOUDFLARE_DOC: &str = "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/";
const CLOUDFRONT_DOC: &str = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    documented(
        "cloudflare-520", "Cloudflare", &[520], Status, NoValidAnswer, BadGateway, "the server behind it gave an empty or invalid answer, or reset the connection", "the server's log; header size (8 KB to 16 KB)",
        CLOUDFLARE_DOC, ("HTTP/1.1 520 \nServer: cloudflare\nCF-RAY: 7d3a1b2c3d4e5f60-FRA", "error code: 520"),
    ),
    documented(
        "cloudflare-521", "Cloudflare", &[521], Status, NoConnection, BadGateway, "the server behind it refuses the connection", "whether it listens on the port; a firewall there must admit Cloudflare's addresses",
        CLOUDFLARE_DOC, ("HTTP/1.1 521 \nServer: cloudflare", "error code: 521"),
    ),
    documented(
        "cloudflare-522", "Cloudflare", &[522], Status, NoConnection, GatewayTimeout, "it cannot connect to the server behind it in time (TCP)", "a firewall there drops Cloudflare's addresses, or the server is overloaded",
        CLOUDFLARE_DOC, ("HTTP/1.1 522 \nServer: cloudflare", "error code: 522"),
    ),
    documented(
        "cloudflare-523", "Cloudflare", &[523], Status, NoConnection, BadGateway, "it cannot find a way to the server behind it", "the A or AAAA record in Cloudflare's DNS",
        CLOUDFLARE_DOC, ("HTTP/1.1 523 \nServer: cloudflare", "error code: 523"),
    ),
    documented(
        "cloudflare-524", "Cloudflare", &[524], Status, Slow, GatewayTimeout, "the server behind it took the request and did not answer within 100 to 120 s", "the server's log at the time of the test",
        CLOUDFLARE_DOC, ("HTTP/1.1 524 \nServer: cloudflare", "error code: 524"),
    ),
    documented(
        "cloudflare-525", "Cloudflare", &[525], Status, BackendTls, BadGateway, "the TLS handshake with the server behind it fails", "the server's port 443 and certificate; the zone's SSL/TLS mode",
        CLOUDFLARE_DOC, ("HTTP/1.1 525 \nServer: cloudflare", "error code: 525"),
    ),
    documented(
        "cloudflare-526", "Cloudflare", &[526], Status, BackendTls, BadGateway, "the certificate of the server behind it is not valid (mode Full (strict))", "renew it, or use a Cloudflare origin certificate",
        CLOUDFLARE_DOC, ("HTTP/1.1 526 \nServer: cloudflare", "error code: 526"),
    ),
    documented(
        "cloudflare-1033", "Cloudflare", &[530], Body(&["1033"]), NoBackend, BadGateway, "the tunnel is down: no cloudflared is connected (1033)", "cloudflared tunnel info NAME",
        CLOUDFLARE_DOC, ("HTTP/1.1 530 \nServer: cloudflare", "error code: 1033"),
    ),
    documented(
        "cloudflare-1016", "Cloudflare", &[530], Body(&["1016"]), NoConnection, BadGateway, "the name of the server behind it does not resolve (1016)", "the CNAME in Cloudflare's DNS",
        CLOUDFLARE_DOC, ("HTTP/1.1 530 \nServer: cloudflare", "error code: 1016"),
    ),
    documented(
        "cloudflare-530", "Cloudflare", &[530], Status, NoBackend, BadGateway, "it cannot reach the server behind it; the page names a 1xxx code", "the 1xxx code on the page",
        CLOUDFLARE_DOC, ("HTTP/1.1 530 \nServer: cloudflare", "error code: 1000"),
    ),
    documented(
        "cloudflared-502", "Cloudflare Tunnel", &[502], Body(&["Unable to reach the origin service"]), NoConnection, BadGateway, "cloudflared cannot reach the service that its ingress rule names", "cloudflared's log: `error=\"dial tcp …`; the rule's service: address",
        "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/troubleshoot-tunnels/common-errors/", ("HTTP/1.1 502 Bad Gateway\nServer: cloudflare", "Unable to reach the origin service. The service may be down or it may not be responding to traffic from cloudflared"),
    ),
    documented(
        "cloudflare-429", "Cloudflare", &[429], Body(&["error code: 1015", "You are being rate limited"]), Limited, RateLimited, "a rate limiting rule of the zone refuses the request (1015)", "Security, WAF, Rate limiting rules",
        "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/", ("HTTP/1.1 429 Too Many Requests\nServer: cloudflare\nRetry-After: 10", "error code: 1015"),
    ),
    documented(
        "cloudflare-502", "Cloudflare", &[502, 504], Sign::ByWith(CLOUDFLARE, "cf-ray"), NoValidAnswer, BadGateway, "it passes on the server's 502 or 504, or got no answer itself: its own page names Cloudflare", "whether the page is branded by Cloudflare; the server's log",
        CLOUDFLARE_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: cloudflare\nCF-RAY: 7d3a1b2c3d4e5f60-FRA", "error code: 502"),
    ),

    documented(
        "cloudfront-unreachable", "Amazon CloudFront", &[502, 504], Body(&["CloudFront wasn't able to connect to the origin", "CloudFront attempted to establish a connection with the origin"]), NoConnection, BadGateway, "it cannot connect to the server behind it, or TLS with it fails", "the origin's port, protocol, certificate; its firewall",
        CLOUDFRONT_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: CloudFront\nX-Cache: Error from cloudfront", "<H1>502 ERROR</H1><H2>The request could not be satisfied.</H2>CloudFront wasn't able to connect to the origin."),
    ),
    documented(
        "cloudfront-not-distributed", "Amazon CloudFront", &[403], Body(&["This distribution is not configured to allow the HTTP request method", "The distribution supports only cachable requests"]), Denied, BlockedPage, "the behaviour does not take this request", "the behaviour's allowed methods",
        CLOUDFRONT_DOC, ("HTTP/1.1 403 Forbidden\nServer: CloudFront", "This distribution is not configured to allow the HTTP request method that was used for this request."),
    ),
    documented(
        "frontdoor-no-config", "Azure Front Door", &[404], Body(&["We weren't able to find your Azure Front Door Service configuration", "Azure Front Door Service configuration"]), UnknownHost, WrongPath, "no endpoint or route takes this host", "custom domains and routes",
        "https://learn.microsoft.com/azure/frontdoor/troubleshoot-issues", ("HTTP/1.1 404 Not Found\nX-Azure-Ref: 0abc", "<h2>Oops! We weren't able to find your Azure Front Door Service configuration.</h2>"),
    ),
    documented(
        "frontdoor-503", "Azure Front Door", &[502, 503, 504], Body(&["Our services aren't available right now"]), NoValidAnswer, NoHealthyBackend, "it gets no answer from the origin: unhealthy, too slow, or a certificate that it does not take", "the origin group's health probes; the origin's certificate name; the response timeout",
        "https://learn.microsoft.com/azure/frontdoor/troubleshoot-issues", ("HTTP/1.1 503 Service Unavailable\nX-Azure-Ref: 0abc", "<h2>Our services aren't available right now</h2>"),
    ),
    documented(
        "fastly-unknown-domain", "Fastly", &[500], Body(&["Fastly error: unknown domain"]), UnknownHost, BlockedPage, "no service there has this domain", "the service's domains",
        "https://www.fastly.com/documentation/guides/full-site-delivery/", ("HTTP/1.1 500 Domain Not Found\nX-Served-By: cache-fra1234-FRA", "Fastly error: unknown domain: console.example.com."),
    ),
    documented(
        "fastly-503", "Fastly", &[503], Body(&["first byte timeout", "backend read error", "connection timed out", "no healthy backends"]), NoValidAnswer, NoHealthyBackend, "it gets no answer from the server behind it", "the backend's host, port, TLS; first_byte_timeout; WebSocket is a product of its own",
        "https://www.fastly.com/documentation/guides/concepts/errors/", ("HTTP/1.1 503 first byte timeout\nX-Served-By: cache-fra1234-FRA", "<h1>Error 503 first byte timeout</h1><h3>Guru Mediation:</h3>"),
    ),
    documented(
        "akamai-503", "Akamai", &[503, 504], Every(&["Reference&#32;&#35;", "An error occurred while processing your request"]), NoValidAnswer, NoHealthyBackend, "it gets no answer from the server behind it", "the reference on the page, in Akamai's control center",
        "https://techdocs.akamai.com/edge-diagnostics/docs/translate-error-string", ("HTTP/1.1 503 Service Unavailable\nServer: AkamaiGHost", "<TITLE>Error</TITLE>An error occurred while processing your request.<p>Reference&#32;&#35;11&#46;1234"),
    ),
];
