#!/usr/bin/env python3
"""Make AWS Config, Security Hub, GuardDuty, Inspector, Macie and Access Analyzer events (stdlib only).

Shapes follow what AWS documents for EventBridge; the texts in them are this tool's own. Rules, severities and
resource types come from tests/fixtures/mappings/config_rules.csv. The same arguments give the same bytes.

  gen_posture.py --out DIR [--accounts 6] [--days 28] [--rules 60] [--resources 12]

OUT/config.jsonl          "Config Rules Compliance Change" envelopes, in delivery order
OUT/securityhub.jsonl     "Security Hub Findings - Imported" envelopes (control findings of the same changes)
OUT/guardduty.jsonl       "GuardDuty Finding" envelopes, repeats of a finding carry the same id and a higher count
OUT/inspector.jsonl, OUT/macie.jsonl, OUT/accessanalyzer.jsonl
OUT/config-api.json       the end state as the Config API would answer: rules and evaluation results per account/Region
OUT/truth.json            what a correct reader must arrive at: states per day, rule, account, pillar; finding counts
"""
import argparse, collections, csv, datetime as dt, hashlib, json, os, random, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = dt.timezone.utc
REGIONS = ["us-east-1", "eu-west-1", "us-west-2", "ap-southeast-2"]
LEVEL = {"Critical": ("CRITICAL", 90), "High": ("HIGH", 70), "Medium": ("MEDIUM", 40), "Low": ("LOW", 1), "": ("INFORMATIONAL", 0),
         "Informational": ("INFORMATIONAL", 0)}


def rng_for(*key):
    return random.Random(hashlib.sha256(":".join(map(str, key)).encode()).digest())


def uid(r):
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


