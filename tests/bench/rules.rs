//! Rule sets of several sizes: some built-in rules, all of them, or some with made ones up to any number.
//!
//! In: the commonest calls of the data. Out: rule sets. The made rules are of the kinds companies write: on the commonest
//! calls with a second condition, without `eventSource` and `eventName`, and on one call of some service. Some of each kind
//! match real records. They are written to a folder below `target/` and read like any company's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use cspm_relay::classify::RuleSet;
use cspm_relay::config::Rules;

/// Made rules on the ten commonest calls.
pub(crate) const ON_COMMON_CALLS: usize = 150;
/// Made rules without `eventSource` and `eventName`.
pub(crate) const WITHOUT_CALL: usize = 150;

/// A rule set with its name in the tables.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) rules: RuleSet,
}

/// All built-in rules.
pub(crate) fn builtin() -> Set {
    let rules = RuleSet::builtin();
    Set { name: rules.rules().len().to_string(), rules }
}

/// `count` built-in rules, spread evenly over their ids.
pub(crate) fn some_builtin(count: usize) -> Result<Set> {
    load(Vec::new(), count, count)
}

/// `builtin` built-in rules and made ones: `count` in all, under different ids.
pub(crate) fn with_made(builtin: usize, count: usize, calls: &[(String, String)], folder: &Path) -> Result<Set> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    for at in 0..count - builtin {
        std::fs::write(folder.join(format!("made-{at:04}.yml")), made(at, calls))?;
    }
    load(vec![folder.to_owned()], builtin, count)
}

fn load(folders: Vec<std::path::PathBuf>, keep: usize, count: usize) -> Result<Set> {
    let all = RuleSet::builtin();
    let ids: BTreeSet<&str> = all.rules().iter().map(|rule| rule.id.as_str()).collect();
    let kept: BTreeSet<&str> = (0..keep).filter_map(|at| ids.iter().nth(at * ids.len() / keep.max(1)).copied()).collect();
    let disable = ids.difference(&kept).map(|id| (*id).to_owned()).collect();
    let (rules, faults) = RuleSet::load(&Rules { folders, disable, ..Rules::default() });
    ensure!(
        faults.is_empty(),
        "{} of the made rules are wrong, the first: {}",
        faults.len(),
        faults.first().map_or_else(String::new, ToString::to_string)
    );
    ensure!(rules.rules().len() == count, "{} rules were read, {count} were wanted", rules.rules().len());
    Ok(Set { name: count.to_string(), rules })
}

/// The text of a made rule.
fn made(at: usize, calls: &[(String, String)]) -> String {
    let mut text = format!(
        "title: Made rule {at}\nid: 00000000-0000-4000-8000-{at:012}\nname: made-{at:04}\nstatus: test\ndescription: Made by the benchmark.\n\
         logsource: {{product: aws, service: cloudtrail}}\nlevel: medium\ndetection:\n"
    );
    // A String takes every write.
    let _written = detection(&mut text, at, calls).is_ok();
    text
}

fn detection(text: &mut String, at: usize, calls: &[(String, String)]) -> std::fmt::Result {
    let kind = at % 5;
    if at < ON_COMMON_CALLS {
        if let Some((source, name)) = calls.get(at % calls.len().max(1)) {
            writeln!(text, "  call: {{eventSource: {source}, eventName: {name}}}")?;
        }
        match kind {
            0 => writeln!(text, "  more: {{'userAgent|contains': [tool-{at}/, scanner-{at}]}}")?,
            1 => writeln!(text, "  more: {{'userIdentity.sessionContext.sessionIssuer.userName': role-{at}}}")?,
            2 => writeln!(text, "  more: {{'requestParameters.name|startswith': secret-{at}, userIdentity.type: IAMUser}}")?,
            3 => writeln!(text, "  more: {{'sourceIPAddress|cidr': 10.{}.0.0/16}}", at % 256)?,
            _ => writeln!(text, "  more: {{'errorCode|exists': true, awsRegion: us-west-{}}}", at % 40)?,
        }
        return writeln!(text, "  condition: call and more");
    }
    if at < ON_COMMON_CALLS + WITHOUT_CALL {
        match kind {
            0 => writeln!(text, "  more: {{'userAgent|contains': [agent-{at}/, Pacu-{at}]}}")?,
            1 => writeln!(text, "  more: {{'userIdentity.arn|endswith': ':user/contractor-{at}'}}")?,
            2 => writeln!(text, "  more: {{errorCode: Client.Made{at}, awsRegion: eu-west-1}}")?,
            3 => writeln!(text, "  more: {{sourceIPAddress: [198.51.100.{}, 203.0.{}.7]}}", at % 256, at % 250)?,
            _ => writeln!(text, "  more: {{'requestParameters.bucketName|startswith': ledger-{at}}}")?,
        }
        return writeln!(text, "  condition: more");
    }
    let service = ["ec2", "s3", "iam", "lambda", "rds", "kms", "ecs", "sns", "sqs", "ssm"].get(at % 10).copied().unwrap_or("ec2");
    let verb = ["Create", "Delete", "Put", "Update", "Modify", "Attach", "Detach"].get(at % 7).copied().unwrap_or("Create");
    let noun = ["Bucket", "User", "Role", "Policy", "Key", "Function", "Instance", "Snapshot", "Topic", "Queue", "Group"];
    let noun = noun.get(at % 11).copied().unwrap_or("Bucket");
    writeln!(text, "  call: {{eventSource: {service}.amazonaws.com, eventName: {verb}{noun}}}")?;
    match kind {
        0 => writeln!(text, "  filter: {{'errorCode|exists': true}}\n  condition: call and not filter"),
        1 => writeln!(text, "  more: {{'requestParameters.policyDocument|contains': 'made-{at}'}}\n  condition: call and more"),
        2 => writeln!(text, "  more: {{userIdentity.type: Root}}\n  condition: call and more"),
        3 => writeln!(text, "  more: {{'userAgent|contains': console}}\n  condition: call and more"),
        _ => writeln!(text, "  more: {{'requestParameters.tags.key': owner-{at}}}\n  condition: call and not more"),
    }
}
