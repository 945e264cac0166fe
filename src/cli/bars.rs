//! Bars of a chart on a terminal: one character each.
//!
//! In: numbers, the most that any of the chart has. Out: text. What always holds: nothing and little do not look alike.

/// From nothing to the most.
const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Bars in a row at most; where there are more days one bar is several.
const WIDEST: usize = 60;

/// A bar for each number.
pub(super) fn text(numbers: &[u64], most: u64) -> String {
    numbers.iter().map(|number| bar(*number, most)).collect()
}

/// How many days a bar is, of so many.
pub(super) fn width(days: usize) -> usize {
    days.div_ceil(WIDEST).max(1)
}

fn bar(number: u64, most: u64) -> char {
    let step = if number == 0 { 0 } else { number.saturating_mul(8).div_ceil(most.max(1)).clamp(1, 8) };
    usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::{text, width};

    #[test]
    fn little_is_seen_and_much_has_a_limit() {
        assert_eq!(text(&[0, 1, 50, 100, 200], 100), "·▁▄██");
        assert_eq!(text(&[0], 0), "·");
        assert_eq!((width(0), width(60), width(61)), (1, 1, 2));
    }
}