def ms(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (t.microsecond // 1000)


def s(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def hexid(r, n=17):
    return "%0*x" % (n, r.getrandbits(4 * n))


def resource(r, kind, acct, region):
    """A resource id in the form Config uses for this type, and its ARN."""
    svc, short = kind.split("::")[1].lower() or "account", kind.split("::")[-1]
    if kind == "AWS::::Account":
        return acct, "AWS::::Account:" + acct
    if kind.startswith("AWS::S3::"):
        n = "%s-%s" % (r.choice(["logs", "media", "exports", "backups", "site"]), hexid(r, 8))
        return n, "arn:aws:s3:::" + n
    if kind.startswith("AWS::IAM::"):
        i = {"User": "AIDA", "Role": "AROA", "Group": "AGPA"}.get(short, "ANPA") + hexid(r, 9).upper() + "EXAMPLE"
        return i, "arn:aws:iam::%s:%s/%s" % (acct, short.lower(), i)
    if kind.startswith("AWS::EC2::"):
        pre = {"Instance": "i", "SecurityGroup": "sg", "Volume": "vol", "VPC": "vpc", "Subnet": "subnet"}.get(short, short.lower())
        i = "%s-0%s" % (pre, hexid(r, 16))
        return i, "arn:aws:ec2:%s:%s:%s/%s" % (region, acct, short.lower(), i)
    n = "%s-%s" % (short.lower(), hexid(r, 6))
    arn = "arn:aws:%s:%s:%s:%s/%s" % (svc, region, acct, short.lower(), n)
    return (arn if r.random() < .3 else n), arn


def envelope(r, detail_type, source, acct, region, t, detail, resources=()):
    return {"version": "0", "id": uid(r), "detail-type": detail_type, "source": source, "account": acct, "time": s(t),
            "region": region, "resources": list(resources), "detail": detail}


def result(rule, kind, rid, state, t, note):
    q = {"configRuleName": rule, "resourceType": kind, "resourceId": rid, "evaluationMode": "DETECTIVE"}
    out = {"evaluationResultIdentifier": {"evaluationResultQualifier": q, "orderingTimestamp": ms(t - dt.timedelta(seconds=31))},
           "complianceType": state, "resultRecordedTime": ms(t - dt.timedelta(seconds=2)),
           "configRuleInvokedTime": ms(t - dt.timedelta(seconds=3))}
    if note:
        out["annotation"] = note
    return out


class Rule:
    def __init__(self, row):
        self.name, self.ident, self.sev, self.pillar = row["rule_name"], row["identifier"], row["severity"], row["pillar"]
        self.types = row["resource_types"].split(";")
        self.controls = [x for x in row["securityhub_controls"].split(";") if x]
        self.req = (["NIST.800-53.r5 " + x for x in row["nist_800_53_r5"].split(";")[:6] if x]
                    + ["CIS AWS Foundations Benchmark v5.0.0/" + x for x in row["cis_aws_5_0"].split(";") if x])


def deployed_name(r, rule):
    """Config reports the deployed name: plain, from a conformance pack, or made by Security Hub."""
    form = r.choice(["plain", "plain", "pack", "hub"])
    tail = "".join(r.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(9))
    if form == "pack":
        return "%s-conformance-pack-%s" % (rule.name, tail), "aws-service-rule/config-conforms.amazonaws.com/"
    if form == "hub":
        return "securityhub-%s-%s" % (rule.name, hexid(r, 8)), "aws-service-rule/securityhub.amazonaws.com/"
    return rule.name, ""


def asff(r, rule, control, acct, region, arn, kind, first, t, status, name, fid):
    label, norm = LEVEL.get(rule.sev, LEVEL[""])
    if status == "PASSED":
        label, norm = "INFORMATIONAL", 0
    types = ["Software and Configuration Checks/Industry and Regulatory Standards"]
    return {"SchemaVersion": "2018-10-08", "Id": "arn:aws:securityhub:%s:%s:security-control/%s/finding/%s" % (region, acct, control, fid),
            "ProductArn": "arn:aws:securityhub:%s::product/aws/securityhub" % region, "ProductName": "Security Hub",
            "CompanyName": "AWS", "Region": region, "GeneratorId": "security-control/" + control, "AwsAccountId": acct,
            "AwsAccountName": "acct-" + acct[-4:], "Types": types, "FirstObservedAt": ms(first), "LastObservedAt": ms(t),
            "CreatedAt": ms(first), "UpdatedAt": ms(t), "ProcessedAt": ms(t + dt.timedelta(seconds=4)),
            "Severity": {"Label": label, "Normalized": norm, "Original": label},
            "Title": "%s check of %s" % (control, rule.name), "Description": "Generated control finding for " + rule.name,
            "Remediation": {"Recommendation": {"Text": "See the control's page.", "Url": "https://example.com/" + control}},
            "ProductFields": {"RelatedAWSResources:0/name": name, "RelatedAWSResources:0/type": "AWS::Config::ConfigRule",
                              "aws/securityhub/ProductName": "Security Hub", "aws/securityhub/CompanyName": "AWS",
                              "Resources:0/Id": arn},
            "Resources": [{"Type": "AwsAccount" if kind == "AWS::::Account" else "Aws" + "".join(kind.split("::")[1:]), "Id": arn,
                           "Partition": "aws", "Region": region}],
            "Compliance": {"Status": status, "SecurityControlId": control, "RelatedRequirements": rule.req,
                           "AssociatedStandards": [{"StandardsId": "standards/aws-foundational-security-best-practices/v/1.0.0"}]},
            "WorkflowState": "NEW", "Workflow": {"Status": "RESOLVED" if status == "PASSED" else "NEW"}, "RecordState": "ACTIVE",
            "FindingProviderFields": {"Severity": {"Label": label, "Original": label}, "Types": types}}


GUARD = [("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", 5, "AccessKey"), ("Stealth:IAMUser/CloudTrailLoggingDisabled", 2, "AccessKey"),
         ("CredentialAccess:IAMUser/AnomalousBehavior", 5, "AccessKey"), ("Persistence:IAMUser/AnomalousBehavior", 5, "AccessKey"),
         ("Policy:IAMUser/RootCredentialUsage", 2, "AccessKey"), ("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", 8, "AccessKey"),
         ("CryptoCurrency:EC2/BitcoinTool.B!DNS", 8, "Instance"), ("UnauthorizedAccess:EC2/SSHBruteForce", 2, "Instance"),
         ("Recon:EC2/PortProbeUnprotectedPort", 2, "Instance"), ("Backdoor:EC2/C&CActivity.B!DNS", 8, "Instance"),
         ("Policy:S3/BucketBlockPublicAccessDisabled", 2, "S3Bucket"), ("Exfiltration:S3/AnomalousBehavior", 8, "S3Bucket"),
         ("Discovery:S3/TorIPCaller", 8, "S3Bucket"), ("AttackSequence:IAM/CompromisedCredentials", 9, "AttackSequence")]


def guardduty(r, acct, region, t, kind, sev, target, gid, first, count):
    detector = hashlib.md5((acct + region).encode()).hexdigest()
    res = {"resourceType": target}
    if target == "AccessKey":
        res["accessKeyDetails"] = {"accessKeyId": "ASIA" + hexid(r, 9).upper() + "EXAMPLE", "principalId": "AIDA" + hexid(r, 9).upper() + "EXAMPLE",
                                   "userType": "IAMUser", "userName": r.choice(["amara", "bao", "dana", "farid"])}
    elif target == "Instance":
        res["instanceDetails"] = {"instanceId": "i-0" + hexid(r, 16), "instanceType": "m6i.large", "tags": [], "networkInterfaces": [
            {"networkInterfaceId": "eni-0" + hexid(r, 16), "privateIpAddress": "10.0.%d.%d" % (r.randrange(256), r.randrange(1, 255)), "publicIp": "203.0.113.%d" % r.randrange(1, 255)}]}
    elif target == "S3Bucket":
        res["s3BucketDetails"] = [{"name": "exports-" + hexid(r, 8), "type": "Destination", "publicAccess": {"effectivePermission": "NOT_PUBLIC"}}]
    act = {"actionType": "AWS_API_CALL", "awsApiCallAction": {"api": "GenericCall", "serviceName": "example.amazonaws.com", "callerType": "Remote IP",
           "remoteIpDetails": {"ipAddressV4": "198.51.100.%d" % r.randrange(1, 255), "country": {"countryName": "Example"},
                               "organization": {"asn": "64500", "asnOrg": "Example Net"}}}}
    if target == "Instance":
        act = {"actionType": "PORT_PROBE" if "Probe" in kind else "NETWORK_CONNECTION" if "SSH" in kind else "DNS_REQUEST"}
    svc = {"serviceName": "guardduty", "detectorId": detector, "resourceRole": "TARGET", "eventFirstSeen": s(first), "eventLastSeen": s(t),
           "count": count, "archived": False, "additionalInfo": {"type": "default", "value": "{}"}}
    if target != "AttackSequence":
        svc["action"] = act
    return envelope(r, "GuardDuty Finding", "aws.guardduty", acct, region, t, {
        "schemaVersion": "2.0", "accountId": acct, "region": region, "partition": "aws", "id": gid,
        "arn": "arn:aws:guardduty:%s:%s:detector/%s/finding/%s" % (region, acct, detector, gid), "type": kind, "resource": res, "service": svc,
        "severity": sev, "createdAt": ms(first), "updatedAt": ms(t), "title": "Generated: " + kind, "description": "Generated finding of type " + kind})


def others(r, acct, region, t):
    """One event each of Inspector, Macie and Access Analyzer."""
    inst = "i-0" + hexid(r, 16)
    sev, score = r.choice([("CRITICAL", 9.8), ("HIGH", 8.1), ("MEDIUM", 5.9), ("LOW", 3.1)])
    cve = "CVE-2025-%05d" % r.randrange(1000, 60000)
    yield "inspector", envelope(r, "Inspector2 Finding", "aws.inspector2", acct, region, t, {
        "awsAccountId": acct, "findingArn": "arn:aws:inspector2:%s:%s:finding/%s" % (region, acct, hexid(r, 32)), "type": "PACKAGE_VULNERABILITY",
        "severity": sev, "status": "ACTIVE", "title": cve + " in a package", "description": "Generated vulnerability finding",
        "firstObservedAt": s(t - dt.timedelta(days=1)), "lastObservedAt": s(t), "updatedAt": s(t), "inspectorScore": score, "fixAvailable": r.choice(["YES", "NO"]),
        "exploitAvailable": r.choice(["YES", "NO"]), "remediation": {"recommendation": {"text": "None Provided"}},
        "packageVulnerabilityDetails": {"vulnerabilityId": cve, "source": "NVD", "vulnerablePackages": [
            {"name": "openssl", "version": "3.0.2", "fixedInVersion": "3.0.13", "packageManager": "OS"}]},
        "resources": [{"type": "AWS_EC2_INSTANCE", "id": inst, "partition": "aws", "region": region, "tags": {}}]}, [inst])
    b = "exports-" + hexid(r, 8)
    yield "macie", envelope(r, "Macie Finding", "aws.macie", acct, region, t, {
        "schemaVersion": "1.0", "id": hexid(r, 32), "accountId": acct, "partition": "aws", "region": region,
        "type": r.choice(["SensitiveData:S3Object/Personal", "Policy:IAMUser/S3BucketPublic"]), "title": "Generated Macie finding",
        "description": "Generated finding", "severity": {"score": 3, "description": "High"}, "createdAt": s(t), "updatedAt": s(t),
        "resourcesAffected": {"s3Bucket": {"arn": "arn:aws:s3:::" + b, "name": b}}, "category": "CLASSIFICATION", "count": 1,
        "archived": False, "sample": False})
    fid = uid(r)
    yield "accessanalyzer", envelope(r, "Access Analyzer Finding", "aws.access-analyzer", acct, region, t, {
        "version": "1.0", "id": fid, "status": r.choice(["ACTIVE", "ACTIVE", "RESOLVED", "ARCHIVED"]), "resourceType": "AWS::S3::Bucket",
        "resource": "arn:aws:s3:::" + b, "createdAt": s(t), "analyzedAt": s(t), "updatedAt": s(t), "accountId": acct, "region": region,
        "principal": {"AWS": "999988887777"}, "action": ["s3:GetObject"], "condition": {}, "isDeleted": False, "isPublic": r.random() < .3},
        ["arn:aws:access-analyzer:%s:%s:analyzer/account" % (region, acct)])


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True)
    p.add_argument("--mapping", default=os.path.join(HERE, "..", "fixtures", "mappings", "config_rules.csv"))
    p.add_argument("--accounts", type=int, default=6)
    p.add_argument("--regions", type=int, default=2)
    p.add_argument("--rules", type=int, default=60)
    p.add_argument("--resources", type=int, default=12, help="resources a type, account and Region, about")
    p.add_argument("--days", type=int, default=28)
    p.add_argument("--end", default="2026-06-01T00:00:00Z")
    p.add_argument("--start-compliant", type=float, default=.78)
    p.add_argument("--drift", type=float, default=.012, help="share of compliant pairs that break, a day")
    p.add_argument("--fix", type=float, default=.06, help="share of violations mended, a day")
    p.add_argument("--delete", type=float, default=.002, help="share of resources that go away, a day")
    p.add_argument("--guardduty-per-day", type=float, default=3, help="new findings, all accounts")
    p.add_argument("--duplicates", type=float, default=.01)
    p.add_argument("--shuffle", type=int, default=0, help="deliver out of order within this many events")
    p.add_argument("--seed", default="7")
    o = p.parse_args(argv)
    os.makedirs(o.out, exist_ok=True)
    with open(o.mapping, encoding="utf-8", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["resource_types"] and r["severity"]]
    pick = rng_for(o.seed, "rules")
    first = ["s3-bucket-level-public-access-prohibited", "restricted-ssh", "root-account-mfa-enabled", "iam-user-mfa-enabled",
             "encrypted-volumes", "rds-storage-encrypted", "multi-region-cloudtrail-enabled", "guardduty-enabled-centralized",
             "lambda-function-public-access-prohibited", "ec2-imdsv2-check", "access-keys-rotated", "vpc-default-security-group-closed"]
    rows = sorted(rows, key=lambda r: (first.index(r["rule_name"]) if r["rule_name"] in first else 99, pick.random()))
    rules = [Rule(r) for r in rows[:o.rules]]
    end = dt.datetime.strptime(o.end, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    start = end - dt.timedelta(days=o.days)
    out = collections.defaultdict(list)                    # stream -> [(time, event)]
    pairs, api = [], {}
    accounts = ["%012d" % (200000000000 + rng_for(o.seed, "acct", i).randrange(10 ** 11) * 7) for i in range(o.accounts)]
    truth = {"arguments": {k: v for k, v in vars(o).items() if k not in ("out", "mapping")}, "accounts": accounts,
             "rules": [{"rule": x.name, "identifier": x.ident, "severity": x.sev, "pillar": x.pillar, "controls": x.controls} for x in rules]}

    def config_event(r, pr, t, new, old, old_t):
        note = "Generated note: the resource does not meet the rule." if new == "NON_COMPLIANT" and r.random() < .5 else None
        d = {"resourceId": pr["rid"], "awsRegion": pr["region"], "awsAccountId": pr["acct"], "configRuleName": pr["name"], "recordVersion": "1.0",
             "configRuleARN": "arn:aws:config:%s:%s:config-rule/%s%s" % (pr["region"], pr["acct"], pr["path"], pr["ruleid"]),
             "messageType": "ComplianceChangeNotification", "newEvaluationResult": result(pr["name"], pr["kind"], pr["rid"], new, t, note),
             "notificationCreationTime": ms(t), "resourceType": pr["kind"]}
        if old:
            d["oldEvaluationResult"] = result(pr["name"], pr["kind"], pr["rid"], old, old_t, None)
        out["config"].append((t, envelope(r, "Config Rules Compliance Change", "aws.config", pr["acct"], pr["region"], t, d)))
        if pr["control"] and new != "NOT_APPLICABLE":
            fnd = asff(r, pr["rule"], pr["control"], pr["acct"], pr["region"], pr["arn"], pr["kind"], pr["first"], t,
                       "PASSED" if new == "COMPLIANT" else "FAILED", pr["name"], pr["fid"])
            te = t + dt.timedelta(seconds=r.randint(60, 900))
            out["securityhub"].append((te, envelope(r, "Security Hub Findings - Imported", "aws.securityhub", pr["acct"], pr["region"], te,
                                                    {"findings": [fnd]}, [fnd["ProductArn"] + "/" + fnd["Id"]])))

    for acct in accounts:
        ra = rng_for(o.seed, acct)
        quality = min(.97, max(.4, ra.gauss(o.start_compliant, .1)))
        for region in REGIONS[:o.regions]:
            pools = {}
            for rule in rules:
                kind = rule.types[0]
                if (kind == "AWS::::Account" or kind.startswith("AWS::IAM")) and region != REGIONS[0]:
                    continue
                if kind not in pools:
                    n = 1 if kind == "AWS::::Account" else max(1, int(ra.gauss(o.resources, o.resources / 3)))
                    pools[kind] = [resource(ra, kind, acct, region) for _ in range(n)]
                name, path = deployed_name(ra, rule)
                ruleid = "config-rule-" + "".join(ra.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(6))
                for rid, arn in pools[kind]:
                    t = start + dt.timedelta(seconds=ra.randint(60, 7200), milliseconds=ra.randrange(1000))
                    pr = {"acct": acct, "region": region, "rule": rule, "name": name, "path": path, "ruleid": ruleid, "kind": kind, "rid": rid, "arn": arn,
                          "state": "COMPLIANT" if ra.random() < quality else "NON_COMPLIANT", "t": t, "first": t, "fid": uid(ra), "gone": False,
                          "control": rule.controls[0] if rule.controls else None}
                    config_event(ra, pr, t, pr["state"], None, None)
                    pairs.append(pr)

    by_day = {}
    changes = collections.Counter()
    for d in range(o.days):
        day = start + dt.timedelta(days=d)
        gone = set()
        for i, pr in enumerate(pairs):
            r = rng_for(o.seed, i, d)
            if pr["gone"] or d == 0:
                continue
            key, t = (pr["acct"], pr["region"], pr["rid"]), day + dt.timedelta(seconds=r.randrange(86399), milliseconds=r.randrange(1000))
            new = None
            if key in gone or (pr["kind"] != "AWS::::Account" and rng_for(o.seed, *key, d).random() < o.delete):
                gone.add(key)
                pr["gone"], new = True, "NOT_APPLICABLE"
            elif pr["state"] == "COMPLIANT" and r.random() < o.drift:
                new = "NON_COMPLIANT"
            elif pr["state"] == "NON_COMPLIANT" and r.random() < o.fix:
                new = "COMPLIANT"
            if new:
                config_event(r, pr, t, new, pr["state"], pr["t"])
                changes[(s(day)[:10], pr["state"] + ">" + new)] += 1
                pr["state"], pr["t"] = new, t
        live = [q for q in pairs if not q["gone"]]
        bad = [q for q in live if q["state"] == "NON_COMPLIANT"]
        by_day[s(day)[:10]] = {"compliant": len(live) - len(bad), "non_compliant": len(bad),
                               "violating_rules": len({(q["acct"], q["region"], q["name"]) for q in bad}),
                               "percent_compliant": round(100 * (len(live) - len(bad)) / max(1, len(live)), 3)}
        r = rng_for(o.seed, "findings", d)
        k = int(o.guardduty_per_day) + (r.random() < o.guardduty_per_day % 1)
        for _ in range(k):
            acct, region, (kind, sev, target), gid = r.choice(accounts), r.choice(REGIONS[:o.regions]), r.choice(GUARD), hexid(r, 32)
            t0 = t = day + dt.timedelta(seconds=r.randrange(80000))
            for c in range(1, 1 + r.choice([1, 1, 2, 4])):
                event = guardduty(rng_for(o.seed, gid), acct, region, t, kind, sev, target, gid, t0, c)
                event["id"] = uid(rng_for(o.seed, gid, c))      # the finding is the same, the event is not
                out["guardduty"].append((t, event))
                t += dt.timedelta(seconds=r.randint(300, 3600))
        for stream, ev in others(r, r.choice(accounts), r.choice(REGIONS[:o.regions]), day + dt.timedelta(seconds=r.randrange(86000))):
            out[stream].append((day, ev))

    for stream in ("config", "securityhub", "guardduty", "inspector", "macie", "accessanalyzer"):
        rows = [e for _, e in sorted(out[stream], key=lambda x: (x[1]["time"], x[1]["id"]))]
        r, lines = rng_for(o.seed, "delivery", stream), []
        for e in rows:
            lines.append(e)
            if r.random() < o.duplicates:
                lines.append(e)
        if o.shuffle:
            lines = [lines[i] for i in sorted(range(len(lines)), key=lambda i: (i + r.randrange(o.shuffle), i))]
        with open(os.path.join(o.out, stream + ".jsonl"), "w") as f:
            for e in lines:
                f.write(json.dumps(e, separators=(",", ":")) + "\n")
        truth[stream] = {"events": len(rows), "delivered": len(lines)}

    live = [q for q in pairs if not q["gone"]]
    for key in ("rule", "account", "pillar", "severity", "resource_type"):
        c = collections.defaultdict(lambda: [0, 0])
        for q in live:
            v = {"rule": q["rule"].name, "account": q["acct"], "pillar": q["rule"].pillar, "severity": q["rule"].sev, "resource_type": q["kind"]}[key]
            c[v][q["state"] == "NON_COMPLIANT"] += 1
        truth["end_by_" + key] = {k: {"compliant": v[0], "non_compliant": v[1]} for k, v in sorted(c.items())}
    truth["by_day"] = by_day
    truth["changes"] = {"%s %s" % k: v for k, v in sorted(changes.items())}
    seen = {}
    for _, e in out["guardduty"]:
        d = e["detail"]
        seen[d["id"]] = (d["type"], d["severity"])
    truth["guardduty"].update(findings=len(seen), by_type=dict(sorted(collections.Counter(t for t, _ in seen.values()).items())))
    last = {}
    for _, e in sorted(out["securityhub"], key=lambda x: x[0]):
        last[e["detail"]["findings"][0]["Id"]] = e["detail"]["findings"][0]["Compliance"]["Status"]
    truth["securityhub"].update(findings=len(last), by_status=dict(collections.Counter(last.values())))
    for q in live:
        box = api.setdefault(q["acct"], {}).setdefault(q["region"], {"ConfigRules": {}, "EvaluationResults": {}})
        box["ConfigRules"][q["name"]] = {"ConfigRuleName": q["name"], "ConfigRuleId": q["ruleid"], "ConfigRuleState": "ACTIVE",
                                         "ConfigRuleArn": "arn:aws:config:%s:%s:config-rule/%s%s" % (q["region"], q["acct"], q["path"], q["ruleid"]),
                                         "Source": {"Owner": "AWS", "SourceIdentifier": q["rule"].ident},
                                         "Scope": {"ComplianceResourceTypes": [q["kind"]]}}
        box["EvaluationResults"].setdefault(q["name"], []).append({
            "EvaluationResultIdentifier": {"EvaluationResultQualifier": {"ConfigRuleName": q["name"], "ResourceType": q["kind"], "ResourceId": q["rid"],
                                                                         "EvaluationMode": "DETECTIVE"},
                                           "OrderingTimestamp": q["t"].timestamp()},
            "ComplianceType": q["state"], "ResultRecordedTime": q["t"].timestamp(), "ConfigRuleInvokedTime": q["t"].timestamp()})
    for acct in api.values():
        for box in acct.values():
            box["ConfigRules"] = list(box["ConfigRules"].values())
    with open(os.path.join(o.out, "config-api.json"), "w") as f:
        json.dump(api, f, separators=(",", ":"))
    with open(os.path.join(o.out, "truth.json"), "w") as f:
        json.dump(truth, f, indent=1)
    print({k: truth[k]["delivered"] for k in ("config", "securityhub", "guardduty", "inspector", "macie", "accessanalyzer")},
          "pairs", len(pairs), "end", by_day[max(by_day)])


if __name__ == "__main__":
    main()
