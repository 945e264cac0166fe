//! The five questions.
//!
//! In: flags, the environment, whoever answers. Out: [`Answers`] that go together. What always holds: a question that an earlier answer
//! makes useless is not asked.

use super::Args;
use super::answers::{self, Answers, Posture, Queue};
use super::ask::{Asking, Question};
use super::words;
use crate::cli::exit::Stop;
use crate::config::{Environment, Region};
use crate::publish::dashboard::Language;
use crate::record::partition_of;

/// Role that is proposed.
const ROLE: &str = "cspm-relay-read";

/// Asks everything.
pub(super) fn all(args: &Args, environment: &dyn Environment, mut asking: Asking<'_>) -> Result<Answers, Stop> {
    let language = asking.language;
    let set = |name: &str| environment.get(name).and_then(|text| text.into_string().ok()).filter(|text| !text.is_empty());

    asking.explain(1, words::NEW_RELIC, words::NEW_RELIC_WHY)?;
    let of_language = if language == Language::Japanese { "jp" } else { "us" };
    let region = asking.ask(&Question {
        flag: "--region",
        given: args.region.as_deref(),
        asks: words::REGION,
        default: Some(set("NEW_RELIC_REGION").map_or_else(|| of_language.to_owned(), |text| text.to_ascii_lowercase())),
        parse: &|text| answers::region(text, language),
    })?;
    let accounts = asking.ask(&Question {
        flag: "--account",
        given: args.account.as_deref(),
        asks: words::ACCOUNT,
        default: set("NEW_RELIC_ACCOUNT_ID"),
        parse: &|text| answers::accounts(text, language),
    })?;

    asking.explain(2, words::KEY, words::KEY_WHY)?;
    let license_key = asking.ask(&Question {
        flag: "--license-key",
        given: args.license_key.as_deref(),
        asks: words::KEY_PLACE,
        default: Some("env:NEW_RELIC_LICENSE_KEY".to_owned()),
        parse: &|text| answers::license_key(text, language),
    })?;

    asking.explain(3, words::QUEUES, words::QUEUES_WHY)?;
    let (trail_queue, trail_buckets, event_queue) = queues(args, &set, &mut asking)?;

    asking.explain(4, words::POSTURE, words::POSTURE_WHY)?;
    let known = [&trail_queue, &event_queue].into_iter().flatten().find_map(|queue: &Queue| queue.region.clone());
    let known = known.or_else(|| set("AWS_REGION"));
    // Of a queue that is wrong, that is told.
    let may_be_off = trail_queue.is_some() || event_queue.is_some() || asking.is_in_doubt();
    let posture = posture(args, known.as_deref(), may_be_off, event_queue.is_some() || set("AWS_REGION").is_some(), &mut asking)?;

    asking.explain(5, words::CALENDAR, words::CALENDAR_WHY)?;
    let timezone = asking.ask(&Question {
        flag: "--timezone",
        given: args.timezone.as_deref(),
        asks: words::ZONE,
        default: Some(if language == Language::Japanese { "Asia/Tokyo" } else { "UTC" }.to_owned()),
        parse: &|text| answers::timezone(text, language),
    })?;
    asking.end()?;
    // What is missing here has been told.
    let (posture, posture_regions, posture_role) = posture.unwrap_or((Posture::Off, Vec::new(), None));
    Ok(Answers {
        language,
        region: region.unwrap_or(Region::Us),
        accounts: accounts.unwrap_or_default(),
        license_key: license_key.unwrap_or_default(),
        trail_queue,
        trail_buckets,
        event_queue,
        posture,
        posture_regions,
        posture_role,
        timezone: timezone.unwrap_or_default(),
    })
}

type Queues = (Option<Queue>, Vec<String>, Option<Queue>);

/// Both queues, and the buckets of the trail.
fn queues(args: &Args, set: &dyn Fn(&str) -> Option<String>, asking: &mut Asking<'_>) -> Result<Queues, Stop> {
    let language = asking.language;
    let none = || Some("none".to_owned());
    let trail = asking.ask(&Question {
        flag: "--trail-queue",
        given: args.trail_queue.as_deref(),
        asks: words::TRAIL_QUEUE,
        default: set("CSPM_RELAY_TRAIL_QUEUE_URL").or_else(none),
        parse: &|text| answers::queue(text, language),
    })?;
    let trail = trail.flatten();
    let mut buckets = Vec::new();
    if trail.is_some() {
        let asked = asking.ask(&Question {
            flag: "--trail-bucket",
            given: args.trail_bucket.as_deref(),
            asks: words::TRAIL_BUCKET,
            default: Some("any".to_owned()),
            parse: &|text| answers::buckets(text, language),
        })?;
        buckets = asked.unwrap_or_default();
    } else if args.trail_bucket.is_some() && args.trail_queue.is_none() {
        asking.wrong("--trail-bucket", words::BUCKET_ALONE.get(language));
    }
    let events = asking.ask(&Question {
        flag: "--event-queue",
        given: args.event_queue.as_deref(),
        asks: words::EVENT_QUEUE,
        default: set("CSPM_RELAY_EVENT_QUEUE_URL").or_else(none),
        parse: &|text| answers::beside(trail.as_ref(), answers::queue(text, language)?, language),
    })?;
    Ok((trail, buckets, events.flatten()))
}

type Read = (Posture, Vec<String>, Option<String>);

/// Whose AWS Config is read, where, and with which role. `known`: the Region of a queue or of AWS tools; `has_home`: there is a
/// Region for an aggregator.
fn posture(
    args: &Args,
    known: Option<&str>,
    may_be_off: bool,
    has_home: bool,
    asking: &mut Asking<'_>,
) -> Result<Option<Read>, Stop> {
    let language = asking.language;
    let posture = asking.ask(&Question {
        flag: "--posture",
        given: args.posture.as_deref(),
        asks: words::WHOSE,
        default: Some(if may_be_off || !asking.is_person() { "off" } else { "own" }.to_owned()),
        parse: &|text| match answers::posture(text, language)? {
            Posture::Off if !may_be_off => Err(words::NOTHING_TO_READ.get(language).to_owned()),
            Posture::Aggregator(_) if !has_home => Err(words::NO_HOME.get(language).to_owned()),
            posture => Ok(posture),
        },
    })?;
    let Some(posture) = posture else { return Ok(None) };
    let needs_regions = matches!(posture, Posture::Own | Posture::Accounts(_));
    let regions = if needs_regions || args.posture_regions.is_some() {
        asking.ask(&Question {
            flag: "--posture-regions",
            given: args.posture_regions.as_deref(),
            asks: words::REGIONS,
            default: known.map(str::to_owned),
            parse: &|text| answers::regions(text, known.map(partition_of), language),
        })?
    } else {
        None
    };
    let role = if matches!(posture, Posture::Accounts(_)) {
        asking.ask(&Question {
            flag: "--posture-role",
            given: args.posture_role.as_deref(),
            asks: words::ROLE,
            default: Some(ROLE.to_owned()),
            parse: &|text| answers::role(text, language),
        })?
    } else {
        if args.posture_role.is_some() {
            asking.wrong("--posture-role", words::ROLE_ALONE.get(language));
        }
        None
    };
    Ok(Some((posture, regions.unwrap_or_default(), role)))
}
