//! Which attributes hold names that somebody gave.
//!
//! In: the name of an attribute, of a column (`latest.actor.name`) or of a field of an AWS record. Out: what it holds. What
//! always holds: the last part of a name decides (`userName` in `requestParameters.userName`), so fields of records that nobody
//! listed are covered when AWS named them as it names others.

/// What an attribute holds. Later ones win when a column shows several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// An account id, perhaps as a number.
    Account,
    /// One name.
    Name,
    /// Names between bars.
    Names,
}

/// Whole names of attributes of ours: the last part alone (`name`, `id`) says too little.
const OURS: [(&str, Holds); 24] = [
    ("actor.name", Holds::Name),
    ("actor.sourceIdentity", Holds::Name),
    ("actor.sessionIssuer", Holds::Name),
    ("aws.accountName", Holds::Name),
    ("aws.organizationalUnit", Holds::Name),
    ("aws.owner", Holds::Name),
    ("compliance.exception.owner", Holds::Name),
    ("control.attestedBy", Holds::Name),
    ("exception.owner", Holds::Name),
    ("exception.scope", Holds::Names),
    ("finding.bucket", Holds::Name),
    ("finding.objectKey", Holds::Name),
    ("finding.principal", Holds::Name),
    ("finding.repository", Holds::Name),
    ("finding.resourceIds", Holds::Names),
    ("finding.resources", Holds::Names),
    ("iac.stack", Holds::Name),
    ("identity.id", Holds::Name),
    ("identity.name", Holds::Name),
    ("identity.owner", Holds::Name),
    ("identity.trusts", Holds::Names),
    ("insight.result", Holds::Name),
    ("resource.id", Holds::Name),
    ("resource.name", Holds::Name),
];

/// Last parts of names of fields, in lower case, in records of AWS and among what we copy from their requests.
const FIELDS: [(&str, Holds); 48] = [
    ("accesskeyid", Holds::Name),
    ("accountalias", Holds::Name),
    ("accountid", Holds::Account),
    ("accountids", Holds::Account),
    ("accountname", Holds::Name),
    ("addedaccount", Holds::Account),
    ("addedgroup", Holds::Name),
    ("aliasname", Holds::Name),
    ("awsaccountid", Holds::Account),
    ("bucket", Holds::Name),
    ("bucketname", Holds::Name),
    ("cluster", Holds::Name),
    ("clustername", Holds::Name),
    ("codebucket", Holds::Name),
    ("dbinstance", Holds::Name),
    ("dbinstanceidentifier", Holds::Name),
    ("documentname", Holds::Name),
    ("domainname", Holds::Name),
    ("federatedname", Holds::Name),
    ("functionname", Holds::Name),
    ("grantee", Holds::Name),
    ("granteeprincipal", Holds::Name),
    ("groupname", Holds::Name),
    ("instanceid", Holds::Name),
    ("instanceprofile", Holds::Name),
    ("instanceprofilename", Holds::Name),
    ("keyname", Holds::Name),
    ("loggroupname", Holds::Name),
    ("logstreamname", Holds::Name),
    ("newname", Holds::Name),
    ("newusername", Holds::Name),
    ("osuser", Holds::Name),
    ("owner", Holds::Name),
    ("permissionsetname", Holds::Name),
    ("policyname", Holds::Name),
    ("principal", Holds::Name),
    ("principalid", Holds::Name),
    ("recipientaccountid", Holds::Account),
    ("removedaccount", Holds::Account),
    ("removedgroup", Holds::Name),
    ("resourceid", Holds::Name),
    ("rolename", Holds::Name),
    ("rolesessionname", Holds::Name),
    ("secretid", Holds::Name),
    ("sessionname", Holds::Name),
    ("sourceidentity", Holds::Name),
    ("trailname", Holds::Name),
    ("username", Holds::Name),
];

/// Words in the place of a name that name nobody.
const NOBODY: [&str; 18] = [
    "root",
    "admin",
    "administrator",
    "user",
    "users",
    "system",
    "unknown",
    "none",
    "null",
    "true",
    "false",
    "default",
    "anonymous",
    "account",
    "aws",
    "amazon",
    "owner",
    "*",
];

/// What an attribute or column of this name holds.
pub(super) fn holds(name: &str) -> Option<Holds> {
    // `latest.actor.name`, `uniques.actor.name`: a function before the attribute.
    let ours = OURS.iter().find(|(ours, _)| name == *ours || name.strip_suffix(ours).is_some_and(|rest| rest.ends_with('.')));
    if let Some((_, holds)) = ours {
        return Some(*holds);
    }
    let last = name.rsplit(['.', '_', ' ', '(']).next().unwrap_or(name).trim_end_matches(')').to_lowercase();
    FIELDS.binary_search_by(|(field, _)| (*field).cmp(&last)).ok().and_then(|at| FIELDS.get(at)).map(|(_, holds)| *holds)
}

/// Whether a name says who, and not only what.
pub(super) fn names_somebody(name: &str) -> bool {
    // A word of one or two letters stands for itself in any text.
    name.chars().count() > 2
        && !NOBODY.iter().any(|word| word.eq_ignore_ascii_case(name))
        && !name.ends_with(".amazonaws.com")
        && !name.starts_with("AWSServiceRole")
        && name.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted() {
        assert!(FIELDS.is_sorted_by_key(|(field, _)| field));
    }

    #[test]
    fn what_attributes_hold() {
        for (name, expected) in [
            ("actor.name", Some(Holds::Name)),
            ("latest.actor.name", Some(Holds::Name)),
            ("uniques(userName)", Some(Holds::Name)),
            ("userIdentity.sessionContext.sessionIssuer.userName", Some(Holds::Name)),
            ("aws.accountId", Some(Holds::Account)),
            ("finding.resources", Some(Holds::Names)),
            ("event.name", None),
            ("control.id", None),
            ("count", None),
        ] {
            assert_eq!(holds(name), expected, "{name}");
        }
    }

    #[test]
    fn words_that_name_nobody() {
        for name in ["root", "ROOT", "*", "-", "cloudtrail.amazonaws.com", "AWSServiceRoleForConfig", "ab"] {
            assert!(!names_somebody(name), "{name}");
        }
        for name in ["alice", "山田太郎", "prod-admin"] {
            assert!(names_somebody(name), "{name}");
        }
    }
}
