//! What a route on which the upgrade and a Ping get through lacks for the
//! console: a way around a broken one is only what works all the way.

use super::compression::Compression;
use super::{ReplyKind, RouteView};
use crate::evidence::holding::after;
use wss_bundle::observation::probe;

impl RouteView<'_> {
    /// What does not work on a route on which frames pass, each as a clause;
    /// empty where nothing is known to be amiss.
    #[must_use]
    pub fn limits(&self, path: &str) -> Vec<String> {
        let mut out = Vec::new();
        if self.trusted() == Some(false) {
            out.push("its certificate is not trusted here".to_owned());
        }
        match self.compression(path) {
            Compression::Breaks(_) => out.push("compressed frames do not get through".to_owned()),
            Compression::Refused { reply, .. } => {
                out.push(format!("an offer of compression is answered with {}", reply.line()));
            }
            Compression::NotGranted | Compression::Passes => {}
            Compression::Untold => out.extend(self.as_browsers_send_it(path)),
        }
        let bracket = self.silence_survived();
        if let Some(cut) = bracket.cut.filter(|_| bracket.too_short()) {
            out.push(format!("a silent connection is cut ({})", after(&cut, bracket.alive_s)));
        }
        out
    }

    /// What becomes of a browser's handshake and its first message.
    fn as_browsers_send_it(&self, path: &str) -> Option<String> {
        match self.browser_reply(path) {
            Some(reply) if reply.kind != ReplyKind::Switched => {
                Some(format!("as browsers send it, the upgrade gets {}", reply.line()))
            }
            Some(_) if self.message_unread(path) => {
                Some("the connection ends at the first message".to_owned())
            }
            Some(_) => None,
            None => self
                .of(probe::BROWSER_UPGRADE)
                .filter(|o| o.path.as_deref() == Some(path) && !self.is_too_short(o))
                .find_map(|o| o.step.failure())
                .map(|_| "as browsers send it, the upgrade gets no answer".to_owned()),
        }
    }
}
