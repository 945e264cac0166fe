//! The rule files that come with the program, embedded at build. A test holds the list against the folder.

/// Names the files below `rules/` and embeds their text.
macro_rules! rule_files {
    ($($path:literal),* $(,)?) => {
        &[$((concat!("builtin:", $path), include_str!(concat!("rules/", $path)))),*]
    };
}

/// Name and text of every built-in file, in the order of their paths.
#[rustfmt::skip]
pub(super) const FILES: &[(&str, &str)] = rule_files![
];
