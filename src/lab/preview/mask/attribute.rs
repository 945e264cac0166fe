//! Which attributes hold names that somebody gave.
//!
//! In: the name of an attribute, of a column (`latest.actor.name`) or of a field of an AWS record. Out: what it holds. What
//! always holds: the last part of a name decides (`userName` in `requestParameters.userName`), so fields of records that nobody
//! listed are covered when AWS named them as it names others. Every text attribute of the dictionary is either here or among those
//! that a test says to keep.

/// What an attribute holds. Later ones win when a column shows several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// An account id, perhaps as a number.
    Account,
    /// Anything of a record of AWS: replaced, unless it is a word of AWS's own.
    Raw,
    /// A word that somebody chose, and that says something else elsewhere: `main`, `trail`, `network`. Replaced here only.
    Word,
    /// What people or programs wrote: which of its words are names nobody can know, so it is replaced as a whole. Texts of ours and
    /// records of AWS are told apart by what they are.
    Prose,
    /// Words, labels and values in a line that we put together: every word is replaced that is none of ours.
    Line,
    /// One name, or a path of names; replaced wherever it is met.
    Name,
    /// Names between bars.
    Names,
}

/// Whole names of attributes of ours: the last part alone (`name`, `id`) says too little.
const OURS: [(&str, Holds); 55] = [
    ("actor.name", Holds::Name),
    ("actor.sourceIdentity", Holds::Name),
    ("actor.sessionIssuer", Holds::Name),
    ("aws.accountName", Holds::Name),
    ("aws.environment", Holds::Word),
    ("aws.organizationalUnit", Holds::Name),
    ("aws.owner", Holds::Name),
    // Values of properties, by path.
    ("change.after", Holds::Word),
    ("change.before", Holds::Word),
    ("change.summary", Holds::Line),
    ("code.branch", Holds::Word),
    ("code.file", Holds::Word),
    ("code.logicalLocation", Holds::Word),
    ("code.message", Holds::Prose),
    ("code.repository", Holds::Word),
    ("code.scan", Holds::Word),
    ("compliance.annotation", Holds::Prose),
    ("compliance.exception.owner", Holds::Name),
    ("compliance.exception.reason", Holds::Prose),
    ("control.attestedBy", Holds::Name),
    ("control.author", Holds::Name),
    ("control.automationReason", Holds::Prose),
    ("control.remediation", Holds::Prose),
    ("control.runbookUrl", Holds::Prose),
    ("control.title", Holds::Prose),
    ("exception.id", Holds::Word),
    ("exception.owner", Holds::Name),
    ("exception.reason", Holds::Prose),
    ("exception.scope", Holds::Line),
    ("finding.bucket", Holds::Name),
    ("finding.objectKey", Holds::Word),
    ("finding.principal", Holds::Name),
    ("finding.repository", Holds::Name),
    ("finding.resourceIds", Holds::Names),
    ("finding.resources", Holds::Names),
    ("finding.title", Holds::Prose),
    ("finding.userFields", Holds::Prose),
    ("gap.object", Holds::Word),
    ("gap.reason", Holds::Prose),
    ("heartbeat.id", Holds::Word),
    ("iac.path", Holds::Word),
    ("iac.stack", Holds::Word),
    ("identity.boundary", Holds::Name),
    ("identity.id", Holds::Name),
    ("identity.name", Holds::Name),
    ("identity.owner", Holds::Name),
    ("identity.path", Holds::Word),
    ("insight.name", Holds::Prose),
    ("insight.result", Holds::Name),
    // A record of AWS, or why New Relic refused something.
    ("message", Holds::Prose),
    // Begins with the name of its host.
    ("relay.agent", Holds::Name),
    ("relay.source", Holds::Word),
    ("resource.arn", Holds::Name),
    ("resource.id", Holds::Name),
    ("resource.name", Holds::Name),
];

/// Last parts of names of fields, in lower case, in records of AWS and among what we copy from their requests.
const FIELDS: [(&str, Holds); 50] = [
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
    ("errormessage", Holds::Prose),
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
    ("useragent", Holds::Prose),
    ("username", Holds::Name),
];

/// Parts of a record of AWS whose fields anybody may have named and filled.
const OF_RECORDS: [&str; 5] =
    ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "userIdentity"];

/// Fields of records whose values are AWS's own words, times and numbers of requests.
const VOCABULARY: [&str; 17] = [
    "apiVersion",
    "awsRegion",
    "cipherSuite",
    "creationDate",
    "errorCode",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "managementEvent",
    "mfaAuthenticated",
    "requestID",
    "sharedEventID",
    "tlsVersion",
];

/// What `userIdentity.type` says.
const IDENTITIES: [&str; 12] = [
    "AWSAccount",
    "AWSService",
    "AssumedRole",
    "Directory",
    "FederatedUser",
    "IAMUser",
    "IdentityCenterUser",
    "Role",
    "Root",
    "SAMLUser",
    "Unknown",
    "WebIdentityUser",
];

/// Where AWS's own pages stand.
const PAGES: &str = "https://docs.aws.amazon.com/";

/// Words in the place of a name that name nobody.
const NOBODY: [&str; 25] = [
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
    "allow",
    "deny",
    "localhost",
    "0.0.0.0",
    "127.0.0.1",
    "不明",
    "なし",
    "*",
];

