//! What stands for `%name%` under the modifier `expand`.
//!
//! In: the values of `rules.placeholders`, and a text of a rule. Out: every text that it stands for. What always holds: a name
//! with an empty list stands for nothing; a name that is not there is a fault, or, where rules are only looked at, stands for
//! nothing and is told. Knows no modifiers but that a regular expression takes a value literally.

use std::collections::BTreeMap;

/// Most texts that one value may stand for.
const TEXTS: usize = 100_000;

/// The values.
#[derive(Debug, Clone, Default)]
pub(in crate::classify) struct Placeholders {
    values: BTreeMap<String, Vec<String>>,
    /// A name without values is told and stands for nothing.
    lenient: bool,
}

/// What a text stands for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The texts; `None`: it has no placeholder.
    pub(super) texts: Option<Vec<String>>,
    /// Names that have no values.
    pub(super) unfilled: Vec<String>,
}

impl From<&BTreeMap<String, Vec<String>>> for Placeholders {
    fn from(values: &BTreeMap<String, Vec<String>>) -> Self {
        Self { values: values.clone(), lenient: false }
    }
}

impl<const N: usize> From<[(String, Vec<String>); N]> for Placeholders {
    fn from(values: [(String, Vec<String>); N]) -> Self {
        Self { values: values.into(), lenient: false }
    }
}

impl Placeholders {
    /// None.
    pub(in crate::classify) fn new() -> Self {
        Self::default()
    }

    /// The same; a name without values stands for nothing.
    pub(in crate::classify) fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }

    /// Every text that `text` stands for; several names in one text give every combination. `literal`: values are put in as
    /// regular expressions that match them and nothing else.
    pub(super) fn expand(&self, text: &str, literal: bool) -> Result<Expanded, String> {
        let pieces = pieces(text);
        if !pieces.iter().any(|piece| matches!(piece, Piece::Name(_))) {
            return Ok(Expanded::default());
        }
        let mut found = Expanded { texts: None, unfilled: Vec::new() };
        let mut texts = vec![String::new()];
        for piece in pieces {
            let name = match piece {
                Piece::Plain(plain) => {
                    for text in &mut texts {
                        text.push_str(plain);
                    }
                    continue;
                }
                Piece::Name(name) => name,
            };
            let values = match self.values.get(name) {
                Some(values) => values.as_slice(),
                None if self.lenient => {
                    found.unfilled.push(name.to_owned());
                    &[]
                }
                None => return Err(format!("placeholder %{name}% has no values")),
            };
            if texts.len().saturating_mul(values.len()) > TEXTS {
                return Err(format!("\"{text}\" stands for more than {TEXTS} texts"));
            }
            let put = |value: &String| if literal { regex::escape(value) } else { value.clone() };
            texts = texts.iter().flat_map(|text| values.iter().map(move |value| text.clone() + &put(value))).collect();
        }
        found.texts = Some(texts);
        Ok(found)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Plain(&'t str),
    Name(&'t str),
}

/// A text cut at its placeholders: letters, digits, `_`, `-` and `.` between two `%`, the first without a backslash before it.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain, mut from) = (0, 0);
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('%')).map(|at| from + at) {
        let inside = text.get(open + 1..).unwrap_or_default();
        let name = inside.split_once('%').map(|(name, _)| name).filter(|name| is_name(name));
        let is_escaped = text.get(..open).is_some_and(|before| before.ends_with('\\'));
        match name.filter(|_| !is_escaped) {
            Some(name) => {
                pieces.push(Piece::Plain(text.get(plain..open).unwrap_or_default()));
                pieces.push(Piece::Name(name));
                plain = open + name.len() + 2;
                from = plain;
            }
            None => from = open + 1,
        }
    }
    pieces.push(Piece::Plain(text.get(plain..).unwrap_or_default()));
    pieces
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders() -> Placeholders {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        [("Admins".to_owned(), list(&["ann", "b.b"])), ("Hosts".to_owned(), list(&["x", "y"])), ("None".to_owned(), list(&[]))]
            .into()
    }

    #[test]
    fn a_text_stands_for_every_combination_of_its_values() {
        for (text, literal, want) in [
            ("%Admins%", false, Some(&["ann", "b.b"][..])),
            ("%Admins%", true, Some(&["ann", r"b\.b"])),
            ("user/%Admins%@%Hosts%", false, Some(&["user/ann@x", "user/ann@y", "user/b.b@x", "user/b.b@y"])),
            ("%None%", false, Some(&[])),
            ("a%None%", false, Some(&[])),
            ("100%", false, None),
            ("5% and 6%", false, None),
            (r"\%Admins%", false, None),
            ("%%Hosts%", false, Some(&["%x", "%y"])),
        ] {
            let found = placeholders().expand(text, literal).expect(text).texts;
            assert_eq!(found, want.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect()), "{text}");
        }
    }

    #[test]
    fn a_name_without_values_is_a_fault_or_told() {
        let fault = placeholders().expand("a %Unknown% b", false).expect_err("a fault");
        assert_eq!(fault, "placeholder %Unknown% has no values");
        let told = placeholders().lenient().expand("%Unknown%%Hosts%", false).expect("no fault");
        assert_eq!(told, Expanded { texts: Some(Vec::new()), unfilled: vec!["Unknown".to_owned()] });
    }
}
