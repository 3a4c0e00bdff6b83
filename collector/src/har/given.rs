//! Every `--har` of one run, and what it changes in the plan: the console's real
//! paths, origins and subprotocols become probes.

use crate::config::ConsoleSocket;
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
    /// Reads every file, in the order given. What cannot be used is named, and
    /// costs nothing else.
    #[must_use]
    pub fn read(files: &[PathBuf], target: &Target) -> Self {
        let mut all = Self { chosen: target.paths != DEFAULT_PATHS, ..Self::default() };
        for file in files {
            let har = match super::file(file, target) {
                Ok(har) => har,
                Err(why) => {
                    all.not_used.push(why);
                    continue;
                }
            };
            all.console.extend(super::sockets(&har.seen));
            all.seen.extend(har.seen);
            all.attachments.push(har.attachment);
            all.removed.extend(har.removed);
            all.warnings.extend(har.warnings);
        }
        all.console.dedup_by(|a, b| a.path == b.path);
        all.console.truncate(SOCKETS_FROM_HAR);
        all
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
