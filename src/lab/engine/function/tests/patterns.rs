//! `LIKE`, `RLIKE`, `capture`, `aparse`.

use std::hint::black_box;

use super::*;

#[test]
fn like() {
    for (name, pattern, value, expected) in [
        ("equal", "abc", "abc", true),
        ("case of the value", "abc", "ABC", true),
        ("case of the pattern", "ABC", "abc", true),
        ("part is not enough", "abc", "xabc", false),
        ("start", "ab%", "abc", true),
        ("start, nothing behind", "abc%", "abc", true),
        ("start, other", "b%", "abc", false),
        ("end", "%bc", "abc", true),
        ("end, nothing before", "%abc", "abc", true),
        ("end, other", "%b", "abc", false),
        ("inside", "%b%", "abc", true),
        ("inside, other", "%x%", "abc", false),
        ("between", "a%c", "abc", true),
        ("ends must not overlap", "aba%aba", "ababa", false),
        ("ends touch", "aba%aba", "abaaba", true),
        ("several", "%a%b%c%", "xaxbxcx", true),
        ("several, wrong order", "%a%c%b%", "abc", false),
        ("the middle must leave room for the end", "a%bc%bc", "abc", false),
        ("twice the same", "%ab%ab%", "abab", true),
        ("all", "%", "", true),
        ("two percents are one", "%%", "x", true),
        ("nothing is nothing", "", "", true),
        ("nothing is not something", "", "x", false),
        ("underscore is itself", "a_c", "abc", false),
        ("underscore", "a_c", "A_C", true),
        ("dots are themselves", "a.c", "abc", false),
        ("star is itself", "a*", "ab", false),
        ("backslash is itself", r"a\%", r"a\b", true),
        ("new lines", "a%c", "a\nb\nc", true),
        ("list of the relay", "%|PCI-DSS-4.0:1.2|%", "|cis:1.1|pci-dss-4.0:1.2|", true),
        ("list of the relay, other", "%|PCI-DSS-4.0:1.2|%", "|pci-dss-4.0:1.20|", false),
        ("Japanese", "監査%", "監査ログ", true),
        ("Japanese inside", "%ログ%", "監査ログの", true),
        ("Japanese, other", "%ログ", "監査ログの", false),
        ("accents", "À%", "àé", true),
        ("accents are letters", "a%", "à", false),
        ("full width", "ＡＢ%", "ａｂｃ", true),
        ("Greek ends", "ΣΑΣ", "σας", true),
        ("long s", "MASSE", "ma\u{17f}se", true),
        ("Kelvin", "k%", "\u{212a}elvin", true),
        ("sharp s is one letter", "strasse", "straße", false),
        ("dotless i", "i", "\u{131}", false),
    ] {
        assert_eq!(Like::new(pattern).matches(value), expected, "{name}: {value} LIKE {pattern}");
    }
}

/// Every way to split the value among the wildcards.
fn naive(pattern: &[char], value: &[char]) -> bool {
    match (pattern.split_first(), value.split_first()) {
        (None, _) => value.is_empty(),
        (Some(('%', rest)), _) => (0..=value.len()).any(|skip| naive(rest, value.get(skip..).unwrap())),
        (Some((letter, rest)), Some((first, behind))) => letter.to_lowercase().eq(first.to_lowercase()) && naive(rest, behind),
        (Some(_), None) => false,
    }
}

