//! The URL of an SQS queue, taken apart.
//!
//! In: text. Out: its Region, account and name. Knows the forms AWS gives out: Regional, FIPS and dual-stack endpoints in
//! every partition, the older `queue` hosts, VPC endpoints; and emulators on this machine or a container network. Plain
//! `http` is taken for emulators only.

use reqwest::Url;

use crate::record::trail::is_account_id;

/// What may stand where a queue's URL is asked for.
pub const ALLOWED: &str = "https://sqs.<region>.amazonaws.com/<account>/<name>";

/// How the name of a FIFO queue ends.
const FIFO: &str = ".fifo";

/// The URL of an SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl {
    /// Region in the host name; `None` for an emulator.
    pub region: Option<String>,
    /// Account in the path; twelve digits except on an emulator.
    pub account: String,
    /// The queue's name.
    pub name: String,
}

impl QueueUrl {
    /// Takes a queue's URL apart; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        // What the parser had to mend (blanks, backslashes, `..`) is not what AWS gives out.
        if url.as_str() != text
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return None;
        }
        let mut path = url.path_segments()?;
        let (account, name) = (path.next()?, path.next()?);
        if path.next().is_some() || !is_name(name) {
            return None;
        }
        let host = url.host_str()?;
        let region = if let Some(region) = aws_region(host) {
            if url.scheme() != "https" || !is_account_id(account) || !is_region(region) {
                return None;
            }
            Some(region.to_owned())
        } else if is_local(host) && matches!(url.scheme(), "http" | "https") && !account.is_empty() {
            None
        } else {
            return None;
        };
        Some(Self { region, account: account.to_owned(), name: name.to_owned() })
    }

    /// Whether it is a FIFO queue, which takes no message without a group. One may be read; letters have no group.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(FIFO)
    }
}

/// The Region in the name of an AWS host for SQS.
fn aws_region(host: &str) -> Option<&str> {
    let (rest, old_form) =
        if let Some(rest) = host.strip_suffix(".vpce.amazonaws.com").or_else(|| host.strip_suffix(".vpce.amazonaws.com.cn")) {
            return rest.strip_prefix("vpce-")?.split_once(".sqs.").map(|(_, region)| region);
        } else if let Some(rest) = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn")) {
            (rest, true)
        } else {
            (host.strip_suffix(".api.aws").or_else(|| host.strip_suffix(".api.amazonwebservices.com.cn"))?, false)
        };
    match rest {
        "queue" if old_form => Some("us-east-1"),
        rest => rest
            .strip_prefix("sqs.")
            .or_else(|| rest.strip_prefix("sqs-fips."))
            .or_else(|| rest.strip_suffix(".queue").filter(|_| old_form)),
    }
}

/// Whether a host can only be an emulator: this machine, `LocalStack`'s name for it, or a single-label container name.
fn is_local(host: &str) -> bool {
    is_loopback(host)
        || host.ends_with(".localhost.localstack.cloud")
        || host == "localhost.localstack.cloud"
        || !host.contains(['.', ':'])
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a text has the form of an AWS Region: `eu-west-1`, `us-gov-east-1`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lower = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.split_last() {
        Some((number, words)) => {
            words.len() >= 2
                && words.iter().all(lower)
                && matches!(number.len(), 1..=2)
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        None => false,
    }
}

/// Whether a text can be a queue's name (SQS: up to 80 letters, digits, `_`, `-`; a FIFO queue ends in `.fifo`).
fn is_name(text: &str) -> bool {
    let stem = text.strip_suffix(FIFO).unwrap_or(text);
    !stem.is_empty() && text.len() <= 80 && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_aws_gives_out_is_taken_apart() {
        for (text, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", Some("eu-west-1")),
            ("https://sqs.us-gov-west-1.amazonaws.com/111122223333/trail", Some("us-gov-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail", Some("cn-north-1")),
            ("https://sqs-fips.us-east-1.amazonaws.com/111122223333/trail", Some("us-east-1")),
            ("https://sqs.ap-northeast-1.api.aws/111122223333/trail", Some("ap-northeast-1")),
            ("https://sqs-fips.us-east-2.api.aws/111122223333/trail", Some("us-east-2")),
            ("https://queue.amazonaws.com/111122223333/trail", Some("us-east-1")),
            ("https://eu-west-1.queue.amazonaws.com/111122223333/trail", Some("eu-west-1")),
            ("https://vpce-0a1-b2c3.sqs.us-east-1.vpce.amazonaws.com/111122223333/trail", Some("us-east-1")),
            ("https://vpce-0a1-b2c3-us-east-1a.sqs.us-east-1.vpce.amazonaws.com/111122223333/trail", Some("us-east-1")),
            ("http://127.0.0.1:4566/111122223333/trail", None),
            ("http://localhost:9324/queue/trail", None),
            ("http://[::1]:4566/111122223333/trail", None),
            ("http://sqs.us-east-1.localhost.localstack.cloud:4566/111122223333/trail", None),
            ("http://localstack:4566/111122223333/trail", None),
        ] {
            let url = QueueUrl::parse(text).unwrap_or_else(|| panic!("refused: {text}"));
            assert_eq!((url.region.as_deref(), &*url.name), (region, "trail"), "{text}");
        }
    }

    #[test]
    fn a_fifo_queue_is_known_by_its_name() {
        for (name, is_fifo) in [("trail.fifo", true), ("trail", false), ("fifo", false), ("fifo-trail", false)] {
            let url = QueueUrl::parse(&format!("https://sqs.eu-west-1.amazonaws.com/111122223333/{name}")).unwrap();
            assert_eq!(url.is_fifo(), is_fifo, "{name}");
        }
    }

    #[test]
    fn anything_else_is_not_a_queue() {
        for text in [
            "",
            "cloudtrail",
            "arn:aws:sqs:eu-west-1:111122223333:trail",
            "http://sqs.eu-west-1.amazonaws.com/111122223333/trail",
            "https://sqs.eu-west-1.amazonaws.com/1111/trail",
            "https://sqs.eu-west-1.amazonaws.com/111122223333",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/trail/",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/trail?x=1",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/tr ail",
            "https://sqs.europe.amazonaws.com/111122223333/trail",
            "https://sns.eu-west-1.amazonaws.com/111122223333/trail",
            "https://sqs.eu-west-1.amazonaws.com.evil.example/111122223333/trail",
            "http://example.com/111122223333/trail",
            "https://user@sqs.eu-west-1.amazonaws.com/111122223333/trail",
            "file:///111122223333/trail",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/../trail",
        ] {
            assert_eq!(QueueUrl::parse(text), None, "{text}");
        }
    }
}
