//! A security finding: what an AWS service, or a product that reports to Security Hub, holds against a resource.
//!
//! In: the raw JSON text of one finding in one of seven forms, and the account and Region of the event around it. Out: a
//! [`Finding`] that borrows from the text. What always holds: it has an identity and a time, else a [`FindingError`] names what
//! is missing; the same finding has the same [`FindingKey`] in every form, Region and account that AWS copies it to; unknown words
//! stay as they are. Only what is certain is joined: Access Analyzer's id is not in what Security Hub tells of it, so that one is
//! another finding there.

mod access_analyzer;
mod asff;
mod guardduty;
mod insight;
mod inspector;
mod key;
mod lenient;
mod macie;
mod ocsf;
pub mod sarif;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use insight::{InsightError, InsightResults};
pub use key::FindingKey;

use super::severity::Severity;
use super::time;

/// The form in which a finding is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FindingForm {
    /// Security Hub, AWS Security Finding Format.
    Asff,
    /// Security Hub V2, Open Cybersecurity Schema Framework.
    Ocsf,
    /// `GuardDuty Finding`
    GuardDuty,
    /// `Inspector2 Finding`
    Inspector,
    /// `Macie Finding`
    Macie,
    /// `Access Analyzer Finding`: access from outside.
    ExternalAccess,
    /// `Unused Access Finding for IAM entities`
    UnusedAccess,
    /// `Internal Access Finding`
    InternalAccess,
    /// A result of a scanner of code; it is read with its run, by [`sarif::SarifResult::parse`].
    Sarif,
}

impl FindingForm {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Asff,
        Self::Ocsf,
        Self::GuardDuty,
        Self::Inspector,
        Self::Macie,
        Self::ExternalAccess,
        Self::UnusedAccess,
        Self::InternalAccess,
        Self::Sarif,
    ];

    /// The word in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asff => "asff",
            Self::Ocsf => "ocsf",
            Self::GuardDuty => "guardduty",
            Self::Inspector => "inspector",
            Self::Macie => "macie",
            Self::ExternalAccess | Self::UnusedAccess | Self::InternalAccess => "accessAnalyzer",
            Self::Sarif => "sarif",
        }
    }
}

/// Where a finding stands, in one scale for all forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingStatus {
    /// Someone should look.
    Open,
    /// Someone said that nobody should: never a notice.
    Suppressed,
    /// It holds no more.
    Resolved,
}

impl FindingStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Suppressed, Self::Resolved];

    /// The word in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Suppressed => "SUPPRESSED",
            Self::Resolved => "RESOLVED",
        }
    }
}

/// Names of products, as Security Hub writes them.
pub mod product {
    /// Security Hub's own controls.
    pub const SECURITY_HUB: &str = "Security Hub";
    /// Threats.
    pub const GUARD_DUTY: &str = "GuardDuty";
    /// Vulnerabilities.
    pub const INSPECTOR: &str = "Inspector";
    /// Sensitive data.
    pub const MACIE: &str = "Macie";
    /// Access from outside, and unused.
    pub const ACCESS_ANALYZER: &str = "IAM Access Analyzer";
}

/// One finding.
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// In which form it came.
    pub form: FindingForm,
    /// Who found it: one of [`product`], else the name the product gives itself.
    pub product: Cow<'a, str>,
    /// Its id, as the form has it.
    pub id: Cow<'a, str>,
    /// What of the id is the same in every form.
    pub native_id: Cow<'a, str>,
    /// Which of several findings about one control and resource it is: the standard of an unconsolidated control; else empty.
    pub part: Cow<'a, str>,
    /// The account that it is about.
    pub account: Cow<'a, str>,
    /// The Region that it is about; `None`: the form does not say.
    pub region: Option<Cow<'a, str>>,
    /// The Region of the event around it, which is that of a copy where findings are aggregated.
    pub told_in: Option<Cow<'a, str>>,
    /// When the event around it was made, milliseconds since the epoch, if there is one.
    pub told_ms: Option<i64>,
    /// When it was first seen, milliseconds since the epoch, if it says.
    pub first_seen_ms: Option<i64>,
    /// When the provider last changed it, milliseconds since the epoch.
    pub updated_ms: i64,
    /// On the one scale.
    pub severity: Severity,
    /// As the form has it: `7.5`, `UNTRIAGED`; empty where there is none.
    pub severity_original: Cow<'a, str>,
    /// One line.
    pub title: Cow<'a, str>,
    /// What sort it is, most specific first.
    pub types: Vec<Cow<'a, str>>,
    /// Where it stands.
    pub status: FindingStatus,
    /// `NEW`, `NOTIFIED`, …: what people made of it, where the form has it.
    pub workflow: Option<Cow<'a, str>>,
    /// `ACTIVE`, `ARCHIVED`, `CLOSED`, …: what the provider says.
    pub record_state: Option<Cow<'a, str>>,
    /// `FAILED`, `PASSED`, …, of a control.
    pub compliance: Option<Cow<'a, str>>,
    /// Security Hub's control, as `S3.8`.
    pub control_id: Option<Cow<'a, str>>,
    /// Standards that the control belongs to.
    pub standards: Vec<Cow<'a, str>>,
    /// Requirements of frameworks that the control meets, in Security Hub's words.
    pub requirements: Vec<Cow<'a, str>>,
    /// ATT&CK techniques that it names.
    pub techniques: Vec<Cow<'a, str>>,
    /// What it is about; the first is the one that is shown.
    pub resources: Vec<Affected<'a>>,
    /// Tags of the first of them, where the form has them.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What only some products say.
    pub more: More<'a>,
}

