//! The rewrite phase (ngx_http_rewrite_module): `set`, `if`, `return`, `rewrite`
//! and `break`, in the order of the file.

use super::check::Check;
use super::location::pcre;
use super::parse::Directive;
use super::value::{Eval, Held, State, Value};

/// What the directives of one block came to.
pub(super) enum Step<'t> {
    /// The request goes on.
    On,
    /// It goes on, and no further rewrites of this block apply; the path was changed.
    Changed,
    /// It is answered here.
    Answered(Answered<'t>),
    /// It cannot be told any more; that was said.
    Lost,
}

/// An answer that nginx gives itself.
pub(super) struct Answered<'t> {
    /// The line.
    pub(super) at: &'t Directive,
    /// The status.
    pub(super) status: Option<u16>,
    /// Where a redirect leads, where it is one.
    pub(super) to: Option<Value>,
    /// The `if` around it.
    pub(super) by: Option<&'t Directive>,
}

/// What one block's run carries along.
struct Run<'t> {
    /// The innermost `if` that holds: its directives count instead.
    taken: Option<&'t Directive>,
    changed: bool,
}

impl<'t> Check<'t> {
    /// Runs the rewrite directives of a block. With the `if` whose block counts
    /// from here on, where one holds.
    pub(super) fn rewrites(
        &mut self,
        block: &'t [Directive],
        state: &mut State<'t>,
    ) -> (Step<'t>, Option<&'t Directive>) {
        let mut run = Run { taken: None, changed: false };
        let step = self.block(block, state, None, &mut run);
        let step = match step {
            Some(step) => step,
            None if run.changed => Step::Changed,
            None => Step::On,
        };
        (step, run.taken)
    }

