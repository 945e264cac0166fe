//! The example file.
//!
//! In: the option table. Out: one complete, commented file in which every key occurs: those with a default show it, the rest
//! show what they look like. What always holds (tested): it loads, and its values are the defaults.

use super::options::{Absent, Key, OPTIONS, Sample};

/// Longest line of a comment, characters.
const COMMENT_CHARS: usize = 110;

const HEAD: &str = "\
# cspm-relay: every key, with its default where it has one. A line that begins with `#` and a key is an option that is off.
# Variables win over this file. Sizes: 950kB, 16MiB; times: 500ms, 15s, 1m.
";

/// The second source, so that both kinds are shown.
const SECOND_SOURCE: [&str; 3] = [
    "  - name: events",
    "    kind: eventQueue",
    "    queueUrl: https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail-events",
];

/// One complete, commented configuration file.
#[must_use]
pub fn example() -> String {
    let mut out = HEAD.to_owned();
    let mut open: Vec<&str> = Vec::new();
    for key in OPTIONS {
        let mut parts: Vec<&str> = key.path.split('.').collect();
        let name = parts.pop().unwrap_or_default();
        let shared = open.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        let leaves_sources = open.first() == Some(&"sources[]") && parts.first() != open.first();
        if leaves_sources {
            out += &(SECOND_SOURCE.join("\n") + "\n");
        }
        let enters_item = parts.get(shared..).is_some_and(|new| new.contains(&"sources[]"));
        if shared == 0 && (parts.first() != open.first() || parts.is_empty()) {
            out.push('\n');
        }
        for (depth, part) in parts.iter().enumerate().skip(shared) {
            out += &format!("{}{}:\n", indent(depth), part.trim_end_matches("[]"));
        }
        let in_list = parts.contains(&"sources[]");
        let depth = parts.len() + usize::from(in_list);
        entry(&mut out, key, name, depth, enters_item);
        open = parts;
    }
    out
}

/// One key with its comment; the first of a list's item carries the dash.
fn entry(out: &mut String, key: &Key, name: &str, depth: usize, dash: bool) {
    let lead = indent(depth);
    let first = if dash { indent(depth.saturating_sub(1)) + "- " } else { lead.clone() };
    let comment_lead = if dash { indent(depth.saturating_sub(1)) } else { lead.clone() };
    for line in wrap(&comment(key)) {
        out.push_str(&format!("{comment_lead}# {line}\n"));
    }
    match (key.sample, key.default) {
        (Sample::Value(value), _) | (Sample::Default, Absent::Value(value)) => out.push_str(&format!("{first}{name}: {value}\n")),
        (Sample::Off(value), _) => out.push_str(&format!("{first}#{name}: {value}\n")),
        (Sample::Default, Absent::Required | Absent::Words(_)) => out.push_str(&format!("{first}{name}:\n")),
    }
}

fn comment(key: &Key) -> String {
    let default = match key.default {
        Absent::Required => "required".to_owned(),
        Absent::Value(value) => format!("default: {value}"),
        Absent::Words(words) => format!("default: {words}"),
    };
    let variable = if key.variable.is_empty() { String::new() } else { format!("; {}", key.variable) };
    format!("{} ({}; {default}{variable})", key.meaning, key.kind.allowed())
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() || line.chars().count() + word.chars().count() < COMMENT_CHARS {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}
