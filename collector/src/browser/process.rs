//! A browser's process and its throw-away profile. Both are gone afterwards,
//! however it ends: the browser hangs, the collection is stopped, the collector
//! itself is killed.

use super::find::Program;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a killed browser may take to be gone.
const GONE: Duration = Duration::from_secs(5);
/// How much of what a browser said on standard error is repeated.
const SAID: u64 = 4096;

/// A running browser. Dropping it ends the browser and removes its profile.
pub(super) struct Running {
    child: Child,
    #[cfg(unix)]
    keeper: Option<Child>,
    // Dropped last.
    profile: tempfile::TempDir,
}

/// A folder that only this user can enter, for a profile: among temporary
/// files, or where a browser that is shut in can read it.
pub(super) fn profile(of: &Program) -> Result<tempfile::TempDir, String> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("wss-collector-browser-");
    let made = match &of.shut_in {
        Some(parent) => std::fs::create_dir_all(parent).and_then(|()| folder.tempdir_in(parent)),
        None => folder.tempdir(),
    };
    made.map_err(|error| format!("no folder for its profile: {error}"))
}

/// What the collector's end leaves to be done: a shell waits for the end of its
/// input, which comes also when the collector is killed, and then ends the whole
/// process group and removes the profile.
#[cfg(unix)]
const KEEPER: &str = r#"trap '' INT TERM HUP; read -r _; kill -s KILL -- "-$1" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$2" 2>/dev/null; [ -e "$2" ] || exit 0; sleep 0.1; done"#;

impl Running {
    /// Starts `command`, which uses `profile`.
    pub(super) fn start(
        mut command: Command,
        profile: tempfile::TempDir,
        of: &Program,
    ) -> Result<Self, String> {
        let said = std::fs::File::create(stderr_of(profile.path()));
        let said = said.map_err(|error| format!("its profile cannot be written: {error}"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        // What it puts aside goes with the profile. Not on a Mac, whose temporary
        // folder has a name that leaves no room for a socket's; and who is shut in
        // has a folder of its own for that.
        let temporary = profile.path().join("tmp");
        let room = !cfg!(target_os = "macos") && of.shut_in.is_none();
        if room && std::fs::create_dir(&temporary).is_ok() {
            for name in ["TMPDIR", "TEMP", "TMP"] {
                command.env(name, &temporary);
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // A group of its own: Ctrl-C on the terminal is the collector's to handle,
            // and the browser's helpers end with it.
            command.process_group(0);
        }
        #[cfg_attr(not(unix), allow(unused_mut, reason = "ended below, where there are keepers"))]
        let mut child = command.spawn().map_err(|error| format!("it does not start: {error}"))?;
        #[cfg(unix)]
        let keeper = match keeper(child.id(), profile.path()) {
            Ok(keeper) => Some(keeper),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("nobody could end it again (sh: {error}), so it was not used"));
            }
        };
        Ok(Self {
            child,
            #[cfg(unix)]
            keeper,
            profile,
        })
    }

    /// Its profile's folder.
    pub(super) fn folder(&self) -> &Path {
        self.profile.path()
    }

    /// The content of a file that the browser writes into its profile once it
    /// is ready.
    pub(super) async fn ready(&mut self, file: &str, limit: Duration) -> Result<String, String> {
        let path = self.profile.path().join(file);
        let began = Instant::now();
        loop {
            if let Ok(content) = std::fs::read_to_string(&path)
                && complete(&content)
            {
                return Ok(content);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                // A launcher may end and leave the browser running: then the file comes.
                if !status.success() {
                    return Err(format!("it ended at once ({status}){}", self.last_words()));
                }
            }
            if began.elapsed() > limit {
                let limit = limit.as_secs();
                return Err(format!("it was not ready after {limit} s{}", self.last_words()));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits until the browser has ended by itself; false when it has not.
    pub(super) async fn ended(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    fn last_words(&self) -> String {
        let mut said = Vec::new();
        if let Ok(file) = std::fs::File::open(stderr_of(self.profile.path())) {
            let _ = file.take(SAID).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said);
        let told = |line: &&str| !line.trim().is_empty() && !line.starts_with("***");
        match said.lines().rfind(told) {
            Some(line) => format!(": {}", line.chars().take(300).collect::<String>()),
            None => String::new(),
        }
    }
}

/// Chromium writes two lines, Firefox an object.
fn complete(content: &str) -> bool {
    content.contains('\n') || content.trim_end().ends_with('}')
}

fn stderr_of(profile: &Path) -> PathBuf {
    profile.join("wss-collector-stderr.txt")
}

#[cfg(unix)]
fn keeper(group: u32, profile: &Path) -> std::io::Result<Child> {
    use std::os::unix::process::CommandExt;
    Command::new("sh")
        .args(["-c", KEEPER, "wss-collector-keeper"])
        .arg(group.to_string())
        .arg(profile)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(mut keeper) = self.keeper.take() {
            // The end of its input is its sign; it is done within moments.
            drop(keeper.stdin.take());
            let _ = wait(&mut keeper, GONE);
        }
        // On Windows the browser's helpers end when their parent does.
        let _ = self.child.kill();
        let _ = wait(&mut self.child, GONE);
    }
}

fn wait(child: &mut Child, limit: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    false
}
