//! Where in code a SARIF result is.
//!
//! In: addresses as scanners write them, and the folders that they are relative to. Out: a path relative to the repository, with
//! slashes, and the type of a resource by its name. What always holds: an absolute path is made relative where anything says
//! what it is in; one that nothing explains stays as it is, and never gets another file's name.

use std::borrow::Cow;

use super::run::{Base, SarifRun};

/// The folder of the code where nobody says another.
const ROOT: &str = "%SRCROOT%/";

/// The path of a file. `roots`: folders of this machine, or of that where the scan ran.
pub(super) fn path(uri: &str, base: Option<&str>, run: &SarifRun, roots: &[String]) -> String {
    let uri = uri.strip_prefix(ROOT).unwrap_or(uri);
    let plain = plain(uri);
    if !is_absolute(&plain) {
        return joined(&base.map(|base| within(base, run)).unwrap_or_default(), &plain);
    }
    let bases = run.bases.iter().map(|base| self::plain(&base.uri)).filter(|base| is_absolute(base));
    let roots = roots.iter().map(|root| self::plain(root));
    // The longest says most.
    let inside = bases.chain(roots).filter_map(|root| below(&plain, &root).map(str::to_owned));
    inside.min_by_key(String::len).unwrap_or_else(|| plain.clone())
}

/// The folder behind a name, as far as it is relative to the code.
fn within(name: &str, run: &SarifRun) -> String {
    let mut path = String::new();
    let mut name = name.to_owned();
    // As many steps as there are names: a ring of them ends.
    for _ in 0..run.bases.len() {
        let Some(Base { uri, within, .. }) = run.bases.iter().find(|base| base.name == name) else { break };
        let own = plain(uri);
        if is_absolute(&own) {
            break;
        }
        path = joined(&own, &path);
        name.clone_from(within);
    }
    path
}

/// Without scheme, host and `%XX`, with slashes, and a drive as a folder.
fn plain(uri: &str) -> String {
    let (path, is_uri) = match uri.split_once("://") {
        // The host before the first slash is a machine's.
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => (rest.find('/').and_then(|at| rest.get(at..)), true),
        Some(_) => return uri.to_owned(),
        None => (None, false),
    };
    let path = path.or_else(|| uri.strip_prefix("file:")).unwrap_or(if is_uri { "" } else { uri });
    let path = decoded(path).replace('\\', "/");
    let drive = |path: &str| {
        let mut chars = path.chars();
        matches!((chars.next(), chars.next(), chars.next()), (Some(letter), Some(':'), Some('/')) if letter.is_ascii_alphabetic())
    };
    let rest = path.strip_prefix('/').filter(|rest| drive(rest));
    cleaned(rest.unwrap_or(&path), drive(rest.unwrap_or(&path)))
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.contains("://")
}

/// The rest of a path inside of a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let folder = folder.trim_end_matches('/');
    let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
    // The root folder explains nothing.
    (!folder.is_empty() && !rest.is_empty()).then_some(rest)
}

fn joined(folder: &str, path: &str) -> String {
    if folder.is_empty() { cleaned(path, false) } else { cleaned(&format!("{}/{path}", folder.trim_end_matches('/')), false) }
}

/// Without `.` and without `..` where something stands before it.
fn cleaned(path: &str, is_drive: bool) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let start = if path.starts_with('/') || is_drive { "/" } else { "" };
    let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("{start}{}{end}", parts.join("/"))
}

/// `%20` is a blank. What is no text then stays as it is.
fn decoded(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits =
            path.get(at + 1..at + 3).filter(|digits| byte == b'%' && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| path.to_owned())
}