proptest! {
    #[test]
    fn like_is_the_naive_matcher(pattern in "[aAbBé監%_]{0,8}", value in "[aAbBÉ監_]{0,10}") {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        prop_assert_eq!(Like::new(&pattern).matches(&value), naive(&letters(&pattern), &letters(&value)), "{} LIKE {}", value, pattern);
    }

    #[test]
    fn a_value_is_like_itself(value in "[^%]{0,20}", before in ".{0,5}") {
        prop_assert!(Like::new(&value).matches(&value));
        let contains = format!("%{}%", &value);
        let (held, upper) = (format!("{before}{value}"), value.to_uppercase());
        prop_assert!(Like::new(&contains).matches(&held));
        // Capitals of several letters are another word.
        if upper.chars().count() == value.chars().count() && value.is_ascii() {
            prop_assert!(Like::new(&upper).matches(&value));
        }
    }

    #[test]
    fn patterns_never_panic(pattern in any::<String>(), value in any::<String>()) {
        black_box(Like::new(&pattern).matches(&value));
        black_box(Rlike::new(&pattern).map(|rlike| rlike.matches(&value)).ok());
        black_box(Capture::compile(&pattern).map(|capture| capture.apply(&value)).ok());
        black_box(Aparse::compile(&pattern).map(|aparse| aparse.apply(&value)).ok());
    }
}

#[test]
fn rlike() {
    for (name, pattern, value, expected) in [
        ("whole", "abc", "abc", true),
        ("start is not enough", "ab", "abc", false),
        ("inside is not enough", "b", "abc", false),
        ("either, whole", "a|abc", "abc", true),
        ("either is not both", "a|b", "ab", false),
        ("in its case", "abc", "ABC", false),
        ("without case", "(?i)abc", "ABC", true),
        ("anchors of its own", "^abc$", "abc", true),
        ("classes", r"i-[0-9a-f]{8}", "i-0123abcd", true),
        ("digits", r"\d+", "42", true),
        ("any", ".*root.*", "the root user", true),
        ("a dot is no line break", "a.b", "a\nb", false),
        ("nothing", "", "", true),
        ("nothing is not something", "", "a", false),
        ("Japanese", "監査.+", "監査ログ", true),
        ("comment at the end", "(?x)abc # three letters", "abc", true),
        ("named group", "(?P<n>a)b", "ab", true),
    ] {
        assert_eq!(Rlike::new(pattern).unwrap().matches(value), expected, "{name}: {value} RLIKE {pattern}");
    }
}

#[test]
fn other_expressions_are_refused() {
    for (pattern, expected) in [
        ("(", "r'(' is no regular expression: unclosed group"),
        ("a)|(b", "r'a)|(b' is no regular expression: unopened group"),
        ("a{2,1}", "r'a{2,1}' is no regular expression: invalid repetition count range, the start must be <= the end"),
        ("(?=a)", "r'(?=a)' is no regular expression: look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", r"r'(a)\1' is no regular expression: backreferences are not supported"),
    ] {
        assert_eq!(Rlike::new(pattern).expect_err(pattern).to_string(), expected);
    }
    let large = r"\w{1000}".repeat(20);
    assert!(matches!(Rlike::new(&large), Err(PatternError::Expression { .. })));
    assert_eq!(
        Capture::compile("abc").expect_err("no group").to_string(),
        "r'abc' has 0 groups: 1 to 16 as (?P<name>…) are allowed"
    );
    let many = format!("(?P<g>a){}", "(b)".repeat(16));
    assert_eq!(Capture::compile(&many).map(|capture| capture.outputs()), Ok(1), "only the named count");
    assert_eq!(
        Capture::compile(&"(b)".repeat(17)).expect_err("too many"),
        PatternError::Groups { pattern: "(b)".repeat(17), groups: 17 }
    );
    assert_eq!(Aparse::compile("a%").expect_err("no star").to_string(), "'a%' captures nothing: a * stands for what to take");
}

