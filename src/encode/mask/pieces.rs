//! Pieces of JSON in a text that is none, as error messages quote them: escaped, in the middle of a sentence, cut at either end.
//!
//! In: a text. Out: where in it the values of secret keys stand. What always holds: a key is what stands between a quote and the
//! quote, separator or beginning before it, so that no quote of the text around it hides one; the text is looked at once.

use super::STARS;
use super::words::{Hides, Key};

/// What a key begins behind, beside the beginning of the text.
const BEFORE: [char; 9] = ['"', '\'', '{', '[', ',', '(', ' ', '\t', '\n'];

/// Where values of secret keys stand: from, to, without quotes.
pub(super) fn values(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut end, mut plain) = (Vec::new(), 0, String::new());
    for quote in memchr::memchr_iter(b'"', text.as_bytes()) {
        // Not inside what is masked.
        if quote < end {
            continue;
        }
        let rest = text.get(quote + 1..).unwrap_or_default().trim_start();
        let Some(value) = rest.strip_prefix(':').map(str::trim_start) else { continue };
        let before = text.get(..quote).unwrap_or_default().trim_end_matches('\\');
        let key = before.rsplit(BEFORE).next().unwrap_or(before);
        let hides = Key::of(key, &mut plain).hides;
        if hides == Hides::Nothing {
            continue;
        }
        let Some((from, to)) = inside(value, hides) else { continue };
        let start = text.len() - value.len();
        if value.get(from..to) != Some(STARS) {
            found.push((start + from, start + to));
        }
        end = start + to;
    }
    found
}

/// Where the text or number begins and ends that a value begins with; `None`: it begins with neither.
fn inside(value: &str, hides: Hides) -> Option<(usize, usize)> {
    let unescaped = value.trim_start_matches('\\');
    if let Some(inside) = unescaped.strip_prefix('"') {
        let escapes = value.len() - unescaped.len();
        let from = value.len() - inside.len();
        let ends = memchr::memchr_iter(b'"', inside.as_bytes()).find_map(|at| {
            let content = inside.get(..at).unwrap_or_default();
            // A quote of the text's own has more backslashes than those around it.
            let before = content.len() - content.trim_end_matches('\\').len();
            (before <= escapes).then_some(at - before)
        });
        let to = from + ends.unwrap_or(inside.len());
        return (to > from).then_some((from, to));
    }
    let is_number = value.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
    let to = value.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.')));
    (hides == Hides::Numbers && is_number).then(|| (0, to.unwrap_or(value.len())))
}
