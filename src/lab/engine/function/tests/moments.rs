//! Calendar functions and date patterns.

use std::hint::black_box;

use super::*;

fn ms(text: &str) -> f64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond() as f64
}

fn zoned(zone: &str) -> Context {
    Context { zone: crate::lab::engine::time::zone(zone).unwrap(), now_ms: 0 }
}

#[test]
fn the_calendar_in_both_forms() {
    // Function, time, text, number.
    let at = "2014-07-15T18:06:00Z";
    for (function, time, text, number) in [
        ("yearOf", at, "2014", Some(2014.0)),
        ("quarterOf", at, "Q3 2014", Some(3.0)),
        ("quarterOf", "2014-01-01T00:00:00Z", "Q1 2014", Some(1.0)),
        ("quarterOf", "2014-12-31T23:59:59Z", "Q4 2014", Some(4.0)),
        ("monthOf", at, "July 2014", Some(7.0)),
        ("monthOf", "2024-02-29T00:00:00Z", "February 2024", Some(2.0)),
        ("weekOf", at, "Week of July 14", None),
        ("weekOf", "2024-01-15T00:00:00Z", "Week of January 15", None),
        ("weekOf", "2024-01-21T23:59:59Z", "Week of January 15", None),
        ("weekOf", "2024-01-01T00:00:00Z", "Week of January 1", None),
        ("weekOf", "2023-12-31T00:00:00Z", "Week of December 25", None),
        ("weekdayOf", at, "Tuesday", Some(2.0)),
        ("weekdayOf", "2023-12-17T12:00:00Z", "Sunday", Some(0.0)),
        ("weekdayOf", "2023-12-18T12:00:00Z", "Monday", Some(1.0)),
        ("weekdayOf", "2023-12-23T12:00:00Z", "Saturday", Some(6.0)),
        ("dateOf", at, "July 15, 2014", None),
        ("dateOf", "1970-01-01T00:00:00Z", "January 1, 1970", None),
        ("dayOfMonthOf", at, "15", Some(15.0)),
        ("daysInMonthOf", "2023-11-03T00:00:00Z", "30", Some(30.0)),
        ("daysInMonthOf", "2024-02-03T00:00:00Z", "29", Some(29.0)),
        ("daysInMonthOf", "2023-02-03T00:00:00Z", "28", Some(28.0)),
        ("hourOf", at, "18:00", Some(18.0)),
        ("hourOf", "2014-07-15T06:59:59Z", "6:00", Some(6.0)),
        ("hourOf", "2014-07-15T00:00:00Z", "0:00", Some(0.0)),
        ("minuteOf", at, "6", Some(6.0)),
        ("minuteOf", "2014-07-15T18:48:00Z", "48", Some(48.0)),
        ("minuteOf", "2014-07-15T18:00:59Z", "0", Some(0.0)),
    ] {
        let call = |form: Option<&str>| {
            let args: Vec<Value> = std::iter::once(Value::Number(ms(time))).chain(form.map(Value::text)).collect();
            (row(function).unwrap().call)(&utc(), &args, &Named::default())
        };
        assert_eq!(call(None), Value::text(text), "{function} {time}");
        assert_eq!(call(Some("String")), Value::text(text), "{function} {time}");
        assert_eq!(call(Some("numeric")), number.map_or(Value::text(text), Value::Number), "{function} {time}");
    }
}

#[test]
fn the_calendar_of_a_zone() {
    for (function, zone, time, expected) in [
        ("dateOf", "Asia/Tokyo", "2023-12-31T15:00:00Z", "January 1, 2024"),
        ("dateOf", "Asia/Tokyo", "2023-12-31T14:59:59Z", "December 31, 2023"),
        ("hourOf", "Asia/Tokyo", "2023-12-31T15:00:00Z", "0:00"),
        ("monthOf", "Asia/Tokyo", "2023-12-31T15:00:00Z", "January 2024"),
        ("weekOf", "Asia/Tokyo", "2023-12-31T15:00:00Z", "Week of January 1"),
        ("weekdayOf", "America/Los_Angeles", "2023-12-18T07:59:00Z", "Sunday"),
        ("hourOf", "America/Los_Angeles", "2024-03-10T10:00:00Z", "3:00"),
        ("hourOf", "America/Los_Angeles", "2024-11-03T09:00:00Z", "1:00"),
        ("minuteOf", "Asia/Kolkata", "2023-12-18T12:00:00Z", "30"),
    ] {
        let value = (row(function).unwrap().call)(&zoned(zone), &[Value::Number(ms(time))], &Named::default());
        assert_eq!(value, Value::text(expected), "{function} {zone} {time}");
    }
}

