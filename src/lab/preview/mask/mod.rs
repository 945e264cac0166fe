//! Account ids, ARNs, addresses, e-mails and names replaced by pseudonyms, so that a screenshot can be shown to others.
//!
//! In: answers, dashboards and errors as JSON or text. Out: the same with every such value replaced. What always holds: within
//! a run the same value gets the same pseudonym wherever it stands, two values never share one, and shapes stay (12 digits are
//! 12 digits that begin with 0000, an address is one of the ranges for documentation, an ARN is an ARN). What the page sends
//! back is translated, so that clicks and drop-downs work. Kept, because they say much and name nobody: `root`, AWS's own
//! policies, roles and services, `0.0.0.0`, `::`, `*`, and names of rules, controls, packs and frameworks. What an attribute holds
//! decides first; a name that was met there is looked for in every text, but for words of one or two Latin letters, which are words
//! of any language. What people or programs wrote (titles, annotations, reasons, messages) is replaced as a whole, but for
//! the [texts that are known](Mask::keeping); of a record of AWS every text is replaced that no field of AWS's own words holds.
//!
//! Parts: `scan` finds what is to be replaced in a text, `attribute` says which attributes hold names, `pseudonym` makes the
//! values.

mod attribute;
mod pseudonym;
mod scan;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::{AhoCorasick, MatchKind};

use super::origin::Origins;
use super::tree::Tree;
use attribute::Holds;

/// What a value is, which decides the shape of its pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Twelve digits.
    Account,
    /// `a.b.c.d`.
    Ip4,
    /// Groups of hexadecimal digits.
    Ip6,
    /// `somebody@somewhere`.
    Email,
    /// A key or unique id of IAM: four letters and more.
    IamId,
    /// `i-0123…`: prefix and hexadecimal digits.
    ResourceId,
    /// Eight, four, four, four and twelve hexadecimal digits.
    Uuid,
    /// A name that somebody gave.
    Name,
    /// The same, where it says less than its letters: it is replaced as a name is, and not looked for in texts.
    Word,
    /// What somebody wrote, as a whole.
    Text,
}

/// The pseudonyms of one run.
pub struct Mask {
    key: [u8; 16],
    /// Texts that are everybody's.
    kept: HashSet<String>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    pseudonyms: HashMap<(Kind, String), String>,
    /// Pseudonym → what it stands for.
    originals: HashMap<String, String>,
    /// Names that are looked for in texts.
    told: HashSet<String>,
    /// Those of them that may stand inside of words, and go over several.
    phrases: Vec<String>,
    /// What finds them; `None`: there are none, or more than it was made for.
    finder: Option<Arc<AhoCorasick>>,
    /// Of how many it was made.
    found: usize,
}

impl Table {
    fn tell(&mut self, name: &str) {
        if attribute::is_known_in_texts(name) && self.told.insert(name.to_owned()) && attribute::is_phrase(name) {
            self.phrases.push(name.to_owned());
        }
    }

    /// What finds the phrases that are known by now.
    fn finder(&mut self) -> Option<Arc<AhoCorasick>> {
        if self.found < self.phrases.len() {
            // Millions of names would be too many for it: then words are found, and nothing inside of them.
            self.finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.phrases).ok().map(Arc::new);
            self.found = self.phrases.len();
        }
        self.finder.clone()
    }
}

impl fmt::Debug for Mask {
    /// Never the key or a value.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Mask").finish_non_exhaustive()
    }
}

impl Default for Mask {
    fn default() -> Self {
        Self::new()
    }
}

impl Mask {
    /// Pseudonyms that nobody can compute again: the key comes from the system's source of randomness, by way of the keys that
    /// the standard library draws for its hash maps.
    #[must_use]
    pub fn new() -> Self {
        let state = RandomState::new();
        let half = |number: u8| {
            let mut hasher = state.build_hasher();
            hasher.write_u8(number);
            hasher.finish().to_le_bytes()
        };
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(half(0).into_iter().chain(half(1))) {
            *to = from;
        }
        Self::with_key(key)
    }

    /// Pseudonyms of this key: the same in every run.
    #[must_use]
    pub fn with_key(key: [u8; 16]) -> Self {
        Self { key, kept: HashSet::new(), table: Mutex::default() }
    }

    /// The same, leaving these texts as they are where a text of somebody may stand: what everybody can read anyway.
    #[must_use]
    pub fn keeping(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.kept.extend(texts);
        self
    }