    fn block(
        &mut self,
        block: &'t [Directive],
        state: &mut State<'t>,
        by: Option<&'t Directive>,
        run: &mut Run<'t>,
    ) -> Option<Step<'t>> {
        for one in block {
            match one.name.as_str() {
                "set" => {
                    let value = self.eval(state).value(one.arg(1));
                    let name = one.arg(0).trim_start_matches('$').to_owned();
                    state.variables.insert(name, value);
                }
                "return" => return Some(Step::Answered(self.returned(one, state, by))),
                "break" => return Some(if run.changed { Step::Changed } else { Step::On }),
                "if" => {
                    if let Some(step) = self.condition(one, state, run) {
                        return Some(step);
                    }
                }
                "rewrite" => {
                    if let Some(step) = self.rewrite(one, state, by, run) {
                        return Some(step);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn condition(
        &mut self,
        one: &'t Directive,
        state: &mut State<'t>,
        run: &mut Run<'t>,
    ) -> Option<Step<'t>> {
        let inner = one.block.as_deref().unwrap_or_default();
        let held = Eval { request: self.request, hop: self.hop, state }.condition(&one.args);
        match held {
            Held::No => None,
            Held::Yes(after) => {
                if let Some(after) = after {
                    *state = after;
                }
                run.taken = Some(one);
                self.block(inner, state, Some(one), run)
            }
            Held::Unknown(why) => self.undecided(one, inner, state, &why),
        }
    }

    /// An `if` that the files do not decide: what it sets is not known, and what
    /// it answers is told only where the probe saw just that.
    fn undecided(
        &mut self,
        one: &'t Directive,
        inner: &'t [Directive],
        state: &mut State<'t>,
        why: &str,
    ) -> Option<Step<'t>> {
        for set in inner.iter().filter(|d| d.name == "set") {
            let name = set.arg(0).trim_start_matches('$').to_owned();
            state.variables.insert(name, Value::Unknown(format!("{} ({why})", set.arg(0))));
        }
        let says = |name: &str| inner.iter().find(|d| d.name == name);
        if let Some(back) = says("return") {
            self.untold(
                Some(one),
                format!("this answers {}, if it holds: {why}", back.arg(0)),
                None,
            );
            let answered = self.returned(back, state, Some(one));
            self.answers_if(&answered, one);
            return None;
        }
        let moves = says("rewrite")
            .filter(|d| pcre(d.arg(0), false).is_none_or(|regex| regex.is_match(&state.uri)));
        if let Some(rewrite) = moves {
            let redirects = redirect_status(rewrite).is_some();
            let what = if redirects { "this redirects" } else { "this changes the path" };
            self.untold(Some(one), format!("{what}, if it holds: {why}"), None);
            if let Some(status) = redirect_status(rewrite) {
                let mut after = state.clone();
                let to = self.replaced(rewrite, &mut after).ok();
                let to = to.map(Value::Known);
                let answered =
                    super::flow::Answered { at: rewrite, status: Some(status), to, by: Some(one) };
                self.answers_if(&answered, one);
                return None;
            }
            return Some(Step::Lost);
        }
        if inner.iter().any(|d| d.name.ends_with("_pass") || d.name == "break") {
            self.untold(Some(one), format!("where the request goes depends on {why}"), None);
            return Some(Step::Lost);
        }
        if inner.iter().any(|d| d.name.starts_with("proxy_")) {
            self.untold(Some(one), format!("this counts only if it holds: {why}"), None);
        }
        None
    }

    fn returned(
        &mut self,
        back: &'t Directive,
        state: &State<'t>,
        by: Option<&'t Directive>,
    ) -> Answered<'t> {
        // `return URL;` is 302.
        let first = back.arg(0);
        let (status, url) = match first.parse::<u16>() {
            Ok(status) => (Some(status), back.arg(1)),
            Err(_) => (Some(302), first),
        };
        let redirect = matches!(status, Some(301 | 302 | 303 | 307 | 308)) && !url.is_empty();
        let to = redirect.then(|| self.eval(state).value(url));
        Answered { at: back, status, to, by }
    }

    fn rewrite(
        &mut self,
        one: &'t Directive,
        state: &mut State<'t>,
        by: Option<&'t Directive>,
        run: &mut Run<'t>,
    ) -> Option<Step<'t>> {
        let Some(regex) = pcre(one.arg(0), false) else {
            self.untold(Some(one), "the pattern is PCRE's own, and may change the path", None);
            return Some(Step::Lost);
        };
        let captured = regex.captures(&state.uri.clone()).map(|found| {
            state.capture(&regex, &found);
        });
        captured?;
        let to = match self.replaced(one, state) {
            Ok(to) => to,
            Err(variable) => {
                if let Some(status) = redirect_status(one) {
                    let to = Some(Value::Unknown(variable));
                    return Some(Step::Answered(Answered {
                        at: one,
                        status: Some(status),
                        to,
                        by,
                    }));
                }
                self.untold(Some(one), format!("where this leads depends on {variable}"), None);
                return Some(Step::Lost);
            }
        };
        if let Some(status) = redirect_status(one) {
            let to = Some(Value::Known(to));
            return Some(Step::Answered(Answered { at: one, status: Some(status), to, by }));
        }
        let path = to.split('?').next().unwrap_or_default();
        if path != state.uri {
            self.follow(one);
        }
        state.uri = path.to_owned();
        match one.arg(2) {
            "last" => Some(Step::Changed),
            // The path is changed, and the block stays.
            "break" => Some(Step::On),
            _ => {
                run.changed = true;
                None
            }
        }
    }

    /// What a `rewrite` puts in the path's place; else what that depends on.
    fn replaced(&self, one: &Directive, state: &mut State<'t>) -> Result<String, String> {
        if let Some(regex) = pcre(one.arg(0), false)
            && let Some(found) = regex.captures(&state.uri.clone())
        {
            state.capture(&regex, &found);
        }
        match self.eval(state).value(one.arg(1)) {
            Value::Known(text) => Ok(text),
            Value::Unknown(variable) => Err(variable),
        }
    }
}

/// The status of a `rewrite` that redirects.
fn redirect_status(rewrite: &Directive) -> Option<u16> {
    let to = rewrite.arg(1);
    match rewrite.arg(2) {
        "permanent" => Some(301),
        "redirect" => Some(302),
        _ => ["http://", "https://", "$scheme"]
            .iter()
            .any(|scheme| to.starts_with(scheme))
            .then_some(302),
    }
}
