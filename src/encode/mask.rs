//! Well-known secrets in raw records, masked before they leave.
//!
//! In: the raw JSON text of a nested part of a record. Out: the same text with secret values replaced by `"****"`. CloudTrail
//! hides most secrets itself; what it lets through are parameters of services that do not mark them, environment variables
//! and CloudFormation parameters. What always holds: JSON stays JSON; text without a suspicious word is copied as it is, after
//! one pass over it.
//!
//! A value is masked when
//! - its key ends with one of [`KEYS`] (case, `_`, `-` and `.` do not matter), or has one of [`KEY_WORDS`] as a word of its own
//!   and is none of the harmless ones ([`HARMLESS_ENDINGS`], [`HARMLESS_TOKENS`]), or
//! - it stands in a list under such a key, or
//! - its own shape is that of a known secret ([`SHAPES`]), or
//! - it is the `value` beside a `name`, `key` or `parameterKey` that speaks of a secret (environment variables, template
//!   parameters, tags), before or behind it, or stands under such a name in a map of names that people chose ([`NAMED`]).
//!
//! JSON inside a string is read in the same way.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

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
const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "privatekey"];

/// Keys of a name that stands beside its value, and the value's key, without separators.
const PAIRS: [(&str, &str); 4] =
    [("name", "value"), ("key", "value"), ("parameterkey", "parametervalue"), ("parametername", "parametervalue")];

/// Words that make the value a secret when they stand on their own in its key: `DB_SECRET`, `github-token`, `dbPassword1`.
const KEY_WORDS: [&str; 5] = ["password", "passwd", "passphrase", "secret", "token"];

/// Keys with such a word, or endings of them, that name no secret but something about one, without separators.
const HARMLESS_ENDINGS: [&str; 31] = [
    "id",
    "ids",
    "arn",
    "arns",
    "name",
    "type",
    "length",
    "age",
    "policy",
    "required",
    "version",
    "status",
    "date",
    "time",
    "expiry",
    "expiration",
    "enabled",
    "count",
    "used",
    "changed",
    "stage",
    "stages",
    "format",
    "source",
    "validity",
    "usage",
    "period",
    "days",
    "prevention",
    "endpoint",
    "mode",
];

/// Keys of tokens that open nothing: pages of lists, repeats of calls, versions. With and without what may stand before them.
const HARMLESS_TOKENS: [&str; 18] = [
    "nexttoken",
    "clienttoken",
    "clientrequesttoken",
    "continuationtoken",
    "paginationtoken",
    "pagetoken",
    "startingtoken",
    "idempotencytoken",
    "creationtoken",
    "requesttoken",
    "changetoken",
    "locktoken",
    "sequencetoken",
    "synctoken",
    "forwardtoken",
    "signintoken",
    "backwardtoken",
    "clientidempotencytoken",
];

/// Maps whose keys are names that people chose, without separators.
const NAMED: [&str; 6] = ["variables", "environment", "environmentvariables", "parameters", "tags", "secrets"];

const MASK: &str = "\"****\"";
/// JSON inside a text inside a text: deeper than this a suspicious text is masked whole.
const DEPTH: u8 = 4;

/// One automaton over everything that could make a value a secret: the first look at a text.
static SUSPECT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let apart = ["api_key", "api-key", "private_key", "private-key", "shared_key", "shared-key"];
    let patterns = KEYS.iter().copied().chain(SHAPES.iter().map(|(shape, _)| *shape)).chain(WORDS).chain(KEY_WORDS).chain(apart);
    // The letters are common ones: a prefilter would stop at every other byte, a table costs the same for each.
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .prefilter(false)
        .build(patterns)
        .ok()
});

/// A stretch of a text, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Where it begins, bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// JSON, when the stretch is a value; text without anything to escape, when it stands inside one.
    pub instead: Cow<'static, str>,
}

