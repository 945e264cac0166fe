//! Units of measure by their UCUM names and some everyday ones, as `convert` reads them.
//!
//! What always holds: names are case-sensitive (`By` is a byte, `bit` a bit); a factor is a ratio of two numbers that doubles hold
//! exactly wherever the unit allows, so that 90 minutes are 1.5 hours and not nearly so.

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Measure {
    Time,
    Length,
    Mass,
    Volume,
    Data,
}

/// A unit: `up / down` of the measure's base (second, metre, gram, litre, bit).
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    /// What it measures.
    pub measures: Measure,
    names: &'static [&'static str],
    up: f64,
    down: f64,
}

impl Unit {
    const fn new(measures: Measure, names: &'static [&'static str], up: f64, down: f64) -> Self {
        Self { measures, names, up, down }
    }

    /// So many of this unit, in the other.
    #[must_use]
    pub fn ratio(&self, to: &Self, x: f64) -> f64 {
        x * (self.up * to.down) / (self.down * to.up)
    }
}

/// The unit of this name; none if it is unknown.
#[must_use]
pub fn find(name: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.names.contains(&name))
}

use Measure::{Data, Length, Mass, Time, Volume};

const DAY: f64 = 86_400.0;
const KIBI: f64 = 1_024.0;

/// UCUM first, then what people write. A year is the Julian one of 365.25 days, a month a twelfth of it; ounce and pound are those of
/// trade, gallon and its parts those of the United States.
const UNITS: &[Unit] = &[
    Unit::new(Time, &["ns", "nanosecond", "nanoseconds"], 1.0, 1e9),
    Unit::new(Time, &["us", "\u{b5}s", "\u{3bc}s", "microsecond", "microseconds"], 1.0, 1e6),
    Unit::new(Time, &["ms", "millisecond", "milliseconds"], 1.0, 1e3),
    Unit::new(Time, &["s", "sec", "second", "seconds"], 1.0, 1.0),
    Unit::new(Time, &["min", "minute", "minutes"], 60.0, 1.0),
    Unit::new(Time, &["h", "hr", "hour", "hours"], 3_600.0, 1.0),
    Unit::new(Time, &["d", "day", "days"], DAY, 1.0),
    Unit::new(Time, &["wk", "week", "weeks"], 7.0 * DAY, 1.0),
    Unit::new(Time, &["mo", "mo_j", "month", "months"], 30.437_5 * DAY, 1.0),
    Unit::new(Time, &["a", "a_j", "year", "years"], 365.25 * DAY, 1.0),
    Unit::new(Length, &["nm", "nanometer", "nanometers"], 1.0, 1e9),
    Unit::new(Length, &["um", "\u{b5}m", "\u{3bc}m", "micrometer", "micrometers"], 1.0, 1e6),
    Unit::new(Length, &["mm", "millimeter", "millimeters"], 1.0, 1e3),
    Unit::new(Length, &["cm", "centimeter", "centimeters"], 1.0, 100.0),
    Unit::new(Length, &["dm", "decimeter", "decimeters"], 1.0, 10.0),
    Unit::new(Length, &["m", "meter", "meters"], 1.0, 1.0),
    Unit::new(Length, &["km", "kilometer", "kilometers"], 1e3, 1.0),
    Unit::new(Length, &["[in_i]", "in_i", "in", "inch", "inches"], 254.0, 1e4),
    Unit::new(Length, &["[ft_i]", "ft_i", "ft", "foot", "feet"], 3_048.0, 1e4),
    Unit::new(Length, &["[ft_us]", "ft_us"], 1_200.0, 3_937.0),
    Unit::new(Length, &["[yd_i]", "yd_i", "yd", "yard", "yards"], 9_144.0, 1e4),
    Unit::new(Length, &["[mi_i]", "mi_i", "mi", "mile", "miles"], 1_609_344.0, 1e3),
    Unit::new(Length, &["[nmi_i]", "nmi_i", "nmi"], 1_852.0, 1.0),
    Unit::new(Mass, &["ng", "nanogram", "nanograms"], 1.0, 1e9),
    Unit::new(Mass, &["ug", "\u{b5}g", "\u{3bc}g", "microgram", "micrograms"], 1.0, 1e6),
    Unit::new(Mass, &["mg", "milligram", "milligrams"], 1.0, 1e3),
    Unit::new(Mass, &["g", "gram", "grams"], 1.0, 1.0),
    Unit::new(Mass, &["kg", "kilogram", "kilograms"], 1e3, 1.0),
    Unit::new(Mass, &["t", "tonne", "tonnes"], 1e6, 1.0),
    Unit::new(Mass, &["[oz_av]", "oz_av", "oz", "ounce", "ounces"], 28_349_523_125.0, 1e9),
    Unit::new(Mass, &["[lb_av]", "lb_av", "lb", "lbs", "pound", "pounds"], 45_359_237.0, 1e5),
    Unit::new(Volume, &["uL", "ul", "microliter", "microliters"], 1.0, 1e6),
    Unit::new(Volume, &["mL", "ml", "cm3", "milliliter", "milliliters"], 1.0, 1e3),
    Unit::new(Volume, &["cL", "cl", "centiliter", "centiliters"], 1.0, 100.0),
    Unit::new(Volume, &["dL", "dl", "dm3", "deciliter", "deciliters"], 1.0, 10.0),
    Unit::new(Volume, &["L", "l", "liter", "liters"], 1.0, 1.0),
    Unit::new(Volume, &["m3"], 1e3, 1.0),
    Unit::new(Volume, &["[tsp_us]", "tsp_us", "tsp", "teaspoon", "teaspoons"], 492_892_159_375.0, 1e14),
    Unit::new(Volume, &["[tbs_us]", "tbs_us", "tbsp", "tablespoon", "tablespoons"], 1_478_676_478_125.0, 1e14),
    Unit::new(Volume, &["[foz_us]", "foz_us", "fl_oz"], 295_735_295_625.0, 1e13),
    Unit::new(Volume, &["[cup_us]", "cup_us", "cup", "cups"], 2_365_882_365.0, 1e10),
    Unit::new(Volume, &["[pt_us]", "pt_us", "pt", "pint", "pints"], 473_176_473.0, 1e9),
    Unit::new(Volume, &["[qt_us]", "qt_us", "qt", "quart", "quarts"], 946_352_946.0, 1e9),
    Unit::new(Volume, &["[gal_us]", "gal_us", "gal", "gallon", "gallons"], 3_785_411_784.0, 1e9),
    Unit::new(Data, &["bit", "bits"], 1.0, 1.0),
    Unit::new(Data, &["kbit", "kilobit", "kilobits"], 1e3, 1.0),
    Unit::new(Data, &["Mbit", "megabit", "megabits"], 1e6, 1.0),
    Unit::new(Data, &["Gbit", "gigabit", "gigabits"], 1e9, 1.0),
    Unit::new(Data, &["Tbit", "terabit", "terabits"], 1e12, 1.0),
    Unit::new(Data, &["By", "byte", "bytes"], 8.0, 1.0),
    Unit::new(Data, &["kBy", "kilobyte", "kilobytes"], 8e3, 1.0),
    Unit::new(Data, &["MBy", "megabyte", "megabytes"], 8e6, 1.0),
    Unit::new(Data, &["GBy", "gigabyte", "gigabytes"], 8e9, 1.0),
    Unit::new(Data, &["TBy", "terabyte", "terabytes"], 8e12, 1.0),
    Unit::new(Data, &["PBy", "petabyte", "petabytes"], 8e15, 1.0),
    Unit::new(Data, &["KiBy", "kibibyte", "kibibytes"], 8.0 * KIBI, 1.0),
    Unit::new(Data, &["MiBy", "mebibyte", "mebibytes"], 8.0 * KIBI * KIBI, 1.0),
    Unit::new(Data, &["GiBy", "gibibyte", "gibibytes"], 8.0 * KIBI * KIBI * KIBI, 1.0),
    Unit::new(Data, &["TiBy", "tebibyte", "tebibytes"], 8.0 * KIBI * KIBI * KIBI * KIBI, 1.0),
    Unit::new(Data, &["PiBy", "pebibyte", "pebibytes"], 8.0 * KIBI * KIBI * KIBI * KIBI * KIBI, 1.0),
];