/// A resource that a finding is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected<'a> {
    /// `AwsS3Bucket`, `AWS::S3::Bucket`, …: as the form has it.
    pub kind: Cow<'a, str>,
    /// ARN, id or name.
    pub id: Cow<'a, str>,
}

/// What only some products say. Absent: the form has no such thing.
#[derive(Debug, Clone, Default)]
pub struct More<'a> {
    /// How often it was seen.
    pub count: Option<i64>,
    /// The attack sequence that it is, or is part of.
    pub attack_sequence: Option<Cow<'a, str>>,
    /// `GuardDuty`'s feature that saw it.
    pub feature: Option<Cow<'a, str>>,
    /// The rule of AWS Config behind a control, as it is deployed.
    pub config_rule: Option<Cow<'a, str>>,
    /// Vulnerability.
    pub cve: Option<Cow<'a, str>>,
    /// Its score, 0 to 10.
    pub cvss: Option<f64>,
    /// How likely it is used within 30 days, 0 to 1.
    pub epss: Option<f64>,
    /// `YES`, `NO` or `PARTIAL`.
    pub fix_available: Option<Cow<'a, str>>,
    /// `YES` or `NO`.
    pub exploit_available: Option<Cow<'a, str>>,
    /// Packages that have it, `name@version`.
    pub packages: Vec<String>,
    /// The version that mends the first of them.
    pub fixed_in: Option<Cow<'a, str>>,
    /// Repository of a container image.
    pub repository: Option<Cow<'a, str>>,
    /// Digest of a container image.
    pub image_digest: Option<Cow<'a, str>>,
    /// Macie: `POLICY` or `CLASSIFICATION`.
    pub category: Option<Cow<'a, str>>,
    /// Bucket that holds the data.
    pub bucket: Option<Cow<'a, str>>,
    /// Object that holds the data.
    pub object_key: Option<Cow<'a, str>>,
    /// Kinds of sensitive data, and how often each occurs.
    pub data_types: Vec<(Cow<'a, str>, i64)>,
    /// Whether everybody has access.
    pub public: Option<bool>,
    /// Who has access, `AWS:*`.
    pub principal: Option<String>,
    /// `ExternalAccess`, `UnusedPermission`, `INTRA_ACCOUNT`, …
    pub access_type: Option<Cow<'a, str>>,
    /// What people wrote to it in Security Hub, `name:value`.
    pub user_fields: Vec<String>,
    /// The resource was deleted.
    pub deleted: bool,
    /// A sample that a person made.
    pub sample: bool,
    /// Where in code it is, and what the scan says of it.
    pub code: Option<Box<sarif::Code<'a>>>,
}

