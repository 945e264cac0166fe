//! What makes a key or a value speak of a secret.
//!
//! In: a key, or a text. Out: what it says. All of it is data: a new word is a new row. What always holds: a text without one of
//! these words is told by one pass of an automaton, without an allocation.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem::Finder;

/// Endings of key names whose text values are secrets.
pub(super) const KEYS: [&str; 22] = [
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
    "keymaterial",
    "connectionstring",
    "userdata",
];

/// Beginnings of values that are secrets wherever they stand, with the least length of the whole. Whoever has the address of a
/// webhook may write to it: one with a slash ends where the address does.
pub(super) const SHAPES: [(&str, usize); 16] = [
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
    ("hooks.slack.com/services/", 40),
    ("discord.com/api/webhooks/", 45),
    ("discordapp.com/api/webhooks/", 48),
    ("webhook.office.com/webhookb2/", 45),
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

/// Keys of environment variables, without separators, and in which forms.
const VARIABLES: [(&str, Variables); 3] =
    [("variables", Variables::Map), ("environment", Variables::List), ("environmentvariables", Variables::MapOrList)];

/// What stands before the host of an address.
static AUTHORITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("://"));

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

/// The shapes, as they are written.
static SHAPED: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(SHAPES.map(|(shape, _)| shape)).ok());

/// Whether a text may hold a secret. Quick: every other look is only at texts for which this is true.
pub(super) fn is_suspicious(text: &str) -> bool {
    // Were the automaton ever missing, everything is looked at closely.
    SUSPECT.as_ref().is_none_or(|suspect| suspect.is_match(text)) || passwords(text).next().is_some()
}

/// Where passwords in addresses stand, `amqp://user:password@host`: from, to.
fn passwords(text: &str) -> impl Iterator<Item = (usize, usize)> {
    AUTHORITY.find_iter(text.as_bytes()).filter_map(|at| {
        let from = at + "://".len();
        let rest = text.get(from..)?;
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\');
        let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
        let user = authority.get(..authority.rfind('@')?)?;
        let password = user.find(':')? + 1;
        (password < user.len()).then_some((from + password, from + user.len()))
    })
}

/// Which values under a key are secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hides {
    #[default]
    Nothing,
    /// Texts, also those of a list.
    Texts,
    /// Texts, and numbers too.
    Numbers,
}

/// The form in which environment variables stand under a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Variables {
    /// They are none.
    #[default]
    None,
    /// Names and their values.
    Map,
    /// A list of pairs, or of texts.
    List,
    MapOrList,
}

impl Variables {
    /// Whether a list, or else a map, holds them.
    pub(super) fn are_in(self, is_list: bool) -> bool {
        self == Self::MapOrList || self == if is_list { Self::List } else { Self::Map }
    }
}

/// What a key says of its value. Asked once for each key, of nothing but the key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Key {
    /// What under it is a secret.
    pub hides: Hides,
    /// It is a secret's name, if it is a name that somebody chose.
    pub is_telling: bool,
    /// The keys of a map under it are such names.
    pub is_named: bool,
    /// Whether what stands under it are environment variables.
    pub variables: Variables,
    /// Its value is the name of a value beside it: that one's key.
    pub names: Option<&'static str>,
    /// Its value may be named by a value beside it: the key itself.
    pub named: Option<&'static str>,
}

impl Key {
    /// Reads a key. `plain` is a buffer.
    pub(super) fn of(written: &str, plain: &mut String) -> Self {
        let plain = simplify(written, plain);
        let mut key = Self {
            is_named: NAMED.contains(&plain),
            variables: VARIABLES.iter().find(|(key, _)| *key == plain).map(|(_, form)| *form).unwrap_or_default(),
            names: PAIRS.iter().find(|(name, _)| *name == plain).map(|(_, value)| *value),
            named: PAIRS.iter().find(|(_, value)| *value == plain).map(|(_, value)| *value),
            ..Self::default()
        };
        if is_suspicious(plain) {
            let is_harmless = HARMLESS_ENDINGS.iter().chain(&HARMLESS_TOKENS).any(|ending| plain.ends_with(ending));
            key.is_telling = !is_harmless && WORDS.iter().any(|word| plain.contains(word));
            key.hides = if KEYS.iter().any(|ending| plain.ends_with(ending)) {
                Hides::Numbers
            } else if !is_harmless && has_word(written) {
                Hides::Texts
            } else {
                Hides::Nothing
            };
        }
        key
    }
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

/// Whether a name that stands beside a value makes it a secret. `plain` is a buffer.
pub(super) fn speaks_of_secret(name: &str, plain: &mut String) -> bool {
    let plain = simplify(name, plain);
    WORDS.iter().any(|word| plain.contains(word))
}

/// A name in small letters, without separators.
fn simplify<'b>(name: &str, plain: &'b mut String) -> &'b str {
    plain.clear();
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | '.' | ' '));
    plain.extend(letters.map(|letter| letter.to_ascii_lowercase()));
    plain
}

/// Whether the beginning of a known shape stands anywhere in a text.
pub(super) fn has_shape(text: &str) -> bool {
    SHAPED.as_ref().is_none_or(|shaped| shaped.is_match(text))
}

/// Where secrets stand in a text without escapes, by their shape or their place: from, to, in order and apart.
pub(super) fn stretches(text: &str) -> Vec<(usize, usize)> {
    let mut found = shapes(text);
    let apart: Vec<_> =
        passwords(text).filter(|(from, to)| found.iter().all(|(start, end)| to <= start || end <= from)).collect();
    if !apart.is_empty() {
        found.extend(apart);
        found.sort_unstable();
    }
    found
}

/// Where secrets of a known shape stand in a text without escapes: from, to. One that begins the text takes it whole.
fn shapes(text: &str) -> Vec<(usize, usize)> {
    let Some(shaped) = SHAPED.as_ref() else { return Vec::new() };
    let (mut found, mut end) = (Vec::new(), 0);
    for hit in shaped.find_iter(text) {
        let (from, bytes) = (hit.start(), text.as_bytes());
        let Some((shape, least)) = SHAPES.get(hit.pattern().as_usize()) else { continue };
        // In the middle of a word it is something else.
        let is_word = from.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        let rest = text.get(from..).unwrap_or_default();
        let ends = if shape.contains('/') { ends_address } else { ends_token };
        let length = if from == 0 || shape.starts_with('-') { rest.len() } else { rest.find(ends).unwrap_or(rest.len()) };
        if from >= end && !is_word && length >= *least {
            end = from + length;
            found.push((from, end));
        }
    }
    found
}

/// What cannot stand in an address.
fn ends_address(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | '|' | ')' | ',')
}

/// What cannot stand in a token.
fn ends_token(letter: char) -> bool {
    !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '=' | '/' | '+' | '~'))
}
