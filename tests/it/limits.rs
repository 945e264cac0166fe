//! New Relic's limits: the relay's own copy against the one typed here from New Relic's pages.

use cspm_relay::encode::limits as ours;

use crate::support::limits as theirs;

#[test]
fn the_relay_knows_the_limits_as_they_are_written() {
    assert_eq!(ours::BODY_BYTES, theirs::EVENT_BODY_BYTES);
    assert_eq!(ours::BODY_BYTES, theirs::LOG_BODY_BYTES);
    assert_eq!(ours::NAME_BYTES, theirs::EVENT_NAME_BYTES);
    assert_eq!(ours::EVENT_VALUE_CHARS, theirs::EVENT_VALUE_CHARS);
    assert_eq!(ours::LOG_VALUE_CHARS, theirs::LOG_VALUE_CHARS_SEARCHABLE);
    assert_eq!(ours::LOG_VALUE_BYTES, theirs::LOG_VALUE_CHARS_SEARCHABLE + theirs::LOG_VALUE_BLOB_BYTES);
    assert_eq!(ours::EVENT_WINDOW_MS, theirs::EVENT_WINDOW_MS);
    assert_eq!(ours::LOG_WINDOW_MS, theirs::LOG_WINDOW_MS);
    assert_eq!(ours::SERVER_TIMEOUT_MS, theirs::SERVER_TIMEOUT_MS);
}

#[test]
fn the_relay_sends_less_than_new_relic_takes() {
    assert!(ours::BODY_BYTES_SENT < theirs::EVENT_BODY_BYTES.min(theirs::LOG_BODY_BYTES));
    const { assert!(ours::EVENTS_PER_BODY <= theirs::EVENTS_PER_BODY) };
    assert!(ours::ATTRIBUTES_SENT < theirs::EVENT_ATTRIBUTES.min(theirs::LOG_ATTRIBUTES));
    const { assert!(ours::ATTRIBUTES <= theirs::EVENT_ATTRIBUTES) };
    assert!(ours::VALUE_SENT <= theirs::EVENT_VALUE_CHARS.min(theirs::LOG_VALUE_CHARS_SEARCHABLE));
    const { assert!(ours::LATE_MS < theirs::EVENT_WINDOW_MS) };
    for name in theirs::EVENT_NAMES_DROPPED.iter().chain(&theirs::LOG_NAMES_DROPPED) {
        assert!(ours::RESERVED_NAMES.contains(name), "{name}");
    }
    assert_eq!(ours::RESERVED_PREFIX, theirs::RESERVED_PREFIX);
}
