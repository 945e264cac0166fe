//! The language of a rule's `condition`.
//!
//! In: the text, and the names of the selections. Out: a tree over selection numbers. `not` binds before `and`, `and` before
//! `or`; `1 of x*`, `any of x*`, `all of x*` and `… of them` are written out. A pipe (`| count() by …`, the aggregation of
//! old Sigma) is refused: thresholds are correlation rules.

use super::expr::Expr;

/// Deepest nesting of parentheses and `not`.
const DEPTH: usize = 64;

/// Reads a condition; the leaf is a position in `names`.
///
/// # Errors
/// What was found, where, and what is allowed.
pub(super) fn parse(text: &str, names: &[&str]) -> Result<Expr<usize>, Refused> {
    let mut parser = Parser { words: words(text)?, at: 0, names, depth: 0 };
    let expr = parser.or()?;
    match parser.next() {
        None => Ok(expr),
        Some(word) => Err(format!("\"{word}\" after the end of the condition; allowed there: and, or").into()),
    }
}

/// Why a condition is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// What was found, and what is allowed.
    pub(super) problem: String,
    /// What to do, where that is not plain.
    pub(super) hint: Option<&'static str>,
}

impl From<String> for Refused {
    fn from(problem: String) -> Self {
        Self { problem, hint: None }
    }
}

/// The aggregations of old Sigma, and what does the same today.
const AGGREGATIONS: [(&str, &str); 6] = [
    ("count", "write a correlation of type event_count, or of value_count for `count(field)`, that names this rule"),
    ("sum", "write a correlation of type value_sum that names this rule"),
    ("avg", "write a correlation of type value_avg that names this rule"),
    ("min", "no correlation looks for a least value: use an alert condition over the rule's events"),
    ("max", "no correlation looks for a greatest value: use an alert condition over the rule's events"),
    ("near", "write a correlation of type temporal or temporal_ordered that names both rules"),
];

/// What does today what stands behind the bar.
fn aggregation(behind: &str) -> Refused {
    let problem = "an aggregation after \"|\"; a condition holds selections, and, or, not, parentheses, 1 of, all of".to_owned();
    let name = behind.trim_start_matches(['|', ' ']).split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let known = AGGREGATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    Refused { problem, hint: Some(known.map_or("write a correlation that names this rule", |(_, hint)| hint)) }
}

fn words(text: &str) -> Result<Vec<&str>, Refused> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '|' => return Err(aggregation(rest)),
            _ => rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|')).unwrap_or(rest.len()),
        };
        let (word, tail) = rest.split_at(length);
        words.push(word);
        rest = tail.trim_start();
    }
    Ok(words)
}

struct Parser<'t> {
    words: Vec<&'t str>,
    at: usize,
    names: &'t [&'t str],
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'t str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    fn take(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expr<usize>, String> {
        let mut parts = vec![self.and()?];
        while self.take("or") {
            parts.push(self.and()?);
        }
        Ok(Expr::any(parts))
    }

    fn and(&mut self) -> Result<Expr<usize>, String> {
        let mut parts = vec![self.not()?];
        while self.take("and") {
            parts.push(self.not()?);
        }
        Ok(Expr::all(parts))
    }

    fn not(&mut self) -> Result<Expr<usize>, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("a condition nested deeper than {DEPTH}"));
        }
        let expr = if self.take("not") { self.not().map(Expr::negate) } else { self.atom() };
        self.depth -= 1;
        expr
    }

    fn atom(&mut self) -> Result<Expr<usize>, String> {
        let allowed = "a selection, not, \"(\", 1 of …, all of …";
        let Some(word) = self.next() else {
            return Err(format!("the condition ends too early; allowed there: {allowed}"));
        };
        if word == "(" {
            let inner = self.or()?;
            return match self.next() {
                Some(")") => Ok(inner),
                Some(other) => Err(format!("\"{other}\" where \")\" is needed")),
                None => Err("\")\" is missing at the end".to_owned()),
            };
        }
        if self.peek().is_some_and(|next| next.eq_ignore_ascii_case("of")) {
            return self.of(word);
        }
        if let Some(number) = self.names.iter().position(|name| *name == word) {
            return Ok(Expr::Leaf(number));
        }
        if word == ")" || ["and", "or", "of"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) {
            return Err(format!("\"{word}\" where a selection is needed; allowed there: {allowed}"));
        }
        Err(format!("selection \"{word}\" does not exist; defined: {}", self.names.join(", ")))
    }

    fn of(&mut self, quantity: &str) -> Result<Expr<usize>, String> {
        let join: fn(Vec<Expr<usize>>) -> Expr<usize> = match quantity.to_ascii_lowercase().as_str() {
            "1" | "any" => Expr::any,
            "all" => Expr::all,
            _ => return Err(format!("\"{quantity} of\"; allowed: 1 of, any of, all of")),
        };
        self.at += 1;
        let Some(pattern) = self.next() else {
            return Err(format!("\"{quantity} of\" names no selection; allowed: them, or a name with *"));
        };
        let chosen: Vec<_> = (0..)
            .zip(self.names)
            .filter(
                |(_, name)| {
                    if pattern.eq_ignore_ascii_case("them") { !name.starts_with('_') } else { star_matches(pattern, name) }
                },
            )
            .map(|(number, _)| Expr::Leaf(number))
            .collect();
        if chosen.is_empty() {
            return Err(format!("\"{quantity} of {pattern}\" fits no selection; defined: {}", self.names.join(", ")));
        }
        Ok(join(chosen))
    }
}

