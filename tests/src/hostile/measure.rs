//! What a program took: processor time, memory, wall clock.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What a run took, and what it said.
#[derive(Debug)]
pub struct Measured {
    /// What it said, and its exit code (128 and the signal's number where one ended it).
    pub output: Output,
    /// Processor time, of user and system.
    pub cpu: Duration,
    /// Largest resident memory, in KiB.
    pub peak_kib: u64,
    /// From beginning to end.
    pub wall: Duration,
}

/// The kernel tells what a child took only to the parent that waits for it,
/// and Rust's does not ask; Python's can.
const WAIT: &str = "
import os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], 'w') as out:
    out.write(f'{usage.ru_maxrss} {usage.ru_utime + usage.ru_stime}')
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
";

/// Runs a program to its end. Its environment and folder are the command's;
/// standard input is closed.
///
/// # Panics
/// When it cannot be started or measured.
#[must_use]
pub fn run(command: &Command) -> Measured {
    let report = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut python = Command::new("python3");
    python.args(["-I", "-S", "-c", WAIT]).arg(report.path());
    python.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    python.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    let begun = Instant::now();
    let output = python.stdin(Stdio::null()).output();
    let output = output.expect("python3 is needed: apt-get install python3");
    let wall = begun.elapsed();
    let text = std::fs::read_to_string(report.path()).expect("what it took");
    let mut parts = text.split_whitespace();
    let peak = parts.next().and_then(|part| part.parse().ok());
    let cpu = parts.next().and_then(|part| part.parse().ok());
    let (Some(peak_kib), Some(cpu)) = (peak, cpu) else {
        panic!("not measured: {text:?} {}", String::from_utf8_lossy(&output.stderr))
    };
    Measured { output, cpu: Duration::from_secs_f64(cpu), peak_kib, wall }
}
