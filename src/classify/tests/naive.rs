//! The slow reader: the same rules walked one by one over a JSON tree. It shares the rule reader with the engine, and nothing
//! of index, paths, interning or text search.

use proptest::prelude::*;
use regex::Regex;
use serde_json::Value as Json;

use super::super::field::ANYWHERE;
use super::super::pattern::{Part, Pattern};
use super::super::predicate::{Compare, Relation, Spec};
use super::super::sigma::Item;
use super::*;

/// Whether the item holds for the record.
fn holds(item: &Item, record: &Json) -> bool {
    let values = values(record, &item.field);
    match &item.spec {
        Spec::Present => !values.is_empty(),
        Spec::Text { patterns, cased } => values.iter().any(|value| text_fits(patterns, *cased, &text(value))),
        Spec::Regex(regex) => values.iter().any(|value| regex.is_match(text(value).as_bytes())),
        Spec::Cidr(networks) => values.iter().filter_map(|value| value.as_str()).any(|value| {
            // Only whole addresses are generated, so a network is an equal address here.
            networks.iter().any(|network| Network::parse(value) == Some(*network))
        }),
        Spec::Number(compare, limit) => values.iter().filter(|value| !value.is_array() && !value.is_object()).any(|value| {
            text(value).parse::<f64>().is_ok_and(|number| match compare {
                Compare::Equal => panic!("dates only"),
                Compare::Less => number < *limit,
                Compare::LessOrEqual => number <= *limit,
                Compare::Greater => number > *limit,
                Compare::GreaterOrEqual => number >= *limit,
            })
        }),
        Spec::Date(unit, compare, limit) => {
            // Only whole hours of one day are generated.
            assert_eq!((*unit, *compare), (predicate::Unit::Hour, Compare::GreaterOrEqual));
            let hour = |value: &Json| value.as_str()?.strip_prefix("2026-11-21T")?.get(..2)?.parse::<f64>().ok();
            values.iter().filter_map(|value| hour(value)).any(|hour| hour >= *limit)
        }
        Spec::Field { other, relation, cased } => {
            let fold = |value: &&Json| if *cased { text(value) } else { text(value).to_ascii_lowercase() };
            let single = |value: &&Json| !value.is_array() && !value.is_object();
            let others: Vec<_> = self::values(record, other).into_iter().filter(single).collect();
            values.iter().copied().filter(single).any(|value| {
                others.iter().any(|other| {
                    let (value, other) = (fold(&value), fold(other));
                    match relation {
                        Relation::Equal => value == other,
                        Relation::Contains => value.contains(&other),
                        Relation::StartsWith => value.starts_with(&other),
                        Relation::EndsWith => value.ends_with(&other),
                    }
                })
            })
        }
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text_fits(patterns: &[Pattern], cased: bool, value: &str) -> bool {
    let wide = !cased && patterns.iter().any(Pattern::has_wide_case);
    let fold = |text: &str| match (cased, wide) {
        (true, _) => text.to_owned(),
        (false, true) => text.to_lowercase(),
        (false, false) => text.to_ascii_lowercase(),
    };
    patterns.iter().any(|pattern| {
        let parts = pattern.0.iter().map(|part| match part {
            Part::Text(text) => regex::escape(&fold(text)),
            Part::Many => ".*".to_owned(),
            Part::One => ".".to_owned(),
        });
        let whole = format!("(?s)^{}$", parts.collect::<String>());
        Regex::new(&whole).expect("an expression").is_match(&fold(value))
    })
}

fn values<'j>(record: &'j Json, path: &str) -> Vec<&'j Json> {
    let mut found = Vec::new();
    if path == ANYWHERE {
        leaves(record, &mut found);
    } else {
        follow(record, &path.split('.').collect::<Vec<_>>(), &mut found);
    }
    found
}

fn leaves<'j>(value: &'j Json, found: &mut Vec<&'j Json>) {
    match value {
        Json::Null => {}
        Json::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Json::Object(members) => members.values().for_each(|member| leaves(member, found)),
        scalar => found.push(scalar),
    }
}

