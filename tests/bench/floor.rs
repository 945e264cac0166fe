//! The floor: the least work that could turn trail objects into request bodies, written on its own.
//!
//! In: gzip objects. Out: gzip bodies. gunzip → split at records, respecting strings → each record as one flat JSON object
//! with dotted names, straight from its text (arrays as JSON text, `null` left out) → gzip 1. No rules, no ids, no ledger, no
//! masking, no checks, no tree and no allocation per record. Uses nothing of the agent, so that a change there cannot move it.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Bytes unpacked at a time.
const CHUNK: usize = 64 << 10;
/// Bytes of a body before packing.
const BODY: usize = 950_000;
/// Deepest object that is taken apart.
const DEPTH: usize = 32;

/// What came out, so that nobody can win by doing nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) records: u64,
    pub(crate) json_bytes: u64,
    pub(crate) flat_bytes: u64,
    pub(crate) packed_bytes: u64,
}

/// The floor with its buffers.
pub(crate) struct Floor {
    window: Vec<u8>,
    flat: Flat,
    encoder: GzEncoder<Vec<u8>>,
    body: usize,
    made: Made,
}

impl Floor {
    pub(crate) fn new() -> Self {
        let flat = Flat { out: Vec::new(), name: Vec::new() };
        Self { window: Vec::new(), flat, encoder: encoder(), body: 0, made: Made::default() }
    }

    /// Takes one object.
    pub(crate) fn object(&mut self, packed: &[u8]) -> io::Result<()> {
        #[expect(clippy::disallowed_types, reason = "the floor uses nothing of the agent; its input is our own")]
        let mut input = flate2::bufread::GzDecoder::new(packed);
        // `from..filled` is open; a record is handed on when its end is found.
        let (mut from, mut at, mut filled) = (0_usize, 0_usize, 0_usize);
        let mut scan = Scan::default();
        loop {
            if from > 0 {
                self.window.copy_within(from..filled, 0);
                (at, filled) = (at - from, filled - from);
                scan.start = scan.start.saturating_sub(from);
            }
            if self.window.len() < filled + CHUNK {
                self.window.resize(filled + CHUNK, 0);
            }
            let read = input.read(self.window.get_mut(filled..).unwrap_or_default())?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            self.made.json_bytes += read as u64;
            let bytes = self.window.get(..filled).unwrap_or_default();
            while let Some(end) = scan.next(bytes, &mut at) {
                let record = bytes.get(scan.start..end).unwrap_or_default();
                self.flat.record(record);
                self.made.records += 1;
                self.made.flat_bytes += self.flat.out.len() as u64;
                if self.body + self.flat.out.len() + 2 > BODY {
                    self.made.packed_bytes += finish(&mut self.encoder)?;
                    self.body = 0;
                }
                self.encoder.write_all(if self.body == 0 { b"[" } else { b"," })?;
                self.encoder.write_all(&self.flat.out)?;
                self.body += self.flat.out.len() + 1;
            }
            from = if scan.depth > 0 { scan.start } else { at };
        }
    }

    /// Closes the last body.
    pub(crate) fn end(mut self) -> io::Result<Made> {
        self.made.packed_bytes += finish(&mut self.encoder)?;
        Ok(self.made)
    }
}

fn encoder() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::new(1))
}

fn finish(open: &mut GzEncoder<Vec<u8>>) -> io::Result<u64> {
    open.write_all(b"]")?;
    Ok(std::mem::replace(open, encoder()).finish()?.len() as u64)
}

/// Finds the elements of the array in `{"Records":[…]}`: every object that begins inside the outermost one.
#[derive(Default)]
struct Scan {
    opened: bool,
    depth: u32,
    in_string: bool,
    escaped: bool,
    start: usize,
}

