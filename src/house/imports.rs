//! Who may use whom.
//!
//! In: source files. Out: every path from one part of the crate into another that the table does not allow. What always holds:
//! a part may use itself; everybody may use the vocabulary; a stage knows at most the types that the stage before it puts out,
//! and only `pipeline` and `cli` know all stages. It does not look into other crates.

use super::text::code_only;
use super::{Breach, File};

/// What a part of the crate may use, beside itself.
pub(super) enum May {
    /// Everything in the part.
    All(&'static str),
    /// One module of the part and what is in it.
    Module(&'static str, &'static str),
    /// The types at the top of the part, not its modules: what a stage puts out.
    Types(&'static str),
}

use May::{All, Module, Types};

/// What everybody may use, and what uses nothing else.
pub(super) const VOCABULARY: [&str; 6] = ["record", "ack", "clock", "config", "secret", "cause"];

/// The stages, in the order of the path of a record.
pub(super) const STAGES: [&str; 6] = ["source", "decode", "enrich", "classify", "encode", "deliver"];

/// The table: part, what it may use beside itself and the vocabulary. A part that is not here may not exist.
pub(super) const TABLE: &[(&str, &[May])] = &[
    ("record", &[]),
    ("ack", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("secret", &[]),
    ("cause", &[]),
    ("source", &[]),
    ("decode", &[Types("source")]),
    ("enrich", &[Types("decode")]),
    ("classify", &[Types("enrich")]),
    ("encode", &[Types("classify"), Types("posture")]),
    ("deliver", &[Types("encode")]),
    // What is known between two records: the state of compliance and findings, who leads, what was changed by whom.
    ("posture", &[Types("classify")]),
    // Shows what the pipeline lets others watch, in the words of the sources; so the pipeline and the stages never use it.
    ("health", &[Types("pipeline"), Types("source"), Module("source", "trouble")]),
    ("nrql", &[Module("encode", "limits")]),
    ("publish", &[All("nrql"), All("health")]),
    ("lab", &[Module("encode", "limits"), All("nrql"), All("health"), All("pipeline")]),
    ("pipeline", &[All("source"), All("decode"), All("enrich"), All("classify"), All("posture"), All("encode"), All("deliver")]),
    (
        "cli",
        &[
            All("source"),
            All("decode"),
            All("enrich"),
            All("classify"),
            All("posture"),
            All("encode"),
            All("deliver"),
            All("health"),
            All("nrql"),
            All("publish"),
            All("lab"),
            All("pipeline"),
        ],
    ),
    ("main", &[All("cli")]),
    ("house", &[]),
];

/// Every breach of the table in a file of `src/`.
pub(super) fn check(file: &File) -> Vec<Breach> {
    let Some(inside) = file.path.strip_prefix("src/") else { return Vec::new() };
    let part = inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs");
    if part == "lib" {
        return re_exports(file);
    }
    let Some((_, may)) = TABLE.iter().find(|(name, _)| *name == part) else {
        return vec![
            file.breach(1, format!("`{part}` has no row in the table of src/house/imports.rs: say there what it may use")),
        ];
    };
    let code = code_only(&file.text);
    let mut breaches = Vec::new();
    for root in ["crate", "cspm_relay"] {
        for (at, _) in code.match_indices(root).filter(|(at, _)| starts_path(&code, *at, root)) {
            for path in paths(&code[at + root.len() + 2..]) {
                if !allowed(part, may, &path) {
                    let line = code[..at].matches('\n').count() + 1;
                    breaches.push(file.breach(line, refusal(part, may, &path)));
                }
            }
        }
    }
    breaches.extend(climbs(file, inside, part, &code));
    breaches
}

/// `lib.rs` lists the parts; a name it gave to everybody would hide who uses whom.
fn re_exports(file: &File) -> Vec<Breach> {
    let code = code_only(&file.text);
    let lines = code.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub") && line.contains(" use "));
    lines.map(|(number, _)| file.breach(number + 1, "a re-export; lib.rs only lists the parts")).collect()
}

/// Whether the word at `at` stands alone and opens a path.
fn starts_path(code: &str, at: usize, word: &str) -> bool {
    let before = code[..at].chars().next_back();
    !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && code[at + word.len()..].starts_with("::")
}

/// The paths of a use tree or expression that follows `crate::`.
pub(super) fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    tree(code, &[], &mut found);
    found
}

/// Reads one tree; gives the text after it.
fn tree<'a>(code: &'a str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = tree(rest, prefix, found).trim_start();
            if let Some(name) = rest.strip_prefix("as ") {
                rest = name[word(name).len()..].trim_start();
            }
            rest = rest.strip_prefix(',').unwrap_or(rest);
            // Nothing was read: not a use tree (a macro's `$name`), or cut off.
            if rest.len() == before || rest.is_empty() {
                return rest;
            }
        }
    }
    let name = if code.starts_with('*') { "*" } else { word(code) };
    let path: Vec<String> = prefix.iter().cloned().chain([name.to_owned()]).collect();
    let rest = &code[name.len()..];
    match rest.trim_start().strip_prefix("::") {
        Some(deeper) if !name.is_empty() && !deeper.starts_with('<') => tree(deeper, &path, found),
        _ => {
            found.push(path);
            rest
        }
    }
}

fn word(code: &str) -> &str {
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    &code[..end]
}

fn allowed(part: &str, may: &[May], path: &[String]) -> bool {
    let segment = |at: usize| path.get(at).map_or("", String::as_str);
    let first = segment(0);
    let is_part = TABLE.iter().any(|(name, _)| *name == first);
    first == part
        || VOCABULARY.contains(&first) && part != "main"
        // A macro: `lib.rs` gives no other names to everybody.
        || !is_part && first != "*"
        || may.iter().any(|may| match may {
            All(other) => first == *other,
            Module(other, module) => first == *other && segment(1) == *module,
            Types(other) => first == *other && segment(1).starts_with(|c: char| c.is_uppercase()),
        })
}

fn refusal(part: &str, may: &[May], path: &[String]) -> String {
    let mut list: Vec<String> = if part == "main" { Vec::new() } else { VOCABULARY.iter().map(ToString::to_string).collect() };
    list.extend(may.iter().map(|may| match may {
        All(other) => (*other).to_owned(),
        Module(other, module) => format!("{other}::{module}"),
        Types(other) => format!("types at the top of {other}"),
    }));
    format!("`{part}` uses `{}`; allowed: itself, {}", path.join("::"), list.join(", "))
}

/// `super::super::…` that climbs out of its part would go unseen: the way there is `crate::`.
fn climbs(file: &File, inside: &str, part: &str, code: &str) -> Vec<Breach> {
    let modules = inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let mut breaches = Vec::new();
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let mut rest = &code[at..];
        let mut up = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, up) = (after, up + 1);
        }
        let names = paths(rest);
        let leaves =
            names.iter().any(|path| path.first().is_some_and(|name| name != part && TABLE.iter().any(|row| row.0 == name)));
        if up >= modules && leaves {
            let line = code[..at].matches('\n').count() + 1;
            breaches.push(
                file.breach(line, "`super::` climbs out of its part of the crate; write `crate::` so that the table is asked"),
            );
        }
    }
    breaches
}
