//! JSON of unknown origin, looked through before a parser makes values of it:
//! a value takes tens of times the memory of the text that it is made of.

use super::Limits;

/// Holds a text to the limits on JSON. What is no JSON at all is left to the parser.
///
/// # Errors
/// Which limit, and at which byte of the text.
pub(super) fn check(content: &[u8], limits: &Limits) -> Result<(), String> {
    let (mut depth, mut values) = (0_usize, 0_usize);
    let mut at = 0;
    while let Some(&byte) = content.get(at) {
        match byte {
            b'"' => {
                let length = string(&content[at + 1..]);
                if length > limits.json_string {
                    return Err(format!(
                        "a string of more than {} bytes at byte {at}",
                        limits.json_string
                    ));
                }
                values += 1;
                at += length + 1;
            }
            b'[' | b'{' => {
                depth += 1;
                values += 1;
                if depth > limits.json_depth {
                    return Err(format!("nested deeper than {} at byte {at}", limits.json_depth));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let digit = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let length = content[at..].iter().take_while(|b| digit(b)).count();
                if length > limits.json_number {
                    return Err(format!("a number of {length} characters at byte {at}"));
                }
                values += 1;
                at += length - 1;
            }
            b'n' | b't' | b'f' => values += 1,
            _ => {}
        }
        if values > limits.json_values {
            return Err(format!("more than {} values, up to byte {at}", limits.json_values));
        }
        at += 1;
    }
    Ok(())
}

/// Bytes of a string up to the quote that ends it.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = rest[at..].iter().position(|b| matches!(b, b'"' | b'\\')) {
        at += found;
        if rest[at] == b'"' {
            return at;
        }
        at = (at + 2).min(rest.len());
    }
    rest.len()
}

/// A text that was cut off within one of its top-level lists, closed behind the
/// last element that is whole; `None` where there is no such list.
pub(super) fn closed(content: &[u8]) -> Option<Vec<u8>> {
    let (mut depth, mut at) = (0_usize, 0);
    let mut open = [0_u8; 2];
    let mut good = None;
    while let Some(&byte) = content.get(at) {
        match byte {
            b'"' => at += string(&content[at + 1..]) + 1,
            b'[' | b'{' => {
                if let Some(slot) = open.get_mut(depth) {
                    *slot = byte;
                }
                depth += 1;
                if depth == 2 && open == *b"{[" {
                    good = Some(at + 1);
                }
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 2 && open == *b"{[" {
                    good = Some(at + 1);
                }
                if depth == 1 {
                    good = None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut out = content[..good?].to_vec();
    out.extend_from_slice(b"]}");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let small = Limits {
            json_depth: 3,
            json_string: 5,
            json_number: 4,
            json_values: 9,
            ..Limits::default()
        };
        let says = |text: &str| check(text.as_bytes(), &small).err();
        assert_eq!(says(r#"{"a":[[1]]}"#), None);
        assert_eq!(says(r#"{"a":[[[1]]]}"#).unwrap(), "nested deeper than 3 at byte 7");
        assert_eq!(says(r#"["12345"]"#), None);
        assert!(
            says(r#"["123456"]"#).unwrap().starts_with("a string of more than 5 bytes at byte 1")
        );
        // An escaped quote ends no string; brackets within one count for nothing.
        assert_eq!(says(r#"["\"[[["]"#), None);
        assert!(says("[12345]").unwrap().starts_with("a number of 5 characters at byte 1"));
        assert_eq!(says("[1,2,3,4,5,6,7,8]"), None);
        assert!(says("[1,2,3,4,5,6,7,8,9]").unwrap().starts_with("more than 9 values"));
        for broken in ["", "\"", "\"\\", "]]]", "{{{", "-", "\\\""] {
            let _ = check(broken.as_bytes(), &small);
            let _ = closed(broken.as_bytes());
        }
    }

    #[test]
    fn what_was_cut_off_is_closed_behind_the_last_whole_element() {
        let closed = |text: &str| closed(text.as_bytes()).map(|t| String::from_utf8(t).unwrap());
        let cut = r#"{"t": {"x": [1]}, "list": [{"a": "]}"}, {"b": [2]}, {"c": "ha"#;
        assert_eq!(closed(cut).unwrap(), r#"{"t": {"x": [1]}, "list": [{"a": "]}"}, {"b": [2]}]}"#);
        assert_eq!(closed(r#"{"list": [{"a"#).unwrap(), r#"{"list": []}"#);
        assert_eq!(closed(r#"{"list": [], "t": {"#), None);
        assert_eq!(closed("[[{"), None);
    }
}
