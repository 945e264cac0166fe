//! Packed bytes → bytes, within a limit.
//!
//! In: gzip of one or several members, or plain bytes (told apart by the two magic bytes, never by a name or header). Out: a
//! reader that stops with [`TooLarge`] at the limit, so that a bomb costs its limit and no more. An input that has nothing yet
//! ([`io::ErrorKind::WouldBlock`]) is asked again later; nothing is lost. Never holds more than its window.

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

/// gzip of any number of members, read without a limit of its own.
#[expect(clippy::disallowed_types, reason = "the one bounded user: `Unpacked` counts what comes out")]
type Members<R> = flate2::bufread::MultiGzDecoder<R>;

#[derive(Debug)]
enum Inner<R> {
    /// Not looked at yet.
    New(R),
    Plain(R),
    Gzip(Box<Members<R>>),
    /// Between two states.
    Taken,
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the first two bytes and reads accordingly, at most `limit` bytes. `input` gives those two together, if it has
    /// them.
    ///
    /// # Errors
    /// When the input cannot be read at all.
    pub fn new(input: R, limit: u64) -> io::Result<Self> {
        let mut unpacked = Self::later(input, limit);
        unpacked.look()?;
        Ok(unpacked)
    }

    /// The same, but looks when it is first read: the input may have nothing yet.
    pub fn later(input: R, limit: u64) -> Self {
        Self { inner: Inner::New(input), limit, left: limit }
    }

    fn look(&mut self) -> io::Result<()> {
        if let Inner::New(input) = &mut self.inner {
            let gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
            self.inner = match std::mem::replace(&mut self.inner, Inner::Taken) {
                Inner::New(input) if gzip => Inner::Gzip(Box::new(Members::new(input))),
                Inner::New(input) => Inner::Plain(input),
                other => other,
            };
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        let read = match &mut self.inner {
            Inner::New(_) | Inner::Taken => 0,
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

    /// Nothing yet before each byte.
    struct Hesitant<'a>(&'a [u8], bool);

    impl Read for Hesitant<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let read = self.fill_buf()?.read(out)?;
            self.consume(read);
            Ok(read)
        }
    }

    impl BufRead for Hesitant<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.1 = !self.1;
            // The first two bytes come together, as asked for.
            let size = if self.0.starts_with(&[0x1f, 0x8b]) { 2 } else { 1 };
            if self.1 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(&self.0[..size.min(self.0.len())]) }
        }

        fn consume(&mut self, amount: usize) {
            self.0 = &self.0[amount..];
            self.1 = amount == 0;
        }
    }

    #[test]
    fn an_input_that_has_nothing_yet_is_asked_again() {
        for (name, packed) in [("plain", b"one,two".to_vec()), ("gzip", [gzip(b"one,"), gzip(b"two")].concat())] {
            let mut unpacked = Unpacked::later(Hesitant(&packed, false), 100);
            let (mut out, mut waits) = (Vec::new(), 0);
            let mut buffer = [0; 4];
            loop {
                match unpacked.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => out.extend_from_slice(&buffer[..read]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => waits += 1,
                    Err(error) => panic!("{name}: {error}"),
                }
            }
            assert_eq!(out, b"one,two", "{name}");
            assert!(waits >= 7, "{name}: waited {waits} times");
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
