//! The templates: the compiled-in ones, each of which a support team may replace
//! by its own, and the team's logo.

use base64::Engine as _;
use include_dir::{Dir, include_dir};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../templates");

/// Largest file that is read from a folder of templates.
const LARGEST: u64 = 512 * 1024;

/// Where a page's templates come from.
#[derive(Debug, Default)]
pub struct Templates {
    own: BTreeMap<String, String>,
    logo: Option<String>,
}

impl Templates {
    /// The compiled-in ones, and from `folder` those that bear the same name
    /// (`page.hbs`, `section/verdict.hbs`, `style.css` …); `logo.svg` or
    /// `logo.png` in it stands at the top of the page.
    ///
    /// # Errors
    /// Names the file: no template has its name, it is too large, is no text, or
    /// writes text as raw HTML.
    pub fn with_own(folder: &Path) -> Result<Self, String> {
        let mut out = Self::default();
        out.read(folder, "")?;
        if out.own.is_empty() && out.logo.is_none() {
            return Err(format!("{}: no template and no logo in it", folder.display()));
        }
        Ok(out)
    }

    fn read(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let at = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let entries = std::fs::read_dir(folder).map_err(|error| at(folder, &error))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let full = format!("{prefix}{name}");
            if path.is_dir() {
                if prefix.is_empty() && BUILT_IN.get_dir(&name).is_some() {
                    self.read(&path, &format!("{name}/"))?;
                }
                continue;
            }
            let size = std::fs::metadata(&path).map_err(|error| at(&path, &error))?.len();
            if size > LARGEST {
                return Err(at(&path, &format!("larger than {LARGEST} bytes")));
            }
            let content = std::fs::read(&path).map_err(|error| at(&path, &error))?;
            let image = match full.as_str() {
                "logo.svg" => Some("image/svg+xml"),
                "logo.png" => Some("image/png"),
                _ => None,
            };
            if let Some(kind) = image {
                let data = base64::engine::general_purpose::STANDARD.encode(content);
                self.logo = Some(format!("data:{kind};base64,{data}"));
                continue;
            }
            if BUILT_IN.get_file(&full).is_none() {
                return Err(at(&path, &"no template has this name"));
            }
            let text = String::from_utf8(content).map_err(|_| at(&path, &"it is no UTF-8 text"))?;
            if full.ends_with(".hbs") && (text.contains("{{{") || text.contains("{{&")) {
                return Err(at(&path, &"raw braces ({{{ or {{&) would let a bundle write HTML"));
            }
            self.own.insert(full, text);
        }
        Ok(())
    }

    /// A template's text.
    ///
    /// # Errors
    /// There is none of that name, which the tests exclude.
    pub fn get(&self, name: &str) -> Result<Cow<'_, str>, String> {
        match self.own.get(name) {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => BUILT_IN
                .get_file(name)
                .and_then(|file| file.contents_utf8())
                .map(Cow::Borrowed)
                .ok_or_else(|| format!("the template {name} is missing")),
        }
    }

    /// The logo as a `data:` URL.
    #[must_use]
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }

    #[cfg(test)]
    pub(super) fn built_in() -> &'static Dir<'static> {
        &BUILT_IN
    }
}
