//! What stands at the address: Bindplane, another site, or nobody can tell; and
//! whether an answer to an unknown path was the server's own.

use super::reply::{Author, Reply, ReplyKind};
use super::route::RouteView;
use crate::said::Says;

/// What stands at the address, as far as one route shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// Bindplane's own mark was seen.
    Bindplane,
    /// Pages were answered, and none is Bindplane's.
    Another,
    /// Neither can be said.
    Untold,
}

/// Who wrote an answer that says nothing of WebSocket: a page, or a 404.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The server itself: it has the manners of the server's other answers.
    ByOrigin,
    /// It is a file, by these headers.
    FromDisk(Vec<&'static str>),
    /// Somebody before the server; why that is believed, as a clause.
    Before(String),
    /// It cannot be told.
    Untold,
}

impl<'a> RouteView<'a> {
    /// What stands at the address.
    #[must_use]
    pub fn site(&self, path: &str) -> Site {
        let switches = |kind| {
            matches!(kind, ReplyKind::Switched | ReplyKind::BadSwitch | ReplyKind::NotAnUpgrade)
        };
        if self.bindplane_page(path).is_some() || self.replies().any(|r| switches(r.kind)) {
            return Site::Bindplane;
        }
        // The one page that no other server has, and one that every server has.
        let (Some(script), Some(start)) = (self.page("/js/_globals.js"), self.page("/")) else {
            return Site::Untold;
        };
        let somebody = |r: &Reply<'_>| matches!(r.status, 200..=299 | 400 | 403..=410);
        let other = |r: &Reply<'_>| somebody(r) && r.author != Author::Origin;
        let wall = |r: &Reply<'_>| {
            r.says(Says::Filtered) || r.says(Says::SignOn) || r.kind == ReplyKind::Redirect
        };
        if other(script) && other(start) && !wall(script) && !wall(start) {
            Site::Another
        } else {
            Site::Untold
        }
    }

    /// Answers that are the server's beyond doubt, and carry its handlers' headers.
    fn known_of_origin(&self) -> impl Iterator<Item = &Reply<'a>> {
        self.replies().filter(|r| match r.kind {
            ReplyKind::NotAnUpgrade => true,
            ReplyKind::Unauthorized => r.author == Author::Origin,
            ReplyKind::OtherSuccess => r.reply.body.bytes.text().contains("__BINDPLANE_VERSION__"),
            _ => false,
        })
    }

    /// Who wrote a page or a 404 of this route.
    #[must_use]
    pub fn written(&self, reply: &Reply<'_>) -> Written {
        if let Some(headers) = reply.from_disk() {
            return Written::FromDisk(headers);
        }
        if reply.has_the_origins_manners() {
            return Written::ByOrigin;
        }
        if let (Author::Device { name, .. }, Some(row)) = (&reply.author, reply.said) {
            return Written::Before(format!(
                "{name} answers {} itself; {}",
                reply.status, row.means
            ));
        }
        if let Author::Device { name, .. } = &reply.author {
            return Written::Before(format!("it is {name}'s own page"));
        }
        let known: Vec<_> = self.known_of_origin().collect();
        if known.is_empty() {
            return Written::Untold;
        }
        if known.iter().all(|r| r.has_the_origins_manners()) {
            return Written::Before(
                "it lacks `Vary: Origin`, which Bindplane's own answers by the same way have"
                    .to_owned(),
            );
        }
        let same = known.iter().any(|known| names(known) == names(reply));
        if same { Written::ByOrigin } else { Written::Untold }
    }
}

/// The names of a response's headers, without those that go with its content.
fn names(reply: &Reply<'_>) -> Vec<String> {
    const CONTENTS: [&str; 6] = [
        "content-type",
        "content-length",
        "date",
        "transfer-encoding",
        "x-content-type-options",
        "sec-websocket-version",
    ];
    let mut names: Vec<String> = reply
        .reply
        .head
        .headers()
        .into_iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| !CONTENTS.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
