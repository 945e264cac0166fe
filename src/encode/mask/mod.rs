//! Well-known secrets in raw records, masked before they leave.
//!
//! In: the raw JSON text of a nested part of a record. Out: the same text with secret values replaced by `"****"`. CloudTrail
//! hides most secrets itself; what it lets through are parameters of services that do not mark them, environment variables
//! and CloudFormation parameters. What always holds: JSON stays JSON; text without a suspicious word is copied as it is, after
//! one pass over it.
//!
//! A value is masked when
//! - its key ends like a secret's (case, `_`, `-` and `.` do not matter), or has such a word of its own and is none of the
//!   harmless ones, or
//! - it stands in a list under such a key, or
//! - its own shape is that of a known secret (inside a longer text only that stretch is masked), or it is the password in an
//!   address, or
//! - it is the `value` beside a `name`, `key` or `parameterKey` that speaks of a secret (environment variables, template
//!   parameters, tags), before or behind it, or stands under such a name in a map of names that people chose.
//!
//! Of a resource that changed, every value of an environment variable is masked: what it holds is not asked for there.
//!
//! JSON inside a string is read in the same way; of a text that only holds pieces of JSON, what stands behind a secret's key.
//! The words are in [`words`].

mod pieces;
mod words;

use std::borrow::Cow;

use serde::de::IgnoredAny;

use self::words::{Hides, Key, has_shape, is_suspicious, speaks_of_secret, stretches};

const MASK: &str = "\"****\"";
/// The same inside a text.
const STARS: &str = "****";
/// JSON inside a text inside a text: deeper than this a suspicious text is masked whole.
const DEPTH: u8 = 4;

/// A value in a JSON text, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Where it begins, bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// JSON.
    pub instead: Cow<'static, str>,
}

/// Appends `json` to `out`, masked. Returns how many values were masked.
pub fn push_masked(out: &mut Vec<u8>, json: &str) -> u64 {
    let secrets = secrets(json);
    out.extend_from_slice(edited(json, &secrets).as_deref().unwrap_or(json).as_bytes());
    secrets.len() as u64
}

/// The same for a part of a resource: no value of an environment variable passes, whatever it is called.
pub fn push_masked_resource(out: &mut Vec<u8>, json: &str) {
    let secrets = walk(json, 0, true);
    out.extend_from_slice(edited(json, &secrets).as_deref().unwrap_or(json).as_bytes());
}

/// Whether a name says that whatever stands under it is a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let key = Key::of(name, &mut String::new());
    key.hides > Hides::Nothing || key.is_telling
}

/// A text that stands alone, masked as it would be inside a record.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let masked = if is_suspicious(text) { text_masked(text, 0) } else { None };
    masked.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A text with stretches of it replaced; `None` when there are none.
fn with<'a>(text: &str, stretches: impl Iterator<Item = (usize, usize, &'a str)>) -> Option<String> {
    let (mut edited, mut at) = (String::new(), 0);
    for (from, to, instead) in stretches {
        edited.push_str(text.get(at..from).unwrap_or_default());
        edited.push_str(instead);
        at = to;
    }
    if at == 0 {
        return None;
    }
    edited.push_str(text.get(at..).unwrap_or_default());
    Some(edited)
}

fn edited(json: &str, secrets: &[Secret]) -> Option<String> {
    with(json, secrets.iter().map(|secret| (secret.from, secret.to, secret.instead.as_ref())))
}

/// Whether a text is JSON of the kind that is walked: a list or a map.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What is to be masked in a JSON text, in its order. One look, and no allocation, when there is nothing suspicious.
pub(super) fn secrets(json: &str) -> Vec<Secret> {
    if is_suspicious(json) { walk(json, 0, false) } else { Vec::new() }
}

/// What is to be masked in a whole record, when one of these parts of it is suspicious.
pub(super) fn secrets_of<'a>(record: &str, mut parts: impl Iterator<Item = &'a str>) -> Vec<Secret> {
    if parts.any(is_suspicious) { walk(record, 0, false) } else { Vec::new() }
}

fn walk(text: &str, depth: u8, hides_variables: bool) -> Vec<Secret> {
    let mut walk =
        Walk { text, depth, hides_variables, at: 0, open: vec![Open::default()], found: Vec::new(), plain: String::new() };
    walk.run();
    walk.found.sort_unstable_by_key(|secret| secret.from);
    walk.found.dedup_by_key(|secret| secret.from);
    walk.found
}

/// Which values of a list or map are those of environment variables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Values {
    #[default]
    None,
    /// Those that have their names beside them.
    Named,
    All,
}

