//! What somebody may have meant.
//!
//! In: a name that does not exist and those that do. Out: the nearest, if one is near. What always holds: the same in another case,
//! or with another beginning, is nearer than any other; of equally near names the first of the alphabet is taken.

/// Longest name that is compared letter by letter; longer ones are not typed by hand.
const LETTERS: usize = 80;

/// The nearest of the names.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let least = known.into_iter().filter_map(|one| distance(name, one).map(|distance| (distance, one))).min();
    least.map(|(_, one)| one)
}

/// `did you mean …?`, or nothing.
pub(super) fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(name, known).map_or_else(String::new, |one| format!("did you mean `{one}`?"))
}

/// How far a name is from one that exists; `None`: too far to be meant.
fn distance(name: &str, known: &str) -> Option<usize> {
    if name.eq_ignore_ascii_case(known) {
        return Some(0);
    }
    let last = |name: &str| name.rsplit(['.', ':', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if last(name) == last(known) && (!name.contains('.') || !known.contains('.')) {
        return Some(1);
    }
    let edits = edits(&letters(name), &letters(known));
    let most = (name.chars().count() / 4).clamp(1, 4);
    (edits <= most).then_some(edits + 1)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().take(LETTERS).map(|c| c.to_ascii_lowercase()).collect()
}

/// How many letters are to be put in, left out, changed or swapped with the next (optimal string alignment).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut table: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, near) in other.iter().enumerate() {
            let before = |up: usize, left: usize| {
                let line = if up == 0 { Some(&line) } else { table.get((row + 1).wrapping_sub(up)) };
                line.and_then(|line| line.get((column + 1).wrapping_sub(left))).copied().unwrap_or(usize::MAX - 1)
            };
            let mut least = (before(1, 1) + usize::from(letter != near)).min(before(1, 0) + 1).min(before(0, 1) + 1);
            let swapped = row > 0 && column > 0 && one.get(row - 1) == Some(near) && other.get(column - 1) == Some(letter);
            if swapped {
                least = least.min(before(2, 2) + 1);
            }
            line.push(least);
        }
        table.push(line);
    }
    table.last().and_then(|line| line.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let known =
            ["aws.accountId", "aws.accountName", "control.id", "control.severity", "count", "AwsSecurityEvent", "timestamp"];
        for (name, want) in [
            ("AWS.accountid", Some("aws.accountId")),
            ("accountName", Some("aws.accountName")),
            ("control.severty", Some("control.severity")),
            ("cuont", Some("count")),
            ("coun", Some("count")),
            ("counts", Some("count")),
            ("c", None),
            ("awsSecurityEvents", Some("AwsSecurityEvent")),
            ("timestmap", Some("timestamp")),
            ("something", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), want, "{name}");
        }
    }

    #[test]
    fn edits_are_counted() {
        let count = |one: &str, other: &str| edits(&letters(one), &letters(other));
        for (one, other, want) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("abc", "abd", 1),
            ("abcd", "acbd", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(count(one, other), want, "{one} {other}");
        }
    }
}
