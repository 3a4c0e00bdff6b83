//! The bytes of one entry, as many as limits allow.

use super::Limits;
use super::deadline::Deadline;
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// How much comes out at once, between two looks at the limits.
const CHUNK: usize = 64 << 10;

/// What came out of an entry.
#[derive(Debug)]
pub(super) struct Inflated {
    pub(super) content: Vec<u8>,
    /// Bytes of the input that belong to it.
    pub(super) used: usize,
    /// False where the input ended before the entry did.
    pub(super) whole: bool,
    pub(super) crc: u32,
}

/// Why nothing of an entry is taken.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is damaged.
    Damaged(String),
    /// It is larger than an entry may be.
    Entry(String),
    /// A limit of the whole archive is reached.
    Archive(String),
}

/// What an archive may still give.
#[derive(Debug)]
pub(super) struct Budget<'l> {
    pub(super) limits: &'l Limits,
    pub(super) until: Deadline,
    /// Bytes that came out so far, whatever became of them.
    pub(super) total: u64,
}

impl Budget<'_> {
    fn charge(&mut self, came: usize, content: usize, compressed: usize) -> Result<(), Stop> {
        self.total += came as u64;
        let (content, limits) = (content as u64, self.limits);
        if let Some(why) = limits.forbid(content, compressed as u64) {
            Err(Stop::Entry(why.to_string()))
        } else if self.total > limits.total_bytes {
            let most = limits.total_bytes;
            Err(Stop::Archive(format!("more than {most} bytes in all; the rest was not read")))
        } else if self.until.passed() {
            Err(Stop::Archive(format!("more than {:?}; the rest was not read", limits.time)))
        } else {
            Ok(())
        }
    }
}

/// What is stored as it is.
pub(super) fn stored(data: &[u8], budget: &mut Budget<'_>) -> Result<Inflated, Stop> {
    let mut crc = Crc::new();
    // Charged before it is copied.
    budget.charge(data.len(), data.len(), data.len())?;
    crc.update(data);
    Ok(Inflated { content: data.to_vec(), used: data.len(), whole: true, crc: crc.sum() })
}

/// What is deflated (RFC 1951).
pub(super) fn deflated(data: &[u8], budget: &mut Budget<'_>) -> Result<Inflated, Stop> {
    let mut inflate = Decompress::new(false);
    let mut crc = Crc::new();
    let mut content = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let (read, written) = (inflate.total_in() as usize, inflate.total_out());
        let status = inflate.decompress(&data[read..], &mut chunk, FlushDecompress::None).map_err(
            |error| Stop::Damaged(format!("damaged after {} bytes: {error}", content.len())),
        )?;
        let came = usize::try_from(inflate.total_out() - written).unwrap_or(CHUNK);
        content.extend_from_slice(&chunk[..came]);
        crc.update(&chunk[..came]);
        budget.charge(came, content.len(), data.len())?;
        let used = inflate.total_in() as usize;
        if status == Status::StreamEnd || (came == 0 && used == read) {
            let whole = status == Status::StreamEnd;
            return Ok(Inflated { content, used, whole, crc: crc.sum() });
        }
    }
}
