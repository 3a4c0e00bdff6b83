//! Secrets in the configurations of programs that write lines: what follows a word that
//! announces one. Runs before the rules for free text, over the whole file, since
//! an nginx directive may go over several lines. Lines keep their numbers: a
//! finding names file and line.
//!
//! Paths to keys and password files stay, and so do values that are variables
//! alone: they name a secret and are none.

use super::{Redactor, header_may_stay};
use regex::{Captures, Regex};
use std::sync::OnceLock;

/// Headers of requests to a backend whose values may stay, besides those of
/// [`header_may_stay`]: addresses and names of the request itself.
const REQUEST_HEADERS: &[&str] = &[
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-original-uri",
    "x-original-host",
    "x-scheme",
    "forwarded",
    "early-data",
    "location",
];

/// An argument as both programs write it: quoted, or up to a blank or `;`.
const VALUE: &str = r#"(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:\\.|[^\s;"'\\])+)"#;

struct Rule {
    /// Group 1 stays, group `name` tells whether group `value` may stay.
    regex: Regex,
    kind: &'static str,
}

fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        // Quoted and bare parts may follow each other without a blank (HAProxy).
        let rest = format!(r"(?P<value>{VALUE}(?:[ \t]*{VALUE})*)");
        let one = format!("(?P<value>{VALUE}+)");
        // Within a line: a quote that ends there may have begun before (VCL, HAProxy).
        let own = VALUE.replace(r#"[^"\\]"#, r#"[^"\\\n]"#).replace(r"[^'\\]", r"[^'\\\n]");
        let line = format!(r"(?P<value>{own}(?:[ \t]*{own})*)");
        let patterns = [
            // First: what masks within a key must not hide the rest of it.
            ("private-key", r#"()(?P<value>\bdata:[^\s;"']+)"#.to_owned()),
            (
                "private-key",
                r"()(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))".to_owned(),
            ),
            (
                "header-value",
                format!(
                    r"(?i)(\b(?:proxy_set_header|grpc_set_header|add_header|proxy_pass_header|more_set_headers|more_set_input_headers|fastcgi_param|uwsgi_param|scgi_param)\s+(?P<name>{VALUE})\s+){rest}"
                ),
            ),
            (
                "header-value",
                format!(
                    r"(?i)(\bhttp-(?:request|response|after-response)[ \t]+(?:set|add|replace)-(?:header|value)[ \t]+(?P<name>{VALUE})[ \t]+){rest}"
                ),
            ),
            ("header-value", format!(r"(?i)(\bhdr[ \t]+(?P<name>{VALUE})[ \t]+){one}")),
            (
                "credentials",
                format!(
                    r#"(?i)((?:"|'|\b)(?:proxy-)?authorization\b[:\\"')]*(?:[ \t]+-[im]+(?:[ \t]+[a-z]+)?)*[ \t\\]+){line}"#
                ),
            ),
            (
                "credentials",
                r#"(?i)(\b(?:basic|bearer)(?:\\?[ \t]+|%20))(?P<value>[A-Za-z0-9+/=._~-]{6,})"#.to_owned(),
            ),
            ("credentials", format!(r"(?i)(\bstats[ \t]+auth[ \t]+){rest}")),
            (
                "secret-named",
                format!(
                    r#"(?i)(\b(?:[a-z]+[_-])*(?:password|passwd|secret|secure_link_md5|dynamic-cookie-key|agent-send|presetenv[ \t]+\S+|setenv[ \t]+\S+)[ \t]+){rest}"#
                ),
            ),
            (
                "secret-named",
                format!(
                    r#"(?i)(\bset\s+\$[a-z0-9_]*(?:pass|secret|token|key|auth|cred)[a-z0-9_]*\s+){one}"#
                ),
            ),
            (
                "secret-named",
                r#"(?i)(\$(?:http_|arg_|cookie_)?[a-z0-9_]*(?:pass|secret|token|key|auth|cred|cookie|session)[a-z0-9_]*\s*(?:!?=|!?~\*?)\s*)(?P<value>"[^"]*"|'[^']*'|[^\s)]+)"#.to_owned(),
            ),
            // Apache's words.
            (
                "header-value",
                format!(
                    r"(?mi)(^[ \t]*(?:RequestHeader|Header)[ \t]+(?:(?:always|onsuccess|early)[ \t]+)?[a-z*]+[ \t]+(?P<name>{VALUE})[ \t]+){rest}"
                ),
            ),
            (
                "secret-named",
                format!(
                    r"(?mi)(^[ \t]*(?:[a-z]*(?:password|passphrase|passwd|secret)|DBDParams|Define[ \t]+\S*(?:pass|secret|token|key|cred)\S*)[ \t]+){rest}"
                ),
            ),
            ("secret-named", format!(r"(?i)(\bsecret=){one}")),
            // Caddy's words: headers with a matcher before and a sign at their names;
            // hashes of passwords; what a plug-in's lines call a key.
            (
                "header-value",
                format!(
                    r"(?m)(^[ \t]*(?:header_up|header_down|request_header|(?:@\S+[ \t]+)?(?:not[ \t]+)?header(?:_regexp)?)[ \t]+(?:(?:@|/|\*)\S*[ \t]+)?(?:[-+?>!])?(?P<name>{VALUE})[ \t]+){rest}"
                ),
            ),
            (
                "credentials",
                r"()(?P<value>\$(?:2[abxy]?|argon2id?|[156y]|scrypt)\$[A-Za-z0-9./+=$,-]{16,}|\bJDJ[a-zA-Z0-9+/]{20,}={0,2})".to_owned(),
            ),
            (
                "secret-named",
                format!(
                    r"(?mi)(^[ \t]*(?:dns[ \t]+[a-z0-9_.-]+|eab[ \t]+\S+|[a-z_]*(?:api|auth|access|secret|private|eab|shared)_?(?:token|key|key_id|secret)|mac_key|client_secret)[ \t]+){rest}"
                ),
            ),
            // XML's attributes, a BIG-IP's lines, a NetScaler's options.
            (
                "secret-named",
                r#"(?i)(\b(?:[a-z]*password|connectionString|validationKey|decryptionKey|[a-z]*secret|[a-z]*token|apikey)\s*=\s*)(?P<value>"[^"\n]*"|'[^'\n]*')"#.to_owned(),
            ),
            (
                "secret-named",
                r#"(?i)(<add\s+(?:key|name)="[^"\n]*"\s+value=)(?P<value>"[^"\n]*")"#.to_owned(),
            ),
            (
                "secret-named",
                format!(
                    r"(?mi)(^[ \t]*(?:passphrase|encrypted-password|auth-password|privacy-password|bind-pw|shared-secret)[ \t]+){line}"
                ),
            ),
            (
                "secret-named",
                format!(
                    r"(?i)([ \t]-(?:[a-z]*(?:password|passwd|passcrypt|passphrase|secret)|[a-z]+key)[ \t]+){one}"
                ),
            ),
            (
                "secret-named",
                format!(r"(?mi)(^[ \t]*(?:add|set)[ \t]+system[ \t]+user[ \t]+\S+[ \t]+){one}"),
            ),
            // VCL's: headers that are set or compared; keys of signatures.
            (
                "header-value",
                r#"(?i)(\b(?:be)?(?:req|resp|obj|req_top)\.http\.(?P<name>[a-z0-9_-]+)\s*(?:==|!=|!~|~|\+=|=)\s*)(?P<value>"[^"\n]*"(?:\s*\+?\s*"[^"\n]*")*|\{"[\s\S]*?"\})"#.to_owned(),
            ),
            ("secret-named", r#"(?i)(\bhmac_[a-z0-9]+\(\s*)(?P<value>"[^"\n]*")"#.to_owned()),
            (
                "payload",
                format!(r"(?i)(\btcp-check[ \t]+send[a-z-]*[ \t]+|\bhttp-check[ \t]+send\b.*?\bbody(?:-lf)?[ \t]+){rest}"),
            ),
        ];
        patterns
            .into_iter()
            .filter_map(|(kind, pattern)| Some(Rule { regex: Regex::new(&pattern).ok()?, kind }))
            .collect()
    })
}

