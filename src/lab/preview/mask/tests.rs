//! Tests of the mask: shapes, sameness, the way back, and that nothing is left.

use proptest::prelude::*;

use super::*;

fn mask() -> Mask {
    Mask::with_key([7; 16])
}

fn tree(json: &str) -> Tree {
    serde_json::from_str(json).unwrap()
}

/// Masks an answer whose columns have their own names.
fn answer(mask: &Mask, json: &str) -> String {
    serde_json::to_string(&mask.tree(&tree(json))).unwrap()
}

#[test]
fn shapes_stay() {
    for (name, text, shape) in [
        ("account", "111122223333", r"^0000\d{8}$"),
        ("account in a bucket's name", "logs-111122223333-eu", r"^logs-0000\d{8}-eu$"),
        ("account behind a letter", "aws111122223333", r"^aws0000\d{8}$"),
        ("address", "from 54.12.33.7.", r"^from (192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\.$"),
        ("private address", "10.0.0.1", r"^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$"),
        ("range", "10.1.0.0/16", r"^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+/16$"),
        ("address of six", "2600:1f18::1", r"^2001:db8:[0-9a-f:]+$"),
        ("address of six in a sentence", "by 2600:1f18::1: refused", r"^by 2001:db8:[0-9a-f:]+: refused$"),
        ("e-mail", "<alice@corp.example.net>", r"^<[a-z]+-[a-z]+-\d\d@example\.com>$"),
        ("key", "AKIAJKLMNOPQRSTUVWXY", r"^AKIA[A-Z]{16}$"),
        (
            "user",
            "arn:aws:iam::111122223333:user/ops/alice",
            r"^arn:aws:iam::0000\d{8}:user/[a-z]+-[a-z]+-\d\d/[a-z]+-[a-z]+-\d\d$",
        ),
        (
            "session",
            "arn:aws:sts::111122223333:assumed-role/Admin2/a@b.io",
            r"^arn:aws:sts::0000\d{8}:assumed-role/[a-z]+-[a-z]+-\d\d/[a-z-]+-\d\d@example\.com$",
        ),
        ("bucket", "arn:aws:s3:::my-bucket/path/key.txt", r"^arn:aws:s3:::[a-z-]+-\d\d/[a-z-]+-\d\d/[a-z-]+-\d\d$"),
        (
            "instance",
            "arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-0abc12345678901de",
            r"^arn:aws-cn:ec2:cn-north-1:0000\d{8}:instance/i-[0-9a-f]{17}$",
        ),
        (
            "in JSON",
            r#"{"a":"arn:aws:iam::111122223333:role/x-y-z"}"#,
            r#"^\{"a":"arn:aws:iam::0000\d{8}:role/[a-z]+-[a-z]+-\d\d"\}$"#,
        ),
    ] {
        let masked = mask().text(text);
        assert!(regex::Regex::new(shape).unwrap().is_match(&masked), "{name}: {masked}");
    }
}

#[test]
fn what_names_nobody_stays() {
    for text in [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "0.0.0.0/0 and ::/0 and 127.0.0.1",
        "cloudtrail.amazonaws.com",
        "12:30:45, 2026-11-27T13:59:10Z, 1795788000000",
        "crate::clock::Clock",
        "3038ebd2-c98a-4c65-9b6e-1a2b3c4d5e6f",
        "1.2.3 and 300.1.1.1",
    ] {
        assert_eq!(mask().text(text), text);
    }
    let masked = mask().text("arn:aws:iam::111122223333:root");
    assert!(masked.starts_with("arn:aws:iam::0000") && masked.ends_with(":root"), "{masked}");
}

