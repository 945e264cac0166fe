//! What changed in a resource, as texts.
//!
//! In: changed properties of a configuration item. Out: their paths, what they were and are, and one line for people. What always
//! holds: a value is masked before anything of it is cut; under a path that speaks of a secret nothing of a value passes; beyond
//! [`PATHS_MAX`] properties only the count tells.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::limits::VALUE_SENT;
use super::mask;
use super::writer::{cut_at, push_escaped};
use crate::record::config_item::Property;

/// Most properties that are written.
const PATHS_MAX: usize = 50;

/// Longest value of one property among others, bytes: so that a policy's text leaves room for them.
const VALUE_MAX: usize = 1_000;

/// Most properties, and longest value of one, in the line for people.
const SUMMARY_PATHS: usize = 3;
const SUMMARY_VALUE: usize = 80;

/// A path in the line for people and in the list is no longer, bytes.
const PATH_MAX: usize = 200;

/// What a masked value is.
const MASKED: &str = "\"****\"";

/// What is nothing.
const NOTHING: &str = "null";

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// `|Configuration.IpPermissions.0|Tags.owner|`
    pub(super) paths: String,
    /// `{"Tags.owner":"a"}`: what they were.
    pub(super) before: String,
    /// What they are.
    pub(super) after: String,
    /// `Tags.owner: "a" → "b"; +2 more`
    pub(super) line: String,
    /// How many there are.
    pub(super) count: usize,
    /// Nothing but tags.
    pub(super) is_tags_only: bool,
    /// Something of the paths, and of the values, is missing.
    pub(super) is_cut: bool,
}

/// Writes properties.
pub(super) fn texts(changed: &[Property<'_>]) -> Texts {
    let mut texts = Texts {
        count: changed.len(),
        is_tags_only: !changed.is_empty() && changed.iter().all(|property| is_tag(&property.path)),
        is_cut: changed.len() > PATHS_MAX,
        ..Texts::default()
    };
    for (at, property) in changed.iter().take(PATHS_MAX).enumerate() {
        let path = mask::masked(&property.path);
        let [before, after] = [property.before, property.after].map(|value| value_text(&property.path, value));
        texts.is_cut |= [&before, &after].into_iter().any(|value| value.len() > VALUE_MAX) || path.len() > PATH_MAX;
        let short = shortened(&path, PATH_MAX);
        texts.paths.push('|');
        // A bar inside a path would look like two paths.
        texts.paths.extend(short.chars().map(|c| if c == '|' { '¦' } else { c }));
        push_entry(&mut texts.before, &short, &before);
        push_entry(&mut texts.after, &short, &after);
        if at < SUMMARY_PATHS {
            let separator = if at > 0 { "; " } else { "" };
            let [before, after] = [before, after].map(|value| shortened(&value, SUMMARY_VALUE));
            // Writing to a String cannot fail.
            let _ok = write!(texts.line, "{separator}{short}: {before} → {after}").is_ok();
        }
    }
    if !texts.paths.is_empty() {
        texts.paths.push('|');
        for side in [&mut texts.before, &mut texts.after] {
            side.push('}');
        }
    }
    let unsaid = changed.len().saturating_sub(SUMMARY_PATHS);
    if unsaid > 0 {
        let _ok = write!(texts.line, "; +{unsaid} more").is_ok();
    }
    texts
}

/// One property of a side; a side that is too long already is cut when it is sent.
fn push_entry(side: &mut String, path: &str, value: &str) {
    if side.len() > VALUE_SENT {
        return;
    }
    let mut entry = vec![if side.is_empty() { b'{' } else { b',' }, b'"'];
    push_escaped(&mut entry, path);
    entry.extend_from_slice(b"\":");
    if value.len() > VALUE_MAX {
        // The head of a value is no value: it goes as a text.
        entry.push(b'"');
        push_escaped(&mut entry, &shortened(value, VALUE_MAX));
        entry.push(b'"');
    } else {
        entry.extend_from_slice(value.as_bytes());
    }
    side.push_str(&String::from_utf8_lossy(&entry));
}

/// A value as compact JSON, masked as it would be where it stands.
fn value_text(path: &str, value: Option<&RawValue>) -> String {
    let Some(value) = value.map(RawValue::get).filter(|value| *value != NOTHING) else { return NOTHING.to_owned() };
    if path.split('.').any(mask::is_secret) {
        return MASKED.to_owned();
    }
    // Inside the names and lists that lead to it: a variable is a secret or none by its own name and by whose it is.
    let (mut nested, mut ends) = (Vec::new(), Vec::new());
    for step in path.split('.').filter(|step| !step.is_empty()) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            nested.push(b'[');
            ends.push(b']');
        } else {
            nested.extend_from_slice(b"{\"");
            push_escaped(&mut nested, step);
            nested.extend_from_slice(b"\":");
            ends.push(b'}');
        }
    }
    let head = nested.len();
    push_compact(&mut nested, value);
    nested.extend(ends.iter().rev());
    let mut masked = Vec::new();
    mask::push_masked_resource(&mut masked, &String::from_utf8_lossy(&nested));
    let end = masked.len().saturating_sub(ends.len());
    String::from_utf8_lossy(masked.get(head..end).unwrap_or(MASKED.as_bytes())).into_owned()
}

