//! AWS Config and STS as they answer over the wire, for an organization that is made up as it is asked about.
//!
//! In: the size of a fleet, changes, faults. Out: an HTTP server on a port of its own, and what it was asked. What always holds: the
//! account is the one of the credentials that signed, the Region that of the signature's scope; signatures are not checked. It
//! uses nothing of the other test support, so that the benchmarks can include it.

pub(crate) mod answers;
pub(crate) mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use cspm_relay::record::AccountRegion;
use serde_json::{Value, json};
use tokio::time::Instant;

use answers::Asked;
use fleet::{Fleet, Size};

/// The account of the agent's own credentials: whatever key is not one that the stand-in gave out.
pub(crate) const OWN_ACCOUNT: &str = "100000000000";

/// How a place misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `ThrottlingException`
    Throttled,
    /// `AccessDeniedException`
    Denied,
    /// What a Region says that the account has not enabled.
    NotEnabled,
    /// 500 with a page of HTML, as moto answers what it does not play.
    Html,
    /// A pack was deleted after it was listed.
    PackGone,
    /// The same token again and again.
    Circle,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) place: AccountRegion,
    pub(crate) operation: String,
    /// The exception's name; `None`: it was answered.
    pub(crate) refused: Option<&'static str>,
}

/// A role that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taken {
    pub(crate) arn: String,
    pub(crate) session: String,
    pub(crate) external_id: Option<String>,
    pub(crate) region: String,
}

#[derive(Debug)]
struct Inside {
    fleet: Fleet,
    calls: Vec<Call>,
    taken: Vec<Taken>,
    /// By place and operation (`*`: every one); `None`: for good.
    faults: BTreeMap<(AccountRegion, String), (Fault, Option<u32>)>,
    empty_first: BTreeSet<AccountRegion>,
    unrecorded: BTreeSet<AccountRegion>,
    untrusting: BTreeSet<String>,
    /// Calls in any second of one place, beyond which it throttles.
    most_per_second: Option<usize>,
    aggregator: Option<(String, AccountRegion)>,
}

/// The running stand-in; it ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct ConfigStandIn {
    inside: Arc<Mutex<Inside>>,
    url: String,
    _serving: Arc<Serving>,
}

#[derive(Debug)]
struct Serving(tokio::task::JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ConfigStandIn {
    /// Begins to serve a fleet of this size.
    pub(crate) async fn start(size: Size) -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            fleet: Fleet::new(size),
            calls: Vec::new(),
            taken: Vec::new(),
            faults: BTreeMap::new(),
            empty_first: BTreeSet::new(),
            unrecorded: BTreeSet::new(),
            untrusting: BTreeSet::new(),
            most_per_second: None,
            aggregator: None,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&inside));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { inside, url, _serving: Arc::new(Serving(serving)) }
    }

    /// For `AWS_ENDPOINT_URL_CONFIG_SERVICE` and `AWS_ENDPOINT_URL_STS`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Looks at the fleet.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Fleet) -> T) -> T {
        look(&lock(&self.inside).fleet)
    }

    /// Changes the fleet: an evaluation is put, a rule or a resource is deleted.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Fleet)) {
        change(&mut lock(&self.inside).fleet);
    }

    /// Makes an operation (`*`: every one) of a place fail so many times (`None`: for good).
    pub(crate) fn fail(&self, place: &AccountRegion, operation: &str, fault: Fault, times: Option<u32>) {
        lock(&self.inside).faults.insert((place.clone(), operation.to_owned()), (fault, times));
    }

    /// Lists of this place begin with an empty page that has a token.
    pub(crate) fn empty_first(&self, place: &AccountRegion) {
        lock(&self.inside).empty_first.insert(place.clone());
    }

    /// This place does not record how its resources are judged.
    pub(crate) fn unrecorded(&self, place: &AccountRegion) {
        lock(&self.inside).unrecorded.insert(place.clone());
    }

    /// No role of this account lets anybody in.
    pub(crate) fn untrusting(&self, account: &str) {
        lock(&self.inside).untrusting.insert(account.to_owned());
    }

    /// Throttles whoever asks a place more often within a second.
    pub(crate) fn throttle_above(&self, most_per_second: usize) {
        lock(&self.inside).most_per_second = Some(most_per_second);
    }

    /// Sets an aggregator up.
    pub(crate) fn aggregate(&self, name: &str, home: &AccountRegion) {
        lock(&self.inside).aggregator = Some((name.to_owned(), home.clone()));
    }

    /// What AWS Config was asked so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.inside).calls.clone()
    }

    /// How often a place was asked for an operation.
    pub(crate) fn count(&self, place: &AccountRegion, operation: &str) -> usize {
        lock(&self.inside).calls.iter().filter(|call| call.place == *place && call.operation == operation).count()
    }

    /// The roles that were asked for, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        lock(&self.inside).taken.clone()
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Key and Region of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let mut scope = text.split_once("Credential=")?.1.split('/');
    let (key, region) = (scope.next()?, scope.nth(1)?);
    // Keys that were given out come with the token that was given with them.
    let account = key.strip_prefix("ASIA").and_then(|rest| rest.get(..12));
    let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
    let account = match account {
        Some(account) if token == Some(&format!("token-{account}")) => account.to_owned(),
        Some(_) => return None,
        None => OWN_ACCOUNT.to_owned(),
    };
    Some((account, region.to_owned()))
}

