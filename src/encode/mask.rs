//! Well-known secrets in raw records, masked before they leave.
//!
//! In: the raw JSON text of a nested part of a record. Out: the same text with secret values replaced by `"****"`. CloudTrail
//! hides most secrets itself; what it lets through are parameters of services that do not mark them, environment variables
//! and CloudFormation parameters. What always holds: JSON stays JSON; text without a suspicious word is copied as it is, after
//! one pass over it.
//!
//! A value is masked when
//! - its key ends with one of [`KEYS`] (case does not matter), or
//! - its own shape is that of a known secret ([`SHAPES`]), or
//! - it is the `value` beside a `name`, `key` or `parameterKey` that speaks of a secret (environment variables, template
//!   parameters, tags).

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// Endings of key names whose text values are secrets.
pub const KEYS: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "secretstring",
    "secretbinary",
    "secretaccesskey",
    "secretkey",
    "clientsecret",
    "sharedsecret",
    "sessiontoken",
    "securitytoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "bearertoken",
    "apikey",
    "privatekey",
    "presharedkey",
];

/// Beginnings of values that are secrets wherever they stand, with the least length of the whole.
pub const SHAPES: [(&str, usize); 12] = [
    ("-----BEGIN", 40),
    ("ghp_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("NRAK-", 20),
    ("AIza", 35),
    ("eyJhbGciOi", 40),
    ("npm_", 36),
    ("hvs.", 24),
];

/// Words in the name beside a value that make the value a secret.
const WORDS: [&str; 7] = ["password", "passwd", "secret", "token", "api_key", "apikey", "private_key"];

/// Keys of a name that stands beside its value, and the value's key.
const PAIRS: [(&str, &str); 4] =
    [("name", "value"), ("key", "value"), ("parameterkey", "parametervalue"), ("parametername", "parametervalue")];

const MASK: &[u8] = b"\"****\"";

/// One automaton over everything that could make a value a secret: the first look at a text.
static SUSPECT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let patterns = KEYS.iter().copied().chain(SHAPES.iter().map(|(shape, _)| *shape)).chain(WORDS);
    AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(patterns).ok()
});

/// Appends `json` to `out`, masked. Returns how many values were masked.
pub fn push_masked(out: &mut Vec<u8>, json: &str) -> u64 {
    // Were the automaton ever missing, everything is looked at closely.
    let suspect = SUSPECT.as_ref().is_none_or(|suspect| suspect.is_match(json));
    if suspect {
        return Walk { text: json, at: 0, copied: 0, masked: 0, out }.run();
    }
    out.extend_from_slice(json.as_bytes());
    0
}

/// A walk over the strings of a JSON text. The text is valid JSON: the record's parser has seen it.
struct Walk<'a, 'o> {
    text: &'a str,
    at: usize,
    copied: usize,
    masked: u64,
    out: &'o mut Vec<u8>,
}

impl<'a> Walk<'a, '_> {
    fn run(mut self) -> u64 {
        let mut key: Option<&'a str> = None;
        // The key of the value that a name beside it calls a secret.
        let mut secret_sibling: Option<&'static str> = None;
        while let Some(byte) = self.byte() {
            if byte != b'"' {
                match byte {
                    b',' => key = None,
                    b'{' | b'}' | b'[' | b']' => (key, secret_sibling) = (None, None),
                    b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => {
                        self.scalar(key);
                        continue;
                    }
                }
                self.at += 1;
                continue;
            }
            let (from, to) = self.string();
            let inside = self.text.get(from + 1..to - 1).unwrap_or_default();
            if self.next_is_colon() {
                key = Some(inside);
                continue;
            }
            let by_key = key.is_some_and(is_secret_key);
            let by_sibling = key.is_some_and(|key| secret_sibling.is_some_and(|sibling| key.eq_ignore_ascii_case(sibling)));
            if (by_key || by_sibling || is_secret_shape(inside)) && !inside.is_empty() {
                self.mask(from, to);
            }
            if let Some((_, value)) = key.and_then(|key| PAIRS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name))) {
                secret_sibling = speaks_of_secret(inside).then_some(*value);
            }
            key = None;
        }
        self.out.extend_from_slice(self.text.as_bytes().get(self.copied..).unwrap_or_default());
        self.masked
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a number or word; masks it when its key says so (`null` and flags tell nothing).
    fn scalar(&mut self, key: Option<&str>) {
        let from = self.at;
        let is_number = self.byte().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
        while self.byte().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'"')) {
            self.at += 1;
        }
        if is_number && key.is_some_and(is_secret_key) {
            self.mask(from, self.at);
        }
    }

    /// Steps over the string that begins here; its place with the quotes.
    fn string(&mut self) -> (usize, usize) {
        let from = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        self.at = self.at.min(self.text.len());
        (from, self.at.max(from + 2).min(self.text.len()))
    }

    fn next_is_colon(&self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        rest.trim_ascii_start().first() == Some(&b':')
    }

    fn mask(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(self.text.as_bytes().get(self.copied..from).unwrap_or_default());
        self.out.extend_from_slice(MASK);
        self.copied = to;
        self.masked += 1;
    }
}

