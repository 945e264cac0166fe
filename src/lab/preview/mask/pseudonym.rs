//! One pseudonym from a key and a value.
//!
//! In: key, kind, value, and how many were already taken. Out: a value of the same shape. What always holds: without the key
//! nobody can tell the value, though there are only 10^12 account ids; what it makes is never an id or address that is
//! somebody's.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest as _, Sha256};

use super::Kind;

const FIRST: [&str; 64] = [
    "amber", "azure", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cool", "coral", "cosy", "crisp", "daring",
    "deep", "eager", "early", "fair", "fancy", "fast", "fleet", "fresh", "gentle", "gold", "grand", "green", "happy", "hardy",
    "humble", "ivory", "jade", "jolly", "keen", "kind", "late", "light", "lively", "lucky", "mellow", "merry", "mild", "misty",
    "neat", "noble", "olive", "pale", "plain", "proud", "quick", "quiet", "rapid", "ruby", "sharp", "silent", "silver", "smart",
    "snowy", "solid", "steady", "sunny", "swift", "tidy", "vivid", "warm",
];

const SECOND: [&str; 64] = [
    "acorn", "alder", "aspen", "badger", "bamboo", "beech", "birch", "bison", "cedar", "clover", "crane", "cypress", "dolphin",
    "dove", "eagle", "elm", "falcon", "fern", "finch", "fir", "fox", "gecko", "ginkgo", "hare", "hazel", "heron", "holly",
    "ibis", "iris", "ivy", "jay", "koala", "lark", "laurel", "lily", "linden", "lotus", "lynx", "magpie", "maple", "marten",
    "moss", "oak", "orchid", "otter", "owl", "panda", "pine", "plover", "poplar", "quail", "raven", "robin", "rowan", "sage",
    "seal", "sparrow", "spruce", "stork", "swan", "tern", "thistle", "willow", "wren",
];

/// The `attempt`-th pseudonym of a value.
pub(super) fn make(key: &[u8; 16], kind: Kind, value: &str, attempt: u32) -> String {
    let mut drawn = Draw::new(key, kind, value, attempt);
    match kind {
        Kind::Account => format!("0000{:08}", drawn.below(100_000_000)),
        Kind::Ip4 => ip4(&mut drawn, attempt).to_string(),
        Kind::Ip6 => {
            let mut group = || u16::try_from(drawn.below(1 << 16)).unwrap_or_default();
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, group(), group(), group(), group()).to_string()
        }
        Kind::Email => format!("{}@example.com", name(&mut drawn)),
        Kind::IamId => {
            let (prefix, rest) = value.split_at_checked(4).unwrap_or((value, ""));
            // Letters only: a run of digits could look like an account id.
            let letters = rest.chars().map(|_| char::from(b'A' + u8::try_from(drawn.below(26)).unwrap_or_default()));
            prefix.chars().chain(letters).collect()
        }
        Kind::ResourceId => {
            let (prefix, rest) = value.rsplit_once('-').unwrap_or(("", value));
            format!("{prefix}-{}", hexadecimal(&mut drawn, rest))
        }
        Kind::Uuid => hexadecimal(&mut drawn, value),
        Kind::Name | Kind::Word => name(&mut drawn),
        // One more digit for every try: there may be more texts than four digits tell apart.
        Kind::Text => format!("text-{}", hexadecimal(&mut drawn, &"x".repeat(4 + usize::try_from(attempt).unwrap_or(0).min(28)))),
    }
}

/// Two words and a number: 400 million, and still to be remembered while one looks from one widget to the next.
fn name(drawn: &mut Draw) -> String {
    let mut word = |words: &[&'static str]| words.get(drawn.below(64)).copied().unwrap_or_default();
    let (first, second) = (word(&FIRST), word(&SECOND));
    format!("{first}-{second}-{:02}", drawn.below(100))
}

/// The three ranges for documentation hold 762 hosts; who has more addresses gets the range for benchmarks, which is nobody's
/// either.
fn ip4(drawn: &mut Draw, attempt: u32) -> Ipv4Addr {
    let mut byte = |many: usize| u8::try_from(drawn.below(many)).unwrap_or_default();
    if attempt < 8 {
        let [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]].get(usize::from(byte(3))).copied().unwrap_or([192, 0, 2]);
        Ipv4Addr::new(a, b, c, 1 + byte(254))
    } else {
        Ipv4Addr::new(198, 18 + byte(2), byte(256), byte(256))
    }
}

/// As many hexadecimal digits as there were; every fourth is a letter, so that no twelve digits stand in a row.
fn hexadecimal(drawn: &mut Draw, shape: &str) -> String {
    let mut out = String::with_capacity(shape.len());
    for (at, place) in shape.chars().enumerate() {
        let digit = if at % 4 == 3 { 10 + drawn.below(6) } else { drawn.below(16) };
        if place == '-' {
            out.push('-');
        } else {
            // Writing to a text cannot fail.
            let _written = write!(out, "{digit:x}").is_ok();
        }
    }
    out
}

/// Numbers drawn from a hash.
struct Draw {
    bytes: Vec<u8>,
    block: [u8; 32],
}

impl Draw {
    fn new(key: &[u8; 16], kind: Kind, value: &str, attempt: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update([kind as u8]);
        hash.update(attempt.to_le_bytes());
        hash.update(value.as_bytes());
        Self { bytes: Vec::new(), block: hash.finalize().into() }
    }

    /// A number below `many`.
    fn below(&mut self, many: usize) -> usize {
        let mut number = 0_u64;
        for _ in 0..4 {
            let byte = self.bytes.pop().unwrap_or_else(|| {
                self.block = Sha256::digest(self.block).into();
                self.bytes = self.block.to_vec();
                self.bytes.pop().unwrap_or_default()
            });
            number = number << 8 | u64::from(byte);
        }
        usize::try_from(number % (many.max(1) as u64)).unwrap_or_default()
    }
}
