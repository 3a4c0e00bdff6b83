//! The configurations of a case, read once for the request that decides.

use super::Evidence;
use crate::configuration::{Checked, Program, Reading, Request, check};
use wss_bundle::{Attachment, AttachmentKind};

/// The files of a case: those of the bundle that decides, else of its twin, else
/// the newest. Never of several bundles: before and after a change they differ.
pub(crate) fn given<'a>(e: &Evidence<'a>) -> Option<&'a [Attachment]> {
    let first = e.focus().into_iter().chain(e.twin()).chain(e.bundles.iter().rev());
    first
        .map(|view| view.bundle.attachments.as_slice())
        .find(|all| all.iter().any(|a| a.kind == AttachmentKind::Configuration))
}

/// What the configurations of a case say; read once.
pub(crate) fn readings<'e>(e: &'e Evidence<'_>) -> Option<&'e Checked> {
    e.configuration.get_or_init(|| read(e)).as_ref()
}

fn read(e: &Evidence<'_>) -> Option<Checked> {
    let focus = e.focus()?;
    let given = given(e)?;
    let target = &focus.bundle.manifest.target;
    let request = Request {
        host: &target.host,
        port: target.port,
        tls: target.scheme == wss_bundle::target::Scheme::Https,
        path: focus.path,
        version: None,
    };
    check(given, &request, |program| version(e, program))
}

/// The program's version, where an answer told it.
fn version(e: &Evidence<'_>, program: Program) -> Option<(u32, u32, u32)> {
    let (_, route, _) = e.deciding()?;
    let text = route
        .replies()
        .flat_map(|r| r.devices.iter())
        .filter(|m| program.is_device(&m.signature.id))
        .find_map(|m| m.version.clone())?;
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

/// The readings that describe a device which takes the request, with its id.
pub(crate) fn described<'e>(
    e: &'e Evidence<'_>,
) -> impl Iterator<Item = (&'static str, &'e Reading)> {
    let all = readings(e).map_or(&[][..], |checked| checked.readings.as_slice());
    all.iter().filter_map(|reading| Some((reading.device?, reading)))
}
