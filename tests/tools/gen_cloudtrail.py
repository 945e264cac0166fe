#!/usr/bin/env python3
"""Scale the real CloudTrail mix of tests/fixtures/cloudtrail up to any size (stdlib only).

Every real record there is a template. A made record keeps its template's service, call, error,
parameters and shape, and gets a new account, Region, principal, address, time and ids.
The same arguments always give the same bytes.

  gen_cloudtrail.py --out DIR [--records 20000] [--days 28] [--accounts 12] [--format s3]

Formats: s3       AWSLogs/... .json.gz files as a trail writes them (default)
         jsonl    OUT/cloudtrail.jsonl, one record a line
         cwlogs   OUT/cwlogs.jsonl, one CloudWatch Logs FilterLogEvents entry a line
         events   OUT/events.jsonl, one EventBridge envelope a line
Always writes OUT/truth.json: exact counts a dashboard or a rule must reproduce.
"""
import argparse, collections, datetime as dt, glob, gzip, hashlib, json, math, os, random, sys, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = dt.timezone.utc
REGIONS = ["us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-2", "us-east-2",
           "eu-west-2", "ap-northeast-1", "ca-central-1", "sa-east-1"]
GLOBAL_SOURCES = {"iam.amazonaws.com", "sts.amazonaws.com", "organizations.amazonaws.com",
                  "cloudfront.amazonaws.com", "route53.amazonaws.com", "signin.amazonaws.com"}
NAMES = ["amara", "bao", "chidi", "dana", "elif", "farid", "greta", "hiro", "ines", "jonas", "kavya",
         "lars", "mila", "noor", "otto", "priya", "quinn", "rosa", "sami", "tove", "uma", "viktor",
         "wen", "ximena", "yara", "zane"]
ROLES = ["deploy-pipeline", "platform-admin", "read-only-audit", "data-etl", "eks-node", "web-task",
         "backup-runner", "config-recorder", "security-audit", "support-breakglass", "batch-worker",
         "lambda-orders", "lambda-billing", "terraform-apply", "observability-agent"]
HOUR = [.35, .3, .28, .27, .28, .35, .5, .8, 1.25, 1.7, 1.85, 1.8, 1.55, 1.7, 1.85, 1.8, 1.6, 1.25, .95,
        .75, .65, .55, .48, .4]
DAY = [1.15, 1.2, 1.2, 1.15, 1.05, .62, .63]
AGENTS = ["aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 lang/python#3.12", "console.amazonaws.com",
          "Boto3/1.35.40 md/Botocore#1.35.40 ua/2.0 os/linux#6.1", "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22",
          "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)"]
B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def rng_for(*key):
    return random.Random(hashlib.sha256(":".join(map(str, key)).encode()).digest())


def rid(r, prefix=""):
    return prefix + "".join(r.choice(B32) for _ in range(9)) + "EXAMPLE"


def rip(r):
    return "%s.%d" % (r.choice(["192.0.2", "198.51.100", "203.0.113"]), r.randint(1, 254))


def new_uuid(r):
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


