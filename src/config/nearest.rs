//! "Did you mean …?"
//!
//! In: a word and the words that exist. Out: the nearest one, if it is near enough to be what was meant. Writing alone
//! (case, `-`, `_`) never separates two words.

/// The word among `candidates` that was probably meant; the first of equals.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &plain(candidate)), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, candidate)| distance <= room(candidate))
        .map(|(_, candidate)| candidate)
}

/// How many slips a word of this length may have: one in three letters, at most three.
fn room(candidate: &str) -> usize {
    (candidate.len() / 3).min(3)
}

fn plain(word: &str) -> Vec<char> {
    // Longer words are never near, and the table below grows with the square.
    word.chars().take(64).filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (row, &in_a) in a.iter().enumerate() {
        let mut line = vec![row + 1];
        let mut last_b = None;
        for (column, &in_b) in b.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&above, column) + usize::from(in_a != in_b)).min(at(&above, column + 1) + 1).min(at(&line, column) + 1);
            if last_a == Some(in_b) && last_b == Some(in_a) {
                best = best.min(at(&before, column.saturating_sub(1)) + 1);
            }
            line.push(best);
            last_b = Some(in_b);
        }
        last_a = Some(in_a);
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_slips() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("ab", "ba", 1), ("queue", "queeu", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(distance(&plain(a), &plain(b)), expected, "{a} {b}");
            assert_eq!(distance(&plain(b), &plain(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn what_was_meant_is_found_and_strangers_are_not() {
        let keys = ["name", "kind", "queueUrl", "region", "buckets"];
        for (word, expected) in [
            ("queueURL", Some("queueUrl")),
            ("queue_url", Some("queueUrl")),
            ("bucket", Some("buckets")),
            ("regoin", Some("region")),
            ("nmae", Some("name")),
            ("visibility", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), expected, "{word}");
        }
    }
}
