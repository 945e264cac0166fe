//! A walk through one JSON document that is larger than memory.
//!
//! In: any reader. Out, as the caller goes: the keys of objects, the elements of lists, and the text of the values that are asked
//! for; everything else is passed over. What always holds: no more is held than the longest value that is asked for, the bytes
//! of a chunk beside; strings are respected, values are not parsed; every fault names the byte at which it was met. Nesting
//! costs a number, not a stack.

use std::io::{self, Read};

use memchr::memchr2;

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;
/// What is kept of a value that is too long, bytes.
const HEAD: usize = 4 << 10;
/// Longest key that is looked at, bytes.
const KEY: usize = 1 << 10;

/// Why the walk cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    /// The reader failed: cut or corrupt packing, or the limit.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The document has no end.
    #[error("ends at byte {at}, in the middle of the document")]
    Cut {
        /// Bytes before it.
        at: u64,
    },
    /// Not JSON.
    #[error("byte {at} is {found}; {wanted} must be there")]
    Syntax {
        /// Bytes before it.
        at: u64,
        /// What was found.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
}

/// The text of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// More than was asked for: its head.
    TooLong(&'a [u8]),
}

/// The walk.
#[derive(Debug)]
pub(super) struct Walk<R> {
    input: R,
    buffer: Vec<u8>,
    filled: usize,
    at: usize,
    /// What was let go before the buffer.
    before: u64,
    /// What has not been let go: the beginning of an open value.
    start: Option<usize>,
    /// Nothing stands before the next key or element.
    first: bool,
}