def iso(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


class Templates:
    """Real records grouped by (source, name, error); weight = count ** flatten."""

    def __init__(self, folder, flatten):
        groups, self.rows = collections.OrderedDict(), 0
        for path in sorted(glob.glob(os.path.join(folder, "AWSLogs", "**", "*.json.gz"), recursive=True)):
            with gzip.open(path) as f:
                for rec in json.load(f)["Records"]:
                    key = (rec["eventSource"], rec["eventName"], rec.get("errorCode") or "")
                    text = json.dumps(rec, separators=(",", ":"), ensure_ascii=False)
                    text = text.replace(rec["recipientAccountId"], "\x01").replace(rec["awsRegion"], "\x02")
                    groups.setdefault(key, []).append(text)
                    self.rows += 1
        if not groups:
            raise SystemExit("no templates under %s" % folder)
        self.keys = list(groups)
        self.texts = [groups[k] for k in self.keys]
        self.cum, total = [], 0.0
        for k, t in zip(self.keys, self.texts):
            # refused calls and people are over-represented in the sources, services and roles under
            kind = sum(4 if '"type":"AWSService"' in x else 3 if '"type":"AssumedRole"' in x else .6
                       for x in t) / len(t)
            total += len(t) ** flatten * kind * (0.25 if k[2] else 1.0)
            self.cum.append(total)


class Account:
    def __init__(self, seed, n, regions):
        r = rng_for(seed, "account", n)
        self.id = "%012d" % (100000000000 + r.randrange(10 ** 11) * 8 % 899999999999)
        self.name = "acct-%02d" % n
        self.users = [(u, "AIDA" + rid(r)) for u in r.sample(NAMES, 8)]
        self.roles = [(x, "AROA" + rid(r)) for x in r.sample(ROLES, 8)]
        self.regions = [regions[0]] + r.sample(regions[1:], min(len(regions) - 1, r.randint(1, 3)))
        self.weight = math.exp(r.gauss(0, .8))
        self.office = rip(r)


def identity(a, s, ui):
    """Give a template's userIdentity the session's principal; the type stays."""
    kind = ui.get("type")
    if kind in ("IAMUser", "FederatedUser", "Unknown"):
        user, pid = s.user
        ui.update(principalId=pid, accountId=a.id, userName=user, arn="arn:aws:iam::%s:user/%s" % (a.id, user))
        if ui.get("accessKeyId"):
            ui["accessKeyId"] = ui["accessKeyId"][:4] + s.key
    elif kind == "AssumedRole":
        role, pid = s.role
        ui.update(principalId="%s:%s" % (pid, s.name), accountId=a.id, accessKeyId="ASIA" + s.key,
                  arn="arn:aws:sts::%s:assumed-role/%s/%s" % (a.id, role, s.name))
        issuer = ui.get("sessionContext", {}).get("sessionIssuer")
        if issuer:
            issuer.update(principalId=pid, accountId=a.id, userName=role,
                          arn="arn:aws:iam::%s:role/%s" % (a.id, role))
    attrs = ui.get("sessionContext", {}).get("attributes")
    if attrs and attrs.get("creationDate"):
        attrs["creationDate"] = iso(s.start - dt.timedelta(seconds=60))


class Session:
    """A burst of work in one Region: real accounts are bursty, and a file holds a burst."""

    def __init__(self, r, a, hour):
        self.start, self.span = hour + dt.timedelta(seconds=r.randrange(3500)), r.randint(15, 240)
        self.region, self.user, self.role = r.choice(a.regions), r.choice(a.users), r.choice(a.roles)
        self.name = self.user[0] if r.random() < .4 else "s-%d" % r.randrange(10 ** 9)
        self.key, self.ip = rid(r), a.office if r.random() < .7 else rip(r)


def background(r, tpl, a, s):
    i = min(len(tpl.cum) - 1, bisect(tpl.cum, r.random() * tpl.cum[-1]))
    region = "us-east-1" if tpl.keys[i][0] in GLOBAL_SOURCES else s.region
    rec = json.loads(r.choice(tpl.texts[i]).replace("\x01", a.id).replace("\x02", region))
    t = s.start + dt.timedelta(seconds=r.randrange(s.span))
    rec["eventTime"], rec["eventID"] = iso(t), new_uuid(r)
    if "requestID" in rec:
        rec["requestID"] = new_uuid(r)
    if "sharedEventID" in rec:
        rec["sharedEventID"] = new_uuid(r)
    rec["recipientAccountId"], rec["awsRegion"] = a.id, region
    if isinstance(rec.get("userIdentity"), dict):
        identity(a, s, rec["userIdentity"])
    if rec.get("sourceIPAddress", "x")[:1].isdigit():
        rec["sourceIPAddress"] = s.ip
    return rec


def bisect(cum, x):
    lo, hi = 0, len(cum) - 1
    while lo < hi:
        mid = (lo + hi) // 2
        if cum[mid] < x:
            lo = mid + 1
        else:
            hi = mid
    return lo


# ---- injected incidents ------------------------------------------------------------------

def call(r, a, t, source, name, region="us-east-1", user=None, params=None, resp=None, error=None,
         message=None, read_only=False, ip=None, etype="AwsApiCall", extra=None, root=False):
    if root:
        ui = {"type": "Root", "principalId": a.id, "arn": "arn:aws:iam::%s:root" % a.id, "accountId": a.id}
    else:
        u, pid = user or a.users[0]
        ui = {"type": "IAMUser", "principalId": pid, "arn": "arn:aws:iam::%s:user/%s" % (a.id, u),
              "accountId": a.id, "accessKeyId": "AKIA" + rid(r), "userName": u}
    rec = {"eventVersion": "1.11", "userIdentity": ui, "eventTime": iso(t),
           "eventSource": source + ".amazonaws.com", "eventName": name, "awsRegion": region,
           "sourceIPAddress": ip or rip(r), "userAgent": r.choice(AGENTS)}
    if error:
        rec["errorCode"] = error
        rec["errorMessage"] = message or "refused"
    rec.update({"requestParameters": params, "responseElements": resp, "requestID": new_uuid(r),
                "eventID": new_uuid(r), "readOnly": read_only, "eventType": etype,
                "managementEvent": True, "recipientAccountId": a.id, "eventCategory": "Management"})
    rec.update(extra or {})
    return rec


def sec(t, s):
    return t + dt.timedelta(seconds=s)


def login(r, a, t, ok, ip, mfa="No", root=False, user=None):
    e = call(r, a, t, "signin", "ConsoleLogin", user=user, ip=ip, etype="AwsConsoleSignIn", root=root,
             resp={"ConsoleLogin": "Success" if ok else "Failure"},
             extra={"additionalEventData": {"LoginTo": "https://console.aws.amazon.com/console/home",
                                            "MobileVersion": "No", "MFAUsed": mfa}})
    if not ok:
        e["errorMessage"] = "Failed authentication"
    e["userIdentity"].pop("accessKeyId", None)
    return e


def inc_root_login(r, a, t):
    return [login(r, a, t, True, rip(r), root=True)]


def inc_login_bruteforce(r, a, t):
    ip, u = rip(r), r.choice(a.users)
    return ([login(r, a, sec(t, i * 7), False, ip, user=u) for i in range(25)]
            + [login(r, a, sec(t, 190), True, ip, user=u)])


def inc_trail_stopped(r, a, t):
    arn = {"name": "arn:aws:cloudtrail:us-east-1:%s:trail/org-trail" % a.id}
    return [call(r, a, t, "cloudtrail", "StopLogging", params=arn),
            call(r, a, sec(t, 40), "cloudtrail", "DeleteTrail", params=arn)]


def inc_open_security_group(r, a, t):
    p = {"groupId": "sg-0%x" % r.getrandbits(60), "ipPermissions": {"items": [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "prefixListIds": {},
        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}}]}}
    return [call(r, a, t, "ec2", "AuthorizeSecurityGroupIngress", a.regions[-1], params=p,
                 resp={"_return": True})]


