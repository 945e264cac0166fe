"""A large fleet: posture rows of 200 accounts × 3 Regions × 150 rules, 260 identities an account, and every series of violations."""

from base import DAY, MINUTE, SEVERITIES, WEEK, grouped, series, share, table
from made.posture import ended

ACCOUNTS, REGIONS, RULES = 200, ("ap-northeast-1", "eu-west-1", "us-east-1"), 150
STATES = ("COMPLIANT", "NON_COMPLIANT", "COMPLIANT", "NOT_APPLICABLE", "COMPLIANT", "INSUFFICIENT_DATA", "NON_COMPLIANT")
BAD, GOOD = "NON_COMPLIANT", "COMPLIANT"
RISKS, PILLARS = ("critical", "high", "medium", "low"), ("CSPM", "CIEM", "CWPP", "DSPM", "IaC")


def make(world):
    """Adds them to the world: one run of each kind, every row of the run of counts there is."""
    at = world.now - 30 * MINUTE
    levels = list(SEVERITIES)
    for account in range(ACCOUNTS):
        number = f"{100000000000 + account}"
        where = {"aws.accountId": number, "aws.accountName": f"account-{account:03}", "aws.organizationalUnit": "Fleet",
                 "aws.environment": "prod"}
        counts = dict.fromkeys(STATES, 0)
        for region in REGIONS:
            for rule in range(RULES):
                state = STATES[(account * 3 + len(region) + rule) % len(STATES)]
                counts[state] += 1
                violating, compliant = (3 if state == BAD else 0), (0 if state in ("NOT_APPLICABLE", "INSUFFICIENT_DATA") else 4)
                world.add("AwsComplianceSnapshot", at, {
                    "snapshot.id": "snapshot-1", "aws.accountId": number, "aws.region": region, "control.id": f"rule-{rule}",
                    "control.severity": levels[rule % 5], "control.severityScore": SEVERITIES[levels[rule % 5]],
                    "compliance.ruleName": f"rule-{rule}", "compliance.state": state, "compliance.violatingResources": violating,
                    "compliance.compliantResources": compliant, "posture.observedAt": at - account * MINUTE})
        # One framework as large as NIST 800-53, most of it unknown: more places than `uniqueCount` is exact for.
        for requirement in range(330):
            name = f"Framework {0 if requirement < 300 else requirement % 3 + 1}"
            state = ("passed", "failed", *["unknown"] * 10)[(account + requirement) % 12]
            world.add("AwsFrameworkSnapshot", at, {
                "snapshot.id": "frameworks-1", "aws.accountId": number, "aws.accountName": f"account-{account:03}",
                "aws.organizationalUnit": "Fleet", "aws.environment": "prod", "framework.name": name,
                "framework.requirement": f"R{requirement}", "framework.id": f"{name}:R{requirement}",
                "framework.state": state, "framework.failedRules": 1})
        world.add("AwsPostureSummary", at, {
            "snapshot.id": "summary-1", "aws.accountId": number, "aws.accountName": f"account-{account:03}",
            "aws.organizationalUnit": "Fleet", "aws.environment": "prod", "posture.compliantRules": counts[GOOD],
            "posture.violatingRules": counts[BAD], "posture.unknownRules": counts["INSUFFICIENT_DATA"],
            "posture.exceptedRules": 1,
            "posture.compliantResources": 4 * counts[GOOD], "posture.violatingResources": 3 * counts[BAD],
            "posture.violatingRulesDelta7d": account % 5 - 2, "posture.observedAt": at - account * MINUTE})
        # More identities than `uniqueCount` is exact for.
        for identity in range(260):
            world.add("AwsIdentityPosture", at, {
                "snapshot.id": "identity-1", **where, "identity.id": f"arn:aws:iam::{number}:role/{identity}",
                "identity.kind": "role" if identity % 3 else "user", "identity.risk": RISKS[(account + identity) % 4],
                "identity.mfaActive": "unknown", "actor.kind": "workload" if identity % 2 else "human"})
        # As many series as a query may have groups, of two weeks.
        for level in levels:
            for pillar in PILLARS:
                for days in (1, 8):
                    world.metric(world.now - days * DAY, "cspm.compliance", "gauge", account % 7 + days, {
                        **where, "control.severity": level, "control.pillar": pillar, "compliance.state": BAD})
    for kind in ("snapshot", "summary", "frameworks", "identity"):
        ended(world, kind, at, f"{kind}-1", 0, True)


