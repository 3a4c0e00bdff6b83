//! Pages as large as the field's: a proxy's block page brings its style sheet,
//! its script and its logo along, where the lab's programs send a line or two.

use base64::Engine as _;
use wss_bundle::Bundle;
use wss_bundle::observation::{Body, Outcome, Step, probe};

/// Lets every page of a bundle grow to so many bytes, by what a page is made of.
/// The same `seed` gives the same.
pub(super) fn grow(bundle: &mut Bundle, bytes: usize, seed: &str) {
    each(bundle, |_, page| {
        if page.trim_ascii_start().starts_with(b"<") {
            page.extend(style(bytes.saturating_sub(page.len()), seed));
        }
    });
}

/// Puts a logo of so many bytes into every page, as base64 has it: of what no
/// compression makes less.
pub(super) fn logo(bundle: &mut Bundle, bytes: usize, seed: &str) {
    let image = format!("<img alt=\"\" src=\"data:image/png;base64,{}\">", base64(bytes, seed));
    each(bundle, |_, page| {
        if page.starts_with(b"<") {
            page.extend(image.as_bytes());
        }
    });
}

/// Lets the console's own page and script grow by so many bytes, packed as what
/// bundlers write is.
pub(super) fn shell(bundle: &mut Bundle, bytes: usize, seed: &str) {
    each(bundle, |observation, page| {
        if observation == probe::PAGES && !page.is_empty() {
            // Each its own: of the same, deflate makes one.
            let own = format!("{seed} {}", page.len());
            page.extend(format!("/*{}*/", base64(bytes, &own)).as_bytes());
        }
    });
}

fn base64(bytes: usize, seed: &str) -> String {
    let mut next = random(seed);
    let raw: Vec<u8> = (0..bytes * 3 / 4).map(|_| next(256) as u8).collect();
    base64::engine::general_purpose::STANDARD.encode(raw)
}

/// Every body that is whole, with its probe.
fn each(bundle: &mut Bundle, mut change: impl FnMut(&str, &mut Vec<u8>)) {
    for observation in &mut bundle.observations.observations {
        let body = match &mut observation.step {
            Step::Http(http) => body(&mut http.result, |reply| &mut reply.body),
            Step::Upgrade(upgrade) => body(&mut upgrade.result, |reply| &mut reply.body),
            Step::Tunnel(tunnel) => body(&mut tunnel.result, |reply| &mut reply.body),
            _ => None,
        };
        let Some(body) = body.filter(|body| !body.truncated) else { continue };
        change(&observation.probe, &mut body.bytes.0);
        body.length = body.bytes.len() as u64;
    }
}

fn body<T>(outcome: &mut Outcome<T>, of: impl Fn(&mut T) -> &mut Body) -> Option<&mut Body> {
    match outcome {
        Outcome::Ok(seen) => Some(of(seen)),
        Outcome::Failed(_) => None,
    }
}

/// Knuth's generator, from the seed's bytes: numbers below what is asked for.
fn random(seed: &str) -> impl FnMut(u64) -> u64 + use<> {
    let mut state =
        seed.bytes().fold(1_u64, |state, byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    move |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// A style sheet of so many bytes, which deflate makes a quarter of.
fn style(bytes: usize, seed: &str) -> Vec<u8> {
    let mut next = random(seed);
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