/// Appends `json` to `out`, masked. Returns how many values were masked.
pub fn push_masked(out: &mut Vec<u8>, json: &str) -> u64 {
    let secrets = secrets(json);
    let mut at = 0;
    for secret in &secrets {
        out.extend_from_slice(json.as_bytes().get(at..secret.from).unwrap_or_default());
        out.extend_from_slice(secret.instead.as_bytes());
        at = secret.to;
    }
    out.extend_from_slice(json.as_bytes().get(at..).unwrap_or_default());
    secrets.len() as u64
}

/// What is to be masked in a JSON text, in its order. One look, and no allocation, when there is nothing suspicious.
pub(super) fn secrets(json: &str) -> Vec<Secret> {
    if is_suspicious(json) { walk(json, 0) } else { Vec::new() }
}

/// What is to be masked in a whole record, when one of these parts of it is suspicious.
pub(super) fn secrets_of<'a>(record: &str, mut parts: impl Iterator<Item = &'a str>) -> Vec<Secret> {
    if parts.any(is_suspicious) { walk(record, 0) } else { Vec::new() }
}

fn is_suspicious(text: &str) -> bool {
    // Were the automaton ever missing, everything is looked at closely.
    SUSPECT.as_ref().is_none_or(|suspect| suspect.is_match(text))
}

fn walk(text: &str, depth: u8) -> Vec<Secret> {
    let mut walk = Walk { text, depth, at: 0, open: vec![Open::default()], found: Vec::new() };
    walk.run();
    walk.found.sort_unstable_by_key(|secret| secret.from);
    walk.found.dedup_by_key(|secret| secret.from);
    walk.found
}

/// What is known of a list or map that is being walked.
#[derive(Default)]
struct Open<'a> {
    /// In a map: the key of the value that comes. In a list: the key of the list.
    key: Option<&'a str>,
    is_list: bool,
    /// A list under a secret key.
    is_secret: bool,
    /// The keys are names that people chose.
    is_named: bool,
    /// The key of the value that a name beside it calls a secret.
    sibling: Option<&'static str>,
    /// Values that came before a name, with their keys.
    before: Vec<(&'a str, usize, usize)>,
}