fn follow<'j>(value: &'j Json, path: &[&str], found: &mut Vec<&'j Json>) {
    if path.is_empty() && !value.is_null() {
        found.push(value);
    }
    match value {
        Json::Array(items) => items.iter().for_each(|item| follow(item, path, found)),
        Json::Object(members) => {
            for names in 1..=path.len() {
                if let Some(member) = members.get(&path[..names].join(".")) {
                    follow(member, &path[names..], found);
                }
            }
        }
        _ => {}
    }
}

const FIELDS: [&str; 15] = [
    "eventSource",
    "eventName",
    "errorCode",
    "userAgent",
    "readOnly",
    "userIdentity.type",
    "userIdentity.a.b",
    "userIdentity",
    "requestParameters",
    "requestParameters.a",
    "requestParameters.a.b",
    "requestParameters.b.a",
    "tls.a",
    "tls.a.b",
    "eventID",
];

const VALUES: [&str; 18] = [
    "x", "X", "ab", "aBc", "abcabc", "é", "ÉA", "日本", "'a*c'", "'*bc*'", "'a?c*'", "10.0.0.1", "12", "7.5", "true", "'*'",
    "'a\\*c'", "''",
];

const MODIFIERS: [&str; 18] = [
    "",
    "",
    "",
    "",
    "|contains",
    "|startswith",
    "|endswith",
    "|cased",
    "|contains|cased",
    "|all",
    "|contains|all",
    "|re",
    "|neq",
    "|cidr",
    "|gte",
    "|exists",
    "|hour|gte",
    "|contains|windash",
];

const CONDITIONS: [&str; 10] = [
    "s",
    "s and t",
    "s or t",
    "s and not t",
    "not s",
    "not (s or t)",
    "not (s and t)",
    "1 of them",
    "all of them",
    "not 1 of them or s",
];

fn field() -> impl Strategy<Value = String> {
    let values = proptest::collection::vec(
        prop_oneof![5 => proptest::sample::select(&VALUES[..]).boxed(), 1 => Just("null").boxed()],
        1..8,
    );
    (proptest::sample::select(&FIELDS[..]), proptest::sample::select(&MODIFIERS[..]), values, any::<bool>()).prop_map(
        |(field, modifier, values, present)| match modifier {
            "|re" => format!("{field}|re: '^[ax]b?'"),
            "|cidr" => format!("{field}|cidr: 10.0.0.1"),
            "|gte" => format!("{field}|gte: 8"),
            "|hour|gte" => format!("{field}|hour|gte: 8"),
            "|exists" => format!("{field}|exists: {present}"),
            "" | "|neq" => format!("{field}{modifier}: [{}]", values.join(", ")),
            _ => {
                let values: Vec<_> = values.into_iter().filter(|value| *value != "null").collect();
                format!("{field}{modifier}: [{}]", if values.is_empty() { "x".to_owned() } else { values.join(", ") })
            }
        },
    )
}

fn selection() -> impl Strategy<Value = String> {
    let map = || {
        proptest::collection::btree_map("[a-z]", field(), 1..4).prop_map(|fields| {
            let mut seen = BTreeSet::new();
            let fields: Vec<_> =
                fields.into_values().filter(|field| seen.insert(field.split(": ").next().map(str::to_owned))).collect();
            format!("{{{}}}", fields.join(", "))
        })
    };
    let reference = Just("{requestParameters.a|fieldref: userIdentity.type, eventName|fieldref|contains: tls.a}".to_owned());
    prop_oneof![
        8 => map(),
        2 => proptest::collection::vec(map(), 1..3).prop_map(|maps| format!("[{}]", maps.join(", "))),
        1 => proptest::sample::select(vec!["[ab, é]", "x", "{'|all': [a, b]}"]).prop_map(str::to_owned),
        1 => reference,
    ]
}

fn rule() -> impl Strategy<Value = String> {
    (selection(), selection(), proptest::sample::select(&CONDITIONS[..]))
        .prop_map(|(s, t, condition)| format!("  s: {s}\n  t: {t}\n  condition: {condition}\n"))
}

fn scalar() -> impl Strategy<Value = Json> {
    let texts = [
        "x",
        "X",
        "ab",
        "aBc",
        "ABCabc",
        "é",
        "éa",
        "É",
        "日本",
        "a*c",
        "10.0.0.1",
        "12",
        "7.5",
        "true",
        "",
        "2026-11-21T07:59:59Z",
        "2026-11-21T08:00:00Z",
        "a\"\n\\b",
    ];
    prop_oneof![
        6 => proptest::sample::select(texts.to_vec()).prop_map(Json::from),
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
        1 => (0_i64..20).prop_map(Json::from),
    ]
}

