//! What becomes of compressed frames (RFC 7692): the collector's handshake as a
//! browser makes it, with and without the offer of permessage-deflate.

use super::{Reply, ReplyKind, RouteView};
use wss_bundle::observation::{EndedBy, Ending, FramesSeen, probe};
use wss_bundle::{Observation, Outcome, Step};

/// Protocol error, and data of the wrong kind (RFC 6455 section 7.4.1): what an
/// endpoint says that cannot read a frame.
const UNREADABLE: [u16; 2] = [1002, 1007];

/// What the pair of handshakes shows.
pub enum Compression<'v, 'a> {
    /// No compression was granted, and the same message passes: there is nothing to break.
    NotGranted,
    /// It was granted, and frames survive it.
    Passes,
    /// Frames do not survive it; the same without the offer do.
    Breaks(Broken<'a>),
    /// The handshake is refused when compression is offered, and not without.
    Refused {
        /// The refusal.
        reply: &'v Reply<'a>,
        /// Whether it was refused alike once more, after the one without passed.
        again: bool,
    },
    /// It cannot be told: not tried, or the one without the offer fails as well.
    Untold,
}

/// How compressed frames break.
pub struct Broken<'a> {
    /// What shows it.
    pub observation: &'a Observation,
    /// How it ended.
    pub ending: &'a Ending,
    /// Whether the 101 granted compression. Otherwise somebody compresses
    /// although the answer, as it arrives here, does not say so.
    pub granted: bool,
}

/// How the one message that was sent fared.
enum Message<'a> {
    Read,
    Unread(&'a Ending),
    Untold,
}

fn fared(seen: &FramesSeen) -> Message<'_> {
    let Some(message) = &seen.message else { return Message::Untold };
    let ending = &seen.ending;
    match ending.how {
        EndedBy::StillOpen if message.passed_ms.is_some() => Message::Read,
        EndedBy::StillOpen => Message::Untold,
        // The server's own farewell, for a reason of the console's: it has read it.
        EndedBy::CloseFrame => match ending.close_code {
            Some(code) if UNREADABLE.contains(&code) => Message::Unread(ending),
            Some(_) => Message::Read,
            None => Message::Untold,
        },
        EndedBy::Garbled | EndedBy::Fin | EndedBy::Reset | EndedBy::Silence => {
            Message::Unread(ending)
        }
    }
}

fn of(reply: &Reply<'_>, probe: &str, path: &str) -> bool {
    reply.observation.probe == probe && reply.observation.path.as_deref() == Some(path)
}

impl<'a> RouteView<'a> {
    fn messages<'v>(
        &'v self,
        probe: &'a str,
        path: &'v str,
    ) -> impl Iterator<Item = (&'a Observation, Option<&'a FramesSeen>)> + 'v {
        self.of(probe).filter(move |o| o.path.as_deref() == Some(path)).filter_map(|o| {
            let Step::Frames(frames) = &o.step else { return None };
            Some(match &frames.result {
                Outcome::Ok(seen) => (o, Some(seen)),
                Outcome::Failed(_) => (o, None),
            })
        })
    }

    /// What becomes of compressed frames on a path.
    #[must_use]
    pub fn compression(&self, path: &str) -> Compression<'_, 'a> {
        let read: Vec<&Observation> = self
            .messages(probe::BROWSER_UPGRADE, path)
            .filter(|(_, seen)| seen.is_some_and(|seen| matches!(fared(seen), Message::Read)))
            .map(|(o, _)| o)
            .collect();
        let Some(reply) = self.compressed_reply(path).filter(|_| !read.is_empty()) else {
            return Compression::Untold;
        };
        if reply.kind != ReplyKind::Switched {
            let all: Vec<_> = self
                .replies()
                .filter(|r| of(r, probe::COMPRESSED_UPGRADE, path))
                .filter(|r| !self.is_limits(r.observation))
                .collect();
            let first = reply.observation.start_ms;
            let between = self.replies().any(|r| {
                of(r, probe::BROWSER_UPGRADE, path)
                    && r.kind == ReplyKind::Switched
                    && r.observation.start_ms > first
            });
            let again = all.len() > 1 && all.iter().all(|r| r.same_answer(reply)) && between;
            return Compression::Refused { reply, again };
        }
        let mut broken = None;
        for (observation, seen) in self.messages(probe::COMPRESSED_UPGRADE, path) {
            let Some(seen) = seen else { return Compression::Untold };
            let granted = seen.message.is_some_and(|message| message.compressed);
            match fared(seen) {
                Message::Read if granted => return Compression::Passes,
                Message::Read => return Compression::NotGranted,
                Message::Unread(ending) => {
                    // The latest of many connections may be one too many: one that is
                    // ended counts when the twin without the offer passes after it.
                    if self.is_too_short(observation) {
                        return Compression::Untold;
                    }
                    let stays = matches!(ending.how, EndedBy::Garbled | EndedBy::Silence);
                    let later = read.iter().any(|plain| plain.start_ms > observation.start_ms);
                    if broken.is_none() && !stays && !later {
                        return Compression::Untold;
                    }
                    broken = Some(Broken { observation, ending, granted });
                }
                Message::Untold => return Compression::Untold,
            }
        }
        broken.map_or(Compression::Untold, Compression::Breaks)
    }

    /// Whether a message that a browser would send first was not read.
    pub(super) fn message_unread(&self, path: &str) -> bool {
        self.messages(probe::BROWSER_UPGRADE, path).any(|(o, seen)| {
            let unread = seen.is_some_and(|seen| matches!(fared(seen), Message::Unread(_)));
            unread && !self.is_too_short(o)
        })
    }

    /// Whether the server itself does not like the message, whatever its form.
    #[must_use]
    pub fn message_unwelcome(&self, path: &str) -> bool {
        self.messages(probe::BROWSER_UPGRADE, path).any(|(_, seen)| {
            let ending = seen.map(|seen| fared(seen));
            matches!(ending, Some(Message::Unread(ending)) if ending.how == EndedBy::CloseFrame)
        })
    }

    /// The response to the handshake that offers compression.
    #[must_use]
    pub fn compressed_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::COMPRESSED_UPGRADE, path)
    }
}
