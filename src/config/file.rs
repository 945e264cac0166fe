//! The configuration as written.
//!
//! In: the file's bytes. Out: [`Written`], every known key with its text and its line, and the faults of form: not YAML,
//! unknown or doubled keys, a map where a value belongs. What always holds: a fault at one key hides no other. It does not
//! judge values; that is `valid`'s part.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, Place, shown};
use super::nearest::nearest;
use super::options::{self, Key, Kind, OPTIONS, Shape};
use super::tree::{self, Node, Value};

/// Everything that was given, by key path.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Whether a file was read at all.
    pub(super) from_file: bool,
    /// Values by key path, as `sources[0].queueUrl`.
    pub(super) settings: BTreeMap<String, Setting>,
    /// Where each source was written; its settings begin `sources[number]`.
    pub(super) sources: Vec<Place>,
    /// Paths that a fault already speaks of: absent or not, they are not reported again.
    pub(super) broken: BTreeSet<String>,
}

/// One value and its place.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) place: Place,
    pub(super) given: Given,
}

/// A value as text.
#[derive(Debug)]
pub(super) enum Given {
    One(String),
    Many(Vec<(Place, String)>),
    /// Names, each with its list.
    Named(Vec<Named>),
}

/// A name of the user's own, with its list.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) texts: Vec<(Place, String)>,
}

impl Written {
    /// Reads a file's bytes.
    pub(super) fn read(bytes: &[u8]) -> (Self, Vec<Fault>) {
        let mut walk = Walk { written: Self { from_file: true, ..Self::default() }, faults: Vec::new() };
        match tree::parse(bytes) {
            Ok(Node { value: Value::Map(pairs), .. }) => walk.map(&pairs, "", ""),
            Ok(Node { line, .. }) => {
                walk.fault(Fault::new("", Place::Line(line), "not a map").allowed("`key: value` lines").hint(EXAMPLE));
                walk.written.broken.insert(String::new());
            }
            Err(fault) => {
                walk.fault(fault);
                walk.written.broken.insert(String::new());
            }
        }
        (walk.written, walk.faults)
    }

    /// Whether nothing of the file could be read, so that nothing can be said to be missing.
    pub(super) fn is_unreadable(&self) -> bool {
        self.broken.contains("")
    }

    /// Whether a fault already speaks of this path or of what it stands in.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.broken.iter().any(|broken| {
            path.strip_prefix(broken.as_str())
                .is_some_and(|rest| rest.is_empty() || broken.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

/// Where to look when the form of a file is not clear.
pub(super) const EXAMPLE: &str = "`cspm-relay check --example` prints a valid file";

/// What prints everything that may be written.
pub(super) const OPTIONS_COMMAND: &str = "`cspm-relay check --options`";

/// What is said of a key or word that a later version brings.
pub(super) const LATER: &str = concat!("not in version ", env!("CARGO_PKG_VERSION"));

struct Walk {
    written: Written,
    faults: Vec<Fault>,
}

impl Walk {
    fn fault(&mut self, fault: Fault) {
        self.written.broken.insert(fault.path.to_string());
        self.faults.push(fault);
    }

    /// Reads a map. `schema` is its path with `[]`, `path` the same with numbers.
    fn map(&mut self, pairs: &[(Node, Node)], schema: &str, path: &str) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, value) in pairs {
            let place = Place::Line(key.line);
            let Value::Scalar(name) = &key.value else {
                self.faults.push(Fault::new(path, place, "a key that is not text").allowed(options::children(schema).join(", ")));
                continue;
            };
            let here = join(path, &shown(name).escape_debug().to_string());
            if let Some(first) = seen.insert(name, key.line) {
                self.faults.push(Fault::new(here, place, "written twice").hint(format!("line {first} has it too: keep one")));
                continue;
            }
            let below = join(schema, name);
            // A name with a dot would be taken for a path.
            let shape = if name.contains(['.', '[']) { Shape::Unknown } else { options::shape(&below) };
            match (shape, &value.value) {
                (Shape::Unknown, _) => self.unknown(name, here, place, schema, path),
                (Shape::Later(what), _) => {
                    let fault = Fault::new(here, place, LATER).hint(format!("{what} comes with a later version: remove the key"));
                    self.fault(fault);
                }
                (_, Value::Null) => {}
                (_, Value::Unusable(what)) => self.fault(Fault::new(here, place, *what).hint("write the value itself")),
                (Shape::Leaf(row), found) => self.leaf(row, found, here, value.line),
                (Shape::Group, Value::Map(pairs)) => self.map(pairs, &below, &here),
                (Shape::Groups, Value::List(items)) => self.items(items, &below, &here),
                (Shape::Group, _) => {
                    let keys = options::children(&below).join(", ");
                    self.fault(Fault::new(here, place, "must be a map").allowed(format!("the keys {keys}")).hint(EXAMPLE));
                }
                (Shape::Groups, _) => self.fault(Fault::new(here, place, "must be a list, each item with `- `").hint(EXAMPLE)),
            }
        }
    }

