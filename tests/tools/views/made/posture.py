"""Rows of the state of AWS Config: summaries, counts by rule, violations, frameworks, packs, runs, and changes of state.

Every resource has a story: when it began to violate its rule, when it was mended, when it broke again. All rows of a run are told
from the stories at the run's time. Each kind of run ends with one that was not accepted, whose rows nobody may count.
"""

from base import ACCOUNTS, DAY, HOUR, MINUTE, REGIONS, SECOND, SEVERITIES, hundredths, place

# Beside the known ones: one that could never be read, and one that bears the name of another.
NEVER_READ = ("777777777777", "new-account", "unknown", "unknown", None)
NAMESAKE = ("888888888888", "prod-web", "Workloads/Prod", "prod", "web-team")

# id, severity (None: no table knows the rule), type of its resources, pillar, frameworks, watches public access.
RULES = [
    ("s3-bucket-public-read-prohibited", "CRITICAL", "AWS::S3::Bucket", "DSPM", ("PCI-DSS-4.0:1.4.4", "CIS-AWS-3.0:2.1.4"), True),
    ("rds-instance-public-access-check", "CRITICAL", "AWS::RDS::DBInstance", "DSPM", ("PCI-DSS-4.0:1.4.4",), True),
    ("iam-root-access-key-check", "CRITICAL", "AWS::::Account", "CIEM", ("CIS-AWS-3.0:1.4",), False),
    ("restricted-ssh", "HIGH", "AWS::EC2::SecurityGroup", "CSPM", ("CIS-AWS-3.0:5.2", "PCI-DSS-4.0:1.3.1"), True),
    ("mfa-enabled-for-iam-console-access", "HIGH", "AWS::IAM::User", "CIEM", ("CIS-AWS-3.0:1.10",), False),
    ("cloudtrail-enabled", "HIGH", "AWS::::Account", "CSPM", ("ISO-27001-2022:A.8.15",), False),
    ("lambda-function-public-access-prohibited", "CRITICAL", "AWS::Lambda::Function", "CWPP", ("NIST-800-53-r5:AC-3",), True),
    ("ec2-imdsv2-check", "HIGH", "AWS::EC2::Instance", "CWPP", ("NIST-800-53-r5:AC-3",), False),
    ("encrypted-volumes", "MEDIUM", "AWS::EC2::Volume", "DSPM", ("ISO-27001-2022:A.8.24",), False),
    ("vpc-flow-logs-enabled", "MEDIUM", "AWS::EC2::VPC", "CSPM", ("CIS-AWS-3.0:3.7",), False),
    ("s3-bucket-logging-enabled", "LOW", "AWS::S3::Bucket", "CSPM", (), False),
    ("access-keys-rotated", "MEDIUM", "AWS::IAM::User", "CIEM", ("CIS-AWS-3.0:1.14",), False),
    ("ours-tags 必須タグ", None, "AWS::EC2::Instance", "unknown", (), False),
    ("lambda-inside-vpc", "MEDIUM", "AWS::Lambda::Function", "CWPP", ("PCI-DSS-4.0:1.2.1",), False),
    ("rds-multi-az-support", "INFORMATIONAL", "AWS::RDS::DBInstance", "CSPM", (), False),
]
# Its rows end a week ago: somebody removed it.
REMOVED = "s3-bucket-logging-enabled"
WORDS = ("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA")
ANNOTATIONS = [None, "Port 22 is open to '0.0.0.0/0'.", 'The policy allows "*".', "暗号化されていません。"]


class Resource:
    """A resource under a rule, with its story: times, and its state from then on."""

    def __init__(self, account, region, rule, kind, number, story, reopened):
        self.account, self.region, self.rule = account, region, rule
        self.type = kind
        # Names of functions are the same in every account, as a module makes them.
        short = kind.rsplit("::", 1)[-1].lower()
        if kind == "AWS::::Account":
            self.id = account[0]
        elif kind == "AWS::Lambda::Function":
            self.id = f"nightly-{number}"
        else:
            self.id = f"{short}-{account[0][:3]}-{region[:2]}-{rule[0][:6]}-{number}"
        self.arn = None if number == 2 else f"arn:aws:config:{region}:{account[0]}:{short}/{self.id}"
        self.story, self.reopened = story, reopened

    def state(self, at):
        """Its state, since when, and how often it broke again; no state before it was there."""
        state, since, again = None, None, 0
        for index, (time, now) in enumerate(self.story):
            if time <= at:
                state, since = now, time
                again = self.reopened.get(index, again)
        return state, since, again


