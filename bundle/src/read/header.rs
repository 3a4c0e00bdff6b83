//! What makes an entry of a zip one that a bundle has: both readers ask here.

use super::shown;
use rawzip::{CompressionMethod, ZipFileHeaderRecord, ZipLocalFileHeader};

/// Why an entry is none of a bundle, or in doubt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Oddity {
    #[error("a folder")]
    Folder,
    #[error("a link")]
    Link,
    #[error("encrypted with a password")]
    Encrypted,
    #[error("is named {0:?} in its own header")]
    OtherName(String),
    #[error("is compressed by {there:?}, in its own header by {here:?}")]
    OtherMethod { there: CompressionMethod, here: CompressionMethod },
    #[error("compressed by {0:?}, not by deflate")]
    Method(CompressionMethod),
    /// In doubt, and readable: what comes out is held against the directory.
    #[error("its own header has another size or CRC-32")]
    OtherSize,
}

impl Oddity {
    /// The defect's kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Folder => "folder-entry",
            Self::Link => "link-entry",
            Self::Encrypted => "encrypted-entry",
            Self::OtherName(_) | Self::OtherMethod { .. } | Self::OtherSize => "header-mismatch",
            Self::Method(_) => "unsupported-method",
        }
    }
}

/// What is odd about an entry, by the directory and by the header in front of it.
pub(super) fn oddity(
    header: &ZipFileHeaderRecord<'_>,
    local: &ZipLocalFileHeader<'_>,
) -> Option<Oddity> {
    let (there, here) = (header.compression_method(), local.compression_method());
    let name = local.file_path();
    // With a descriptor behind the data, the header in front of it has zeros.
    let claims = (local.crc32(), local.compressed_size_hint(), local.uncompressed_size_hint());
    let listed = (header.crc32(), header.compressed_size_hint(), header.uncompressed_size_hint());
    let later = local.flags().has_data_descriptor() && claims.0 == 0;
    if header.is_dir() {
        Some(Oddity::Folder)
    } else if header.mode().is_symlink() {
        Some(Oddity::Link)
    } else if header.flags().is_encrypted() || local.flags().is_encrypted() {
        Some(Oddity::Encrypted)
    } else if name.as_bytes() != header.file_path().as_bytes() {
        Some(Oddity::OtherName(shown(name.as_bytes())))
    } else if here != there {
        Some(Oddity::OtherMethod { there, here })
    } else if !matches!(there, CompressionMethod::DEFLATE | CompressionMethod::STORE) {
        Some(Oddity::Method(there))
    } else {
        (claims != listed && !later).then_some(Oddity::OtherSize)
    }
}
