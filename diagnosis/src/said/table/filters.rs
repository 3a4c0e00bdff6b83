//! Web application firewalls and bot filters, by the words of their pages. What a
//! header tells of them is in the signatures.

use super::*;
use Cause::*;
use Says::*;
use Sign::*;

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    documented(
        "fortiweb", "FortiWeb", &[200, 400, 403, 404, 500, 503], Every(&["Attack ID", "Message ID"]), Filtered, BlockedPage, "its block page", "the attack log, by the message ID on the page; the server policy must support WebSocket",
        "https://docs.fortinet.com/product/fortiweb", ("HTTP/1.1 500 Internal Server Error\nContent-Type: text/html", "<title>Web Page Blocked!</title><p>Attack ID: 20000051</p><p>Message ID: 000113542098</p>"),
    ),
    documented(
        "f5-asm", "F5 BIG-IP ASM / Advanced WAF", &[200, 403, 404, 503], Body(&["The requested URL was rejected. Please consult with your administrator."]), Filtered, BlockedPage, "its block page", "Security, Event Logs, by the support ID on the page; the policy needs the URL as a WebSocket URL, and the virtual server a WebSocket profile",
        "https://my.f5.com/manage/s/article/K14263", ("HTTP/1.1 200 OK\nContent-Type: text/html", "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br><br>Your support ID is: 123456789</body></html>"),
    ),
    documented(
        "imperva", "Imperva / Incapsula", &[200, 403, 503], Body(&["Incapsula incident ID", "incapsula incident ID", "_Incapsula_Resource"]), Filtered, BlockedPage, "its block page", "Attack analytics, by the incident ID on the page",
        "https://docs.imperva.com/bundle/cloud-application-security/page/error-codes.htm", ("HTTP/1.1 403 Forbidden\nX-CDN: Imperva", "<iframe src=\"/_Incapsula_Resource?x\">Request unsuccessful. Incapsula incident ID: 1234-5678</iframe>"),
    ),
    documented(
        "cloudflare-challenge", "Cloudflare", &[403, 503, 429], Sign::Header("cf-mitigated", "challenge"), Filtered, BlockedPage, "a challenge (bot or firewall rule), which no WebSocket can answer", "Security, Events, by the Ray ID; a rule that skips for the host or the path",
        "https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/", ("HTTP/1.1 403 Forbidden\nServer: cloudflare\ncf-mitigated: challenge", "<title>Just a moment...</title>"),
    ),
    documented(
        "cloudflare-blocked", "Cloudflare", &[403, 503], Body(&["Sorry, you have been blocked", "error code: 1020", "error code: 1010", "error code: 1009", "error code: 1006", "Attention Required! | Cloudflare"]), Filtered, BlockedPage, "a rule of its firewall refuses the request", "Security, Events, by the Ray ID; a rule that skips for the host or the path",
        "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/", ("HTTP/1.1 403 Forbidden\nServer: cloudflare", "error code: 1020"),
    ),
    documented(
        "aws-waf", "AWS WAF", &[202, 403, 405], Sign::Header("x-amzn-waf-action", ""), Filtered, BlockedPage, "a challenge or captcha of AWS WAF, which no WebSocket can answer", "the web ACL's sampled requests; exempt the host or the path",
        "https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge.html", ("HTTP/1.1 202 Accepted\nServer: awselb/2.0\nx-amzn-waf-action: challenge", ""),
    ),
    documented(
        "cloudfront-blocked", "AWS WAF at Amazon CloudFront", &[403], Body(&["Request blocked."]), Filtered, BlockedPage, "AWS WAF, which is attached to the distribution, refuses the request", "the web ACL's sampled requests; exempt the host or the path",
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-403-permission-denied.html", ("HTTP/1.1 403 Forbidden\nServer: CloudFront\nX-Cache: Error from cloudfront", "<H1>403 ERROR</H1><H2>The request could not be satisfied.</H2>Request blocked. We can't connect to the server for this app or website at this time."),
    ),
    documented(
        "frontdoor-blocked", "Azure Front Door's WAF", &[403], Every(&["The request is blocked."]), Filtered, BlockedPage, "its web application firewall refuses the request", "the WAF's log, by the reference on the page; an exclusion or a custom rule",
        "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-faq", ("HTTP/1.1 403 Forbidden\nX-Azure-Ref: 0abc", "<h2>The request is blocked.</h2><div>0abc</div>"),
    ),
    documented(
        "akamai-denied", "Akamai", &[403], Every(&["Access Denied", "Reference&#32;&#35;"]), Filtered, BlockedPage, "its security configuration refuses the request", "the reference on the page, in Akamai's control center",
        "https://techdocs.akamai.com/edge-diagnostics/docs/translate-error-string", ("HTTP/1.1 403 Forbidden\nServer: AkamaiGHost", "<TITLE>Access Denied</TITLE><H1>Access Denied</H1>You don't have permission to access \"x\" on this server.<P>Reference&#32;&#35;18&#46;1234"),
    ),
    documented(
        "modsecurity", "ModSecurity", &[403, 406, 501], Body(&["Not Acceptable!", "generated by Mod_Security", "This error was generated by Mod_Security", "ModSecurity"]), Filtered, BlockedPage, "its page", "modsec_audit.log: the rule's id; SecRuleRemoveById for the path",
        "https://github.com/owasp-modsecurity/ModSecurity/wiki", ("HTTP/1.1 406 Not Acceptable\nServer: Apache", "<h1>Not Acceptable!</h1><p>An appropriate representation of the requested resource could not be found on this server. This error was generated by Mod_Security.</p>"),
    ),
    documented(
        "sophos-waf", "Sophos' web server protection", &[403], Every(&["Access to the requested URL was blocked"]), Filtered, BlockedPage, "its block page", "reverseproxy.log: the rule's id; a path exception, and `Pass WebSocket` (UTM: `WebSocket passthrough`)",
        "https://docs.sophos.com/nsg/sophos-firewall/21.0/Help/en-us/webhelp/onlinehelp/AdministratorHelp/RulesAndPolicies/FirewallRules/RulesWAF/", ("HTTP/1.1 403 Forbidden", "<h1>Request blocked</h1><p>Access to the requested URL was blocked</p><p>Inbound Anomaly Score exceeded</p>"),
    ),
    documented(
        "barracuda-waf", "Barracuda Web Application Firewall", &[200, 403, 404, 503], Body(&["Barracuda Web Application Firewall", "barra_counter_session"]), Filtered, BlockedPage, "its block page", "the Web Firewall Logs, by the ID on the page; WebSocket in the service's or URL policy's settings",
        "https://campus.barracuda.com/product/webapplicationfirewall/", ("HTTP/1.1 403 Forbidden", "<p>The request was blocked by the Barracuda Web Application Firewall.</p>"),
    ),
    documented(
        "sucuri", "Sucuri", &[403], Body(&["Sucuri Website Firewall"]), Filtered, BlockedPage, "its block page", "the firewall's audit trail, by the block ID on the page",
        "https://docs.sucuri.net/website-firewall/", ("HTTP/1.1 403 Forbidden\nServer: Sucuri/Cloudproxy\nX-Sucuri-ID: 1", "<title>Sucuri Website Firewall - Access Denied</title>"),
    ),
    documented(
        "radware", "Radware", &[200, 403, 405], Body(&["Unauthorized Activity Has Been Detected", "Unauthorized Request Blocked"]), Filtered, BlockedPage, "its block page", "the case number on the page",
        "https://github.com/EnableSecurity/wafw00f (plugins/radware.py)", ("HTTP/1.1 403 Forbidden\nX-SL-CompState: x", "<title>Unauthorized Request Blocked</title><p>Unauthorized Activity Has Been Detected</p><p>Case Number: 1</p>"),
    ),
    documented(
        "wordfence", "Wordfence", &[403, 503], Body(&["Generated by Wordfence", "generated by Wordfence"]), Filtered, BlockedPage, "its block page", "the plugin's live traffic",
        "https://www.wordfence.com/help/", ("HTTP/1.1 403 Forbidden", "<p>Generated by Wordfence at Sun, 1 Mar 2026</p>"),
    ),
    documented(
        "netscaler-appfw", "NetScaler Web App Firewall", &[200, 302, 403], Body(&["AppFW Session id", "NS Transaction id"]), Filtered, BlockedPage, "its block page", "the transaction id on the page, in ns.log (APPFW)",
        "https://docs.netscaler.com/en-us/citrix-adc/current-release/application-firewall/", ("HTTP/1.1 403 Forbidden", "NS Transaction id: 1234, AppFW Session id: abc"),
    ),
    documented(
        "firewalls-words", "A web application firewall", &[400, 403, 406, 418, 429, 500, 501, 503], Sign::FirewallsWords, Filtered, BlockedPage, "a page that names a web application firewall, or an id to tell its support", "the firewall's own log, by the id on the page",
        "https://github.com/EnableSecurity/wafw00f (plugins)", ("HTTP/1.1 403 Forbidden", "<h1>Forbidden</h1><p>Your request was blocked by the web application firewall. Support ID: 77-12</p>"),
    ),
];
