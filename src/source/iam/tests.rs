//! Reports as IAM writes them, and as it does not.

use super::report::read;
use crate::record::identity::{AccessKey, Credentials, LastUse, ROOT};
use crate::record::time::parse_ms;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
    cert_2_active,cert_2_last_rotated";

fn report(lines: &[&str]) -> Vec<Credentials> {
    read(format!("{HEADER}\n{}", lines.join("\n")).as_bytes()).expect("a report")
}

fn at(text: &str) -> i64 {
    parse_ms(text).expect("a time")
}

#[test]
fn root_stands_in_the_report_under_a_name_of_its_own() {
    let line = "<root_account>,arn:aws:iam::111122223333:root,2018-02-03T04:05:06+00:00,not_supported,2026-11-20T10:00:00+00:00,\
                not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
    let [root] = &report(&[line])[..] else { panic!("one line") };
    assert_eq!((&*root.user, &*root.arn), (ROOT, "arn:aws:iam::111122223333:root"));
    assert_eq!((root.password, root.mfa, root.password_changed_ms), (None, Some(true), None));
    assert_eq!(root.password_used, LastUse::At(at("2026-11-20T10:00:00Z")));
    assert_eq!(root.created_ms, Some(at("2018-02-03T04:05:06Z")));
    assert!(root.keys.iter().all(|key| !key.exists()));
}

/// S1-18, S4-16: two keys, one never used, and words for "none" that are no names.
#[test]
fn two_keys_are_two_places() {
    let line = "ada,arn:aws:iam::111122223333:user/ada,2020-01-01T00:00:00+00:00,true,no_information,2020-01-02T00:00:00+00:00,N/A,\
                false,true,2026-01-01T00:00:00+00:00,2026-11-01T01:02:00+00:00,eu-west-1,s3,false,2019-05-06T07:08:09+00:00,N/A,\
                N/A,N/A,false,N/A,false,N/A";
    let [ada] = &report(&[line])[..] else { panic!("one line") };
    assert_eq!((ada.password, ada.password_used, ada.mfa), (Some(true), LastUse::NoInformation, Some(false)));
    let [one, two] = &ada.keys;
    assert_eq!(
        *one,
        AccessKey {
            active: Some(true),
            changed_ms: Some(at("2026-01-01T00:00:00Z")),
            used: LastUse::At(at("2026-11-01T01:02:00Z")),
            service: Some("s3".into()),
            region: Some("eu-west-1".into()),
        }
    );
    assert_eq!((two.active, two.used, &two.service, &two.region), (Some(false), LastUse::NotApplicable, &None, &None));
    assert!(two.exists(), "it was made, and does not work any more");
}

#[test]
fn columns_are_found_by_name_and_unknown_words_are_unknown() {
    let text = "shoe_size,arn,user,mfa_active,password_enabled,password_last_used,access_key_1_active\r\n\
                42,arn:x,bob,perhaps,TRUE,soon,\r\n\
                43,arn:y,\"o'neil, jr\",false,not_supported,N/A,true\r\n";
    let rows = read(format!("\u{feff}{text}").as_bytes()).expect("a report");
    let [bob, jr] = &rows[..] else { panic!("two lines") };
    assert_eq!((&*bob.user, &*bob.arn, bob.mfa, bob.password), ("bob", "arn:x", None, Some(true)));
    assert_eq!((bob.password_used, bob.created_ms, bob.keys[0].active), (LastUse::Unknown, None, None));
    assert_eq!(bob.keys[1], AccessKey::default(), "columns that are not there");
    assert_eq!((&*jr.user, jr.mfa, jr.password, jr.password_used), ("o'neil, jr", Some(false), None, LastUse::NotApplicable));
    assert_eq!(jr.keys[0].active, Some(true));
}

#[test]
fn a_report_that_is_not_whole_is_refused_with_its_line() {
    for (content, why) in [
        (&b""[..], "the credential report is empty"),
        (b"\n\n", "the credential report is empty"),
        (b"user,name\nada,b\n", "the credential report has no column `arn`; there are user, name"),
        (b"user,arn,mfa_active\nada,arn:a,true\nbob,ar", "the credential report is cut short: line 3 has 2 of 3 cells"),
        (b"user,arn\nada,arn:a,more\n", "the credential report is cut short: line 2 has 3 of 2 cells"),
        (
            b"user,arn\nada,\"arn:a\nbob,arn:b\n",
            "the credential report is cut short in line 2: a quote (\") opens here and is never closed",
        ),
        (b"user,arn\nad\xff,a\n", "the credential report is not UTF-8: invalid utf-8 sequence of 1 bytes from index 11"),
    ] {
        assert_eq!(read(content).expect_err(why), why);
    }
    assert_eq!(read(b"user,arn\n").expect("a report"), []);
}
