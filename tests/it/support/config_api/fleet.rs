//! What is deployed where, and how it is judged: a formula, and what a test changed.
//!
//! In: sizes, and changes. Out: rules, evaluations, resources and packs of a place, made when they are asked for: an organization of
//! 600,000 evaluations takes no room.

use std::collections::{BTreeMap, BTreeSet};

use cspm_relay::record::AccountRegion;

/// Types of the resources, by group of rules.
const TYPES: [&str; 3] = ["AWS::S3::Bucket", "AWS::EC2::SecurityGroup", "AWS::IAM::Role"];

/// 2026-11-21T20:00:00Z, milliseconds: when everything was judged that nobody changed.
pub(crate) const JUDGED_MS: i64 = 1_795_291_200_000;

/// How large an organization is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) accounts: u32,
    pub(crate) regions: &'static [&'static str],
    /// Rules in each account and Region.
    pub(crate) rules: u32,
    /// Resources that each rule judges.
    pub(crate) resources: u32,
    /// So many rules judge the same resources.
    pub(crate) shared_by: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self { accounts: 2, regions: &["eu-west-1"], rules: 3, resources: 4, shared_by: 2 }
    }
}

/// A rule as it is deployed.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// The managed rule's id; `None`: a rule of the customer's own.
    pub(crate) identifier: Option<String>,
    /// `ConfigRuleState`
    pub(crate) state: &'static str,
}

/// An evaluation, in AWS's words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) resource_type: String,
    pub(crate) resource_id: String,
    pub(crate) state: String,
    pub(crate) recorded_ms: i64,
    pub(crate) annotation: Option<String>,
}

/// A conformance pack and its rules' states.
#[derive(Debug, Clone)]
pub(crate) struct PackOf {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) rules: Vec<(String, String)>,
}

/// Type and id.
type Resource = (String, String);

/// Changes of one place.
#[derive(Debug, Clone, Default)]
struct Changes {
    added: Vec<Rule>,
    /// Rules that are gone (`None`) or in another state.
    states: BTreeMap<String, Option<&'static str>>,
    /// By rule, type and id.
    judged: BTreeMap<(String, String, String), Judged>,
    gone: BTreeSet<Resource>,
    failing: BTreeMap<String, (String, String)>,
    packs: Vec<PackOf>,
}

/// An organization.
#[derive(Debug)]
pub(crate) struct Fleet {
    size: Size,
    changes: BTreeMap<AccountRegion, Changes>,
}

impl Fleet {
    pub(crate) fn new(size: Size) -> Self {
        Self { size, changes: BTreeMap::new() }
    }

    /// The id of an account.
    pub(crate) fn account(number: u32) -> String {
        format!("{:012}", 100_000_000_000_u64 + u64::from(number))
    }

    /// Every place, account by account.
    pub(crate) fn places(&self) -> Vec<AccountRegion> {
        let accounts = (0..self.size.accounts).map(Self::account);
        accounts.flat_map(|account| self.size.regions.iter().map(move |region| AccountRegion::new(&account, region))).collect()
    }

    pub(crate) fn has(&self, place: &AccountRegion) -> bool {
        self.number(place).is_some()
    }

    /// The place's number, which the formula needs.
    fn number(&self, place: &AccountRegion) -> Option<u32> {
        let account = u32::try_from(place.account.parse::<u64>().ok()?.checked_sub(100_000_000_000)?).ok()?;
        let regions = u32::try_from(self.size.regions.len()).ok()?;
        let region = u32::try_from(self.size.regions.iter().position(|region| **region == *place.region)?).ok()?;
        (account < self.size.accounts).then_some(account * regions + region)
    }

    pub(crate) fn rules(&self, place: &AccountRegion) -> Vec<Rule> {
        let changes = self.changes.get(place);
        let formula = (0..self.size.rules).map(|number| Rule {
            name: format!("rule-{number:03}"),
            identifier: (number % 10 != 9).then(|| format!("MANAGED_RULE_{number}")),
            state: "ACTIVE",
        });
        let added = changes.map(|changes| changes.added.clone()).unwrap_or_default();
        let mut rules: Vec<Rule> = formula.chain(added).collect();
        if let Some(changes) = changes {
            rules.retain_mut(|rule| match changes.states.get(&rule.name) {
                None => true,
                Some(None) => false,
                Some(Some(state)) => {
                    rule.state = state;
                    true
                }
            });
        }
        rules
    }

