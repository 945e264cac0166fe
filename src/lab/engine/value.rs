//! One value of one row, as expressions see it.
//!
//! What always holds: nothing converts by itself: a text is never a number; null is the absence of a value.

use std::sync::Arc;

/// One value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Not there.
    #[default]
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, as New Relic keeps it: a double. Times are milliseconds since 1970.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Self]>),
    /// Named values in order: percentiles by their rank, the parts of an apdex, what `jparse` found.
    Object(Arc<[(Arc<str>, Self)]>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether nothing is there.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}