/// A configuration without what its words announce as secret.
pub(super) fn text(r: &mut Redactor, entry: &str, text: &str) -> String {
    let mut out = text.to_owned();
    for rule in rules() {
        out = apply(r, entry, rule, &out);
    }
    credential_maps(r, entry, &out)
}

fn apply(r: &mut Redactor, entry: &str, rule: &Rule, text: &str) -> String {
    let mut lines = Vec::new();
    // How far lines were counted, and to which: a long file may lose many values.
    let (mut counted, mut line) = (0, 1);
    let out = rule.regex.replace_all(text, |c: &Captures<'_>| {
        let value = c.name("value").map_or("", |m| m.as_str());
        let known = c.name("name").is_some_and(|name| {
            let name = name.as_str().trim_matches(['"', '\'']).to_ascii_lowercase();
            header_may_stay(&name) || REQUEST_HEADERS.contains(&name.as_str())
        });
        let harmless = match rule.kind {
            "header-value" => variables_alone(value),
            "secret-named" if in_nginx(&c[1]) => nginx_variables(value) || plain_word(value),
            "secret-named" if c[1].trim_start().to_ascii_lowercase().starts_with("setenv") => {
                names_it_alone(value) || plain_word(value)
            }
            _ => names_it_alone(value),
        };
        if known || harmless || value == "[removed]" {
            return c[0].to_owned();
        }
        let at = c.name("value").map_or(counted, |m| m.start());
        line += text.as_bytes()[counted..at].iter().filter(|b| **b == b'\n').count();
        counted = at;
        lines.push(line);
        format!("{}[removed]{}", &c[1], "\n".repeat(value.matches('\n').count()))
    });
    let out = out.into_owned();
    for line in lines {
        r.count(entry, &format!("line {line}"), rule.kind);
    }
    out
}