impl<R: Read> Walk<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), filled: 0, at: 0, before: 0, start: None, first: true }
    }

    /// The next bytes, without taking them; fewer where the document ends.
    pub(super) fn head(&mut self, count: usize) -> Result<&[u8], WalkError> {
        while self.filled - self.at < count && self.fill()? {}
        Ok(self.buffer.get(self.at..self.filled.min(self.at + count)).unwrap_or_default())
    }

    /// Takes so many bytes that [`Walk::head`] has shown.
    pub(super) fn pass(&mut self, count: usize) {
        self.at = (self.at + count).min(self.filled);
    }

    /// The next byte that is no white space, without taking it.
    pub(super) fn peek(&mut self) -> Result<u8, WalkError> {
        self.look()?.ok_or(WalkError::Cut { at: self.position() })
    }

    /// Goes into an object (`{`) or a list (`[`).
    pub(super) fn open(&mut self, bracket: u8, wanted: &'static str) -> Result<(), WalkError> {
        if self.peek()? != bracket {
            return Err(self.syntax(wanted));
        }
        self.at += 1;
        self.first = true;
        Ok(())
    }

    /// Whether there is another key or element; else goes out of what ends with `bracket`.
    pub(super) fn more(&mut self, bracket: u8) -> Result<bool, WalkError> {
        let next = self.peek()?;
        if next == bracket {
            self.at += 1;
            self.first = false;
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            if next != b',' {
                return Err(self.syntax(if bracket == b']' { "a comma or ]" } else { "a comma or }" }));
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// A key and its colon. One that is longer than any we know is empty.
    pub(super) fn key(&mut self) -> Result<String, WalkError> {
        if self.peek()? != b'"' {
            return Err(self.syntax("a key in quotes"));
        }
        let key = match self.value(KEY)? {
            Raw::Whole(raw) => serde_json::from_slice(raw).unwrap_or_default(),
            Raw::TooLong(_) => String::new(),
        };
        if self.peek()? != b':' {
            return Err(self.syntax("a colon"));
        }
        self.at += 1;
        Ok(key)
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self) -> Result<(), WalkError> {
        self.value(0).map(|_| ())
    }

    /// Takes a value and gives its text, if it has `most` bytes at most.
    pub(super) fn value(&mut self, most: usize) -> Result<Raw<'_>, WalkError> {
        let first = self.peek()?;
        self.start = Some(self.at);
        let mut scan = Scan { most, overlong: false };
        let taken = match first {
            b'{' | b'[' => self.nested(&mut scan),
            b'"' => {
                self.at += 1;
                self.text(&mut scan)
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.scalar(&mut scan),
            _ => Err(self.syntax("a value")),
        };
        let start = self.start.take().unwrap_or_default();
        taken?;
        self.first = false;
        let too_long = scan.overlong || self.at - start > most;
        let end = if too_long { self.at.min(start + HEAD) } else { self.at };
        let raw = self.buffer.get(start..end).unwrap_or_default();
        Ok(if too_long { Raw::TooLong(raw) } else { Raw::Whole(raw) })
    }

    /// Only white space may stand between here and the end.
    pub(super) fn end(&mut self) -> Result<(), WalkError> {
        match self.look()? {
            None => Ok(()),
            Some(_) => Err(self.syntax("the end of the document")),
        }
    }

    /// Bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    fn syntax(&self, wanted: &'static str) -> WalkError {
        let found = self.buffer.get(self.at).filter(|_| self.at < self.filled);
        let found = found.map_or_else(|| "the end".to_owned(), |byte| format!("\"{}\"", byte.escape_ascii()));
        WalkError::Syntax { at: self.position(), found, wanted }
    }

    fn look(&mut self) -> Result<Option<u8>, WalkError> {
        loop {
            while let Some(&byte) = self.buffer.get(self.at).filter(|_| self.at < self.filled) {
                if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                    return Ok(Some(byte));
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// To the end of a text whose first quote was taken.
    fn text(&mut self, scan: &mut Scan) -> Result<(), WalkError> {
        loop {
            match memchr2(b'"', b'\\', self.buffer.get(self.at..self.filled).unwrap_or_default()) {
                None => self.at = self.filled,
                Some(found) => {
                    self.at += found + 1;
                    if self.buffer.get(self.at - 1) == Some(&b'"') {
                        return Ok(());
                    }
                    // What is escaped, a quote perhaps.
                    if self.at == self.filled {
                        self.refill(scan)?;
                    }
                    self.at += 1;
                    continue;
                }
            }
            self.refill(scan)?;
        }
    }

    fn nested(&mut self, scan: &mut Scan) -> Result<(), WalkError> {
        let mut depth = 0_u64;
        loop {
            while let Some(&byte) = self.buffer.get(self.at).filter(|_| self.at < self.filled) {
                self.at += 1;
                match byte {
                    b'"' => self.text(scan)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return Ok(());
                        }
                    }
                    _ => {}
                }
            }
            self.refill(scan)?;
        }
    }

    fn scalar(&mut self, scan: &mut Scan) -> Result<(), WalkError> {
        loop {
            while let Some(&byte) = self.buffer.get(self.at).filter(|_| self.at < self.filled) {
                if matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n') {
                    return Ok(());
                }
                self.at += 1;
            }
            self.refill(scan)?;
        }
    }

    /// More of a value, which has no end yet.
    fn refill(&mut self, scan: &mut Scan) -> Result<(), WalkError> {
        let start = self.start.unwrap_or(self.at);
        if self.at - start > scan.most.max(HEAD) {
            // It is too long already: what was taken beyond its head is let go.
            scan.overlong = true;
            let end = start + HEAD;
            self.buffer.copy_within(self.at..self.filled, end);
            let gone = self.at - end;
            self.filled -= gone;
            self.at = end;
            self.before += gone as u64;
        }
        if self.fill()? { Ok(()) } else { Err(WalkError::Cut { at: self.position() }) }
    }

    /// Reads more behind what is there; `false` at the end.
    fn fill(&mut self) -> Result<bool, WalkError> {
        let keep = self.start.unwrap_or(self.at);
        if keep > 0 && self.filled + CHUNK > self.buffer.len() {
            self.buffer.copy_within(keep..self.filled, 0);
            self.filled -= keep;
            self.at -= keep;
            self.before += keep as u64;
            self.start = self.start.map(|_| 0);
        }
        if self.buffer.len() < self.filled + CHUNK {
            self.buffer.resize((self.filled + CHUNK).next_power_of_two(), 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.filled += read;
                    return Ok(read > 0);
                }
            }
        }
    }
}

