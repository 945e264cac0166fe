"""Rows of findings: transitions, hourly counts of open ones, results of insights.

Every finding has a story, as a resource under a rule has. Counts are told from the stories at the run's time.
"""

from base import ACCOUNTS, DAY, HOUR, MINUTE, REGIONS, SECOND, SEVERITIES, place
from made.posture import ended

# Product, control, title, severity, pillar, type of resource.
CONTROLS = [
    ("Security Hub", "IAM.3", "IAM users' access keys should be rotated", "HIGH", "CIEM", "AwsIamUser"),
    ("Security Hub", "S3.8", "S3 バケットはパブリックアクセスを遮断する", "CRITICAL", "DSPM", "AwsS3Bucket"),
    ("Security Hub", "EC2.19", "Security groups should not allow \"unrestricted\" access", "HIGH", "CSPM", "AwsEc2SecurityGroup"),
    ("Security Hub", "RDS.5", "RDS DB instances should have multi-AZ", "LOW", "CSPM", "AwsRdsDbInstance"),
    ("Security Hub", "CloudTrail.2", "CloudTrail should have encryption", "MEDIUM", "CSPM", "AwsCloudTrailTrail"),
    ("GuardDuty", "UnauthorizedAccess:EC2/SSHBruteForce", "SSH brute force", "HIGH", "CWPP", "AwsEc2Instance"),
    ("GuardDuty", "Recon:IAMUser/UserPermissions", "Recon of permissions", "MEDIUM", "CIEM", "AwsIamUser"),
    ("Macie", "SensitiveData:S3Object/Personal", "Personal data", "HIGH", "DSPM", "AwsS3Bucket"),
    ("IAM Access Analyzer", "ExternalAccess", "Outsiders reach it", "CRITICAL", "CIEM", "AwsIamRole"),
    ("IAM Access Analyzer", "UnusedPermission", "Permission not used", "INFORMATIONAL", "CIEM", "AwsIamRole"),
    ("Trivy", "AVD-AWS-0086", "No public access block in code", "HIGH", "IaC", "Code"),
]

# Controls that say of a resource that the internet reaches it.
PUBLIC = ("S3.8", "EC2.19")

# What GuardDuty says of them in the words of ATT&CK.
TECHNIQUES = {
    "UnauthorizedAccess:EC2/SSHBruteForce": {"attack.tactic": "credential-access", "attack.technique": "T1110"},
    "Recon:IAMUser/UserPermissions": {"attack.tactic": "discovery", "attack.technique": "T1069"},
}


class Finding:
    def __init__(self, number, control, severity, account, region, resource, story):
        self.number, self.control, self.severity = number, control, severity
        self.account, self.region, self.resource, self.story = account, region, resource, story

    def state(self, at):
        """Status and severity, or none before it came."""
        best = None
        for time, status, _, severity in self.story:
            if time <= at:
                best = (status, severity)
        return best


def stories(world):
    """All findings."""
    rng, found = world.random("findings"), []
    begin = world.now - 62 * DAY
    edges = [world.midnight(1) - SECOND, world.midnight(1), world.now - 30 * DAY - SECOND, world.now - 30 * DAY + SECOND,
             world.now - 7 * DAY + 5 * SECOND, world.now - 7 * DAY - 5 * SECOND]

    def tell(control, account, region, resource, first):
        time = edges.pop() if edges and rng.random() < 0.3 else rng.randint(first, world.now - 2 * HOUR)
        severity, story = control[3], []
        if severity == "HIGH" and rng.random() < 0.2:
            story.append((time, "OPEN", "new", "MEDIUM"))
            time += rng.randint(MINUTE, 5 * DAY)
            story.append((time, "OPEN", "worsened", severity))
        else:
            story.append((time, "OPEN", "new", severity))
        for turn in range(rng.choice([0, 0, 0, 1, 1, 2, 3, 4])):
            time += rng.randint(HOUR, 9 * DAY)
            story.append((time, "RESOLVED", "resolved", severity) if turn % 2 == 0 else (time, "OPEN", "reopened", severity))
        if story[-1][1] == "OPEN" and rng.random() < 0.25:
            story.append((time + rng.randint(HOUR, 5 * DAY), rng.choice(["OPEN", "SUPPRESSED", "EXCEPTED"]), "updated", severity))
        story = [step for step in story if step[0] < world.now - MINUTE]
        if story:
            found.append(Finding(len(found), control, severity, account, region, resource, story))

    for account in ACCOUNTS:
        for region in REGIONS[:1] if account[1] is None else REGIONS:
            for control in CONTROLS:
                for number in range(rng.randint(0, 3)):
                    # Two accounts have a resource of one name.
                    tell(control, account, region, f"{control[5].lower()}-{region[:2]}-{number}", begin)
    # A vulnerability each, more than a list shows.
    for number in range(340):
        severity = ("CRITICAL", "HIGH", "HIGH", "MEDIUM")[number % 4]
        name = f"CVE-2026-{10000 + number}"
        control = ("Inspector", name, f"{name} - libexample", severity, "CWPP", "AwsEc2Instance")
        first = begin if number % 8 == 0 else world.now - 29 * DAY
        tell(control, ACCOUNTS[number % 4], REGIONS[number % 2], f"i-{number // 2:04}", first)
    return found


