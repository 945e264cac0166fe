//! What the conditions that are built in hold, and what becomes of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{facets, hcl_quoted};
use super::source::MethodWord;
use super::*;
use crate::nrql::condition::Priority;
use crate::publish::dashboard::Language;

/// Where the files of the conditions are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nrql/conditions");

const README: &str = include_str!("../../../nrql/README.md");

/// Where the generated part of README begins and ends.
const TABLE: [&str; 2] = ["<!-- conditions: generated -->\n", "<!-- /conditions -->"];

fn request(language: Language) -> Request<'static> {
    Request { account: 1_234_567, policy: None, language, dashboard_url: None }
}

fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn files() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for policy in std::fs::read_dir(FOLDER).expect("policies") {
        let policy = policy.expect("a policy").path();
        for file in std::fs::read_dir(&policy).expect("a folder") {
            let file = file.expect("a file").path();
            let name = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
            found.insert(format!("{}/{}", name(&policy), name(&file)));
        }
    }
    found
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let shipped: BTreeSet<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(shipped, files(), "src/publish/alert/files.rs names the files of nrql/conditions");
}

/// The whole text that New Relic gets. A change there is a change of the product.
#[test]
fn what_new_relic_gets_is_held() {
    let definition = Definition::shipped();
    golden("alerts_nerdgraph", &nerdgraph(&definition, request(Language::English)).expect("JSON"));
    golden("alerts_terraform_ja", &terraform(&definition, request(Language::Japanese)).expect("HCL"));
}

#[test]
fn the_readme_has_every_condition() {
    let [begin, end] = TABLE;
    let part = README.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("marks").0;
    assert!(
        part == format!("\n{}\n", table(&Definition::shipped(), Language::English)),
        "nrql/README.md does not have the conditions of nrql/conditions; what stands between its marks is what this prints:\n  \
         cargo run -- alerts list --format markdown"
    );
}

/// S1-25: who looks first is a tag of every condition. P29: method and delay are always said, in both forms.
#[test]
fn both_forms_say_method_wait_and_responder_of_every_condition() {
    let definition = Definition::shipped();
    let json: Value = serde_json::from_str(&nerdgraph(&definition, request(Language::English)).expect("JSON")).expect("JSON");
    let hcl = terraform(&definition, request(Language::English)).expect("HCL");
    let mut count = 0;
    for policy in json["policies"].as_array().expect("policies") {
        for entry in policy["conditions"].as_array().expect("conditions") {
            let (key, signal) = (entry["key"].as_str().expect("a key"), &entry["condition"]["signal"]);
            let waits = ["aggregationTimer", "aggregationDelay"].map(|wait| signal[wait].is_u64());
            let is_timer = signal["aggregationMethod"] == "EVENT_TIMER";
            assert_eq!(waits, [is_timer, !is_timer], "{key}: {signal}");
            let responder = entry["tags"].as_array().expect("tags").iter().find(|tag| tag["key"] == "responder");
            assert!(["first", "second"].map(Value::from).contains(&responder.expect("a responder")["values"][0]), "{key}");
            let name = format!("cspm_relay_{}_{key}", policy["key"].as_str().expect("a key")).replace('-', "_");
            let block = hcl.split(&format!("\"newrelic_nrql_alert_condition\" \"{name}\" {{\n")).nth(1).expect("a resource");
            let block = block.split("\n}\n").next().expect("a block");
            let method = signal["aggregationMethod"].as_str().expect("a method").to_lowercase();
            let wait = if is_timer { "aggregation_timer " } else { "aggregation_delay " };
            let of = |name: &str| block.lines().find(|line| line.trim_start().starts_with(name)).map(str::trim);
            assert!(of("aggregation_method").is_some_and(|line| line.ends_with(&format!("\"{method}\""))), "{name}");
            assert!(of(wait).is_some_and(|line| line.ends_with(|c: char| c.is_ascii_digit())), "{name}");
            count += 1;
        }
    }
    assert_eq!(count, definition.conditions().count());
}

/// Both languages ask New Relic the same.
#[test]
fn languages_differ_in_words_alone() {
    let definition = Definition::shipped();
    let bare = |language| {
        let mut json: Value = serde_json::from_str(&nerdgraph(&definition, request(language)).expect("JSON")).expect("JSON");
        for policy in json["policies"].as_array_mut().expect("policies") {
            policy["policy"]["name"] = Value::Null;
            for entry in policy["conditions"].as_array_mut().expect("conditions") {
                for key in ["name", "description", "titleTemplate"] {
                    let text = &entry["condition"][key];
                    // What opens at silence alone has no title.
                    assert!(
                        text.as_str().is_some_and(|text| !text.is_empty()) || key == "titleTemplate" && text.is_null(),
                        "{entry}"
                    );
                    entry["condition"][key] = Value::Null;
                }
            }
        }
        json
    };
    assert_eq!(bare(Language::English), bare(Language::Japanese));
}