/// The keys of a `map` over something that holds a credential.
fn credential_maps(r: &mut Redactor, entry: &str, text: &str) -> String {
    static MAP: OnceLock<Option<Regex>> = OnceLock::new();
    let map = MAP.get_or_init(|| {
        Regex::new(
            r#"(?i)\bmap\s+["']?\$(?:http_|arg_|cookie_)?[a-z0-9_]*(?:pass|secret|token|key|auth|cred|cookie|session)[a-z0-9_]*["']?\s+\$\w+\s*\{([^}]*)\}"#,
        )
        .ok()
    });
    let Some(map) = map else { return text.to_owned() };
    let mut lines = Vec::new();
    let out = map.replace_all(text, |c: &Captures<'_>| {
        let body = c.get(1).map_or(0..0, |m| m.range());
        let at = c.get(0).map_or(0, |m| m.start());
        let mut kept = text[at..body.start].to_owned();
        for (number, line) in text[body.clone()].split('\n').enumerate() {
            if number > 0 {
                kept.push('\n');
            }
            let word = line.split_whitespace().next().unwrap_or_default();
            let plain = word.is_empty()
                || word.starts_with('#')
                || matches!(
                    word,
                    "default" | "include" | "volatile;" | "hostnames;" | "\"\"" | "''"
                );
            if plain {
                kept.push_str(line);
            } else {
                lines.push(line_of(text, body.start) + number);
                kept.push_str("    [removed] [removed];");
            }
        }
        kept.push('}');
        kept
    });
    let out = out.into_owned();
    for line in lines {
        r.count(entry, &format!("line {line}"), "map-key");
    }
    out
}

/// Whether these words are nginx' own: there `$` always begins a variable.
fn in_nginx(words: &str) -> bool {
    let words = words.trim_start();
    words.starts_with('$') || words.starts_with("set") && words[3..].starts_with([' ', '\t', '\n'])
}

/// Whether nothing but variables of nginx is in it: `$scheme`, `"${a}$b"`.
fn nginx_variables(value: &str) -> bool {
    static VARIABLE: OnceLock<Option<Regex>> = OnceLock::new();
    let variable =
        VARIABLE.get_or_init(|| Regex::new(r"^(?:\$\w+|\$\{\w+\}|[:/.-])+$").ok()).as_ref();
    let bare = value.trim_matches(['"', '\'']);
    variable.is_some_and(|v| v.is_match(bare)) && bare.contains('$')
}