fn nested() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let names = proptest::sample::select(vec!["a", "b", "a.b", "type", "b.a", "é"]).prop_map(str::to_owned);
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            2 => proptest::collection::btree_map(names, inner, 0..4).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn record() -> impl Strategy<Value = Json> {
    let text = || proptest::option::of(scalar());
    let part = || proptest::option::of(nested());
    ((text(), text(), text(), text(), text()), (part(), part(), part())).prop_map(|(texts, parts)| {
        let mut record = serde_json::Map::new();
        for (name, value) in [
            ("eventSource", texts.0),
            ("eventName", texts.1),
            ("errorCode", texts.2),
            ("userAgent", texts.3),
            ("readOnly", texts.4),
            ("userIdentity", parts.0),
            ("requestParameters", parts.1),
            ("tls", parts.2),
        ] {
            if let Some(value) = value {
                record.insert(name.to_owned(), value);
            }
        }
        record.insert("eventID".to_owned(), "aBc".into());
        record.insert("eventTime".to_owned(), "2026-11-21T20:14:31Z".into());
        Json::Object(record)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Index, shared paths and shared predicates change nothing about what matches.
    #[test]
    fn the_engine_agrees_with_the_slow_reader(
        rules in proptest::collection::vec(rule(), 1..9),
        records in proptest::collection::vec(record(), 1..9),
        pretty: bool,
    ) {
        let mut read_rules = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let (read, faults) = read_file("r.yml", &rule_text(&format!("r-{number}"), rule), false, &Placeholders::new());
            prop_assert_eq!(&faults, &[], "{}", rule);
            read_rules.extend(read);
        }
        let conditions: Vec<_> = read_rules.iter().map(|read| read.condition.clone()).collect();
        let (set, _) = RuleSet::new(load::Loaded::of(read_rules));
        let mut matcher = set.matcher();
        for record in &records {
            let raw = if pretty { serde_json::to_string_pretty(record) } else { serde_json::to_string(record) };
            let raw = raw.expect("JSON");
            let trail = Trail::parse(raw.as_bytes()).expect("a record");
            let want: Vec<u32> = (0..)
                .zip(&conditions)
                .filter(|(_, condition)| condition.holds(&mut |item| holds(item, record)))
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(matcher.find(&trail), &want, "{} on {}", rules.join("---\n"), raw);
        }
    }

    /// Text that is no JSON has some values or none, and does no harm.
    #[test]
    fn any_text_is_matched_without_panic(raw: String, json_like in r#"[\{\}\[\]",:\\aub0-9.éA ]{0,80}"#) {
        let set = set_of(&[
            rule_text("path", "  s: {a.b|contains: x}\n  condition: s\n"),
            rule_text("top", "  s: {a|re: x, b: null}\n  condition: s\n"),
            rule_text("keyword", "  s: [a]\n  condition: s\n"),
        ]);
        let mut matcher = set.matcher();
        let good = r#"{"eventID":"e","eventTime":"2026-11-21T20:14:31Z"}"#;
        for text in [raw.as_str(), json_like.as_str(), &format!("{{\"a\":{json_like}")] {
            let mut trail = Trail::parse(good.as_bytes()).expect("a record");
            trail.raw = text;
            let found: Vec<u32> = matcher.find(&trail).to_vec();
            prop_assert!(found.len() <= 3);
        }
    }

    /// A rule file of any text gives faults, never a panic.
    #[test]
    fn any_text_is_read_without_panic(text in r##"[a-z:{}\[\]|*'"#&% \n-]{0,120}"##, field in r"[a-z.|]{0,24}", value in r"\PC{0,12}") {
        let (_, _) = read_file("r.yml", &text, false, &Placeholders::new());
        let value = serde_json::to_string(&value).expect("JSON");
        let rule = rule_text("r", &format!("  s: {{\"{field}\": {value}}}\n  condition: s\n"));
        let (rules, faults) = read_file("r.yml", &rule, false, &Placeholders::new());
        prop_assert!(rules.len() + faults.len() > 0);
    }
}
