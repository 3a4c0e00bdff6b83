//! The page: view models rendered by strict templates, put between a head and a
//! foot. Style and script are this program's own and are pinned by their hashes
//! in the content security policy, so that nothing else can run or load.

use super::section::{self, Page};
use super::templates::Templates;
use super::{Case, words};
use base64::Engine as _;
use handlebars::Handlebars;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Parts that several sections use.
const PARTS: [&str; 4] = ["citations", "command", "cure", "prose"];

/// Longest text in one place, whatever a view model let through: a bundle
/// whose host name has a megabyte still gives a page that opens.
const LONGEST: usize = 8_000;

/// What stands in a page's head.
#[derive(Serialize)]
pub struct Head {
    /// The page's title.
    pub title: String,
    /// Of its style, as [`hash`] gives it.
    pub style_hash: String,
    /// Of its script.
    pub script_hash: String,
}

/// What a content security policy knows a script or a style by: its SHA-256, in base64.
#[must_use]
pub fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// The one place where text becomes HTML.
fn escape(text: &str) -> String {
    let text = words::cut_counted(text, LONGEST);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => match words::visible(c) {
                Some(shown) => out.push_str(&shown),
                None => out.push(c),
            },
        }
    }
    out
}

fn engine(templates: &Templates) -> Result<Handlebars<'static>, String> {
    let parts = PARTS.iter().map(|name| format!("part/{name}.hbs"));
    let sections = section::NAMES.iter().map(|name| format!("section/{name}.hbs"));
    let pages = ["head.hbs".to_owned(), "page.hbs".to_owned()];
    engine_of(templates, pages.into_iter().chain(parts).chain(sections))
}

/// An engine that knows these templates, and escapes whatever it writes.
///
/// # Errors
/// A template is missing, or none.
pub fn engine_of(
    templates: &Templates,
    names: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Handlebars<'static>, String> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(escape);
    for name in names.into_iter().map(Into::<String>::into) {
        let text = templates.get(&name)?;
        engine
            .register_template_string(&name, &text)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(engine)
}

#[derive(Serialize)]
struct Whole<'a> {
    logo: Option<&'a str>,
    #[serde(flatten)]
    page: Page,
}

/// The page of a case, by the compiled-in templates.
///
/// # Errors
/// A template that does not fit its view model, which the tests exclude.
pub fn render(case: &Case<'_>) -> Result<String, String> {
    // Made once: whoever draws many pages would make it for each.
    static ENGINE: OnceLock<Result<Handlebars<'static>, String>> = OnceLock::new();
    let templates = Templates::default();
    let made = ENGINE.get_or_init(|| engine(&templates));
    page(case, made.as_ref().map_err(Clone::clone)?, &templates)
}

/// The same by other templates.
///
/// # Errors
/// Names the template that does not fit its view model, and the place in it.
pub fn render_with(case: &Case<'_>, templates: &Templates) -> Result<String, String> {
    page(case, &engine(templates)?, templates)
}

fn page(case: &Case<'_>, engine: &Handlebars<'_>, templates: &Templates) -> Result<String, String> {
    let (style, script) = (templates.get("style.css")?, templates.get("script.js")?);
    let verdict = &case.diagnosis.verdict;
    let title = format!(
        "{}: {} ({})",
        words::status(verdict.status),
        verdict.cause,
        words::cut(&case.diagnosis.case.target, 120)
    );
    let head = Head { title, style_hash: hash(&style), script_hash: hash(&script) };
    let whole = Whole { logo: templates.logo(), page: Page::new(case) };
    let head = engine.render("head.hbs", &head).map_err(|error| error.to_string())?;
    let body = engine.render("page.hbs", &whole).map_err(|error| error.to_string())?;
    // Neither goes through the engine, and no raw brace is needed for them.
    Ok(format!(
        "{head}<style>{style}</style>\n</head>\n<body>\n{body}<script>{script}</script>\n</body>\n</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &str) -> Vec<String> {
        let files = Templates::built_in().get_dir(folder).unwrap().files();
        let mut names: Vec<String> = files
            .map(|file| file.path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    }

    /// A section has a view model and a partial of one name, and stands in the page.
    #[test]
    fn every_section_is_registered() {
        assert_eq!(names("section"), sorted(section::NAMES));
        assert_eq!(names("part"), sorted(&PARTS));
        let page = Templates::default().get("page.hbs").unwrap().into_owned();
        let mut at = 0;
        for name in section::NAMES {
            let partial = format!("{{{{> section/{name}.hbs {name}}}}}");
            let found = page[at..].find(&partial);
            at += found.unwrap_or_else(|| panic!("{name} is missing or out of order"));
        }
        let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/section"));
        for source in sources.unwrap() {
            let path = source.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(name == "mod" || section::NAMES.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn templates_have_no_raw_html_no_logic_and_no_inline_style() {
        let folders = [
            Some(Templates::built_in()),
            Templates::built_in().get_dir("section"),
            Templates::built_in().get_dir("part"),
        ];
        for file in folders.into_iter().flatten().flat_map(include_dir::Dir::files) {
            if file.path().extension().is_none_or(|extension| extension != "hbs") {
                continue;
            }
            let (text, name) = (file.contents_utf8().unwrap(), file.path().display());
            assert!(!text.contains("{{{") && !text.contains("{{&"), "{name}");
            assert!(!text.contains(" style="), "{name}");
            let handler = |word: &str| word.starts_with("on") && word.contains('=');
            assert!(!text.split_ascii_whitespace().any(handler), "{name}");
            for tag in text.split("{{").skip(1) {
                let word = tag.split([' ', '}']).next().unwrap();
                let known = ["#if", "/if", "else", "#each", "/each", ">"].contains(&word)
                    || word.chars().all(|c| c.is_ascii_alphanumeric() || "@_./[]".contains(c));
                assert!(known, "{name}: {word}");
                // A field of this name would be taken for the engine's helper.
                let helpers = ["lookup", "with", "unless", "raw", "log", "len", "and", "or", "not"];
                assert!(!helpers.contains(&word), "{name}: {word}");
            }
        }
        for name in ["style.css", "script.js", "trends.css", "trends.js"] {
            // Nothing may end the block that it is put into, or load anything.
            let text = Templates::default().get(name).unwrap().into_owned();
            for word in ["</", "url(", "@import", "http:", "https:", "fetch(", "innerHTML", "eval"]
            {
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
    }

    #[test]
    fn escaping_leaves_no_markup_and_nothing_hidden() {
        assert_eq!(escape("<b a='x' c=\"&\">"), "&lt;b a=&#39;x&#39; c=&#34;&amp;&#34;&gt;");
        assert_eq!(escape("a\u{202e}b\0"), "a[U+202E]b\u{2400}");
        assert!(escape(&"x".repeat(1_000_000)).len() < LONGEST + 100);
    }
}
