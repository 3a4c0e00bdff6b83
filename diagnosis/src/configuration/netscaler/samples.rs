//! NetScaler's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"add lb vserver console SSL 10.0.0.1 443
set system user nsroot Q4nary -encrypted
set ns rpcNode 10.0.0.2 -password Q4nary -encrypted
add ssl certKey own -cert own.pem -key own.key -passcrypt "Q4nary"
add authentication ldapAction own -serverIP 10.0.0.3 -ldapBindDnPassword Q4nary
add authentication radiusAction own -serverIP 10.0.0.3 -radKey Q4nary
"#;

/// A virtual server with these options (line 1), more lines, and one service.
fn file(options: &str, more: &str, service: &str) -> String {
    format!(
        "add lb vserver console SSL 10.0.0.1 443 -persistenceType NONE {options}\n{more}add service web 10.0.0.5 HTTP 3001 {service}\nbind lb vserver console web\n"
    )
}

const ON: &str = "set ns httpProfile nshttp_default_profile -webSocket ENABLED\n";
const LONG: &str = "-cltTimeout 3600";
const SERVICE: &str = "-svrTimeout 3600";

pub(crate) fn all() -> Vec<Sample> {
    vec![
        ("all is well", file(LONG, ON, SERVICE), vec![]),
        (
            "nothing is set",
            file("", "", ""),
            vec!["headers @1", "timeout 180 @1", "timeout 360 @2"],
        ),
        (
            "the profile says nothing",
            file(
                LONG,
                "set ns httpProfile nshttp_default_profile -dropInvalReqs ENABLED\n",
                SERVICE,
            ),
            vec!["headers @2"],
        ),
        (
            "switched off",
            file(LONG, &ON.replace("ENABLED", "DISABLED"), SERVICE),
            vec!["headers @2"],
        ),
        (
            "a profile of its own",
            file(
                &format!("{LONG} -httpProfileName own"),
                "add ns httpProfile own -webSocket ENABLED -dropInvalReqs ENABLED\n",
                SERVICE,
            ),
            vec![],
        ),
        (
            "another's profile is on",
            file(&format!("{LONG} -httpProfileName own"), ON, SERVICE),
            vec!["headers @1"],
        ),
        ("a minute", file("-cltTimeout 60", ON, SERVICE), vec!["timeout 60 @1"]),
        ("the service's minute", file(LONG, ON, "-svrTimeout 60"), vec!["timeout 60 @3"]),
        (
            "a policy decides",
            format!(
                "{}bind lb vserver console -policyName own -priority 100\n",
                file(LONG, ON, SERVICE)
            ),
            vec!["untold @5"],
        ),
        ("bytes alone", file("", "", "").replace(" SSL ", " SSL_TCP "), vec![]),
        ("another port", file(LONG, ON, SERVICE).replace(" 443 ", " 8443 "), vec!["untold @0"]),
        (
            "content is switched",
            format!(
                "add cs vserver front SSL 10.0.0.1 443 {LONG}\n{ON}bind cs vserver front -policyName own\n"
            ),
            vec!["untold @3"],
        ),
    ]
}
