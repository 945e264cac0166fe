//! Numbers.

use super::*;

#[test]
fn arithmetic() {
    check(
        &utc(),
        &[
            ("abs", "abs", "[-3.5]", "3.5"),
            ("abs of text", "abs", r#"["-3"]"#, "null"),
            ("ceil", "ceil", "[1.2]", "2"),
            ("ceil of negative", "ceiling", "[-1.2]", "-1"),
            ("floor", "floor", "[1.8]", "1"),
            ("floor of negative", "floor", "[-1.2]", "-2"),
            ("floor of flag", "floor", "[true]", "null"),
            ("sqrt", "sqrt", "[9]", "3"),
            ("sqrt of negative", "sqrt", "[-1]", "null"),
            ("exp", "exp", "[0]", "1"),
            ("exp beyond", "exp", "[1000]", "null"),
            ("ln", "ln", "[1]", "0"),
            ("ln of zero", "ln", "[0]", "null"),
            ("ln of negative", "ln", "[-1]", "null"),
            ("log2", "log2", "[8]", "3"),
            ("log10", "log10", "[1000]", "3"),
            ("log10 of zero", "log10", "[0]", "null"),
            ("log", "log", "[8, 2]", "3"),
            ("log to ten", "log", "[1000, 10]", "3"),
            ("log to a half", "log", "[0.25, 0.5]", "2"),
            ("log to one", "log", "[8, 1]", "null"),
            ("log of zero", "log", "[0, 2]", "null"),
            ("pow", "pow", "[2, 10]", "1024"),
            ("pow of half", "pow", "[9, 0.5]", "3"),
            ("pow beyond", "pow", "[10, 400]", "null"),
            ("pow of zero", "pow", "[0, 0]", "1"),
            ("mod", "mod", "[7, 3]", "1"),
            ("mod of negative", "mod", "[-7, 3]", "2"),
            ("mod by negative", "mod", "[7, -3]", "-2"),
            ("mod of both", "mod", "[-7, -3]", "-1"),
            ("mod exact", "mod", "[-6, 3]", "0"),
            ("mod of fraction", "mod", "[5.5, 2]", "1.5"),
            ("mod by zero", "mod", "[7, 0]", "null"),
            ("mod of text", "mod", r#"["7", 3]"#, "null"),
            ("clamp down", "clamp_max", "[12, 10]", "10"),
            ("below the clamp", "clamp_max", "[8, 10]", "8"),
            ("clamp up", "clamp_min", "[-1, 0]", "0"),
            ("above the clamp", "clamp_min", "[3, 0]", "3"),
            ("clamp of null", "clamp_min", "[null, 0]", "null"),
            ("clamp to text", "clamp_max", r#"[1, "0"]"#, "null"),
        ],
    );
}

#[test]
fn rounding() {
    check(
        &utc(),
        &[
            ("down", "round", "[2.4]", "2"),
            ("half goes up", "round", "[2.5]", "3"),
            ("negative half goes up", "round", "[-2.5]", "-2"),
            ("just below a half", "round", "[0.49999999999999994]", "0"),
            ("whole", "round", "[7]", "7"),
            ("to hundredths", "round", "[1.23456, 0.01]", "1.23"),
            ("to tenths, exact", "round", "[0.26, 0.1]", "0.3"),
            ("to tens", "round", "[123, 10]", "120"),
            ("to quarters", "round", "[1.3, 0.25]", "1.25"),
            ("to fives", "round", "[12.5, 5]", "15"),
            ("to threes of a tenth", "round", "[1, 0.3]", "0.8999999999999999"),
            ("to a negative multiple", "round", "[12, -5]", "10"),
            ("to nothing", "round", "[12, 0]", "null"),
            ("to null", "round", "[12, null]", "null"),
            ("of text", "round", r#"["12"]"#, "null"),
            ("of null", "round", "[null]", "null"),
            ("a large number", "round", "[9007199254740993]", "9007199254740992"),
        ],
    );
}

#[test]
fn ranges() {
    check(
        &utc(),
        &[
            ("first", "buckets", "[0, 40, 10]", r#""0.0-4.0""#),
            ("inside", "buckets", "[3.99, 40, 10]", r#""0.0-4.0""#),
            ("an edge is the next", "buckets", "[4, 40, 10]", r#""4.0-8.0""#),
            ("last", "buckets", "[36, 40, 10]", r#"">=36.0""#),
            ("above the ceiling", "buckets", "[1000, 40, 10]", r#"">=36.0""#),
            ("last but one", "buckets", "[35.9, 40, 10]", r#""32.0-36.0""#),
            ("below zero", "buckets", "[-5, 40, 10]", r#""0.0-4.0""#),
            ("halves", "buckets", "[3, 5, 2]", r#"">=2.5""#),
            ("ten without a number", "buckets", "[15, 100]", r#""10.0-20.0""#),
            ("one range", "buckets", "[7, 10, 1]", r#"">=0.0""#),
            ("no range", "buckets", "[7, 10, 0]", "null"),
            ("no ceiling", "buckets", "[7, 0, 10]", "null"),
            ("of text", "buckets", r#"["7", 10, 2]"#, "null"),
            ("of null", "buckets", "[null, 10, 2]", "null"),
            ("below", "getCdfCount", "[1, 2]", "1"),
            ("at", "getCdfCount", "[2, 2]", "1"),
            ("above", "getCdfCount", "[3, 2]", "0"),
            ("of a text", "getCdfCount", r#"["1", 2]"#, "0"),
            ("of null", "getCdfCount", "[null, 2]", "null"),
            ("no threshold", "getCdfCount", r#"[1, "2"]"#, "null"),
        ],
    );
}

proptest! {
    #[test]
    fn a_range_holds_its_number(x in 0.0..50.0, ceiling in 1.0..100.0, ranges in 1_u8..20) {
        let label = (row("buckets").unwrap().call)(&utc(), &[Value::Number(x), Value::Number(ceiling), Value::Number(ranges.into())], &Named::default());
        let label = label.as_text().unwrap();
        let near = 1e-9;
        let holds = if let Some(from) = label.strip_prefix(">=") {
            x + near >= from.parse::<f64>().unwrap()
        } else {
            let (from, to) = label.split_once('-').unwrap();
            x + near >= from.parse::<f64>().unwrap() && x < to.parse::<f64>().unwrap() + near
        };
        prop_assert!(holds, "{x} in {label}");
    }

    #[test]
    fn the_remainder_has_the_sign_of_the_divisor(x in -1e6..1e6, divisor in prop_oneof![-100.0..-0.01, 0.01..100.0]) {
        let rest = (row("mod").unwrap().call)(&utc(), &[Value::Number(x), Value::Number(divisor)], &Named::default());
        let rest = rest.as_number().unwrap();
        prop_assert!(rest == 0.0 || (rest < 0.0) == (divisor < 0.0));
        prop_assert!(rest.abs() <= divisor.abs());
    }
}
