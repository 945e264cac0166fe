//! Choosing a value.
//!
//! What always holds: a condition is computed before; only `true` is true, a text `'true'` and null are not.

use super::{Named, RowFunction};
use crate::lab::engine::{time::Context, value::Value};

pub(super) const FUNCTIONS: &[RowFunction] = &[RowFunction::new("if", 2, 3, choose).aliases(&["ifThen"])];

/// The second argument if the first is true, else the third, or null.
fn choose(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let chosen = if args.first() == Some(&Value::Bool(true)) { args.get(1) } else { args.get(2) };
    chosen.cloned().unwrap_or_default()
}