def make(world):
    """Adds them to the world."""
    found = stories(world)
    transitions(world, found)
    hour = world.now // HOUR * HOUR - 15 * MINUTE
    times = [hour - n * HOUR for n in range(4)] + [hour - n * 12 * HOUR for n in range(1, 66, 2)]
    for at in sorted(set(times)) + [world.now - 4 * MINUTE]:
        begin, refused = len(world.rows), at == world.now - 4 * MINUTE
        counts(world, found, at)
        if refused:
            del world.rows[begin + (len(world.rows) - begin) // 2:]
        ended(world, "findings", at, f"findings-{at}", len(world.rows) - begin, not refused)
    insights(world)


def transitions(world, found):
    rng, told = world.random("transitions"), []
    for finding in found:
        product, control, title, _, pillar, kind = finding.control
        first, again = finding.story[0][0], 0
        for index, (time, status, transition, severity) in enumerate(finding.story):
            again += transition == "reopened"
            late = rng.random() < 0.04
            arrival = min(time + 30 * HOUR, world.now - MINUTE) if late else time
            analyzer = product == "IAM Access Analyzer"
            told.append((arrival + rng.randint(0, 9) * SECOND, arrival, {
                "event.id": f"finding-{finding.number}-{index}", "event.category": "Finding", "event.time": time,
                **world.days(time), **place(finding.account, finding.region), "control.id": control,
                "control.ids": f"|{control}|",
                "control.title": title, "control.kind": "finding", "control.severity": severity,
                "control.severityScore": SEVERITIES[severity], "control.pillar": pillar, "control.frameworks": "|unmapped|",
                "control.remediation": None if finding.number % 3 else f"Mend {control}; don't wait.",
                "control.runbookUrl": None if finding.number % 2 else f"https://example.com/{control}",
                "finding.transition": transition, "finding.status": status,
                "finding.previousStatus": finding.story[index - 1][1] if index else None, "finding.key": f"key-{finding.number}",
                "finding.product": product, "finding.title": title, "finding.firstSeen": first, "finding.openMs": time - first,
                "finding.reopened": again, "resource.type": kind, "resource.id": finding.resource,
                "resource.arn": f"arn:aws:x:{finding.region}:{finding.account[0]}:{finding.resource}"
                                if finding.number % 5 else None,
                "finding.fixAvailable": ["YES", "NO", None][finding.number % 3] if product == "Inspector" else None,
                "finding.principal": f"|AWS:9999{finding.number:08}|" if analyzer else None,
                "finding.accessType": "external" if control == "ExternalAccess" else "unused" if analyzer else None,
                "finding.public": ["true", "false"][finding.number % 2] if control == "ExternalAccess" else None,
                **TECHNIQUES.get(control, {}), "relay.late": "true" if late else "false"}))
    for _, timestamp, row in sorted(told, key=lambda item: item[0]):
        world.add("AwsSecurityFinding", timestamp, row)


def counts(world, found, at):
    """A row per account, Region, product, control and severity."""
    sums = {}
    for finding in found:
        state = finding.state(at)
        if state is None or state[0] == "RESOLVED":
            continue
        key = (finding.account, finding.region, finding.control, state[1])
        sums.setdefault(key, {"open": 0, "suppressed": 0, "excepted": 0})[state[0].lower()] += 1
    for (account, region, (product, control, _, _, pillar, _), severity), count in sums.items():
        world.add("AwsFindingSnapshot", at, {
            "snapshot.id": f"findings-{at}", **place(account, region), "control.id": control, "control.kind": "finding",
            "control.severity": severity, "control.severityScore": SEVERITIES[severity], "control.pillar": pillar,
            "compliance.exposure": "public" if control in PUBLIC else None,
            "finding.product": product, **{f"finding.{name}": value for name, value in count.items()}})


def insights(world):
    """Results of insights, most once a day: a managed one is told by two accounts, one was told last weeks ago, and one is told in
    two Regions."""
    rng = world.random("insights")
    for days in range(40, -1, -1):
        at = world.now - days * DAY - 3 * HOUR
        for name, values, account, region in [
                ("Resources with the most findings", ["i-0001", "i-0002", "bucket \"a\""], ACCOUNTS[3], REGIONS[0]),
                ("Resources with the most findings", ["i-0001"], ACCOUNTS[0], REGIONS[0]),
                ("Resources with the most findings", ["i-0001", "i-0009"], ACCOUNTS[0], REGIONS[1]),
                ("重大な検出結果のある製品", ["Inspector"], ACCOUNTS[3], REGIONS[0])]:
            if days < 20 and region == REGIONS[1]:
                continue
            for value in values:
                if days == 0 and value == "i-0002":
                    # It is not in the newest result any more.
                    continue
                world.add("AwsFindingInsight", at, {
                    "event.id": f"insight-{days}-{name}-{account[0]}-{region}", "event.category": "Finding", "event.time": at - 2 * MINUTE,
                    **world.days(at), **place(account, region), "insight.name": name,
                    "insight.arn": f"arn:aws:securityhub:::insight/{len(name)}",
                    "insight.resultType": "ResourceId", "insight.result": value, "insight.count": rng.randint(1, 90)})
