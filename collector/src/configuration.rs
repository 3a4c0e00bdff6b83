//! `--config FILE`: configurations and descriptions of load balancers, with the files
//! that they include.
//!
//! An include is followed where it lies in the folder of the file that was given,
//! or below it (for a file of `sites-enabled/` and the like: the folder above,
//! which is where nginx begins), and only regular files that read as
//! configurations are taken. Others are not: a copy of a configuration on another
//! machine must not draw in that machine's own files. Of a copied tree that was
//! given by a relative path, what lies in its folders counts as beside it. What is
//! left out is said, and can be given by another `--config`.
//!
//! Nothing here ends a run: what cannot be read is named; what can be read and is
//! not understood goes in the bundle, masked, and is named as well.

use glob::MatchOptions;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use wss_bundle::Attachment;
use wss_bundle::manifest::NotUsed;
use wss_diagnosis::configuration::{includes, program};
use wss_handed::configuration::{FILE_BYTES, FILES, Given as Contents};

/// Deepest chain of includes.
const DEPTH: usize = 8;

/// The files of a configuration.
#[derive(Debug, Default)]
pub struct Given {
    /// For the bundle; secrets are removed with the rest.
    pub attachments: Vec<Attachment>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
    /// Includes that were not taken, and why.
    pub notes: Vec<String>,
    /// Files that were given and cannot be used.
    pub not_used: Vec<NotUsed>,
}

impl Given {
    /// Reads the files and what they include.
    #[must_use]
    pub fn read(paths: &[PathBuf]) -> Self {
        let mut reading = Reading::default();
        for path in paths {
            let shown = path.to_string_lossy();
            match reading.text(path) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let before = reading.contents.attachments.len();
                    reading.contents.add(&shown, text);
                    if reading.contents.attachments.len() > before {
                        reading.files.push(path.clone());
                    }
                }
                Err(why) => reading.contents.refuse(&shown, why),
            }
        }
        // What was given by name comes before what is drawn in.
        for path in paths {
            let at = reading.files.iter().position(|known| known == path);
            if let Some(attachment) = at.and_then(|at| reading.contents.attachments.get(at)) {
                let text = String::from_utf8_lossy(&attachment.bytes).into_owned();
                let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
                reading.includes(&root, &text, 0);
            }
        }
        let Reading { contents, files, mut notes, .. } = reading;
        notes.sort();
        notes.dedup();
        let Contents { attachments, not_used, .. } = contents;
        Self { attachments, files, notes, not_used }
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    contents: Contents,
    files: Vec<PathBuf>,
    notes: Vec<String>,
    seen: BTreeSet<PathBuf>,
}

impl Reading {
    /// The text of a file; `None` where it was read before.
    fn text(&mut self, path: &Path) -> Result<Option<String>, String> {
        let meta = std::fs::metadata(path).map_err(|e| format!("it cannot be read: {e}"))?;
        if meta.is_dir() {
            return Err("it is a folder; expected a file such as nginx.conf or haproxy.cfg".into());
        }
        // A pipe or a device may never end.
        if !meta.is_file() {
            return Err("it is no regular file".into());
        }
        let same = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.seen.contains(&same) {
            return Ok(None);
        }
        self.contents.room()?;
        let mut content = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut content))
            .map_err(|e| format!("it cannot be read: {e}"))?;
        let text = self.contents.text(&content)?;
        self.seen.insert(same);
        Ok(Some(text))
    }

    fn take(&mut self, path: &Path, text: String) {
        self.files.push(path.to_owned());
        self.contents.take(&path.to_string_lossy(), text);
    }

    /// Follows the includes of a text; `root` is the folder of the file given.
    fn includes(&mut self, root: &Path, text: &str, depth: usize) {
        for pattern in includes(text) {
            if depth >= DEPTH {
                self.notes.push(format!("--config: {pattern} is included too deep, and left out"));
                continue;
            }
            let found = matches(root, &pattern);
            if found.is_empty() && !pattern.contains(['*', '?', '[']) && !self.by_name(&pattern) {
                self.notes.push(format!(
                    "--config: {pattern} is included and was not found beside the file; give it by \
                     another --config if it says something of proxying"
                ));
            }
            for path in found {
                let taken = self.text(&path).and_then(|text| match text {
                    Some(text) if is_part(&text) => Ok(Some(text)),
                    Some(_) => Err("it does not read as nginx configuration".to_owned()),
                    None => Ok(None),
                });
                match taken {
                    Ok(Some(text)) => {
                        self.take(&path, text.clone());
                        self.includes(root, &text, depth + 1);
                    }
                    Ok(None) => {}
                    Err(why) => {
                        self.notes.push(format!("--config: {} is left out: {why}", path.display()))
                    }
                }
            }
        }
    }

    /// Whether a file of that name was given.
    fn by_name(&self, pattern: &str) -> bool {
        let name = Path::new(pattern).file_name();
        self.files.iter().any(|file| file.file_name() == name)
    }
}

