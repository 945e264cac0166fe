//! Where a resource was written down as code, as far as its tags tell (`iac.tool`, `iac.stack`, `iac.path`).
//!
//! In: tags. Out: an [`Iac`], empty where no tag tells. Tags that only AWS can set (`aws:…`) come before those that people set:
//! the latter describe, they do not prove. [CloudFormation: resource tags; Pulumi, Terraform and Yor: tagging pages, 2026-11]

use std::borrow::Cow;

/// What the tags tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Iac<'a> {
    /// `cloudformation`, `cdk`, `terraform`, `opentofu` or `pulumi`.
    pub tool: Option<&'static str>,
    /// Stack or workspace.
    pub stack: Option<&'a str>,
    /// Where in it, or in which file: logical id, module, project.
    pub path: Option<&'a str>,
}

/// Words of `managed-by` and the like, and the tool.
const TOOLS: [(&str, &str); 5] = [
    ("terraform", "terraform"),
    ("opentofu", "opentofu"),
    ("pulumi", "pulumi"),
    ("cloudformation", "cloudformation"),
    ("cdk", "cdk"),
];

/// Keys whose value names the tool, without separators.
const MANAGED: [&str; 6] = ["managedby", "provisionedby", "createdby", "provisioner", "iac", "iactool"];

type Tag<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Reads tags.
pub(super) fn of<'a>(tags: &'a [Tag<'a>]) -> Iac<'a> {
    let value = |name: &str| tags.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| &**value);
    let begins = |prefix: &str| tags.iter().any(|(key, _)| key.starts_with(prefix));
    let is_cdk = begins("aws:cdk:") || begins("aws-cdk:");
    let stack = value("aws:cloudformation:stack-name").or_else(|| value("aws:cloudformation:stack-id"));
    if stack.is_some() || is_cdk {
        let tool = if is_cdk { "cdk" } else { "cloudformation" };
        let path = value("aws:cdk:path").or_else(|| value("aws:cloudformation:logical-id"));
        return Iac { tool: Some(tool), stack, path };
    }
    if begins("pulumi:") {
        return Iac { tool: Some("pulumi"), stack: value("pulumi:stack"), path: value("pulumi:project") };
    }
    let mut iac = Iac::default();
    for (key, value) in tags.iter().filter(|(_, value)| !value.is_empty()) {
        let plain: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let is_ours = key.starts_with("tf:") || plain.starts_with("terraform");
        if MANAGED.contains(&plain.as_str()) {
            let word = value.to_ascii_lowercase();
            let tool = TOOLS.iter().find(|(name, _)| word.contains(name)).map(|(_, tool)| *tool);
            iac.tool = tool.or(iac.tool);
        } else if is_ours && !matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "0") {
            iac.tool = iac.tool.or(Some("terraform"));
            if plain.ends_with("workspace") || plain.ends_with("stack") {
                iac.stack = Some(value);
            } else if ["module", "path", "file", "source", "dir"].iter().any(|ending| plain.ends_with(ending)) {
                iac.path = Some(value);
            }
        } else if matches!(key.as_ref(), "git_file" | "yor_file") {
            iac.path = iac.path.or(Some(value));
        }
    }
    if iac.tool.is_some() { iac } else { Iac::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2-08: a resource is led back to where it was written down, and never without a tag that tells.
    #[test]
    fn tags_tell_tool_stack_and_path() {
        for (tags, tool, stack, path) in [
            (
                vec![("aws:cloudformation:stack-name", "web"), ("aws:cloudformation:logical-id", "Bucket")],
                Some("cloudformation"),
                Some("web"),
                Some("Bucket"),
            ),
            (vec![("aws:cloudformation:stack-name", "web"), ("aws:cdk:path", "Web/B")], Some("cdk"), Some("web"), Some("Web/B")),
            (
                vec![("managed-by", "terraform"), ("aws:cloudformation:stack-id", "arn:x")],
                Some("cloudformation"),
                Some("arn:x"),
                None,
            ),
            (vec![("pulumi:project", "shop"), ("pulumi:stack", "prod")], Some("pulumi"), Some("prod"), Some("shop")),
            (vec![("ManagedBy", "Terraform Cloud"), ("git_file", "net/main.tf")], Some("terraform"), None, Some("net/main.tf")),
            (
                vec![("terraform", "true"), ("tf:workspace", "prod"), ("tf:module", "net")],
                Some("terraform"),
                Some("prod"),
                Some("net"),
            ),
            (vec![("managed_by", "OpenTofu")], Some("opentofu"), None, None),
            (vec![("terraform", "false")], None, None, None),
            (vec![("git_file", "a.tf"), ("owner", "terraform-team"), ("managed-by", "hand")], None, None, None),
            (vec![], None, None, None),
        ] {
            let tags: Vec<Tag<'_>> = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            assert_eq!(of(&tags), Iac { tool, stack, path }, "{tags:?}");
        }
    }
}