def inc_new_admin_user(r, a, t):
    n = "svc-%s" % r.choice(["sync", "backup", "metrics"])
    return [call(r, a, t, "iam", "CreateUser", params={"userName": n}),
            call(r, a, sec(t, 5), "iam", "AttachUserPolicy", params={
                "userName": n, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
            call(r, a, sec(t, 9), "iam", "CreateAccessKey", params={"userName": n}, resp={
                "accessKey": {"userName": n, "status": "Active", "accessKeyId": "AKIA" + rid(r)}})]


def inc_secret_sweep(r, a, t):
    ip, u = rip(r), r.choice(a.users)
    return [call(r, a, sec(t, i * 2), "secretsmanager", "GetSecretValue", a.regions[0], user=u, ip=ip,
                 params={"secretId": "prod/app-%02d" % i}, read_only=True) for i in range(40)]


def inc_denied_discovery(r, a, t):
    ip, u = rip(r), r.choice(a.users)
    calls = [("iam", "ListUsers"), ("iam", "ListRoles"), ("ec2", "DescribeInstances"), ("s3", "ListBuckets"),
             ("kms", "ListKeys"), ("rds", "DescribeDBInstances"), ("lambda", "ListFunctions20150331"),
             ("guardduty", "ListDetectors")]
    return [call(r, a, sec(t, i), *calls[i % len(calls)], user=u, ip=ip, read_only=True,
                 error="Client.UnauthorizedOperation" if calls[i % len(calls)][0] == "ec2" else "AccessDenied",
                 message="not authorized") for i in range(64)]


def inc_public_bucket(r, a, t):
    b = "customer-exports-%s" % a.id[-4:]
    pol = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
           "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*" % b}]}
    return [call(r, a, t, "s3", "DeleteBucketPublicAccessBlock", params={"bucketName": b}),
            call(r, a, sec(t, 20), "s3", "PutBucketPolicy", params={"bucketName": b, "bucketPolicy": pol})]


