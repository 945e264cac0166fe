"""Detections, their notices and the raw records: what CloudTrail brought.

In: a world. Out: `AwsSecurityEvent`, `AwsSecurityNotice` and `Log` rows of 62 days: several controls for one record, records seconds
before and after midnight and the first of a month in Tokyo and in UTC, late ones, attributes left out, names with quotes.
"""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from base import ACCOUNTS, DAY, HOUR, MINUTE, REGIONS, SECOND, SEVERITIES, WEEK, place

# id, title, severity, tactic, technique, pillar. A control without a tactic is not mapped to ATT&CK.
CONTROLS = [
    ("root-used", "Root user used", "CRITICAL", "privilege-escalation", "T1078.004", "CIEM"),
    ("cloudtrail-logging-stopped", "CloudTrail logging stopped", "CRITICAL", "defense-evasion", "T1562.008", "CSPM"),
    ("guardduty-disabled", "GuardDuty disabled", "CRITICAL", "defense-impairment", "T1562.001", "CSPM"),
    ("s3-bucket-made-public", "S3 bucket made public", "HIGH", "exfiltration", "T1537", "DSPM"),
    ("console-login-without-mfa", "Console sign-in without MFA", "HIGH", "initial-access", "T1078", "CIEM"),
    ("access-key-created", "Access key created", "MEDIUM", "persistence", "T1098.001", "CIEM"),
    ("admin-policy-attached", "Administrator policy attached", "HIGH", "privilege-escalation", "T1098", "CIEM"),
    ("security-group-opened", "Security group \"opened\" to the world", "HIGH", "defense-evasion", "T1562.007", "CSPM"),
    ("console-login-failed", "Console sign-in failed", "LOW", "credential-access", "T1110", "CIEM"),
    ("unauthorized-api-call", "API call refused for missing permission", "LOW", "discovery", "T1580", "CIEM"),
    ("secret-read", "Secret read", "MEDIUM", "credential-access", "T1555.006", "DSPM"),
    ("instance-command-sent", "Command sent to instances", "MEDIUM", "execution", "T1651", "CWPP"),
    ("role-assumed-across-accounts", "Role assumed from elsewhere", "LOW", "lateral-movement", "T1550.001", "CIEM"),
    ("snapshot-shared", "Snapshot shared", "HIGH", "collection", "T1530", "DSPM"),
    ("kms-key-deletion-scheduled", "鍵の削除が予約された", "CRITICAL", "impact", "T1485", "DSPM"),
    ("log-group-deleted", "Log group deleted", "MEDIUM", "stealth", "T1070", "CSPM"),
    ("region-enabled", "Region enabled", "INFORMATIONAL", None, None, "CSPM"),
    ("company-rule", "A company's own rule, no severity given", "unknown", None, None, "CSPM"),
    # Fired in the past alone, and never again: silent.
    ("user-created", "User created", "MEDIUM", "persistence", "T1136.003", "CIEM"),
    ("trail-deleted", "Trail deleted", "CRITICAL", "defense-evasion", "T1562.008", "CSPM"),
    # Fire in the last days alone.
    ("lambda-url-public", "Function URL without authentication", "HIGH", "initial-access", "T1190", "CWPP"),
    ("mail-identity-verified", "Mail sender verified", "MEDIUM", "resource-development", "T1585.002", "CSPM"),
    ("cluster-deleted", "Cluster deleted", "MEDIUM", "impact", "T1485", "CWPP"),
    ("remote-port-forwarded", "Port forwarded through an instance", "HIGH", "command-and-control", "T1090.001", "CWPP"),
    ("accounts-listed", "Accounts of the organization listed", "LOW", "reconnaissance", "T1591", "CIEM"),
    ("domain-registered", "Domain registered", "LOW", "resource-development", "T1583.001", "CSPM"),
]
# Further tactics of a control; the one above is the first.
MORE_TACTICS = {"admin-policy-attached": ("persistence",), "secret-read": ("collection",), "root-used": ("initial-access",),
                # Whoever takes a role elsewhere may gain rights, too.
                "role-assumed-across-accounts": ("privilege-escalation",)}
