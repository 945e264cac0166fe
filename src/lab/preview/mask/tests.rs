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
            "actor.arn":"arn:aws:iam::111122223333:user/alice","note":"alice did it in 111122223333",
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
fn a_name_that_is_told_late_is_found_before() {
    let mask = mask();
    let masked = answer(&mask, r#"{"results":[{"handler":"billing.run, billing","functionName":"billing"}]}"#);
    let name = mask.pseudonym(Kind::Name, "billing");
    assert_eq!(masked, format!(r#"{{"results":[{{"handler":"{name}.run, {name}","functionName":"{name}"}}]}}"#));
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
fn names_of_one_and_two_letters_are_names_where_an_attribute_says_so() {
    let mask = mask();
    let rows = answer(
        &mask,
        r#"{"results":[{"actor.name":"山田","aws.accountName":"営業","actor.sourceIdentity":"林","identity.name":"ab",
            "note":"山田さんが営業部の ab を変更, 林, 森林","exception.owner":"Tanaka Hanako",
            "other":"Tanaka Hanako did it"}]}"#,
    );
    for leaked in ["山田", "営業", "Tanaka", "Hanako", r#":"林""#, r#":"ab""#, " 林,"] {
        assert!(!rows.contains(leaked), "{leaked} in {rows}");
    }
    let [yamada, sales, tanaka] = ["山田", "営業", "Tanaka Hanako"].map(|name| mask.pseudonym(Kind::Name, name));
    assert!(rows.contains(&format!("{yamada}さんが{sales}部の ab を変更")), "{rows}");
    assert!(rows.contains(&format!("{tanaka} did it")) && rows.contains("森林"), "{rows}");
    assert_eq!(mask.original(&sales), "営業");
}

#[test]
fn hosts_buckets_and_queues_are_found_by_their_addresses() {
    let mask = mask();
    let (name, word) = (r"[a-z]+-[a-z]+-\d\d", r"[a-z]+-[a-z]+-\d\d");
    for (text, shape) in [
        (
            "by ip-10-20-30-40.ap-northeast-1.compute.internal",
            r"^by ip-(192-0-2|198-51-100|203-0-113)-\d+\.ap-northeast-1\.compute\.internal$".to_owned(),
        ),
        (
            "ec2-54-12-33-7.compute-1.amazonaws.com",
            r"^ec2-(192-0-2|198-51-100|203-0-113)-\d+\.compute-1\.amazonaws\.com$".to_owned(),
        ),
        (
            "s3://acme-trail-logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/27/a.json.gz: gone",
            format!(r"^s3://{name}/AWSLogs/0000\d{{8}}/CloudTrail/eu-west-1/2026/11/27/{word}: gone$"),
        ),
        (
            "https://sqs.eu-west-1.amazonaws.com/111122223333/acme-trail",
            format!(r"^https://sqs\.eu-west-1\.amazonaws\.com/0000\d{{8}}/{word}$"),
        ),
        ("http://127.0.0.1:4566/000000000001/acme-trail.", format!(r"^http://127\.0\.0\.1:4566/0000\d{{8}}/{word}\.$")),
        (
            "https://acme-trail-logs.s3.eu-west-1.amazonaws.com/a/b",
            format!(r"^https://{name}\.s3\.eu-west-1\.amazonaws\.com/{word}/{word}$"),
        ),
        ("host-10-20-30-40-0a1b2c", r"^host-(192-0-2|198-51-100|203-0-113)-\d+-0a1b2c$".to_owned()),
        ("2026-11-27-13-59-10 and 10-20-30-400", "^2026-11-27-13-59-10 and 10-20-30-400$".to_owned()),
        (
            "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html",
            "^https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html$".to_owned(),
        ),
    ] {
        let masked = mask.text(text);
        assert!(regex::Regex::new(&shape).unwrap().is_match(&masked), "{text}: {masked}");
        assert_eq!(mask.original(&masked), text);
        assert_eq!(mask.text(&masked), masked, "masked again");
    }
    let address = mask.pseudonym(Kind::Ip4, "10.20.30.40");
    assert_eq!(mask.text("ip-10-20-30-40"), format!("ip-{}", address.replace('.', "-")));
    let bucket = mask.pseudonym(Kind::Name, "acme-trail-logs");
    assert_eq!(mask.text("s3://acme-trail-logs"), format!("s3://{bucket}"));
    assert_eq!(mask.text("arn:aws:s3:::acme-trail-logs"), format!("arn:aws:s3:::{bucket}"));
}

#[test]
fn what_an_attribute_holds_decides() {
    let mask = mask();
    let word = |text: &str| mask.pseudonym(Kind::Word, text);
    let prose = |text: &str| mask.pseudonym(Kind::Text, text);
    let ledger = mask.pseudonym(Kind::Name, "ledger");
    for (attribute, value, expected) in [
        (
            "relay.agent",
            "ip-10-20-30-40.ap-northeast-1.compute.internal-0a1b2c",
            word("ip-10-20-30-40.ap-northeast-1.compute.internal-0a1b2c"),
        ),
        ("relay.source", "acme-trail", word("acme-trail")),
        ("gap.object", "s3://acme-trail-logs/a.gz", format!("s3://{}/{}", word("acme-trail-logs"), word("a.gz"))),
        ("heartbeat.id", "host-7:trail:1795292071000", format!("{}:{}:{}", word("host-7"), word("trail"), word("1795292071000"))),
        (
            "change.summary",
            "BucketName: payroll-archive -> payroll-new; owner Tanaka Hanako",
            format!(
                "{}: {} -> {}; owner {}",
                word("BucketName"),
                word("payroll-archive"),
                word("payroll-new"),
                word("Tanaka Hanako")
            ),
        ),
        (
            "change.summary",
            r#"UPDATE AWS::S3::Bucket ledger: Tags.owner: "山田" → null; Configuration.IpPermissions.0: {"fromPort":22,"cidr":"0.0.0.0/0"}; +2 more"#,
            format!(
                r#"UPDATE AWS::S3::Bucket {ledger}: Tags.owner: "{}" → null; Configuration.IpPermissions.0: {{"{}":22,"{}":"0.0.0.0/0"}}; +2 more"#,
                word("山田"),
                word("fromPort"),
                word("cidr")
            ),
        ),
        (
            "change.before",
            r#"{"Tags.owner":"Tanaka Hanako","Configuration.Port":22,"Configuration.Public":true,"Configuration.Policy":"payroll"}"#,
            format!(
                r#"{{"Tags.owner":"{}","Configuration.Port":22,"Configuration.Public":true,"Configuration.Policy":"{}"}}"#,
                word("Tanaka Hanako"),
                word("payroll")
            ),
        ),
        ("exception.reason", "asked for by Tanaka", prose("asked for by Tanaka")),
        (
            "exception.scope",
            "accounts: 111122223333; regions: eu-west-1",
            format!("accounts: {}; regions: eu-west-1", mask.text("111122223333")),
        ),
        (
            "code.repository",
            "https://git.example.com/payments/infra",
            format!("https://{}/{}/{}", word("git.example.com"), word("payments"), word("infra")),
        ),
        ("identity.trusts", "|otherAccount|awsService|", "|otherAccount|awsService|".to_owned()),
    ] {
        assert_eq!(mask.value(attribute, value), expected, "{attribute}");
        assert_eq!(mask.value(attribute, &expected), expected, "{attribute}, masked again");
    }
    // The text of a change that was cut is no JSON any more.
    let cut = mask.value("change.after", r#"{"Tags.owner":"Tanaka Hanako","Tags.team":"pay…"#);
    assert!(!cut.contains("Tanaka") && !cut.contains("pay…"), "{cut}");
    // What a line or a text of people says is looked for nowhere else.
    assert_eq!(mask.text("payroll trail infra"), "payroll trail infra");
}

/// S0-22: which words of a text are names nobody can know.
#[test]
fn texts_of_others_go_as_a_whole_and_ours_stay() {
    let mask = mask().keeping(["Start logging again.".to_owned(), "CloudTrail logging stopped".to_owned()]);
    let shape = regex::Regex::new("^text-[0-9a-f]{4}$").unwrap();
    for (attribute, text) in [
        ("control.title", "Console login by K.Tanaka"),
        ("control.remediation", "ask jsmith"),
        ("control.runbookUrl", "https://wiki.acme.internal/runbooks/payroll"),
        ("finding.title", "Bucket payroll-archive-2 is public to jsmith"),
        ("insight.name", "Failed by Tanaka"),
        ("compliance.annotation", "Key AKIA1234567890ABCD of user mjones is old; policy acme-admin-pol"),
        ("gap.reason", "access denied for role acme-relay-role on bucket acme-trail-two"),
        ("event.errorMessage", "User: arn:aws:iam::111122223333:user/k.tanaka is not authorized: user secretbob"),
        ("source.userAgent", "aws-cli/2 acme-laptop-17"),
        ("message", "bad attribute for account acme-prod by jdoe"),
        ("message", r#"{"eventName":"CreateUser","requestParameters":{"userName":"secretb"#),
        ("code.message", "営業 may read it"),
    ] {
        let masked = mask.value(attribute, text);
        assert!(shape.is_match(&masked), "{attribute}: {masked}");
        assert_eq!((mask.value(attribute, text), mask.original(&masked)), (masked.clone(), text.to_owned()));
        assert_eq!(mask.value(attribute, &masked), masked, "masked again");
    }
    assert_eq!(mask.value("finding.title", "ask jsmith"), mask.value("control.remediation", "ask jsmith"), "the same text");
    for (attribute, text) in [
        ("control.title", "CloudTrail logging stopped"),
        ("control.remediation", "Start logging again."),
        ("control.runbookUrl", "https://docs.aws.amazon.com/console/securityhub/IAM.3/remediation"),
        ("source.userAgent", "cloudformation.amazonaws.com"),
        ("aws.environment", "unknown"),
    ] {
        assert_eq!(mask.value(attribute, text), text, "{attribute}");
    }
    assert_eq!(mask.value("aws.environment", "acme-blue"), mask.pseudonym(Kind::Word, "acme-blue"));
}

/// S0-22: anything may be a name in what a call asked for.
#[test]
fn of_a_record_only_words_of_aws_stay() {
    let mask = mask();
    let record = r#"{"eventVersion":"1.11","eventTime":"2026-11-27T13:59:10Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser",
        "awsRegion":"eu-west-1","userIdentity":{"type":"IAMUser","userName":"k.tanaka","name":"acme-who","facet":"acme-face"},
        "requestParameters":{"userName":"secretbob","tags":[{"key":"Owner","value":"Hanako Tanaka"}],"count":7,"encrypted":true,
            "roleArn":"arn:aws:iam::111122223333:role/x","description":"for jsmith","stackName":"acme-payroll","name":"acme-thing",
            "queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/acme-queue","hostname":"db01.acme.internal","type":"acme-type",
            "email":"x@acme.com","list":["acme-a","営業"],"policyDocument":"{\"Sid\":\"AcmeSid\",\"Action\":\"営業\"}"},
        "resources":[{"type":"AWS::IAM::User"}],"userAgent":"aws-cli/2 acme-laptop","errorMessage":"user secretbob2 denied"}"#;
    let whole: Tree = serde_json::from_str(record).unwrap();
    let rows = Tree::Object(vec![("message".to_owned(), Tree::Text(serde_json::to_string(&whole).unwrap()))]);
    let as_text = serde_json::to_string(&mask.tree(&rows)).unwrap();
    // A record may also come as an object, and a part of it as a column.
    let as_object = serde_json::to_string(&mask.tree(&Tree::Object(vec![("message".to_owned(), whole)]))).unwrap();
    for masked in [&as_text, &as_object] {
        let lower = masked.to_lowercase();
        for leaked in ["acme", "tanaka", "hanako", "jsmith", "secretbob", "営業", "111122223333", "db01"] {
            assert!(!lower.contains(leaked), "{leaked} in {masked}");
        }
        let plain = masked.replace('\\', "");
        for kept in [
            r#""eventVersion":"1.11","eventTime":"2026-11-27T13:59:10Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser""#,
            r#""awsRegion":"eu-west-1","userIdentity":{"type":"IAMUser","#,
            r#""count":7,"encrypted":true"#,
            r#""resources":[{"type":"AWS::IAM::User"}]"#,
            r#""queueUrl":"https://sqs.eu-west-1.amazonaws.com/0000"#,
        ] {
            assert!(plain.contains(kept), "{kept} in {plain}");
        }
    }
    let column = answer(
        &mask,
        r#"{"results":[{"requestParameters.stackName":"acme-payroll","latest.responseElements.note":"for jsmith"}]}"#,
    );
    let word = |text: &str| mask.pseudonym(Kind::Word, text);
    let expected = format!(
        r#"{{"results":[{{"requestParameters.stackName":"{}","latest.responseElements.note":"{}"}}]}}"#,
        word("acme-payroll"),
        word("for jsmith")
    );
    assert_eq!(column, expected);
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
    let mut seen = HashSet::new();
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
