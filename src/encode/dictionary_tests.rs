//! What must hold of the dictionary itself.

use super::super::limits;
use super::*;

/// S3-12: no emitted attribute is a reserved name.
#[test]
fn names_are_unique_legal_and_not_reserved() {
    assert_eq!(NAMES.len(), ATTRIBUTES.len(), "a name stands twice");
    for attribute in ATTRIBUTES {
        let name = attribute.name;
        assert!(!limits::RESERVED_NAMES.contains(&name) && !name.starts_with(limits::RESERVED_PREFIX), "{name} is reserved");
        assert!(name.len() <= limits::NAME_BYTES, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'), "{name}");
        assert!(!attribute.meaning.is_empty() && !attribute.example.is_empty() && !attribute.events.is_empty(), "{name}");
        if attribute.kind == Number {
            assert!(attribute.example.parse::<f64>().is_ok(), "{name}: {}", attribute.example);
        }
    }
    for event in EVENTS {
        let carried = ATTRIBUTES.iter().filter(|attribute| attribute.events.contains(event)).count();
        assert!((1..limits::ATTRIBUTES_SENT).contains(&carried), "{event}: {carried}");
    }
}
