//! A reader of the report's HTML, stricter than any browser: what it does not
//! know, it refuses. What passes has no markup but the templates' own.

use std::collections::BTreeSet;

const ELEMENTS: &[&str] = &[
    "a",
    "b",
    "body",
    "br",
    "button",
    "circle",
    "code",
    "dd",
    "desc",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "i",
    "input",
    "kbd",
    "label",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "p",
    "path",
    "pre",
    "rect",
    "script",
    "section",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];
const VOID: &[&str] = &["br", "input", "link", "meta"];
const ATTRIBUTES: &[&str] = &[
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "autocomplete",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "d",
    "data-copy",
    "height",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "open",
    "overflow",
    "r",
    "rel",
    "role",
    "scope",
    "tabindex",
    "text-anchor",
    "title",
    "type",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// What a page consists of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) ids: Vec<String>,
    pub(crate) hrefs: Vec<String>,
    /// Ids that attributes name.
    pub(crate) named: Vec<String>,
    pub(crate) classes: BTreeSet<String>,
    pub(crate) csp: String,
    pub(crate) style: String,
    pub(crate) script: String,
    /// The text that is shown, entities resolved.
    pub(crate) text: String,
}

/// Reads a page; panics where it is not as the templates make it.
pub(crate) fn parse(html: &str) -> Page {
    let mut page = Page::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").expect("a doctype");
    while let Some(at) = rest.find('<') {
        page.text.push_str(&text(&rest[..at]));
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in order");
            continue;
        }
        let name = element(tag, &mut page);
        if name == "style" || name == "script" {
            let close = format!("</{name}>");
            let end = rest.find(&close).expect("the block ends");
            let block = if name == "style" { &mut page.style } else { &mut page.script };
            assert!(block.is_empty(), "a second <{name}>");
            block.push_str(&rest[..end]);
            rest = &rest[end + close.len()..];
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name.to_owned());
        }
        page.text.push(' ');
    }
    assert_eq!(open, Vec::<String>::new());
    page.text.push_str(&text(rest));
    page
}

fn element<'t>(tag: &'t str, page: &mut Page) -> &'t str {
    let tag = tag.trim_end_matches('/');
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(ELEMENTS.contains(&name), "<{name}>");
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let attribute = &rest[..end];
        assert!(ATTRIBUTES.contains(&attribute), "<{name} {attribute}>");
        rest = &rest[end..];
        let Some(value) = rest.strip_prefix("=\"") else { continue };
        let end = value.find('"').expect("a value ends");
        let (value, after) = value.split_at(end);
        rest = &after[1..];
        let value = text(value);
        match attribute {
            "id" => page.ids.push(value),
            "href" => page.hrefs.push(value),
            "data-copy" => page.named.push(value),
            "aria-labelledby" => page.named.extend(value.split(' ').map(str::to_owned)),
            "class" => page.classes.extend(value.split_whitespace().map(str::to_owned)),
            "content" if value.contains("default-src") => page.csp = value,
            _ => {}
        }
    }
    name
}

/// Text without entities; a bare `&` or `>` is none of ours.
fn text(escaped: &str) -> String {
    assert!(!escaped.contains(['<', '>']), "{escaped:.80}");
    let mut out = String::new();
    let mut parts = escaped.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, after) = part.split_once(';').expect("an entity");
        out.push_str(match entity {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "#34" => "\"",
            "#39" => "'",
            other => panic!("&{other};"),
        });
        out.push_str(after);
    }
    out
}
