//! What of the command line belongs to a command that does the same again. The
//! verdict names such commands, and they are there to be pasted: an authority or
//! a header that is left out gives another answer. Secrets stay behind.

use super::{CollectArgs, parse};
use crate::config::TIMEOUT;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wss_bundle::manifest::GivenOption;

/// How an option that was given stands in the command that does the same again.
struct Carried {
    /// Its long name. A test finds each of the program's options here or among those
    /// that are left out.
    long: &'static str,
    /// What of it is carried; nothing where it was not given.
    how: fn(&CollectArgs) -> Vec<GivenOption>,
}

/// The options that are carried, as the manifest has them and suggested commands repeat
/// them.
const CARRIED: &[Carried] = &[
    Carried {
        long: "encrypt-to",
        how: |args| args.encrypt_to.iter().map(|to| GivenOption::new("--encrypt-to", to)).collect(),
    },
    Carried { long: "obfuscate", how: |args| flag("--obfuscate", args.obfuscate.is_some()) },
    Carried {
        long: "timeout",
        how: |args| {
            let given = (args.timeout != TIMEOUT).then(|| duration(args.timeout));
            text("--timeout", given.as_deref())
        },
    },
    Carried {
        long: "proxy",
        how: |args| {
            let given = args.network.proxy.as_deref().map(without_credentials);
            let option = |(url, secret)| GivenOption { secret, ..GivenOption::new("-x", url) };
            given.map(option).into_iter().collect()
        },
    },
    Carried { long: "ticket", how: |args| text("--ticket", args.ticket.as_deref()) },
    Carried { long: "noproxy", how: |args| text("--noproxy", args.network.noproxy.as_deref()) },
    Carried { long: "agents", how: |args| flag("--agents", args.agents) },
    Carried {
        long: "proxy-negotiate",
        how: |args| flag("--proxy-negotiate", args.network.proxy_negotiate),
    },
    Carried { long: "cacert", how: |args| file("--cacert", args.network.cacert.as_ref()) },
    Carried { long: "cert", how: |args| file("--cert", args.network.cert.as_ref()) },
    Carried { long: "key", how: |args| file("--key", args.network.key.as_ref()) },
    Carried {
        long: "resolve",
        how: |args| {
            let rules = args.network.resolve.iter().map(|rule| {
                let list: Vec<String> = rule.addresses.iter().map(ToString::to_string).collect();
                let value = format!("{}:{}:{}", rule.host, rule.port, list.join(","));
                GivenOption::new("--resolve", value)
            });
            rules.collect()
        },
    },
    Carried {
        long: "header",
        how: |args| {
            let names = args.network.headers.iter().filter_map(|line| parse::header(line).ok());
            let option = |(name, _)| GivenOption { secret: true, ..GivenOption::new("-H", name) };
            names.map(option).collect()
        },
    },
    Carried { long: "user", how: |args| secret("-u", args.network.user.is_some()) },
    Carried { long: "ipv4", how: |args| flag("-4", args.network.ipv4) },
    Carried { long: "ipv6", how: |args| flag("-6", args.network.ipv6) },
];

/// The options, in the order in which manifests have them. `auth_in_url`: the target's URL
/// had credentials, which are given with `-u` another time.
#[must_use]
pub fn options(args: &CollectArgs, auth_in_url: bool) -> Vec<GivenOption> {
    let each = CARRIED.iter().flat_map(|row| match row.long {
        "user" if auth_in_url => secret("-u", true),
        _ => (row.how)(args),
    });
    each.collect()
}

fn text(option: &str, value: Option<&str>) -> Vec<GivenOption> {
    value.map(|value| GivenOption::new(option, value)).into_iter().collect()
}

fn file(option: &str, path: Option<&PathBuf>) -> Vec<GivenOption> {
    text(option, path.map(|path| shown(path)).as_deref())
}

fn flag(option: &str, given: bool) -> Vec<GivenOption> {
    let option = || GivenOption { option: option.into(), value: None, secret: false };
    given.then(option).into_iter().collect()
}

/// One whose value stays behind.
fn secret(option: &str, given: bool) -> Vec<GivenOption> {
    flag(option, given).into_iter().map(|own| GivenOption { secret: true, ..own }).collect()
}