/// A value that is being taken.
struct Scan {
    most: usize,
    /// Some of it was let go.
    overlong: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn elements(text: &str, most: usize, step: usize) -> Result<Vec<String>, String> {
        let mut walk = Walk::new(Slow(text.as_bytes(), step));
        let mut found = Vec::new();
        let mut read = || {
            walk.open(b'[', "a list")?;
            while walk.more(b']')? {
                found.push(match walk.value(most)? {
                    Raw::Whole(raw) => String::from_utf8_lossy(raw).into_owned(),
                    Raw::TooLong(head) => format!("too long: {}", head.len()),
                });
            }
            walk.end()
        };
        read().map_err(|error: WalkError| error.to_string()).map(|()| found)
    }

    #[test]
    fn values_are_told_apart_whatever_the_pieces_they_come_in() {
        let text = r#" [ 1 , -2.5e3,"a,]\"\\", {"b":[1,{"c":"}"}]} ,null,[],true ] "#;
        for step in [1, 2, 3, 1_000] {
            let want = ["1", "-2.5e3", r#""a,]\"\\""#, r#"{"b":[1,{"c":"}"}]}"#, "null", "[]", "true"];
            assert_eq!(elements(text, 100, step).expect("elements"), want, "{step} bytes at a time");
        }
    }

    #[test]
    fn of_a_value_that_is_too_long_the_head_is_kept_and_the_next_is_whole() {
        let long = "x".repeat(300_000);
        for text in [format!(r#"["{long}",{{"a":1}}]"#), format!(r#"[{{"y":["{long}"]}},{{"a":1}}]"#)] {
            for step in [1_000, 1 << 20] {
                let want = [format!("too long: {HEAD}"), r#"{"a":1}"#.to_owned()];
                assert_eq!(elements(&text, 10_000, step).expect("elements"), want, "{step} bytes at a time");
            }
        }
        let mut walk = Walk::new(Slow(br#"["abcdef"]"#, 1));
        walk.open(b'[', "a list").expect("a list");
        assert!(walk.more(b']').expect("an element"));
        walk.skip().expect("a value");
        assert_eq!(walk.position(), 9);
    }

    #[test]
    fn no_more_is_held_than_is_asked_for() {
        let text = format!(r#"["{}"]"#, "x".repeat(20_000_000));
        let mut walk = Walk::new(text.as_bytes());
        walk.open(b'[', "a list").expect("a list");
        assert!(walk.more(b']').expect("an element"));
        assert!(matches!(walk.value(100_000), Ok(Raw::TooLong(head)) if head.len() == HEAD));
        assert!(walk.buffer.len() < 1 << 20, "{}", walk.buffer.len());
        assert_eq!(walk.position(), text.len() as u64 - 1);
    }

    #[test]
    fn a_fault_names_its_byte() {
        for (text, want) in [
            ("[1,", "ends at byte 3, in the middle of the document"),
            (r#"["abc"#, "ends at byte 5, in the middle of the document"),
            (r#"["abc\"#, "ends at byte 6, in the middle of the document"),
            ("[1 2]", "byte 3 is \"2\"; a comma or ] must be there"),
            ("{}", "byte 0 is \"{\"; a list must be there"),
            ("[1]x", "byte 3 is \"x\"; the end of the document must be there"),
            ("[?]", "byte 1 is \"?\"; a value must be there"),
            ("[1,]", "byte 3 is \"]\"; a value must be there"),
            ("", "ends at byte 0, in the middle of the document"),
        ] {
            assert_eq!(elements(text, 100, 1).expect_err(text), want, "{text}");
        }
        let mut walk = Walk::new(br#"{"a" 1}"#.as_slice());
        walk.open(b'{', "an object").expect("an object");
        assert!(walk.more(b'}').expect("a key"));
        assert_eq!(walk.key().expect_err("no colon").to_string(), "byte 5 is \"1\"; a colon must be there");
    }
}