/// Whether it is a word that everybody uses: an empty text, a scheme, a switch.
fn plain_word(value: &str) -> bool {
    matches!(
        value.trim_matches(['"', '\'']).to_ascii_lowercase().as_str(),
        "" | "-"
            | "0"
            | "1"
            | "http"
            | "https"
            | "ws"
            | "wss"
            | "on"
            | "off"
            | "true"
            | "false"
            | "yes"
            | "no"
            | "none"
            | "default"
            | "close"
            | "upgrade"
            | "websocket"
    )
}

/// Whether the value says where the secret is, and is none: `$http_authorization`,
/// `"${PASSWORD}"`, `%[var(txn.token)]`. A password may begin with `$`, too.
fn names_it_alone(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']);
    let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    bare.strip_prefix("$http_").is_some_and(word)
        || bare.strip_prefix("${").and_then(|b| b.strip_suffix('}')).is_some_and(word)
        || (bare.starts_with("%[") && bare.ends_with(']') && !bare.contains('"'))
        || placeholder(bare)
}

/// A placeholder of Caddy's, alone: `{env.TOKEN}`, `{$TOKEN}`.
fn placeholder(bare: &str) -> bool {
    let inner = bare.strip_prefix('{').and_then(|b| b.strip_suffix('}'));
    inner.is_some_and(|name| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$' | '-'))
    })
}

