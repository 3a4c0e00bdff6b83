//! curl's rules (`lib/url.c` and `lib/noproxy.c` of curl, as the manual
//! describes them and as the tests here ask curl itself).

use super::address::{self, Reader};
use super::no_proxy::exempt;
use super::variables::Variables;
use wss_bundle::Target;
use wss_bundle::target::Scheme;

/// What curl does with options and environment.
#[derive(Debug)]
pub struct Choice {
    /// The proxy it takes; `None` is direct.
    pub proxy: Option<String>,
    /// Why.
    pub because: String,
    /// Whether options or environment say anything about this target: a proxy,
    /// or that there is none. Where they do not, the system's settings speak.
    pub spoken: bool,
}

/// The variables that name a proxy for a target, curl's order.
#[must_use]
pub fn variables_for(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        // Upper case is not read here: in a CGI program it is a request header (httpoxy).
        Scheme::Http => &["http_proxy", "all_proxy", "ALL_PROXY"],
        Scheme::Https => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
    }
}

/// curl's choice.
#[must_use]
pub fn choose(
    target: &Target,
    option: Option<&str>,
    noproxy: Option<&str>,
    variables: &Variables,
) -> Choice {
    let usable = |text: &str| address::parse(text, Reader::Curl).is_ok();
    let mut chosen = option
        .filter(|text| !text.is_empty())
        .map(|text| (text.to_owned(), "option --proxy".to_owned()));
    let mut unusable = None;
    if option.is_none() {
        for name in variables_for(target.scheme) {
            let Some((_, text)) = variables.first(&[name]) else { continue };
            if usable(text) {
                chosen = Some((text.to_owned(), format!("environment {name}")));
                break;
            }
            unusable = unusable.or(Some(*name));
        }
    }
    // curl looks at the environment's list also for a proxy given by option.
    let exempting = match noproxy {
        Some(list) => Some(("option --noproxy", list)),
        None => variables.first(&["no_proxy", "NO_PROXY"]),
    };
    let Some((proxy, because)) = chosen else {
        let because = match (option, unusable) {
            (Some(_), _) => "option --proxy is empty".to_owned(),
            (None, Some(name)) => format!("environment {name} cannot be used"),
            (None, None) => "no proxy is set for this target".to_owned(),
        };
        return Choice { proxy: None, because, spoken: option.is_some() || unusable.is_some() };
    };
    match exempting {
        Some((source, list)) if exempt(&target.host, list) => Choice {
            proxy: None,
            because: format!("{source} exempts {}", target.host),
            spoken: true,
        },
        _ => Choice { proxy: Some(proxy), because, spoken: true },
    }
}