def answers(view):
    """The tiles, by page and widget."""
    rules, summary = view.of_run("AwsComplianceSnapshot", "snapshot"), view.of_run("AwsPostureSummary", "summary")
    requirements = view.of_run("AwsFrameworkSnapshot", "frameworks")

    def state(name):
        return sum(row["compliance.state"] == name for row in rules)

    def summed(name):
        return sum(row[f"posture.{name}"] for row in summary)

    ratio = table({("✔ Compliant",): {"Rules": state(GOOD)}, ("✖ Violating",): {"Rules": state(BAD)}}, ["cases"])
    rules_bad = share(state(BAD), state(BAD) + state(GOOD))
    resources_bad = share(summed("violatingResources"), summed("violatingResources") + summed("compliantResources"))
    return {
        "overview": {
            "overview-rules": [[{
                "✖ Violating rules": summed("violatingRules"), "✔ Compliant rules": summed("compliantRules"),
                "◇ Excepted (counted as violating)": summed("exceptedRules"), "? Unknown rules": summed("unknownRules")}]],
            "overview-percent": [[{"✖ Rules violating, %": rules_bad, "✖ Resources violating, %": resources_bad}]],
            "overview-ratio": [ratio],
        },
        "preventive": {
            "preventive-rules": [[{
                "✖ Violating rules": state(BAD), "✔ Compliant rules": state(GOOD), "- Not applicable": state("NOT_APPLICABLE"),
                "? Unknown rules": state("INSUFFICIENT_DATA")}]],
            "preventive-percent": [[{"✖ Rules violating, %": rules_bad}], [{"✖ Resources violating, %": resources_bad}]],
            "preventive-ratio": [ratio],
            "preventive-year": [year(view)],
        },
        "identity": {"identity-risk": [identities(view), [{"Data since": view.local(view.now - 30 * MINUTE).strftime("%Y-%m-%d")}]]},
        "frameworks": {
            "frameworks-percent": [table({
                group: {"✔ Passed, % of all": share(framework(rows, "passed"), len(rows)), "✔ Passed": framework(rows, "passed"),
                        "✖ Failed": framework(rows, "failed"), "▲ Partial": 0, "? Unknown": framework(rows, "unknown"),
                        "Requirements": len(rows)}
                for group, rows in grouped(requirements, "framework.name").items()}, ["Framework"])],
            "frameworks-states": [table({(sign,): {"Requirements": framework(requirements, state)} for state, sign in (
                ("passed", "✔ Passed"), ("failed", "✖ Failed"), ("unknown", "? Unknown"))}, ["cases"])],
        },
    }


def identities(view):
    """Each once, by risk."""
    rows = view.of_run("AwsIdentityPosture", "identity")
    return [{**{risk: sum(row["identity.risk"] == risk for row in rows) for risk in RISKS[:3]}, "Identities": len(rows),
             "? MFA unknown": sum(row["identity.kind"] == "user" for row in rows), "Accounts": ACCOUNTS,
             "As of": view.local(rows[0]["timestamp"]).strftime("%Y-%m-%d %H:%M")}]


def year(view):
    """Violating results by severity: a series says one thing a week."""
    found, points = [], view.rows("Metric", 13 * 30 * DAY)
    for group, rows in sorted(grouped(points, "control.severity").items()):
        def results(begin, end):
            mine = [row["cspm.compliance"]["latest"] for row in rows if begin <= row["timestamp"] < end]
            return {"Violating results": sum(mine) if mine else None}
        found += [{"facet": group[0], "control.severity": group[0], **row} for row in series(view.now, 13 * 30 * DAY, WEEK, results)]
    return found


def framework(rows, state):
    return sum(row["framework.state"] == state for row in rows)
