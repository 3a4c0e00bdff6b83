//! Files and lines that are written for others to read.

use std::io::Write;
use std::path::Path;

/// How the name of a file begins that is not whole yet.
pub const PARTIAL: &str = ".wss-partial-";

/// Writes a file whole: a reader of the old one never sees half of the new one.
///
/// # Errors
/// One sentence that names the file.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let at = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if path.exists() && !path.is_file() {
        return Err(format!("cannot write {}: it is no regular file", path.display()));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file's: the umask takes away what it takes.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut partial = builder.tempfile_in(folder).map_err(at)?;
    partial.write_all(text.as_bytes()).map_err(at)?;
    partial.persist(path).map_err(|error| at(error.error))?;
    Ok(())
}

/// One line, without what would steer a terminal.
#[must_use]
pub fn clean(message: &str) -> String {
    message
        .chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}
