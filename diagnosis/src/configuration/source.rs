//! The files of a configuration check: what program they are for, where each
//! stood, and which of them an `include` means.

use super::dialect::{Parsed, Program, Recognised, Text};
use super::{DIALECTS, clean, nginx};
use glob::{MatchOptions, Pattern};
use wss_bundle::{Attachment, AttachmentKind};

/// One file of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What to call it: its path where that is known.
    pub name: String,
    /// Where it stood, where that is known.
    pub path: Option<String>,
    /// Its text.
    pub text: String,
    /// Whether it is a part of what `nginx -T` printed: then the other parts are
    /// all that there is.
    pub dumped: bool,
    /// What recognising it made of its text.
    pub(crate) parsed: Parsed,
}

/// Whose configuration a text is.
///
/// # Errors
/// One sentence: what is wrong, in which line, or what was expected.
pub fn program(text: &str) -> Result<Program, String> {
    let text = &clean::text(text.as_bytes());
    if let Some(files) = split_dump(text) {
        for file in files {
            nginx::parse::parse(file.text.as_bytes(), 0).map_err(|broken| {
                format!("{} line {} is not understood: {}", file.name, broken.line, broken.why)
            })?;
        }
        return Ok(Program(&nginx::DIALECT));
    }
    understood(text).map(|(program, _)| program)
}

/// Whose configuration the text of one file is.
pub(super) fn understood(text: &str) -> Result<(Program, Parsed), String> {
    if !text.lines().any(|line| !matches!(line.trim_start().as_bytes().first(), None | Some(b'#')))
    {
        return Err(format!("there is nothing in it; {}", expected()));
    }
    let (mut part, mut broken) = (None, None);
    let given = Text::new(text);
    for dialect in DIALECTS {
        match (dialect.recognise)(&given) {
            Recognised::Yes(parsed) => return Ok((Program(dialect), parsed)),
            Recognised::Part(parsed) => part = part.or(Some((Program(dialect), parsed))),
            Recognised::Broken(why) => broken = broken.or(Some(why)),
            Recognised::No => {}
        }
    }
    if let Some(why) = broken {
        return Err(why);
    }
    part.ok_or_else(|| format!("it is none that is known; {}", expected()))
}

/// What would be understood, as a part of a sentence.
fn expected() -> String {
    let all: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.expected).collect();
    match all.split_last() {
        Some((last, first)) if !first.is_empty() => {
            format!("expected {} or {last}", first.join(", "))
        }
        _ => format!("expected {}", all.join("")),
    }
}

/// Why a text is not taken into a bundle at all, and what to give instead.
#[must_use]
pub fn refused(text: &str) -> Option<&'static str> {
    let has = |key: &str| text.contains(&format!("\"{key}\""));
    (has("terraform_version") && (has("lineage") || has("resources"))).then_some(
        "it is a Terraform state, which holds secrets: it is not read, nor in the bundle. Give what the \
         read-only commands print instead (`wss-collector config-commands aws`)",
    )
}

/// Patterns of the files that a configuration includes; none where it has none, or
/// is not understood.
#[must_use]
pub fn includes(text: &str) -> Vec<String> {
    let text = &clean::text(text.as_bytes());
    if split_dump(text).is_some() {
        // `nginx -T` has printed them all.
        return Vec::new();
    }
    program(text).map_or_else(|_| Vec::new(), |program| (program.0.includes)(text))
}

/// The files among a bundle's attachments. What `nginx -T` printed is several.
#[must_use]
pub fn files(attachments: &[Attachment]) -> Vec<File> {
    let given = attachments.iter().filter(|a| a.kind == AttachmentKind::Configuration);
    let mut files: Vec<File> = given
        .flat_map(|one| {
            let text = clean::text(&one.bytes);
            let name = one.path.clone().unwrap_or_else(|| one.name.clone());
            let path = one.path.clone();
            split_dump(&text).unwrap_or_else(|| {
                vec![File { name, path, text, dumped: false, parsed: Parsed::default() }]
            })
        })
        .collect();
    // Neither the order of the attachments nor of the options may matter.
    files.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.text.cmp(&b.text)));
    files.dedup();
    files
}

/// `nginx -T` marks where each file begins.
fn split_dump(text: &str) -> Option<Vec<File>> {
    const MARK: &str = "# configuration file ";
    let path_of = |line: &str| {
        let path = line.strip_prefix(MARK)?.trim_end().strip_suffix(':')?;
        path.starts_with('/').then(|| path.to_owned())
    };
    if !text.contains(MARK) || !text.lines().any(|line| path_of(line).is_some()) {
        return None;
    }
    let mut files: Vec<File> = Vec::new();
    for line in text.lines() {
        if let Some(path) = path_of(line) {
            let (name, text) = (path.clone(), String::new());
            files.push(File {
                name,
                path: Some(path),
                text,
                dumped: true,
                parsed: Parsed::default(),
            });
        } else if let Some(file) = files.last_mut() {
            // What stands before the first mark is what `nginx -t` said.
            file.text.push_str(line);
            file.text.push('\n');
        }
    }
    Some(files)
}

