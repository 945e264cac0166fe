//! What every written state has in common.
//!
//! In: lines of JSON. Out: gzip of them, which any tool reads, and back. What always holds: the first line says the version; a
//! newer version, or what was cut, is an error, never half a state. gzip, not zstd: it is in the build already, and its part that
//! packs is Rust.

use std::io::{BufRead, BufReader, Lines, Read as _, Take, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version that this agent writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// Most bytes of a state unpacked.
const UNPACKED_MAX: u64 = 1 << 30;

/// Why a written state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// Cut off, or not what its packing says.
    #[error("cut off or damaged: {0}")]
    Damaged(String),
    /// Written by a newer agent.
    #[error("its version is {0}, this agent reads up to {VERSION}: run the newer agent, or name another place for the state")]
    Newer(u32),
}

impl StoredError {
    /// What is wrong, in the words of who found it.
    pub(super) fn damaged(what: &dyn std::fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }
}

/// Packs lines.
pub(super) struct Packer(GzEncoder<Vec<u8>>);

impl Packer {
    pub(super) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Adds a line. Writing to memory cannot fail; what failed all the same would be too short, and is refused when it is read.
    pub(super) fn line(&mut self, value: &impl Serialize) {
        let _written = serde_json::to_writer(&mut self.0, value).is_ok() && self.0.write_all(b"\n").is_ok();
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.0.finish().unwrap_or_default()
    }
}

/// gzip of one member, as it is written here.
#[expect(clippy::disallowed_types, reason = "read up to `UNPACKED_MAX` only")]
type Unpacked<'a> = flate2::bufread::GzDecoder<&'a [u8]>;

/// Lines that were packed.
pub(super) struct Unpacker<'a>(Lines<Take<BufReader<Unpacked<'a>>>>);

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl<'a> Unpacker<'a> {
    /// Reads the first line, which says the version.
    pub(super) fn open<H: DeserializeOwned>(bytes: &'a [u8]) -> Result<(H, Self), StoredError> {
        let mut lines = BufReader::new(Unpacked::new(bytes)).take(UNPACKED_MAX).lines();
        let first = lines.next().ok_or_else(|| StoredError::damaged(&"it is empty"))?;
        let first = first.map_err(|error| StoredError::damaged(&error))?;
        let version: Version = serde_json::from_str(&first).map_err(|error| StoredError::damaged(&error))?;
        if version.version > VERSION {
            return Err(StoredError::Newer(version.version));
        }
        let head = serde_json::from_str(&first).map_err(|error| StoredError::damaged(&error))?;
        Ok((head, Self(lines)))
    }

    /// The lines after it.
    pub(super) fn lines<T: DeserializeOwned>(self) -> impl Iterator<Item = Result<T, StoredError>> {
        self.0.map(|line| {
            let line = line.map_err(|error| StoredError::damaged(&error))?;
            serde_json::from_str(&line).map_err(|error| StoredError::damaged(&error))
        })
    }
}
