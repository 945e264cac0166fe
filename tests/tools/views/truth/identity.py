"""Answers of the page Identity: who may do what, who does not use it, who from outside may come in."""

from base import DAY, between, distinct, grouped, least, most, newest, newest_first, series, table, total

# The least first.
RISKS = ("none", "low", "medium", "high", "critical")
OUTSIDERS = ("anyone", "anyoneUnderCondition", "otherAccount", "oidc", "saml", "unknown")


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    # Inventories may be a week apart.
    now = view.of_run("AwsIdentityPosture", "identity", 15 * DAY)
    run = view.run("identity", 15 * DAY)
    accepted = view.accepted()
    month = [row for row in view.rows("AwsIdentityPosture", 30 * DAY) if row["snapshot.id"] in accepted]
    # A list shows a row that came twice twice.
    listed = [row for row in view.stored("AwsIdentityPosture", 15 * DAY) if row["snapshot.id"] == run]

    def those(name, *words):
        return [row for row in now if row.get(name) in words]

    def both(one, two):
        return [row for row in one if row in two]
    root, users = those("identity.kind", "root"), those("identity.kind", "user")
    no_mfa = those("identity.mfaActive", "false")
    return {
        "identity-risk": [[{
            **{risk: len(those("identity.risk", risk)) for risk in ("critical", "high", "medium")}, "Identities": len(now),
            "? MFA unknown": sum(row["identity.kind"] in ("root", "user") and row["identity.mfaActive"] == "unknown" for row in now),
            "Accounts": distinct(now, "aws.accountId") or None,
            "As of": view.local(most(now, "timestamp")).strftime("%Y-%m-%d %H:%M")}],
            [{"Data since": view.local(least(view.rows("AwsIdentityPosture", 30 * DAY), "timestamp")).strftime("%Y-%m-%d")}]],
        "identity-signs": [[{
            "✖ Root without MFA": len(both(root, no_mfa)),
            "✖ Root with a key": sum(row.get("identity.activeKeys", 0) > 0 for row in root),
            "✖ Users without MFA": len(both(both(users, no_mfa), those("identity.passwordEnabled", "true"))),
            "✖ Keys too old": len(both(those("identity.kind", "accessKey"), those("identity.keyRotationDue", "true")))}]],
        "identity-kinds": [table({
            group: {"Identities": len(rows), "▲ Unused": count(rows, unused="true"),
                    "✖ Over-broad": count(rows, overBroad="true"),
                    "✖ Unused and over-broad": count(rows, unused="true", overBroad="true")}
            for group, rows in grouped(now, "identity.kind", "actor.kind").items()}, ["Kind", "Used by"])],
        "identity-activity": [activity(view)],
        "identity-riskiest": [shown(
            [row for row in listed if row["identity.risk"] in ("critical", "high")],
            lambda row: (row["identity.risk"], falling(row, "identity.idleDays")),
            {"Risk": "identity.risk", "Why": "identity.riskReasons", "Kind": "identity.kind", "Name": "identity.name",
             "Account": "aws.accountName", "Idle days": "identity.idleDays", "May do": "identity.overBroadReasons",
             "Trusted": "identity.trust", "Owner": "identity.owner", "ARN": "identity.arn"})],
        "identity-unused": [shown(
            [row for row in listed if row["identity.unused"] == "true"], lambda row: falling(row, "identity.idleDays"),
            {"Kind": "identity.kind", "Name": "identity.name", "Account": "aws.accountName", "Idle days": "identity.idleDays",
             "Why": "identity.unusedReason", "Owner": "identity.owner"})],
        "identity-external": [shown(
            [{**row, "score": RISKS.index(row["identity.risk"])} for row in listed if row["identity.kind"] == "role" and row["identity.trust"] in OUTSIDERS],
            # The table sorts by the score.
            lambda row: 0,
            {"Score": "score", "Risk": "identity.risk", "Trusted": "identity.trust", "Accounts trusted": "identity.trustedAccounts",
             "Name": "identity.name", "Account": "aws.accountName", "Over-broad": "identity.overBroad",
             "Idle days": "identity.idleDays"})],
        "identity-analyzer": [analyzer(view)],
        "identity-escalation": [escalation(view)],
        "identity-services": [shown(
            [row for row in listed if row.get("identity.grantedServices", 0) > 0],
            lambda row: row["identity.usedServicesPercent"],
            {"Used, %": "identity.usedServicesPercent", "Granted": "identity.grantedServices", "Used": "identity.usedServices",
             "Kind": "identity.kind", "Name": "identity.name", "Account": "aws.accountName"})],
        "identity-keys": [shown(
            [row for row in listed if row["identity.kind"] == "accessKey" and row["identity.keyRotationDue"] == "true"],
            lambda row: falling(row, "identity.keyAgeDays"),
            {"Name": "identity.name", "Key": "identity.keySlot", "Account": "aws.accountName", "Days": "identity.keyAgeDays",
             "Last service": "identity.keyLastUsedService", "Last Region": "identity.keyLastUsedRegion",
             "Last used": "identity.keyLastUsed", "Owner": "identity.owner"})],
        "identity-trend": [series(view.now, 30 * DAY, DAY, lambda begin, end: trend(between(month, begin, end)))],
    }