/// The files that an `include` in `from` means, of a configuration that begins
/// in `main`. By path where paths are known; else by file name, which is all
/// that is left of files that were copied from elsewhere.
pub(crate) fn matching(files: &[File], main: usize, from: usize, pattern: &str) -> Vec<usize> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let by = |pattern: &str, what: &dyn Fn(&File) -> Option<String>| -> Vec<usize> {
        let Ok(pattern) = Pattern::new(pattern) else { return Vec::new() };
        let fits = |file: &File| what(file).is_some_and(|w| pattern.matches_with(&w, options));
        (0..files.len()).filter(|at| fits(&files[*at])).collect()
    };
    let full = if pattern.starts_with('/') {
        pattern.to_owned()
    } else {
        // nginx: relative to the folder of its main file.
        let main = files.get(main).or_else(|| files.get(from));
        let folder = main.and_then(|f| f.path.as_deref()).and_then(|p| p.rsplit_once('/'));
        folder.map_or_else(|| pattern.to_owned(), |(folder, _)| format!("{folder}/{pattern}"))
    };
    let found = by(&full, &|file| file.path.clone());
    if !found.is_empty() {
        return found;
    }
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    // `*` alone would take every file, also the one that it stands in.
    if last.chars().all(|c| c == '*') {
        return Vec::new();
    }
    let by_name = by(last, &|file| {
        let name = file.path.as_ref().unwrap_or(&file.name);
        name.rsplit(['/', '\\']).next().map(str::to_owned)
    });
    let rated: Vec<(usize, usize)> = by_name
        .into_iter()
        .filter(|at| *at != main && *at != from)
        .filter_map(|at| Some((folders_alike(pattern, &files[at])?, at)))
        .collect();
    let best = rated.iter().map(|(rank, _)| *rank).max();
    rated.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, at)| at).collect()
}

/// How many folders in front of the name a file has in common with a pattern. A
/// pattern such as `*.conf` says nothing by its name: then the folder must be the
/// same, where the file has one.
fn folders_alike(pattern: &str, file: &File) -> Option<usize> {
    let path = file.path.as_ref().unwrap_or(&file.name);
    let folders = |text: &str| -> Vec<String> {
        let mut parts: Vec<String> = text
            .split(['/', '\\'])
            .filter(|p| !matches!(*p, "" | "."))
            .map(str::to_owned)
            .collect();
        parts.pop();
        parts.reverse();
        parts
    };
    let (wanted, has) = (folders(pattern), folders(path));
    let rank = wanted.iter().zip(&has).take_while(|(a, b)| a == b).count();
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    let any_name = last.starts_with('*');
    (rank > 0 || !any_name || has.is_empty() || wanted.is_empty()).then_some(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_apart() {
        for (text, program_) in [
            ("http {\n server {}\n}\n", Some("nginx")),
            ("server{listen 80;}", Some("nginx")),
            ("# x\nlocation /v1 { proxy_pass http://a; }", Some("nginx")),
            ("global\n  maxconn 3\n", Some("haproxy")),
            (
                "# c\ndefaults\n mode http\nfrontend f\n http-request deny if { path /x }\n",
                Some("haproxy"),
            ),
            ("", None),
            ("server { listen 80 }", None),
        ] {
            assert_eq!(program(text).ok().map(|p| p.0.id), program_, "{text}");
        }
        let error = program("http {\n server { listen 80 }\n}").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(program("hello").unwrap_err().contains("expected an nginx"));
    }

    fn file(path: &str) -> File {
        File {
            name: path.into(),
            path: Some(path.into()),
            text: String::new(),
            dumped: false,
            parsed: Parsed::default(),
        }
    }

    #[test]
    fn includes_mean_files_by_path_and_then_by_name() {
        let files = [
            file("/etc/nginx/nginx.conf"),
            file("/etc/nginx/conf.d/a.conf"),
            file("/etc/nginx/conf.d/b.conf"),
            file("/etc/nginx/other/a.conf"),
        ];
        assert_eq!(matching(&files, 0, 0, "/etc/nginx/conf.d/*.conf"), [1, 2]);
        assert_eq!(matching(&files, 0, 1, "conf.d/a.conf"), [1]);
        assert_eq!(matching(&files, 0, 0, "*.conf"), [0]);
        assert!(matching(&files, 0, 0, "/elsewhere/*").is_empty());
        let copied = [file("nginx.conf"), file("site.conf")];
        assert_eq!(matching(&copied, 0, 0, "/etc/nginx/conf.d/*.conf"), [1]);
        assert_eq!(matching(&copied, 0, 0, "/etc/nginx/sites/site.conf"), [1]);
    }

    #[test]
    fn a_dump_is_several_files() {
        let text = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
                    # configuration file /etc/nginx/nginx.conf:\nhttp {\n include conf.d/*.conf; }\n\n\
                    # configuration file /etc/nginx/conf.d/a.conf:\nserver {}\n";
        let given = [Attachment {
            name: "dump".into(),
            kind: AttachmentKind::Configuration,
            vantage: None,
            path: None,
            bytes: text.into(),
        }];
        assert_eq!(program(text), Ok(Program(&nginx::DIALECT)));
        assert!(includes(text).is_empty());
        let files = files(&given);
        assert_eq!(files.len(), 2);
        assert_eq!(files[1].text, "http {\n include conf.d/*.conf; }\n\n");
    }
}