/// P37: the text says what New Relic decides by, whatever that is.
#[test]
fn a_text_has_its_numbers_from_the_threshold() {
    let mut definition = Definition::shipped();
    let of = |definition: &Definition| {
        let policy = Request { policy: Some("detective"), ..request(Language::English) };
        let json: Value = serde_json::from_str(&nerdgraph(definition, policy).expect("JSON")).expect("JSON");
        let entries = json["policies"][0]["conditions"].as_array().expect("conditions");
        let entry = entries.iter().find(|entry| entry["key"] == "failed-logins").expect("a condition");
        entry["condition"]["description"].as_str().expect("a text").to_owned()
    };
    let text = of(&definition);
    assert!(text.contains("8 or more within 10 minutes") && text.contains("in 10 minutes: at least 20."), "{text}");
    let conditions = definition.policies.iter_mut().flat_map(|policy| policy.conditions.values_mut());
    for condition in conditions.filter(|condition| condition.id == "failed-logins") {
        condition.signal.window = 1_200;
        for term in &mut condition.terms {
            (term.threshold, term.duration) = (term.threshold * 10.0, 2_400);
        }
    }
    let text = of(&definition);
    assert!(text.contains("80 or more within 20 minutes"), "{text}");
    assert!(text.contains("in 20 minutes: at least 200, once in 40 minutes."), "{text}");
    assert!(!text.contains("10 minutes"), "{text}");
}

/// S0-04, S1-25: CRITICAL of what is on is for who is on duty, unless it is for working hours and says so by its responder.
#[test]
fn what_only_warns_calls_nobody_at_night() {
    for (_, condition) in Definition::shipped().conditions() {
        let is_critical = condition.term(Priority::Critical).is_some() || condition.expiration.opens;
        assert!(
            is_critical || condition.responder == Responder::Second,
            "{}: WARNING alone, for the first responder",
            condition.id
        );
    }
}

/// P28: what is filed under the time of the call waits for CloudTrail, and what is stamped at arrival does not.
#[test]
fn only_late_rows_are_waited_for() {
    for (_, condition) in Definition::shipped().conditions() {
        let reads = |name: &str| condition.query.contains(&format!("FROM {name}"));
        if reads("AwsSecurityEvent") {
            assert_eq!(
                (condition.signal.method, condition.signal.timer),
                (MethodWord::EventTimer, Some(1_200)),
                "{}",
                condition.id
            );
        }
        if reads("AwsSecurityNotice") {
            assert_eq!(condition.signal.timer, Some(condition.signal.window), "{}: pages later than it could", condition.id);
        }
    }
}

/// Novelty is for a person to look at, never a page.
#[test]
fn nothing_alerts_on_what_is_new_alone() {
    for (_, condition) in Definition::shipped().conditions() {
        assert!(!condition.query.contains("novelty") && !condition.query.contains("firstSeen"), "{}", condition.id);
    }
}

#[test]
fn what_cannot_be_rendered_says_why() {
    let shipped = Definition::shipped();
    let told = |definition: &Definition, policy| {
        nerdgraph(definition, Request { policy, ..request(Language::English) }).expect_err("a reason").to_string()
    };
    assert_eq!(
        told(&shipped, Some("detectiv")),
        "no policy `detectiv`; the policies are detective, findings, identity, preventive, relay-health"
    );
    let mut broken = shipped.clone();
    let first = broken.policies[0].conditions.values_mut().next().expect("a condition");
    first.title_template.as_mut().expect("a title").en = "[[warning]]".to_owned();
    assert_eq!(
        told(&broken, None),
        "detective/attack-tool-used.yml: `[[warning]]` stands for the threshold of the WARNING term, and the condition has none"
    );
    let files = [("own/policy.yml", "name: a"), ("own/one.yml", "id: one\nquerry: a\n")];
    let unreadable = Definition::read(files.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(unreadable.unreadable.len(), 2);
    assert!(told(&unreadable, None).starts_with("own/one.yml:"), "{}", told(&unreadable, None));
}

/// What a text of anybody's becomes in HCL, and back by HCL's own rules.
#[test]
fn a_text_in_hcl_stays_a_text() {
    for (text, want) in [
        ("plain", "\"plain\""),
        ("a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\""),
        ("one\ntwo\r\tthree", "\"one\\ntwo\\r\\tthree\""),
        ("${file(\"/etc/passwd\")} %{ if true }", "\"$${file(\\\"/etc/passwd\\\")} %%{ if true }\""),
        ("$$ 100 % {{tag.a}}", "\"$$ 100 % {{tag.a}}\""),
        ("\u{7}", "\"\\u0007\""),
        ("日本語", "\"日本語\""),
    ] {
        assert_eq!(hcl_quoted(text), want);
    }
    let hcl = terraform(&Definition::shipped(), request(Language::Japanese)).expect("HCL");
    for line in hcl.lines() {
        let inside: String = line.replace("\\\\", "").replace("\\\"", "");
        assert!(inside.matches('"').count().is_multiple_of(2), "{line}");
    }
}

/// What an alias is called is what a title names, in every condition with facets.
#[test]
fn the_title_names_where_it_is() {
    for (_, condition) in Definition::shipped().conditions() {
        let facets = facets(&condition.query);
        for language in Language::ALL {
            let Some(title) = condition.title_template.as_ref().map(|title| title.get(language)) else { continue };
            let names_one = facets.iter().any(|facet| title.contains(&format!("{{{{tag.{facet}}}}}")));
            assert!(facets.is_empty() || names_one, "{}: {title}", condition.id);
        }
    }
}