def count(rows, **wanted):
    return sum(all(row.get(f"identity.{name}") == word for name, word in wanted.items()) for row in rows)


def falling(row, name):
    """The greatest first, what has none last."""
    return (row.get(name) is None, -row.get(name, 0))


def shown(rows, order, names):
    """The first thousand; of equals the last to arrive first."""
    chosen = sorted(enumerate(rows), key=lambda item: (order(item[1]), -item[0]))[:1000]
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}} for _, row in chosen]


def activity(view):
    """Records, each counted by its most severe detection."""
    rows = [row for row in view.rows("AwsSecurityEvent", 30 * DAY) if row["detection.primary"] == "true"]
    told, found = grouped(rows, "actor.kind"), []
    sizes = {group: distinct(mine, "event.id") for group, mine in told.items()}
    for group in sorted(told, key=lambda group: (-sizes[group], group))[:10]:
        found += [{"facet": group[0], "actor.kind": group[0], **row} for row in series(
            view.now, 30 * DAY, DAY,
            lambda begin, end: {"Records with a detection": distinct(between(told[group], begin, end), "event.id")})]
    return found


def analyzer(view):
    """What is open now, by account, Region and kind, and what was told of it in 30 days. Without a run of findings nobody
    knows what is open."""
    known = view.run("findings", 3 * DAY) is not None
    ours = [row for row in view.of_run("AwsFindingSnapshot", "findings", 3 * DAY) + view.rows("AwsSecurityFinding", 30 * DAY)
            if row["finding.product"] == "IAM Access Analyzer"]
    found = {}
    for group, mine in grouped(ours, "aws.accountName", "aws.accountId", "aws.region", "control.id", "control.severity").items():
        found[group] = {
            "Open": total(mine, "finding.open") if known else None,
            "◇ Set aside": total(mine, "finding.suppressed") + total(mine, "finding.excepted") if known else None,
            "Findings told": distinct(mine, "finding.key"), "Public": newest(mine, "finding.public"),
            "Who": newest(mine, "finding.principal"), "Resource": newest(mine, "resource.id"), "Newest": most(mine, "event.time")}
    return table(found, ["Account", "Account id", "Region", "Finding", "Severity"])


def escalation(view):
    rows = [row for row in view.stored("AwsSecurityEvent", 7 * DAY)
            if any(word in row.get("attack.tactics", "") for word in ("|privilege-escalation|", "|persistence|"))]
    names = {"Severity": "control.severity", "Control": "control.title", "Actor": "actor.name", "Account": "aws.accountName",
             "Action": "event.name", "Resource": "resource.id", "Outcome": "event.outcome"}
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for row in newest_first(rows, 300)]


def trend(rows):
    """Identities at risk, as the mean of the day's runs."""
    runs = distinct(rows, "snapshot.id")
    return {risk: sum(row["identity.risk"] == risk for row in rows) / runs if runs else None
            for risk in ("critical", "high", "medium")}