    fn items(&mut self, items: &[Node], schema: &str, path: &str) {
        for (number, item) in items.iter().enumerate() {
            self.written.sources.push(Place::Line(item.line));
            let here = format!("{path}[{number}]");
            let schema = format!("{schema}[]");
            match &item.value {
                Value::Map(pairs) => self.map(pairs, &schema, &here),
                Value::Unusable(what) => self.fault(Fault::new(here, Place::Line(item.line), *what)),
                _ => {
                    let keys = options::children(&schema).join(", ");
                    self.fault(
                        Fault::new(here, Place::Line(item.line), "must be a map")
                            .allowed(format!("the keys {keys}"))
                            .hint(EXAMPLE),
                    );
                }
            }
        }
    }

    fn leaf(&mut self, row: &Key, found: &Value, here: String, line: usize) {
        let place = Place::Line(line);
        let given = match found {
            Value::Scalar(text) if !row.kind.is_list() && row.kind != Kind::NamedTexts => Given::One(text.clone()),
            Value::List(items) if row.kind.is_list() => Given::Many(self.texts(items, &here)),
            Value::Map(pairs) if row.kind == Kind::NamedTexts => Given::Named(self.named(pairs, row, &here)),
            _ if row.kind == Kind::NamedTexts => {
                return self.fault(Fault::new(here, place, "must be a map").allowed(row.kind.allowed()));
            }
            Value::Scalar(text) => {
                let fault = Fault::new(here, place, "must be a list").was(text).allowed(row.kind.allowed());
                return self.fault(fault.hint(format!("write [{}]", shown(text).escape_debug())));
            }
            _ => return self.fault(Fault::new(here, place, "must be a single value").allowed(row.kind.allowed())),
        };
        self.written.settings.insert(here, Setting { place, given });
    }

    fn texts(&mut self, items: &[Node], here: &str) -> Vec<(Place, String)> {
        let mut texts = Vec::new();
        for (number, item) in items.iter().enumerate() {
            match &item.value {
                Value::Scalar(text) => texts.push((Place::Line(item.line), text.clone())),
                _ => self.fault(Fault::new(format!("{here}[{number}]"), Place::Line(item.line), "must be a single text")),
            }
        }
        texts
    }

    /// Names of the user's own, each with a list.
    fn named(&mut self, pairs: &[(Node, Node)], row: &Key, here: &str) -> Vec<Named> {
        let mut found: Vec<Named> = Vec::new();
        for (key, value) in pairs {
            let place = Place::Line(key.line);
            let Value::Scalar(name) = &key.value else {
                self.faults.push(Fault::new(here, place, "a key that is not text").allowed(row.kind.allowed()));
                continue;
            };
            let path = join(here, &shown(name).escape_debug().to_string());
            if let Some(first) = found.iter().find(|known| known.name == *name) {
                let first = if let Place::Line(line) = first.place { line } else { 0 };
                self.faults.push(Fault::new(path, place, "written twice").hint(format!("line {first} has it too: keep one")));
                continue;
            }
            if let Value::List(items) = &value.value {
                let texts = self.texts(items, &path);
                found.push(Named { place, name: name.clone(), texts });
            } else {
                let fault = Fault::new(path, place, "must be a list").allowed(row.kind.allowed());
                self.fault(fault.hint("write [value, value]; [] matches nothing"));
            }
        }
        found
    }

    fn unknown(&mut self, name: &str, here: String, place: Place, schema: &str, path: &str) {
        let known = options::children(schema);
        let fault = Fault::new(here, place, "unknown key");
        let fault = if name == "<<" {
            fault.hint("YAML merge keys are not supported: write the keys themselves")
        } else if let Some(meant) = nearest(name, known.iter().copied()) {
            // What was meant is not missing.
            self.written.broken.insert(join(path, meant));
            fault.hint(format!("did you mean `{meant}`?"))
        } else if let Some(elsewhere) = OPTIONS.iter().find(|key| options::last(key.path) == name || key.path == name) {
            self.written.broken.insert(elsewhere.path.to_owned());
            fault.hint(format!("it belongs at `{}`", elsewhere.path))
        } else {
            fault.allowed(known.join(", ")).hint(format!("{OPTIONS_COMMAND} lists every key"))
        };
        self.fault(fault);
    }
}

/// A path one step deeper.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
