//! Tokens for proxies that ask for Negotiate (RFC 4559), made from the user's own
//! Kerberos ticket. Owns how a token is made and why none could be; who is told one,
//! and when, is [`super::proxy_auth`]'s.
//!
//! The token is made by this machine's own curl, which knows the system's GSS-API or
//! SSPI: a static program cannot load them, and no ticket or key is ever read here.
//! curl is told that a listener of ours on loopback is the proxy, by the proxy's true
//! name (`--resolve`): what it would send to the proxy comes to us, and goes out once,
//! on a connection of our own. A token costs 8 ms (curl 7.88, MIT Kerberos 1.20), and
//! none is good twice: services keep what they have seen (RFC 4120 section 3.2.3).
//! curl needs no challenge first. Its words about a failure name the user and the
//! realm, and become a [`SignOn`] before anybody sees them.

use crate::config::Learned;
use base64::Engine as _;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::OnceCell;
use wss_bundle::observation::SignOn;
use wss_bundle::{ResponseHead, Secret};

/// Most that is read of what curl says or sends.
const SAID: u64 = 256 << 10;
/// curl's requests that are answered: without a token, and then with one.
const REQUESTS: usize = 4;
/// How long it may take to ask a program for its version, or for the user's name.
const SHORT: Duration = Duration::from_secs(3);
/// Characters of a token that are looked for together: what is cut off still goes.
const PART: usize = 48;

/// Whether a proxy asks for Negotiate.
#[must_use]
pub(super) fn is_asked(head: &ResponseHead) -> bool {
    head.headers().iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("proxy-authenticate")
            && value.split(',').any(|one| {
                let scheme = one.split_whitespace().next().unwrap_or_default();
                scheme.eq_ignore_ascii_case("negotiate")
            })
    })
}

/// A value of `Proxy-Authorization` that the proxy of this name takes once. What of it
/// must not be shown is added to `learned`.
///
/// # Errors
/// Why there is none.
pub(super) async fn token(
    host: &str,
    limit: Duration,
    learned: &Learned,
) -> Result<Secret, SignOn> {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(SignOn::NamedByAddress);
    }
    match tokio::time::timeout(limit, made(host)).await {
        Ok(Ok(token)) => {
            learn(&token, learned).await;
            Ok(Secret::new(format!("Negotiate {token}")))
        }
        Ok(Err(why)) => Err(why),
        Err(_) => Err(SignOn::TimedOut),
    }
}

/// curl, once it is known to be of use.
async fn curl() -> Result<&'static PathBuf, SignOn> {
    static CURL: OnceCell<Result<PathBuf, SignOn>> = OnceCell::const_new();
    let found = CURL.get_or_init(|| async {
        let path = in_path("curl").ok_or(SignOn::NoCurl)?;
        let asked = Command::new(&path).args(["-q", "-V"]).stdin(Stdio::null()).output();
        let said = tokio::time::timeout(SHORT, asked).await;
        let said = said.ok().and_then(Result::ok).ok_or(SignOn::NoCurl)?;
        knows_kerberos(&String::from_utf8_lossy(&said.stdout))
            .then_some(path)
            .ok_or(SignOn::CurlWithoutKerberos)
    });
    found.await.as_ref().map_err(|why| *why)
}

/// What `curl -V` has to list for that: SPNEGO, by either library.
fn knows_kerberos(version: &str) -> bool {
    let features = version.lines().find_map(|line| line.strip_prefix("Features:"));
    let has = |name: &str| features.is_some_and(|all| all.split_whitespace().any(|f| f == name));
    has("SPNEGO") && (has("GSS-API") || has("SSPI"))
}

/// A program of the system: on Windows its own, else by the search path.
fn in_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let windows = std::env::var_os("SystemRoot").filter(|_| cfg!(windows));
    let system = windows.map(|root| PathBuf::from(root).join("System32"));
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    let folders = system.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(&file)).find(|program| program.is_file())
}

/// Lets curl make a token for the proxy of this name.
async fn made(host: &str) -> Result<String, SignOn> {
    let curl = curl().await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|_| SignOn::Other)?;
    let port = listener.local_addr().map_err(|_| SignOn::Other)?.port();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // Nobody has this name, and curl leaves its lookup to the proxy; whoever else comes
    // to the listener does not know it.
    let nobody = format!("{}.invalid:443", uuid::Uuid::new_v4());
    let mut child = Command::new(curl)
        // First: no file of the user's adds to this.
        .args(["-q", "-s", "-v", "--noproxy", "", "--proxy-negotiate", "-U", ":", "--proxy"])
        .arg(format!("http://{host}:{port}"))
        .args(["--resolve", &format!("{host}:{port}:127.0.0.1")])
        .arg(format!("https://{nobody}/"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| SignOn::NoCurl)?;
    let mut stderr = child.stderr.take();
    let words = async {
        let mut said = Vec::new();
        if let Some(stderr) = &mut stderr {
            let _ = stderr.take(SAID).read_to_end(&mut said).await;
        }
        meaning(&String::from_utf8_lossy(&said))
    };
    let asked = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                break std::future::pending().await;
            };
            if let Some(token) = heard(stream, &nobody).await {
                break token;
            }
        }
    };
    tokio::select! {
        biased;
        token = asked => of_kerberos(token),
        why = words => Err(why),
    }
}