    /// How a rule judges, sorted by nothing in particular; `None`: there is no such rule.
    pub(crate) fn evaluations(&self, place: &AccountRegion, rule: &str) -> Option<Vec<Judged>> {
        let place_number = self.number(place)?;
        self.rules(place).into_iter().find(|deployed| deployed.name == rule)?;
        let number: Option<u32> = rule.strip_prefix("rule-").and_then(|number| number.parse().ok());
        let formula = number.filter(|number| *number < self.size.rules).map_or(0, |_| self.size.resources);
        let mut judged: BTreeMap<Resource, Judged> = BTreeMap::new();
        for resource in 0..formula {
            let number = number.unwrap_or_default();
            let group = number / self.size.shared_by.max(1);
            let state = match (place_number * 31 + number * 7 + resource) % 10 {
                0 | 1 => "NON_COMPLIANT",
                9 => "NOT_APPLICABLE",
                _ => "COMPLIANT",
            };
            let resource_type = TYPES[group as usize % TYPES.len()].to_owned();
            let resource_id = format!("group-{group}-resource-{resource:03}");
            let annotation = (state == "NON_COMPLIANT").then(|| "not as it should be".to_owned());
            let one = Judged { resource_type, resource_id, state: state.to_owned(), recorded_ms: JUDGED_MS, annotation };
            judged.insert((one.resource_type.clone(), one.resource_id.clone()), one);
        }
        if let Some(changes) = self.changes.get(place) {
            let of_rule = changes.judged.iter().filter(|((of, ..), _)| of == rule);
            judged.extend(of_rule.map(|((_, kind, id), one)| ((kind.clone(), id.clone()), one.clone())));
            judged.retain(|resource, _| !changes.gone.contains(resource));
        }
        Some(judged.into_values().collect())
    }

    /// Each resource with the rules that find it compliant or not: what the resource type `ResourceCompliance` records.
    pub(crate) fn resources(&self, place: &AccountRegion) -> BTreeMap<Resource, Vec<(String, String)>> {
        let mut resources: BTreeMap<Resource, Vec<(String, String)>> = BTreeMap::new();
        for rule in self.rules(place) {
            for one in self.evaluations(place, &rule.name).unwrap_or_default() {
                if one.state != "NOT_APPLICABLE" {
                    resources.entry((one.resource_type, one.resource_id)).or_default().push((rule.name.clone(), one.state));
                }
            }
        }
        resources
    }

    pub(crate) fn failing(&self, place: &AccountRegion, rule: &str) -> Option<(String, String)> {
        self.changes.get(place)?.failing.get(rule).cloned()
    }

    pub(crate) fn packs(&self, place: &AccountRegion) -> Vec<PackOf> {
        self.changes.get(place).map(|changes| changes.packs.clone()).unwrap_or_default()
    }

    pub(crate) fn put(&mut self, place: &AccountRegion, rule: &str, one: Judged) {
        let key = (rule.to_owned(), one.resource_type.clone(), one.resource_id.clone());
        let changes = self.change(place);
        changes.gone.remove(&(one.resource_type.clone(), one.resource_id.clone()));
        changes.judged.insert(key, one);
    }

    pub(crate) fn add_rule(&mut self, place: &AccountRegion, rule: Rule) {
        self.change(place).added.push(rule);
    }

    /// `None`: the rule is gone.
    pub(crate) fn set_rule(&mut self, place: &AccountRegion, rule: &str, state: Option<&'static str>) {
        self.change(place).states.insert(rule.to_owned(), state);
    }

    pub(crate) fn delete_resource(&mut self, place: &AccountRegion, resource_type: &str, resource_id: &str) {
        self.change(place).gone.insert((resource_type.to_owned(), resource_id.to_owned()));
    }

    pub(crate) fn fail_rule(&mut self, place: &AccountRegion, rule: &str, code: &str, message: &str) {
        self.change(place).failing.insert(rule.to_owned(), (code.to_owned(), message.to_owned()));
    }

    pub(crate) fn add_pack(&mut self, place: &AccountRegion, pack: PackOf) {
        self.change(place).packs.push(pack);
    }

    fn change(&mut self, place: &AccountRegion) -> &mut Changes {
        assert!(self.has(place), "{place} is not in the fleet");
        self.changes.entry(place.clone()).or_default()
    }
}
