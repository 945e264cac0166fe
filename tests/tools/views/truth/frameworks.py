"""Answers of the page Frameworks: requirements that pass, fail, and that nobody judges."""

from base import DAY, between, distinct, grouped, least, most, newest, newest_first, series, share, table, worded

SIGNS = {"passed": "✔ Passed", "failed": "✖ Failed", "partial": "▲ Partial", "unknown": "? Unknown"}

REQUIREMENT = {"Framework": "framework.name", "Requirement": "framework.requirement"}


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    now = view.of_run("AwsFrameworkSnapshot", "frameworks", 3 * DAY)
    failed = [row for row in now if row["framework.state"] == "failed"]
    unsure = [row for row in now if row["framework.state"] in ("unknown", "partial")]
    people = [row for row in now if row.get("framework.manualItems", 0) > 0 or row.get("framework.inheritedItems", 0) > 0]
    controls = view.catalogue()
    return {
        "frameworks-percent": [table({
            group: {"✔ Passed, % of all": share(states(rows, "passed"), len(rows)),
                    **{sign: states(rows, state) for state, sign in SIGNS.items()},
                    "Requirements": len(rows)}
            for group, rows in grouped(now, "framework.name").items()}, ["Framework"])],
        "frameworks-since": [
            [{"Accounts": distinct(now, "aws.accountId") or None, "Frameworks": distinct(now, "framework.name") or None,
              "As of": view.stamp(most(now, "timestamp"), "%Y-%m-%d %H:%M")}],
            [{"Data since": view.stamp(least(view.rows("AwsFrameworkSnapshot", 30 * DAY), "timestamp"))}]],
        "frameworks-states": [table({(sign,): {"Requirements": states(now, state)} for state, sign in SIGNS.items()
                                     if states(now, state)}, ["cases"])],
        "frameworks-trend": [trend(view)],
        "frameworks-gaps": [table({
            group: {"✖ Accounts failing": distinct(rows, "aws.accountId"), "Rules failing": most(rows, "framework.failedRules"),
                    "Rules passing": most(rows, "framework.passedRules")}
            for group, rows in grouped(failed, *REQUIREMENT.values()).items()}, REQUIREMENT)],
        "frameworks-unknown": [table({
            group: {"? Accounts unknown": distinct(rows, "aws.accountId"),
                    "Rules not deployed": most(rows, "framework.notDeployedRules"),
                    "Rules without a result": most(rows, "framework.unknownRules")}
            for group, rows in grouped(unsure, *REQUIREMENT.values()).items()}, REQUIREMENT)],
        "frameworks-accounts": [table({
            group: {"✔ Passed, % of all": share(states(rows, "passed"), len(rows)), "✖ Failed": states(rows, "failed"),
                    "? Unknown": states(rows, "unknown")}
            for group, rows in grouped(now, "aws.accountName", "aws.accountId", "framework.name").items()},
            ["Account", "Account id", "Framework"])],
        "frameworks-packs": [packs(view)],
        "frameworks-people": [table({
            group: {"Manual": most(rows, "framework.manualItems") or 0,
                    "✔ Manual, attested": most(rows, "framework.manualAttested") or 0,
                    "Inherited": most(rows, "framework.inheritedItems") or 0,
                    "✔ Inherited, attested": most(rows, "framework.inheritedAttested") or 0}
            for group, rows in grouped(people, *REQUIREMENT.values()).items()}, REQUIREMENT)],
        "frameworks-not-automated": [in_order(
            [row for row in controls if row.get("control.automation") in ("manual", "inherited")],
            {"Kind": "control.automation", "Control": "control.id"},
            {"Whose": "control.responsibility", "Why": "control.automationReason", "Attested by": "control.attestedBy",
             "Attested on": "control.attestedOn"})],
        "frameworks-not-evaluated": [in_order(
            [row for row in controls if row["control.kind"] == "preventive" and row.get("control.evaluated") == "false"
             and row.get("control.frameworks") not in (None, "|unmapped|")],
            {"Severity": "control.severity", "Rule": "control.id"}, {"Frameworks": "control.frameworks"})],
        "frameworks-drift": [drift(view)],
    }


def states(rows, state):
    return sum(row["framework.state"] == state for row in rows)


def trend(view):
    accepted = view.accepted()
    # A share of rows: copies of them move it a little.
    rows = [row for row in view.stored("AwsFrameworkSnapshot", 30 * DAY) if row["snapshot.id"] in accepted]
    told, found = grouped(rows, "framework.name"), []
    for group in sorted(told, key=lambda group: (-share(states(told[group], "passed"), len(told[group])), group)):
        def passed(begin, end):
            mine = between(told[group], begin, end)
            return {"✔ Passed, % of all": share(states(mine, "passed"), len(mine))}
        found += [{"facet": group[0], "framework.name": group[0], **row} for row in series(view.now, 30 * DAY, DAY, passed)]
    return found


def packs(view):
    return in_order(view.of_run("AwsConformancePackSnapshot", "packs", 3 * DAY),
                    {"Pack": "pack.name", "Account": "aws.accountName", "Account id": "aws.accountId", "Region": "aws.region"},
                    {"State": "pack.state", "✔ Compliant rules, %": "pack.percentRules",
                     "✖ Violating rules": "pack.violatingRules", "? Unknown rules": "pack.unknownRules"})


def in_order(rows, by, names):
    """What was told last of each group."""
    return worded([{"facet": list(group), **dict(zip(by, group)), **{label: newest(mine, name) for label, name in names.items()}}
                   for group, mine in grouped(rows, *by.values()).items()], next(iter(names)))


def drift(view):
    """The list shows a row that came twice twice."""
    rows = [row for row in view.stored("AwsComplianceChange", 7 * DAY)
            if row["compliance.outOfOrder"] == "false" and row["compliance.state"] == "NON_COMPLIANT"
            and row["control.frameworks"] != "|unmapped|"]
    names = {"Severity": "control.severity", "Rule": "control.id", "Resource": "resource.id", "Account": "aws.accountName",
             "Region": "aws.region", "Owner": "aws.owner", "Frameworks": "control.frameworks"}
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for row in newest_first(rows, 500)]
