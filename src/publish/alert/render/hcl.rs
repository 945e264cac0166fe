//! HCL, as much of it as resources need.
//!
//! In: blocks, names and values. Out: text that `terraform fmt` leaves as it is. What always holds: a text of ours is a text to
//! Terraform: nothing in it ends it or is taken for a template (HCL native syntax: quoted templates, `$${` and `%%{`).

use std::fmt::Write as _;

/// Blocks and attributes, one a line.
#[derive(Default)]
pub(super) struct Hcl {
    text: String,
    depth: usize,
    /// Attributes that follow each other: their signs stand below each other.
    pending: Vec<(String, String)>,
}

impl Hcl {
    /// A block: its head without the brace, and what is in it.
    pub(super) fn block(&mut self, head: &str, inside: impl FnOnce(&mut Self)) {
        self.flush();
        self.line(&format!("{head} {{"));
        self.depth += 1;
        inside(self);
        self.flush();
        self.depth -= 1;
        self.line("}");
    }

    /// `name = "text"`.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.pending.push((name.to_owned(), quoted(value)));
    }

    /// `name = expression`.
    pub(super) fn bare(&mut self, name: &str, expression: impl ToString) {
        self.pending.push((name.to_owned(), expression.to_string()));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.flush();
        self.text.push('\n');
    }

    /// A comment; no line of it can be anything else.
    pub(super) fn comment(&mut self, text: &str) {
        self.flush();
        for line in text.lines() {
            self.line(&format!("# {line}"));
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.text
    }

    fn flush(&mut self) {
        let width = self.pending.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in std::mem::take(&mut self.pending) {
            self.line(&format!("{name:width$} = {value}"));
        }
    }

    fn line(&mut self, line: &str) {
        let indent = "  ".repeat(self.depth);
        self.text += &indent;
        self.text += line;
        self.text.push('\n');
    }
}

/// A text in quotes.
pub(in crate::publish::alert) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '$' | '%' if letters.peek() == Some(&'{') => out.extend([letter, letter]),
            // Writing to a text never fails.
            control if control.is_control() => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
