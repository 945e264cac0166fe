//! Texts that are written in a form: flags, lists.
//!
//! In: a comparison. Out: where a flag or a list is compared with what it never is. What always holds: a flag is `'true'`, `'false'` or
//! `'unknown'`, a list is `'|a|b|'` (design, what is sent); what a variable or an attribute may say is not judged.

use super::super::ast::{Among, BinaryOp, Expr, ExprKind};
use super::scope::{Form, Scope};
use super::{Lint, kind, rule};

/// What a flag says.
const FLAGS: [&str; 3] = ["true", "false", "unknown"];

impl Lint<'_> {
    /// Judges what a text is compared with; gives whether something was told of it.
    pub(super) fn written(&mut self, value: &Expr, scope: &Scope<'_>) -> bool {
        let before = self.findings.len();
        match &value.kind {
            ExprKind::Binary(op @ (BinaryOp::Equal | BinaryOp::NotEqual), left, right) => {
                let not = if *op == BinaryOp::NotEqual { "NOT " } else { "" };
                self.equal(left, right, not, scope);
                self.equal(right, left, not, scope);
            }
            ExprKind::In { value: left, negated, among: Among::Values(values) } => {
                let not = if *negated { "NOT " } else { "" };
                for right in values {
                    self.equal(left, right, not, scope);
                }
            }
            ExprKind::Like { value: left, negated, pattern } if kind::form(left, scope) == Form::List => {
                let never = plain(pattern).filter(|text| !(text.starts_with(['%', '|']) && text.ends_with(['%', '|'])));
                if let Some(text) = never {
                    self.list(left, pattern, &item(text), if *negated { "NOT " } else { "" });
                }
            }
            ExprKind::Rlike { value: left, negated, pattern }
                if kind::form(left, scope) == Form::List && plain(pattern).is_some_and(begins_with_letter) =>
            {
                self.list(left, pattern, "%|…|%", if *negated { "NOT " } else { "" });
            }
            _ => {}
        }
        self.findings.len() > before
    }

    /// What stands beside a flag, a list or a part of a time.
    fn equal(&mut self, side: &Expr, other: &Expr, not: &str, scope: &Scope<'_>) {
        self.calendar(side, other, scope);
        let Some(text) = plain(other) else { return };
        match kind::form(side, scope) {
            Form::List if !(text.len() > 2 && text.starts_with('|') && text.ends_with('|')) => {
                self.list(side, other, &item(text), not);
            }
            Form::Flag if !FLAGS.contains(&text) => {
                let message = format!("`{side}` is a flag, which never is `{other}`");
                let meant = FLAGS.iter().find(|flag| flag.eq_ignore_ascii_case(text));
                let hint =
                    meant.map_or_else(|| "it is 'true', 'false' or 'unknown'".to_owned(), |flag| format!("say `'{flag}'`"));
                self.tell(&rule::FLAG_AS_BOOLEAN, other.span, message, hint);
            }
            _ => {}
        }
    }

    fn list(&mut self, side: &Expr, other: &Expr, pattern: &str, not: &str) {
        let message = format!("`{side}` is a list, written `|a|b|`, which never is `{other}`");
        self.tell(&rule::LIST_AS_TEXT, other.span, message, format!("say `{side} {not}LIKE '{pattern}'`"));
    }
}

/// A text that is known: no variable stands in it.
fn plain(value: &Expr) -> Option<&str> {
    match &value.kind {
        ExprKind::Text(text) | ExprKind::Raw(text) if !text.contains("{{") => Some(text),
        _ => None,
    }
}

/// The pattern of `LIKE` for one item of a list that is, or begins or ends, as a text or pattern says.
pub(super) fn item(text: &str) -> String {
    let begin = if text.starts_with(['%', '|']) { "" } else { "%|" };
    let end = if text.ends_with(['%', '|']) { "" } else { "|%" };
    let text = text.replace('\'', "\\'");
    if text.is_empty() { "%|…|%".to_owned() } else { format!("{begin}{text}{end}") }
}

/// Whether what a regular expression matches surely begins with a letter or digit, as no list does.
fn begins_with_letter(expression: &str) -> bool {
    let mut letters = expression.chars();
    let begins = letters.next().is_some_and(char::is_alphanumeric);
    begins && !letters.next().is_some_and(|next| "*?{".contains(next)) && !expression.contains('|')
}
