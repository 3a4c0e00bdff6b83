//! Configurations and descriptions of load balancers, file by file. Includes are for
//! whoever has the files.

use wss_bundle::manifest::NotUsed;
use wss_bundle::{Attachment, AttachmentKind, pasted};
use wss_diagnosis::configuration::{DIALECTS, program, refused};

/// Most files of one bundle.
pub const FILES: usize = 64;
/// Largest file, in bytes.
pub const FILE_BYTES: u64 = 6 << 20;
/// Most bytes of all files.
pub const TOTAL_BYTES: u64 = 12 << 20;

/// What would be usable, and how to get it.
#[must_use]
pub fn how() -> String {
    let all: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.whole).collect();
    all.join("; ")
}

/// The files of a configuration.
#[derive(Debug, Default)]
pub struct Given {
    /// For the bundle; secrets are removed with the rest.
    pub attachments: Vec<Attachment>,
    /// Files that were given and cannot be used.
    pub not_used: Vec<NotUsed>,
    bytes: u64,
}

impl Given {
    /// A file that was named: what is not understood goes in as it is, and is named as
    /// well; what must not be taken is named alone.
    pub fn add(&mut self, path: &str, text: String) {
        if let Some(why) = refused(&text) {
            return self.refuse(path, why.to_owned());
        }
        if let Err(why) = program(&text) {
            self.refuse(path, format!("{why}. It is in the bundle as it is, masked"));
        }
        self.take(path, text);
    }

    /// A file that is taken whatever it is.
    pub fn take(&mut self, path: &str, text: String) {
        let name = path.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or(path).to_owned();
        self.attachments.push(Attachment {
            name,
            kind: AttachmentKind::Configuration,
            vantage: None,
            path: Some(path.to_owned()),
            bytes: text.into_bytes(),
        });
    }

    /// A file that cannot be used.
    pub fn refuse(&mut self, path: &str, reason: String) {
        let (option, name) = ("--config".to_owned(), path.to_owned());
        self.not_used.push(NotUsed { option, name, reason, instead: how() });
    }

    /// Whether there is room for one more.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub fn room(&self) -> Result<(), String> {
        match self.attachments.len() {
            FILES.. => Err(format!("these are more than {FILES} files")),
            _ => Ok(()),
        }
    }

    /// The text of a file's content, of which no more than [`FILE_BYTES`] and one byte
    /// need be there. It counts from here on.
    ///
    /// # Errors
    /// It is too large, alone or with the others, or no text.
    pub fn text(&mut self, content: &[u8]) -> Result<String, String> {
        let size = content.len() as u64;
        if size > FILE_BYTES || self.bytes + size > TOTAL_BYTES {
            let (one, all) = (FILE_BYTES >> 20, TOTAL_BYTES >> 20);
            return Err(format!("it is too large (at most {one} MiB a file, {all} MiB in all)"));
        }
        let text = pasted::text(content);
        let strange = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
        if strange * 20 > text.chars().count() || content.starts_with(b"PK\x03\x04") {
            return Err("it is no text".into());
        }
        self.bytes += size;
        Ok(text)
    }
}
