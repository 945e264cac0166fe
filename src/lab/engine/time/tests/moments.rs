//! `SINCE`, `UNTIL`, `COMPARE WITH`.

use super::*;
use crate::nrql::ast::{Name, Span};

fn ago(count: f64, unit: Unit) -> Moment {
    Moment::Ago(Duration { count, unit })
}

fn day(day: Day) -> Moment {
    Moment::Day { day, at: None }
}

fn day_at(day: Day, at: &str) -> Moment {
    Moment::Day { day, at: Some(text(at)) }
}

#[test]
fn the_words_of_the_page_at_its_moment() {
    use Day::*;
    let at = "01:23:45";
    for (name, moment, expected) in [
        ("now", Moment::Now, "2023-12-18T12:34:56.789Z"),
        ("2 milliseconds ago", ago(2.0, Unit::Millisecond), "2023-12-18T12:34:56.787Z"),
        ("2 seconds ago", ago(2.0, Unit::Second), "2023-12-18T12:34:54.789Z"),
        ("2 minutes ago", ago(2.0, Unit::Minute), "2023-12-18T12:32:56.789Z"),
        ("2 hours ago", ago(2.0, Unit::Hour), "2023-12-18T10:34:56.789Z"),
        ("2 days ago", ago(2.0, Unit::Day), "2023-12-16T12:34:56.789Z"),
        ("2 weeks ago", ago(2.0, Unit::Week), "2023-12-04T12:34:56.789Z"),
        ("2 months ago", ago(2.0, Unit::Month), "2023-10-19T12:34:56.789Z"),
        ("2 quarters ago", ago(2.0, Unit::Quarter), "2023-06-19T12:34:56.789Z"),
        ("2 years ago", ago(2.0, Unit::Year), "2021-12-18T12:34:56.789Z"),
        ("half an hour ago", ago(0.5, Unit::Hour), "2023-12-18T12:04:56.789Z"),
        ("an epoch", Moment::Epoch(1_702_899_296_789), "2023-12-18T11:34:56.789Z"),
        ("today", day(Today), "2023-12-18T00:00:00Z"),
        ("today at", day_at(Today, at), "2023-12-18T01:23:45Z"),
        ("today at a time to come", day_at(Today, "23:45"), "2023-12-17T23:45:00Z"),
        ("today at this second", day_at(Today, "12:34:56"), "2023-12-18T12:34:56Z"),
        ("yesterday", day(Yesterday), "2023-12-17T00:00:00Z"),
        ("yesterday at", day_at(Yesterday, at), "2023-12-17T01:23:45Z"),
        ("monday is today", day(Monday), "2023-12-18T00:00:00Z"),
        ("monday at", day_at(Monday, at), "2023-12-18T01:23:45Z"),
        ("tuesday", day(Tuesday), "2023-12-12T00:00:00Z"),
        ("tuesday at", day_at(Tuesday, at), "2023-12-12T01:23:45Z"),
        ("wednesday", day(Wednesday), "2023-12-13T00:00:00Z"),
        ("wednesday at", day_at(Wednesday, at), "2023-12-13T01:23:45Z"),
        ("thursday", day(Thursday), "2023-12-14T00:00:00Z"),
        ("thursday at", day_at(Thursday, at), "2023-12-14T01:23:45Z"),
        ("friday", day(Friday), "2023-12-15T00:00:00Z"),
        ("friday at", day_at(Friday, at), "2023-12-15T01:23:45Z"),
        ("saturday", day(Saturday), "2023-12-16T00:00:00Z"),
        ("saturday at", day_at(Saturday, at), "2023-12-16T01:23:45Z"),
        ("sunday", day(Sunday), "2023-12-17T00:00:00Z"),
        ("sunday at", day_at(Sunday, at), "2023-12-17T01:23:45Z"),
        ("this minute", Moment::This(Unit::Minute), "2023-12-18T12:34:00Z"),
        ("last minute", Moment::Last(Unit::Minute), "2023-12-18T12:33:00Z"),
        ("this hour", Moment::This(Unit::Hour), "2023-12-18T12:00:00Z"),
        ("last hour", Moment::Last(Unit::Hour), "2023-12-18T11:00:00Z"),
        ("this day", Moment::This(Unit::Day), "2023-12-18T00:00:00Z"),
        ("last day", Moment::Last(Unit::Day), "2023-12-17T00:00:00Z"),
        ("this week", Moment::This(Unit::Week), "2023-12-18T00:00:00Z"),
        ("last week", Moment::Last(Unit::Week), "2023-12-11T00:00:00Z"),
        ("this month", Moment::This(Unit::Month), "2023-12-01T00:00:00Z"),
        ("last month", Moment::Last(Unit::Month), "2023-11-01T00:00:00Z"),
        ("this quarter", Moment::This(Unit::Quarter), "2023-10-01T00:00:00Z"),
        ("last quarter", Moment::Last(Unit::Quarter), "2023-07-01T00:00:00Z"),
        ("this year", Moment::This(Unit::Year), "2023-01-01T00:00:00Z"),
        ("last year", Moment::Last(Unit::Year), "2022-01-01T00:00:00Z"),
    ] {
        assert_eq!(resolve(&moment, &context(NOW, "UTC"), Role::Since).map(shown), Ok(expected.to_owned()), "{name}");
    }
}