class Resources(list):
    """All resources, and what was counted of them."""

    def __init__(self):
        super().__init__()
        self.counted = {}

    def counts(self, at, account):
        """Rules by state, results by state, rules and resources that are excepted."""
        if at not in self.counted:
            found = self.counted[at] = {}
            for (where, _, _), states in by_rule(self, at).items():
                rules, results, excepted = found.setdefault(where[0], ([0] * 4, [0] * 4, [0] * 2))
                rule = counted([state for _, state, _, _ in states])
                rules[WORDS.index(of_rule(rule))] += 1
                results[:] = [one + two for one, two in zip(results, rule)]
                muted = sum(state == "EXCEPTED" for _, state, _, _ in states)
                excepted[:] = [excepted[0] + (0 < muted == rule[1]), excepted[1] + muted]
        return self.counted[at].get(account[0], ([0] * 4, [0] * 4, [0] * 2))


def stories(world):
    """All resources."""
    rng, resources = world.random("stories"), Resources()
    begin = world.now - 62 * DAY
    # Just before and after midnight, and the month's first second, in the zone of the relay.
    edges = [world.midnight(3) - 2 * SECOND, world.midnight(3) + 2 * SECOND, world.at(2026, 7, 1), world.at(2026, 7, 1) - SECOND,
             world.now - 30 * DAY - MINUTE, world.now - 30 * DAY + MINUTE, world.now - 7 * DAY - SECOND]
    for account in ACCOUNTS + [NAMESAKE]:
        for region in REGIONS[:1] if account[1] in ("dev-sandbox", None) else REGIONS:
            for rule in RULES:
                if account is NAMESAKE and rule[0] != "restricted-ssh":
                    continue
                if rule[2] == "AWS::::Account" and region != REGIONS[0]:
                    continue
                for number in range(1 if rule[2] == "AWS::::Account" else rng.randint(1, 4)):
                    story, reopened = [(begin - rng.randint(1, 90) * DAY, "COMPLIANT")], {}
                    luck = rng.random()
                    time = rng.randint(begin, world.now - HOUR) if edges == [] or luck < 0.4 else edges.pop()
                    if luck > 0.94:
                        story = [(begin, "NOT_APPLICABLE")]
                    elif luck > 0.88:
                        story = [(begin, "INSUFFICIENT_DATA")]
                    elif luck < 0.55:
                        story.append((time, "NON_COMPLIANT"))
                        for turn in range(rng.choice([0, 0, 1, 1, 2, 3])):
                            time += rng.randint(HOUR, 12 * DAY)
                            if time >= world.now - MINUTE:
                                break
                            mended = turn % 2 == 0
                            story.append((time, "COMPLIANT" if mended else "NON_COMPLIANT"))
                            if not mended:
                                reopened[len(story) - 1] = 1
                        if story[-1][1] == "NON_COMPLIANT" and rng.random() < 0.12:
                            story.append((min(time + DAY, world.now - 2 * MINUTE), "EXCEPTED"))
                        elif rng.random() < 0.06:
                            # Somebody deleted it.
                            story.append((min(time + 2 * DAY, world.now - 3 * MINUTE), "LEFT"))
                    resources.append(Resource(account, region, rule, rule[2], number, story, reopened))
    return resources


def control(rule):
    """The control's attributes, as changes and violations carry them."""
    return {"control.id": rule[0], "control.title": rule[0], "control.kind": "preventive", **severity(rule),
            "control.pillar": rule[3], "control.frameworks": frameworks(rule)}


def severity(rule):
    return {"control.severity": rule[1] or "unknown", "control.severityScore": SEVERITIES.get(rule[1])}


def frameworks(rule):
    return "|" + "|".join(rule[4] or ["unmapped"]) + "|"


def by_rule(resources, at):
    """Account, Region and rule: its resources and their states, of what is there."""
    found = {}
    for resource in resources:
        state = resource.state(at)
        if state[0] not in (None, "LEFT"):
            found.setdefault((resource.account, resource.region, resource.rule), []).append((resource, *state))
    return found


def counted(states):
    """How many of each state; what is excepted violates."""
    words = {"EXCEPTED": "NON_COMPLIANT"}
    states = [words.get(state, state) for state in states]
    return [states.count(word) for word in WORDS]


