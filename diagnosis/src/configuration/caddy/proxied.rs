//! What `reverse_proxy` does to an upgrade: headers, version, Host, times, the
//! servers behind.

use super::check::{Check, State};
use super::parse::Directive;
use crate::configuration::patch::Edit;
use crate::configuration::{Kind, NEEDED_S, Provided};

/// Seconds of a duration as Go writes it, with days: `1h30m`, `90s`, `2d`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match rest.get(..unit)? {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = rest.get(unit..)?;
    }
    (!text.is_empty()).then_some(total)
}

impl<'t> Check<'t> {
    pub(super) fn proxied(&mut self, one: &'t Directive, args: &[&str], state: &State<'t>) {
        let inner = one.inner();
        let to = inner.iter().filter(|d| d.name() == "to").flat_map(|d| d.words.iter().skip(1));
        let upstreams: Vec<&str> = args.iter().copied().chain(to.map(String::as_str)).collect();
        let transport = inner.iter().find(|d| d.name() == "transport");
        if let Some(fastcgi) = transport.filter(|d| d.word(1) == "fastcgi") {
            let says = "passes the request on by FastCGI, which has no upgrade";
            return self.issue(Kind::UpgradeHeaders, fastcgi, says);
        }
        let settings = transport.map(Directive::inner).unwrap_or_default();
        let h2 = settings.iter().find(|d| {
            let has = |v: &str| d.words.iter().skip(1).any(|w| w == v);
            d.name() == "versions" && (has("h2c") || (has("2") && !has("1.1")))
        });
        let h2c = upstreams.iter().any(|u| u.starts_with("h2c://"));
        if let Some(by) = h2.or(h2c.then_some(one)) {
            let says = "speaks HTTP/2 to the backend, which an upgrade cannot cross";
            self.issue(Kind::Http2, by, says);
            let edit = if h2.is_some() {
                Edit::replace(&self.place(by), by.shown(), "versions 1.1")
            } else {
                Edit::replace(&self.place(by), "h2c://", "http://")
            };
            self.mend(edit);
        } else {
            self.headers(one, state);
        }
        self.path_changed(one, state);
        self.host(inner, state);
        self.times(inner, settings);
        self.servers(one, inner, upstreams.len());
    }

    fn mend(&mut self, edit: Edit) {
        if let Some(last) = self.reading.issues.last_mut() {
            last.edits.push(edit);
        }
    }

    fn headers(&mut self, one: &'t Directive, state: &State<'t>) {
        let mut by = state.stripped;
        for up in one.inner().iter().filter(|d| d.name() == "header_up") {
            let field = up.word(1);
            let value = up.word(2).to_ascii_lowercase();
            let bare = field.trim_start_matches(['-', '+', '?', '>']).to_ascii_lowercase();
            let gone = field.starts_with('-');
            let wanted = match bare.as_str() {
                "upgrade" => "websocket",
                "connection" => "upgrade",
                _ => continue,
            };
            if gone || (!value.contains(wanted) && !value.contains('{')) {
                by = Some(up);
            }
        }
        if let Some(by) = by {
            let says = "takes from the upgrade a header that makes it one: Caddy sends both on by \
                        itself";
            self.issue(Kind::UpgradeHeaders, by, says);
            self.mend(Edit::delete(&self.place(by)));
        }
    }

    /// Bindplane is asked for another path.
    fn path_changed(&mut self, one: &'t Directive, state: &State<'t>) {
        let rewrites = one.inner().iter().find(|d| d.name() == "rewrite");
        let (by, path) = match (rewrites, state.moved) {
            (Some(by), _) => match self.expanded(by.word(1), state) {
                Some(path) => (by, path),
                None => return self.untold(Some(by), "this line may change the path"),
            },
            (None, Some(by)) => (by, state.path.clone()),
            (None, None) => return,
        };
        if path.split('?').next() == self.request.path.split('?').next() {
            return;
        }
        let hint =
            if by.name() == "handle_path" { ": `handle` keeps the path as it is" } else { "" };
        let says = format!("asks Bindplane for {path} instead of {}{hint}", self.request.path);
        self.issue(Kind::PathChanged, by, says);
        if by.name() == "handle_path" {
            self.mend(Edit::replace(&self.place(by), "handle_path", "handle"));
        }
    }

