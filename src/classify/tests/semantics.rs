//! What rules mean, row by row.

use super::*;

const RECORD: &str = r#"{"eventVersion":"1.11","eventTime":"2026-11-21T20:14:31Z","eventID":"e1",
 "eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"eu-west-1",
 "sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.1 S3 Browser","readOnly":false,"vpcEndpointId":null,
 "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/Müller","userName":"M\u00fcller",
   "sessionContext":{"attributes":{"mfaAuthenticated":"false"}}},
 "requestParameters":{"groupId":"sg-1","count":22,"ratio":1.5,"note":"a\"b*c?d","empty":"","none":null,"self":"M\u00fcller",
   "tags":{"aws:x.y":"dotted"}, "list":["one","two"],"nothing":[],
   "ipPermissions":{"items":[{"fromPort":22,"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"},{"cidrIp":"0.0.0.0/0"}]}},
                             {"fromPort":443}]}},
 "responseElements":null,"tlsDetails":{"tlsVersion":"TLSv1.2"}}"#;

/// Whether a rule with this selection matches the record.
fn selects(selection: &str) -> bool {
    detects(&format!("  s:\n    {selection}\n  condition: s\n"))
}

fn detects(detection: &str) -> bool {
    let set = set_of(&[rule_text("rule", detection)]);
    let trail = Trail::parse(RECORD.as_bytes()).expect("a record");
    !set.matcher().matches(&trail).is_empty()
}

#[test]
fn fields_values_and_modifiers() {
    for (selection, want) in [
        // Text: any case, whole value, lists are alternatives.
        ("eventName: authorizesecuritygroupingress", true),
        ("eventName: AuthorizeSecurityGroup", false),
        ("eventName: [CreateUser, AuthorizeSecurityGroupIngress]", true),
        ("eventName: Authorize*", true),
        ("eventName: Authorize?ecurity*", true),
        ("eventName|startswith: authorize", true),
        ("eventName|endswith: EGRESS", false),
        ("eventName|contains: [x, group]", true),
        ("eventName|contains|all: [security, group]", true),
        ("eventName|contains|all: [security, user]", false),
        ("eventName|cased: authorizesecuritygroupingress", false),
        ("eventName|contains|cased: SecurityGroup", true),
        ("eventName|neq: CreateUser", true),
        ("eventName|neq: [CreateUser, AuthorizeSecurityGroupIngress]", false),
        ("errorCode|neq: AccessDenied", true),
        // Escapes in the record and in the rule.
        ("requestParameters.note: 'A\"B\\*C\\?D'", true),
        ("requestParameters.note: 'a\"b\\*c\\?e'", false),
        ("userIdentity.userName: MÜLLER", true),
        ("userIdentity.arn|endswith: user/müller", true),
        // Numbers and booleans, as numbers or as text.
        ("requestParameters.count: 22", true),
        ("requestParameters.count: '22'", true),
        ("requestParameters.count: 2", false),
        ("requestParameters.ratio: 1.5", true),
        ("readOnly: false", true),
        ("readOnly: 'false'", true),
        ("readOnly: true", false),
        ("userIdentity.sessionContext.attributes.mfaAuthenticated: false", true),
        ("requestParameters.count|gte: 22", true),
        ("requestParameters.count|gt: 22", false),
        ("requestParameters.count|lt: 22.5", true),
        ("requestParameters.count|lte: '21'", false),
        ("eventName|gt: 1", false),
        // Absent, null, empty.
        ("errorCode: null", true),
        ("eventName: null", false),
        ("requestParameters.none: null", true),
        ("requestParameters.missing: null", true),
        ("requestParameters.empty: null", false),
        ("requestParameters.empty: ''", true),
        ("requestParameters.none: ''", false),
        ("errorCode: [null, Success]", true),
        ("errorCode: '*'", false),
        ("eventName: '*'", true),
        ("errorCode|exists: true", false),
        ("errorCode|exists: false", true),
        ("vpcEndpointId|exists: true", false),
        ("responseElements|exists: true", false),
        ("requestParameters.empty|exists: true", true),
        ("requestParameters.nothing|exists: true", true),
        // Paths: through arrays, past typed fields, names with dots.
        ("requestParameters.ipPermissions.items.ipRanges.items.cidrIp: 0.0.0.0/0", true),
        ("requestParameters.ipPermissions.items.ipRanges.items.cidrIp: 0.0.0.0", false),
        ("requestParameters.ipPermissions.items.fromPort: 443", true),
        ("requestParameters.ipPermissions.items.fromPort|gt: 443", false),
        ("requestParameters.list: two", true),
        ("requestParameters.list|all: [one, two]", true),
        ("requestParameters.list|all: [one, three]", false),
        ("requestParameters.tags.aws:x.y: dotted", true),
        ("tlsDetails.tlsVersion: TLSv1.2", true),
        ("eventID: e1", true),
        ("EventName: AuthorizeSecurityGroupIngress", false),
        ("eventName.x: AuthorizeSecurityGroupIngress", false),
        // Objects and arrays are their compact JSON.
        ("requestParameters|contains: '{\"cidrIp\":\"0.0.0.0/0\"}'", true),
        ("requestParameters.list: '[\"one\",\"two\"]'", true),
        ("requestParameters|contains: '\"groupId\": '", false),
        // Networks, expressions, other fields, base64.
        ("sourceIPAddress|cidr: 198.51.100.0/24", true),
        ("sourceIPAddress|cidr: [10.0.0.0/8, '2001:db8::/32']", false),
        ("userAgent|cidr: 0.0.0.0/0", false),
        ("eventName|re: '^Auth.*Ingress$'", true),
        ("eventName|re: '^auth'", false),
        ("eventName|re|i: '^auth'", true),
        ("userIdentity.userName|fieldref: requestParameters.self", true),
        ("userIdentity.arn|fieldref|endswith: userIdentity.userName", true),
        ("userIdentity.arn|fieldref: userIdentity.userName", false),
        ("eventName|fieldref: errorCode", false),
        ("errorCode|fieldref: errorMessage", false),
    ] {
        assert_eq!(selects(selection), want, "{selection}");
    }
}

