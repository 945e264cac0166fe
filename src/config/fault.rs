//! What is wrong with a configuration, told to a person.
//!
//! In: faults found anywhere between file and environment. Out: one text that names all of them, each with its key, its
//! place, what was found, what is allowed and what to do. What always holds: nothing that looks like a key is printed. It
//! finds no faults itself.

use std::fmt;
use std::path::{Path, PathBuf};

/// Longest part of a found value that is printed, characters.
const SHOWN_CHARS: usize = 120;

/// Most faults that are printed; a file of some other kind would fill the screen.
const SHOWN_FAULTS: usize = 100;

/// Letters and digits in a row from which on a text may be a key, and is not printed. New Relic's keys have 32 or more.
const KEY_CHARS: usize = 32;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of the file, from 1.
    Line(usize),
    /// An environment variable.
    Variable(Box<str>),
    /// Nowhere: it is missing, or is about the whole file.
    Nowhere,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Key path, as `sources[1].queueUrl`; empty when the fault has only a place.
    pub path: Box<str>,
    /// Where it is written.
    pub place: Place,
    /// What is wrong, without the value.
    pub what: Box<str>,
    /// The value found, already safe to print.
    pub was: Option<Box<str>>,
    /// What may stand there.
    pub allowed: Option<Box<str>>,
    /// What the reader can do.
    pub hint: Option<Box<str>>,
}

impl Fault {
    /// A fault at a key.
    #[must_use]
    pub fn new(path: impl Into<Box<str>>, place: Place, what: impl Into<Box<str>>) -> Self {
        Self { path: path.into(), place, what: what.into(), was: None, allowed: None, hint: None }
    }

    /// With the value found; what looks like a key is masked.
    #[must_use]
    pub fn was(mut self, value: &str) -> Self {
        self.was = Some(format!("{:?}", shown(value)).into());
        self
    }

    /// With stars in place of the value found.
    #[must_use]
    pub fn was_secret(mut self) -> Self {
        self.was = Some("****".into());
        self
    }

    /// With what may stand there.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<Box<str>>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what to do, when there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.map(Into::into).or(self.hint);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.path, &self.place) {
            ("", Place::Line(line)) => write!(f, "  line {line}: ")?,
            ("", Place::Variable(name)) => write!(f, "  {name}: ")?,
            ("", Place::Nowhere) => f.write_str("  ")?,
            (path, Place::Line(line)) => write!(f, "  {path} (line {line}): ")?,
            (path, Place::Variable(name)) => write!(f, "  {path} ({name}): ")?,
            (path, Place::Nowhere) => write!(f, "  {path}: ")?,
        }
        f.write_str(&self.what)?;
        if let Some(was) = &self.was {
            write!(f, " (was {was})")?;
        }
        if let Some(allowed) = &self.allowed {
            write!(f, "\n    allowed: {allowed}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The file, if there was one.
    file: Option<PathBuf>,
    /// In the order of the file; then variables; then what is missing.
    list: Vec<Fault>,
}

impl std::error::Error for Faults {}

impl Faults {
    /// `None` when nothing is wrong.
    #[must_use]
    pub(super) fn of(file: Option<&Path>, mut list: Vec<Fault>) -> Option<Self> {
        list.sort_by(|a, b| a.place.cmp(&b.place));
        (!list.is_empty()).then(|| Self { file: file.map(Path::to_owned), list })
    }

    /// What is reported should a configuration be refused without a reason: never, and never silently.
    pub(super) fn unexplained(file: Option<&Path>) -> Self {
        Self {
            file: file.map(Path::to_owned),
            list: vec![Fault::new("", Place::Nowhere, "refused for a reason that was not recorded")],
        }
    }

    /// The single faults.
    #[must_use]
    pub fn list(&self) -> &[Fault] {
        &self.list
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "config {}: ", file.display())?,
            None => f.write_str("config from the environment: ")?,
        }
        match self.list.len() {
            1 => f.write_str("1 problem")?,
            count => write!(f, "{count} problems")?,
        }
        self.list.iter().take(SHOWN_FAULTS).try_for_each(|fault| write!(f, "\n{fault}"))?;
        match self.list.len().saturating_sub(SHOWN_FAULTS) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// A value as it may be printed: shortened, and with stars for every part that looks like a key, and for the password, the
/// query's values and the fragment of a URL.
pub(crate) fn shown(value: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for part in without_query(&without_user_info(value)).chars().map(Some).chain([None]) {
        match part {
            Some(letter) if letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' => run.push(letter),
            other => {
                out.push_str(if looks_like_key(&run) { "****" } else { &run });
                run.clear();
                out.extend(other);
            }
        }
    }
    match out.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => out.get(..end).unwrap_or_default().to_owned() + "…",
        None => out,
    }
}