/// The token that comes by a connection. A curl that sends none at once is asked for one.
async fn heard(stream: TcpStream, nobody: &str) -> Option<String> {
    let mut stream = BufReader::new(stream.take(SAID));
    for _ in 0..REQUESTS {
        let (mut ours, mut token, mut line) = (false, None, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if line.trim_end().is_empty() {
                break;
            }
            ours |= line.starts_with(&format!("CONNECT {nobody} "));
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("proxy-authorization")
            {
                token = value.trim().strip_prefix("Negotiate ").map(str::to_owned);
            }
        }
        if !ours {
            return None;
        }
        if token.is_some() {
            return token;
        }
        let ask = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
                   Content-Length: 0\r\n\r\n";
        stream.get_mut().get_mut().write_all(ask.as_bytes()).await.ok()?;
    }
    None
}

/// NTLM comes in Negotiate's clothes where Windows has no ticket for the proxy: it takes
/// more than one answer on one connection, and is being switched off.
fn of_kerberos(token: String) -> Result<String, SignOn> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(&token);
    let bytes = bytes.map_err(|_| SignOn::Other)?;
    if bytes.windows(8).any(|window| window == b"NTLMSSP\0") {
        return Err(SignOn::OnlyNtlm);
    }
    Ok(token)
}

/// What the words of MIT Kerberos, Heimdal and Windows' SSPI mean, as curl repeats them.
/// Those of MIT are shown by `tests/tests/sign_on.rs`; the others are from their sources
/// and Microsoft's list of codes, and unverified.
const WORDS: [(&str, SignOn); 22] = [
    ("clock skew", SignOn::ClockSkew),
    ("sec_e_time_skew", SignOn::ClockSkew),
    ("clocks on the client and server machines are skewed", SignOn::ClockSkew),
    ("ticket expired", SignOn::TicketExpired),
    ("credentials have expired", SignOn::TicketExpired),
    ("credentials expired", SignOn::TicketExpired),
    ("ticket is not yet valid", SignOn::ClockSkew),
    ("not found in kerberos database", SignOn::ServerUnknown),
    ("server not found", SignOn::ServerUnknown),
    ("cannot find kdc for realm", SignOn::ServerUnknown),
    ("cannot determine realm", SignOn::ServerUnknown),
    ("sec_e_target_unknown", SignOn::ServerUnknown),
    ("target was not recognized", SignOn::ServerUnknown),
    ("sec_e_wrong_principal", SignOn::ServerUnknown),
    ("cannot contact any kdc", SignOn::KdcUnreachable),
    ("unable to reach any kdc", SignOn::KdcUnreachable),
    ("sec_e_no_authenticating_authority", SignOn::KdcUnreachable),
    ("no credentials were supplied", SignOn::NoTicket),
    ("no kerberos credentials", SignOn::NoTicket),
    ("no credential", SignOn::NoTicket),
    ("sec_e_no_credentials", SignOn::NoTicket),
    ("sec_e_unknown_credentials", SignOn::NoTicket),
];

fn meaning(said: &str) -> SignOn {
    let said = said.to_ascii_lowercase();
    let found = WORDS.iter().find(|(words, _)| said.contains(words));
    found.map_or(SignOn::Other, |(_, why)| *why)
}

/// Notes what a proxy could repeat of a token and a ticket: the parts of the token, the
/// realm that stands in it, and the user's name as `klist` has it. Of later tokens the
/// first part, which is the ticket, is the same, and the rest is good for nothing once
/// it was sent.
async fn learn(token: &str, learned: &Learned) {
    static USER: OnceCell<Vec<String>> = OnceCell::const_new();
    // The beginning has the lengths of what follows, which differ.
    let begins = 2;
    let parts = token.as_bytes().chunks(PART).filter(|part| part.len() == PART);
    let parts = parts.take(if learned.all().is_empty() { usize::MAX } else { begins });
    parts.for_each(|part| learned.add(Secret::new(String::from_utf8_lossy(part))));
    let bytes = base64::engine::general_purpose::STANDARD.decode(token).unwrap_or_default();
    if let Some(realm) = realm(&bytes) {
        learned.add(Secret::new(realm));
    }
    let user = USER.get_or_init(|| async {
        let Some(klist) = in_path("klist") else { return Vec::new() };
        let mut command = Command::new(klist);
        command.env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let said = tokio::time::timeout(SHORT, command.output()).await;
        let said = said.ok().and_then(Result::ok).map(|output| output.stdout);
        principals(&String::from_utf8_lossy(&said.unwrap_or_default()))
    });
    user.await.iter().for_each(|name| learned.add(Secret::new(name)));
}