/// Copies JSON without the blanks between its parts.
fn push_compact(out: &mut Vec<u8>, json: &str) {
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

/// Its beginning with a mark; all of it if it fits.
fn shortened(text: &str, max: usize) -> String {
    let kept = cut_at(text, max);
    if kept.len() < text.len() { format!("{kept}…") } else { text.to_owned() }
}

/// `Tags.owner`, and where types keep their tags themselves: `Configuration.TagSet.0`.
fn is_tag(path: &str) -> bool {
    let mut steps = path.split('.').map(str::to_ascii_lowercase);
    let first = steps.next().unwrap_or_default();
    let is_list = |step: &str| matches!(step, "tags" | "tagset" | "taglist");
    is_list(&first) || (first.ends_with("configuration") && steps.next().is_some_and(|step| is_list(&step)))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn changed<'a>(path: &'a str, before: &'a str, after: &'a str) -> Property<'a> {
        let raw = |text: &'a str| (!text.is_empty()).then(|| serde_json::from_str(text).expect("JSON"));
        Property { path: Cow::Borrowed(path), before: raw(before), after: raw(after) }
    }

    #[test]
    fn properties_become_paths_both_sides_and_a_line() {
        let texts = texts(&[
            changed("Configuration.IpPermissions.0", "", "{ \"fromPort\" : 22, \"cidr\": \"0.0.0.0/0 \" }"),
            changed("Tags.owner", "\"a\"", "\"b\""),
        ]);
        assert_eq!(texts.paths, "|Configuration.IpPermissions.0|Tags.owner|");
        assert_eq!(texts.before, r#"{"Configuration.IpPermissions.0":null,"Tags.owner":"a"}"#);
        assert_eq!(texts.after, r#"{"Configuration.IpPermissions.0":{"fromPort":22,"cidr":"0.0.0.0/0 "},"Tags.owner":"b"}"#);
        assert_eq!(
            texts.line,
            r#"Configuration.IpPermissions.0: null → {"fromPort":22,"cidr":"0.0.0.0/0 "}; Tags.owner: "a" → "b""#
        );
        assert_eq!((texts.count, texts.is_tags_only, texts.is_cut), (2, false, false));
    }

    #[test]
    fn tags_alone_are_told_apart() {
        for (paths, want) in [
            (vec!["Tags.owner"], true),
            (vec!["Tags.owner", "Configuration.TagSet.0"], true),
            (vec!["Configuration.Tags.0", "SupplementaryConfiguration.Tags"], true),
            (vec!["Tags.owner", "Configuration.State"], false),
            (vec!["TagsPolicy"], false),
            (vec![], false),
        ] {
            let list: Vec<_> = paths.iter().map(|path| changed(path, "1", "2")).collect();
            assert_eq!(texts(&list).is_tags_only, want, "{paths:?}");
        }
    }

    #[test]
    fn what_is_long_or_many_is_cut_and_counted() {
        let paths: Vec<String> = (0..60).map(|n| format!("Configuration.A{n}")).collect();
        let long = format!("\"{}\"", "é".repeat(3_000));
        let list: Vec<_> = paths.iter().map(|path| changed(path, "1", &long)).collect();
        let texts = texts(&list);
        assert_eq!((texts.count, texts.is_cut), (60, true));
        assert_eq!(texts.paths.matches('|').count(), PATHS_MAX + 1);
        assert!(texts.line.ends_with("; +57 more") && texts.line.len() < 1_000, "{}", texts.line);
        assert!(texts.after.len() < VALUE_SENT + 2 * VALUE_MAX, "{}", texts.after.len());
        assert!(texts.before.len() < VALUE_SENT);
    }

    #[test]
    fn a_secret_is_masked_by_its_path_its_name_and_its_shape() {
        for (path, value) in [
            ("Configuration.MasterUserPassword", r#""hunter2hunter2""#),
            ("Configuration.Password", r#"{"deep":["hunter2hunter2"]}"#),
            ("Configuration.Environment.Variables.DB_TOKEN", r#""hunter2hunter2""#),
            ("Configuration.ContainerDefinitions.0", r#"{"environment":[{"name":"API_SECRET","value":"hunter2hunter2"}]}"#),
            ("Configuration.KeyMaterial", r#""hunter2hunter2""#),
            ("Configuration.LaunchTemplateData.UserData", r#""hunter2hunter2""#),
            ("Configuration", r#"{"launchTemplateData":{"userData":"hunter2hunter2"}}"#),
            ("Configuration", r#""{\"secretKey\":\"hunter2hunter2\"}""#),
            ("Configuration.ContainerDefinitions.0", r#"{"environment":[{"name":"LEVEL","value":"hunter2hunter2"}]}"#),
            ("Configuration.ContainerDefinitions.0.Environment.3.Value", r#""hunter2hunter2""#),
            ("Configuration.ContainerDefinitions.0.Environment", r#"["LEVEL=hunter2hunter2"]"#),
            ("Configuration.Environment.Variables.name", r#""hunter2hunter2""#),
            ("Configuration.Environment", r#"{"Variables":{"LEVEL":"hunter2hunter2"}}"#),
            ("Configuration.Command.2", r#""postgres://app:hunter2hunter2@db/x""#),
        ] {
            let texts = texts(&[changed(path, value, value)]);
            let all = format!("{texts:?}");
            assert!(!all.contains("hunter2") && all.contains("****"), "{path}: {all}");
        }
    }

    #[test]
    fn what_is_no_variable_stays() {
        for (path, value) in [
            ("Configuration.Environment", r#"{"Image":"aws/codebuild/standard:7.0","Type":"LINUX_CONTAINER"}"#),
            ("Tags.Environment", r#""production""#),
            ("Configuration.ContainerDefinitions.0.Environment.3.Name", r#""LEVEL""#),
            ("Configuration.Endpoint", r#""https://ledger.example.com:8443/a@b""#),
        ] {
            assert_eq!(value_text(path, Some(&serde_json::from_str::<Box<RawValue>>(value).expect("JSON"))), value, "{path}");
        }
    }

    proptest::proptest! {
        /// However a secret is nested under a name that speaks of one, nothing of it passes.
        #[test]
        fn a_secret_never_appears(
            secret in "[a-zA-Z0-9]{16,40}",
            name in proptest::sample::select(vec!["password", "dbPassword", "SECRET", "clientSecret", "authToken", "KeyMaterial", "DB_TOKEN"]),
            around in proptest::collection::vec(("[a-z]{1,8}", 0..3_usize), 0..4),
            in_path in proptest::bool::ANY,
            filler in "[ -~é]{0,1500}",
        ) {
            let mut value = serde_json::json!(secret);
            if !in_path {
                value = serde_json::json!({ "filler": filler, (name): value });
            }
            for (key, kind) in &around {
                value = match kind {
                    0 => serde_json::json!({ (key): value }),
                    1 => serde_json::json!([value]),
                    _ => serde_json::json!({ "a": 1, (key): value, "z": [] }),
                };
            }
            let text = value.to_string();
            let path = if in_path { format!("Configuration.x.{name}.0") } else { "Configuration.x".to_owned() };
            let all = format!("{:?}", texts(&[changed(&path, &text, &text)]));
            proptest::prop_assert!(!all.contains(&secret), "{}", all);
            proptest::prop_assert!(!all.contains(secret.get(..12).expect("ASCII")), "{}", all);
        }
    }
}
