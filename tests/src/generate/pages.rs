//! Pages as large as the field's: a proxy's block page brings its style sheet,
//! its script and its logo along, where the lab's programs send a line or two.

use wss_bundle::observation::{Body, Outcome, Step};
use wss_bundle::{Bundle, Bytes};

/// Lets every page of a bundle grow to so many bytes, by what a page is made of.
/// The same `seed` gives the same.
pub(super) fn grow(bundle: &mut Bundle, bytes: usize, seed: &str) {
    for observation in &mut bundle.observations.observations {
        let body = match &mut observation.step {
            Step::Http(http) => body(&mut http.result, |reply| &mut reply.body),
            Step::Upgrade(upgrade) => body(&mut upgrade.result, |reply| &mut reply.body),
            Step::Tunnel(tunnel) => body(&mut tunnel.result, |reply| &mut reply.body),
            _ => None,
        };
        let Some(body) = body else { continue };
        if !body.bytes.text().trim_start().starts_with('<') || body.truncated {
            continue;
        }
        let mut page = std::mem::take(&mut body.bytes).0;
        page.extend(style(bytes.saturating_sub(page.len()), seed));
        body.length = page.len() as u64;
        body.bytes = Bytes(page);
    }
}

fn body<T>(outcome: &mut Outcome<T>, of: impl Fn(&mut T) -> &mut Body) -> Option<&mut Body> {
    match outcome {
        Outcome::Ok(seen) => Some(of(seen)),
        Outcome::Failed(_) => None,
    }
}

/// A style sheet of so many bytes, which deflate makes a quarter of.
fn style(bytes: usize, seed: &str) -> Vec<u8> {
    // Knuth's generator, from the seed's bytes.
    let mut state =
        seed.bytes().fold(1_u64, |state, byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut out = String::from("<style>\n");
    while out.len() < bytes {
        let (class, pad, colour) = (next(1 << 16), next(40), next(1 << 24));
        let rule = format!(".b{class:x} {{ padding: {pad}px; color: #{colour:06x}; }}\n");
        out.push_str(&rule);
    }
    out.truncate(bytes.saturating_sub(8));
    out.push_str("</style>");
    out.truncate(bytes);
    out.into_bytes()
}
