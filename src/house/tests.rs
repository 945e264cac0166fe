//! The rules over the repository, and over made-up files that break them.

use std::path::Path;

use super::imports::{self, STAGES, TABLE, VOCABULARY};
use super::outside::{check_machine, check_name, check_pages, check_rust, headings};
use super::text::code_only;
use super::{Breach, File, assert_none, repository};

fn over(rule: fn(&File) -> Vec<Breach>) -> Vec<Breach> {
    let files = repository();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the repository was not found");
    files.iter().flat_map(rule).collect()
}

fn made_up(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn every_part_uses_only_what_it_may() {
    assert_none(&over(imports::check));
}

#[test]
fn source_files_are_short_open_with_a_doc_and_switch_no_lint_off() {
    assert_none(&over(|file| {
        if file.path.starts_with("src/") || file.path.starts_with("tests/") { check_rust(file) } else { Vec::new() }
    }));
}

#[test]
fn no_file_or_folder_is_a_drawer() {
    assert_none(&over(check_name));
}

#[test]
fn no_file_names_a_machine() {
    assert_none(&over(|file| check_machine(file, Path::exists)));
}

#[test]
fn both_languages_have_the_same_headings() {
    let files = repository();
    let page = |path: &str| files.iter().find(|file| file.path == path);
    assert_none(&check_pages(page("README.md"), page("README.ja.md")));
}

#[test]
fn the_table_names_every_stage_and_gives_none_of_them_another_stage_than_the_one_before() {
    for part in VOCABULARY.iter().chain(&STAGES) {
        assert!(TABLE.iter().any(|(name, _)| name == part), "{part} has no row");
    }
    for (at, stage) in STAGES.iter().enumerate() {
        for other in STAGES.iter().filter(|other| *other != stage) {
            let breaches = imports::check(&made_up(&format!("src/{stage}/mod.rs"), &format!("use crate::{other}::Thing;")));
            let before = at.checked_sub(1).and_then(|before| STAGES.get(before));
            assert_eq!(breaches.is_empty(), before == Some(other), "{stage} uses {other}: {breaches:?}");
        }
    }
}

#[test]
fn uses_that_are_refused() {
    for (name, path, text) in [
        ("use line", "src/decode/mod.rs", "use crate::deliver::Answer;"),
        ("path in code", "src/decode/gzip.rs", "fn f() { crate::deliver::answer(); }"),
        ("path in a type", "src/decode/gzip.rs", "struct S<'a>(&'a crate::encode::Event);"),
        ("group", "src/decode/mod.rs", "use crate::{ack::Tracked, classify::{Hit, RuleSet}, record::Trail};"),
        ("group over lines", "src/decode/mod.rs", "use crate::{\n    record::Trail,\n    health,\n};"),
        ("renamed in a group", "src/decode/mod.rs", "use crate::{record::Trail as T, pipeline as p};"),
        ("everything", "src/decode/mod.rs", "use crate::*;"),
        ("after a path in a string", "src/decode/mod.rs", "const A: &str = \"//\"; use crate::cli;"),
        ("after a quote character", "src/decode/mod.rs", "const Q: char = '\"'; use crate::cli; const R: char = '\"';"),
        ("a module of the stage before", "src/decode/mod.rs", "use crate::source::queue::Lease;"),
        ("the stage before as a whole", "src/decode/mod.rs", "use crate::source;"),
        ("vocabulary uses a stage", "src/record/mod.rs", "use crate::decode::Record;"),
        ("vocabulary in one file", "src/clock.rs", "use crate::health::Probe;"),
        ("lab uses a stage", "src/lab/backend/mod.rs", "use crate::deliver::Answer;"),
        ("lab uses a stage beside its limits", "src/lab/backend/mod.rs", "use crate::encode::{limits, batch};"),
        ("nrql uses the lab", "src/nrql/parser.rs", "use crate::lab::Store;"),
        ("a pipeline uses the command line", "src/pipeline/mod.rs", "use crate::cli::exit;"),
        ("main uses a stage", "src/main.rs", "fn main() { cspm_relay::pipeline::run() }"),
        ("main uses vocabulary", "src/main.rs", "use cspm_relay::config::Config;"),
        ("in a macro", "src/decode/mod.rs", "macro_rules! m { () => { $crate::deliver::x() } }"),
        ("by climbing", "src/decode/mod.rs", "use super::deliver::Answer;"),
        ("by climbing twice", "src/decode/gzip.rs", "use super::super::{deliver::Answer};"),
        ("a re-export for everybody", "src/lib.rs", "pub mod deliver;\npub(crate) use deliver::Answer;"),
        ("a part that nobody planned", "src/leftovers/mod.rs", ""),
    ] {
        let breaches = imports::check(&made_up(path, text));
        assert!(!breaches.is_empty(), "{name}");
    }
}

#[test]
fn uses_that_are_fine() {
    for (name, path, text) in [
        (
            "vocabulary",
            "src/deliver/mod.rs",
            "use crate::{ack::{Settle, Tracked}, clock::Clock, config::Limits, record::Trail, secret::Secret, cause::innermost};",
        ),
        ("itself", "src/deliver/http.rs", "use crate::deliver::answer::Answer; use super::retry; use super::super::deliver::x;"),
        (
            "a type of the stage before",
            "src/decode/mod.rs",
            "use crate::source::{Body, Object}; fn f() { crate::source::Body::Stdin; }",
        ),
        ("limits", "src/lab/backend/mod.rs", "use crate::encode::limits::{self, BODY_BYTES}; use crate::encode::limits;"),
        ("the pipeline knows all stages", "src/pipeline/mod.rs", "use crate::{source, decode::gzip, deliver::Answer};"),
        (
            "a doc link",
            "src/decode/mod.rs",
            "//! See [`crate::deliver`].\n/* use crate::deliver; /* nested */ use crate::cli; */",
        ),
        ("a string", "src/decode/mod.rs", "const A: &str = \"use crate::deliver\"; const B: &str = r#\"\"crate::deliver::x\"#;"),
        ("another crate", "src/decode/mod.rs", "use my_crate::deliver; use a::super_crate::cli;"),
        ("tests inside", "src/clock.rs", "mod tests { use super::*; use super::secret_of; }"),
        ("main", "src/main.rs", "fn main() { cspm_relay::cli::run(); }"),
        ("the list of parts", "src/lib.rs", "pub mod deliver;\nuse crate::deliver::x;"),
        ("tests of the whole", "tests/it/main.rs", "use cspm_relay::lab::backend::Backend;"),
    ] {
        assert_eq!(imports::check(&made_up(path, text)), [], "{name}");
    }
}

#[test]
fn a_refusal_says_where_and_what_is_allowed() {
    let breaches = imports::check(&made_up("src/decode/gzip.rs", "//! x\n\nuse crate::cli::exit;\n"));
    assert_eq!(
        breaches[0].to_string(),
        "src/decode/gzip.rs:3: `decode` uses `cli::exit`; allowed: itself, record, ack, clock, config, secret, cause, types at the top of source"
    );
}

#[test]
fn paths_are_read_out_of_use_trees() {
    let read = |code: &str| imports::paths(code).iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(read("a::b::C; x"), ["a::b::C"]);
    assert_eq!(read("{a, b::{c, D as E, f::*}, g};"), ["a", "b::c", "b::D", "b::f::*", "g"]);
    assert_eq!(read("a::B::<u8>::new(x, y)"), ["a::B"]);
    assert_eq!(read("{"), [""; 1]);
    assert_eq!(read("{$name, $other}"), [""; 1]);
}

#[test]
fn only_code_is_left() {
    for (source, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"x("a\"b", y)"#, "x(      , y)"),
        (r##"r#"a"b"# + br"c""##, "         +      "),
        ("r#type", "r#type"),
        ("<'a> '\\'' 'x' '\\u{41}' b", "<'a>                   b"),
        ("for_ever\"\"", "for_ever  "),
    ] {
        assert_eq!(code_only(source).trim_end(), code.trim_end(), "{source}");
        assert_eq!(code_only(source).len(), source.len(), "{source}");
    }
}

#[test]
fn forms_that_are_refused() {
    let long = format!("//! x\n{}", "\n".repeat(600));
    for (name, path, text) in [
        ("long", "src/a.rs", long.as_str()),
        ("long main", "src/main.rs", &long[..60]),
        ("no doc", "src/a.rs", "use x;\n//! late\n"),
        ("empty", "src/a.rs", ""),
        ("allow", "src/a.rs", "//! x\n#[allow(dead_code)]\nfn f() {}"),
        ("allow for a file", "src/a.rs", "//! x\n#![allow(missing_docs)]"),
        ("allow in disguise", "src/a.rs", "//! x\n#[cfg_attr(test, allow(unused))]"),
    ] {
        assert_eq!(check_rust(&made_up(path, text)).len(), 1, "{name}");
    }
    assert_eq!(
        check_rust(&made_up("src/a.rs", "//! x\n// no #[allow(x)] here\n#[expect(dead_code, reason = \"#[allow\")]\nfn f() {}")),
        []
    );
    assert_eq!(check_rust(&made_up("src/rules/a.yml", "")), []);
}

#[test]
fn names_that_are_refused() {
    for path in
        ["src/util/mod.rs", "src/utils.rs", "tests/it/common/mod.rs", "src/a/helpers.rs", "tests/tools/Misc.py", "src/manager.rs"]
    {
        assert_eq!(check_name(&made_up(path, "")).len(), 1, "{path}");
    }
    for path in ["src/retry.rs", "deploy/utility-bill.md", "tests/it/support/mod.rs"] {
        assert_eq!(check_name(&made_up(path, "")), [], "{path}");
    }
}

#[test]
fn machine_paths_that_are_refused() {
    // `~` stands for nothing, so that this file does not hold what is refused.
    let checked = |line: &str| {
        let is_here = |path: &Path| ["/mine/notes", "/etc/hosts", "/tmp/try"].map(Path::new).contains(&path);
        check_machine(&made_up("README.md", &format!("\n{}", line.replace('~', ""))), is_here)
    };
    for line in [
        "cd '/ro~ot/.cargo'",
        "(/ho~me/mila/source)",
        "PATH=/Us~ers/mila",
        "see /mi~ne/notes/x",
        "`/tmp/~try`",
        "at /mi~ne/notes.",
    ] {
        assert_eq!(checked(line).iter().map(|breach| breach.line).collect::<Vec<_>>(), [2], "{line}");
    }
    for line in [
        "docs/mine/notes",
        "https://example.com/mine/notes",
        "$HOME/x",
        "arn:aws:iam::1:root",
        "/root",
        "/etc/hosts",
        "/mine",
        "/mine/other",
        "/dev/null",
        "/log/v1",
        "s3://mine/notes",
        "${at}/mine/notes",
        "../home/x",
    ] {
        assert_eq!(checked(line), [], "{line}");
    }
}

#[test]
fn pages_that_differ_are_refused() {
    let page = |path: &str, text: &str| made_up(path, text);
    let english = page("README.md", "# a\n## b\n```sh\n# not a heading\n```\n### c\n#no\n");
    assert_eq!(headings(&english.text), [1, 2, 3]);
    let same = page("README.ja.md", "# あ\n\n## い\n### う\n");
    assert_eq!(check_pages(Some(&english), Some(&same)), []);
    for other in ["# あ\n### い\n## う\n", "# あ\n## い\n", ""] {
        assert_eq!(check_pages(Some(&english), Some(&page("README.ja.md", other))).len(), 1, "{other}");
    }
    assert_eq!(check_pages(Some(&english), None).len(), 1);
    assert_eq!(check_pages(None, Some(&same)).len(), 1);
}
