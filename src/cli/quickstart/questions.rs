//! The five questions.
//!
//! In: flags, the environment, whoever answers. Out: [`Answers`] that go together. What always holds: a question that an earlier answer
//! makes useless is not asked.

use super::Args;
use super::answers::{self, Answers, Posture, Queue};
use super::ask::{Asking, Question};
use super::words;
use crate::cli::exit::Stop;
use crate::config::{DeadLetters, Environment, Region};
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
    // The agent takes an aggregator to be beside the events, too.
    let of_events = event_queue.as_ref().and_then(|queue| queue.region.clone());
    let home = of_events.or_else(|| known.clone());
    let posture = posture(args, known.as_deref(), home, may_be_off, &mut asking)?;
    let dead_letters = dead_letters(args, [&trail_queue, &event_queue], &mut asking);

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
    let Read { posture, regions, aggregator_region, role } = posture.unwrap_or_default();
    Ok(Answers {
        language,
        region: region.unwrap_or(Region::Us),
        accounts: accounts.unwrap_or_default(),
        license_key: license_key.unwrap_or_default(),
        trail_queue,
        trail_buckets,
        event_queue,
        posture,
        posture_regions: regions,
        aggregator_region,
        posture_role: role,
        dead_letters,
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

/// What is read of AWS Config.
#[derive(Debug, Default)]
struct Read {
    posture: Posture,
    regions: Vec<String>,
    aggregator_region: Option<String>,
    role: Option<String>,
}

/// Where dead letters go: a flag alone, as the agent runs without.
fn dead_letters(args: &Args, queues: [&Option<Queue>; 2], asking: &mut Asking<'_>) -> Option<DeadLetters> {
    let found = match answers::dead_letters(args.dead_letters.as_deref()?.trim(), asking.language) {
        Ok(found) => found?,
        Err(why) => {
            asking.wrong("--dead-letters", &why);
            return None;
        }
    };
    if let DeadLetters::Queue { url } = &found
        && queues.into_iter().flatten().any(|queue| queue.url == *url)
    {
        asking.wrong("--dead-letters", &words::SAME_LETTERS.get(asking.language).replace("{}", url));
    }
    Some(found)
}

/// Whose AWS Config is read, where, and with which role. `known`: the Region of a queue or of AWS tools; `home`: where an aggregator
/// probably is.
fn posture(
    args: &Args,
    known: Option<&str>,
    home: Option<String>,
    may_be_off: bool,
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
            posture => Ok(posture),
        },
    })?;
    let Some(posture) = posture else { return Ok(None) };
    if posture == Posture::Off && args.posture_regions.is_some() {
        asking.wrong("--posture-regions", words::REGIONS_ALONE.get(language));
        return Ok(None);
    }
    let aggregator_region = if matches!(posture, Posture::Aggregator(_)) {
        // Written down: the machine that runs the agent may have another AWS_REGION than this one, or none.
        asking.ask(&Question {
            flag: "--aggregator-region",
            given: args.aggregator_region.as_deref(),
            asks: words::AGGREGATOR_REGION,
            default: home,
            parse: &|text| answers::one_region(text, known.map(partition_of), language),
        })?
    } else {
        if args.aggregator_region.is_some() {
            asking.wrong("--aggregator-region", words::AGGREGATOR_ALONE.get(language));
        }
        None
    };
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
    Ok(Some(Read { posture, regions: regions.unwrap_or_default(), aggregator_region, role }))
}