async fn serve(State(inside): State<Arc<Mutex<Inside>>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some((account, region)) = signed(&headers) else {
        return refuse("UnrecognizedClientException", "The security token included in the request is invalid.");
    };
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(operation) = target.and_then(|target| target.strip_prefix("StarlingDoveService.")) else {
        return assume_role(&mut lock(&inside), &region, &body);
    };
    let place = AccountRegion::new(&account, &region);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    config(&mut lock(&inside), place, operation, &body)
}

fn config(inside: &mut Inside, place: AccountRegion, operation: &str, body: &Value) -> Response {
    let at = Instant::now();
    let recent = inside.calls.iter().rev().take_while(|call| at.duration_since(call.at) < Duration::from_secs(1));
    let too_many = inside.most_per_second.is_some_and(|most| recent.filter(|call| call.place == place).count() >= most);
    let fault = if too_many { Some(Fault::Throttled) } else { inside.fault(&place, operation) };
    let answer = match fault {
        Some(Fault::Throttled) => Err(("ThrottlingException", "Rate exceeded".to_owned())),
        Some(Fault::Denied) => Err(("AccessDeniedException", format!("User is not authorized to perform: config:{operation}"))),
        Some(Fault::NotEnabled) => {
            Err(("UnrecognizedClientException", "The security token included in the request is invalid.".to_owned()))
        }
        Some(Fault::PackGone) => Err(("NoSuchConformancePackException", "One or more of the packs do not exist.".to_owned())),
        Some(Fault::Html) => Err(("", String::new())),
        None | Some(Fault::Circle) if inside.fleet.has(&place) => {
            let aggregator = inside.aggregator.as_ref().filter(|(_, home)| *home == place).map(|(name, _)| name.as_str());
            let empty_first = inside.empty_first.contains(&place);
            answers::answer(
                operation,
                Asked { fleet: &inside.fleet, place: &place, body, empty_first, aggregator, unrecorded: &inside.unrecorded },
            )
        }
        None | Some(Fault::Circle) => Err(("AccessDeniedException", format!("{place} is not in the fleet"))),
    };
    let refused = answer.as_ref().err().map(|(name, _)| *name);
    inside.calls.push(Call { at, place, operation: operation.to_owned(), refused });
    match answer {
        Ok(mut page) => {
            if fault == Some(Fault::Circle) {
                page["NextToken"] = json!("0");
            }
            ([("content-type", "application/x-amz-json-1.1")], page.to_string()).into_response()
        }
        Err(("", _)) => {
            let page = "<!doctype html><title>500 Internal Server Error</title>";
            (StatusCode::INTERNAL_SERVER_ERROR, [("content-type", "text/html")], page).into_response()
        }
        Err((name, message)) => refuse(name, &message),
    }
}

impl Inside {
    fn fault(&mut self, place: &AccountRegion, operation: &str) -> Option<Fault> {
        for operation in [operation, "*"] {
            if let Some((fault, times)) = self.faults.get_mut(&(place.clone(), operation.to_owned())) {
                match times {
                    Some(0) => {}
                    Some(times) => {
                        *times -= 1;
                        return Some(*fault);
                    }
                    None => return Some(*fault),
                }
            }
        }
        None
    }
}

fn refuse(name: &str, message: &str) -> Response {
    let body = json!({ "__type": name, "message": message }).to_string();
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body).into_response()
}

/// STS: a key that names the account whose role was taken.
fn assume_role(inside: &mut Inside, region: &str, body: &[u8]) -> Response {
    let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let value = |name: &str| form.get(name).cloned();
    let xml = [("content-type", "text/xml")];
    if value("Action").as_deref() == Some("GetCallerIdentity") {
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{OWN_ACCOUNT}:user/agent</Arn><UserId>AIDA</UserId><Account>{OWN_ACCOUNT}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        return (StatusCode::OK, xml, body).into_response();
    }
    let arn = value("RoleArn").unwrap_or_default();
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let session = value("RoleSessionName").unwrap_or_default();
    inside.taken.push(Taken { arn: arn.clone(), session, external_id: value("ExternalId"), region: region.to_owned() });
    if value("Action").as_deref() != Some("AssumeRole") || inside.untrusting.contains(&account) {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole on \
             resource: {arn}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        );
        return (StatusCode::FORBIDDEN, xml, body).into_response();
    }
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA{account}TEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token-{account}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    );
    (StatusCode::OK, xml, body).into_response()
}
