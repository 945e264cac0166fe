//! Plain tables for a terminal.
//!
//! In: a header and rows of text. Out: aligned columns, wide characters (Japanese) counted as two.

/// A table: the first column to the left, columns of numbers to the right.
#[must_use]
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let columns = header.len();
    let mut widths: Vec<usize> = header.iter().map(|cell| width(cell)).collect();
    let mut numeric = vec![!rows.is_empty(); columns];
    for row in rows {
        for ((cell, most), numeric) in row.iter().zip(&mut widths).zip(&mut numeric) {
            *most = width(cell).max(*most);
            *numeric &= cell.is_empty() || cell.chars().all(|c| c.is_ascii_digit() || ".,%-+".contains(c));
        }
    }
    let mut text = String::new();
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::from(" ");
        for ((cell, most), numeric) in row.iter().zip(&widths).zip(&numeric) {
            let pad = " ".repeat(most.saturating_sub(width(cell)));
            line += " ";
            line += &if *numeric { pad + cell } else { cell.clone() + &pad };
            line += " ";
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Columns a text takes on a terminal, near enough: East Asian wide characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_japanese_too() {
        let rows = vec![vec!["監査".to_owned(), "12".to_owned()], vec!["prod".to_owned(), "7".to_owned()]];
        assert_eq!(table(&["name", "records"], &rows), "  name  records\n  監査       12\n  prod        7\n");
    }
}