BY_ID = {control[0]: control for control in CONTROLS}

# event.name, aws.service, category, readOnly, controls.
ACTIONS = [
    ("StopLogging", "cloudtrail", "Management", "false", ["cloudtrail-logging-stopped"]),
    ("DeleteDetector", "guardduty", "Management", "false", ["guardduty-disabled"]),
    ("PutBucketPolicy", "s3", "Management", "false", ["s3-bucket-made-public"]),
    ("CreateAccessKey", "iam", "Management", "false", ["access-key-created"]),
    ("AttachUserPolicy", "iam", "Management", "false", ["admin-policy-attached", "access-key-created"]),
    ("AuthorizeSecurityGroupIngress", "ec2", "Management", "false", ["security-group-opened"]),
    ("GetSecretValue", "secretsmanager", "Data", "true", ["secret-read"]),
    ("SendCommand", "ssm", "Management", "false", ["instance-command-sent", "company-rule"]),
    ("AssumeRole", "sts", "Management", "true", ["role-assumed-across-accounts"]),
    ("ModifySnapshotAttribute", "ec2", "Management", "false", ["snapshot-shared"]),
    ("ScheduleKeyDeletion", "kms", "Management", "false", ["kms-key-deletion-scheduled"]),
    ("DeleteLogGroup", "logs", "Management", "false", ["log-group-deleted"]),
    ("EnableRegion", "account", "Management", "false", ["region-enabled"]),
    ("ListBuckets", "s3", "Management", "true", ["unauthorized-api-call"]),
    ("DescribeInstances", "ec2", "Management", "true", ["unauthorized-api-call"]),
    ("ConsoleLogin", "signin", "Management", "false", ["console-login-failed"]),
    # One name, two services.
    ("DeleteCluster", "eks", "Management", "false", ["cluster-deleted"]),
    ("DeleteCluster", "ecs", "Management", "false", ["cluster-deleted"]),
    ("StartSession", "ssm", "Management", "false", ["remote-port-forwarded"]),
    ("ListAccounts", "organizations", "Management", "true", ["accounts-listed"]),
    ("RegisterDomain", "route53domains", "Management", "false", ["domain-registered"]),
]
ERRORS = ["AccessDenied", "Client.UnauthorizedOperation", "UnauthorizedOperation", "AccessDeniedException"]