#[test]
fn selections_and_conditions() {
    for (detection, want) in [
        ("  s: {eventSource: ec2.amazonaws.com, errorCode: x}\n  condition: s\n", false),
        ("  s: [{errorCode: x}, {eventSource: ec2.amazonaws.com}]\n  condition: s\n", true),
        ("  s: {eventSource: ec2.amazonaws.com}\n  f: {errorCode|exists: true}\n  condition: s and not f\n", true),
        ("  s: {eventSource: ec2.amazonaws.com}\n  f: {userIdentity.type: IAMUser}\n  condition: s and not f\n", false),
        ("  f: {errorCode: AccessDenied}\n  condition: not f\n", true),
        ("  s_a: {errorCode: x}\n  s_b: {eventSource: ec2*}\n  condition: 1 of s_*\n", true),
        ("  s_a: {errorCode: x}\n  s_b: {eventSource: ec2*}\n  condition: all of them\n", false),
        ("  a: {errorCode: x}\n  b: {eventSource: ec2*}\n  condition: [a, b]\n", true),
        // Keywords: any value of the record, not its names.
        ("  keywords: [nowhere, s3 browser]\n  condition: keywords\n", true),
        ("  keywords: [TLSV1.2]\n  condition: keywords\n", true),
        ("  keywords: [tlsVersion]\n  condition: keywords\n", false),
        ("  keywords: {'|all': [TLSv1.2, 'm?ller']}\n  condition: keywords\n", true),
        ("  keywords: {'|all': [TLSv1.2, nowhere]}\n  condition: keywords\n", false),
        ("  keywords: 443\n  condition: keywords\n", true),
    ] {
        assert_eq!(detects(detection), want, "{detection}");
    }
}