/// A walk over the strings of a JSON text. The text is valid JSON: the record's parser has seen it; of any other text, as may
/// stand inside a string, only whole strings and numbers are replaced.
struct Walk<'a> {
    text: &'a str,
    depth: u8,
    at: usize,
    open: Vec<Open<'a>>,
    found: Vec<Secret>,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    let (from, to) = self.string();
                    let inside = self.text.get(from + 1..to - 1).unwrap_or_default();
                    if self.next_is_colon() {
                        if let Some(open) = self.open.last_mut() {
                            open.key = Some(inside);
                        }
                    } else {
                        self.value(inside, from, to);
                    }
                    continue;
                }
                b'{' | b'[' => self.enter(byte == b'['),
                b'}' | b']' if self.open.len() > 1 => drop(self.open.pop()),
                b',' => {
                    if let Some(open) = self.open.last_mut().filter(|open| !open.is_list) {
                        open.key = None;
                    }
                }
                b'}' | b']' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => {
                    self.scalar();
                    continue;
                }
            }
            self.at += 1;
        }
    }

    fn enter(&mut self, is_list: bool) {
        let Some(above) = self.open.last() else { return };
        let is_secret = is_list && (above.is_secret || above.key.is_some_and(|key| above.names_secret(key)));
        let is_named = !is_list && above.key.is_some_and(|key| NAMED.contains(&plain(key).as_str()));
        let key = above.key.filter(|_| is_list);
        self.open.push(Open { key, is_list, is_secret, is_named, ..Open::default() });
    }

    fn value(&mut self, inside: &'a str, from: usize, to: usize) {
        let Some(open) = self.open.last_mut() else { return };
        if inside.is_empty() {
            return;
        }
        let key = open.key.filter(|_| !open.is_list);
        if open.is_secret || key.is_some_and(|key| open.names_secret(key)) || is_secret_shape(inside) {
            self.found.push(Secret { from, to, instead: MASK.into() });
        } else {
            if let Some(key) = key.filter(|key| PAIRS.iter().any(|(_, value)| plain(key) == *value)) {
                open.before.push((key, from, to));
            }
            let found = text_inside(self.text.get(from..to).unwrap_or_default(), from, to, self.depth);
            self.found.extend(found);
        }
        let Some(key) = key.map(plain) else { return };
        if let Some((_, value)) = PAIRS.iter().find(|(name, _)| key == *name).filter(|_| speaks_of_secret(inside)) {
            open.sibling = Some(value);
            for (_, from, to) in open.before.drain(..).filter(|(key, ..)| plain(key) == *value) {
                self.found.retain(|secret| secret.from < from || secret.from >= to);
                self.found.push(Secret { from, to, instead: MASK.into() });
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a number or word; masks it when its key says so (`null` and flags tell nothing).
    fn scalar(&mut self) {
        let from = self.at;
        let is_number = self.byte().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
        while self.byte().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b'"')) {
            self.at += 1;
        }
        if is_number && self.open.last().and_then(|open| open.key).is_some_and(|key| has_secret_ending(&plain(key))) {
            self.found.push(Secret { from, to: self.at, instead: MASK.into() });
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
}

impl Open<'_> {
    /// Whether the text under `key`, in this map, is a secret.
    fn names_secret(&self, key: &str) -> bool {
        is_secret_key(key)
            || self.sibling.is_some_and(|sibling| plain(key) == sibling)
            || (self.is_named && speaks_of_secret(key) && !is_harmless(&plain(key)))
    }
}

/// JSON that stands inside a string (`quoted`, from `from` to `to`), masked.
fn text_inside(quoted: &str, from: usize, to: usize, depth: u8) -> Option<Secret> {
    let inner = quoted.get(1..)?.trim_start();
    if !inner.starts_with(['{', '[']) || !is_suspicious(inner) {
        return None;
    }
    if depth >= DEPTH {
        return Some(Secret { from, to, instead: MASK.into() });
    }
    let text: String = serde_json::from_str(quoted).ok()?;
    let found = walk(&text, depth + 1);
    if found.is_empty() {
        return None;
    }
    let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
    for secret in found {
        masked.push_str(text.get(at..secret.from).unwrap_or_default());
        masked.push_str(&secret.instead);
        at = secret.to;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    serde_json::to_string(&masked).ok().map(|instead| Secret { from, to, instead: instead.into() })
}

/// A key in small letters, without separators.
fn plain(key: &str) -> String {
    key.chars().filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ')).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn has_secret_ending(plain: &str) -> bool {
    KEYS.iter().any(|ending| plain.ends_with(ending))
}

fn is_harmless(plain: &str) -> bool {
    HARMLESS_ENDINGS.iter().chain(&HARMLESS_TOKENS).any(|ending| plain.ends_with(ending))
}

fn is_secret_key(key: &str) -> bool {
    let plain = plain(key);
    has_secret_ending(&plain) || (KEY_WORDS.iter().any(|word| plain.contains(word)) && has_word(key) && !is_harmless(&plain))
}

/// Whether one of [`KEY_WORDS`] stands in a key on its own: between separators, digits or changes of case.
fn has_word(key: &str) -> bool {
    let bytes = key.as_bytes();
    let lower = key.to_ascii_lowercase();
    KEY_WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(from, _)| {
            let to = from + word.len();
            let (before, first) = (from.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(from));
            let (last, after) = (bytes.get(to - 1), bytes.get(to));
            let begins = before.is_none_or(|before| {
                !before.is_ascii_alphabetic() || (before.is_ascii_lowercase() && first.is_some_and(u8::is_ascii_uppercase))
            });
            let ends = after.is_none_or(|after| {
                !after.is_ascii_alphabetic() || (last.is_some_and(u8::is_ascii_lowercase) && after.is_ascii_uppercase())
            });
            begins && ends
        })
    })
}

