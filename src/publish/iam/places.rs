//! On what: queues, buckets, roles and Regions that a configuration names.
//!
//! In: a configuration. Out: the resources and the condition of a row of the table, or `None` where the configuration has nothing for
//! it. What always holds: ARNs are of the partition of the configuration's Regions.

use super::table::{On, Row, Topic};
use crate::config::queue_url::QueueUrl;
use crate::config::{Config, DeadLetters, Role, SourceKind, StatePlace};
use crate::record::partition_of;

/// Resources, and a condition.
type Ground = (Vec<String>, Option<(&'static str, &'static str, Vec<String>)>);

/// What a configuration names.
pub(super) struct Places<'c> {
    config: &'c Config,
    partition: &'static str,
}

/// Objects of a bucket.
struct Objects {
    /// `*`: any.
    bucket: String,
    /// Pattern of keys.
    keys: String,
    /// Where the bucket is asked; `None`: the environment says.
    region: Option<String>,
}

impl<'c> Places<'c> {
    pub(super) fn of(config: &'c Config) -> Self {
        let of_source = config.sources.iter().find_map(|source| region_of(&source.kind));
        let of_posture = || config.posture.as_ref().map(|posture| posture.home.as_str());
        let of_identity = || config.identity.as_ref().map(|identity| identity.home.as_str());
        let region = of_source.or_else(of_posture).or_else(of_identity);
        Self { config, partition: region.map_or("aws", partition_of) }
    }

    /// Whether this is done with the role in other accounts.
    pub(super) fn takes_role(&self, topic: Topic) -> bool {
        match topic {
            Topic::Compliance => {
                self.config.posture.as_ref().is_some_and(|posture| posture.role.is_some() && !posture.accounts.is_empty())
            }
            Topic::Identity | Topic::LastAccessed => self.config.identity.as_ref().is_some_and(|identity| {
                identity.role.is_some() && (!identity.accounts.is_empty() || identity.aggregator.is_some())
            }),
            _ => false,
        }
    }

    /// The resources of a row, and its condition.
    pub(super) fn ground(&self, row: &Row) -> Option<Ground> {
        let partition = self.partition;
        let (resources, condition) = match row.on {
            On::Queue => (self.queues(row.topic).iter().map(|queue| queue_arn(partition, queue)).collect(), None),
            On::QueueKey => self.keys("sqs", self.queues(row.topic).into_iter().map(|(region, _)| Some(region))),
            On::Bucket => {
                (self.objects(row.topic).iter().map(|objects| format!("arn:{partition}:s3:::{}", objects.bucket)).collect(), None)
            }
            On::Objects => {
                let arn = |objects: &Objects| format!("arn:{partition}:s3:::{}/{}", objects.bucket, objects.keys);
                (self.objects(row.topic).iter().map(arn).collect(), None)
            }
            On::ObjectKey => self.keys("s3", self.objects(row.topic).into_iter().map(|objects| objects.region)),
            On::Roles => (self.roles(), None),
            On::Regions => {
                let regions = self.regions(row.topic)?;
                let condition = (!regions.is_empty()).then_some(("StringEquals", "aws:RequestedRegion", regions));
                (vec!["*".to_owned()], condition)
            }
            On::Anything => (if self.is_on(row.topic) { vec!["*".to_owned()] } else { Vec::new() }, None),
        };
        let resources = once(resources);
        (!resources.is_empty()).then_some((resources, condition))
    }

    /// Regions and URLs of the queues.
    fn queues(&self, topic: Topic) -> Vec<(String, QueueUrl)> {
        let of = |url: &str, region: Option<&String>| {
            let queue = QueueUrl::parse(url)?;
            let region = region.cloned().or_else(|| queue.region.clone()).unwrap_or_else(|| "*".to_owned());
            Some((region, queue))
        };
        if topic == Topic::Letters {
            return match &self.config.dead_letters {
                Some(DeadLetters::Queue { url }) => of(url, None).into_iter().collect(),
                _ => Vec::new(),
            };
        }
        let sources = self.config.sources.iter().filter_map(|source| match (&source.kind, topic) {
            (SourceKind::TrailBucket { queue_url, region, .. }, Topic::Trail)
            | (SourceKind::EventQueue { queue_url, region }, Topic::Events) => of(queue_url, region.as_ref()),
            _ => None,
        });
        sources.collect()
    }