/// The type in a resource's name: `aws_s3_bucket` of `module.a.aws_s3_bucket.b[0]`, `AWS::S3::Bucket` of `AWS::S3::Bucket.B`.
pub(super) fn kind_of<'a>(name: &Cow<'a, str>) -> Cow<'a, str> {
    let found = super::super::slice(name, |name| {
        let parts = || name.split('.');
        parts().find(|part| part.starts_with("AWS::") && part.matches("::").count() == 2).or_else(|| {
            let is_type = |part: &&str| {
                let provider = part.split('_').next().unwrap_or_default();
                part.contains('_') && ["aws", "awscc"].contains(&provider) && !part.contains(['[', '/', ' '])
            };
            // The last part is the resource's own name; a module before it may be called anything.
            let count = parts().count();
            parts().take(count.saturating_sub(1)).filter(is_type).last()
        })
    });
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::RunPart;
    use super::*;

    fn run(bases: &[(&str, &str, &str)]) -> SarifRun {
        let mut run = SarifRun::default();
        for (name, uri, within) in bases {
            let json = serde_json::json!({ "uri": uri, "uriBaseId": within }).to_string();
            run.hears(RunPart::Base(name), Some(json.as_bytes()));
        }
        run
    }

    /// S1-20: a path is that of the repository, on every machine that scans it.
    #[test]
    fn a_path_is_relative_to_the_code() {
        let plain = [("%SRCROOT%", "file:///home/ci/web/", ""), ("SUB", "infra/aws/", "%SRCROOT%"), ("RING", "a/", "RING")];
        for (name, uri, base, want) in [
            ("relative", "main.tf", None, "main.tf"),
            ("in a folder of the file's", "main.tf", Some("SUB"), "infra/aws/main.tf"),
            ("a ring of folders", "main.tf", Some("RING"), "a/a/a/main.tf"),
            ("in an absolute folder", "infra/main.tf", Some("%SRCROOT%"), "infra/main.tf"),
            ("in a folder that nobody names", "infra/main.tf", Some("OTHER"), "infra/main.tf"),
            ("the folder in the address", "%SRCROOT%/infra/main.tf", None, "infra/main.tf"),
            ("absolute, inside a folder of the file's", "file:///home/ci/web/infra/main.tf", None, "infra/main.tf"),
            ("absolute, inside a folder of the caller's", "/tf/infra/main.tf", None, "infra/main.tf"),
            ("the longest folder", "/tf/deep/main.tf", None, "main.tf"),
            ("absolute, inside none", "file:///opt/x/main.tf", None, "/opt/x/main.tf"),
            ("beside a folder", "/tfx/main.tf", None, "/tfx/main.tf"),
            ("with a host", "file://build/opt/x/main.tf", None, "/opt/x/main.tf"),
            ("dots", "./a/../b/./main.tf", None, "b/main.tf"),
            ("above", "../main.tf", None, "../main.tf"),
            ("of another system", "infra\\aws\\main.tf", None, "infra/aws/main.tf"),
            ("with a drive", "file:///C:/infra/main.tf", None, "/C:/infra/main.tf"),
            ("with escapes", "my%20code/caf%C3%A9%2.tf", None, "my code/café%2.tf"),
            ("no text behind the escapes", "a%FF.tf", None, "a%FF.tf"),
            ("elsewhere", "https://example.com/main.tf", None, "https://example.com/main.tf"),
            ("nothing", "", None, ""),
        ] {
            let roots = ["/tf".to_owned(), "/tf/deep/".to_owned(), "/".to_owned()];
            assert_eq!(path(uri, base, &run(&plain), &roots), want, "{name}");
        }
    }

    #[test]
    fn the_name_of_a_resource_tells_its_type() {
        for (name, want) in [
            ("aws_s3_bucket.ledger", "aws_s3_bucket"),
            ("module.data.aws_s3_bucket.ledger[0]", "aws_s3_bucket"),
            ("module.aws_data.data.aws_iam_policy_document.x", "aws_iam_policy_document"),
            ("AWS::S3::Bucket.Ledger", "AWS::S3::Bucket"),
            ("Ledger", ""),
            ("aws_s3_bucket", ""),
            ("google_storage_bucket.x", ""),
            ("", ""),
        ] {
            assert_eq!(kind_of(&Cow::Borrowed(name)), want, "{name}");
        }
    }
}
