//! The event patterns that users deploy, and the language they are written in.

mod language;
