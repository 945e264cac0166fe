//! `iam`: the least-privilege policy of a configuration.
//!
//! In: a configuration, as the agent would read it. Out: every policy document that it needs: the name of its file, whose it is, and
//! what each statement is for. What always holds: the documents are those that `quickstart` writes for the same configuration; no
//! connection is opened, no key is read.

use std::io::Write as _;

use serde_json::{Value, json};

use super::args::{AgentFile, ConfigFile, Format};
use super::exit::Exit;
use crate::config::{Need, env};
use crate::publish::iam::{Policy, Who, policies};

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: AgentFile,
    /// How the policies look
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let config = ConfigFile { config: args.file.path() }.load(Need::LOCAL, &env::Process)?;
    let policies = policies(&config);
    let text = match args.format {
        Format::Text => text(&policies)?,
        Format::Json => serde_json::to_string_pretty(&policies.iter().map(described).collect::<Vec<_>>())? + "\n",
    };
    super::print(&text)?;
    if let Some(note) = any_bucket(&policies) {
        // Nobody is left to be told when it is closed.
        let _said = writeln!(std::io::stderr().lock(), "{note}").is_ok();
    }
    Ok(Exit::Good)
}

/// Each policy below lines that begin with `#`: its file, whose it is, its statements.
fn text(policies: &[Policy]) -> Result<String, serde_json::Error> {
    if policies.is_empty() {
        return Ok("# This configuration asks AWS for nothing: it needs no policy\n".to_owned());
    }
    let mut parts = Vec::new();
    for policy in policies {
        let mut part = format!("# {}: {}\n", policy.file, whose(policy.who).1);
        for statement in &policy.statements {
            part += &format!("#   {}: {}\n", statement.sid, statement.why);
        }
        parts.push(part + &serde_json::to_string_pretty(&policy.json())? + "\n");
    }
    Ok(parts.join("\n"))
}

fn described(policy: &Policy) -> Value {
    let (role, about) = whose(policy.who);
    let statements = policy.statements.iter().map(|statement| json!({ "sid": statement.sid, "why": statement.why }));
    let statements: Vec<Value> = statements.collect();
    json!({ "file": policy.file, "for": role, "about": about, "statements": statements, "policy": policy.json() })
}

/// For machines, and for people.
fn whose(who: Who) -> (&'static str, &'static str) {
    match who {
        Who::Agent => ("agent", "for the role that runs the agent"),
        Who::Role => ("role", "for the role in each account, which must trust the agent's role"),
        Who::Letters => ("letters", "for whoever runs `dlq list` and `dlq replay`"),
    }
}

/// What a person can still narrow: statements for any bucket, because the configuration names none.
fn any_bucket(policies: &[Policy]) -> Option<String> {
    let statements = policies.iter().flat_map(|policy| &policy.statements);
    let is_any = |arn: &String| arn.ends_with(":s3:::*") || arn.contains(":s3:::*/");
    let wide = statements.filter(|statement| statement.resources.iter().any(is_any));
    let names: Vec<&str> = wide.map(|statement| statement.sid.as_str()).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("note: the configuration names no bucket for {names}, so any is allowed: put yours in its place")
    })
}
