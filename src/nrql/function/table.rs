//! The table of functions: NRQL reference, aggregate functions and row functions, which names the sources of each fact.

use super::Kind::{Aggregate, Row};
use super::Tier::{Beyond, T1, T2, T3};
use super::{Function, Kind, Tier};

/// A function with a number of arguments between two.
const fn of(kind: Kind, tier: Tier, name: &'static str, least: usize, most: usize, doc: &'static str) -> Function {
    Function::new(kind, tier, name, least, Some(most), doc)
}

/// A function with any number of arguments from one on.
const fn any(kind: Kind, tier: Tier, name: &'static str, least: usize, doc: &'static str) -> Function {
    Function::new(kind, tier, name, least, None, doc)
}

/// How the service counts and ranks where the lab is exact.
const SKETCH: &str = "exact; New Relic's is a sketch, off by up to 1.56 % of the value (values spread up to 1,000-fold), 3.125 % \
                      (10^6), 6.25 % (10^12)";

/// All functions, aggregates first.
pub const FUNCTIONS: &[Function] = &[
    of(Aggregate, T1, "count", 1, 1, "Rows; rows where the attribute is not null; all rows for a constant."),
    of(Aggregate, T1, "sum", 1, 1, "Sum of numbers; other values are skipped."),
    of(Aggregate, T1, "average", 1, 1, "Mean of numbers; null without one.").also(&["avg"]),
    of(Aggregate, T1, "min", 1, 1, "Least number; null without one."),
    of(Aggregate, T1, "max", 1, 1, "Greatest number; null without one."),
    of(Aggregate, T1, "latest", 1, 1, "Value of the newest row that has one."),
    of(Aggregate, T2, "earliest", 1, 1, "Value of the oldest row that has one."),
    of(Aggregate, T1, "uniqueCount", 1, 32, "Different values, or combinations of several attributes.")
        .named(&["precision"])
        .differs("exact; New Relic's is exact to 256 values, or to precision (at most 50,000), and an estimate above"),
    of(Aggregate, T2, "uniques", 1, 2, "List of different values; second argument: at most so many (1,000, up to 10,000)."),
    any(Aggregate, T1, "percentile", 1, "Values below which so many percent lie (95 without); keyed by percent.").differs(SKETCH),
    of(Aggregate, T2, "median", 1, 1, "percentile 50, of the same shape.").differs(SKETCH),
    any(Aggregate, T1, "percentage", 2, "100 × the aggregate where the condition holds, by the aggregate.")
        .differs("null where the attribute is no number; New Relic gives 100"),
    of(Aggregate, T1, "filter", 2, 2, "The aggregate, over rows where the condition holds."),
    of(Aggregate, T1, "rate", 1, 2, "The aggregate per time: 1 second without.")
        .differs("without an interval per second, as is remembered, not documented"),
    of(Aggregate, T2, "apdex", 1, 2, "Score from 0 to 1: satisfied to t (0.5 without), tolerated to 4 t.").named(&["t"]),
    of(Aggregate, T2, "histogram", 1, 4, "Counts of values in equal buckets: width 10, 40 buckets, from 0.")
        .named(&["width", "buckets", "start"]),
    of(Aggregate, T3, "funnel", 3, 11, "Different values that pass 1 step, 2 steps …: 2 to 10 of them.")
        .differs("exact; New Relic's is exact to 256 values and an estimate above"),
    of(Aggregate, T2, "stddev", 1, 1, "Standard deviation of numbers.")
        .differs("of the population, New Relic does not say which; null without a number, where New Relic gives 0"),
    of(Aggregate, T3, "stdvar", 1, 1, "Variance of numbers.")
        .differs("of the population, New Relic does not say which; null without a number, where New Relic gives 0"),
    of(Aggregate, T2, "derivative", 1, 2, "Slope of the line through the values, per time.")
        .differs("without an interval per second; New Relic does not say"),
    of(Aggregate, T3, "predictLinear", 1, 2, "The same line, so far behind the end of the window."),
    of(Aggregate, T3, "latestrate", 1, 2, "Slope of the last two points, per time."),
    of(Aggregate, T3, "cdfPercentage", 2, 11, "Percent of values up to each threshold, up to 10."),
    of(Aggregate, T3, "keyset", 0, 0, "Names of the attributes, by type."),
    of(Aggregate, T2, "bytecountestimate", 0, 1, "Bytes of the rows as New Relic bills them.")
        .approximate("length of the rows as JSON; New Relic does not say how it estimates"),
    of(Aggregate, T3, "aggregationendtime", 0, 0, "End of the bucket or window, in ms since 1970."),
    of(Aggregate, Beyond, "nativesizeestimate", 0, 0, "Bytes of the rows as stored.").approximate("the length of their JSON"),
    any(Aggregate, Beyond, "bucketPercentile", 1, "Percentiles from buckets as Prometheus has them.").parsed(),
    any(Aggregate, Beyond, "histogramPercentile", 1, "Percentiles from buckets as Prometheus has them.").parsed(),
    of(Aggregate, Beyond, "cardinality", 0, 1, "Combinations of a metric's dimensions.").named(&["include", "exclude"]).parsed(),
    of(Aggregate, Beyond, "irate", 1, 2, "Rate of the last two points, per time.").approximate("as latestrate"),
    of(Aggregate, Beyond, "deriv", 1, 2, "Slope of a gauge, per time.").approximate("as derivative"),
    of(Aggregate, Beyond, "datapointCount", 0, 0, "Points of the metric.").approximate("rows"),
    of(Row, T2, "if", 2, 3, "The second argument if the first holds, else the third, or null."),
    any(Row, T2, "concat", 1, "Texts behind each other, up to 20; nulls are skipped.").named(&["precision"]),
    of(Row, T2, "numeric", 1, 1, "A text as a number; null if it is none."),
    of(Row, T2, "string", 1, 1, "A value as text.")
        .named(&["precision"])
        .differs("a facet of numbers keeps its decimals without it, New Relic's loses them"),
    of(Row, T2, "boolean", 1, 1, "`true` and `false` as truth values; null for all else."),
    of(Row, T2, "eventType", 0, 0, "The type of the row."),
    any(Row, T2, "tuple", 1, "Several values as one."),
    of(Row, T2, "round", 1, 2, "The nearest whole number, or multiple of the second argument."),
    of(Row, T2, "floor", 1, 1, "The whole number below."),
    of(Row, T2, "ceil", 1, 1, "The whole number above.").also(&["ceiling"]),
    of(Row, T2, "abs", 1, 1, "Without its sign."),
    of(Row, T2, "clamp_max", 2, 2, "At most the second argument."),
    of(Row, T2, "clamp_min", 2, 2, "At least the second argument."),
    of(Row, T3, "sqrt", 1, 1, "Square root; null below 0."),
    of(Row, T3, "exp", 1, 1, "e to the power."),
    of(Row, T3, "ln", 1, 1, "Natural logarithm; null for 0 and below."),
    of(Row, T3, "log2", 1, 1, "Logarithm to base 2; null for 0 and below."),
    of(Row, T3, "log10", 1, 1, "Logarithm to base 10; null for 0 and below."),
    of(Row, T3, "log", 2, 2, "Logarithm to the base in the second argument."),
    of(Row, T3, "pow", 2, 2, "The first to the power of the second."),
    of(Row, T3, "mod", 2, 2, "What a division leaves, with the sign of the divisor."),
    of(Row, T3, "convert", 3, 3, "A number in another unit, as `convert(d, 'ms', 'min')`.").approximate("common units only"),
    of(Row, T3, "substring", 2, 3, "Part of a text: from a position (0 first, negative from the end), so long."),
    of(Row, T3, "position", 2, 3, "Where a text stands in another (0 first); null if nowhere.").also(&["indexOf"]),
    of(Row, T3, "length", 1, 1, "Characters of a text, items of a list."),
    of(Row, T3, "lower", 1, 1, "In small letters."),
    of(Row, T3, "upper", 1, 1, "In capitals."),
    of(Row, T3, "capture", 2, 2, "What the groups of a regular expression take."),
    of(Row, T3, "aparse", 2, 2, "What `*` takes in a pattern; `%` skips."),
    of(Row, T3, "jparse", 1, 2, "A value in a JSON text, by its path."),
    of(Row, T3, "mapKeys", 1, 2, "Names in a JSON object, by its path."),
    of(Row, T3, "mapValues", 1, 2, "Values in a JSON object, by its path."),
    of(Row, T3, "encode", 2, 2, "A text as base64, base64mime or base64url."),
    of(Row, T3, "decode", 2, 2, "A text from base64, base64mime or base64url."),
    of(Row, T3, "blob", 1, 1, "A long text stored apart, as base64.").approximate("of any text: none is stored apart"),
    of(Row, T3, "toDatetime", 1, 2, "Milliseconds since 1970 as text, by a pattern.")
        .also(&["fromTimestamp"])
        .named(&["timezone"]),
    of(Row, T3, "toTimestamp", 1, 2, "A text as milliseconds since 1970, by a pattern.")
        .also(&["fromDatetime"])
        .named(&["timezone"]),
    of(Row, T3, "yearOf", 1, 2, "Year of a time; second argument: numeric or string."),
    of(Row, T3, "quarterOf", 1, 2, "Quarter of a time, as `Q1 2014` or 1."),
    of(Row, T3, "monthOf", 1, 2, "Month of a time, as `July 2014` or 7."),
    of(Row, T3, "weekOf", 1, 2, "Week of a time, as `Week of January 15`, by its Monday."),
    of(Row, T3, "weekdayOf", 1, 2, "Day of the week, as `Sunday` or 0."),
    of(Row, T3, "dateOf", 1, 2, "Day of a time, as `July 15, 2014`."),
    of(Row, T3, "dayOfMonthOf", 1, 2, "Day of the month."),
    of(Row, T3, "daysInMonthOf", 1, 2, "Days the month has."),
    of(Row, T3, "hourOf", 1, 2, "Hour of a time, as `6:00` or 6."),
    of(Row, T3, "minuteOf", 1, 2, "Minute of a time."),
    of(Row, T3, "accountId", 0, 0, "The New Relic account of the row."),
    of(Row, T3, "getField", 2, 2, "`value[field]`: an item of a list, a field of a metric."),
    of(Row, T3, "contains", 2, 2, "Whether a list has an item."),
    of(Row, T3, "buckets", 2, 3, "In which of n equal ranges up to a ceiling a number lies.")
        .differs("labels follow the one documented example"),
    of(Row, T3, "cidrAddress", 1, 3, "The network of an IPv4 address; null if it is none."),
    of(Row, T3, "getCdfCount", 2, 2, "Values of a distribution up to a threshold.")
        .approximate("a number is a distribution of one"),
    of(Row, T3, "ifThen", 2, 2, "The second argument if the first holds, else null."),
    of(Row, Beyond, "conditional", 2, 2, "The second argument where the condition holds, else null."),
    of(Row, Beyond, "dimensions", 0, 0, "The dimensions of a metric.").named(&["include", "exclude"]).parsed(),
];
