//! The clouds' own load balancers and platforms.

use super::*;
use Cause::*;
use Says::*;
use Sign::*;

const ALB: &[&str] = &["aws-alb"];
const ALB_DOC: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#load-balancer-http-error-codes";
const APPGW: &[&str] = &["azure-appgw"];
const APPGW_DOC: &str = "https://learn.microsoft.com/azure/application-gateway/http-response-codes";
const GCP_DOC: &str =
    "https://cloud.google.com/load-balancing/docs/https/troubleshooting-ext-https-lbs";
const HEROKU_DOC: &str = "https://devcenter.heroku.com/articles/error-codes";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    documented(
        "alb-464", "AWS ALB", &[464], Status, OtherVersion, LbHttp2, "the target group's protocol version does not fit the request: it is HTTP2 or gRPC, and upgrades need HTTP1", "the target group's protocol version (HTTP1)",
        ALB_DOC, ("HTTP/1.1 464 \nServer: awselb/2.0\nContent-Length: 0", ""),
    ),
    documented(
        "alb-460", "AWS ALB", &[460], Status, ClientLeft, GatewayTimeout, "the client, or a hop before it, closed the connection before the target answered: the client's timeout is shorter than the target takes", "the timeout of the hop before it; target_processing_time in the access log",
        ALB_DOC, ("HTTP/1.1 460 \nServer: awselb/2.0\nContent-Length: 0", ""),
    ),
    documented(
        "alb-463", "AWS ALB", &[463], Sign::By(ALB), Unreadable, BlockedPage, "X-Forwarded-For names more than 30 addresses: a hop adds them in a loop", "X-Forwarded-For at the hops before it",
        ALB_DOC, ("HTTP/1.1 463 \nServer: awselb/2.0\nContent-Length: 0", ""),
    ),
    documented(
        "alibaba-463", "Alibaba Cloud ALB", &[463], Status, Unreadable, BlockedPage, "the request goes round in a circle: the backend sends it to the load balancer again", "the backend's own address, which leads back to the load balancer",
        "https://www.alibabacloud.com/help/en/slb/application-load-balancer/support/alb-status-codes", ("HTTP/1.1 463 \nServer: x\nContent-Length: 0", ""),
    ),
    documented(
        "alb-561", "AWS ALB", &[561], Status, SignOn, BlockedPage, "its own sign-on failed: the identity provider answered with an error", "the listener rule's authenticate action; client secret, endpoints",
        ALB_DOC, ("HTTP/1.1 561 Unauthorized\nServer: awselb/2.0\nContent-Length: 0", ""),
    ),
    documented(
        "alb-403", "AWS ALB", &[403], Sign::Page(ALB), Filtered, BlockedPage, "AWS WAF, which is attached to it, refuses the request", "AWS WAF: sampled requests and the rule that blocked; exempt the host or the path",
        ALB_DOC, ("HTTP/1.1 403 Forbidden\nServer: awselb/2.0\nContent-Type: text/html", "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "alb-403-fixed", "AWS ALB", &[403], Sign::By(ALB), Denied, BlockedPage, "a text of its own that is not its standard page: a listener rule with a fixed response, or a custom response of AWS WAF", "the listener's rules: fixed-response; the web ACL's custom responses",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html", ("HTTP/1.1 403 Forbidden\nServer: awselb/2.0\nContent-Type: text/plain; charset=utf-8", "Access denied"),
    ),
    documented(
        "alb-404-fixed", "AWS ALB", &[404], Sign::By(ALB), NoRoute, WrongPath, "no listener rule takes this host and path, so a fixed response answers", "the listener's rules: host-header, path-pattern, and the default action",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html", ("HTTP/1.1 404 Not Found\nServer: awselb/2.0\nContent-Type: text/plain; charset=utf-8", "Not here"),
    ),
    documented(
        "alb-400", "AWS ALB", &[400], Sign::Page(ALB), Unreadable, BlockedPage, "it cannot read the request", "the access log's error_reason",
        ALB_DOC, ("HTTP/1.1 400 Bad Request\nServer: awselb/2.0\nContent-Type: text/html", "<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "alb-502", "AWS ALB", &[502], Sign::By(ALB), NoValidAnswer, BadGateway, "the target refused or closed the connection, its answer was not valid, or TLS with it failed", "target_status_code `-` in the access log; the target group's protocol and port",
        ALB_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: awselb/2.0\nContent-Type: text/html", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "alb-503", "AWS ALB", &[503], Sign::Page(ALB), NoBackend, NoHealthyBackend, "the target group has no registered target, or all are in use", "the target group's targets",
        ALB_DOC, ("HTTP/1.1 503 Service Temporarily Unavailable\nServer: awselb/2.0\nContent-Type: text/html", "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "alb-503-fixed", "AWS ALB", &[503], Sign::By(ALB), Closed, NoHealthyBackend, "a page of its own that is not its standard one: a listener rule with a fixed response", "the listener's rules: fixed-response",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html", ("HTTP/1.1 503 Service Temporarily Unavailable\nServer: awselb/2.0\nContent-Type: text/plain", "Down for maintenance"),
    ),
    documented(
        "alb-504", "AWS ALB", &[504], Sign::By(ALB), Slow, GatewayTimeout, "it cannot connect to the target within 10 s, or the target does not answer within the idle timeout", "security groups and network ACLs between both; the idle timeout",
        ALB_DOC, ("HTTP/1.1 504 Gateway Time-out\nServer: awselb/2.0\nContent-Type: text/html", "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n"),
    ),

    documented(
        "gcp-502", "Google Cloud load balancer", &[502, 503], Body(&["The server encountered a temporary error and could not complete your request"]), NoValidAnswer, BadGateway, "it has no healthy backend, or the backend closed the connection (its keep-alive must be longer than 600 s) or did not answer in time", "the load balancer's log: statusDetails (failed_to_pick_backend, backend_connection_closed_before_data_sent_to_client, backend_timeout)",
        GCP_DOC, ("HTTP/1.1 502 Bad Gateway\nContent-Type: text/html; charset=UTF-8\nReferrer-Policy: no-referrer\nContent-Length: 332", "<html><head>\n<title>502 Server Error</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Server Error</h1>\n<h2>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.</h2>\n</body></html>"),
    ),
    documented(
        "gke-404", "GKE ingress", &[404], Body(&["response 404 (backend NotFound), service rules for"]), NoRoute, WrongPath, "no rule of the Ingress takes this host and path, so the default backend answers", "kubectl get ingress: host and path (/v1/* in the class gce)",
        "https://cloud.google.com/kubernetes-engine/docs/concepts/ingress", ("HTTP/1.1 404 Not Found\nVia: 1.1 google", "response 404 (backend NotFound), service rules for the path non-existent\n"),
    ),
    documented(
        "gcp-iap", "Google IAP", &[401, 403], Body(&["Invalid IAP credentials", "Invalid GCIP ID token"]), SignOn, AuthRequired, "Identity-Aware Proxy wants a sign-on", "IAP: sign in in a browser, or exempt the path",
        "https://cloud.google.com/iap/docs/faq", ("HTTP/1.1 401 Unauthorized\nX-Goog-IAP-Generated-Response: true", "Invalid IAP credentials: empty token"),
    ),
    documented(
        "cloud-run-429", "Cloud Run", &[429], Whole(&["Rate exceeded."]), Full, NoHealthyBackend, "no instance is free: an open WebSocket counts against the concurrency for as long as it lives", "maximum instances, concurrency",
        "https://cloud.google.com/run/docs/troubleshooting", ("HTTP/1.1 429 Too Many Requests\nServer: Google Frontend", "Rate exceeded."),
    ),

    documented(
        "appgw-403", "Azure Application Gateway", &[403], Sign::Page(APPGW), Filtered, BlockedPage, "its web application firewall refuses the request", "the WAF's log: ruleId_s; an exclusion, or a custom rule that allows the host",
        APPGW_DOC, ("HTTP/1.1 403 Forbidden\nServer: Microsoft-Azure-Application-Gateway/v2\nContent-Type: text/html", "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "appgw-502", "Azure Application Gateway", &[502], Sign::By(APPGW), NoBackend, BadGateway, "no server of the backend pool is healthy, or none answered", "Backend health; the health probe's path (/health), host and accepted codes",
        "https://learn.microsoft.com/azure/application-gateway/application-gateway-troubleshooting-502", ("HTTP/1.1 502 Bad Gateway\nServer: Microsoft-Azure-Application-Gateway/v2\nContent-Type: text/html", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "appgw-504", "Azure Application Gateway", &[504], Sign::By(APPGW), Slow, GatewayTimeout, "the backend does not answer within the request timeout of the backend setting (20 s by default)", "az network application-gateway http-settings: timeout",
        APPGW_DOC, ("HTTP/1.1 504 Gateway Time-out\nServer: Microsoft-Azure-Application-Gateway/v2\nContent-Type: text/html", "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "appgw-404", "Azure Application Gateway", &[404], Sign::Page(APPGW), NoRoute, WrongPath, "no listener or path rule takes this host and path", "listeners (host names) and url path maps",
        APPGW_DOC, ("HTTP/1.1 404 Not Found\nServer: Microsoft-Azure-Application-Gateway/v2\nContent-Type: text/html", "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "azure-app-stopped", "Azure App Service", &[403], Body(&["This web app is stopped", "Web App - Unavailable"]), Closed, BlockedPage, "the app is stopped, or over its quota", "the app's overview in the portal",
        "https://learn.microsoft.com/azure/app-service/", ("HTTP/1.1 403 Site Disabled\nContent-Type: text/html", "<title>Web App - Unavailable</title><h2>Error 403 - This web app is stopped.</h2>"),
    ),
    documented(
        "azure-container-apps", "Azure Container Apps", &[404], Body(&["Azure Container App - Unavailable", "This Container App is stopped or does not exist"]), NoBackend, WrongPath, "no running revision answers under this name", "the app's revisions and ingress",
        "https://learn.microsoft.com/azure/container-apps/ingress-overview", ("HTTP/1.1 404 Not Found", "<title>Azure Container App - Unavailable</title>"),
    ),
    documented(
        "apim-404", "Azure API Management", &[404], Sign::Every(&["\"statusCode\": 404", "Resource not found"]), NoRoute, WrongPath, "no API or operation takes this path; WebSocket needs an API of its own kind", "APIs of type WebSocket",
        "https://learn.microsoft.com/azure/api-management/websocket-api", ("HTTP/1.1 404 Resource Not Found\nContent-Type: application/json", "{ \"statusCode\": 404, \"message\": \"Resource not found\" }"),
    ),

    documented(
        "heroku-maintenance", "Heroku", &[503], Body(&["Offline for Maintenance", "maintenance-mode.html"]), Closed, NoHealthyBackend, "maintenance mode is on (H80)", "heroku maintenance:off",
        HEROKU_DOC, ("HTTP/1.1 503 Service Unavailable\nServer: Heroku", "<title>Offline for Maintenance</title>"),
    ),
    documented(
        "heroku-error", "Heroku", &[503], Body(&["herokucdn.com/error-pages", "heroku logs --tail"]), Crashed, NoHealthyBackend, "its router got no answer from the application (an H code in the log: H10 crashed, H12 timed out, H13 closed the connection, H14 no dyno)", "heroku logs --tail: code=H…",
        HEROKU_DOC, ("HTTP/1.1 503 Service Unavailable\nServer: Heroku", "<iframe src=\"//www.herokucdn.com/error-pages/application-error.html\"></iframe>"),
    ),
    documented(
        "heroku-no-app", "Heroku", &[404], Body(&["herokucdn.com/error-pages/no-such-app", "There's nothing here, yet."]), UnknownHost, WrongPath, "no application of this name there", "heroku domains",
        HEROKU_DOC, ("HTTP/1.1 404 Not Found\nServer: Heroku", "<iframe src=\"//www.herokucdn.com/error-pages/no-such-app.html\"></iframe>"),
    ),
    documented(
        "railway-502", "Railway", &[502], Body(&["Application failed to respond"]), NoValidAnswer, BadGateway, "its edge got no answer from the application: it does not listen on $PORT at 0.0.0.0", "the service's port",
        "https://docs.railway.com/reference/errors/application-failed-to-respond", ("HTTP/1.1 502 Bad Gateway\nServer: railway-edge", "{\"status\":\"error\",\"code\":502,\"message\":\"Application failed to respond\"}"),
    ),
    documented(
        "vercel", "Vercel", &[404], Sign::Header("x-vercel-error", ""), NoRoute, WrongPath, "an error of the platform, which carries no WebSocket to a server of one's own", "the code in x-vercel-error",
        "https://vercel.com/docs/errors", ("HTTP/1.1 404 Not Found\nServer: Vercel\nX-Vercel-Error: NOT_FOUND", "The page could not be found"),
    ),
    documented(
        "netlify-404", "Netlify", &[404], Sign::Every(&["Netlify", "Page not found"]), NoRoute, WrongPath, "a site of files: no redirect rule sends this path to the server, and it carries no WebSocket", "the address of Bindplane itself for wss://",
        "https://docs.netlify.com/routing/redirects/rewrites-proxies/", ("HTTP/1.1 404 Not Found\nServer: Netlify", "<title>Page not found</title><p>Netlify's support guide</p>"),
    ),
    documented(
        "s3-no-key", "Amazon S3", &[403, 404], Body(&["<Code>NoSuchKey</Code>", "<Code>AccessDenied</Code>", "<Code>NoSuchBucket</Code>", "<li>Code: NoSuchKey</li>"]), NoRoute, WrongPath, "a bucket of files answers: no rule sends this path to the server", "the distribution's behaviours and origins",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", ("HTTP/1.1 404 Not Found\nServer: AmazonS3\nx-amz-request-id: X", "<Error><Code>NoSuchKey</Code></Error>"),
    ),
];
