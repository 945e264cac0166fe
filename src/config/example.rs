//! The example file.
//!
//! In: the option table. Out: one complete, commented file in which every key occurs: those with a default show it, the rest
//! show what they look like. What always holds (tested): it loads, and its values are the defaults.

use super::options::{Absent, Key, OPTIONS, Sample};

/// Longest line of a comment, characters.
const COMMENT_CHARS: usize = 110;

const HEAD: [&str; 2] = [
    "# cspm-relay: every key, with its default where it has one. A line that begins with `#` and a key is an option that is off.",
    "# Variables win over this file. Sizes: 950kB, 16MiB; times: 500ms, 15s, 1m.",
];

/// The second source, so that both kinds are shown.
const SECOND_SOURCE: [&str; 3] = [
    "  - name: events",
    "    kind: eventQueue",
    "    queueUrl: https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail-events",
];

/// The one list of maps.
const SOURCES: &str = "sources[]";

/// One complete, commented configuration file.
#[must_use]
pub fn example() -> String {
    let mut lines: Vec<String> = HEAD.map(str::to_owned).to_vec();
    // The groups the last key stood in.
    let mut open: Vec<&str> = Vec::new();
    for key in OPTIONS {
        let mut groups: Vec<&str> = key.path.split('.').collect();
        let name = groups.pop().unwrap_or_default();
        if open.contains(&SOURCES) && !groups.contains(&SOURCES) {
            lines.extend(SECOND_SOURCE.map(str::to_owned));
        }
        if groups.is_empty() || groups.first() != open.first() {
            lines.push(String::new());
        }
        let shared = open.iter().zip(&groups).take_while(|(a, b)| a == b).count();
        for (depth, group) in groups.iter().enumerate().skip(shared) {
            lines.push(format!("{}{}:", indent(depth), group.trim_end_matches("[]")));
        }
        let is_item = groups.contains(&SOURCES);
        let first = is_item && !open.contains(&SOURCES);
        let lead = indent(groups.len());
        let (comment, before) = match (is_item, first) {
            (false, _) => (lead.clone(), lead),
            // The first key of an item carries the dash.
            (true, true) => (lead.clone(), lead + "- "),
            (true, false) => (lead.clone() + "  ", lead + "  "),
        };
        lines.extend(wrap(&about(key)).into_iter().map(|line| format!("{comment}# {line}")));
        lines.push(match (key.sample, key.default) {
            (Sample::Value(value), _) | (Sample::Default, Absent::Value(value)) => format!("{before}{name}: {value}"),
            (Sample::Off(value), _) => format!("{before}#{name}: {value}"),
            (Sample::Default, Absent::Required | Absent::Words(_)) => format!("{before}{name}:"),
        });
        open = groups;
    }
    lines.join("\n") + "\n"
}

fn about(key: &Key) -> String {
    let default = match key.default {
        Absent::Required => "required".to_owned(),
        Absent::Value(value) => format!("default: {value}"),
        Absent::Words(words) => format!("default: {words}"),
    };
    let variables: Vec<&str> = key.variables().collect();
    let variable = if variables.is_empty() { String::new() } else { format!("; {}", variables.join(" or ")) };
    format!("{} ({}; {default}{variable})", key.meaning, key.kind.allowed())
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// Words in lines of [`COMMENT_CHARS`] at most.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < COMMENT_CHARS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
