//! Old rule collections: documents that share what an earlier one says (`action: global`, `reset`, `repeat`).
//!
//! In: the documents of a file. Out: the documents that stand alone, each whole, in their order. What a document says itself wins
//! over what it shares; maps are merged, everything else is replaced. Every node keeps the line it was written on. Does not know
//! what rules are.

use super::fault::Faults;
use super::yaml::{Entry, Node, Value};

/// Writes out what documents share.
pub(super) fn written_out(documents: Vec<Node>, faults: &mut Faults) -> Vec<Node> {
    let mut global: Option<Node> = None;
    let mut last: Option<Node> = None;
    let mut whole = Vec::new();
    for document in documents {
        let Some((action, line)) = action(&document) else {
            last = Some(document.clone());
            whole.push(over(global.as_ref(), document));
            continue;
        };
        let document = without_action(document);
        match action.as_str() {
            "global" => global = Some(over(global.as_ref(), document)),
            "reset" => global = None,
            "repeat" => match last.take() {
                Some(before) => {
                    let repeated = over(Some(&before), document);
                    last = Some(repeated.clone());
                    whole.push(over(global.as_ref(), repeated));
                }
                None => faults.add(line, "action is \"repeat\" and no rule stands before it"),
            },
            other => faults.add(line, format!("action is {other}; allowed: global, reset, repeat")),
        }
    }
    whole
}

/// What the document says of itself, and where.
fn action(document: &Node) -> Option<(String, u64)> {
    let node = document.get("action")?;
    let action = match &node.value {
        Value::Text(text) => text.clone(),
        other => other.describe(),
    };
    Some((action, node.line))
}

fn without_action(mut document: Node) -> Node {
    if let Value::Map(entries) = &mut document.value {
        entries.retain(|entry| entry.key != "action");
    }
    document
}

/// `document`, with what only `below` says.
fn over(below: Option<&Node>, document: Node) -> Node {
    let Some(below) = below else { return document };
    let Node { line, value } = document;
    match (&below.value, value) {
        (Value::Map(shared), Value::Map(own)) => {
            let mut merged: Vec<Entry> = shared.clone();
            for entry in own {
                match merged.iter_mut().find(|known| known.key == entry.key) {
                    Some(known) => {
                        let node = over(Some(&known.node), entry.node);
                        *known = Entry { node, ..entry };
                    }
                    None => merged.push(entry),
                }
            }
            Node { line, value: Value::Map(merged) }
        }
        (_, value) => Node { line, value },
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    /// The documents as JSON, and the faults.
    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut faults = Faults::new("r.yml");
        let documents = written_out(yaml::parse(text).expect("YAML"), &mut faults);
        (
            documents.iter().map(|node| node.to_json().to_string()).collect(),
            faults.found.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn documents_are_merged_and_their_own_words_win() {
        let text = "action: global\nlevel: low\ndetection: {condition: s}\n---\nlevel: high\ndetection: {s: 1}\n---\n\
                    action: repeat\ntitle: again\ndetection: {s: 2}\n---\naction: global\nauthor: us\n---\ntitle: third\n---\n\
                    action: reset\n---\ntitle: alone\n";
        let (documents, faults) = read(text);
        assert_eq!(faults, [""; 0]);
        assert_eq!(
            documents,
            [
                r#"{"detection":{"condition":"s","s":1},"level":"high"}"#,
                r#"{"detection":{"condition":"s","s":2},"level":"high","title":"again"}"#,
                r#"{"author":"us","detection":{"condition":"s"},"level":"low","title":"third"}"#,
                r#"{"title":"alone"}"#,
            ]
        );
    }

    #[test]
    fn a_wrong_action_is_told_with_its_line() {
        let (documents, faults) = read("action: repeat\ntitle: a\n---\naction: globe\n---\ntitle: b\n");
        assert_eq!(documents, [r#"{"title":"b"}"#]);
        assert_eq!(
            faults,
            [
                "r.yml:1: action is \"repeat\" and no rule stands before it",
                "r.yml:4: action is globe; allowed: global, reset, repeat"
            ]
        );
    }
}