#[test]
fn days_are_those_of_the_zone() {
    use Day::*;
    let (la, tokyo, delhi) = ("America/Los_Angeles", "Asia/Tokyo", "Asia/Kolkata");
    for (name, moment, now, zone, expected) in [
        // The page's example of a zone.
        ("today in summer", day(Today), "2022-05-19T20:00:00Z", la, "2022-05-19T07:00:00Z"),
        // In Tokyo it is 2024-01-01T08:30, a Monday; in UTC still Sunday, in the old year.
        ("today is tomorrow there", day(Today), "2023-12-31T23:30:00Z", tokyo, "2023-12-31T15:00:00Z"),
        ("yesterday there", day(Yesterday), "2023-12-31T23:30:00Z", tokyo, "2023-12-30T15:00:00Z"),
        ("monday there", day(Monday), "2023-12-31T23:30:00Z", tokyo, "2023-12-31T15:00:00Z"),
        ("sunday there", day(Sunday), "2023-12-31T23:30:00Z", tokyo, "2023-12-30T15:00:00Z"),
        ("this year there", Moment::This(Unit::Year), "2023-12-31T23:30:00Z", tokyo, "2023-12-31T15:00:00Z"),
        ("last month there", Moment::Last(Unit::Month), "2023-12-31T23:30:00Z", tokyo, "2023-11-30T15:00:00Z"),
        ("today just before midnight there", day(Today), "2023-12-18T14:59:59.999Z", tokyo, "2023-12-17T15:00:00Z"),
        ("today at midnight there", day(Today), "2023-12-18T15:00:00Z", tokyo, "2023-12-18T15:00:00Z"),
        // An hour begins where the clock there shows a round one: 18:04:56 in Delhi.
        ("this hour at half past", Moment::This(Unit::Hour), NOW, delhi, "2023-12-18T12:30:00Z"),
        ("last hour at half past", Moment::Last(Unit::Hour), NOW, delhi, "2023-12-18T11:30:00Z"),
        // 2024-03-10 has 23 hours in Los Angeles, 2024-11-03 has 25.
        ("today, short", day(Today), "2024-03-11T06:59:00Z", la, "2024-03-10T08:00:00Z"),
        ("yesterday was short", day(Yesterday), "2024-03-11T07:00:00Z", la, "2024-03-10T08:00:00Z"),
        ("today, long", day(Today), "2024-11-04T07:59:00Z", la, "2024-11-03T07:00:00Z"),
        ("yesterday was long", day(Yesterday), "2024-11-04T08:00:00Z", la, "2024-11-03T07:00:00Z"),
        ("one day ago is 24 hours", ago(1.0, Unit::Day), "2024-11-04T08:00:00Z", la, "2024-11-03T08:00:00Z"),
        ("this month over the change", Moment::This(Unit::Month), "2024-11-04T08:00:00Z", la, "2024-11-01T07:00:00Z"),
        ("at a skipped time", day_at(Sunday, "02:30"), "2024-03-11T12:00:00Z", la, "2024-03-10T10:30:00Z"),
        ("at a time shown twice", day_at(Sunday, "01:30"), "2024-11-04T12:00:00Z", la, "2024-11-03T08:30:00Z"),
        // The clock shows 01:00 twice: each hour is its own.
        ("this hour, first", Moment::This(Unit::Hour), "2024-11-03T08:10:00Z", la, "2024-11-03T08:00:00Z"),
        ("this hour, second", Moment::This(Unit::Hour), "2024-11-03T09:10:00Z", la, "2024-11-03T09:00:00Z"),
        // Midnight is skipped: the day begins at one.
        ("no midnight", day(Today), "2018-11-04T12:00:00Z", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("the week begins on Monday", Moment::This(Unit::Week), "2023-12-17T23:59:59Z", "UTC", "2023-12-11T00:00:00Z"),
        ("last quarter over the year", Moment::Last(Unit::Quarter), "2024-02-01T00:00:00Z", "UTC", "2023-10-01T00:00:00Z"),
    ] {
        assert_eq!(resolve(&moment, &context(now, zone), Role::Since).map(shown), Ok(expected.to_owned()), "{name}");
    }
}

#[test]
fn texts_of_the_page() {
    // The page's table is for 2023-12-18T14:27:32.189Z, its times alone for 20:00.
    for (written, expected) in [
        ("2023-12-18T12:34:56.789", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T12:34:56.789Z", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18 12:34:56.789", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18 12:34:56.789Z", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T06:34:56.789-0600", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T06:34:56.789-06:00", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T06:34:56.789 [America/Chicago]", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T06:34:56.789 CST", "2023-12-18T12:34:56.789Z"),
        ("2023-12-18T12:34:56", "2023-12-18T12:34:56Z"),
        ("2023-12-18 12:34:56", "2023-12-18T12:34:56Z"),
        ("2023-12-18T06:34:56-0600", "2023-12-18T12:34:56Z"),
        ("2023-12-18T06:34:56 [America/Chicago]", "2023-12-18T12:34:56Z"),
        ("2023-12-18T12:34", "2023-12-18T12:34:00Z"),
        ("2023-12-18 12:34", "2023-12-18T12:34:00Z"),
        ("2023-12-18T06:34-0600", "2023-12-18T12:34:00Z"),
        ("2023-12-18T06:34 [America/Chicago]", "2023-12-18T12:34:00Z"),
        ("2023-12-18T01:23 PM", "2023-12-18T13:23:00Z"),
        ("2023-12-18 01:23 PM", "2023-12-18T13:23:00Z"),
        ("2023-12-18T07:23-0600 AM", "2023-12-18T13:23:00Z"),
        ("12:34", "2023-12-18T12:34:00Z"),
        ("12:34:00", "2023-12-18T12:34:00Z"),
        ("12:34:00.000", "2023-12-18T12:34:00Z"),
        ("12:34 PM", "2023-12-18T12:34:00Z"),
        ("06:34-0600 AM", "2023-12-18T12:34:00Z"),
        ("06:34 [America/Chicago]", "2023-12-18T12:34:00Z"),
        ("2023-12-18", "2023-12-18T00:00:00Z"),
        ("2023-12-18Z", "2023-12-18T00:00:00Z"),
        ("2023-12-18-06:00", "2023-12-18T06:00:00Z"),
        ("2023-12-18 [America/Chicago]", "2023-12-18T06:00:00Z"),
        ("2023-12-18 CST", "2023-12-18T06:00:00Z"),
        ("20231218", "2023-12-18T00:00:00Z"),
        ("20231218T123456.789", "2023-12-18T12:34:56.789Z"),
        ("20231218T1234", "2023-12-18T12:34:00Z"),
        ("2023-12", "2023-12-01T00:00:00Z"),
        ("202312", "2023-12-01T00:00:00Z"),
        ("2023-12-18T1:05", "2023-12-18T01:05:00Z"),
        ("2023-12-18T12:34:56.7", "2023-12-18T12:34:56.7Z"),
        ("2023-12-18T12:00 AM", "2023-12-18T00:00:00Z"),
        ("2023-12-18T12:00pm", "2023-12-18T12:00:00Z"),
        ("2023-12-18T12:34+0530", "2023-12-18T07:04:00Z"),
        ("2023-12+09:00", "2023-11-30T15:00:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        (" 2023-12-18 ", "2023-12-18T00:00:00Z"),
    ] {
        let moment = Moment::Text(text(written));
        let now = context("2023-12-18T20:00:00Z", "UTC");
        assert_eq!(resolve(&moment, &now, Role::Since).map(shown), Ok(expected.to_owned()), "{written}");
    }
}

#[test]
fn texts_in_a_zone() {
    let (la, tokyo) = ("America/Los_Angeles", "Asia/Tokyo");
    for (name, written, now, zone, role, expected) in [
        // The page's example: the query's zone holds, the text's own wins.
        ("query's zone", "2022-05-19T12:00", "2022-05-19T20:00:00Z", la, Role::Until, "2022-05-19T19:00:00Z"),
        ("own zone", "2022-05-19T12:00-0500", "2022-05-19T20:00:00Z", la, Role::Until, "2022-05-19T17:00:00Z"),
        ("date in Tokyo", "2023-12-18", NOW, tokyo, Role::Since, "2023-12-17T15:00:00Z"),
        // 12:34:56 UTC is 21:34:56 in Tokyo.
        ("time that was", "21:00", NOW, tokyo, Role::Since, "2023-12-18T12:00:00Z"),
        ("time to come, since", "22:00", NOW, tokyo, Role::Since, "2023-12-17T13:00:00Z"),
        ("time to come, until", "22:00", NOW, tokyo, Role::Until, "2023-12-18T13:00:00Z"),
        ("time to come in its own zone", "07:00 [America/Chicago]", NOW, tokyo, Role::Since, "2023-12-17T13:00:00Z"),
        ("skipped", "2024-03-10T02:30", NOW, la, Role::Since, "2024-03-10T10:30:00Z"),
        ("shown twice", "2024-11-03T01:30", NOW, la, Role::Since, "2024-11-03T08:30:00Z"),
        ("summer by abbreviation", "2024-07-01T00:00 PST", NOW, "UTC", Role::Since, "2024-07-01T07:00:00Z"),
    ] {
        let moment = Moment::Text(text(written));
        assert_eq!(resolve(&moment, &context(now, zone), role).map(shown), Ok(expected.to_owned()), "{name}");
    }
}

#[test]
fn only_since_looks_back() {
    let moment = day_at(Day::Today, "23:45");
    for (role, expected) in
        [(Role::Since, "2023-12-17T23:45:00Z"), (Role::Until, "2023-12-18T23:45:00Z"), (Role::Compare, "2023-12-18T23:45:00Z")]
    {
        assert_eq!(resolve(&moment, &context(NOW, "UTC"), role).map(shown), Ok(expected.to_owned()), "{role:?}");
    }
}

#[test]
fn other_texts_are_refused_where_they_go_wrong() {
    for (written, at) in [
        ("", 0),
        ("soon", 0),
        ("2023", 4),
        ("2023-1-18", 5),
        ("2023-13-01", 10),
        ("2023-02-30", 10),
        ("2023-02-29", 10),
        ("2023-12-18T", 11),
        ("2023-12-18T25:00", 16),
        ("2023-12-18T12:60", 16),
        ("2023-12-18T12:34:60", 19),
        ("2023-12-18T12:34:56.1234", 20),
        ("2023-12-18T12:34:56.", 20),
        ("2023-12-18T13:00 PM", 19),
        ("2023-12-18T00:30 AM", 19),
        ("2023-12-18 PM", 13),
        ("2023-12-18T12:34 [Mars/Olympus]", 17),
        ("2023-12-18T12:34 [UTC", 17),
        ("2023-12-18T01:23 [UTC] PM", 25),
        ("2023-12-18T0123 PM", 18),
        ("2023-12-18T12:34+9", 16),
        ("2023-12-18T12:34 nonsense", 17),
        ("2023-12-18  12:34", 10),
        ("12", 2),
        ("123:00", 0),
        ("\u{661}2:00", 0),
        ("2023年12月", 4),
    ] {
        let error = DateTimeText::parse(written).expect_err(written);
        assert_eq!((error.text.as_str(), error.at), (written, at), "{written}: {error}");
    }
}

#[test]
fn faults_say_where_in_the_query() {
    let at = |start| Span { start, end: start };
    let now = context(NOW, "UTC");
    let cases = [
        (
            Moment::Text(Text { text: "soon".into(), template: false, span: at(30) }),
            "'soon' is no date and time at its byte 0: a time as H:MM, H:MM:SS or H:MM:SS.fff (the text begins at 30)",
        ),
        (
            Moment::Day { day: Day::Today, at: Some(Text { text: "12:00Z".into(), template: false, span: at(41) }) },
            "'12:00Z' at 41 is no time of day: H:MM or H:MM:SS is",
        ),
        (
            Moment::Day { day: Day::Today, at: Some(Text { text: "12:00:00.5".into(), template: false, span: at(41) }) },
            "'12:00:00.5' at 41 is no time of day: H:MM or H:MM:SS is",
        ),
        (
            Moment::Template(Name { text: "from".into(), span: at(7) }),
            "the variable {{from}} at 7 has no value: a time is needed",
        ),
        (ago(1e18, Unit::Year), "the time is out of range: the years -9999 to 9999 are allowed"),
        (Moment::Epoch(i64::MAX), "the time is out of range: the years -9999 to 9999 are allowed"),
    ];
    let places = [Some(30), Some(41), Some(41), Some(7), None, None];
    for ((moment, expected), place) in cases.into_iter().zip(places) {
        let error = resolve(&moment, &now, Role::Since).expect_err(expected);
        assert_eq!((error.to_string().as_str(), error.at()), (expected, place));
    }
}

#[test]
fn a_comparison_moves_by_what_lies_between() {
    let now = context(NOW, "UTC");
    for (moment, expected) in [
        (ago(1.0, Unit::Week), 604_800_000),
        (ago(1.0, Unit::Month), 2_592_000_000),
        (day(Day::Yesterday), 131_696_789),
        (Moment::Now, 0),
    ] {
        assert_eq!(shift_ms(&moment, &now), Ok(expected), "{moment:?}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec![
            Unit::Millisecond,
            Unit::Second,
            Unit::Minute,
            Unit::Hour,
            Unit::Day,
            Unit::Week,
            Unit::Month,
            Unit::Quarter,
            Unit::Year,
        ])
    }

    fn any_day() -> impl Strategy<Value = Day> {
        prop::sample::select(vec![Day::Today, Day::Yesterday, Day::Monday, Day::Wednesday, Day::Sunday])
    }

    fn moment() -> impl Strategy<Value = Moment> {
        let written = prop_oneof![any::<String>(), "[0-9TZ: .+\\[\\]APM/-]{0,30}"];
        prop_oneof![
            (any::<f64>(), unit()).prop_map(|(count, unit)| ago(count, unit)),
            any::<i64>().prop_map(Moment::Epoch),
            unit().prop_map(Moment::This),
            unit().prop_map(Moment::Last),
            written.clone().prop_map(|written| Moment::Text(text(&written))),
            (any_day(), prop::option::of(written.prop_map(|written| text(&written))))
                .prop_map(|(day, at)| Moment::Day { day, at }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_panics(moment in moment(), now_ms in any::<i64>(), zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/Los_Angeles"])) {
            let context = Context { zone: super::super::zone(zone).unwrap(), now_ms };
            for role in [Role::Since, Role::Until, Role::Compare] {
                if let Ok(ms) = resolve(&moment, &context, role) {
                    prop_assert!(Timestamp::from_millisecond(ms).is_ok());
                }
            }
        }

        /// A unit holds its own start and now; the one before ends where this begins, or earlier.
        #[test]
        fn this_is_not_after_now_and_last_is_before_this(unit in unit(), now_ms in 0_i64..4_000_000_000_000, zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/Los_Angeles", "Asia/Kolkata"])) {
            let context = Context { zone: super::super::zone(zone).unwrap(), now_ms };
            let this = resolve(&Moment::This(unit), &context, Role::Since).unwrap();
            let last = resolve(&Moment::Last(unit), &context, Role::Since).unwrap();
            // A calendar's year may be a day longer than the fixed one, its months and quarters too, a day an hour.
            let longest = unit_ms(unit) + unit_ms(Unit::Day) * 2;
            prop_assert!(this <= now_ms && now_ms - this <= longest, "{this} {now_ms}");
            prop_assert!(last < this && this - last <= longest, "{last} {this}");
        }

        /// What jiff prints is read back.
        #[test]
        fn printed_times_are_read(now_ms in 0_i64..4_000_000_000_000) {
            let written = shown(now_ms);
            prop_assert_eq!(resolve(&Moment::Text(text(&written)), &Context::utc(0), Role::Since), Ok(now_ms));
        }
    }
}