    /// A text with everything replaced that is recognised by its shape, and the names that were met before.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.scanned(text, self.finder().as_deref())
    }

    /// The value of an attribute as an answer shows it.
    #[must_use]
    pub fn value(&self, attribute: &str, value: &str) -> String {
        let columns = Columns { mask: self, origins: &Origins::new(), facets: Vec::new(), finder: self.finder() };
        columns.text(attribute::holds(attribute), value)
    }

    fn finder(&self) -> Option<Arc<AhoCorasick>> {
        self.table().finder()
    }

    fn scanned(&self, text: &str, finder: Option<&AhoCorasick>) -> String {
        let mut replace = |kind, value: &str| self.pseudonym(kind, value);
        let known = |word: &str| self.known_name(word);
        let (mut out, mut end) = (String::new(), 0);
        for found in finder.into_iter().flat_map(|finder| finder.find_iter(text)) {
            if let Some(phrase) = text.get(found.range()).filter(|_| scan::stands_apart(text, found.range()))
                && let Some(name) = known(phrase)
            {
                out += &scan::rewrite(text.get(end..found.start()).unwrap_or_default(), &mut replace, &known);
                out += &name;
                end = found.end();
            }
        }
        out + &scan::rewrite(text.get(end..).unwrap_or_default(), &mut replace, &known)
    }

    /// What the page sent, as it was before: the reverse of [`Mask::text`].
    #[must_use]
    pub fn original(&self, text: &str) -> String {
        let table = self.table();
        if let Some(original) = table.originals.get(text) {
            return original.clone();
        }
        let original = |word: &str| table.originals.get(word).cloned();
        scan::rewrite(text, &mut |_, value| original(value).unwrap_or_else(|| value.to_owned()), &original)
    }

    /// A whole answer: by the attributes that its columns show, and by the shapes of values.
    pub(super) fn answer(&self, answer: &Tree, origins: &Origins) -> Tree {
        // `facet` holds the values of the columns that the metadata name.
        let metadata = answer.get("metadata").and_then(|metadata| metadata.get("facets"));
        let facets: Vec<&str> = match metadata {
            Some(Tree::Text(one)) => vec![one],
            Some(list) => list.items().iter().filter_map(Tree::text).collect(),
            None => Vec::new(),
        };
        let columns = |facets| Columns { mask: self, origins, facets, finder: self.finder() };
        // Twice: a text may hold a name that only a later field tells to be one.
        columns(facets.clone()).tree(None, answer);
        columns(facets).tree(None, answer)
    }

    /// A value of which nothing is known but its shape: a dashboard, an error.
    pub(super) fn tree(&self, tree: &Tree) -> Tree {
        self.answer(tree, &Origins::new())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A map that a panic left behind is still a map.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_account(&self, id: &str) -> bool {
        self.table().pseudonyms.contains_key(&(Kind::Account, id.to_owned()))
    }

    fn known_name(&self, word: &str) -> Option<String> {
        let table = self.table();
        if !table.told.contains(word) {
            return None;
        }
        table.pseudonyms.get(&(Kind::Name, word.to_owned())).cloned()
    }

    fn pseudonym(&self, kind: Kind, value: &str) -> String {
        let mut table = self.table();
        // What is already a pseudonym stays: a masked text may be masked again.
        if table.originals.contains_key(value) {
            return value.to_owned();
        }
        // The same letters are the same name, whatever they say.
        let kind = if kind == Kind::Word {
            Kind::Name
        } else {
            if kind == Kind::Name {
                table.tell(value);
            }
            kind
        };
        if let Some(known) = table.pseudonyms.get(&(kind, value.to_owned())) {
            return known.clone();
        }
        let mut attempt = 0;
        let pseudonym = loop {
            let candidate = pseudonym::make(&self.key, kind, value, attempt);
            if candidate != value && !table.originals.contains_key(&candidate) {
                break candidate;
            }
            attempt += 1;
        };
        table.pseudonyms.insert((kind, value.to_owned()), pseudonym.clone());
        table.originals.insert(pseudonym.clone(), value.to_owned());
        pseudonym
    }

    /// A value that is a name as a whole, unless its shape says that it is something else. `kind`: of its parts.
    fn name(&self, kind: Kind, value: &str) -> String {
        if !attribute::names_somebody(value) {
            return value.to_owned();
        }
        let mut part = |found, part: &str| self.pseudonym(if found == Kind::Name { kind } else { found }, part);
        match scan::whole(value) {
            Some(kind) => self.pseudonym(kind, value),
            None if value.starts_with("arn:") => self.text(value),
            None if value.contains("://") => scan::address(value, &mut part),
            None => scan::segments(value, &mut part),
        }
    }

    /// Whether a text of somebody is everybody's.
    fn is_kept(&self, text: &str) -> bool {
        self.kept.contains(text) || attribute::is_page_of_aws(text)
    }

    /// A line of ours: what stands between its marks, but for words of ours.
    fn line(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (words, mark) in scan::runs(text, &attribute::is_of_line) {
            out += &if attribute::is_of_line(words) { words.to_owned() } else { self.name(Kind::Word, words) };
            out += mark;
        }
        out
    }
}

