//! What of the command line belongs to a command that does the same again. The
//! verdict names such commands, and they are there to be pasted: an authority or
//! a header that is left out gives another answer. Secrets stay behind.

use super::{CollectArgs, parse};
use crate::config::TIMEOUT;
use std::path::Path;
use std::time::Duration;
use wss_bundle::manifest::GivenOption;

/// The options, in the order of the help.
#[must_use]
pub fn options(args: &CollectArgs, auth_in_url: bool) -> Vec<GivenOption> {
    let mut out: Vec<GivenOption> = Vec::new();
    for recipient in &args.encrypt_to {
        out.push(GivenOption::new("--encrypt-to", recipient));
    }
    if args.obfuscate.is_some() {
        out.push(GivenOption { option: "--obfuscate".into(), value: None, secret: false });
    }
    if args.timeout != TIMEOUT {
        out.push(GivenOption::new("--timeout", duration(args.timeout)));
    }
    if let Some(url) = &args.network.proxy {
        let (url, secret) = without_credentials(url);
        out.push(GivenOption { secret, ..GivenOption::new("-x", url) });
    }
    let text = |option: &str, value: &Option<String>| {
        value.as_ref().map(|value| GivenOption::new(option, value))
    };
    out.extend(text("--ticket", &args.ticket));
    out.extend(text("--noproxy", &args.network.noproxy));
    if args.agents {
        out.push(GivenOption { option: "--agents".into(), value: None, secret: false });
    }
    if args.network.proxy_negotiate {
        out.push(GivenOption { option: "--proxy-negotiate".into(), value: None, secret: false });
    }
    let files = [
        ("--cacert", &args.network.cacert),
        ("--cert", &args.network.cert),
        ("--key", &args.network.key),
    ];
    for (option, path) in files {
        out.extend(path.as_deref().map(|path| GivenOption::new(option, shown(path))));
    }
    for rule in &args.network.resolve {
        let list: Vec<String> = rule.addresses.iter().map(ToString::to_string).collect();
        let value = format!("{}:{}:{}", rule.host, rule.port, list.join(","));
        out.push(GivenOption::new("--resolve", value));
    }
    for line in &args.network.headers {
        if let Ok((name, _)) = parse::header(line) {
            out.push(GivenOption { secret: true, ..GivenOption::new("-H", name) });
        }
    }
    if args.network.user.is_some() || auth_in_url {
        out.push(GivenOption { option: "-u".into(), value: None, secret: true });
    }
    for (option, given) in [("-4", args.network.ipv4), ("-6", args.network.ipv6)] {
        out.extend(given.then(|| GivenOption {
            option: option.into(),
            value: None,
            secret: false,
        }));
    }
    out
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