#[test]
fn taking_parts() {
    check(
        &utc(),
        &[
            ("domain", "capture", r#"["https://a.com/x", "https://(?P<baseUrl>.*.com)/.+"]"#, r#""a.com""#),
            ("first word", "capture", r#"["Error in line 7", "(?P<firstWord>\\S+)\\s.+"]"#, r#""Error""#),
            ("a number is text", "capture", r#"["CpuTime: 12", ".*CpuTime:\\s(?P<cpuTime>\\d+)"]"#, r#""12""#),
            ("not the whole value", "capture", r#"["xx 12 yy", "(?P<n>\\d+)"]"#, "null"),
            ("several", "capture", r#"["a=1,b=2", "a=(?P<a>\\d),b=(?P<b>\\d)"]"#, r#"["1", "2"]"#),
            ("a group that took no part", "capture", r#"["b", "(?P<a>a)?(?P<b>b)"]"#, r#"[null, "b"]"#),
            ("nothing taken", "capture", r#"["ab", "a(?P<x>.*)b"]"#, r#""""#),
            ("without names", "capture", r#"["ab", "a(.)"]"#, r#""b""#),
            ("named among others", "capture", r#"["abc", "(a)(?P<x>b)(c)"]"#, r#""b""#),
            ("in its case", "capture", r#"["AB", "a(?P<x>.)"]"#, "null"),
            ("Japanese", "capture", r#"["利用者:太郎", "利用者:(?P<name>.+)"]"#, r#""太郎""#),
            ("no group", "capture", r#"["ab", "ab"]"#, "null"),
            ("no expression", "capture", r#"["ab", "("]"#, "null"),
            ("of a number", "capture", r#"[12, "(?P<n>.*)"]"#, "null"),
            ("of null", "capture", r#"[null, "(?P<n>.*)"]"#, "null"),
            ("pattern null", "capture", r#"["a", null]"#, "null"),
            ("behind", "aparse", r#"["website.com/cart", "website.com/*"]"#, r#""cart""#),
            ("between", "aparse", r#"["x \"itemId\":\"i-7\" y", "%\"itemId\":\"*\"%"]"#, r#""i-7""#),
            ("any case", "aparse", r#"["WEBSITE.com/Cart", "website.COM/*"]"#, r#""Cart""#),
            ("as little as it can", "aparse", r#"["a.b.c.d.e", "*.*.%"]"#, r#"["a", "b"]"#),
            ("the last takes the rest", "aparse", r#"["a.b.c.d.e", "*.*.*.*"]"#, r#"["a", "b", "c", "d.e"]"#),
            ("not the whole value", "aparse", r#"["xwebsite.com/cart", "website.com/*"]"#, "null"),
            ("nothing between", "aparse", r#"["a[]b", "a[*]b"]"#, r#""""#),
            ("all", "aparse", r#"["abc", "*"]"#, r#""abc""#),
            ("of the page", "aparse", r#"["1693: value='{\"id\": 5}', useless", "%: value='*'%"]"#, r#""{\"id\": 5}""#),
            ("dots are themselves", "aparse", r#"["wwwXaXcom", "www.*.com"]"#, "null"),
            ("over lines", "aparse", r#"["a\nb:1\nc", "%b:*\n%"]"#, r#""1""#),
            ("Japanese", "aparse", r#"["利用者:太郎 様", "利用者:* 様"]"#, r#""太郎""#),
            ("no star", "aparse", r#"["abc", "a%"]"#, "null"),
            ("of a number", "aparse", r#"[12, "*"]"#, "null"),
            ("of null", "aparse", r#"[null, "*"]"#, "null"),
        ],
    );
    let prepared = (row("aparse").unwrap().prepare.unwrap())("*.*.*").unwrap();
    assert_eq!(prepared.outputs(), 3);
}

#[test]
fn a_constant_that_is_no_pattern_says_why() {
    for (function, constant, expected) in [
        ("capture", "(", "r'(' is no regular expression: unclosed group"),
        ("aparse", "abc", "'abc' captures nothing: a * stands for what to take"),
        ("jparse", "a[", "'a[' is no JSON path at its byte 2: ',' or ']'"),
        (
            "toDatetime",
            "yyyy-bb",
            "'yyyy-bb' is no date pattern at its byte 5: letters y u Q q M L D d E a H k h K m s S A V z O X x Z",
        ),
    ] {
        let prepare = row(function).unwrap().prepare.unwrap();
        assert_eq!(prepare(constant).expect_err(function).to_string(), expected);
    }
}