    /// Objects, bucket by bucket.
    fn objects(&self, topic: Topic) -> Vec<Objects> {
        let below = |bucket: &str, prefix: &str| {
            let prefix = prefix.trim_end_matches('/');
            let keys = if prefix.is_empty() { "*".to_owned() } else { format!("{prefix}/*") };
            vec![Objects { bucket: bucket.to_owned(), keys, region: None }]
        };
        match (topic, &self.config.dead_letters, &self.config.state.place) {
            (Topic::Letters, Some(DeadLetters::S3 { bucket, prefix }), _) => below(bucket, prefix),
            (Topic::State, _, Some(StatePlace::S3 { bucket, prefix })) => below(bucket, prefix),
            (Topic::Trail | Topic::Events, ..) => {
                self.config.sources.iter().flat_map(|source| read(&source.kind, topic)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Keys of KMS in these Regions, by way of a service alone.
    fn keys(&self, service: &str, regions: impl Iterator<Item = Option<String>>) -> Ground {
        let regions = once(regions.map(|region| region.unwrap_or_else(|| "*".to_owned())).collect());
        let arn = |region: &String| format!("arn:{}:kms:{region}:*:key/*", self.partition);
        // The end of a service's name is another one in other partitions.
        let via =
            regions.iter().map(|region| if region == "*" { format!("{service}.*") } else { format!("{service}.{region}.*") });
        (regions.iter().map(arn).collect(), Some(("StringLike", "kms:ViaService", via.collect())))
    }

    /// ARNs of the role in each account but the agent's own, which is not known here.
    fn roles(&self) -> Vec<String> {
        let of = |role: Option<&Role>, accounts: &[String], everywhere: bool, home: &str| -> Vec<String> {
            let Some(role) = role else { return Vec::new() };
            if accounts.is_empty() && everywhere {
                return vec![role.arn("*", home)];
            }
            accounts.iter().map(|account| role.arn(account, home)).collect()
        };
        let (posture, identity) = (self.config.posture.as_ref(), self.config.identity.as_ref());
        let posture = posture.map(|it| of(it.role.as_ref(), &it.accounts, false, &it.home)).unwrap_or_default();
        let identity = identity.map(|it| of(it.role.as_ref(), &it.accounts, it.aggregator.is_some(), &it.home));
        posture.into_iter().chain(identity.unwrap_or_default()).collect()
    }

    /// Regions where AWS Config is asked; empty: any.
    fn regions(&self, topic: Topic) -> Option<Vec<String>> {
        let posture = self.config.posture.as_ref()?;
        match (topic, &posture.aggregator) {
            (Topic::Compliance, None) => Some(posture.regions.clone()),
            (Topic::Aggregator, Some(_)) => Some(vec![posture.home.clone()]),
            _ => None,
        }
    }

    fn is_on(&self, topic: Topic) -> bool {
        let Config { identity, accounts, .. } = self.config;
        match topic {
            Topic::Identity => identity.is_some(),
            Topic::LastAccessed => identity.as_ref().is_some_and(|identity| identity.last_accessed),
            Topic::Organizations => accounts.organizations,
            Topic::AccountTags => accounts.organizations && !accounts.tags.is_empty(),
            _ => false,
        }
    }
}

/// What a source reads in buckets.
fn read(source: &SourceKind, topic: Topic) -> Vec<Objects> {
    match (source, topic) {
        (SourceKind::TrailBucket { buckets, region, .. }, Topic::Trail) => {
            let of =
                |bucket: &str, keys: &str| Objects { bucket: bucket.to_owned(), keys: keys.to_owned(), region: region.clone() };
            match &buckets[..] {
                [] => vec![of("*", "AWSLogs/*")],
                // What is before `AWSLogs/` is the customer's prefix, or nothing.
                named => named.iter().map(|bucket| of(bucket, "*AWSLogs/*")).collect(),
            }
        }
        (SourceKind::EventQueue { region, .. }, Topic::Events) => {
            vec![Objects { bucket: "*".to_owned(), keys: "AWSLogs/*/Config/*".to_owned(), region: region.clone() }]
        }
        _ => Vec::new(),
    }
}

fn region_of(source: &SourceKind) -> Option<&str> {
    match source {
        SourceKind::TrailBucket { region, .. } | SourceKind::EventQueue { region, .. } => region.as_deref(),
    }
}

fn queue_arn(partition: &str, (region, queue): &(String, QueueUrl)) -> String {
    format!("arn:{partition}:sqs:{region}:{}:{}", queue.account, queue.name)
}

/// Each once, in the order in which they first come.
fn once(all: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}
