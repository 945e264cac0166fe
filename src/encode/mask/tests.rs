//! What is masked, and what is not: cases by name, and any text.

use proptest::prelude::*;

use super::words::{KEYS, SHAPES};
use super::*;

fn masked(json: &str) -> String {
    assert_eq!(super::masked(json), if secrets(json).is_empty() { json.into() } else { masked_json(json) });
    masked_json(json)
}

fn masked_json(json: &str) -> String {
    let mut out = Vec::new();
    push_masked(&mut out, json);
    String::from_utf8(out).unwrap()
}

#[test]
fn secrets_are_masked_and_the_rest_stays() {
    let jwt = format!("eyJhbGciOiJIUzI1NiJ9.{}", "a".repeat(40));
    for (name, before, after) in [
        (
            "password",
            r#"{"masterUserPassword":"hunter2","dbName":"x"}"#.to_owned(),
            r#"{"masterUserPassword":"****","dbName":"x"}"#.to_owned(),
        ),
        ("spaces", r#"{ "Password" : "hunter2" }"#.into(), r#"{ "Password" : "****" }"#.into()),
        ("number", r#"{"password":12345,"x":12345}"#.into(), r#"{"password":"****","x":12345}"#.into()),
        (
            "null and flags",
            r#"{"password":null,"resetPassword":true}"#.into(),
            r#"{"password":null,"resetPassword":true}"#.into(),
        ),
        (
            "not the end of the key",
            r#"{"passwordResetRequired":"yes","nextToken":"t","secretId":"prod/db"}"#.into(),
            r#"{"passwordResetRequired":"yes","nextToken":"t","secretId":"prod/db"}"#.into(),
        ),
        ("escaped quote", r#"{"secretString":"a\"b\\","y":"z"}"#.into(), r#"{"secretString":"****","y":"z"}"#.into()),
        ("shape in a list", format!(r#"{{"args":["--token","{jwt}"]}}"#), r#"{"args":["--token","****"]}"#.into()),
        (
            "shape inside a text",
            format!(r#"{{"a":"Bearer {jwt}, then \"x\"","b":"x{jwt}","c":"hvs.short","d":"a -----BEGIN PRIVATE KEY-----\nabcdefgh\n-----END"}}"#),
            format!(r#"{{"a":"Bearer ****, then \"x\"","b":"x{jwt}","c":"hvs.short","d":"a ****"}}"#),
        ),
        (
            "shape behind an escape",
            format!(r#"{{"a":"export A=1\n{jwt}\ngo","b":"\u003d{jwt}","c":"cat <<X\n-----BEGIN PRIVATE KEY-----\nabcdefghijklmnop","d":"a\\{jwt}"}}"#),
            r#"{"a":"export A=1\n****\ngo","b":"=****","c":"cat <<X\n****","d":"a\\****"}"#.into(),
        ),
        (
            "an escape's letter is no part of a shape",
            r#"{"q":"SELECT a,\npm_total_active_customers_by_region_2024","a":"x\\npm_total_active_customers_by_region_2024"}"#.into(),
            r#"{"q":"SELECT a,\npm_total_active_customers_by_region_2024","a":"x\\****"}"#.into(),
        ),
        (
            "passwords in addresses",
            r#"{"a":"postgres://app:hunter2@db:5432/x, amqp://:p%40w@q","b":"https://me:p@ss@h/","c":"see http://h:80/@x:y or //a:b@c","d":"s3://b/k"}"#.into(),
            r#"{"a":"postgres://app:****@db:5432/x, amqp://:****@q","b":"https://me:****@h/","c":"see http://h:80/@x:y or //a:b@c","d":"s3://b/k"}"#.into(),
        ),
        (
            "webhooks",
            r#"{"a":"post to https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/abcdefghijkl now","b":"https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/0123456789/c"}"#.into(),
            r#"{"a":"post to https://**** now","b":"https://x.****"}"#.into(),
        ),
        (
            "environment",
            r#"{"environment":[{"name":"DB_PASSWORD","value":"x"},{"name":"LEVEL","value":"info"}]}"#.into(),
            r#"{"environment":[{"name":"DB_PASSWORD","value":"****"},{"name":"LEVEL","value":"info"}]}"#.into(),
        ),
        (
            "template parameter",
            r#"{"parameters":[{"parameterKey":"AdminSecret","parameterValue":"x"}]}"#.into(),
            r#"{"parameters":[{"parameterKey":"AdminSecret","parameterValue":"****"}]}"#.into(),
        ),
        (
            "credentials",
            r#"{"credentials":{"accessKeyId":"ASIA1","sessionToken":"FwoG","expiration":"x"}}"#.into(),
            r#"{"credentials":{"accessKeyId":"ASIA1","sessionToken":"****","expiration":"x"}}"#.into(),
        ),
        (
            "separators",
            r#"{"variables":{"API_KEY":"x","GITHUB_TOKEN":"x","STRIPE_SECRET_KEY":"x","db_secret":"x","DBPASSWORD1":"x","LEVEL":"y","TOKEN_TYPE":"y"}}"#.into(),
            r#"{"variables":{"API_KEY":"****","GITHUB_TOKEN":"****","STRIPE_SECRET_KEY":"****","db_secret":"****","DBPASSWORD1":"****","LEVEL":"y","TOKEN_TYPE":"y"}}"#.into(),
        ),
        (
            "value before name",
            r#"{"e":[{"value":"hunter2","name":"DB_PASSWORD"},{"value":"info","name":"LEVEL"}]}"#.into(),
            r#"{"e":[{"value":"****","name":"DB_PASSWORD"},{"value":"info","name":"LEVEL"}]}"#.into(),
        ),
        ("list", r#"{"password":["pw1","pw2",["x"]],"y":["z"]}"#.into(), r#"{"password":["****","****",["****"]],"y":["z"]}"#.into()),
        (
            "JSON in a string",
            r#"{"templateBody":"{\"Password\":\"hunter3\",\"a\":1}","x":"{\"a\":\"secret\"}"}"#.into(),
            r#"{"templateBody":"{\"Password\":\"****\",\"a\":1}","x":"{\"a\":\"secret\"}"}"#.into(),
        ),
        (
            "about secrets",
            r#"{"clientRequestToken":"a","secretArn":"b","httpTokens":"required","tokenType":"c","secretName":"d","passwordLastUsed":"e","lockToken":"f","GetSigninToken":"Success","passwordMode":"managed"}"#.into(),
            r#"{"clientRequestToken":"a","secretArn":"b","httpTokens":"required","tokenType":"c","secretName":"d","passwordLastUsed":"e","lockToken":"f","GetSigninToken":"Success","passwordMode":"managed"}"#.into(),
        ),
        (
            "JSON in a string, cut in its secret",
            r#"{"a":"{\"x\":{\"password\":\"hunter2…","b":"{\"name\":\"DB_PASSWORD\",\"value\":\"hunter日本","c":"{\"password\":\""}"#.into(),
            r#"{"a":"{\"x\":{\"password\":\"****\"","b":"{\"name\":\"DB_PASSWORD\",\"value\":\"****\"","c":"{\"password\":\""}"#.into(),
        ),
        ("nothing", r#"{"bucketName":"b"}"#.into(), r#"{"bucketName":"b"}"#.into()),
    ] {
        assert_eq!(masked(&before), after, "{name}");
    }
}

/// A text that holds pieces of JSON, as AWS's error messages do: a value is masked wherever its key is whole enough to be known,
/// also where what stands before it was cut off.
#[test]
fn values_behind_keys_are_masked_in_any_text() {
    for (name, before, after) in [
        ("a number behind a cut-off key", r#"password":12345, "x":12345}"#, r#"password":****, "x":12345}"#),
        (
            "a text behind a cut-off key",
            r#"…masterUserPassword": "hunter2", "x":"y"}"#,
            r#"…masterUserPassword": "****", "x":"y"}"#,
        ),
        (
            "in a sentence",
            r#"Value '{"password":"hunter2","n":1}' at 'x' failed"#,
            r#"Value '{"password":"****","n":1}' at 'x' failed"#,
        ),
        ("behind a lone quote", r#"5" or {"password":-1.5e3}"#, r#"5" or {"password":****}"#),
        ("escaped", r#"got {\"password\":\"a\\\"b\",\"n\":7} here"#, r#"got {\"password\":\"****\",\"n\":7} here"#),
        ("escaped, a number", r#"got {\"password\" : 12345}"#, r#"got {\"password\" : ****}"#),
        ("cut in its value", r#"see {"password":"hunter"#, r#"see {"password":"****"#),
        ("an escaped quote in it", r#"see {"password":"hun\"ter2","n":1}"#, r#"see {"password":"****","n":1}"#),
        ("twice", r#"a "password":1 b "apiKey":"x""#, r#"a "password":**** b "apiKey":"****""#),
        ("no value", r#"the key "password": is needed, "token" too"#, r#"the key "password": is needed, "token" too"#),
        ("about one", r#"a "passwordLength":12 b "nextToken":"t""#, r#"a "passwordLength":12 b "nextToken":"t""#),
        ("masked before", r#"a "password":"****", {"password":"#, r#"a "password":"****", {"password":"#),
        ("a flag", r#"a "password":true"#, r#"a "password":true"#),
    ] {
        assert_eq!(super::masked(before), after, "{name}");
    }
}

proptest! {
    /// JSON in, JSON out; and no value under a secret key survives, however the key is written.
    #[test]
    fn masking_keeps_json(
        text in ".{0,20}",
        secret in ".{1,20}",
        key in prop::sample::select(KEYS.to_vec()),
        shape in 0..4_usize,
    ) {
        let key = match shape {
            0 => format!("my{key}"),
            1 => format!("MY_{}", key.to_uppercase()),
            2 => format!("{}-{}", key.split_at(3).0, key.split_at(3).1),
            _ => format!("my.{key}"),
        };
        let inner = serde_json::json!({key.as_str(): secret}).to_string();
        // Words that the first look knows, whatever the key's separators.
        let json = serde_json::json!({"hint": "password", "a": [text, {"b": text}], key.as_str(): [secret], "t": inner, "c": {"d": 1, "e": null}});
        let after: serde_json::Value = serde_json::from_str(&masked(&json.to_string())).unwrap();
        prop_assert_eq!(after[key.as_str()][0].as_str(), Some("****"));
        prop_assert_eq!(&after["a"], &json["a"]);
        prop_assert_eq!(after["c"]["d"].as_i64(), Some(1));
    }

    /// A secret is masked and JSON stays JSON, whatever stands before and behind it, and however that is escaped.
    #[test]
    fn a_shape_is_masked_behind_any_escape(
        before in r#"[a-z]{0,3}[\n\t\r"\\ é=,;\x01]"#,
        after in r#"[\n\t"\\ ]?[a-z]{0,5}"#,
        shape in 0..SHAPES.len(),
        ascii in any::<bool>(),
    ) {
        let secret = format!("{}{}", SHAPES[shape].0, "a1".repeat(24));
        let text = format!("{before}{secret}{after}");
        let mut json = serde_json::json!({ "script": text }).to_string();
        if ascii {
            json = json.replace('é', "\\u00e9").replace('=', "\\u003d").replace(',', "\\u002c");
        }
        let masked: serde_json::Value = serde_json::from_str(&masked(&json)).unwrap();
        let masked = masked["script"].as_str().unwrap();
        prop_assert!(masked.starts_with(&format!("{before}****")), "{masked}");
        prop_assert!(!masked.contains("a1a1a1"), "{masked}");
    }

    /// A text that only looks like a secret's beginning stays as it is.
    #[test]
    fn what_an_escape_makes_of_letters_is_no_shape(tail in "[a-z_]{36,60}") {
        prop_assume!(SHAPES.iter().all(|(shape, _)| !tail.contains(shape)));
        let json = serde_json::json!({ "q": format!("a,\npm_{tail}"), "u": format!("\u{1}hp_{tail}") }).to_string();
        prop_assert_eq!(masked(&json), json);
    }

    /// No panic on any text; without a suspicious word the text is unchanged.
    #[test]
    fn any_text_is_walked(text in r#"([\{\}\[\]",:\\ 0é]|password|token|pasword){0,40}"#) {
        // It is no record: the walk over one and the look at a text may well differ.
        let after = super::masked(&text).into_owned();
        let _walked = walk(&text, 0, true);
        if !text.contains("password") && !text.contains("token") {
            prop_assert_eq!(after, text);
        }
    }
}
