//! What makes two records one finding, and two versions of it different.
//!
//! In: a finding. Out: its key, the deterministic id of this version of it, and a number that changes when something that is shown
//! changed. What always holds: neither the Region nor the account of a copy is in any of them.

use std::borrow::Cow;

use super::{Finding, FindingForm, product, slice};
use crate::record::id::{digest_id, digest_words};

/// The same for the same finding in every form, Region and account: 128 bits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey(pub [u64; 2]);

impl FindingKey {
    /// 32 hexadecimal digits, as in `finding.key`.
    #[must_use]
    pub fn text(self) -> String {
        let Self([high, low]) = self;
        format!("{high:016x}{low:016x}")
    }

    /// The key of Security Hub's finding about a control and a resource, which it names mostly by ARN.
    #[must_use]
    pub fn of_control(account: &str, region: &str, control: &str, resource: &str) -> Self {
        let parts = ["control", product::SECURITY_HUB, account, region, control, resource];
        Self(digest_words(&parts.map(str::as_bytes)))
    }

    /// Reads [`FindingKey::text`] again.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
        #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
        let halves = [(number >> 64) as u64, number as u64];
        Some(Self(halves))
    }
}

impl Finding<'_> {
    /// Its key. Findings of Security Hub about one control and one resource are one, however many standards ask for it.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        // Access Analyzer's id is unique in the world, and only some of its events say a Region.
        let is_unique = self.form.as_str() == FindingForm::ExternalAccess.as_str();
        let region = self.region.as_deref().filter(|_| !is_unique).unwrap_or_default();
        match (&self.control_id, self.resources.first()) {
            (Some(control), Some(resource))
                if self.product == product::SECURITY_HUB && self.form != FindingForm::Sarif && !resource.id.is_empty() =>
            {
                FindingKey::of_control(&self.account, region, control, &resource.id)
            }
            _ => {
                let parts = ["id", &self.product, &self.account, region, &self.native_id, ""];
                FindingKey(digest_words(&parts.map(str::as_bytes)))
            }
        }
    }

    /// Which of the findings under its key it is.
    #[must_use]
    pub fn part_hash(&self) -> u64 {
        let [part, _] = digest_words(&[self.part.as_bytes()]);
        part
    }

    /// `event.id`: names this version of it. Where it stands and how severe it is belong to that: what people change in Security
    /// Hub does not move its time. [Security Hub API, `BatchUpdateFindings`, checked 2026-11]
    #[must_use]
    pub fn event_id(&self) -> String {
        if let Some(code) = &self.more.code {
            // A scan whose file names no time must not become another one each time that the file is read.
            let key = self.key().text();
            let words = [key.as_str(), self.status.as_str(), self.severity.as_str(), &code.version()];
            return digest_id(&words.map(str::as_bytes));
        }
        digest_id(&[
            self.key().text().as_bytes(),
            self.part.as_bytes(),
            &self.updated_ms.to_be_bytes(),
            self.status.as_str().as_bytes(),
            self.severity.as_str().as_bytes(),
            self.handled().as_bytes(),
            self.more.user_fields.join("|").as_bytes(),
        ])
    }

    /// The `event.id` of a version that was told before and holds again: NEW, set aside, NEW, while the provider's time stands still.
    /// The time of the event around it is in it, so that a redelivery is the same; `None`: there is no event around it.
    #[must_use]
    pub fn again_id(&self, event_id: &str) -> Option<String> {
        Some(digest_id(&[event_id.as_bytes(), &self.told_ms?.to_be_bytes()]))
    }

    /// What people made of it beyond where it stands: `NOTIFIED`. The words that say no more than that are the forms' own, and
    /// would make another record of every copy in another form.
    fn handled(&self) -> &str {
        let known = ["NEW", "SUPPRESSED", "RESOLVED", "ARCHIVED", "DELETED"];
        self.workflow.as_deref().filter(|word| !known.contains(word)).unwrap_or_default()
    }

    /// A number that changes when something changed that an event shows. The likelihood of use (EPSS) alone is no change: it
    /// moves every day. Only numbers of the same form can be compared.
    #[must_use]
    pub fn shown(&self) -> u32 {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
        let more = &self.more;
        let mut parts: Vec<String> = vec![
            self.severity.as_str().to_owned(),
            self.severity_original.clone().into_owned(),
            self.title.clone().into_owned(),
            self.status.as_str().to_owned(),
            text(&self.workflow),
            text(&self.record_state),
            text(&self.compliance),
            more.count.unwrap_or_default().to_string(),
            text(&more.attack_sequence),
            more.cvss.unwrap_or_default().to_string(),
            text(&more.fix_available),
            text(&more.exploit_available),
            text(&more.fixed_in),
            format!("{:?}", more.public),
            more.principal.clone().unwrap_or_default(),
            more.deleted.to_string(),
        ];
        parts.extend(self.types.iter().map(|kind| kind.clone().into_owned()));
        parts.extend(self.resources.iter().map(|resource| resource.id.clone().into_owned()));
        parts.extend(more.packages.iter().cloned());
        parts.extend(more.user_fields.iter().cloned());
        parts.extend(more.data_types.iter().map(|(kind, count)| format!("{kind}:{count}")));
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        let [shown, _] = digest_words(&parts);
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash are as good as others")]
        let short = shown as u32;
        short
    }

    /// Whether people can set it aside in the service that tells it, so that what another form says of it does not matter.
    #[must_use]
    pub fn has_workflow(&self) -> bool {
        matches!(self.form, FindingForm::Asff | FindingForm::Ocsf)
    }
}

/// What of an id is the same in every form: the end of an ARN behind `finding/`, else all of it.
pub(super) fn native<'a>(id: &Cow<'a, str>) -> Cow<'a, str> {
    let end = slice(id, |id| id.starts_with("arn:").then(|| id.rsplit_once("finding/").map(|(_, end)| end)).flatten());
    end.filter(|end| !end.is_empty()).unwrap_or_else(|| id.clone())
}

/// A part of an ARN: 3 is the Region, 4 the account.
pub(super) fn arn_part<'a>(arn: &Cow<'a, str>, nth: usize) -> Option<Cow<'a, str>> {
    slice(arn, |arn| arn.starts_with("arn:").then(|| arn.split(':').nth(nth)).flatten()).filter(|part| !part.is_empty())
}

/// The product's name, by the ARN it reports under, else by what it calls itself.
pub(super) fn product_of<'a>(arn: Option<&Cow<'a, str>>, name: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let own = |slug: &str| {
        Some(match slug.to_ascii_lowercase().as_str() {
            "securityhub" | "security hub" | "security hub cspm" | "aws security hub" => product::SECURITY_HUB,
            "guardduty" | "amazon guardduty" => product::GUARD_DUTY,
            "inspector" | "inspector2" | "amazon inspector" => product::INSPECTOR,
            "macie" | "macie2" | "amazon macie" => product::MACIE,
            "access-analyzer" | "access analyzer" | "iam access analyzer" | "aws iam access analyzer" => product::ACCESS_ANALYZER,
            _ => return None,
        })
    };
    let slug = arn.and_then(|arn| slice(arn, |arn| arn.split_once("/aws/").map(|(_, slug)| slug)));
    if let Some(known) = slug.as_deref().and_then(own) {
        return Some(Cow::Borrowed(known));
    }
    if slug.is_some() || arn.is_none() {
        // A product of another vendor may call itself what it likes.
        if let Some(known) = name.as_deref().and_then(own) {
            return Some(Cow::Borrowed(known));
        }
    }
    name.or(slug).or_else(|| slice(arn?, |arn| arn.split_once("product/").map(|(_, product)| product)))
}