#[test]
fn the_calendar_of_other_things() {
    check(
        &utc(),
        &[
            ("text", "monthOf", r#"["2023-12-18"]"#, "null"),
            ("null", "yearOf", "[null]", "null"),
            ("flag", "hourOf", "[true]", "null"),
            ("out of range", "yearOf", "[1e18]", "null"),
            ("unknown form", "yearOf", r#"[0, "roman"]"#, "null"),
            ("form a number", "yearOf", "[0, 1]", "null"),
            ("before 1970", "dateOf", "[-1]", r#""December 31, 1969""#),
            ("fractions are cut", "minuteOf", "[60000.9]", r#""1""#),
            ("week of nothing", "weekOf", r#"["x"]"#, "null"),
            ("date of null", "dateOf", "[null]", "null"),
        ],
    );
}

#[test]
fn writing_times() {
    for (name, zone, time, pattern, expected) in [
        ("day", "UTC", "2023-10-18T15:27:03.123Z", "yyyy-MM-dd", "2023-10-18"),
        ("page's zone", "America/Los_Angeles", "1970-01-01T00:20:34.567Z", "yyyy-MM-dd", "1969-12-31"),
        ("numbers without zeros", "UTC", "2023-01-02T03:04:05Z", "y-M-d H:m:s", "2023-1-2 3:4:5"),
        ("two digits of a year", "UTC", "2005-01-02T00:00:00Z", "yy", "05"),
        ("month names", "UTC", "2023-10-18T00:00:00Z", "MMM MMMM MMMMM", "Oct October O"),
        ("weekdays", "UTC", "2023-10-18T00:00:00Z", "E EEE EEEE EEEEE", "Wed Wed Wednesday W"),
        ("quarters", "UTC", "2023-10-18T00:00:00Z", "Q QQ QQQ QQQQ", "4 04 Q4 4th quarter"),
        ("day of the year", "UTC", "2023-02-01T00:00:00Z", "D DDD", "32 032"),
        ("half of the day", "UTC", "2023-10-18T15:27:00Z", "h:mm a", "3:27 PM"),
        ("midnight", "UTC", "2023-10-18T00:05:00Z", "h K k H a", "12 0 24 0 AM"),
        ("noon", "UTC", "2023-10-18T12:05:00Z", "h K k H a", "12 0 12 12 PM"),
        ("fractions", "UTC", "2023-10-18T15:27:03.120Z", "S SS SSS SSSSSS", "1 12 120 120000"),
        ("of the day", "UTC", "2023-10-18T00:01:01.001Z", "A", "61001"),
        ("offset of UTC", "UTC", "2023-10-18T00:00:00Z", "X XX XXX x xx xxx Z", "Z Z Z +00 +0000 +00:00 +0000"),
        ("offset", "Asia/Kolkata", "2023-10-18T00:00:00Z", "X XX XXX x xx xxx Z", "+0530 +0530 +05:30 +0530 +0530 +05:30 +0530"),
        (
            "offset of hours",
            "Asia/Tokyo",
            "2023-10-18T00:00:00Z",
            "X x O OOOO ZZZZ ZZZZZ",
            "+09 +09 GMT+9 GMT+09:00 GMT+09:00 +09:00",
        ),
        ("negative", "-03:30", "2023-10-18T00:00:00Z", "XXX O", "-03:30 GMT-3:30"),
        ("zone", "Asia/Tokyo", "2023-10-18T00:00:00Z", "VV z", "Asia/Tokyo JST"),
        ("quotes", "UTC", "2023-10-18T00:00:00Z", "yyyy 'day' D''", "2023 day 291'"),
        ("quote in quotes", "UTC", "2023-10-18T09:00:00Z", "H 'o''clock'", "9 o'clock"),
        ("optional parts", "UTC", "2023-10-18T09:00:00Z", "yyyy[-MM[-dd]]", "2023-10-18"),
        ("Japanese", "Asia/Tokyo", "2023-12-31T15:00:00Z", "yyyy年M月d日", "2024年1月1日"),
    ] {
        let value =
            (row("toDatetime").unwrap().call)(&zoned(zone), &[Value::Number(ms(time)), Value::text(pattern)], &Named::default());
        assert_eq!(value, Value::text(expected), "{name}");
    }
}

#[test]
fn reading_times() {
    for (name, zone, text, pattern, expected) in [
        ("millis", "UTC", "2023-10-18 15:27:03.123", "yyyy-MM-dd HH:mm:ss.SSS", "2023-10-18T15:27:03.123Z"),
        ("seconds", "UTC", "2023-10-18 15:27:03", "yyyy-MM-dd HH:mm:ss", "2023-10-18T15:27:03Z"),
        ("minutes", "UTC", "2023-10-18 15:27", "yyyy-MM-dd HH:mm", "2023-10-18T15:27:00Z"),
        ("hours", "UTC", "2023-10-18 15", "yyyy-MM-dd HH", "2023-10-18T15:00:00Z"),
        ("day", "UTC", "2023-10-18", "yyyy-MM-dd", "2023-10-18T00:00:00Z"),
        ("day of the year", "UTC", "2023 day 291", "yyyy 'day' D", "2023-10-18T00:00:00Z"),
        ("month", "UTC", "2023-10", "yyyy-MM", "2023-10-01T00:00:00Z"),
        ("quarter", "UTC", "2023 Q4", "yyyy qqq", "2023-10-01T00:00:00Z"),
        ("year", "UTC", "2023", "yyyy", "2023-01-01T00:00:00Z"),
        ("time only", "UTC", "00:30", "HH:mm", "1970-01-01T00:30:00Z"),
        ("time west", "UTC", "00:30 GMT-1", "HH:mm O", "1970-01-01T01:30:00Z"),
        ("time east", "UTC", "00:30 GMT+1", "HH:mm O", "1969-12-31T23:30:00Z"),
        ("half of the day", "UTC", "2023-10-18 3:27 PM", "yyyy-MM-dd h:mm a", "2023-10-18T15:27:00Z"),
        ("midnight", "UTC", "2023-10-18 12:27 AM", "yyyy-MM-dd h:mm a", "2023-10-18T00:27:00Z"),
        ("page's zone", "America/Los_Angeles", "2023-11-03 11:00:32", "yyyy-MM-dd HH:mm:ss", "2023-11-03T18:00:32Z"),
        ("digits side by side", "UTC", "20231018152703", "yyyyMMddHHmmss", "2023-10-18T15:27:03Z"),
        ("fractions side by side", "UTC", "20231018152703123", "yyyyMMddHHmmssSSS", "2023-10-18T15:27:03.123Z"),
        ("names", "UTC", "Wed, 18 Oct 2023", "EEE, dd MMM yyyy", "2023-10-18T00:00:00Z"),
        ("long names", "UTC", "Wednesday 18 October 2023", "EEEE d MMMM yyyy", "2023-10-18T00:00:00Z"),
        ("May", "UTC", "May 5, 2024", "MMMM d, yyyy", "2024-05-05T00:00:00Z"),
        ("two digits of a year", "UTC", "05-01-02", "yy-MM-dd", "2005-01-02T00:00:00Z"),
        ("offset", "UTC", "2023-10-18T15:27+09:00", "yyyy-MM-dd'T'HH:mmXXX", "2023-10-18T06:27:00Z"),
        ("offset Z", "Asia/Tokyo", "2023-10-18T15:27Z", "yyyy-MM-dd'T'HH:mmXXX", "2023-10-18T15:27:00Z"),
        ("offset of hours", "UTC", "15:27+09", "HH:mmX", "1970-01-01T06:27:00Z"),
        ("offset without colon", "UTC", "15:27-0330", "HH:mmZ", "1970-01-01T18:57:00Z"),
        ("long offset", "UTC", "15:27 GMT+09:00", "HH:mm OOOO", "1970-01-01T06:27:00Z"),
        ("zone by name", "UTC", "2023-10-18 09:00 Asia/Tokyo", "yyyy-MM-dd HH:mm VV", "2023-10-18T00:00:00Z"),
        ("zone by letters", "UTC", "2023-10-18 09:00 JST", "yyyy-MM-dd HH:mm z", "2023-10-18T00:00:00Z"),
        ("optional there", "UTC", "2023-10-18", "yyyy[-MM[-dd]]", "2023-10-18T00:00:00Z"),
        ("optional absent", "UTC", "2023", "yyyy[-MM[-dd]]", "2023-01-01T00:00:00Z"),
        ("Japanese", "Asia/Tokyo", "2024年1月1日", "yyyy年M月d日", "2023-12-31T15:00:00Z"),
        ("of the day", "UTC", "61001", "A", "1970-01-01T00:01:01.001Z"),
        ("skipped", "America/Los_Angeles", "2024-03-10 02:30", "yyyy-MM-dd HH:mm", "2024-03-10T10:30:00Z"),
        ("shown twice", "America/Los_Angeles", "2024-11-03 01:30", "yyyy-MM-dd HH:mm", "2024-11-03T08:30:00Z"),
    ] {
        let value =
            (row("toTimestamp").unwrap().call)(&zoned(zone), &[Value::text(text), Value::text(pattern)], &Named::default());
        assert_eq!(value, Value::Number(ms(expected)), "{name}");
    }
}

#[test]
fn texts_that_do_not_fit() {
    for (name, text, pattern) in [
        ("more behind", "2023-10-18x", "yyyy-MM-dd"),
        ("less", "2023-10", "yyyy-MM-dd"),
        ("one digit of two", "2023-1-18", "yyyy-MM-dd"),
        ("small letters of a half", "2023-10-18 3:27 pm", "yyyy-MM-dd h:mm a"),
        ("an hour of a half without it", "2023-10-18 3:27", "yyyy-MM-dd h:mm"),
        ("day without month", "2023 18", "yyyy dd"),
        ("month without year", "10-18", "MM-dd"),
        ("minute without hour", "2023-10-18 27", "yyyy-MM-dd mm"),
        ("no such day", "2023-02-30", "yyyy-MM-dd"),
        ("no such day of the year", "2023-366", "yyyy-DDD"),
        ("no such hour", "24:00", "HH:mm"),
        ("no such half hour", "13:00 PM", "hh:mm a"),
        ("another weekday", "Thu, 18 Oct 2023", "EEE, dd MMM yyyy"),
        ("name in small letters", "18 oct 2023", "dd MMM yyyy"),
        ("two years", "2023 2024", "yyyy yyyy"),
        ("unknown zone", "09:00 Mars/Olympus", "HH:mm VV"),
        ("quarter and month", "2023 Q1 10", "yyyy QQQ MM"),
        ("no pattern", "2023", "bbbb"),
    ] {
        let value = (row("toTimestamp").unwrap().call)(&utc(), &[Value::text(text), Value::text(pattern)], &Named::default());
        assert_eq!(value, Value::Null, "{name}");
    }
}

#[test]
fn defaults_and_zones_of_their_own() {
    check(
        &utc(),
        &[
            ("written", "toDatetime", "[1234567]", r#""1970-01-01T00:20:34.567Z""#),
            ("other name", "fromTimestamp", "[0]", r#""1970-01-01T00:00:00.000Z""#),
            ("zone in its place", "toDatetime", r#"[1234567, "yyyy-MM-dd", "America/Los_Angeles"]"#, r#""1969-12-31""#),
            ("unknown zone", "toDatetime", r#"[0, "yyyy", "Mars/Olympus"]"#, "null"),
            ("of a text", "toDatetime", r#"["0"]"#, "null"),
            ("of null", "toDatetime", "[null]", "null"),
            ("pattern null", "toDatetime", "[0, null]", "null"),
            ("fractions are cut", "toDatetime", "[999.9]", r#""1970-01-01T00:00:00.999Z""#),
            ("read", "toTimestamp", r#"["2023-10-18T15:27:03.123Z"]"#, "1697642823123"),
            ("other name, read", "fromDatetime", r#"["2023-10-18T15:27:03"]"#, "1697642823000"),
            ("offset, read", "toTimestamp", r#"["2023-10-18T15:27:03+09:00"]"#, "1697610423000"),
            ("blank for T", "toTimestamp", r#"["2023-10-18 15:27:03"]"#, "null"),
            (
                "zone for a text",
                "toTimestamp",
                r#"["2023-11-03 11:00:32", "yyyy-MM-dd HH:mm:ss", "America/Los_Angeles"]"#,
                "1699034432000",
            ),
            ("of a number", "toTimestamp", "[0]", "null"),
            ("of null, read", "toTimestamp", "[null]", "null"),
        ],
    );
    for (name, function, args, zone, expected) in [
        ("written", "toDatetime", r#"[1234567, "yyyy-MM-dd"]"#, r#""America/Los_Angeles""#, r#""1969-12-31""#),
        ("default pattern", "toDatetime", "[0]", r#""Asia/Tokyo""#, r#""1970-01-01T09:00:00.000+09:00""#),
        ("read", "toTimestamp", r#"["2023-11-03 11:00:32", "yyyy-MM-dd HH:mm:ss"]"#, r#""PST""#, "1699034432000"),
        ("no zone", "toTimestamp", r#"["2023-10-18T15:27:03"]"#, "9", "null"),
    ] {
        let named = [("timezone", json(zone))];
        assert_eq!((row(function).unwrap().call)(&utc(), &arguments(args), &Named(&named)), json(expected), "{name}");
    }
}

#[test]
fn other_patterns_are_refused_where_they_go_wrong() {
    for (pattern, at) in [
        ("yyyy-bb", 5),
        ("YYYY", 0),
        ("MMMMMM", 0),
        ("ddd", 0),
        ("'open", 0),
        ("yyyy[-MM", 8),
        ("yyyy]", 4),
        ("yyyy#", 4),
        ("VVV", 0),
        ("OO", 0),
    ] {
        let error = DatePattern::compile(pattern).expect_err(pattern);
        assert_eq!((error.pattern.as_str(), error.at), (pattern, at), "{error}");
    }
}

proptest! {
    /// What is written with an offset is read back.
    #[test]
    fn written_times_are_read(ms in -30_000_000_000_000_i64..200_000_000_000_000, zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/Los_Angeles"])) {
        let (time, context) = (Value::Number(ms as f64), zoned(zone));
        let text = (row("toDatetime").unwrap().call)(&context, std::slice::from_ref(&time), &Named::default());
        // Offsets of whole minutes only: the default pattern shows no seconds.
        let offset = context.at(ms).unwrap().offset().seconds();
        prop_assume!(offset % 60 == 0);
        prop_assert_eq!((row("toTimestamp").unwrap().call)(&utc(), &[text], &Named::default()), time);
    }

    #[test]
    fn any_pattern_on_any_text(pattern in "[yMdHhmsSaXZzVO'\\[\\] :-]{0,12}", text in "[0-9A-Za-z :+-]{0,16}", ms in any::<i64>()) {
        if let Ok(pattern) = DatePattern::compile(&pattern) {
            black_box(pattern.parse(&text, &jiff::tz::TimeZone::UTC));
            if let Some(time) = utc().at(ms) {
                black_box(pattern.format(&time));
            }
        }
    }
}