fn is_secret_key(key: &str) -> bool {
    KEYS.iter().any(|ending| {
        key.len().checked_sub(ending.len()).and_then(|at| key.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    })
}

fn is_secret_shape(value: &str) -> bool {
    SHAPES.iter().any(|(shape, least)| value.len() >= *least && value.starts_with(shape))
}

fn speaks_of_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(json: &str) -> String {
        let mut out = Vec::new();
        push_masked(&mut out, json);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let jwt = format!("eyJhbGciOiJIUzI1NiJ9.{}", "a".repeat(40));
        for (name, before, after) in [
            (
                "password",
                r#"{"masterUserPassword":"hunter2","dbName":"x"}"#.to_owned(),
                r#"{"masterUserPassword":"****","dbName":"x"}"#.to_owned(),
            ),
            ("spaces", r#"{ "Password" : "hunter2" }"#.into(), r#"{ "Password" : "****" }"#.into()),
            ("number", r#"{"password":12345,"x":12345}"#.into(), r#"{"password":"****","x":12345}"#.into()),
            (
                "null and flags",
                r#"{"password":null,"resetPassword":true}"#.into(),
                r#"{"password":null,"resetPassword":true}"#.into(),
            ),
            (
                "not the end of the key",
                r#"{"passwordResetRequired":"yes","nextToken":"t","secretId":"prod/db"}"#.into(),
                r#"{"passwordResetRequired":"yes","nextToken":"t","secretId":"prod/db"}"#.into(),
            ),
            ("escaped quote", r#"{"secretString":"a\"b\\","y":"z"}"#.into(), r#"{"secretString":"****","y":"z"}"#.into()),
            ("shape in a list", format!(r#"{{"args":["--token","{jwt}"]}}"#), r#"{"args":["--token","****"]}"#.into()),
            (
                "environment",
                r#"{"environment":[{"name":"DB_PASSWORD","value":"x"},{"name":"LEVEL","value":"info"}]}"#.into(),
                r#"{"environment":[{"name":"DB_PASSWORD","value":"****"},{"name":"LEVEL","value":"info"}]}"#.into(),
            ),
            (
                "template parameter",
                r#"{"parameters":[{"parameterKey":"AdminSecret","parameterValue":"x"}]}"#.into(),
                r#"{"parameters":[{"parameterKey":"AdminSecret","parameterValue":"****"}]}"#.into(),
            ),
            (
                "credentials",
                r#"{"credentials":{"accessKeyId":"ASIA1","sessionToken":"FwoG","expiration":"x"}}"#.into(),
                r#"{"credentials":{"accessKeyId":"ASIA1","sessionToken":"****","expiration":"x"}}"#.into(),
            ),
            ("nothing", r#"{"bucketName":"b"}"#.into(), r#"{"bucketName":"b"}"#.into()),
        ] {
            assert_eq!(masked(&before), after, "{name}");
        }
    }

    proptest! {
        /// JSON in, JSON out; and no value under a secret key survives.
        #[test]
        fn masking_keeps_json(text in ".{0,20}", secret in ".{1,20}", key in prop::sample::select(KEYS.to_vec())) {
            let json = serde_json::json!({"a": [text, {"b": text}], format!("my{key}"): secret, "c": {"d": 1, "e": null}}).to_string();
            let after: serde_json::Value = serde_json::from_str(&masked(&json)).unwrap();
            prop_assert_eq!(after[format!("my{key}")].as_str(), Some("****"));
            prop_assert_eq!(after["c"]["d"].as_i64(), Some(1));
        }

        /// No panic on any text; without a suspicious word the text is unchanged.
        #[test]
        fn any_text_is_walked(text in r#"[\{\}\[\]",:\\ pasword0é]{0,60}"#) {
            let _out = masked(&text);
        }
    }
}
