//! How many pages a team can bear.
//!
//! In: `5/week`; when somebody was paged. Out: how many there were in each such time from the begin on, and whether it was ever too many.
//! What always holds: the last time may be cut short by the end of the range and is judged like a whole one: too many in less is too
//! many; what opens after the range, of its last rows, counts.

use crate::lab::streaming::Range;

const DAY_MS: i64 = 86_400_000;

/// So many in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At most.
    pub most: u64,
    /// Of the period.
    pub period: Period,
}

/// For how long a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl Period {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in a budget.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// How long, ms.
    #[must_use]
    pub fn ms(self) -> i64 {
        match self {
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Month => 30 * DAY_MS,
        }
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.most, self.period.as_str())
    }
}

impl std::str::FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no budget; allowed: a number, a slash and day, week or month, as 5/week");
        let (most, period) = text.split_once('/').ok_or_else(wrong)?;
        let period = Period::ALL.into_iter().find(|known| known.as_str() == period.trim()).ok_or_else(wrong)?;
        Ok(Self { most: most.trim().parse().map_err(|_| wrong())?, period })
    }
}

impl Budget {
    /// Begin and number of each period of a range.
    #[must_use]
    pub fn periods(self, opened: &[i64], range: Range) -> Vec<(i64, u64)> {
        let mut periods: Vec<(i64, u64)> = Vec::new();
        let mut begin = range.begin_ms;
        let last = opened.iter().map(|opened| opened.saturating_add(1)).max().unwrap_or(i64::MIN);
        while begin < range.end_ms.max(last) {
            let end = begin.saturating_add(self.period.ms());
            let number = opened.iter().filter(|opened| (begin..end).contains(*opened)).count();
            periods.push((begin, number as u64));
            begin = end;
        }
        periods
    }

    /// The periods with too many.
    #[must_use]
    pub fn exceeded(self, opened: &[i64], range: Range) -> Vec<(i64, u64)> {
        self.periods(opened, range).into_iter().filter(|(_, number)| *number > self.most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_number_and_a_time() {
        assert_eq!("5/week".parse(), Ok(Budget { most: 5, period: Period::Week }));
        assert_eq!(" 0 / day".parse(), Ok(Budget { most: 0, period: Period::Day }));
        for wrong in ["5", "5/year", "-1/week", "five/week", "/week", ""] {
            let error = wrong.parse::<Budget>().expect_err(wrong);
            assert!(error.contains("as 5/week"), "{error}");
        }
    }

    /// S3-14: too many in any week is too many, whatever the average.
    #[test]
    fn each_period_counts_for_itself() {
        let budget = Budget { most: 2, period: Period::Week };
        let range = Range { begin_ms: 0, end_ms: 20 * DAY_MS };
        let opened = [0, DAY_MS, 8 * DAY_MS, 14 * DAY_MS, 15 * DAY_MS, 16 * DAY_MS];
        assert_eq!(budget.periods(&opened, range), [(0, 2), (7 * DAY_MS, 1), (14 * DAY_MS, 3)]);
        assert_eq!(budget.exceeded(&opened, range), [(14 * DAY_MS, 3)]);
        assert_eq!(Budget { most: 3, ..budget }.exceeded(&opened, range), []);
        let one_day = Range { begin_ms: 0, end_ms: DAY_MS };
        assert_eq!(budget.periods(&[7 * DAY_MS], one_day), [(0, 0), (7 * DAY_MS, 1)]);
    }
}