/// The realm in a token: `Ticket ::= SEQUENCE { tkt-vno [0] INTEGER (5), realm [1]
/// GeneralString …` (RFC 4120 section 5.3).
fn realm(token: &[u8]) -> Option<String> {
    const BEFORE: [u8; 6] = [0xa0, 3, 2, 1, 5, 0xa1];
    // The request around the ticket begins alike.
    let places = token.windows(BEFORE.len()).enumerate().filter(|(_, window)| *window == BEFORE);
    places.map(|(at, _)| at + BEFORE.len()).find_map(|at| {
        let [_, 0x1b, length, rest @ ..] = token.get(at..)? else { return None };
        let name = rest.get(..usize::from(*length))?;
        let graphic = name.iter().all(u8::is_ascii_graphic);
        graphic.then(|| String::from_utf8_lossy(name).into_owned())
    })
}

/// The user's name as `klist` prints it, with the realm and without: MIT and Heimdal in a
/// line of its own, Windows beside each ticket.
fn principals(said: &str) -> Vec<String> {
    let line = |line: &str| {
        let (what, name) = line.split_once(':')?;
        let what = what.split_whitespace().next_back()?.to_ascii_lowercase();
        ["principal", "client"].contains(&what.as_str()).then(|| name.replace(' ', ""))
    };
    let Some(whole) = said.lines().find_map(line).filter(|name| name.contains('@')) else {
        return Vec::new();
    };
    let user = whole.split(['@', '/']).next().unwrap_or_default().to_owned();
    vec![whole, user]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks() {
        let head = |lines: &str| {
            ResponseHead::new(format!("HTTP/1.1 407 x\r\n{lines}\r\n\r\n").into_bytes())
        };
        for yes in [
            "Proxy-Authenticate: Negotiate",
            "proxy-authenticate: negotiate",
            "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate",
            "Proxy-Authenticate: NTLM, Negotiate",
        ] {
            assert!(is_asked(&head(yes)), "{yes}");
        }
        for no in [
            "Proxy-Authenticate: NTLM",
            "Proxy-Authenticate: Basic realm=\"Negotiate\"",
            "WWW-Authenticate: Negotiate",
            "X: Negotiate",
        ] {
            assert!(!is_asked(&head(no)), "{no}");
        }
    }

    #[test]
    fn what_curl_has_to_know() {
        let of = |features: &str| knows_kerberos(&format!("curl 8.4.0\nFeatures: {features}\n"));
        assert!(of("alt-svc GSS-API HTTP2 Kerberos SPNEGO SSL"));
        assert!(of("AsynchDNS HSTS IPv6 Kerberos NTLM SPNEGO SSL SSPI"));
        assert!(!of("alt-svc AsynchDNS HTTP2 SSL"));
        assert!(!of("SSPI SSL"));
        assert!(!knows_kerberos("GSS-API SPNEGO"));
    }

    #[test]
    fn ntlm_is_not_taken_for_kerberos() {
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let ntlm = encode(b"NTLMSSP\0\x01\0\0\0");
        assert_eq!(of_kerberos(ntlm), Err(SignOn::OnlyNtlm));
        let within = encode(b"\x60\x48\x06\x06+\x06\x01\x05\x05\x02NTLMSSP\0\x01");
        assert_eq!(of_kerberos(within), Err(SignOn::OnlyNtlm));
        assert_eq!(of_kerberos("not base64!".into()), Err(SignOn::Other));
        assert!(of_kerberos(encode(b"\x60\x82\x02\xe2")).is_ok());
    }

    #[test]
    fn words_that_name_the_user_become_a_reason() {
        for (said, why) in [
            ("gss_init_sec_context() failed: Ticket expired. ", SignOn::TicketExpired),
            (
                "gss_init_sec_context() failed: Server HTTP/p.corp@CORP not found in Kerberos \
                 database. ",
                SignOn::ServerUnknown,
            ),
            ("SSPI: couldn't get auth info: SEC_E_NO_CREDENTIALS (0x8009030E)", SignOn::NoTicket),
            ("Failed to connect", SignOn::Other),
        ] {
            assert_eq!(meaning(said), why, "{said}");
        }
    }

    #[test]
    fn names_to_be_removed() {
        let mit = "Ticket cache: FILE:/tmp/cc\nDefault principal: ann.lee@CORP.EXAMPLE\n\nValid";
        assert_eq!(principals(mit), ["ann.lee@CORP.EXAMPLE", "ann.lee"]);
        let heimdal = "Credentials cache: API:1\n        Principal: ann@CORP\n";
        assert_eq!(principals(heimdal), ["ann@CORP", "ann"]);
        let windows = "Current LogonId is 0:0x3e7\n#0>\tClient: ann @ CORP.EXAMPLE\n\tServer: x";
        assert_eq!(principals(windows), ["ann@CORP.EXAMPLE", "ann"]);
        assert!(principals("klist: No credentials cache found").is_empty());
        let ticket = b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0e\x61\x82\0\xb8\xa0\x03\x02\x01\x05\xa1\x0b\x1b\x09CORP.TEST\xa2\x22";
        assert_eq!(realm(ticket).as_deref(), Some("CORP.TEST"));
        for cut in 0..ticket.len() - 3 {
            assert!(realm(&ticket[..cut]).is_none());
        }
    }
}
