//! The answers of AWS Config: page sizes, tokens, limits and words as its API model has them.
//!
//! In: an operation, its JSON, the fleet. Out: the JSON of one page, or the name of an exception. A token is the number of the
//! next item; the real ones say nothing.

use std::collections::BTreeSet;

use cspm_relay::record::AccountRegion;
use serde_json::{Value, json};

use super::fleet::{Fleet, JUDGED_MS, Judged};

/// Rules on a page of `DescribeConfigRules`, which takes no limit.
const RULES_PAGE: usize = 25;
/// Contributors beyond this many are not counted.
const CAP: usize = 25;

/// An exception: its name and message.
pub(crate) type Refusal = (&'static str, String);

/// What the answers depend on, beside the fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) place: &'a AccountRegion,
    pub(crate) body: &'a Value,
    /// Lists begin with an empty page that has a token.
    pub(crate) empty_first: bool,
    /// The aggregator here, if there is one.
    pub(crate) aggregator: Option<&'a str>,
    /// Places that do not record how their resources are judged.
    pub(crate) unrecorded: &'a BTreeSet<AccountRegion>,
}

/// The answer to one operation.
pub(crate) fn answer(operation: &str, asked: Asked<'_>) -> Result<Value, Refusal> {
    match operation {
        "DescribeConfigRules" => asked.rules(),
        "GetComplianceDetailsByConfigRule" => asked.details(),
        "DescribeConfigRuleEvaluationStatus" => asked.statuses(),
        "DescribeConformancePacks" => asked.packs(),
        "GetConformancePackComplianceSummary" => asked.pack_summaries(),
        "DescribeConformancePackCompliance" => asked.pack_rules(),
        "DescribeAggregateComplianceByConfigRules" => asked.aggregate_rules(),
        "GetAggregateComplianceDetailsByConfigRule" => asked.aggregate_details(),
        "DescribeAggregateComplianceByConformancePacks" => asked.aggregate_packs(),
        "SelectAggregateResourceConfig" => asked.select(),
        _ => Err(("UnknownOperationException", format!("{operation} is not played here"))),
    }
}