def of_rule(counts):
    """The state of a rule, from its results."""
    compliant, violating, not_applicable, _ = counts
    return ("NON_COMPLIANT" if violating else "COMPLIANT" if compliant else
            "NOT_APPLICABLE" if not_applicable else "INSUFFICIENT_DATA")


def make(world):
    """Adds them to the world."""
    resources = stories(world)
    changes(world, resources)
    catalogue(world)
    hour = world.now // HOUR * HOUR
    runs = [("summary", [hour - n * HOUR for n in range(30)] + [hour - n * 6 * HOUR for n in range(6, 240)], summary),
            ("snapshot", [hour - n * 6 * HOUR - 20 * MINUTE for n in (0, 1, 2, 3, 4, 8, 31, 121, 200)], snapshot),
            ("violations", [hour - n * DAY - 40 * MINUTE for n in (0, 1, 2, 3, 4, 8, 31, 45)], violations),
            ("frameworks", [hour - n * DAY - 50 * MINUTE for n in range(40)], requirements),
            ("packs", [hour - n * 6 * HOUR - 10 * MINUTE for n in (0, 1, 2, 3, 4, 5, 9, 130)], packs)]
    for kind, times, tell in runs:
        # The newest was not accepted, and only half of it came; the one before it was.
        for at in sorted(times) + [world.now - 5 * MINUTE]:
            begin = len(world.rows)
            tell(world, resources, at, f"{kind}-{at}")
            refused = at == world.now - 5 * MINUTE
            if refused:
                del world.rows[begin + (len(world.rows) - begin) // 2:]
            ended(world, kind, at, f"{kind}-{at}", len(world.rows) - begin, not refused)
    for n, kind in enumerate(["baseline", "reconcile", "retry", "reconcile"]):
        ended(world, kind, hour - (40 - 13 * n) * DAY, f"{kind}-{n}", 0, True)


# Controls that no rule judges: id, automation, whose, why, who attests, since when.
UNJUDGED = [
    ("physical-access", "inherited", "aws", "The data centre is AWS's.", "audit@example.com", "2026-05-01"),
    ("security-training", "manual", "customer", "People can't be \"evaluated\".", None, None),
    ("委託先管理", "manual", "shared", None, "監査部", "2026-06-30"),
]


def catalogue(world):
    """Preventive controls, a row a day: those that are evaluated, those that run nowhere, and those no rule judges. Of the newest
    catalogue the first row alone came, and its run was not accepted."""
    newest = world.now - 5 * MINUTE
    for time in world.catalogue_times():
        ended(world, "controls", time, f"controls-{time}", 0, True)
    world.add("CspmRelayControl", newest, {**control(RULES[0]), "control.enabled": "true", "control.evaluated": "false", "control.automation": "automated"})
    ended(world, "controls", newest, f"controls-{newest}", 1, False)
    for time in world.catalogue_times():
        for rule in RULES:
            world.add("CspmRelayControl", time, {
                **control(rule), "control.enabled": "true", "control.evaluated": "true", "control.automation": "automated"})
        for number, (name, level) in enumerate([("acm-certificate-expiration-check", "HIGH"),
                                                ("eks-endpoint-no-public-access", None), ("kms-cmk-not-scheduled-for-deletion", "CRITICAL")]):
            world.add("CspmRelayControl", time, {
                "control.id": name, "control.title": name, "control.kind": "preventive", "control.severity": level or "unknown",
                "control.severityScore": SEVERITIES.get(level), "control.pillar": "CSPM", "control.enabled": "true",
                "control.frameworks": "|unmapped|" if number == 1 else f"|NIST-800-53-r5:SC-{number}|", "control.evaluated": "false",
                "control.automation": "automated"})
        for name, automation, whose, why, by, since in UNJUDGED:
            world.add("CspmRelayControl", time, {
                "control.id": name, "control.title": name, "control.kind": "preventive", "control.severity": "unknown",
                "control.pillar": "CSPM", "control.enabled": "true", "control.automation": automation,
                "control.responsibility": whose, "control.automationReason": why, "control.attestedBy": by,
                "control.attestedOn": since})


def ended(world, kind, at, name, rows, accepted):
    """The row that says a run is all there."""
    world.add("AwsPostureRun", at, {
        "snapshot.id": name, "run.kind": kind, "run.rows": rows, "run.repairs": 2 if kind == "reconcile" else 0, "run.places": 14,
        "run.placesFailed": 1, "run.calls": 90, "run.began": at, "run.ended": at + 9 * SECOND,
        "run.accepted": "true" if accepted else "false", "run.complete": "false"})


def summary(world, resources, at, name):
    """A row per account."""
    for account in ACCOUNTS + [NAMESAKE, NEVER_READ]:
        row = {**place(account), "snapshot.id": name, "posture.regions": 3, "posture.regionsRead": 1}
        if account is not NEVER_READ:
            rules, results, excepted = resources.counts(at, account)
            words = ("compliant", "violating", "notApplicable", "unknown")
            row.update({f"posture.{word}Rules": count for word, count in zip(words, rules)})
            row.update({f"posture.{word}Resources": count for word, count in zip(words, results)})
            row["posture.exceptedRules"], row["posture.exceptedResources"] = excepted
            row["posture.observedAt"] = at - (int(account[0][0]) * 7 + 1) * MINUTE
            # It came this week: nothing is known of a week ago.
            for days in (1,) if account is NAMESAKE else (1, 7):
                row[f"posture.violatingRulesDelta{days}d"] = rules[1] - resources.counts(at - days * DAY, account)[0][1]
        world.add("AwsPostureSummary", at, row)


def snapshot(world, resources, at, name):
    """A row per account, Region and rule."""
    for (account, region, rule), states in by_rule(resources, at).items():
        if rule[0] == REMOVED and at > world.now - 7 * DAY:
            continue
        counts = counted([state for _, state, _, _ in states])
        words = ("compliant", "violating", "notApplicable", "unknown")
        world.add("AwsComplianceSnapshot", at, {
            "snapshot.id": name, "aws.accountId": account[0], "aws.region": region, "control.id": rule[0], **severity(rule),
            "compliance.ruleName": rule[0] + "-deployed", "compliance.state": of_rule(counts),
            **{f"compliance.{word}Resources": count for word, count in zip(words, counts)},
            "posture.observedAt": at - (len(region) + int(account[0][0])) * MINUTE})


def violations(world, resources, at, name):
    """A row per resource that violates a rule."""
    public = {exposed_as(resource) for resource in resources
              if resource.rule[5] and resource.state(at)[0] in ("NON_COMPLIANT", "EXCEPTED")}
    for resource in resources:
        state, since, again = resource.state(at)
        if state not in ("NON_COMPLIANT", "EXCEPTED") or (resource.rule[0] == REMOVED and at > world.now - 7 * DAY):
            continue
        # Of some nobody knows since when.
        known = len(resource.id) % 7 != 0
        world.add("AwsComplianceViolation", at, {
            "snapshot.id": name, **control(resource.rule), **place(resource.account, resource.region),
            "control.runbookUrl": f"https://example.com/{resource.rule[0]}" if resource.rule[1] else None,
            "compliance.state": state, "compliance.annotation": ANNOTATIONS[len(resource.id) % 4],
            "compliance.ruleName": resource.rule[0] + "-deployed", "compliance.since": since if known else None,
            "compliance.ageDays": (at - since) // DAY if known else None, "compliance.reopenCount": again,
            "compliance.exposure": "public" if exposed_as(resource) in public else None, "resource.type": resource.type,
            "resource.id": resource.id, "resource.arn": resource.arn})


def exposed_as(resource):
    """By what a resource is known whichever rule judges it."""
    return resource.account, resource.region, resource.type, resource.id


# Framework, and its requirements with the rules that judge them; no rules: nobody judges it; None: a rule that runs nowhere.
REQUIREMENTS = {
    "CIS-AWS-3.0": {"1.4": [2], "1.10": [4], "1.14": [11], "2.1.4": [0], "5.2": [3], "3.7": [9], "4.16": []},
    "PCI-DSS-4.0": {"1.3.1": [3], "1.4.4": [0, 1], "10.2.1": [5, None], "9.1.1": []},
    "ISO-27001-2022": {"A.8.15": [5], "A.8.24": [8], "A.7.1": []},
    "NIST-800-53-r5": {"AC-3": [6, 7], "PE-3": []},
}


def requirements(world, resources, at, name):
    """A row per account, framework and requirement."""
    found = by_rule(resources, at)
    for account in ACCOUNTS:
        for framework, judged in REQUIREMENTS.items():
            for requirement, rules in judged.items():
                passed, failed, unknown, absent = 0, 0, 0, 0 if rules else 1
                for number in rules:
                    states = [of_rule(counted([state for _, state, _, _ in states]))
                              for (where, _, rule), states in found.items()
                              if where is account and number is not None and rule is RULES[number]]
                    failed += "NON_COMPLIANT" in states
                    passed += "NON_COMPLIANT" not in states and "COMPLIANT" in states
                    unknown += "NON_COMPLIANT" not in states and "COMPLIANT" not in states and states != []
                    absent += states == []
                manual = {"framework.manualItems": 2, "framework.manualAttested": 1 + (account[3] == "prod")} \
                    if requirement in ("9.1.1", "A.7.1") else {}
                inherited = {"framework.inheritedItems": 3, "framework.inheritedAttested": 3} if requirement == "PE-3" else {}
                state = ("failed" if failed else "unknown" if unknown or not passed and not inherited else
                         "partial" if absent and not inherited else "passed")
                world.add("AwsFrameworkSnapshot", at, {
                    "snapshot.id": name, **place(account), "framework.name": framework, "framework.requirement": requirement,
                    "framework.id": f"{framework}:{requirement}", "framework.state": state, "framework.passedRules": passed,
                    "framework.failedRules": failed, "framework.unknownRules": unknown, "framework.notDeployedRules": absent,
                    **manual, **inherited})


def packs(world, resources, at, name):
    """A row per account, Region and conformance pack."""
    found = by_rule(resources, at)
    for account in ACCOUNTS:
        for region in sorted({region for where, region, _ in found if where is account}):
            for pack, wanted in [("operational-best-practices", range(0, 7)), ("PCI パック", range(0, 2))]:
                states = [of_rule(counted([state for _, state, _, _ in states])) for (where, there, rule), states in found.items()
                          if where is account and there == region and RULES.index(rule) in wanted]
                compliant, violating = states.count("COMPLIANT"), states.count("NON_COMPLIANT")
                judged = compliant + violating
                # Of one pack only its state is known.
                known = not (account[1] is None and pack.startswith("PCI"))
                world.add("AwsConformancePackSnapshot", at, {
                    "snapshot.id": name, **place(account, region), "pack.name": pack,
                    "pack.state": "NON_COMPLIANT" if violating else "COMPLIANT" if compliant else "INSUFFICIENT_DATA",
                    **({"pack.compliantRules": compliant, "pack.violatingRules": violating,
                        "pack.unknownRules": len(states) - judged} if known else {}),
                    "pack.percentRules": hundredths(compliant, judged) if known else None})


def changes(world, resources):
    """A row per change of state, in order of arrival."""
    rng, told = world.random("changes"), []
    for resource in resources:
        for index, (time, state) in enumerate(resource.story):
            if index == 0:
                continue
            was, previous = resource.story[index - 1][1], resource.story[index - 1][0]
            late = rng.random() < 0.04
            disorder = rng.random() < 0.04
            again = resource.state(time)[2]
            mended = state == "COMPLIANT" and was == "NON_COMPLIANT"
            arrival = min(time + 26 * HOUR, world.now - MINUTE) if late else time
            told.append((arrival + rng.randint(0, 20) * SECOND, {
                "timestamp": arrival, "event.id": f"change-{len(told)}", "event.category": "Compliance", "event.time": time,
                **world.days(time), **control(resource.rule), **place(resource.account, resource.region),
                "compliance.state": state, "compliance.previousState": was,
                "compliance.annotation": ANNOTATIONS[index % 4] if state == "NON_COMPLIANT" else None,
                "compliance.ruleName": resource.rule[0] + "-deployed", "compliance.reopenCount": again,
                # Nobody knows how long one lasted whose beginning was not seen.
                "compliance.resolvedAfterMs": time - previous if mended and len(told) % 9 else None,
                "compliance.origin": "reconcile" if len(told) % 11 == 0 else "stream",
                "compliance.outOfOrder": "true" if disorder else "false", "resource.type": resource.type,
                "resource.id": resource.id, "resource.arn": resource.arn, "relay.late": "true" if late else "false"}))
    for _, row in sorted(told, key=lambda item: item[0]):
        timestamp = row.pop("timestamp")
        world.add("AwsComplianceChange", timestamp, row)
