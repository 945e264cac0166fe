//! YAML → a small tree that knows its lines.
//!
//! In: bytes of any kind. Out: a [`Node`], or one fault with line and excerpt. What always holds: no bytes make it panic,
//! depth and size are bounded, values stay the text that was written (an account id keeps its zeros, `no` stays `no`). It
//! knows no keys: what may stand where is `file`'s business, and so are duplicate keys, tags and aliases, which are kept as
//! [`Value::Unusable`] so that they are reported with their key path beside all other faults.

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError};

use super::fault::{Fault, Place, shown};

/// Largest file, bytes; the longest sensible one has a few thousand.
pub(super) const FILE_BYTES: usize = 256 << 10;

/// Deepest nesting; the schema needs 4.
const DEPTH: usize = 16;

/// Longest excerpt of a faulty line, characters.
const EXCERPT_CHARS: usize = 80;

/// A value and its line.
#[derive(Debug)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What was written.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, without its quotes.
    Scalar(String),
    /// `- …` or `[…]`.
    List(Vec<Node>),
    /// `key: value` pairs as written, duplicates too.
    Map(Vec<(Node, Node)>),
    /// Something YAML has and this file format does not: what it is.
    Unusable(&'static str),
}

/// The file's tree; an empty file is an empty map.
///
/// # Errors
/// The first thing that is not YAML, with its line.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    if bytes.len() > FILE_BYTES {
        let what = format!("larger than {FILE_BYTES} bytes");
        return Err(Fault::new("", Place::Nowhere, what).hint("is this the configuration file?"));
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', good).count() + 1;
            return Err(Fault::new("", Place::Line(line), "not UTF-8").hint("save the file as UTF-8"));
        }
    };
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.block_nesting_limit = DEPTH;
    options.flow_nesting_limit = DEPTH;
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax(text, &error))?;
        builder.event(event, span.start.line())?;
    }
    Ok(builder.root.unwrap_or(Node { line: 1, value: Value::Map(Vec::new()) }))
}

/// Puts events together without recursion.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

/// A list or map whose end has not come.
struct Open {
    line: usize,
    tagged: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let fault = Fault::new("", Place::Line(line), "a second YAML document");
                    return Err(fault.allowed("one document").hint("remove the line `---` and what follows it"));
                }
            }
            Event::Scalar(text, style, _, tag) => {
                let value = match (&*text, style) {
                    _ if tag.is_some() => Value::Unusable(TAG),
                    ("" | "~" | "null" | "Null" | "NULL", ScalarStyle::Plain) => Value::Null,
                    _ => Value::Scalar(text.into_owned()),
                };
                self.done(Node { line, value });
            }
            Event::Alias(_) => self.done(Node { line, value: Value::Unusable(ALIAS) }),
            Event::SequenceStart(_, _, tag) => {
                self.open.push(Open { line, tagged: tag.is_some(), content: Content::List(Vec::new()) });
            }
            Event::MappingStart(_, _, tag) => {
                self.open.push(Open { line, tagged: tag.is_some(), content: Content::Map(Vec::new(), None) });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { line, tagged, content }) = self.open.pop() {
                    let value = match content {
                        _ if tagged => Value::Unusable(TAG),
                        Content::List(items) => Value::List(items),
                        Content::Map(pairs, _) => Value::Map(pairs),
                    };
                    self.done(Node { line, value });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Hangs a finished node where it belongs.
    fn done(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                // A document with nothing in it (only comments) is an empty map, as an empty file is.
                if !matches!(node.value, Value::Null) {
                    self.root = Some(node);
                }
            }
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(pairs, key)) => match key.take() {
                Some(first) => pairs.push((first, node)),
                None => *key = Some(node),
            },
        }
    }
}

const TAG: &str = "a YAML tag (`!…`) is not supported";
const ALIAS: &str = "a YAML alias (`*…`) is not supported";

/// A fault with the line as it stands in the file, without anything that may be secret.
fn syntax(text: &str, error: &ScanError) -> Fault {
    let line = error.marker().line().max(1);
    let excerpt = text.lines().nth(line - 1).map(excerpt).filter(|excerpt| !excerpt.is_empty());
    let info = error.info();
    let what = format!("not YAML: {}", info.lines().next().unwrap_or_default());
    let fault = Fault::new("", Place::Line(line), what);
    match excerpt {
        Some(excerpt) => fault.was(&excerpt),
        None => fault,
    }
}

/// What of a line may be shown: all, or only the key of a value that may be secret.
fn excerpt(line: &str) -> String {
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    let secret = ["key", "secret", "token", "password"].iter().filter_map(|word| lower.find(word)).min();
    let line = match secret {
        Some(at) => match line.get(at..).and_then(|rest| rest.find([':', '='])).and_then(|colon| line.get(..=at + colon)) {
            Some(key) => format!("{key} ****"),
            None => "****".to_owned(),
        },
        None => line.to_owned(),
    };
    shown(&line.chars().take(EXCERPT_CHARS).collect::<String>())
}