fn is_secret_shape(value: &str) -> bool {
    SHAPES.iter().any(|(shape, least)| value.len() >= *least && value.starts_with(shape))
}

fn speaks_of_secret(name: &str) -> bool {
    let plain = plain(name);
    WORDS.iter().any(|word| plain.contains(word))
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
            (
                "separators",
                r#"{"variables":{"API_KEY":"x","GITHUB_TOKEN":"x","STRIPE_SECRET_KEY":"x","db_secret":"x","DBPASSWORD1":"x","LEVEL":"y","TOKEN_TYPE":"y"}}"#.into(),
                r#"{"variables":{"API_KEY":"****","GITHUB_TOKEN":"****","STRIPE_SECRET_KEY":"****","db_secret":"****","DBPASSWORD1":"****","LEVEL":"y","TOKEN_TYPE":"y"}}"#.into(),
            ),
            (
                "value before name",
                r#"{"e":[{"value":"hunter2","name":"DB_PASSWORD"},{"value":"info","name":"LEVEL"}]}"#.into(),
                r#"{"e":[{"value":"****","name":"DB_PASSWORD"},{"value":"info","name":"LEVEL"}]}"#.into(),
            ),
            ("list", r#"{"password":["pw1","pw2",["x"]],"y":["z"]}"#.into(), r#"{"password":["****","****",["****"]],"y":["z"]}"#.into()),
            (
                "JSON in a string",
                r#"{"templateBody":"{\"Password\":\"hunter3\",\"a\":1}","x":"{\"a\":\"secret\"}"}"#.into(),
                r#"{"templateBody":"{\"Password\":\"****\",\"a\":1}","x":"{\"a\":\"secret\"}"}"#.into(),
            ),
            (
                "about secrets",
                r#"{"clientRequestToken":"a","secretArn":"b","httpTokens":"required","tokenType":"c","secretName":"d","passwordLastUsed":"e","lockToken":"f","GetSigninToken":"Success","passwordMode":"managed"}"#.into(),
                r#"{"clientRequestToken":"a","secretArn":"b","httpTokens":"required","tokenType":"c","secretName":"d","passwordLastUsed":"e","lockToken":"f","GetSigninToken":"Success","passwordMode":"managed"}"#.into(),
            ),
            ("nothing", r#"{"bucketName":"b"}"#.into(), r#"{"bucketName":"b"}"#.into()),
        ] {
            assert_eq!(masked(&before), after, "{name}");
        }
    }

    proptest! {
        /// JSON in, JSON out; and no value under a secret key survives, however the key is written.
        #[test]
        fn masking_keeps_json(
            text in ".{0,20}",
            secret in ".{1,20}",
            key in prop::sample::select(KEYS.to_vec()),
            shape in 0..4_usize,
        ) {
            let key = match shape {
                0 => format!("my{key}"),
                1 => format!("MY_{}", key.to_uppercase()),
                2 => format!("{}-{}", key.split_at(3).0, key.split_at(3).1),
                _ => format!("my.{key}"),
            };
            let inner = serde_json::json!({key.as_str(): secret}).to_string();
            // Words that the first look knows, whatever the key's separators.
            let json = serde_json::json!({"hint": "password", "a": [text, {"b": text}], key.as_str(): [secret], "t": inner, "c": {"d": 1, "e": null}});
            let after: serde_json::Value = serde_json::from_str(&masked(&json.to_string())).unwrap();
            prop_assert_eq!(after[key.as_str()][0].as_str(), Some("****"));
            prop_assert_eq!(&after["a"], &json["a"]);
            prop_assert_eq!(after["c"]["d"].as_i64(), Some(1));
        }

        /// No panic on any text; without a suspicious word the text is unchanged.
        #[test]
        fn any_text_is_walked(text in r#"([\{\}\[\]",:\\ 0é]|password|token|pasword){0,40}"#) {
            let after = masked(&text);
            let _walked = walk(&text, 0);
            if !text.contains("password") && !text.contains("token") {
                prop_assert_eq!(after, text);
            }
        }
    }
}
