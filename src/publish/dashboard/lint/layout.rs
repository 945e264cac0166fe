//! Where widgets stand: on 12 columns, none on another.

use super::super::source::{Layout, WidgetSource};
use super::{Lint, Subject};

/// Columns of a page. New Relic's.
const COLUMNS: u32 = 12;
/// Highest widget, rows. The documentation allows 32, New Relic's own clients 12.
const HEIGHT: u32 = 12;
/// Lowest place of a widget, rows: far more than anybody scrolls.
const ROWS: u32 = 1_000;

impl Lint<'_> {
    /// Whether a widget stands on the page and on none of those before it.
    pub(super) fn layout(&mut self, subject: Subject<'_>, widget: &WidgetSource, before: &[WidgetSource]) {
        let Layout { column, row, width, height } = widget.layout;
        let last = column.saturating_add(width).saturating_sub(1);
        if column < 1 || width < 1 || last > COLUMNS {
            self.tell(subject, format!("columns {column} to {last}; a page has columns 1 to {COLUMNS}"));
        }
        if !(1..=HEIGHT).contains(&height) || !(1..=ROWS).contains(&row) {
            self.tell(subject, format!("row {row}, height {height}; rows count from 1 and the height is 1 to {HEIGHT}"));
        }
        for other in before.iter().filter(|other| overlap(widget.layout, other.layout)) {
            self.tell(
                subject,
                format!("stands on `{}`: both take cells of columns {column} to {last} from row {row} on", other.id),
            );
        }
    }
}

fn overlap(one: Layout, other: Layout) -> bool {
    let meet = |from: u32, length: u32, other_from: u32, other_length: u32| {
        from < other_from.saturating_add(other_length) && other_from < from.saturating_add(length)
    };
    meet(one.column, one.width, other.column, other.width) && meet(one.row, one.height, other.row, other.height)
}