def inc_config_stopped(r, a, t):
    return [call(r, a, t, "config", "StopConfigurationRecorder",
                 params={"configurationRecorderName": "default"})]


def inc_guardduty_off(r, a, t):
    return [call(r, a, t, "guardduty", "DeleteDetector", params={"detectorId": "%032x" % r.getrandbits(128)})]


def inc_key_deletion(r, a, t):
    return [call(r, a, t, "kms", "ScheduleKeyDeletion", params={
        "keyId": "arn:aws:kms:us-east-1:%s:key/%s" % (a.id, new_uuid(r)), "pendingWindowInDays": 7})]


def inc_odd_region_instances(r, a, t):
    used = set(a.regions)
    region = [x for x in REGIONS if x not in used][-1]
    return [call(r, a, sec(t, i * 3), "ec2", "RunInstances", region, params={
        "instanceType": "p4d.24xlarge", "instancesSet": {"items": [
            {"imageId": "ami-0%x" % r.getrandbits(60), "minCount": 1, "maxCount": 8}]}},
        error="Client.VcpuLimitExceeded" if i else None) for i in range(6)]


INCIDENTS = {                     # name: (maker, ATT&CK technique)
    "root_login": (inc_root_login, "T1078.004"),
    "login_bruteforce": (inc_login_bruteforce, "T1110"),
    "trail_stopped": (inc_trail_stopped, "T1562.008"),
    "open_security_group": (inc_open_security_group, "T1562.007"),
    "new_admin_user": (inc_new_admin_user, "T1136.003"),
    "secret_sweep": (inc_secret_sweep, "T1555.006"),
    "denied_discovery": (inc_denied_discovery, "T1526"),
    "public_bucket": (inc_public_bucket, "T1530"),
    "config_stopped": (inc_config_stopped, "T1562.001"),
    "guardduty_off": (inc_guardduty_off, "T1562.001"),
    "key_deletion": (inc_key_deletion, "T1485"),
    "odd_region_instances": (inc_odd_region_instances, "T1496"),
}