/// Words of lines that we put together.
const OF_LINES: [&str; 10] =
    ["CREATE", "UPDATE", "DELETE", "more", "accounts", "organizationalUnits", "environments", "regions", "resources", "actors"];

/// Folders that AWS makes in buckets.
const FOLDERS: [&str; 7] =
    ["AWSLogs", "CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight", "Config", "ConfigHistory", "ConfigSnapshot"];

/// What an attribute or column of this name holds.
pub(super) fn holds(name: &str) -> Option<Holds> {
    // `latest.actor.name`, `uniques.actor.name`: a function before the attribute.
    let ours = OURS.iter().find(|(ours, _)| name == *ours || name.strip_suffix(ours).is_some_and(|rest| rest.ends_with('.')));
    if let Some((_, holds)) = ours {
        return Some(*holds);
    }
    let last = name.rsplit(['.', '_', ' ', '(']).next().unwrap_or(name).trim_end_matches(')').to_lowercase();
    let field = FIELDS.binary_search_by(|(field, _)| (*field).cmp(&last)).ok().and_then(|at| FIELDS.get(at));
    let of_record = || name.split(['.', '(', ')']).any(|part| OF_RECORDS.contains(&part));
    field.map(|(_, holds)| *holds).or_else(|| of_record().then_some(Holds::Raw))
}

/// Whether a field of a record of AWS holds nothing but AWS's own words: one of these fields, or the type of who or what.
pub(super) fn is_vocabulary(field: &str, value: &str) -> bool {
    VOCABULARY.contains(&field)
        || field.eq_ignore_ascii_case("type") && (IDENTITIES.contains(&value) || value.starts_with("AWS::"))
}

/// Whether a text is the address of one of AWS's own pages.
pub(super) fn is_page_of_aws(text: &str) -> bool {
    text.starts_with(PAGES) && !text.contains(char::is_whitespace)
}

/// Whether a name says who, and not only what.
pub(super) fn names_somebody(name: &str) -> bool {
    !NOBODY.iter().any(|word| word.eq_ignore_ascii_case(name))
        && !name.ends_with(".amazonaws.com")
        && !name.starts_with("AWSServiceRole")
        && name.chars().any(char::is_alphanumeric)
}

/// Whether a name that was met stands for nobody else in a text: a word of one or two Latin letters is a word of any language.
pub(super) fn is_known_in_texts(name: &str) -> bool {
    names_somebody(name) && !(name.is_ascii() && name.len() <= 2)
}

/// Whether a name is looked for inside of words too, and over several: Japanese has no blanks, other names have some. One letter
/// alone is only known as a word of its own.
pub(super) fn is_phrase(name: &str) -> bool {
    is_known_in_texts(name) && name.chars().nth(1).is_some() && name.chars().any(|c| !c.is_ascii() || c == ' ')
}

/// Whether a part of a path says who: a folder of AWS's or a year, a month, a day in it does not.
pub(super) fn is_telling_part(part: &str) -> bool {
    names_somebody(part) && !FOLDERS.contains(&part) && !is_small_number(part)
}

/// Whether a word of a line that we put together is one of ours: a type of AWS's, a path of a property, a number.
pub(super) fn is_of_line(word: &str) -> bool {
    let bare = word.trim_start_matches('+').trim_end_matches(':');
    let is_path = ["Configuration", "SupplementaryConfiguration", "Relationships", "Tags"]
        .iter()
        .any(|head| bare.strip_prefix(head).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
    OF_LINES.contains(&bare) || bare.starts_with("AWS::") || is_path || is_small_number(bare) || !names_somebody(bare)
}

fn is_small_number(word: &str) -> bool {
    word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit())
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
            ("uniques.relay.agent", Some(Holds::Name)),
            ("change.summary", Some(Holds::Line)),
            ("relay.source", Some(Holds::Word)),
            ("message", Some(Holds::Prose)),
            ("latest.compliance.annotation", Some(Holds::Prose)),
            ("userAgent", Some(Holds::Prose)),
            ("requestParameters.tags", Some(Holds::Raw)),
            ("latest(responseElements.stackName)", Some(Holds::Raw)),
            ("requestParameters.userName", Some(Holds::Name)),
            ("identity.trusts", None),
            ("event.name", None),
            ("control.id", None),
            ("count", None),
        ] {
            assert_eq!(holds(name), expected, "{name}");
        }
    }

    #[test]
    fn words_that_name_nobody() {
        for name in ["root", "ROOT", "*", "-", "cloudtrail.amazonaws.com", "AWSServiceRoleForConfig", "不明"] {
            assert!(!names_somebody(name), "{name}");
        }
        for name in ["alice", "山田太郎", "prod-admin", "営業", "林", "ab", "x"] {
            assert!(names_somebody(name), "{name}");
        }
    }

    #[test]
    fn which_names_are_looked_for_in_texts() {
        for (name, in_texts, within) in [
            ("alice", true, false),
            ("ab", false, false),
            ("営業", true, true),
            ("林", true, false),
            ("Tanaka Hanako", true, true),
            ("root", false, false),
        ] {
            assert_eq!((is_known_in_texts(name), is_phrase(name)), (in_texts, within), "{name}");
        }
    }
}
