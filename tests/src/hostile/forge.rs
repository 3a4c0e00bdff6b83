//! Zips byte by byte, so that every field can lie (APPNOTE.TXT 6.3).

use flate2::{Compress, Compression, Crc, FlushCompress};
use std::io::{Cursor, Read};
use std::ops::Range;

/// Stored as it is.
pub const STORE: u16 = 0;
/// Deflated.
pub const DEFLATE: u16 = 8;

/// The fields that stand in both of an entry's headers.
#[derive(Debug, Clone)]
pub struct Header {
    /// Name.
    pub name: Vec<u8>,
    /// General purpose flags; bit 0 is encryption, bit 3 a descriptor behind the data.
    pub flags: u16,
    /// How it is compressed.
    pub method: u16,
    /// CRC-32.
    pub crc: u32,
    /// Size in the zip.
    pub compressed: u32,
    /// Real size.
    pub bytes: u32,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Bytes in front of its header.
    pub before: Vec<u8>,
    /// What the header in front of the data says.
    pub local: Header,
    /// What the directory says.
    pub listed: Header,
    /// Bytes of the data.
    pub data: Vec<u8>,
    /// Bytes behind the data: a descriptor.
    pub behind: Vec<u8>,
    /// Unix mode.
    pub mode: u32,
    /// Where the directory says it is, instead of where it is.
    pub offset: Option<u32>,
    /// Whether the directory has it.
    pub in_directory: bool,
}

impl Entry {
    /// An honest entry, deflated.
    #[must_use]
    pub fn new(name: &str, content: &[u8]) -> Self {
        let data = deflate(content);
        Self::raw(name.as_bytes(), DEFLATE, data, crc(content), content.len() as u32)
    }

    /// An honest entry as it is.
    #[must_use]
    pub fn stored(name: &str, content: &[u8]) -> Self {
        let bytes = content.len() as u32;
        Self::raw(name.as_bytes(), STORE, content.to_vec(), crc(content), bytes)
    }

    /// An entry of these data, whatever they are.
    #[must_use]
    pub fn raw(name: &[u8], method: u16, data: Vec<u8>, crc: u32, bytes: u32) -> Self {
        let compressed = data.len() as u32;
        let header = Header { name: name.to_vec(), flags: 0, method, crc, compressed, bytes };
        Self {
            before: Vec::new(),
            local: header.clone(),
            listed: header,
            data,
            behind: Vec::new(),
            mode: 0o100_600,
            offset: None,
            in_directory: true,
        }
    }

    /// Changes both headers alike.
    #[must_use]
    pub fn with(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.listed);
        self
    }
}

/// A zip.
#[derive(Debug, Clone, Default)]
pub struct Zip {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// Bytes between the last entry and the directory.
    pub between: Vec<u8>,
    /// Its comment.
    pub comment: Vec<u8>,
    /// Bytes behind its end.
    pub trailing: Vec<u8>,
    /// How many entries it says that it has, instead of how many it has.
    pub count: Option<u16>,
}

/// The bytes of a zip, and where each entry stands: from its header to its end.
#[derive(Debug, Clone)]
pub struct Forged {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where each entry stands.
    pub places: Vec<Range<usize>>,
    /// Where the directory stands.
    pub directory: usize,
}

impl Zip {
    /// The bytes.
    #[must_use]
    pub fn forge(&self) -> Forged {
        let mut out = Vec::new();
        let mut places = Vec::new();
        for entry in &self.entries {
            out.extend_from_slice(&entry.before);
            let start = out.len();
            out.extend_from_slice(b"PK\x03\x04\x14\x00");
            fields(&mut out, &entry.local);
            shorts(&mut out, &[entry.local.name.len() as u16, 0]);
            out.extend_from_slice(&entry.local.name);
            out.extend_from_slice(&entry.data);
            out.extend_from_slice(&entry.behind);
            places.push(start..out.len());
        }
        out.extend_from_slice(&self.between);
        let directory = out.len();
        let listed = || self.entries.iter().zip(&places).filter(|(entry, _)| entry.in_directory);
        for (entry, place) in listed() {
            out.extend_from_slice(b"PK\x01\x02\x14\x03\x14\x00");
            fields(&mut out, &entry.listed);
            shorts(&mut out, &[entry.listed.name.len() as u16, 0, 0, 0, 0]);
            longs(&mut out, &[entry.mode << 16, entry.offset.unwrap_or(place.start as u32)]);
            out.extend_from_slice(&entry.listed.name);
        }
        let size = out.len() - directory;
        let count = self.count.unwrap_or(listed().count() as u16);
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        shorts(&mut out, &[count, count]);
        longs(&mut out, &[size as u32, directory as u32]);
        shorts(&mut out, &[self.comment.len() as u16]);
        out.extend_from_slice(&self.comment);
        out.extend_from_slice(&self.trailing);
        Forged { bytes: out, places, directory }
    }

    /// The entry of this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn entry(&mut self, name: &str) -> &mut Entry {
        let found = self.entries.iter_mut().find(|entry| entry.listed.name == name.as_bytes());
        found.expect("an entry of this name")
    }

    /// What any zip has, as an honest one.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn of(zip: &[u8]) -> Self {
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
        let entries = (0..archive.len()).map(|index| {
            let mut file = archive.by_index(index).expect("an entry");
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("its content");
            Entry::new(&file.name().expect("its name"), &content)
        });
        Self { entries: entries.collect(), ..Self::default() }
    }
}

fn fields(out: &mut Vec<u8>, header: &Header) {
    // 2026-03-01, midnight.
    shorts(out, &[header.flags, header.method, 0, 0x5c61]);
    longs(out, &[header.crc, header.compressed, header.bytes]);
}

fn shorts(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn longs(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

/// Deflates.
///
/// # Panics
/// Never, unless memory fails.
#[must_use]
pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::new(6), false);
    let mut out = Vec::with_capacity(content.len() + 64);
    loop {
        let read = compress.total_in() as usize;
        let status = compress
            .compress_vec(&content[read..], &mut out, FlushCompress::Finish)
            .expect("deflate");
        if status == flate2::Status::StreamEnd {
            return out;
        }
        out.reserve(64 << 10);
    }
}

/// CRC-32.
#[must_use]
pub fn crc(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}