def big_record(r, a, t, size):
    return call(r, a, t, "cloudformation", "CreateStack", a.regions[0], params={
        "stackName": "bulk-%d" % r.randrange(10 ** 6),
        "parameters": [{"parameterKey": "P%d" % i, "parameterValue": "x" * 200} for i in range(size // 240)]})


def insight(r, a, t):
    """An Insights event: no userIdentity, no top-level source address, insightDetails instead."""
    return {"eventVersion": "1.09", "eventTime": iso(t), "awsRegion": a.regions[0], "eventID": new_uuid(r),
            "eventType": "AwsCloudTrailInsight", "recipientAccountId": a.id, "sharedEventID": new_uuid(r),
            "insightDetails": {"state": "Start", "eventSource": "ssm.amazonaws.com",
                               "eventName": "UpdateInstanceInformation", "insightType": "ApiCallRateInsight",
                               "insightContext": {"statistics": {"baseline": {"average": 12.5},
                                                                 "insight": {"average": 181.0},
                                                                 "insightDuration": 3, "baselineDuration": 10070},
                                                  "attributions": []}},
            "eventCategory": "Insight"}


# ---- output --------------------------------------------------------------------------------

def delivered(t, late):
    t = t + dt.timedelta(minutes=late)
    return t.replace(minute=t.minute // 5 * 5, second=0, microsecond=0) + dt.timedelta(minutes=5)


class S3Out:
    def __init__(self, out, org, per_file):
        self.out, self.org, self.per_file, self.buf = out, org, per_file, collections.OrderedDict()
        self.files = self.raw = self.gz = 0

    def add(self, rec, when):
        kind = "CloudTrail-Insight" if rec.get("eventCategory") == "Insight" else "CloudTrail"
        self.buf.setdefault((rec["recipientAccountId"], rec["awsRegion"], kind, when), []).append(rec)

    def flush(self, before=None):
        for key in [k for k in self.buf if before is None or k[3] < before]:
            rows, (acct, region, kind, when) = self.buf.pop(key), key
            for part in range(0, len(rows), self.per_file):
                tail = rng_for(key, part)
                name = "%s_%s_%s_%s_%s.json.gz" % (acct, kind, region, when.strftime("%Y%m%dT%H%MZ"),
                                                  "".join(tail.choice(ALNUM) for _ in range(16)))
                folder = os.path.join(self.out, "AWSLogs", *([self.org] if self.org else []), acct, kind,
                                      region, when.strftime("%Y/%m/%d"))
                os.makedirs(folder, exist_ok=True)
                body = json.dumps({"Records": rows[part:part + self.per_file]}, separators=(",", ":"),
                                  ensure_ascii=False).encode()
                z = gzip.compress(body, 6, mtime=0)
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(z)
                self.files, self.raw, self.gz = self.files + 1, self.raw + len(body), self.gz + len(z)

    def digest(self, acct, region, when):
        """An (unsigned) digest file, which a reader of the bucket has to leave alone."""
        folder = os.path.join(self.out, "AWSLogs", *([self.org] if self.org else []), acct,
                              "CloudTrail-Digest", region, when.strftime("%Y/%m/%d"))
        os.makedirs(folder, exist_ok=True)
        body = {"awsAccountId": acct, "digestStartTime": iso(when - dt.timedelta(hours=1)),
                "digestEndTime": iso(when), "digestS3Bucket": "example", "logFiles": [],
                "digestSignatureAlgorithm": "SHA256withRSA", "previousDigestS3Bucket": None}
        name = "%s_CloudTrail-Digest_%s_trail_%s_%s.json.gz" % (acct, region, region, when.strftime("%Y%m%dT%H%M%SZ"))
        with open(os.path.join(folder, name), "wb") as f:
            f.write(gzip.compress(json.dumps(body).encode(), 6, mtime=0))


class LineOut:
    def __init__(self, out, kind):
        os.makedirs(out, exist_ok=True)
        self.kind, self.files, self.raw, self.gz = kind, 1, 0, 0
        self.f = open(os.path.join(out, {"jsonl": "cloudtrail", "cwlogs": "cwlogs", "events": "events"}[kind] + ".jsonl"), "w")
        self.seq = 0

    def add(self, rec, when):
        if self.kind == "cwlogs":
            self.seq += 1
            t = dt.datetime.strptime(rec["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            row = {"logStreamName": "%s_CloudTrail_%s" % (rec["recipientAccountId"], rec["awsRegion"]),
                   "timestamp": int(t.timestamp() * 1000), "ingestionTime": int(when.timestamp() * 1000),
                   "message": json.dumps(rec, separators=(",", ":"), ensure_ascii=False),
                   "eventId": "%056d" % self.seq}
        elif self.kind == "events":
            kind = {"AwsConsoleSignIn": "AWS Console Sign In via CloudTrail", "AwsServiceEvent":
                    "AWS Service Event via CloudTrail", "AwsCloudTrailInsight": "AWS Insight via CloudTrail"}
            svc = rec.get("eventSource", "cloudtrail.amazonaws.com").split(".")[0]
            row = {"version": "0", "id": rec["eventID"], "detail-type": kind.get(rec["eventType"], "AWS API Call via CloudTrail"),
                   "source": "aws." + svc, "account": rec["recipientAccountId"], "time": rec["eventTime"],
                   "region": rec["awsRegion"], "resources": [], "detail": rec}
        else:
            row = rec
        text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
        self.raw += len(text) + 1
        self.f.write(text + "\n")

    def flush(self, before=None):
        if before is None:
            self.f.close()

    def digest(self, *a):
        pass


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True)
    p.add_argument("--templates", default=os.path.join(HERE, "..", "fixtures", "cloudtrail"))
    p.add_argument("--format", choices=["s3", "jsonl", "cwlogs", "events"], default="s3")
    p.add_argument("--records", type=int, default=20000, help="ordinary records, about")
    p.add_argument("--days", type=int, default=28)
    p.add_argument("--end", default="2026-06-01T00:00:00Z", help="end of the last day, UTC")
    p.add_argument("--accounts", type=int, default=12)
    p.add_argument("--regions", type=int, default=4)
    p.add_argument("--growth", type=float, default=.08, help="growth a week, all accounts")
    p.add_argument("--surge", type=float, default=1.8, help="factor on one account in the last 7 days")
    p.add_argument("--quiet", type=float, default=.4, help="factor on another account in the last 7 days")
    p.add_argument("--incidents", default="all", help="all, none or a comma list of: " + ", ".join(INCIDENTS))
    p.add_argument("--flatten", type=float, default=.75, help="1 keeps the real mix, 0 makes all calls alike")
    p.add_argument("--duplicates", type=float, default=.01, help="share delivered twice, same eventID")
    p.add_argument("--late", type=float, default=.02, help="share delivered 20 to 180 minutes late")
    p.add_argument("--big", type=int, default=0, help="records of 20 to 200 KB")
    p.add_argument("--extras", action="store_true", help="Insights events and digest files too")
    p.add_argument("--org", default="", help="organization id in the S3 keys, e.g. o-exampleorg1")
    p.add_argument("--per-file", type=int, default=2000)
    p.add_argument("--seed", default="7")
    o = p.parse_args(argv)

    tpl = Templates(o.templates, o.flatten)
    accounts = [Account(o.seed, i, REGIONS[:o.regions]) for i in range(o.accounts)]
    end = dt.datetime.strptime(o.end, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    start = end - dt.timedelta(days=o.days)
    hours = [start + dt.timedelta(hours=h) for h in range(o.days * 24)]
    surge = accounts[min(1, len(accounts) - 1)]
    quiet = accounts[min(2, len(accounts) - 1)] if len(accounts) > 2 else None

    def rate(a, h):
        w = a.weight * HOUR[h.hour] * DAY[h.weekday()] * (1 + o.growth) ** ((h - start).days / 7)
        if (end - h).days < 7:
            w *= o.surge if a is surge else o.quiet if a is quiet else 1
        return w

    scale = o.records / sum(rate(a, h) for a in accounts for h in hours)
    names = list(INCIDENTS) if o.incidents == "all" else [x for x in o.incidents.split(",") if x and x != "none"]
    planned = collections.defaultdict(list)
    for i, name in enumerate(names):
        r = rng_for(o.seed, "incident", name)
        h = r.choice(hours[len(hours) // 2:])
        planned[(r.randrange(len(accounts)), h)].append(name)
    bigs = collections.Counter(rng_for(o.seed, "big", i).randrange(len(hours)) for i in range(o.big))

    os.makedirs(o.out, exist_ok=True)
    out = S3Out(o.out, o.org, o.per_file) if o.format == "s3" else LineOut(o.out, o.format)
    truth = {"arguments": {k: v for k, v in vars(o).items() if k not in ("out", "templates")},
             "templates": tpl.rows, "accounts": [{"id": a.id, "name": a.name, "regions": a.regions,
              "surge": a is surge, "quiet": a is quiet} for a in accounts],
             "start": iso(start), "end": iso(end), "unique": 0, "delivered": 0, "duplicates": 0, "late": 0,
             "insights": 0, "incidents": []}
    by = {k: collections.Counter() for k in ("day", "account", "day_account", "event", "source", "error",
                                              "region", "identity", "read_only")}

    def put(rec, r, count=True):
        t = dt.datetime.strptime(rec["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        late = 3
        if r.random() < o.late:
            late, truth["late"] = r.uniform(20, 180), truth["late"] + 1
        out.add(rec, delivered(t, late))
        truth["delivered"] += 1
        if r.random() < o.duplicates:
            out.add(rec, delivered(t, late + 10))
            truth["delivered"] += 1
            truth["duplicates"] += 1
        if not count:
            return
        truth["unique"] += 1
        d, acct = rec["eventTime"][:10], rec["recipientAccountId"]
        by["day"][d] += 1
        by["account"][acct] += 1
        by["day_account"][d + " " + acct] += 1
        by["event"][rec["eventSource"] + ":" + rec["eventName"]] += 1
        by["source"][rec["eventSource"]] += 1
        by["region"][rec["awsRegion"]] += 1
        by["identity"][(rec.get("userIdentity") or {}).get("type") or "none"] += 1
        by["read_only"][str(rec.get("readOnly")).lower()] += 1
        if rec.get("errorCode"):
            by["error"][rec["errorCode"]] += 1

    for hi, h in enumerate(hours):
        for ai, a in enumerate(accounts):
            r = rng_for(o.seed, a.id, iso(h))
            lam = rate(a, h) * scale
            n = int(lam) + (r.random() < lam - int(lam)) if lam < 3 else max(0, int(r.gauss(lam, math.sqrt(lam)) + .5))
            sessions = [Session(r, a, h) for _ in range(-(-n // 8))]
            batch = [background(r, tpl, a, sessions[k // 8]) for k in range(n)]
            for name in planned.get((ai, h), ()):
                maker, technique = INCIDENTS[name]
                rows = maker(r, a, h + dt.timedelta(seconds=r.randrange(1800)))
                truth["incidents"].append({"name": name, "technique": technique, "account": a.id,
                                           "first": rows[0]["eventTime"], "last": rows[-1]["eventTime"],
                                           "records": len(rows), "event_ids": [x["eventID"] for x in rows]})
                batch += rows
            if ai == 0:
                for b in range(bigs[hi]):
                    batch.append(big_record(r, a, h + dt.timedelta(seconds=b), r.randint(20000, 200000)))
            for rec in sorted(batch, key=lambda x: x["eventTime"]):
                put(rec, r)
            if o.extras and r.random() < .002:
                put(insight(r, a, h), r, count=False)
                truth["insights"] += 1
            if o.extras:
                out.digest(a.id, a.regions[0], h)
        out.flush(h)
    out.flush()
    for k, c in by.items():
        truth["by_" + k] = dict(sorted(c.items()))
    days = sorted(by["day"])
    last7 = sum(by["day"][d] for d in days if d >= iso(end - dt.timedelta(days=7))[:10])
    prev7 = sum(by["day"][d] for d in days if iso(end - dt.timedelta(days=14))[:10] <= d < iso(end - dt.timedelta(days=7))[:10])
    truth["week_over_week"] = {"last_7_days": last7, "previous_7_days": prev7,
                               "change_percent": round(100 * (last7 - prev7) / prev7, 3) if prev7 else None}
    truth["files"], truth["json_bytes"], truth["gz_bytes"] = out.files, out.raw, out.gz
    with open(os.path.join(o.out, "truth.json"), "w") as f:
        json.dump(truth, f, indent=1)
    print("%d unique, %d delivered, %d files, %d JSON bytes, %d gz bytes, %d incidents" % (
        truth["unique"], truth["delivered"], out.files, out.raw, out.gz, len(truth["incidents"])))


if __name__ == "__main__":
    main()
