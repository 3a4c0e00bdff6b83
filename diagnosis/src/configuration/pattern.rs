//! Patterns, where most of a long file's are not the one that fits: compiling each would
//! take longer than all the rest.

/// Whether a pattern that is anchored at the beginning cannot fit a text, by the plain
/// characters that it begins with; false where that is not told.
pub(crate) fn begins_otherwise(anchored: &str, text: &str, any_case: bool) -> bool {
    if anchored.contains('|') {
        return false;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
    let end = anchored.find(|c: char| !plain(c)).unwrap_or(anchored.len());
    let repeated = anchored[end..].starts_with(['?', '*', '+', '{']);
    let end = if repeated { end.saturating_sub(1) } else { end };
    let (begin, own) = (&anchored.as_bytes()[..end], text.as_bytes());
    let Some(own) = own.get(..begin.len()) else { return true };
    if any_case { !own.eq_ignore_ascii_case(begin) } else { own != begin }
}

#[cfg(test)]
mod tests {
    use super::begins_otherwise;

    #[test]
    fn what_cannot_fit_is_told_and_nothing_else() {
        for (pattern, text, cannot) in [
            ("/v1/ws", "/v1/ws", false),
            ("/v1/.*", "/v2/ws", true),
            ("/v1/?x", "/v1x", false),
            ("/app|/v1", "/v1", false),
            ("(?i)/APP", "/v1", false),
            ("/v1/ws/long", "/v1", true),
            ("v{0}1", "1", false),
        ] {
            assert_eq!(begins_otherwise(pattern, text, false), cannot, "{pattern} {text}");
            let regex = regex::Regex::new(&format!("^(?:{pattern})")).unwrap();
            assert!(!(cannot && regex.is_match(text)), "{pattern} {text}");
        }
        assert!(
            !begins_otherwise("/V1", "/v1/ws", true) && begins_otherwise("/V1", "/v1/ws", false)
        );
    }
}
