//! Packed bytes → bytes, within a limit.
//!
//! In: gzip of one or several members, or plain bytes (told apart by the two magic bytes, never by a name or header). Out: a
//! reader that stops with [`TooLarge`] at the limit, so that a bomb costs its limit and no more. Never holds more than its
//! window.

use std::io::{self, BufRead, Read};

/// More came out than the limit allows.
#[derive(Debug, thiserror::Error)]
#[error("unpacks to more than {limit} bytes")]
pub struct TooLarge {
    /// The limit, bytes.
    pub limit: u64,
}

/// A bounded reader over packed or plain bytes.
#[derive(Debug)]
pub struct Unpacked<R> {
    inner: Inner<R>,
    limit: u64,
    left: u64,
}

#[derive(Debug)]
enum Inner<R> {
    Plain(R),
    Gzip(Box<flate2::bufread::MultiGzDecoder<R>>),
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the first two bytes and reads accordingly, at most `limit` bytes.
    ///
    /// # Errors
    /// When the input cannot be read at all.
    pub fn new(mut input: R, limit: u64) -> io::Result<Self> {
        let gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let inner = if gzip { Inner::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(input))) } else { Inner::Plain(input) };
        Ok(Self { inner, limit, left: limit })
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.inner {
            Inner::Plain(input) => input.read(out)?,
            Inner::Gzip(input) => input.read(out)?,
        };
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(TooLarge { limit: self.limit })),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Unpacked::new(bytes, limit)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn plain_single_and_many_members_unpack() {
        let many = [gzip(b"one,"), gzip(b"two")].concat();
        for (name, packed, want) in [
            ("plain", b"text".to_vec(), "text"),
            ("gzip", gzip(b"text"), "text"),
            ("members", many, "one,two"),
            ("empty", Vec::new(), ""),
        ] {
            assert_eq!(unpack(&packed, 100).unwrap(), want.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 10_000_000]);
        assert!(bomb.len() < 100_000);
        let error = unpack(&bomb, 1_000_000).unwrap_err();
        assert_eq!(error.to_string(), "unpacks to more than 1000000 bytes");
        assert!(unpack(&gzip(&[b'x'; 1_000]), 1_000).is_ok());
        assert!(unpack(&gzip(&[b'x'; 1_001]), 1_000).is_err());
    }

    #[test]
    fn a_cut_member_is_an_error_after_the_good_part() {
        let packed = gzip(&b"abc".repeat(100_000));
        let mut out = Vec::new();
        let cut = &packed[..packed.len() - 12];
        assert!(Unpacked::new(cut, 1 << 20).unwrap().read_to_end(&mut out).is_err());
    }
}
