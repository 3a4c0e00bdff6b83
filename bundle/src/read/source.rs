//! Where a bundle's bytes come from: a file, a pipe, or standard input. No more is
//! read than a bundle may have, and nobody waits for ever.

use super::{Limits, NoBundle, ReadError};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// What is a pipe's, at a time.
const CHUNK: usize = 64 << 10;

/// The bytes of a file, no more of them than a bundle may have, and one. `-` is
/// standard input. A pipe (`<(…)`, a FIFO) is given up where nothing comes for
/// [`Limits::pipe`].
///
/// # Errors
/// [`ReadError::Io`], [`ReadError::NotABundle`] for a folder.
pub fn content(path: &Path, limits: &Limits) -> Result<Vec<u8>, ReadError> {
    let io = |error| ReadError::Io { path: path.to_owned(), error };
    if path == Path::new("-") {
        let mut content = Vec::new();
        io::stdin().take(limits.archive_bytes + 1).read_to_end(&mut content).map_err(io)?;
        return Ok(content);
    }
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.is_dir() {
        return Err(ReadError::NotABundle { path: path.to_owned(), reason: NoBundle::Folder });
    }
    if !metadata.is_file() {
        return pipe(path, limits).map_err(io);
    }
    // One byte more, so that the end is seen without growing.
    let expected = metadata.len().min(limits.archive_bytes) + 1;
    let mut content = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(limits.archive_bytes + 1).read_to_end(&mut content).map_err(io)?;
    Ok(content)
}

/// A FIFO that nobody writes to blocks whoever opens it, and nothing interrupts that:
/// a thread of its own does it, and is left behind where it does not come back.
fn pipe(path: &Path, limits: &Limits) -> io::Result<Vec<u8>> {
    let (send, chunks) = sync_channel::<io::Result<Vec<u8>>>(4);
    let owned = path.to_owned();
    std::thread::spawn(move || {
        let mut file = match std::fs::File::open(owned) {
            Ok(file) => file,
            Err(error) => return drop(send.send(Err(error))),
        };
        let mut buffer = vec![0; CHUNK];
        loop {
            let chunk = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => Ok(buffer[..length].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if send.send(chunk).is_err() || failed {
                return;
            }
        }
    });
    let mut content = Vec::new();
    // Whoever drips is not waited for either.
    let end = Instant::now() + limits.pipe * 6;
    while content.len() as u64 <= limits.archive_bytes {
        let wait = limits.pipe.min(end.saturating_duration_since(Instant::now()));
        match chunks.recv_timeout(wait) {
            Ok(chunk) => content.extend(chunk?),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return Err(nothing_came(wait)),
        }
    }
    Ok(content)
}

fn nothing_came(wait: Duration) -> io::Error {
    let text = format!(
        "a pipe or device from which nothing came for {} s; give the bundle's file",
        wait.as_secs_f64().ceil()
    );
    io::Error::new(io::ErrorKind::TimedOut, text)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::process::Command;

    fn fifo(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("p.zip");
        assert!(Command::new("mkfifo").arg(&path).status().is_ok_and(|s| s.success()));
        path
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { pipe: Duration::from_millis(50), ..Limits::default() };
        let error = content(&fifo(folder.path()), &limits).unwrap_err().to_string();
        assert!(error.contains("p.zip: a pipe or device from which nothing came"), "{error}");
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_no_further_than_a_bundle_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        let write = |bytes: usize| {
            let path = path.clone();
            std::thread::spawn(move || {
                use std::io::Write;
                let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                // The reader may stop before the end.
                let _ = file.write_all(&vec![7; bytes]);
            })
        };
        let limits = Limits { archive_bytes: 200_000, ..Limits::default() };
        let writer = write(150_000);
        assert_eq!(content(&path, &limits).unwrap().len(), 150_000);
        writer.join().unwrap();
        let writer = write(5_000_000);
        assert!(content(&path, &limits).unwrap().len() > 200_000);
        writer.join().unwrap();
    }
}