/// Whether `name` fits `pattern`, where `*` stands for any text.
fn star_matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| rest.get(at..).is_some_and(|r| star_matches(tail, r)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["selection", "filter_a", "filter_b", "or_else", "_hidden"];

    /// The condition with `true_ones` true.
    fn holds(text: &str, true_ones: &[&str]) -> bool {
        parse(text, &NAMES).expect(text).holds(&mut |number| true_ones.contains(&NAMES[*number]))
    }

    #[test]
    fn precedence_parentheses_and_quantities() {
        for (text, true_ones, want) in [
            ("selection", &["selection"][..], true),
            ("selection and not filter_a", &["selection"], true),
            ("selection and not filter_a", &["selection", "filter_a"], false),
            ("not selection and filter_a or filter_b", &["filter_b"], true),
            ("not (selection and filter_a or filter_b)", &["filter_b"], false),
            ("selection or filter_a and filter_b", &["selection"], true),
            ("(selection or filter_a) and filter_b", &["selection"], false),
            ("selection and not 1 of filter_*", &["selection"], true),
            ("selection and not 1 of filter_*", &["selection", "filter_b"], false),
            ("not all of filter_*", &["filter_b"], true),
            ("ALL OF filter*", &["filter_a", "filter_b"], true),
            ("1 of *_b", &["filter_b"], true),
            ("1 of them", &["_hidden"], false),
            ("any of them", &["or_else"], true),
            ("not not or_else", &["or_else"], true),
            ("(selection)and(filter_a)", &["selection", "filter_a"], true),
        ] {
            assert_eq!(holds(text, true_ones), want, "{text} with {true_ones:?}");
        }
    }

    #[test]
    fn a_bad_condition_says_what_was_found_and_what_is_allowed() {
        for (text, want) in [
            ("", "the condition ends too early"),
            ("selection and", "the condition ends too early"),
            ("selection filter_a", "\"filter_a\" after the end"),
            ("(selection", "\")\" is missing"),
            ("selection and )", "\")\" where a selection is needed"),
            ("selektion", "selection \"selektion\" does not exist; defined: selection, filter_a"),
            ("2 of filter_*", "\"2 of\"; allowed: 1 of, any of, all of"),
            ("1 of other*", "\"1 of other*\" fits no selection"),
            ("selection | count() > 5", "an aggregation after \"|\""),
        ] {
            let found = parse(text, &NAMES).expect_err(text).problem;
            assert!(found.contains(want), "{text}: {found}");
        }
        for (text, want) in [
            ("selection | count() by a > 5", "type event_count"),
            ("selection | COUNT(b) > 5", "value_count"),
            ("selection | near filter_a", "type temporal"),
            ("selection | sum(x) > 5", "value_sum"),
            ("selection | max(x) > 5", "alert condition"),
        ] {
            let hint = parse(text, &NAMES).expect_err(text).hint.expect("a hint");
            assert!(hint.contains(want), "{text}: {hint}");
        }
        assert!(parse(&"(".repeat(100_000), &NAMES).expect_err("deep").problem.contains("deeper"));
        assert!(parse(&"not ".repeat(100_000), &NAMES).expect_err("deep").problem.contains("deeper"));
    }
}
