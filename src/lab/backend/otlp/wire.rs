//! Protobuf, read field by field.
//!
//! In: the bytes of a message. Out: its fields in order, each with its number and what stands there. What always holds: it reads
//! nothing beyond the bytes and never waits; bytes that are no message end in [`Broken`]. Written from the encoding page of
//! protobuf.dev, apart from the agent's own writer, so that both cannot share a mistake; a request that the OpenTelemetry project's
//! own crate wrote is among the fixtures.

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number of as many bytes as it needs.
    Varint(u64),
    /// Eight bytes.
    Eight(u64),
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes.
    Four(u32),
}

impl<'a> Value<'a> {
    /// The bytes of a field that has some.
    pub(super) fn bytes(self) -> Result<&'a [u8], Broken> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Broken) }
    }

    /// The text of a field that has some.
    pub(super) fn text(self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Broken)
    }

    /// The number of a field of eight bytes.
    pub(super) fn eight(self) -> Result<u64, Broken> {
        if let Self::Eight(number) = self { Ok(number) } else { Err(Broken) }
    }

    /// The number of a field of varying length.
    pub(super) fn varint(self) -> Result<u64, Broken> {
        if let Self::Varint(number) = self { Ok(number) } else { Err(Broken) }
    }
}

/// Reads a message: field number and value, in order.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

/// The fields of a message.
#[derive(Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Broken> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Broken)?;
            self.0 = rest;
            let seven = u64::from(byte & 0x7f);
            number |= seven.checked_shl(shift).filter(|moved| moved >> shift == seven).ok_or(Broken)?;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Broken> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Eight(u64::from_le_bytes(self.bytes(8)?.try_into().map_err(|_| Broken)?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Four(u32::from_le_bytes(self.bytes(4)?.try_into().map_err(|_| Broken)?)),
            // Groups are of protobuf 2.
            _ => return Err(Broken),
        };
        if tag >> 3 == 0 { Err(Broken) } else { Ok((tag >> 3, value)) }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_and_what_is_cut_is_broken() {
        let whole =
            [&[0x08, 0xac, 0x02][..], &[0x11, 1, 0, 0, 0, 0, 0, 0, 0x80], &[0x1a, 2, b'h', b'i'], &[0x25, 7, 0, 0, 0]].concat();
        let read: Result<Vec<_>, _> = fields(&whole).collect();
        let expected =
            vec![(1, Value::Varint(300)), (2, Value::Eight(1 | 0x80 << 56)), (3, Value::Bytes(b"hi")), (4, Value::Four(7))];
        assert_eq!(read, Ok(expected));
        for length in 1..whole.len() {
            // Between two fields it is whole.
            let is_whole = [3, 12, 16].contains(&length);
            assert_eq!(fields(&whole[..length]).all(|field| field.is_ok()), is_whole, "{length} bytes");
        }
        for (name, broken) in [
            ("a number of 65 bits", [&[0x08][..], &[0xff; 9], &[0x02]].concat()),
            ("a number without an end", [&[0x08][..], &[0x80; 20]].concat()),
            ("field 0", vec![0x00, 0x01]),
            ("a group", vec![0x0b]),
            ("longer than there is", vec![0x0a, 0x7f, 0x01]),
        ] {
            assert!(fields(&broken).any(|field| field.is_err()), "{name}");
        }
    }
}