/// An answer and what is known of its columns.
struct Columns<'a> {
    mask: &'a Mask,
    origins: &'a Origins,
    facets: Vec<&'a str>,
    /// Finds names inside of words.
    finder: Option<Arc<AhoCorasick>>,
}

impl Columns<'_> {
    fn tree(&self, holds: Option<Holds>, tree: &Tree) -> Tree {
        match tree {
            Tree::Text(text) => Tree::Text(self.text(holds, text)),
            Tree::Number(number) => {
                let id = number.as_u64().filter(|number| (100_000_000_000..1_000_000_000_000).contains(number));
                let id = id.map(|id| id.to_string());
                match id.filter(|id| holds.is_some() || self.mask.known_account(id)) {
                    // The zeros at its beginning need a text.
                    Some(id) => Tree::Text(self.mask.pseudonym(Kind::Account, &id)),
                    None => tree.clone(),
                }
            }
            Tree::List(items) => Tree::List(items.iter().map(|item| self.tree(holds, item)).collect()),
            // No text, then, but a record.
            Tree::Object(_) if holds == Some(Holds::Prose) => self.tree(Some(Holds::Raw), tree),
            Tree::Object(fields) => Tree::Object(fields.iter().map(|field| self.field(holds, field)).collect()),
            Tree::Null | Tree::Bool(_) => tree.clone(),
        }
    }

    fn field(&self, outer: Option<Holds>, (name, value): &(String, Tree)) -> (String, Tree) {
        // A group: one value, or one for each facet.
        if outer.is_none() && (name == "facet" || name == "name") {
            let value = match value {
                Tree::List(items) => {
                    let facets = self.facets.iter().map(|facet| self.column(facet)).chain(std::iter::repeat(None));
                    Tree::List(items.iter().zip(facets).map(|(item, holds)| self.tree(holds, item)).collect())
                }
                one => self.tree(self.facets.first().and_then(|facet| self.column(facet)), one),
            };
            return (name.clone(), value);
        }
        let holds = match value {
            Tree::Text(text) if outer == Some(Holds::Raw) && attribute::is_vocabulary(name, text) => None,
            _ => self.column(name).or(outer),
        };
        // A name may hold a value: the condition of an aggregate that was given no other name.
        (self.scanned(name), self.tree(holds, value))
    }

    /// What a column holds, by the attributes it shows, or by its own name.
    fn column(&self, name: &str) -> Option<Holds> {
        match self.origins.get(name) {
            Some(attributes) => attributes.iter().filter_map(|attribute| attribute::holds(attribute)).max(),
            None => attribute::holds(name),
        }
    }

    fn text(&self, holds: Option<Holds>, text: &str) -> String {
        // A record in a text: its own names say what its values are, and where they do not, anything may be in it.
        if text.starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Tree>(text)
        {
            let columns = Columns { mask: self.mask, origins: &Origins::new(), facets: Vec::new(), finder: self.finder.clone() };
            let masked = columns.tree(holds.filter(|holds| *holds != Holds::Account).or(Some(Holds::Raw)), &inner);
            return serde_json::to_string(&masked).unwrap_or_default();
        }
        match holds {
            Some(Holds::Name) => self.mask.name(Kind::Name, text),
            Some(Holds::Names) => text.split('|').map(|part| self.mask.name(Kind::Name, part)).collect::<Vec<_>>().join("|"),
            Some(Holds::Word | Holds::Raw) => self.mask.name(Kind::Word, text),
            Some(Holds::Prose) if self.mask.is_kept(text) => text.to_owned(),
            Some(Holds::Prose) if attribute::names_somebody(text) => self.mask.pseudonym(Kind::Text, text),
            Some(Holds::Line) => self.mask.line(text),
            Some(Holds::Prose | Holds::Account) | None => self.scanned(text),
        }
    }

    fn scanned(&self, text: &str) -> String {
        self.mask.scanned(text, self.finder.as_deref())
    }
}
