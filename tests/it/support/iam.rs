//! IAM and STS as they answer over the wire (the query protocol's XML), with what the emulators do not do: pages, reports that take
//! time, refusals, jobs.
//!
//! In: accounts, faults. Out: an HTTP server on a port of its own, and what it was asked. What always holds: the account is the one
//! of the credentials that signed; a marker that no page gave is refused; signatures are not checked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use tokio::task::JoinHandle;

/// The account of the agent's own credentials.
pub(crate) const OWN_ACCOUNT: &str = "100000000000";

/// Entries on a page: fewer than asked for, as AWS may answer.
const PAGE: usize = 2;

/// A policy's name and document.
pub(crate) type Document = (&'static str, &'static str);

/// A user or a role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) created: String,
    pub(crate) inline: Vec<Document>,
    pub(crate) attached: Vec<String>,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    /// Of users.
    pub(crate) groups: Vec<&'static str>,
    /// Of roles.
    pub(crate) trust: &'static str,
    /// Of roles: when, in which Region.
    pub(crate) used: Option<(String, &'static str)>,
}

/// What is in an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// The credential report.
    pub(crate) report: String,
    pub(crate) policies: Vec<Document>,
    /// Name, attached, inline.
    pub(crate) groups: Vec<(&'static str, Vec<String>, Vec<Document>)>,
    pub(crate) users: Vec<Who>,
    pub(crate) roles: Vec<Who>,
    /// Services granted and used, by ARN.
    pub(crate) services: BTreeMap<String, (usize, usize)>,
}

/// How an account misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Throttled,
    Denied,
    /// The report is being made (of `GenerateCredentialReport`), or this error's name.
    NotReady(&'static str),
    /// Refused from the second page on.
    DeniedLater,
    /// The same marker again and again.
    Circle,
}

#[derive(Debug, Default)]
struct Inside {
    accounts: BTreeMap<String, Account>,
    faults: BTreeMap<(String, &'static str), (Fault, Option<u32>)>,
    untrusting: Vec<String>,
    /// Account, Region of the signature, action.
    calls: Vec<(String, String, String)>,
    jobs: BTreeMap<String, u32>,
}

/// The stand-in at work.
#[derive(Debug)]
pub(crate) struct IamStandIn {
    inside: Arc<Mutex<Inside>>,
    url: String,
    serving: JoinHandle<()>,
}

impl Drop for IamStandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl IamStandIn {
    /// Begins to serve these accounts.
    pub(crate) async fn of(accounts: impl IntoIterator<Item = (&'static str, Account)>) -> Self {
        let accounts = accounts.into_iter().map(|(id, account)| (id.to_owned(), account)).collect();
        let inside = Arc::new(Mutex::new(Inside { accounts, ..Inside::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inside));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.expect("serving") });
        Self { inside, url, serving }
    }

    /// For `AWS_ENDPOINT_URL_IAM` and `AWS_ENDPOINT_URL_STS`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no test panics here")
    }

    /// Makes an action of an account fail so many times (`None`: for good).
    pub(crate) fn fail(&self, account: &str, action: &'static str, fault: Fault, times: Option<u32>) {
        self.inside().faults.insert((account.to_owned(), action), (fault, times));
    }

    /// No role of this account lets anybody in.
    pub(crate) fn untrusting(&self, account: &str) {
        self.inside().untrusting.push(account.to_owned());
    }

    /// What IAM was asked so far: account, Region of the signature, action.
    pub(crate) fn calls(&self) -> Vec<(String, String, String)> {
        self.inside().calls.clone()
    }

    /// How often an account was asked for an action.
    pub(crate) fn count(&self, account: &str, action: &str) -> usize {
        self.calls().iter().filter(|(of, _, asked)| of == account && asked == action).count()
    }
}

/// Account and Region of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let mut scope = text.split_once("Credential=")?.1.split('/');
    let (key, region) = (scope.next()?, scope.nth(1)?);
    let account = key.strip_prefix("ASIA").and_then(|rest| rest.get(..12)).unwrap_or(OWN_ACCOUNT);
    Some((account.to_owned(), region.to_owned()))
}

