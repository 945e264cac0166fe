//! What an error says at its root.
//!
//! In: an error with a chain of causes. Out: the words of the innermost one: "connection refused" says more than "error sending
//! request", and names neither the URL nor a header. It does not judge what the error means.

use std::error::Error;

/// The words of the innermost cause of `error`; its own when it has none.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Outer(&'static str, #[source] Option<Box<Outer>>);

    #[test]
    fn the_root_speaks() {
        let root = || Box::new(Outer("connection refused", None));
        for (name, error) in [
            ("alone", Outer("connection refused", None)),
            ("one deep", Outer("connecting", Some(root()))),
            ("two deep", Outer("sending", Some(Box::new(Outer("connecting", Some(root())))))),
        ] {
            assert_eq!(innermost(&error), "connection refused", "{name}");
        }
    }
}
