//! Bodies, read and unpacked within the documented size.
//!
//! In: a request's body stream and its content encoding. Out: at most [`limits::BODY_BYTES`] bytes, or why not. A longer body
//! is read to its end (up to a bound) and forgotten, so that the client sees the 413 and not a broken connection.

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};
use futures_util::StreamExt;

use crate::encode::limits;

/// Bytes of a body that are read and forgotten before the connection is closed instead.
const FORGOTTEN_BYTES: usize = 64 * 1_000_000;

/// Largest deflate window, as a power of two: what every gzip writer stays within.
const WINDOW_BITS: u8 = 15;

/// Bytes unpacked in one go.
const STEP_BYTES: usize = 64 * 1_024;

/// A body as it came.
#[derive(Debug)]
pub(super) struct Received {
    /// Its bytes; the first ones only when it is too large.
    pub(super) bytes: Bytes,
    /// How many arrived.
    pub(super) length: usize,
}

impl Received {
    pub(super) fn is_too_large(&self) -> bool {
        self.length > limits::BODY_BYTES
    }
}

/// Reads a whole body. `None`: it broke off.
pub(super) async fn receive(body: Body) -> Option<Received> {
    let mut kept = BytesMut::new();
    let mut length = 0_usize;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        length = length.saturating_add(chunk.len());
        if length <= limits::BODY_BYTES {
            kept.extend_from_slice(&chunk);
        } else if length > FORGOTTEN_BYTES {
            break;
        }
    }
    Some(Received { bytes: kept.freeze(), length })
}

/// Unpacks a body. Gzip members may follow each other.
///
/// # Errors
///
/// 415 for an encoding that is not documented, 413 for more than [`limits::BODY_BYTES`] unpacked, 400 for bytes that do not
/// unpack.
pub(super) fn unpack(packed: Bytes, encoding: Option<&str>) -> Result<Bytes, StatusCode> {
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("identity") => Ok(packed),
        Some("gzip") => inflate(&packed, || Decompress::new_gzip(WINDOW_BITS)),
        Some("deflate") => inflate(&packed, || Decompress::new(true)),
        Some(_) => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
}

fn inflate(packed: &[u8], member: impl Fn() -> Decompress) -> Result<Bytes, StatusCode> {
    let mut unpacked = Vec::with_capacity(packed.len().saturating_mul(4).min(limits::BODY_BYTES));
    let mut rest = packed;
    while !rest.is_empty() {
        let mut state = member();
        loop {
            unpacked.reserve(STEP_BYTES);
            let (read, length) = (state.total_in(), unpacked.len());
            let status = state.decompress_vec(rest, &mut unpacked, FlushDecompress::None).map_err(|_| StatusCode::BAD_REQUEST)?;
            let read = usize::try_from(state.total_in().saturating_sub(read)).unwrap_or(usize::MAX);
            rest = rest.get(read..).unwrap_or_default();
            if unpacked.len() > limits::BODY_BYTES {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            match status {
                Status::StreamEnd => break,
                // No step forward: the member ends before its end mark.
                Status::Ok | Status::BufError if read == 0 && unpacked.len() == length => return Err(StatusCode::BAD_REQUEST),
                Status::Ok | Status::BufError => {}
            }
        }
    }
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_documented_encoding_unpacks() {
        let text = b"[{\"eventType\":\"T\"}]".repeat(20_000);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).unwrap();
        let (head, tail) = text.split_at(1_000);
        for (label, packed, encoding) in [
            ("none", text.clone(), None),
            ("gzip", gzip(&text), Some("gzip")),
            ("two gzip members", [gzip(head), gzip(tail)].concat(), Some("GZIP")),
            ("deflate", zlib.finish().unwrap(), Some("deflate")),
        ] {
            assert!(unpack(packed.into(), encoding) == Ok(text.clone().into()), "{label}");
        }
    }

    #[test]
    fn what_does_not_unpack_is_refused() {
        let whole = gzip(b"hello");
        let cut = whole[..whole.len() - 1].to_vec();
        for (label, packed, encoding, status) in [
            ("brotli", whole.clone(), "br", 415),
            ("cut gzip", cut, "gzip", 400),
            ("text as gzip", b"[{}]".to_vec(), "gzip", 400),
            ("bytes after gzip", [whole, b"tail".to_vec()].concat(), "gzip", 400),
        ] {
            assert_eq!(unpack(packed.into(), Some(encoding)).unwrap_err().as_u16(), status, "{label}");
        }
    }

    #[test]
    fn the_unpacked_limit_holds_and_a_bomb_stops_there() {
        let unpacked = |length: usize| unpack(gzip(&vec![b' '; length]).into(), Some("gzip"));
        assert_eq!(unpacked(limits::BODY_BYTES).unwrap().len(), limits::BODY_BYTES);
        assert_eq!(unpacked(limits::BODY_BYTES + 1).unwrap_err(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(unpacked(3 * limits::BODY_BYTES).unwrap_err(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