/// A part may hold directives that no whole file begins with (`proxy_buffers`).
fn is_part(text: &str) -> bool {
    program(text).is_ok() || program(&format!("server {{\n{text}\n}}")).is_ok()
}

/// The files that a pattern means, in the folder of the file given, or above it
/// for relative ones; sorted, as nginx takes them.
fn matches(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let root_shown = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let Ok(folder) = std::path::absolute(root_shown) else { return Vec::new() };
    let above = folder.parent().map(Path::to_owned);
    let escaped = |base: &Path| glob::Pattern::escape(&base.to_string_lossy());
    let mut bases = Vec::new();
    if pattern.starts_with('/') {
        let within = |base: &Path| Path::new(pattern).starts_with(base) && base.parent().is_some();
        let site = folder.file_name().is_some_and(|name| {
            ["sites-enabled", "sites-available", "conf.d"].iter().any(|known| name == *known)
        });
        if within(&folder) || (site && above.as_deref().is_some_and(within)) {
            bases.push((pattern.to_owned(), None));
        }
    } else {
        bases.push((format!("{}/{pattern}", escaped(&folder)), Some((folder.clone(), root))));
        if let Some(above) = &above {
            bases.push((format!("{}/{pattern}", escaped(above)), None));
        }
    }
    // A tree that was copied: its folders are named from here.
    if root.is_relative() && !root.components().any(|part| part.as_os_str() == "..") {
        for base in root.ancestors() {
            let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
            let pattern = pattern.trim_start_matches('/');
            bases.push((format!("{}/{pattern}", escaped(base)), None));
        }
    }
    for (full, shown) in bases {
        // `..` would leave the folder.
        if full.split('/').any(|part| part == "..") {
            continue;
        }
        let Ok(paths) = glob::glob_with(&full, options) else { continue };
        let mut found: Vec<PathBuf> =
            paths.filter_map(Result::ok).filter(|p| p.is_file()).take(FILES + 1).collect();
        if found.is_empty() {
            continue;
        }
        // Paths stay as short as the one that was given.
        if let Some((folder, root)) = shown {
            for path in &mut found {
                if let Ok(rest) = path.strip_prefix(&folder) {
                    *path = root.join(rest);
                }
            }
        }
        found.sort();
        return found;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn names(given: &Given, folder: &Path) -> Vec<String> {
        let short = |p: &PathBuf| p.strip_prefix(folder).unwrap_or(p).display().to_string();
        given.files.iter().map(short).collect()
    }

    #[test]
    fn includes_beside_the_file_are_followed_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let outside = write(other.path(), "outside.conf", "proxy_http_version 1.1;\n");
        let main = write(
            folder.path(),
            "nginx.conf",
            &format!(
                "http {{\n include conf.d/*.conf;\n include {0}/inner/*;\n include {1};\n include gone.conf;\n include ../x.conf;\n}}\n",
                folder.path().display(),
                outside.display()
            ),
        );
        write(folder.path(), "conf.d/b.conf", "server { include snippet.conf; }\n");
        write(folder.path(), "conf.d/a.conf", "server { listen 80; }\n");
        write(folder.path(), "conf.d/.hidden.conf", "server { listen 81; }\n");
        write(folder.path(), "snippet.conf", "proxy_buffers 8 4k;\n");
        write(folder.path(), "inner/shadow", "root:$6$abc:1:::\n");
        let given = Given::read(std::slice::from_ref(&main));
        assert_eq!(
            names(&given, folder.path()),
            ["nginx.conf", "conf.d/a.conf", "conf.d/b.conf", "snippet.conf"]
        );
        let notes = given.notes.join("\n");
        for part in ["gone.conf", "outside.conf", "shadow is left out"] {
            assert!(notes.contains(part), "{notes}");
        }
        // Twice is once.
        let twice = Given::read(&[main.clone(), folder.path().join("./nginx.conf")]);
        assert_eq!(twice.attachments.len(), 4);
    }

    #[test]
    fn a_site_by_itself_finds_the_snippets_of_nginx() {
        let folder = tempfile::tempdir().unwrap();
        let site =
            write(folder.path(), "sites-enabled/b", "server { include snippets/ws.conf; }\n");
        write(folder.path(), "snippets/ws.conf", "proxy_http_version 1.1;\n");
        let given = Given::read(&[site]);
        assert_eq!(names(&given, folder.path()), ["sites-enabled/b", "snippets/ws.conf"]);
    }

    #[test]
    fn what_cannot_be_used_is_said_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let neither = write(folder.path(), "notes.txt", "The load balancer is the old one.\n");
        let broken = write(folder.path(), "broken.conf", "server {\n listen 80\n}\n");
        let binary = folder.path().join("x.p12");
        std::fs::write(&binary, [0x30, 0x82, 0xff, 0xfe, 0x9d, 0x00, 0x9c, 0xa0].repeat(9))
            .unwrap();
        let large = write(folder.path(), "large.conf", &"server {}\n".repeat(700_000));
        for (path, says) in [
            (folder.path().join("missing.conf"), "cannot be read"),
            (folder.path().to_owned(), "folder"),
            (neither, "expected an nginx configuration"),
            (broken, "line 3"),
            (large, "too large"),
            (binary, "no text"),
            (PathBuf::from("/dev/zero"), "no regular file"),
        ] {
            let given = Given::read(std::slice::from_ref(&path));
            let [why] = given.not_used.as_slice() else { panic!("{given:?}") };
            let said = why.to_string();
            assert!(said.contains(says), "{said}");
            assert!(said.contains(&path.display().to_string()), "{said}");
            assert!(said.contains("nginx -T"), "{said}");
        }
        // What can be read goes in the bundle, and one file does not cost the others.
        let paths = ["notes.txt", "missing.conf", "good.conf"].map(|name| folder.path().join(name));
        write(folder.path(), "good.conf", "server { listen 443 ssl; }\n");
        let given = Given::read(&paths);
        assert_eq!((given.attachments.len(), given.not_used.len()), (2, 2), "{given:?}");
    }

    #[test]
    fn a_terraform_state_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let state = write(
            folder.path(),
            "terraform.tfstate",
            "{\n \"terraform_version\": \"1.9.0\",\n \"resources\": [{\"password\": \"Q4nary\"}]\n}\n",
        );
        let given = Given::read(&[state]);
        assert!(given.attachments.is_empty(), "{given:?}");
        assert!(given.not_used[0].to_string().contains("Terraform state"), "{given:?}");
    }

    #[test]
    fn what_editors_and_terminals_made_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let plain = "http {\r\n server { listen 443 ssl; }\r\n}\r\n";
        let wide = |bytes: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
            mark.into_iter().chain(plain.encode_utf16().flat_map(bytes)).collect()
        };
        let prompt = format!(
            "kim@lb1:~$ sudo nginx -T\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n# configuration file /etc/nginx/nginx.conf:\n{plain}\nkim@lb1:~$ "
        );
        for (name, bytes) in [
            ("le.conf", wide(u16::to_le_bytes, [0xff, 0xfe])),
            ("be.conf", wide(u16::to_be_bytes, [0xfe, 0xff])),
            ("bom.conf", format!("\u{feff}{plain}").into_bytes()),
            ("prompt.txt", prompt.into_bytes()),
            (
                "mail.txt",
                plain.lines().map(|line| format!("> {line}\n")).collect::<String>().into(),
            ),
            ("fenced.md", format!("```nginx\n{plain}```\n").into_bytes()),
            ("part.conf", b"ssl_session_timeout 1d;\nssl_stapling on;\n".to_vec()),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let given = Given::read(&[path]);
            assert!(given.not_used.is_empty(), "{name}: {:?}", given.not_used);
            assert_eq!(given.attachments.len(), 1, "{name}");
        }
    }

    #[test]
    fn many_files_and_rings_end() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..100 {
            write(folder.path(), &format!("conf.d/{number}.conf"), "server { listen 80; }\n");
        }
        let main = write(
            folder.path(),
            "nginx.conf",
            "http { include conf.d/*.conf; include nginx.conf; }\n",
        );
        let given = Given::read(&[main]);
        assert_eq!(given.files.len(), FILES);
        assert!(given.notes.iter().any(|n| n.contains("more than 64")), "{:?}", given.notes);
    }
}