class Trail:
    """Writes records: one detection for each control, the most severe one primary."""

    def __init__(self, world):
        self.world, self.chance, self.count = world, world.random("trail"), 0

    def actor(self, account):
        kind = self.chance.choice(["human", "human", "workload", "awsService", "ci", "federated", "unknown"])
        name = self.chance.choice({
            "human": ["Ops/ada", "山田 太郎", "Dev/o'brien", 'Dev/"bob"'], "workload": ["payments-task", "batch"],
            "awsService": ["autoscaling.amazonaws.com"], "ci": ["deploy/github"], "federated": ["sso/eve"], "unknown": ["unknown"],
        }[kind])
        if kind in ("awsService", "unknown"):
            return {"actor.kind": kind, "actor.name": name, "actor.type": "AWSService"}
        role = name.split("/")[0]
        if kind in ("workload", "ci"):
            # A task's or a pipeline's session has a new name each time; a person's bears the person's.
            name = f"{role}/session-{self.count:x}"
        return {"actor.kind": kind, "actor.name": name, "actor.arn": f"arn:aws:sts::{account[0]}:assumed-role/{name}",
                "actor.sessionIssuer": f"arn:aws:iam::{account[0]}:role/{role}", "actor.type": "AssumedRole"}

    def record(self, time, account, region, action, sent=None, actor=None, controls=None, **more):
        """A record of `time`, sent at `sent`: then it is late."""
        chance, world = self.chance, self.world
        name, service, category, read_only, usual = action
        self.count += 1
        event = f"{self.count:08x}-0000-4000-8000-{chance.randrange(16 ** 12):012x}"
        error = more.pop("error", None)
        late = sent is not None
        about = {
            "event.id": event, "event.name": name, "event.category": category, "event.readOnly": read_only,
            "event.outcome": "failure" if error else "success", "event.errorCode": error, "event.time": time,
            **world.days(time), **place(account, region), "aws.partition": "aws", "aws.service": service,
            **(actor or self.actor(account)),
            "actor.mfa": chance.choice(["true", "false", None]),
            "source.ip": chance.choice(["203.0.113.7", "198.51.100.23", None]),
            "resource.id": chance.choice(["ledger", "sg-0a1", "unknown", "台帳"]),
            "relay.version": "0.1.0", "relay.source": "trail", "relay.late": "true" if late else "false",
            "relay.lagMs": (sent or time + chance.randrange(2_000, 400_000)) - time, **more,
        }
        timestamp = sent if late else time
        fired = sorted((BY_ID[control] for control in controls or usual), key=lambda one: -SEVERITIES.get(one[2], 0))
        for place_of, (control, title, severity, tactic, technique, pillar) in enumerate(fired):
            world.add("AwsSecurityEvent", timestamp, {
                **about, "detection.id": f"{event}:{control}", "detection.primary": "true" if place_of == 0 else "false",
                "control.id": control, "control.title": title, "control.kind": "detective", "control.severity": severity,
                "control.severityScore": SEVERITIES.get(severity), "control.pillar": pillar,
                "control.remediation": chance.choice(["Undo it; rotate what was seen.", None]),
                "attack.tactic": tactic, "attack.technique": technique,
                "attack.tactics": tactic and f"|{'|'.join((tactic, *MORE_TACTICS.get(control, ())))}|",
                "attack.techniques": technique and f"|{technique}|",
            })
        world.add("Log", timestamp, {
            "logtype": "aws.cloudtrail", "event.id": event, "aws.accountId": account[0],
            "aws.accountName": account[1] or account[0], "relay.version": "0.1.0", "relay.source": "trail",
            "relay.late": about["relay.late"], "eventName": name, "message": f'{{"eventID":"{event}","eventName":"{name}"}}',
        })
        if fired[0][2] == "CRITICAL" and not late:
            world.add("AwsSecurityNotice", timestamp + 3 * SECOND, {
                **about, "control.id": fired[0][0], "control.title": fired[0][1], "control.kind": "detective",
                "control.severity": fired[0][2], "control.severityScore": SEVERITIES[fired[0][2]],
                "control.ids": "|" + "|".join(control[0] for control in fired) + "|",
            })


def make(world):
    """Adds them to the world."""
    trail = Trail(world)
    usual(world, trail)
    edges(world, trail)
    signs(world, trail)
    late(world, trail)
    new_and_silent(world, trail)


def usual(world, trail):
    """A growing number of records a day, fewer at the weekend, in all accounts but the last, which is seen once."""
    chance = trail.chance
    for days in reversed(range(62)):
        begin = world.now - (days + 1) * DAY
        count = 30 + (62 - days) // 4 - (12 if world.local(begin).weekday() >= 5 else 0)
        for time in sorted(begin + chance.randrange(DAY - HOUR) for _ in range(count)):
            action = chance.choice(ACTIONS)
            refused = "unauthorized-api-call" in action[4]
            failed = action[0] == "ConsoleLogin" and chance.random() < 0.8
            error = chance.choice(ERRORS) if refused else "Failed authentication" if failed else None
            controls = ["console-login-without-mfa"] if action[0] == "ConsoleLogin" and not failed else None
            trail.record(time, chance.choice(ACCOUNTS[:5]), chance.choice(REGIONS), action, error=error, controls=controls)