/// Why a text is no finding.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    /// Bytes that are no text.
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not a JSON object.
    #[error("not a finding ({form}): {source}")]
    Json {
        /// The form it should have.
        form: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Nobody could tell it from another.
    #[error("not a finding ({form}): {field} is missing")]
    Missing {
        /// The form it should have.
        form: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Nobody could tell whether it is newer than another.
    #[error("not a finding ({form}): {field} is \"{found}\" (an ISO 8601 time or milliseconds since 1970 are needed)")]
    Time {
        /// The form it should have.
        form: &'static str,
        /// The field.
        field: &'static str,
        /// As written.
        found: String,
    },
    /// A word that decides what is done with it, and that nobody knows.
    #[error("not a finding ({form}): {field} is \"{found}\"; known are {allowed}")]
    Word {
        /// The form it should have.
        form: &'static str,
        /// The field.
        field: &'static str,
        /// As written.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
}

/// What the event around a finding says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// Twelve digits.
    pub account: Option<&'a str>,
    /// As `eu-west-1`.
    pub region: Option<&'a str>,
    /// When it was told, ISO 8601.
    pub time: Option<&'a str>,
}

impl<'a> Finding<'a> {
    /// Reads one finding of this form.
    ///
    /// # Errors
    /// [`FindingError`] says what is wrong; the record is then unreadable, alone.
    pub fn parse(form: FindingForm, raw: &'a [u8], around: Around<'a>) -> Result<Self, FindingError> {
        let text = std::str::from_utf8(raw)?;
        let mut finding = match form {
            FindingForm::Asff => asff::parse(text, around),
            FindingForm::Ocsf => ocsf::parse(text, around),
            FindingForm::GuardDuty => guardduty::parse(text, around),
            FindingForm::Inspector => inspector::parse(text, around),
            FindingForm::Macie => macie::parse(text, around),
            FindingForm::ExternalAccess | FindingForm::UnusedAccess | FindingForm::InternalAccess => {
                access_analyzer::parse(form, text, around)
            }
            FindingForm::Sarif => Err(FindingError::Missing { form: form.as_str(), field: "the run around it" }),
        }?;
        finding.told_in = around.region.map(Cow::Borrowed);
        finding.told_ms = around.time.and_then(time::parse_ms);
        Ok(finding)
    }

    /// A finding of which only the identity is known.
    fn of(form: FindingForm, product: Cow<'a, str>, id: Cow<'a, str>, account: Cow<'a, str>, updated_ms: i64) -> Self {
        Self {
            form,
            product,
            native_id: id.clone(),
            id,
            part: Cow::Borrowed(""),
            account,
            region: None,
            told_in: None,
            told_ms: None,
            first_seen_ms: None,
            updated_ms,
            severity: Severity::Informational,
            severity_original: Cow::Borrowed(""),
            title: Cow::Borrowed(""),
            types: Vec::new(),
            status: FindingStatus::Open,
            workflow: None,
            record_state: None,
            compliance: None,
            control_id: None,
            standards: Vec::new(),
            requirements: Vec::new(),
            techniques: Vec::new(),
            resources: Vec::new(),
            tags: Vec::new(),
            more: More::default(),
        }
    }

    /// The Region to show: its own, else that of the event.
    #[must_use]
    pub fn shown_region(&self) -> Option<&str> {
        self.region.as_deref().or(self.told_in.as_deref())
    }

    /// `control.id`: the control, else what sort of finding it is, else the product.
    #[must_use]
    pub fn control(&self) -> &str {
        self.control_id.as_deref().or_else(|| self.types.first().map(AsRef::as_ref)).unwrap_or(&self.product)
    }
}

/// An identity that must be there.
fn needed<'a>(form: FindingForm, field: &'static str, text: Option<Cow<'a, str>>) -> Result<Cow<'a, str>, FindingError> {
    text.ok_or(FindingError::Missing { form: form.as_str(), field })
}

/// A time that must be there.
fn needed_time(form: FindingForm, field: &'static str, text: Option<&str>) -> Result<i64, FindingError> {
    let text = text.ok_or(FindingError::Missing { form: form.as_str(), field })?;
    moment(text).ok_or_else(|| FindingError::Time { form: form.as_str(), field, found: text.to_owned() })
}

/// A time as the services write it: ISO 8601, milliseconds since the epoch, or `Nov 21, 2026, 8:31:02 PM`, which Inspector's
/// events have.
fn moment(text: &str) -> Option<i64> {
    if let Some(ms) = time::parse_ms(text) {
        return Some(ms);
    }
    if let Ok(number) = text.parse::<i64>() {
        return (number > 0).then_some(number);
    }
    // Newer runtimes put a narrow blank before AM and PM.
    let plain = text.replace('\u{202f}', " ");
    let time = jiff::civil::DateTime::strptime("%b %d, %Y, %I:%M:%S %p", &plain).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn json(form: FindingForm) -> impl FnOnce(serde_json::Error) -> FindingError {
    move |source| FindingError::Json { form: form.as_str(), source }
}

/// A part of a text that keeps the text's life.
fn slice<'a>(text: &Cow<'a, str>, cut: impl for<'t> FnOnce(&'t str) -> Option<&'t str>) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => cut(text).map(Cow::Borrowed),
        Cow::Owned(text) => cut(text).map(|part| Cow::Owned(part.to_owned())),
    }
}
