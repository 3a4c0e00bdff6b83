//! Observations, whose certificate chains are parsed once each.
//!
//! Every handshake of a bundle shows the chain that it was shown, and most were
//! shown the same: a third of the text. Chains that are the same, byte for byte,
//! are left out of the text before it is parsed, and shared afterwards.

use crate::observation::Certificate;
use crate::{Observations, Step};
use memchr::memmem::Finder;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// How the field stands in what the collector writes. Within a string of JSON the
/// quotes would be escaped: so this is always a field.
const FIELD: &str = "\"chain\": [";
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FIELD));
/// Chains of one bundle that are told apart: the target's, and what interceptors make.
const MOST: usize = 8;
/// What stands for a chain that was left out. Nobody who writes a bundle can know
/// it, so what has it after parsing is where a chain was left out, and nowhere else.
static MARK: LazyLock<String> =
    LazyLock::new(|| format!("left out {:016x}", RandomState::new().hash_one(FIELD)));
/// The same as a list of one certificate, from behind its bracket.
static MARKED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{{\"subject\":\"{}\",\"issuer\":\"\",\"sans\":[],\"not_before\":\"\",\"not_after\":\"\",\"sha256\":\"\",\
         \"spki_sha256\":\"\",\"self_issued\":false}}]",
        *MARK
    )
});

/// Parses `observations.json`; `None` as the parser would say no. `room` is used again.
pub(super) fn observations(text: &str, room: &mut String) -> Option<Observations> {
    shared(text, room).or_else(|| serde_json::from_str(text).ok())
}

/// The same where every chain is a handshake's; otherwise nothing is said.
fn shared(text: &str, room: &mut String) -> Option<Observations> {
    let mut known: Vec<&str> = Vec::new();
    let mut which: Vec<usize> = Vec::new();
    let (mut from, mut at) = (0, 0);
    room.clear();
    while let Some(found) = FINDER.find(text.as_bytes().get(at..)?) {
        // Behind the bracket.
        let start = at + found + FIELD.len();
        let rest = text.get(start..)?;
        let number = match known.iter().position(|chain| rest.starts_with(chain)) {
            Some(number) => number,
            None => {
                let chain = rest.get(..=end(rest)?)?;
                known.push(chain);
                known.len() - 1
            }
        };
        if known.len() > MOST {
            return None;
        }
        room.push_str(text.get(from..start)?);
        room.push_str(&MARKED);
        at = start + known.get(number)?.len();
        from = at;
        which.push(number);
    }
    room.push_str(text.get(from..)?);
    let mut parsed: Observations = serde_json::from_str(room).ok()?;
    let chains: Vec<Arc<[Certificate]>> = known
        .iter()
        .map(|chain| serde_json::from_str::<Vec<Certificate>>(&format!("[{chain}")).ok())
        .map(|chain| chain.map(Arc::from))
        .collect::<Option<_>>()?;
    let mut which = which.into_iter();
    for observation in &mut parsed.observations {
        let Step::Tls(tls) = &mut observation.step else { continue };
        if tls.chain.first().is_some_and(|first| first.subject == *MARK) {
            tls.chain = Arc::clone(chains.get(which.next()?)?);
        }
    }
    // A field of that name somewhere else, which the parser may judge otherwise.
    which.next().is_none().then_some(parsed)
}

/// Where the list ends that was opened just before: the place of its bracket.
fn end(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (1_usize, 0);
    let bytes = rest.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => loop {
                at += 1 + memchr::memchr2(b'"', b'\\', bytes.get(at + 1..)?)?;
                if bytes.get(at) == Some(&b'"') {
                    break;
                }
                at += 1;
            },
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(chain: &str) -> String {
        format!(
            r#"{{"id": "o", "probe": "p", "route": "direct", "path": null, "connection": null, "start_ms": 0, "duration_ms": 1,
            "step": {{"tls": {{"peer": "target", "server_name": "a", "alpn_offered": [], "chain": [{chain}], "verification": null,
            "result": {{"ok": {{"version": "a", "cipher": "b", "alpn": null}}}}}}}}}}"#
        )
    }

    fn certificate(subject: &str) -> String {
        format!(
            r#"{{"subject": {}, "issuer": "i", "sans": ["[", "]\\\""], "not_before": "", "not_after": "", "sha256": "",
            "spki_sha256": "", "self_issued": false, "subject_cn": null, "issuer_cn": null, "issuer_o": null, "issuer_ou": null}}"#,
            serde_json::to_string(subject).unwrap()
        )
    }

    fn whole(steps: &[String], more: &str) -> String {
        format!(
            r#"{{"target": {{"scheme": "https", "host": "h", "port": 1, "paths": []}}, "routes": [], {more}
            "observations": [{}]}}"#,
            steps.join(", ")
        )
    }

    #[test]
    fn chains_are_shared_and_nothing_else_changes() {
        let (a, b) = (certificate("]}\",\\"), certificate("b \"chain\": [1]"));
        let chains = [&a, &b, &a, "", &format!("{a}, {b}"), &b];
        let steps: Vec<String> = chains.iter().map(|chain| tls(chain)).collect();
        let text = whole(&steps, "");
        let found = shared(&text, &mut String::new()).unwrap();
        assert_eq!(found, serde_json::from_str(&text).unwrap());
        let chain = |at: usize| match &found.observations[at].step {
            Step::Tls(tls) => Arc::clone(&tls.chain),
            _ => unreachable!(),
        };
        assert!(Arc::ptr_eq(&chain(0), &chain(2)) && Arc::ptr_eq(&chain(1), &chain(5)));
        assert_eq!((chain(3).len(), chain(4).len()), (0, 2));
    }

    #[test]
    fn a_chain_that_is_no_handshakes_leaves_it_to_the_parser() {
        let a = certificate("a");
        let plain = tls(&a).replace("\"chain\": [", "\"chain\":[");
        for step in [tls(&a), plain.clone(), tls(""), plain.replace(&a, "")] {
            let text = whole(&[step], &format!(r#""other": {{"chain": [{a}]}},"#));
            assert_eq!(shared(&text, &mut String::new()), None);
            let parsed: Observations = serde_json::from_str(&text).unwrap();
            assert_eq!(observations(&text, &mut String::new()), Some(parsed));
        }
        let both = whole(&[plain, tls(&a)], "");
        assert_eq!(shared(&both, &mut String::new()), serde_json::from_str(&both).ok());
        for wrong in ["[1]", "[\"", "[", "[}", "[\"\\"] {
            let text = whole(&[tls(&a), tls(wrong)], "");
            assert_eq!(observations(&text, &mut String::new()), None, "{wrong}");
        }
    }
}
