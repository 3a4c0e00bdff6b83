//! The page: view models rendered by strict templates, put between a head and a
//! foot. Style and script are this program's own and are pinned by their hashes
//! in the content security policy, so that nothing else can run or load.

use super::Case;
use super::section::{self, Page};
use base64::Engine as _;
use handlebars::Handlebars;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use sha2::{Digest, Sha256};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../templates");

/// Longest text of one field, in bytes.
const LONGEST: usize = 8_000;

#[derive(Serialize)]
struct Head {
    title: String,
    style_hash: String,
    script_hash: String,
}

fn file(name: &str) -> Result<&'static str, String> {
    TEMPLATES
        .get_file(name)
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| format!("the template {name} is missing"))
}

fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// The one place where text becomes HTML. Besides markup, what cannot be seen is
/// made visible: control characters, and those that turn the direction of what
/// follows. Nothing is longer than anybody reads; the bundle has the rest.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST) + 16);
    for (at, c) in text.char_indices() {
        if at >= LONGEST {
            out.push_str("… (cut here; the bundle has all of it)");
            break;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            '\u{061c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn engine() -> Result<Handlebars<'static>, String> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(escape);
    for name in ["head.hbs", "page.hbs"] {
        engine.register_template_string(name, file(name)?).map_err(|error| error.to_string())?;
    }
    for name in section::NAMES {
        let path = format!("section/{name}.hbs");
        engine.register_template_string(&path, file(&path)?).map_err(|error| error.to_string())?;
    }
    Ok(engine)
}

/// The page of a case.
///
/// # Errors
/// A template that does not fit its view model, which the tests exclude.
pub fn render(case: &Case<'_>) -> Result<String, String> {
    let engine = engine()?;
    let (style, script) = (file("style.css")?, file("script.js")?);
    let verdict = &case.diagnosis.verdict;
    let head = Head {
        title: format!(
            "{}: {} ({})",
            case.diagnosis.case.target, verdict.cause, case.diagnosis.case.id
        ),
        style_hash: hash(style),
        script_hash: hash(script),
    };
    let head = engine.render("head.hbs", &head).map_err(|error| error.to_string())?;
    let body = engine.render("page.hbs", &Page::new(case)).map_err(|error| error.to_string())?;
    Ok(format!(
        "{head}<style>{style}</style>\n</head>\n<body>\n{body}<script>{script}</script>\n</body>\n</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section has a view model and a partial of one name, and stands in the page.
    #[test]
    fn every_section_is_registered() {
        let partials: Vec<String> = TEMPLATES
            .get_dir("section")
            .unwrap()
            .files()
            .map(|file| file.path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut names: Vec<String> = section::NAMES.iter().map(|n| (*n).to_owned()).collect();
        names.sort();
        let mut sorted = partials.clone();
        sorted.sort();
        assert_eq!(names, sorted);
        let page = file("page.hbs").unwrap();
        for name in section::NAMES {
            assert!(page.contains(&format!("{{{{> section/{name}.hbs {name}}}}}")), "{name}");
        }
    }

    #[test]
    fn no_template_writes_raw_html() {
        for dir in [Some(&TEMPLATES), TEMPLATES.get_dir("section")].into_iter().flatten() {
            for file in dir.files().filter(|f| f.path().extension().is_some_and(|e| e == "hbs")) {
                let text = file.contents_utf8().unwrap();
                assert!(
                    !text.contains("{{{") && !text.contains("{{&"),
                    "{}",
                    file.path().display()
                );
                assert!(!text.contains(" style="), "{}", file.path().display());
            }
        }
    }
}