#[test]
fn the_same_value_is_the_same_everywhere() {
    let mask = mask();
    let rows = answer(
        &mask,
        r#"{"results":[{"facet":["alice","111122223333"],"actor.name":"alice","aws.accountId":"111122223333","count":3,
            "actor.arn":"arn:aws:iam::111122223333:user/alice","compliance.annotation":"alice did it in 111122223333",
            "message":"{\"userIdentity\":{\"userName\":\"alice\",\"accountId\":111122223333}}"}],
          "metadata":{"facets":["actor.name","aws.accountId"]}}"#,
    );
    let (name, account) = (mask.pseudonym(Kind::Name, "alice"), mask.pseudonym(Kind::Account, "111122223333"));
    assert!(!rows.contains("alice") && !rows.contains("111122223333"), "{rows}");
    assert_eq!((rows.matches(&name).count(), rows.matches(&account).count()), (5, 5), "{rows}");
    assert_eq!(mask.text(&rows), rows, "masked again");
    assert_eq!(mask.original(&name), "alice");
    assert_eq!(mask.original(&format!("WHERE a = '{account}' AND b = '{name}'")), "WHERE a = '111122223333' AND b = 'alice'");
}

#[test]
fn columns_are_known_by_what_they_show() {
    let origins: Origins =
        [("Who".to_owned(), ["actor.name".to_owned()].into()), ("What".to_owned(), ["event.name".to_owned()].into())].into();
    let mask = mask();
    let rows = tree(
        r#"{"results":[{"facet":"bob","Who":"bob","What":"PutBucketAcl","Kind":"human","n":1}],"metadata":{"facets":"Who"}}"#,
    );
    let masked = mask.answer(&rows, &origins);
    let name = mask.pseudonym(Kind::Name, "bob");
    let expected = format!(
        r#"{{"results":[{{"facet":"{name}","Who":"{name}","What":"PutBucketAcl","Kind":"human","n":1}}],"metadata":{{"facets":"Who"}}}}"#
    );
    assert_eq!(serde_json::to_string(&masked).unwrap(), expected);
}

#[test]
fn numbers_are_ids_only_where_ids_are() {
    let mask = mask();
    let rows = r#"{"sum.bytes":123456789012,"count":5,"aws.accountId":210987654321,"big":210987654321}"#;
    let id = mask.pseudonym(Kind::Account, "210987654321");
    let expected = format!(r#"{{"sum.bytes":123456789012,"count":5,"aws.accountId":"{id}","big":"{id}"}}"#);
    assert_eq!(answer(&mask, rows), expected);
}

#[test]
fn two_values_never_share_a_pseudonym() {
    let mask = mask();
    let mut seen = std::collections::HashSet::new();
    for number in 0..3_000_u32 {
        let address = format!("54.{}.{}.9", number / 250, number % 250);
        let masked = mask.text(&address);
        assert!(masked.starts_with("192.0.2.") || masked.starts_with("198.") || masked.starts_with("203.0.113."), "{masked}");
        assert_eq!(mask.original(&masked), address);
        assert!(seen.insert(masked), "{address}");
    }
}

#[test]
fn keys_decide() {
    let (one, other) = (Mask::with_key([1; 16]), Mask::with_key([2; 16]));
    assert_eq!(one.text("111122223333"), Mask::with_key([1; 16]).text("111122223333"));
    assert_ne!(one.text("111122223333"), other.text("111122223333"));
    assert_ne!(Mask::new().text("111122223333"), Mask::new().text("111122223333"));
}

proptest! {
    #[test]
    fn no_id_and_no_address_is_left(id in "[1-9][0-9]{11}", before in r"[a-zA-Z:/ .,_\-\[{(]{0,9}", after in r"[a-zA-Z:/ .,_\-\]})]{0,9}",
        parts in any::<[u8; 4]>())
    {
        prop_assume!(parts[0] != 0 && parts[0] != 127);
        let address = parts.map(|part| part.to_string()).join(".");
        let text = format!("{before}{id}{after} {before}{address}{after}");
        let masked = mask().text(&text);
        prop_assert!(!masked.contains(&id), "{masked}");
        prop_assert!(masked == mask().text(&text));
        let left = masked.split(|c: char| !(c.is_ascii_digit() || c == '.')).any(|word| word == address);
        let of_documentation = ["192.0.2.", "198.51.100.", "203.0.113."].iter().any(|range| address.starts_with(range));
        prop_assert!(!left || of_documentation, "{masked}");
    }

    #[test]
    fn any_text_is_taken(text in ".{0,200}") {
        let mask = mask();
        let masked = mask.text(&text);
        prop_assert_eq!(mask.text(&masked), masked);
    }
}