#[test]
fn base64_finds_the_encoded_text_at_any_offset() {
    for (selection, user_data, want) in [
        ("requestParameters.userData|base64: curl evil", "Y3VybCBldmls", true),
        ("requestParameters.userData|base64: curl evil", "Y3VybCBldmlsIQ==", false),
        // "curl evil" behind zero, one and two other bytes.
        ("requestParameters.userData|base64offset|contains: curl evil", "Y3VybCBldmlsLi4=", true),
        ("requestParameters.userData|base64offset|contains: curl evil", "LmN1cmwgZXZpbC4=", true),
        ("requestParameters.userData|base64offset|contains: curl evil", "Li5jdXJsIGV2aWwu", true),
        ("requestParameters.userData|base64offset|contains: curl evil", "d2dldCBldmls", false),
    ] {
        let set = set_of(&[rule_text("rule", &format!("  s: {{{selection}}}\n  condition: s\n"))]);
        let record =
            format!(r#"{{"eventID":"e","eventTime":"2026-11-21T20:14:31Z","requestParameters":{{"userData":"{user_data}"}}}}"#);
        let trail = Trail::parse(record.as_bytes()).expect("a record");
        assert_eq!(!set.matcher().matches(&trail).is_empty(), want, "{selection} {user_data}");
    }
}

#[test]
fn hits_come_most_severe_first_and_the_matcher_forgets_the_last_record() {
    let rule = |name: &str, level: &str, score: u8| {
        rule_text(name, "  s: {eventName: X}\n  condition: s\n").replace("level: medium", &format!("level: {level}"))
            + &format!("cspm: {{score: {score}}}\n")
    };
    let texts = [rule("b", "low", 90), rule("c", "high", 10), rule("a", "low", 90), rule("d", "low", 91)];
    let (rules, faults) = texts.iter().map(|text| read_file("r.yml", text, false, &Placeholders::new())).fold(
        (Vec::new(), Vec::new()),
        |(mut rules, mut faults), (more, wrong)| {
            rules.extend(more);
            faults.extend(wrong);
            (rules, faults)
        },
    );
    let (rules, faults) = load::sorted(rules, faults);
    let (set, faults) = RuleSet::new(load::Loaded { faults, ..load::Loaded::of(rules) });
    assert_eq!(faults, []);
    let mut matcher = set.matcher();
    let mut names = |json: &str| {
        let trail = Trail::parse(json.as_bytes()).expect("a record");
        matcher.matches(&trail).iter().map(|rule| rule.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(r#"{"eventID":"1","eventName":"X","eventTime":"2026-11-21T20:14:31Z"}"#), ["c", "d", "a", "b"]);
    assert_eq!(names(r#"{"eventID":"2","eventName":"Y","eventTime":"2026-11-21T20:14:31Z"}"#), [""; 0]);
}

#[test]
fn deep_and_odd_records_match_without_harm() {
    let set = set_of(&[
        rule_text("path", "  s: {requestParameters.a: x}\n  condition: s\n"),
        rule_text("text", "  s: {requestParameters|contains: x}\n  condition: s\n"),
        rule_text("keyword", "  s: [xyz]\n  condition: s\n"),
    ]);
    let mut matcher = set.matcher();
    for parameters in [
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200)),
        "\"a text\"".to_owned(),
        "12".to_owned(),
        format!("{{\"a\":[{}\"x\"]}}", "{\"b\":[null,[]]},".repeat(50_000)),
    ] {
        let json = format!(r#"{{"eventID":"e","eventTime":"2026-11-21T20:14:31Z","requestParameters":{parameters}}}"#);
        let trail = Trail::parse(json.as_bytes()).expect("a record");
        let hits: Vec<_> = matcher.matches(&trail).iter().map(|rule| rule.id.as_str()).collect();
        let want: &[&str] = if parameters.ends_with("\"x\"]}") {
            &["path", "text"]
        } else if parameters.contains("text") {
            &["text"]
        } else {
            &[]
        };
        assert_eq!(hits, want);
    }
}