async fn answer(State(inside): State<Arc<Mutex<Inside>>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some((account, region)) = signed(&headers) else {
        return refuse(StatusCode::FORBIDDEN, "MissingAuthenticationToken", "no signature");
    };
    if headers.contains_key("x-amz-target") {
        // AWS Config, which is not played here.
        let body = r#"{"__type":"AccessDeniedException","message":"no AWS Config here"}"#;
        return (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body).into_response();
    }
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let action = form.get("Action").cloned().unwrap_or_default();
    let mut inside = inside.lock().expect("no test panics here");
    match action.as_str() {
        "GetCallerIdentity" => {
            let result =
                format!("<Arn>arn:aws:iam::{OWN_ACCOUNT}:user/agent</Arn><UserId>A</UserId><Account>{OWN_ACCOUNT}</Account>");
            return reply(&action, &result);
        }
        "AssumeRole" => return assume_role(&inside, &form),
        _ => {}
    }
    inside.calls.push((account.clone(), region, action.clone()));
    let marker = form.get("Marker").map_or(Some(0), |marker| marker.strip_prefix("page-")?.parse::<usize>().ok());
    let fault = inside.fault(&account, &action, marker != Some(0));
    match fault {
        Some(Fault::Throttled) => return refuse(StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded"),
        Some(Fault::Denied | Fault::DeniedLater) => {
            return refuse(StatusCode::FORBIDDEN, "AccessDenied", &format!("User is not authorized to perform: iam:{action}"));
        }
        Some(Fault::NotReady("STARTED")) => return reply(&action, "<State>STARTED</State>"),
        Some(Fault::NotReady(code)) => return refuse(StatusCode::GONE, code, "not now"),
        Some(Fault::Circle) | None => {}
    }
    let Some(of) = inside.accounts.get(&account).cloned() else {
        return refuse(StatusCode::FORBIDDEN, "AccessDenied", &format!("no account {account}"));
    };
    let Some(page) = marker else { return refuse(StatusCode::BAD_REQUEST, "InvalidInput", "Invalid Marker") };
    match action.as_str() {
        "GenerateCredentialReport" => reply(&action, "<State>COMPLETE</State>"),
        "GetCredentialReport" => {
            let content = base64::engine::general_purpose::STANDARD.encode(&of.report);
            let result = format!("<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>");
            reply(&action, &(result + "<GeneratedTime>2026-11-27T00:00:00Z</GeneratedTime>"))
        }
        "GetAccountAuthorizationDetails" => details(&account, &of, &form, page, fault == Some(Fault::Circle)),
        "GenerateServiceLastAccessedDetails" => {
            let arn = form.get("Arn").cloned().unwrap_or_default();
            inside.jobs.insert(arn.clone(), 0);
            reply(&action, &format!("<JobId>{arn}</JobId>"))
        }
        "GetServiceLastAccessedDetails" => services(&mut inside, &of, &form),
        _ => refuse(StatusCode::BAD_REQUEST, "InvalidAction", &action),
    }
}

impl Inside {
    fn fault(&mut self, account: &str, action: &str, is_later: bool) -> Option<Fault> {
        let fault = self.faults.iter_mut().find(|((of, name), _)| of == account && (*name == action || *name == "*"));
        let (_, (fault, times)) = fault.filter(|(_, (fault, _))| *fault != Fault::DeniedLater || is_later)?;
        match times {
            None => Some(*fault),
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(*fault)
            }
        }
    }
}

fn details(account: &str, of: &Account, form: &BTreeMap<String, String>, page: usize, is_circle: bool) -> Response {
    let wants = |kind: &str| form.iter().any(|(key, value)| key.starts_with("Filter.member.") && value == kind);
    let mut entries: Vec<(&str, String)> = Vec::new();
    // AWS promises no order: groups come before the policies that they have.
    if wants("Group") {
        entries.extend(of.groups.iter().map(|(name, attached, inline)| {
            let own = format!(
                "<GroupName>{name}</GroupName><Arn>arn:aws:iam::{account}:group/{name}</Arn>{}",
                policies("GroupPolicyList", inline)
            );
            ("GroupDetailList", own + &attachments(attached))
        }));
    }
    if wants("LocalManagedPolicy") {
        entries.extend(of.policies.iter().map(|(name, document)| {
            let version = |id: &str, is_default: bool, document: &str| {
                format!(
                    "<member><Document>{}</Document><VersionId>{id}</VersionId><IsDefaultVersion>{is_default}</IsDefaultVersion></member>",
                    encoded(document)
                )
            };
            // The version that counts is not the last, and not the first.
            let broad = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
            let versions = version("v3", false, broad) + &version("v2", true, document) + &version("v1", false, broad);
            let own = format!("<PolicyName>{name}</PolicyName><Arn>arn:aws:iam::{account}:policy/{name}</Arn>");
            ("Policies", format!("{own}<DefaultVersionId>v2</DefaultVersionId><PolicyVersionList>{versions}</PolicyVersionList>"))
        }));
    }
    if wants("User") {
        entries.extend(of.users.iter().map(|user| {
            let groups = user.groups.iter().fold(String::new(), |all, group| all + &format!("<member>{group}</member>"));
            let own = principal(account, user, "User", "user");
            ("UserDetailList", format!("{own}<GroupList>{groups}</GroupList>"))
        }));
    }
    if wants("Role") {
        entries.extend(of.roles.iter().map(|role| {
            let used = role
                .used
                .as_ref()
                .map_or_else(String::new, |(at, region)| format!("<LastUsedDate>{at}</LastUsedDate><Region>{region}</Region>"));
            let trust = encoded(role.trust);
            let own = principal(account, role, "Role", "role");
            (
                "RoleDetailList",
                format!("{own}<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><RoleLastUsed>{used}</RoleLastUsed>"),
            )
        }));
    }
    let mut lists: BTreeMap<&str, String> = BTreeMap::new();
    for (list, entry) in entries.iter().skip(page * PAGE).take(PAGE) {
        write!(lists.entry(list).or_default(), "<member>{entry}</member>").expect("text");
    }
    let mut result = String::new();
    for (list, entries) in &lists {
        write!(result, "<{list}>{entries}</{list}>").expect("text");
    }
    let next = if is_circle { 1 } else { page + 1 };
    if is_circle || next * PAGE < entries.len() {
        write!(result, "<IsTruncated>true</IsTruncated><Marker>page-{next}</Marker>").expect("text");
    } else {
        result += "<IsTruncated>false</IsTruncated>";
    }
    reply("GetAccountAuthorizationDetails", &result)
}