def edges(world, trail):
    """Seconds before and after midnight, Mondays and the first of the month among them, in Tokyo and in UTC; and the edges of the
    windows that widgets ask for."""
    for zone in (ZoneInfo("Asia/Tokyo"), timezone.utc):
        for month, day in [(6, 30), (7, 1), (7, 2), (7, 5), (7, 6), (7, 7), (7, 8), (7, 9)]:
            midnight = int(datetime(2026, month, day, tzinfo=zone).timestamp() * 1000)
            for offset in (-2 * SECOND, -1, 0, 1, SECOND):
                if midnight + offset < world.now:
                    trail.record(midnight + offset, ACCOUNTS[1], REGIONS[0], ACTIONS[0])
    for span in (DAY, WEEK, 2 * WEEK, 30 * DAY):
        for offset in (-1, 0, 1):
            trail.record(world.now - span + offset, ACCOUNTS[0], REGIONS[1], ACTIONS[3])
    # The same moment twice: what ties stands in order of arrival.
    for action in ACTIONS[:4]:
        trail.record(world.now - 90 * MINUTE, ACCOUNTS[2], REGIONS[2], action)
    trail.record(world.now - 9 * DAY, ACCOUNTS[5], REGIONS[0], ACTIONS[4])


def signs(world, trail):
    """Root, and root without MFA."""
    for days in (0, 2, 6, 8, 20, 40):
        account = ACCOUNTS[days % 5]
        root = {"actor.kind": "root", "actor.name": "root", "actor.arn": f"arn:aws:iam::{account[0]}:root", "actor.type": "Root"}
        time = world.now - days * DAY - 3 * HOUR
        trail.record(time, account, "us-east-1", ACTIONS[15], actor=root, controls=["root-used", "console-login-without-mfa"])
        trail.record(time + MINUTE, account, "us-east-1", ACTIONS[3], actor=root, controls=["root-used", "access-key-created"])


def late(world, trail):
    """Records that came days after they happened: sent with the time of sending."""
    chance = trail.chance
    for number in range(40):
        sent = world.now - chance.randrange(29 * DAY)
        time = sent - chance.choice([26 * HOUR, 3 * DAY, 10 * DAY, 45 * DAY])
        trail.record(time, chance.choice(ACCOUNTS[:4]), REGIONS[number % 3], chance.choice(ACTIONS), sent=sent)
    # Of yesterday in Tokyo, sent today.
    trail.record(world.midnight() - SECOND, ACCOUNTS[3], REGIONS[0], ACTIONS[1], sent=world.now - 10 * MINUTE)


def new_and_silent(world, trail):
    """More than a hundred new actors, controls that went silent, one that is new."""
    chance = trail.chance
    for number in range(130):
        account = ACCOUNTS[number % 5]
        actor = {"actor.kind": "human", "actor.name": f"newcomer-{number:03}", "actor.type": "IAMUser",
                 "actor.arn": f"arn:aws:iam::{account[0]}:user/newcomer-{number:03}"}
        for _ in range(1 + number % 3):
            trail.record(world.now - chance.randrange(6 * DAY), account, chance.choice(REGIONS), chance.choice(ACTIONS), actor=actor)
    create = ("CreateUser", "iam", "Management", "false", ["user-created"])
    delete = ("DeleteTrail", "cloudtrail", "Management", "false", ["trail-deleted", "cloudtrail-logging-stopped"])
    for days in (8, 12, 12, 25, 33):
        trail.record(world.now - days * DAY, ACCOUNTS[1], REGIONS[0], create)
        trail.record(world.now - days * DAY - HOUR, ACCOUNTS[3], REGIONS[1], delete)
        trail.record(world.now - days * DAY - 2 * HOUR, ACCOUNTS[2], REGIONS[1], create)
    url = ("CreateFunctionUrlConfig", "lambda", "Management", "false", ["lambda-url-public"])
    mail = ("VerifyEmailIdentity", "ses", "Management", "false", ["mail-identity-verified"])
    for hours in (5, 30, 100):
        trail.record(world.now - hours * HOUR, ACCOUNTS[4], REGIONS[2], url)
        trail.record(world.now - hours * HOUR - MINUTE, ACCOUNTS[1], REGIONS[1], mail)