fn duration(span: Duration) -> String {
    match span.as_millis() {
        whole if whole % 1000 == 0 => format!("{}s", whole / 1000),
        millis => format!("{millis}ms"),
    }
}

/// A proxy's URL without user and password, and whether there were any.
fn without_credentials(url: &str) -> (String, bool) {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    match rest.rsplit_once('@') {
        Some((_, place)) => (format!("{scheme}{place}"), true),
        None => (url.to_owned(), false),
    }
}

/// A path as it was typed; one below the home folder without the user's name.
fn shown(path: &Path) -> String {
    let below_home = std::env::home_dir()
        .filter(|home| home.parent().is_some())
        .and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    match below_home {
        Some(rest) if cfg!(unix) => format!("~/{}", rest.display()),
        Some(rest) => rest.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn given(line: &str) -> Vec<String> {
        let words = std::iter::once("wss-collector").chain(line.split_whitespace());
        let cli = Cli::try_parse_from(words).unwrap();
        let target = cli.collect.target.as_deref().unwrap();
        let (_, auth) = parse::target(target, &[]).unwrap();
        options(&cli.collect, auth.is_some()).iter().map(GivenOption::words).collect()
    }

    /// Options that no command carries on, and why.
    const LEFT_OUT: [(&str, &str); 16] = [
        ("output", "each run has a file of its own"),
        ("force", "each run has a file of its own"),
        ("vantage", "the command that is suggested says its own"),
        ("case", "the command that is suggested says it always"),
        ("lb", "it stands in the bundle as an answer"),
        ("network-path", "it stands in the bundle as an answer"),
        ("config", "the file is in the bundle"),
        ("har", "the recording is in the bundle"),
        ("curl-output", "the output is in the bundle"),
        ("browser-message", "the message is in the bundle"),
        ("browser", "the command that is suggested says it where it tells something"),
        ("path", "the target that is suggested has it"),
        ("hold", "the command that is suggested says its own"),
        ("dry-run", "then there was no run"),
        ("no-input", "it changes nothing of what is found"),
        ("json", "it changes nothing of what is found"),
    ];

    #[test]
    fn of_every_option_it_is_said_whether_a_command_carries_it_on() {
        use clap::CommandFactory as _;
        let program = Cli::command();
        let mut all: Vec<&str> = program.get_arguments().filter_map(|a| a.get_long()).collect();
        all.retain(|long| !["help", "version"].contains(long));
        let decided = CARRIED.iter().map(|row| row.long).chain(LEFT_OUT.iter().map(|row| row.0));
        let mut decided: Vec<&str> = decided.collect();
        all.sort_unstable();
        decided.sort_unstable();
        assert_eq!(
            all, decided,
            "a new option: a row of CARRIED, or one of LEFT_OUT with the reason"
        );
    }

    #[test]
    fn what_belongs_to_a_command_that_does_the_same() {
        assert!(given("host.example --hold 0 --no-input --json").is_empty());
        assert_eq!(
            given("host.example -x http://me:hunter2@proxy.example:3128 --noproxy a.example -4"),
            ["-x http://USER:PASSWORD@proxy.example:3128", "--noproxy a.example", "-4"]
        );
        assert_eq!(
            given("host.example -H X-Key:hunter2 -u me:hunter2 --timeout 30s"),
            ["--timeout 30s", "-H 'X-Key: VALUE'", "-u USER:PASSWORD"]
        );
        assert_eq!(given("https://me:hunter2@host.example"), ["-u USER:PASSWORD"]);
        assert_eq!(
            given("host.example --resolve host.example:443:192.0.2.1"),
            ["--resolve host.example:443:192.0.2.1"]
        );
    }

    #[test]
    fn a_path_below_the_home_folder_does_not_name_the_user() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(shown(&home.join("my ca.pem")), "~/my ca.pem");
        let words = GivenOption::new("--cacert", shown(&home.join("my ca.pem"))).words();
        assert_eq!(words, "--cacert ~/'my ca.pem'");
        assert_eq!(shown(Path::new("certs/ca.pem")), "certs/ca.pem");
    }
}