impl Asked<'_> {
    fn rules(&self) -> Result<Value, Refusal> {
        self.page("ConfigRules", "NextToken", RULES_PAGE, self.fleet.rules(self.place), |rule| {
            json!({
                "ConfigRuleName": rule.name,
                "ConfigRuleArn": self.arn(&rule.name),
                "ConfigRuleId": format!("config-rule-{}", rule.name),
                "Source": match &rule.identifier {
                    Some(identifier) => json!({ "Owner": "AWS", "SourceIdentifier": identifier }),
                    None => json!({ "Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "arn:aws:lambda:eu-west-1:1:function:f" }),
                },
                "ConfigRuleState": rule.state,
            })
        })
    }

    fn details(&self) -> Result<Value, Refusal> {
        let limit = self.limit("Limit", 100, 10)?;
        let rule = self.text("ConfigRuleName")?;
        let judged = self.fleet.evaluations(self.place, rule).ok_or_else(|| no_rule(rule))?;
        self.page("EvaluationResults", "NextToken", limit, judged, |one| result(rule, one))
    }

    fn statuses(&self) -> Result<Value, Refusal> {
        let limit = self.limit("Limit", 50, 50)?;
        self.page("ConfigRulesEvaluationStatus", "NextToken", limit, self.fleet.rules(self.place), |rule| {
            let run = seconds(JUDGED_MS);
            let mut status = json!({
                "ConfigRuleName": rule.name, "ConfigRuleArn": self.arn(&rule.name), "FirstEvaluationStarted": true,
                "LastSuccessfulInvocationTime": run, "LastSuccessfulEvaluationTime": run,
                // A failure long ago: its code stays.
                "LastFailedEvaluationTime": run - 86_400.0, "LastErrorCode": "InternalError",
            });
            if let Some((code, message)) = self.fleet.failing(self.place, &rule.name) {
                status["LastFailedEvaluationTime"] = json!(run + 3_600.0);
                status["LastErrorCode"] = json!(code);
                status["LastErrorMessage"] = json!(message);
            }
            status
        })
    }

    fn packs(&self) -> Result<Value, Refusal> {
        let limit = self.limit("Limit", 20, 20)?;
        self.page("ConformancePackDetails", "NextToken", limit, self.fleet.packs(self.place), |pack| {
            json!({ "ConformancePackName": pack.name, "ConformancePackArn": "arn:aws:config:r:a:conformance-pack/p/i", "ConformancePackId": "i" })
        })
    }

    fn pack_summaries(&self) -> Result<Value, Refusal> {
        let limit = self.limit("Limit", 20, 20)?;
        let names: Vec<&str> =
            self.body["ConformancePackNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.is_empty() || names.len() > 5 {
            return Err(("ValidationException", "conformancePackNames: Member must have length between 1 and 5".to_owned()));
        }
        let packs = self.fleet.packs(self.place);
        if let Some(name) = names.iter().find(|name| !packs.iter().any(|pack| pack.name == **name)) {
            return Err(("NoSuchConformancePackException", format!("there is no pack {name}")));
        }
        let named = packs.into_iter().filter(|pack| names.contains(&pack.name.as_str())).collect();
        self.page(
            "ConformancePackComplianceSummaryList",
            "NextToken",
            limit,
            named,
            |pack| json!({ "ConformancePackName": pack.name, "ConformancePackComplianceStatus": pack.state }),
        )
    }

    fn pack_rules(&self) -> Result<Value, Refusal> {
        let limit = self.limit("Limit", 1_000, 1_000)?;
        let name = self.text("ConformancePackName")?;
        let pack = self.fleet.packs(self.place).into_iter().find(|pack| pack.name == name);
        let pack = pack.ok_or_else(|| ("NoSuchConformancePackException", format!("there is no pack {name}")))?;
        let mut page = self.page(
            "ConformancePackRuleComplianceList",
            "NextToken",
            limit,
            pack.rules,
            |(rule, state)| json!({ "ConfigRuleName": rule, "ComplianceType": state, "Controls": [] }),
        )?;
        page["ConformancePackName"] = json!(name);
        Ok(page)
    }

    fn aggregate_rules(&self) -> Result<Value, Refusal> {
        self.aggregator()?;
        let limit = self.limit("Limit", 1_000, 1_000)?;
        let account = self.body["Filters"]["AccountId"].as_str();
        self.walk("AggregateComplianceByConfigRules", limit, account, |place| {
            let rules = self.fleet.rules(place).into_iter();
            let rows = rules.filter_map(|rule| {
                let judged = self.fleet.evaluations(place, &rule.name)?;
                let count = |state: &str| judged.iter().filter(|one| one.state == state).count();
                let (broken, kept) = (count("NON_COMPLIANT"), count("COMPLIANT"));
                // Rules without results are not listed.
                let (state, contributors) = if broken > 0 { ("NON_COMPLIANT", broken) } else { ("COMPLIANT", kept) };
                (contributors > 0).then(|| {
                    json!({
                        "ConfigRuleName": rule.name, "AccountId": place.account, "AwsRegion": place.region,
                        "Compliance": {
                            "ComplianceType": state,
                            "ComplianceContributorCount": { "CappedCount": contributors.min(CAP), "CapExceeded": contributors > CAP },
                        },
                    })
                })
            });
            rows.collect()
        })
    }

    fn aggregate_details(&self) -> Result<Value, Refusal> {
        self.aggregator()?;
        let limit = self.limit("Limit", 100, 50)?;
        let rule = self.text("ConfigRuleName")?;
        let place = AccountRegion::new(self.text("AccountId")?, self.text("AwsRegion")?);
        // A rule that the aggregator does not know has no results; it is no error.
        let mut judged = self.fleet.evaluations(&place, rule).unwrap_or_default();
        judged.retain(|one| matches!(one.state.as_str(), "COMPLIANT" | "NON_COMPLIANT"));
        self.page("AggregateEvaluationResults", "NextToken", limit, judged, |one| {
            let mut result = result(rule, one);
            result["AccountId"] = json!(place.account);
            result["AwsRegion"] = json!(place.region);
            result
        })
    }

    fn aggregate_packs(&self) -> Result<Value, Refusal> {
        self.aggregator()?;
        let limit = self.limit("Limit", 100, 100)?;
        self.walk("AggregateComplianceByConformancePacks", limit, None, |place| {
            let rows = self.fleet.packs(place).into_iter().map(|pack| {
                let count = |state: &str| pack.rules.iter().filter(|(_, of)| of == state).count();
                json!({
                    "ConformancePackName": pack.name, "AccountId": place.account, "AwsRegion": place.region,
                    "Compliance": {
                        "ComplianceType": pack.state, "CompliantRuleCount": count("COMPLIANT"),
                        "NonCompliantRuleCount": count("NON_COMPLIANT"), "TotalRuleCount": pack.rules.len(),
                    },
                })
            });
            rows.collect()
        })
    }

    fn select(&self) -> Result<Value, Refusal> {
        self.aggregator()?;
        let limit = self.limit("Limit", 100, 25)?;
        let query = self.text("Expression")?;
        let wanted =
            ["SELECT ", " configuration.configRuleList.configRuleName", "resourceType = 'AWS::Config::ResourceCompliance'"];
        if query.len() > 4_096 || !wanted.iter().all(|part| query.contains(part)) {
            return Err(("InvalidExpressionException", "only one query is played here".to_owned()));
        }
        let account = query.split_once("accountId = '").and_then(|(_, rest)| rest.split('\'').next());
        self.walk("Results", limit, account, |place| {
            if self.unrecorded.contains(place) {
                return Vec::new();
            }
            let resources = self.fleet.resources(place).into_iter();
            let rows = resources.map(|((kind, id), rules)| {
                let rules: Vec<Value> = rules
                    .into_iter()
                    .map(|(name, state)| json!({ "configRuleName": name, "complianceType": state }))
                    .collect();
                let row = json!({
                    "accountId": place.account, "awsRegion": place.region, "configurationItemCaptureTime": "2026-11-21T20:00:01.500Z",
                    "configuration": { "targetResourceType": kind, "targetResourceId": id, "configRuleList": rules },
                });
                Value::String(row.to_string())
            });
            rows.collect()
        })
    }

    fn aggregator(&self) -> Result<(), Refusal> {
        let name = self.text("ConfigurationAggregatorName")?;
        if self.aggregator == Some(name) {
            return Ok(());
        }
        Err(("NoSuchConfigurationAggregatorException", format!("there is no aggregator {name}")))
    }

    /// One page of a list that goes over all places.
    fn walk(
        &self,
        list: &str,
        limit: usize,
        account: Option<&str>,
        of: impl Fn(&AccountRegion) -> Vec<Value>,
    ) -> Result<Value, Refusal> {
        let places = self.fleet.places();
        let places: Vec<_> =
            places.into_iter().filter(|place| account.is_none_or(|account| *place.account == *account)).collect();
        let (mut at, mut from) = match self.token()? {
            None if self.empty_first => return Ok(json!({ list: [], "NextToken": "0/0" })),
            None => (0, 0),
            Some(token) => {
                token.split_once('/').and_then(|(at, from)| Some((at.parse().ok()?, from.parse().ok()?))).ok_or_else(bad_token)?
            }
        };
        let mut rows = Vec::new();
        while let Some(place) = places.get(at) {
            let here = of(place);
            let taken = here.len().saturating_sub(from).min(limit - rows.len());
            rows.extend(here.iter().skip(from).take(taken).cloned());
            from += taken;
            if from < here.len() {
                break;
            }
            (at, from) = (at + 1, 0);
            if rows.len() == limit {
                break;
            }
        }
        let mut page = json!({ list: rows });
        if at < places.len() {
            page["NextToken"] = json!(format!("{at}/{from}"));
        }
        Ok(page)
    }

    /// One page of a list of this place.
    fn page<T>(&self, list: &str, next: &str, limit: usize, items: Vec<T>, row: impl Fn(&T) -> Value) -> Result<Value, Refusal> {
        let from: usize = match self.token()? {
            None if self.empty_first => return Ok(json!({ list: [], next: "0" })),
            None => 0,
            Some(token) => token.parse().map_err(|_| bad_token())?,
        };
        let rows: Vec<Value> = items.iter().skip(from).take(limit).map(row).collect();
        let mut page = json!({ list: rows });
        if from + limit < items.len() {
            page[next] = json!((from + limit).to_string());
        }
        Ok(page)
    }

    fn token(&self) -> Result<Option<&str>, Refusal> {
        match &self.body["NextToken"] {
            Value::Null => Ok(None),
            Value::String(token) => Ok(Some(token)),
            _ => Err(bad_token()),
        }
    }

    fn limit(&self, name: &str, most: usize, default: usize) -> Result<usize, Refusal> {
        match self.body[name].as_i64() {
            None | Some(0) => Ok(default),
            Some(limit) => usize::try_from(limit).ok().filter(|limit| *limit <= most).ok_or_else(|| {
                let message = format!("Value '{limit}' at '{name}' failed to satisfy constraint: Member must be at most {most}");
                ("ValidationException", message)
            }),
        }
    }

    fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.body[name].as_str().ok_or_else(|| ("ValidationException", format!("{name} must not be null")))
    }

    fn arn(&self, rule: &str) -> String {
        format!("arn:aws:config:{}:{}:config-rule/config-rule-{rule}", self.place.region, self.place.account)
    }
}

fn result(rule: &str, one: &Judged) -> Value {
    let mut result = json!({
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": rule, "ResourceType": one.resource_type, "ResourceId": one.resource_id, "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": seconds(one.recorded_ms),
        },
        "ComplianceType": one.state,
        "ResultRecordedTime": seconds(one.recorded_ms),
        "ConfigRuleInvokedTime": seconds(one.recorded_ms),
    });
    if let Some(annotation) = &one.annotation {
        result["Annotation"] = json!(annotation);
    }
    result
}

/// Times are seconds with a fraction.
fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
    let ms = ms as f64;
    ms / 1_000.0
}

fn no_rule(rule: &str) -> Refusal {
    ("NoSuchConfigRuleException", format!("The ConfigRule '{rule}' provided in the request is invalid."))
}

fn bad_token() -> Refusal {
    ("InvalidNextTokenException", "The specified next token is not valid.".to_owned())
}
