//! Every `--har` of one run, and what it changes in the plan: the console's real
//! paths, origins and subprotocols become probes.

use super::{ConsoleSocket, Har};
use std::path::PathBuf;
use wss_bundle::manifest::NotUsed;
use wss_bundle::target::DEFAULT_PATHS;
use wss_bundle::{Attachment, BrowserHandshake, Redaction, Target};

/// Paths that HAR exports add to those that are tried.
const SOCKETS_FROM_HAR: usize = 4;

/// What all HAR exports gave.
#[derive(Debug, Default)]
pub struct Given {
    /// What browsers saw, without ids.
    pub seen: Vec<BrowserHandshake>,
    /// The same as files.
    pub attachments: Vec<Attachment>,
    /// What was dropped while reading.
    pub removed: Vec<Redaction>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Which files could not be used.
    pub not_used: Vec<NotUsed>,
    /// How the console opens its sockets.
    pub console: Vec<ConsoleSocket>,
    /// Whether the paths were the user's choice.
    chosen: bool,
}

impl Given {
    /// Nothing yet, about this target.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        Self { chosen: target.paths != DEFAULT_PATHS, ..Self::default() }
    }

    /// Reads every file, in the order given.
    #[must_use]
    pub fn read(files: &[PathBuf], target: &Target) -> Self {
        let mut all = Self::of(target);
        for file in files {
            all.add(super::file(file, target));
        }
        all
    }

    /// One more. What cannot be used is named, and costs nothing else.
    pub fn add(&mut self, har: Result<Har, NotUsed>) {
        let har = match har {
            Ok(har) => har,
            Err(why) => return self.not_used.push(why),
        };
        self.console.extend(super::sockets(&har.seen));
        self.seen.extend(har.seen);
        self.attachments.push(har.attachment);
        self.removed.extend(har.removed);
        self.warnings.extend(har.warnings);
        self.console.dedup_by(|a, b| a.path == b.path);
        self.console.truncate(SOCKETS_FROM_HAR);
    }

    /// The console's real paths are tried first, but after those that the user chose.
    pub fn add_paths(&self, target: &mut Target) {
        let known = |path: &String| path.split('?').next().unwrap_or_default().to_owned();
        let mut real: Vec<String> = self.console.iter().map(|s| s.path.clone()).collect();
        if self.chosen {
            let given: Vec<String> = target.paths.iter().map(known).collect();
            target.paths.extend(real.into_iter().filter(|path| !given.contains(path)));
        } else {
            real.extend(
                target
                    .paths
                    .iter()
                    .filter(|path| !real.contains(path))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            target.paths = real;
        }
    }
}