/// Whether nothing but variables and expressions is in it: `$http_upgrade`,
/// `%[src]`, `"$scheme://$host"`, `off`.
fn variables_alone(value: &str) -> bool {
    static VARIABLE: OnceLock<Option<Regex>> = OnceLock::new();
    let variable = VARIABLE
        .get_or_init(|| Regex::new(
                r"\$\{?[A-Za-z_]\w*\}?|%\[[^\]]*\]|%[a-zA-Z]+|\$\{[^}]*\}|%\{\w+\}[se]|\{[\w.$-]+\}",
            ).ok())
        .as_ref();
    let bare = value.trim_matches(['"', '\'']);
    let left = variable.map_or(bare.into(), |v| v.replace_all(bare, ""));
    left.chars().all(|c| !c.is_alphanumeric())
        || matches!(
            bare,
            "upgrade" | "close" | "keep-alive" | "websocket" | "off" | "on" | "always"
        )
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: &str = r#"
server {
    auth_basic "closed site";
    auth_basic_user_file /etc/nginx/htpasswd;
    ssl_certificate_key /etc/ssl/private/key.pem;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Authorization "Basic Q4nary==";
    proxy_set_header Authorization
        "Basic Q4nary==";
    proxy_set_header X-Api-Key Q4nary;
    add_header Set-Cookie "id=Q4nary; Path=/";
    set $backend_token "Q4nary";
    secure_link_md5 "$expires$uri Q4nary";
    secure_link_secret Q4nary;
    if ($http_x_api_key != "Q4nary") { return 403; }
    # the old password Q4nary
}
map $http_authorization $known {
    default 0;
    "Bearer Q4nary" 1;
    ~Q4nary 1;
}
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
"#;

    const HAPROXY: &str = r#"
userlist admins
    user root password $5$Q4nary$x
    user joe insecure-password Q4nary
listen stats
    stats auth admin:Q4nary
    http-request set-header Authorization "Basic Q4nary"
    http-request set-header X-Token Q4nary
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Real-IP %[src]
    option httpchk GET / HTTP/1.1\r\nAuthorization:\ Basic\ Q4nary==
    http-check send meth GET uri /health hdr Authorization "Basic Q4nary"
    tcp-check send AUTH\ Q4nary\r\n
    acl good req.hdr(Authorization) -m str "Bearer Q4nary"
    setenv KEY Q4nary
    dynamic-cookie-key Q4nary
    bind :443 ssl crt /etc/haproxy/site.pem
    timeout tunnel 1h
"#;

    #[test]
    fn what_announces_a_secret_hides_it_and_lines_stay() {
        for config in [NGINX, HAPROXY] {
            let mut r = Redactor::new();
            let out = text(&mut r, "attachments/x", config);
            for line in out.lines() {
                assert!(!line.contains("Q4nary"), "{line}\n\n{out}");
            }
            assert_eq!(out.lines().count(), config.lines().count());
            assert!(r.redactions().len() > 5);
        }
    }

    #[test]
    fn what_the_check_needs_stays() {
        let mut r = Redactor::new();
        let nginx = text(&mut r, "e", NGINX);
        let haproxy = text(&mut r, "e", HAPROXY);
        for kept in [
            "auth_basic \"closed site\";",
            "/etc/nginx/htpasswd",
            "/etc/ssl/private/key.pem",
            "proxy_set_header Upgrade $http_upgrade;",
            "proxy_set_header Connection \"upgrade\";",
            "proxy_set_header X-Forwarded-Proto https;",
            "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
            "default 0;",
        ] {
            assert!(nginx.contains(kept), "{kept}\n{nginx}");
        }
        for kept in [
            "http-request set-header X-Forwarded-Proto https",
            "http-request set-header X-Real-IP %[src]",
            "crt /etc/haproxy/site.pem",
            "timeout tunnel 1h",
            "user joe insecure-password [removed]",
        ] {
            assert!(haproxy.contains(kept), "{kept}\n{haproxy}");
        }
    }

    #[test]
    fn variables_and_plain_words_are_no_secrets() {
        let config = "set $pass_access_scheme $scheme;\nset $auth_host \"$http_host\";\n\
                      set $token_url $scheme://$host;\nset $api_token \"tok-51aa\";\n\
                      if ($pass_access_scheme = \"https\") { }\nif ($http_x_auth = \"\") { }\n\
                      if ($auth_host = $host) { }\nif ($http_x_key = abc-51aa) { }\n\
                      proxy_set_header X-Scheme $pass_access_scheme;\n\
                      proxy_set_header X-Auth-Request-User $auth_user;\n\
                      user kim insecure-password $51aa\nuser kim insecure-password \"${PASS}\"\n";
        let mut r = Redactor::new();
        let out = text(&mut r, "e", config);
        for kept in [
            "set $pass_access_scheme $scheme;",
            "set $auth_host \"$http_host\";",
            "set $token_url $scheme://$host;",
            "if ($pass_access_scheme = \"https\")",
            "if ($http_x_auth = \"\")",
            "if ($auth_host = $host)",
            "X-Scheme $pass_access_scheme;",
            "X-Auth-Request-User $auth_user;",
            "insecure-password \"${PASS}\"",
        ] {
            assert!(out.contains(kept), "{kept}\n{out}");
        }
        assert!(!out.contains("51aa"), "{out}");
        assert_eq!(r.redactions().len(), 3, "{:?}", r.redactions());
    }

    proptest::proptest! {
        /// Findings name lines: whatever is masked, none is added or lost.
        #[test]
        fn lines_are_kept(words in proptest::collection::vec(0_usize..24, 0..80)) {
            const WORDS: [&str; 24] = [
                "proxy_set_header", "Authorization", "\"Basic x", "abcdef123\"", ";", "\n", "{", "}",
                "map $http_authorization $a {", "default", "set $token", "'", "stats auth", "u:p",
                "http-request set-header", "X-Key", "%[src]", "password", "\\", "if ($cookie_a =",
                "-----BEGIN PRIVATE KEY-----", "tcp-check send", "data:abc", "$http_upgrade",
            ];
            let config: String = words.iter().map(|w| format!("{} ", WORDS[*w])).collect();
            let once = text(&mut Redactor::new(), "e", &config);
            let lines = |text: &str| text.matches('\n').count();
            proptest::prop_assert_eq!(lines(&once), lines(&config), "{}\n->\n{}", config, once);
            // The word may stand elsewhere, too, where nothing announces it.
            let left = config.replace("Authorization \"Basic x abcdef123\"", "");
            let count = |text: &str| text.matches("abcdef123").count();
            proptest::prop_assert!(count(&once) <= count(&left), "{}\n->\n{}", config, once);
        }
    }
}