    /// gorilla compares Origin with Host.
    fn host(&mut self, inner: &'t [Directive], state: &State<'t>) {
        let up = inner
            .iter()
            .rfind(|d| d.name() == "header_up" && d.word(1).eq_ignore_ascii_case("host"));
        let (by, value) = match (up, &state.host) {
            (Some(up), _) => (up, up.word(2).to_owned()),
            (None, Some((by, value))) => (*by, value.clone()),
            (None, None) => return,
        };
        let backend = value.contains("upstream");
        let sent = self.expanded(&value, state);
        let wanted = self.request.authority();
        if !backend && sent.as_deref().is_none_or(|sent| sent.eq_ignore_ascii_case(&wanted)) {
            return;
        }
        let what = match sent.filter(|_| !backend) {
            Some(sent) => format!("sends `{sent}` as Host, where the browser said `{wanted}`"),
            None => "sends the backend's own name as Host".to_owned(),
        };
        let says = format!(
            "{what}: browsers name theirs in Origin, and a server that compares the two refuses. \
             Without this line Caddy passes on what the browser sent"
        );
        self.issue(Kind::Host, by, says);
        self.mend(Edit::delete(&self.place(by)));
    }

    fn times(&mut self, inner: &'t [Directive], settings: &'t [Directive]) {
        let short = |d: &&'t Directive, name: &str| {
            (d.name() == name)
                .then(|| seconds(d.word(1)))
                .flatten()
                .filter(|s| *s > 0.0 && *s < NEEDED_S)
        };
        let read = settings.iter().find_map(|d| Some((d, short(&d, "read_timeout")?)));
        if let Some((by, s)) = read {
            let says = format!(
                "cuts a connection on which the backend sends nothing for {s:.0} s; what the browser \
                 sends does not count"
            );
            self.issue(Kind::Timeout(s), by, says);
            self.mend(Edit::replace(&self.place(by), by.shown(), "read_timeout 1h"));
        }
        let life = inner.iter().find_map(|d| Some((d, short(&d, "stream_timeout")?)));
        if let Some((by, s)) = life {
            let says =
                format!("ends every connection at an age of {s:.0} s, whatever passes on it");
            self.issue(Kind::Lifetime(s), by, says);
            self.mend(Edit::delete(&self.place(by)));
        }
        let close = inner.iter().find(|d| d.name() == "stream_close_delay");
        if let Some((by, s)) = close.and_then(|d| Some((d, seconds(d.word(1))?))) {
            let says = format!(
                "cuts every connection that is open {s:.0} s after a reload of Caddy, all of them in \
                 the same moment"
            );
            let before = self.provided.replace(Provided::Condition);
            self.issue(Kind::Reload(s), by, says);
            self.provided = before;
        }
    }

    fn servers(&mut self, one: &'t Directive, inner: &'t [Directive], count: usize) {
        let checks = ["health_uri", "health_port", "fail_duration", "unhealthy_status"];
        if count < 2 || inner.iter().any(|d| checks.contains(&d.name())) {
            return;
        }
        let before = self.provided.replace(Provided::Condition);
        let says = format!(
            "shares requests among {count} servers, and takes none out that fails (no health_uri, no \
             fail_duration)"
        );
        self.issue(Kind::NotChecked, one, says);
        self.provided = before;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations() {
        for (text, expected) in [
            ("90s", Some(90.0)),
            ("1h30m", Some(5400.0)),
            ("2d", Some(172_800.0)),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(super::seconds(text), expected, "{text}");
        }
    }
}