/// The text with stars between `://` and `@` of the same URL.
fn without_user_info(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((_, host)) => {
            let tail = rest.strip_prefix(authority).unwrap_or_default();
            format!("{scheme}://****@{host}{tail}")
        }
        None => value.to_owned(),
    }
}

/// The text with stars for what stands behind `?` and `#` of a URL, but for the names of parameters. A URL whose scheme was left out
/// is known by `name=value` behind a `?`.
fn without_query(value: &str) -> String {
    const STARS: &str = "****";
    let is_url = value.contains("://");
    let (value, fragment) = value.split_once('#').filter(|_| is_url).map_or((value, ""), |(value, _)| (value, "#****"));
    let Some((place, query)) = value.split_once('?') else { return format!("{value}{fragment}") };
    let mut out = format!("{place}?");
    for part in query.split_inclusive(['&', ';']) {
        let pair = part.trim_end_matches(['&', ';']);
        match pair.split_once('=') {
            // `=` alone may be the end of a base64 text.
            Some((name, value)) if !value.trim_matches('=').is_empty() => out.extend([name, "=", STARS]),
            None if pair.is_empty() || !is_url => out.push_str(pair),
            _ => out.push_str(STARS),
        }
        out.push_str(part.strip_prefix(pair).unwrap_or_default());
    }
    out + fragment
}

fn looks_like_key(run: &str) -> bool {
    let upper = run.to_ascii_uppercase();
    // AWS's have twenty letters; a time zone begins like one, too.
    ["NRAK-", "NRII-", "NRIQ-"].iter().any(|prefix| upper.starts_with(prefix))
        || (run.len() > 8 && ["AKIA", "ASIA"].iter().any(|prefix| upper.starts_with(prefix)))
        || (run.len() > 8 && upper.ends_with("NRAL"))
        || run.split(['-', '_']).any(|part| part.len() >= KEY_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_key_is_never_shown() {
        for (value, expected) in [
            ("0123456789abcdef0123456789abcdef0123NRAL", "****"),
            ("eu01xx0123456789abcdef0123456789abcdNRAL", "****"),
            ("key=NRAK-ABC123, more", "key=****, more"),
            ("AKIAABCDEFGHIJKLMNOP", "****"),
            ("Asia/Tokio", "Asia/Tokio"),
            ("https://user:pass@proxy.example/x", "https://****@proxy.example/x"),
            ("https://a@b:c@host", "https://****@host"),
            ("https://host/?token=abc", "https://host/?token=****"),
            ("https://host?token=abc&user=me;x=#part", "https://host?token=****&user=****;****#****"),
            ("https://a:b@host/p?abc", "https://****@host/p?****"),
            ("https://host/#token=abc", "https://host/#****"),
            ("https://host/a=b?c=https://d@e/?f=g", "https://host/a=b?c=****"),
            ("https://host/?c2VjcmV0==", "https://host/?****"),
            ("host?token=abc", "host?token=****"),
            ("a?b", "a?b"),
            ("https://host/?", "https://host/?"),
            ("cloudtrail", "cloudtrail"),
            ("監査", "監査"),
            ("https://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com/1/q"),
        ] {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        assert_eq!(shown(&"監 ".repeat(100)), "監 ".repeat(60) + "…");
    }

    #[test]
    fn a_flood_of_faults_is_cut_and_counted() {
        for (count, end) in [(100, "\n  k: bad"), (101, "\n  and 1 more")] {
            let text = Faults::of(None, vec![Fault::new("k", Place::Nowhere, "bad"); count]).unwrap().to_string();
            assert!(text.ends_with(end) && text.contains(&format!(": {count} problems\n")), "{count}: {text}");
        }
    }

    #[test]
    fn faults_come_in_the_order_of_the_file_then_variables_then_missing() {
        let list = vec![
            Fault::new("c", Place::Nowhere, "missing"),
            Fault::new("b", Place::Variable("B".into()), "bad"),
            Fault::new("a", Place::Line(9), "bad").was("x\ny").allowed("1").hint("do"),
            Fault::new("", Place::Line(2), "not YAML"),
        ];
        let text = Faults::of(None, list).unwrap().to_string();
        assert_eq!(
            text,
            "config from the environment: 4 problems\n  line 2: not YAML\n  a (line 9): bad (was \"x\\ny\")\n    allowed: 1\n    \
             hint: do\n  b (B): bad\n  c: missing"
        );
        assert_eq!(Faults::of(None, Vec::new()), None);
    }
}