/// What is known of a list or map that is being walked.
#[derive(Default)]
struct Open {
    /// In a map: the key of the value that comes. In a list: the key of the list.
    key: Option<Key>,
    is_list: bool,
    /// A list under a secret key.
    is_secret: bool,
    /// The keys are names that people chose.
    is_named: bool,
    /// Which of its values are those of environment variables.
    variables: Values,
    /// The key of the value that a name beside it calls a secret.
    sibling: Option<&'static str>,
    /// Values that came before a name, with their keys.
    before: Vec<(&'static str, usize, usize)>,
}

/// A walk over the strings of a JSON text. The text is valid JSON: the record's parser has seen it; of any other text, as may
/// stand inside a string, only whole strings and numbers are replaced.
struct Walk<'a> {
    text: &'a str,
    depth: u8,
    /// No value of an environment variable passes.
    hides_variables: bool,
    at: usize,
    open: Vec<Open>,
    found: Vec<Secret>,
    /// A buffer for names.
    plain: String,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    let (from, end, to) = self.string();
                    let inside = self.text.get(from + 1..end).unwrap_or_default();
                    if self.next_is_colon() {
                        if let Some(open) = self.open.last_mut() {
                            open.key = Some(Key::of(inside, &mut self.plain));
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
        let is_secret = is_list && (above.is_secret || above.key.is_some_and(|key| above.has_secret(key)));
        let is_named = !is_list && above.key.is_some_and(|key| key.is_named);
        let variables = match (is_list, above.variables) {
            // A pair of a list of them.
            (false, Values::All) if above.is_list => Values::Named,
            _ if !above.is_list && above.key.is_some_and(|key| key.variables.are_in(is_list)) => Values::All,
            _ => Values::None,
        };
        let key = above.key.filter(|_| is_list);
        self.open.push(Open { key, is_list, is_secret, is_named, variables, ..Open::default() });
    }

    fn value(&mut self, inside: &'a str, from: usize, to: usize) {
        let Some(open) = self.open.last_mut() else { return };
        if inside.is_empty() {
            return;
        }
        let key = open.key.filter(|_| !open.is_list);
        let is_variable = match open.variables {
            Values::None => false,
            Values::Named => key.is_some_and(|key| key.named.is_some()),
            Values::All => true,
        };
        let is_variable = is_variable && self.hides_variables;
        if is_variable || open.is_secret || key.is_some_and(|key| open.has_secret(key)) {
            self.found.push(Secret { from, to, instead: MASK.into() });
        } else {
            if let Some(named) = key.and_then(|key| key.named) {
                open.before.push((named, from, to));
            }
            if is_suspicious(inside)
                && let Some(instead) = string_masked(self.text.get(from..to).unwrap_or_default(), self.depth)
            {
                self.found.push(Secret { from, to, instead });
            }
        }
        if let Some(names) = key.and_then(|key| key.names).filter(|_| speaks_of_secret(inside, &mut self.plain)) {
            open.sibling = Some(names);
            for (_, from, to) in open.before.drain(..).filter(|(named, ..)| *named == names) {
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
        if is_number && self.open.last().and_then(|open| open.key).is_some_and(|key| key.hides == Hides::Numbers) {
            self.found.push(Secret { from, to: self.at, instead: MASK.into() });
        }
    }

    /// Steps over the string that begins here; where it begins, where its inside ends, and where it ends with its quote.
    fn string(&mut self) -> (usize, usize, usize) {
        let from = self.at;
        self.at += 1;
        let bytes = self.text.as_bytes();
        while let Some(step) = memchr::memchr2(b'"', b'\\', bytes.get(self.at..).unwrap_or_default()) {
            self.at += step + 1;
            if bytes.get(self.at - 1) == Some(&b'"') {
                return (from, self.at - 1, self.at);
            }
            // Whatever is escaped.
            self.at += 1;
        }
        // A string without an end, as may stand in a text that is no JSON: all the rest.
        self.at = self.text.len();
        (from, self.at, self.at)
    }

    fn next_is_colon(&self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        rest.trim_ascii_start().first() == Some(&b':')
    }
}

impl Open {
    /// Whether the text under `key`, in this map, is a secret.
    fn has_secret(&self, key: Key) -> bool {
        key.hides >= Hides::Texts || (self.sibling.is_some() && self.sibling == key.named) || (self.is_named && key.is_telling)
    }
}

/// A JSON string with its quotes, masked. It is looked at as the text that it stands for: an escape's own letters belong to no
/// word, and what comes behind it begins one.
fn string_masked(quoted: &str, depth: u8) -> Option<Cow<'static, str>> {
    let unescaped = serde_json::from_str::<&str>(quoted).map(Cow::Borrowed);
    let Ok(text) = unescaped.or_else(|_| serde_json::from_str(quoted).map(Cow::Owned)) else {
        // No string of JSON, as may stand in a text that only looks like it.
        return has_shape(quoted).then_some(MASK.into());
    };
    let masked = text_masked(&text, depth)?;
    Some(serde_json::to_string(&masked).map_or(MASK.into(), Cow::Owned))
}

/// A text, masked: JSON like a part of a record, and of what is no JSON the values behind a secret's key and the stretches with the
/// shape of a secret.
fn text_masked(text: &str, depth: u8) -> Option<String> {
    let mut masked = Cow::Borrowed(text);
    if text.trim_start().starts_with(['{', '[']) {
        if depth >= DEPTH {
            return Some(STARS.to_owned());
        }
        masked = edited(text, &walk(text, depth + 1, false)).map_or(masked, Cow::Owned);
    }
    // The strings of JSON have been looked at, and its escapes are no text.
    if !is_json(text) {
        let found = pieces::values(&masked);
        let again = with(&masked, found.into_iter().map(|(from, to)| (from, to, STARS)));
        masked = again.map_or(masked, Cow::Owned);
        let found = stretches(&masked);
        let again = with(&masked, found.into_iter().map(|(from, to)| (from, to, STARS)));
        masked = again.map_or(masked, Cow::Owned);
    }
    match masked {
        Cow::Owned(masked) => Some(masked),
        Cow::Borrowed(_) => None,
    }
}

#[cfg(test)]
mod tests;
