//! What a program took: processor time, memory, wall clock.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a run took, and what it said.
#[derive(Debug)]
pub struct Measured {
    /// What it said, and how it ended.
    pub output: Output,
    /// Processor time, of user and system.
    pub cpu: Duration,
    /// Largest resident memory, in KiB.
    pub peak_kib: u64,
    /// From beginning to end.
    pub wall: Duration,
}

/// The kernel tells what a child took only to the parent that waits for it,
/// and Rust's does not ask; Python's can. One of them runs many programs: its own
/// start takes longer than most of what is measured.
const WAIT: &str = "
import json, os, sys
for line in sys.stdin:
    job = json.loads(line)
    os.chdir(job['folder'])
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    opened = [
        (os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, job['out'], new, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, job['err'], new, 0o600),
    ]
    try:
        pid = os.posix_spawnp(job['words'][0], job['words'], job['env'], file_actions=opened)
    except OSError as error:
        print(f'not started: {error}', flush=True)
        continue
    _, status, usage = os.wait4(pid, 0)
    print(status, usage.ru_maxrss, usage.ru_utime + usage.ru_stime, flush=True)
";

/// A Python that runs programs.
struct Runner {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Those that have nothing to do.
static IDLE: Mutex<Vec<Runner>> = Mutex::new(Vec::new());

impl Runner {
    fn start() -> Self {
        let mut python = Command::new("python3");
        python.args(["-I", "-S", "-c", WAIT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3 is needed: apt-get install python3");
        let jobs = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, jobs, answers }
    }

    fn ask(&mut self, job: &serde_json::Value) -> String {
        let mut answer = String::new();
        let asked = writeln!(self.jobs, "{job}").and_then(|()| self.answers.read_line(&mut answer));
        match asked {
            Ok(1..) => answer,
            other => panic!("not measured: {other:?}, {:?}", self.child.try_wait()),
        }
    }
}

/// Runs a program to its end. Its environment and folder are the command's;
/// standard input is closed.
///
/// # Panics
/// When it cannot be started or measured.
#[must_use]
pub fn run(command: &Command) -> Measured {
    let said = tempfile::tempdir().expect("a temporary folder");
    let (out, err) = (said.path().join("out"), said.path().join("err"));
    let mut env: std::collections::BTreeMap<_, _> = std::env::vars_os().collect();
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => env.insert(name.to_owned(), value.to_owned()),
            None => env.remove(name),
        };
    }
    let text = |part: &OsStr| part.to_string_lossy().into_owned();
    let words: Vec<String> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(text).collect();
    let env: serde_json::Map<_, _> =
        env.iter().map(|(name, value)| (text(name), text(value).into())).collect();
    let folder = std::env::current_dir()
        .expect("a folder")
        .join(command.get_current_dir().unwrap_or(Path::new(".")));
    let job = serde_json::json!({
        "words": words, "env": env, "folder": folder, "out": out, "err": err,
    });
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut runner = idle().pop().unwrap_or_else(Runner::start);
    let begun = Instant::now();
    let answer = runner.ask(&job);
    let wall = begun.elapsed();
    idle().push(runner);
    let mut parts = answer.split_whitespace();
    let status = parts.next().and_then(|part| part.parse().ok());
    let peak = parts.next().and_then(|part| part.parse().ok());
    let cpu = parts.next().and_then(|part| part.parse().ok());
    let (Some(status), Some(peak_kib), Some(cpu)) = (status, peak, cpu) else {
        panic!("{words:?}: {answer}")
    };
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    let output =
        Output { status: ExitStatus::from_raw(status), stdout: read(&out), stderr: read(&err) };
    Measured { output, cpu: Duration::from_secs_f64(cpu), peak_kib, wall }
}