impl Scan {
    /// The end of the next record that is whole in `bytes`; its start is `self.start`.
    fn next(&mut self, bytes: &[u8], at: &mut usize) -> Option<usize> {
        loop {
            if self.in_string {
                if self.escaped {
                    bytes.get(*at)?;
                    *at += 1;
                    self.escaped = false;
                }
                *at = quote_or_escape(bytes, *at);
                let byte = *bytes.get(*at)?;
                *at += 1;
                self.escaped = byte == b'\\';
                self.in_string = self.escaped;
                continue;
            }
            let byte = *bytes.get(*at)?;
            *at += 1;
            match byte {
                b'"' => self.in_string = true,
                b'{' if !self.opened => self.opened = true,
                b'{' => {
                    if self.depth == 0 {
                        self.start = *at - 1;
                    }
                    self.depth += 1;
                }
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(*at);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The position of the next `"` or `\`, or the end: eight bytes at a time.
fn quote_or_escape(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(&eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(eight);
        let (quotes, escapes) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let found = ((quotes.wrapping_sub(ONES) & !quotes) | (escapes.wrapping_sub(ONES) & !escapes)) & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\')) {
        at += 1;
    }
    at
}

/// Writes one record flat.
struct Flat {
    out: Vec<u8>,
    name: Vec<u8>,
}

impl Flat {
    fn record(&mut self, json: &[u8]) {
        self.out.clear();
        self.name.clear();
        self.out.push(b'{');
        // A record that breaks off is written as far as it goes: the data is our own.
        let _end = self.object(json, 1, 0);
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.push(b'}');
    }

    /// Writes the members of the object whose brace stands before `at`; gives the position behind it.
    fn object(&mut self, json: &[u8], mut at: usize, depth: usize) -> Option<usize> {
        loop {
            match *json.get(at)? {
                b'"' => {}
                b'}' => return Some(at + 1),
                _ => {
                    at += 1;
                    continue;
                }
            }
            let key = at + 1;
            at = string_end(json, key);
            let outer = self.name.len();
            if outer > 0 {
                self.name.push(b'.');
            }
            self.name.extend_from_slice(json.get(key..at - 1)?);
            while matches!(json.get(at)?, b':' | b' ' | b'\n' | b'\r' | b'\t') {
                at += 1;
            }
            at = self.value(json, at, depth)?;
            self.name.truncate(outer);
        }
    }

    fn value(&mut self, json: &[u8], at: usize, depth: usize) -> Option<usize> {
        let end = match *json.get(at)? {
            b'{' if depth < DEPTH => return self.object(json, at + 1, depth + 1),
            b'{' | b'[' => {
                let end = nested_end(json, at);
                self.key();
                self.out.push(b'"');
                let mut rest = json.get(at..end)?;
                while let Some(found) = memchr::memchr2(b'"', b'\\', rest) {
                    let (plain, tail) = rest.split_at(found);
                    let (mark, tail) = tail.split_first()?;
                    self.out.extend_from_slice(plain);
                    self.out.extend_from_slice(&[b'\\', *mark]);
                    rest = tail;
                }
                self.out.extend_from_slice(rest);
                self.out.extend_from_slice(b"\",");
                return Some(end);
            }
            b'"' => string_end(json, at + 1),
            b'n' => return Some(at + 4),
            _ => {
                let rest = json.get(at..)?;
                at + rest.iter().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\n' | b'\r'))?
            }
        };
        self.key();
        self.out.extend_from_slice(json.get(at..end)?);
        self.out.push(b',');
        Some(end)
    }

    fn key(&mut self) {
        self.out.push(b'"');
        self.out.extend_from_slice(&self.name);
        self.out.extend_from_slice(b"\":");
    }
}

/// The position behind the closing quote of a string whose inside begins at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    loop {
        at = quote_or_escape(json, at);
        if json.get(at) != Some(&b'\\') {
            return at + 1;
        }
        at += 2;
    }
}

/// The position behind the array or object that begins at `at`.
fn nested_end(json: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(json, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    at
}

/// One record flat, for the self-check of the bench.
pub(crate) fn flatten(json: &[u8]) -> Vec<u8> {
    let mut flat = Flat { out: Vec::new(), name: Vec::new() };
    flat.record(json);
    flat.out
}