fn principal(account: &str, who: &Who, kind: &str, word: &str) -> String {
    let (name, path) = (who.name, if who.path.is_empty() { "/" } else { who.path });
    let mut xml =
        format!("<{kind}Name>{name}</{kind}Name><Path>{path}</Path><Arn>arn:aws:iam::{account}:{word}{path}{name}</Arn>");
    write!(xml, "<CreateDate>{}</CreateDate>", who.created).expect("text");
    xml += &policies(&format!("{kind}PolicyList"), &who.inline);
    xml += &attachments(&who.attached);
    if let Some(arn) = &who.boundary {
        write!(xml, "<PermissionsBoundary><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>")
            .expect("text");
    }
    let tags = who.tags.iter().map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    xml + &format!("<Tags>{}</Tags>", tags.collect::<String>())
}

fn policies(list: &str, documents: &[Document]) -> String {
    let members = documents.iter().map(|(name, document)| {
        format!("<member><PolicyName>{name}</PolicyName><PolicyDocument>{}</PolicyDocument></member>", encoded(document))
    });
    format!("<{list}>{}</{list}>", members.collect::<String>())
}

fn attachments(arns: &[String]) -> String {
    let members = arns.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        format!("<member><PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn></member>")
    });
    format!("<AttachedManagedPolicies>{}</AttachedManagedPolicies>", members.collect::<String>())
}

fn services(inside: &mut Inside, of: &Account, form: &BTreeMap<String, String>) -> Response {
    const ACTION: &str = "GetServiceLastAccessedDetails";
    let arn = form.get("JobId").cloned().unwrap_or_default();
    let Some(looks) = inside.jobs.get_mut(&arn) else { return refuse(StatusCode::NOT_FOUND, "NoSuchEntity", "no such job") };
    *looks += 1;
    let times =
        "<JobCreationDate>2026-11-27T00:00:00Z</JobCreationDate><JobCompletionDate>2026-11-27T00:00:00Z</JobCompletionDate>";
    if *looks == 1 {
        return reply(ACTION, &format!("<JobStatus>IN_PROGRESS</JobStatus>{times}<ServicesLastAccessed/>"));
    }
    let (granted, used) = of.services.get(&arn).copied().unwrap_or_default();
    let members = (0..granted).map(|number| {
        let last = if number < used { "<LastAuthenticated>2026-11-01T00:00:00Z</LastAuthenticated>" } else { "" };
        format!("<member><ServiceName>s{number}</ServiceName><ServiceNamespace>s{number}</ServiceNamespace>{last}</member>")
    });
    let members: String = members.collect();
    reply(ACTION, &format!("<JobStatus>COMPLETED</JobStatus>{times}<ServicesLastAccessed>{members}</ServicesLastAccessed>"))
}

fn assume_role(inside: &Inside, form: &BTreeMap<String, String>) -> Response {
    let arn = form.get("RoleArn").cloned().unwrap_or_default();
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    if inside.untrusting.contains(&account) {
        let message = format!("not authorized to perform: sts:AssumeRole on resource: {arn}");
        return refuse(StatusCode::FORBIDDEN, "AccessDenied", &message);
    }
    let credentials = format!(
        "<Credentials><AccessKeyId>ASIA{account}TEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    );
    let user = format!("<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>");
    reply("AssumeRole", &(credentials + &user))
}

/// Percent-encoded, as IAM writes documents.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => all.push(char::from(byte)),
            _ => write!(all, "%{byte:02X}").expect("text"),
        }
        all
    })
}

fn reply(action: &str, result: &str) -> Response {
    let body = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    (StatusCode::OK, [("content-type", "text/xml")], body).into_response()
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    (status, [("content-type", "text/xml")], body).into_response()
}
