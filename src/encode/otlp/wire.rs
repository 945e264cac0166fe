//! The few forms in which protobuf writes a value.
//!
//! In: a field's number and its value. Out: bytes. What always holds: a number below 16 makes a tag of one byte; no message here
//! has a higher one. [protobuf.dev, encoding]

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of as many bytes as it needs.
    Whole = 0,
    /// Eight bytes.
    Fixed = 1,
    /// Its length, then its bytes.
    Long = 2,
}

/// The tag of a field below 16.
pub(super) const fn tag_byte(field: u8, kind: Kind) -> u8 {
    field << 3 | kind as u8
}

/// A message while it is written.
#[derive(Debug)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn whole(&mut self, field: u8, value: u64) {
        self.0.push(tag_byte(field, Kind::Whole));
        self.varint(value);
    }

    pub(super) fn fixed(&mut self, field: u8, value: u64) {
        self.0.push(tag_byte(field, Kind::Fixed));
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn text(&mut self, field: u8, value: &str) {
        self.long(field, value.as_bytes());
    }

    pub(super) fn message(&mut self, field: u8, message: Self) {
        self.long(field, &message.0);
    }

    fn long(&mut self, field: u8, bytes: &[u8]) {
        self.0.push(tag_byte(field, Kind::Long));
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
