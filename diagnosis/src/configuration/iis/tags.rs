//! Tags of an XML file with their attributes and lines; comments are left out.

/// A tag, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// In lower case; of an end with `/` before it.
    pub(super) name: String,
    /// Names in lower case.
    attributes: Vec<(String, String)>,
    pub(super) line: u32,
}

impl Tag {
    /// An attribute, or nothing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }
}

/// All tags of a text.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let mut out = Vec::new();
    let (mut rest, mut line) = (text, 1_u32);
    while let Some(at) = rest.find('<') {
        line = after(line, &rest[..at]);
        rest = &rest[at..];
        let comment = rest.starts_with("<!--");
        let end = if comment { rest.find("-->").map(|at| at + 3) } else { ends(rest) };
        let Some(end) = end else { break };
        let inner = &rest[1..end.saturating_sub(1).max(1)];
        if !comment {
            out.push(Tag { name: name(inner), attributes: attributes(inner), line });
        }
        line = after(line, &rest[..end]);
        rest = &rest[end..];
    }
    out
}

fn after(line: u32, text: &str) -> u32 {
    line.saturating_add(u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX))
}

/// Where a tag ends: `>` may stand in a value.
fn ends(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(own), c) if own == c => quote = None,
            _ => {}
        }
    }
    None
}

fn name(inner: &str) -> String {
    let end = inner.find(|c: char| c.is_whitespace()).unwrap_or(inner.len());
    inner[..end].trim_end_matches('/').to_ascii_lowercase()
}

fn attributes(inner: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some(at) = rest.find('=') {
        let name = rest[..at].trim().rsplit(char::is_whitespace).next().unwrap_or_default();
        let value = rest[at + 1..].trim_start();
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let Some(end) = value[1..].find(quote) else { break };
        let text = &value[1..=end];
        let plain = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        out.push((name.to_ascii_lowercase(), plain.replace("&amp;", "&")));
        rest = &value[end + 2..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_with_lines() {
        let all = tags("<a>\n<!-- <b c=\"d\"> -->\n<Match\n url=\"^a>b\" Negate='true' />\n</a>");
        let names: Vec<(&str, u32)> = all.iter().map(|t| (t.name.as_str(), t.line)).collect();
        assert_eq!(names, [("a", 1), ("match", 3), ("/a", 5)]);
        assert_eq!((all[1].get("url"), all[1].get("negate")), ("^a>b", "true"));
    }
}
