"""Answers of the page Preventive: what is out of policy now, how that came, and who mends it."""

from base import DAY, WEEK, between, distinct, grouped, least, most, newest, series, share, table, worded
from truth.detective import heard

BAD, GOOD = "NON_COMPLIANT", "COMPLIANT"


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    # Runs may be a day apart, and take their time.
    known = {row["aws.accountId"] for row in view.rows("AwsPostureSummary", 3 * DAY)}
    rules = [row for row in view.of_run("AwsComplianceSnapshot", "snapshot", 3 * DAY) if row["aws.accountId"] in known]
    summary = view.of_run("AwsPostureSummary", "summary", 3 * DAY)
    violations = view.of_run("AwsComplianceViolation", "violations", 3 * DAY)
    changes = [row for row in view.rows("AwsComplianceChange", 30 * DAY) if row["compliance.outOfOrder"] == "false"]
    return {
        "preventive-rules": [[{label: in_state(rules, state) if rules else None for label, state in (
            ("✖ Violating rules", BAD), ("✔ Compliant rules", GOOD), ("- Not applicable", "NOT_APPLICABLE"),
            ("? Unknown rules", "INSUFFICIENT_DATA"))}]],
        "preventive-percent": [
            [{"✖ Rules violating, %": share(in_state(rules, BAD), in_state(rules, BAD) + in_state(rules, GOOD))}],
            [{"✖ Resources violating, %": share_of(summary, "Resources", "violating")}]],
        "preventive-ratio": [cases({sign: {"Rules": in_state(rules, state)} for sign, state in (("✔ Compliant", GOOD), ("✖ Violating", BAD))
                                    if in_state(rules, state)})],
        "preventive-since": [[{
            "Accounts": distinct(rules, "aws.accountId") or None, "Regions": distinct(rules, "aws.region") or None,
            "Oldest reading": view.stamp(least(rules, "posture.observedAt"), "%Y-%m-%d %H:%M")}],
            [{"Data since": view.stamp(least(view.rows("AwsPostureSummary"), "timestamp"))}]],
        "preventive-trend": [series(view.now, 30 * DAY, DAY, lambda begin, end: trend(view, begin, end))],
        "preventive-year": [year(view)],
        "preventive-violated-rules": [table({
            group: {"Score": most(rows, "control.severityScore") or 0, "✖ Violating resources": resources(rows),
                    "◇ Excepted": resources([row for row in rows if row["compliance.state"] == "EXCEPTED"]),
                    "Accounts": distinct(rows, "aws.accountId"), "Oldest, days": most(rows, "compliance.ageDays")}
            for group, rows in grouped(violations, "control.severity", "control.id").items()}, ["Severity", "Rule"])],
        "preventive-accounts": [accounts(summary)],
        "preventive-week": [week(view, changes)],
        "preventive-progress": [[progress(view, changes)], [{"Days without a new CRITICAL or HIGH": streak(view.without("severity"))}]],
        "preventive-owners": [owners(changes, violations, view.run("violations", 3 * DAY) is not None)],
        "preventive-violations": [listed(view)],
    }


def in_state(rules, state):
    return sum(row["compliance.state"] == state for row in rules)


def share_of(summary, of, word="compliant"):
    """Percent of all accounts together that is compliant, or violating."""
    counts = {state: sum(row.get(f"posture.{state}{of}", 0) for row in summary) for state in ("compliant", "violating")}
    return share(counts[word], sum(counts.values()))


def cases(answers, limit=None):
    return table({(name,): fields for name, fields in answers.items()}, ["cases"], limit)


def resources(rows):
    names = ("aws.accountId", "aws.region", "resource.type", "resource.id")
    return len({tuple(row[name] for name in names) for row in rows})


def owned(rows):
    """With an owner, who is `unknown` where nobody is."""
    return [{**row, "owner": row.get("aws.owner", "unknown")} for row in rows]


def trend(view, begin, end):
    """How the accounts stood when a day ended."""
    by_account = grouped(between(view.rows("AwsPostureSummary"), begin, end), "aws.accountId")
    last = [{name: newest(rows, name) for name in ("posture.compliantRules", "posture.violatingRules",
                                                   "posture.compliantResources", "posture.violatingResources")}
            for rows in by_account.values()]
    last = [row for row in last if row["posture.compliantRules"] is not None]
    return {"Compliant rules, %": share_of(last, "Rules"), "Compliant resources, %": share_of(last, "Resources")}


def year(view):
    """Violating results of all places together, each as the mean of what a week's summaries said of it; nothing where a week judged
    nothing."""
    points = [row for row in view.rows("Metric", 13 * 30 * DAY)
              if row["metricName"] == "cspm.compliance" and row["compliance.state"] in (BAD, GOOD)]

    def mean(rows):
        places = grouped([row for row in rows if row["compliance.state"] == BAD], "aws.accountId", "control.pillar").values()
        means = [sum(row["cspm.compliance"]["latest"] for row in mine) / len(mine) for mine in places]
        return {"Violating results": sum(means) if any(row["cspm.compliance"]["latest"] for row in rows) else None}
    lines = {group: series(view.now, 13 * 30 * DAY, WEEK, lambda begin, end: mean(between(rows, begin, end)))
             for group, rows in grouped(points, "control.severity").items()}
    # The severity with most over all weeks comes first.
    order = sorted(lines, key=lambda group: (-sum(row["Violating results"] or 0 for row in lines[group]), group))
    return [{"facet": group[0], "control.severity": group[0], **row} for group in order for row in lines[group]]


def accounts(summary):
    rows = []
    for (name, number), mine in grouped(summary, "aws.accountName", "aws.accountId").items():
        row = mine[-1]
        bad, good = row.get("posture.violatingRules"), row.get("posture.compliantRules")
        rows.append({
            "facet": [name, number], "Account": name, "Account id": number,
            "State": "✖" if bad else "✔" if good else "?",
            "✔ Compliant rules, %": None if good is None else share(good, good + bad),
            "✔ Compliant resources, %": None if good is None else share_of([row], "Resources"),
            "✖ Violating rules": bad, "Change, 7 days": row.get("posture.violatingRulesDelta7d"),
            "◇ Excepted": row.get("posture.exceptedRules"), "Oldest reading": row.get("posture.observedAt")})
    return worded(rows, "State")


def kind(change):
    """What a change is to those who count."""
    if change["compliance.state"] == GOOD and change["compliance.previousState"] == BAD:
        return "✔ Fixed"
    if change["compliance.state"] == BAD:
        return "↻ Reopened" if change.get("compliance.reopenCount", 0) > 0 else "✖ Newly violating"
    return None


def week(view, changes):
    told = grouped([{**row, "kind": kind(row)} for row in changes], "kind")
    found = []
    for group in sorted(told, key=lambda group: (-len(told[group]), group)):
        found += [{"facet": group[0], "cases": group[0], **row} for row in series(
            view.now, 30 * DAY, DAY, lambda begin, end: {"Changes": len(between(told[group], begin, end))})]
    return found


def progress(view, changes):
    """What was fixed and what broke in the last seven days; None where the relay is silent or told nothing of it."""
    week = [row for row in changes if row["timestamp"] >= view.now - 7 * DAY]
    known = heard(view) and (week or view.rows("AwsPostureSummary", 7 * DAY))
    return {label: sum(kind(row) == label for row in week) if known else None
            for label in ("✔ Fixed", "✖ Newly violating", "↻ Reopened")}


def streak(view):
    """Whole days since the last violation of CRITICAL or HIGH began, or since there is data, until what was heard last."""
    changes = [row for row in view.rows("AwsComplianceChange", 30 * DAY) if row["compliance.outOfOrder"] == "false"]
    told = [row["timestamp"] for row in changes + view.rows("AwsPostureSummary", 30 * DAY)] if heard(view) else []
    bad = [row["timestamp"] for row in changes
           if row["compliance.state"] == BAD and row["control.severity"] in ("CRITICAL", "HIGH")]
    return (max(told) - max(bad or [min(told)])) // DAY if told else None


def owners(changes, violations, known):
    """What each has to fix now, and what was fixed in 30 days. Who had no change fixed none; who has no row violates nothing, where
    a run of violations is known."""
    found = {}
    told, open_now = grouped(owned(changes), "owner"), grouped(owned(violations), "owner")
    for group in set(told) | set(open_now):
        rows, mine = told.get(group, []), open_now.get(group, [])
        days = [row["compliance.resolvedAfterMs"] / DAY for row in rows
                if row["compliance.state"] == GOOD and row.get("compliance.resolvedAfterMs") is not None]
        found[group] = {"✔ Fixed": sum(kind(row) == "✔ Fixed" for row in rows),
                        "Mean days to fix": sum(days) / len(days) if days else None,
                        "↻ Reopened": sum(kind(row) == "↻ Reopened" for row in rows),
                        "✖ Violations": len(mine) if known else None,
                        "CRITICAL and HIGH": sum(row["control.severity"] in ("CRITICAL", "HIGH") for row in mine) if known else None,
                        "Oldest, days": most(mine, "compliance.ageDays")}
    return table(found, ["Owner"])


def listed(view):
    """The list shows a row that came twice twice."""
    run = view.run("violations", 3 * DAY)
    rows = [row for row in view.stored("AwsComplianceViolation", 3 * DAY) if row["snapshot.id"] == run]

    def order(item):
        at, row = item
        score, age = row.get("control.severityScore"), row.get("compliance.ageDays")
        return (score is None, -(score or 0), age is None, -(age or 0), -at)
    names = {"Severity": "control.severity", "Rule": "control.id", "Type": "resource.type", "Resource": "resource.id",
             "Account": "aws.accountName", "Region": "aws.region", "Since": "compliance.since", "Days": "compliance.ageDays",
             "State": "compliance.state", "Why": "compliance.annotation", "Owner": "aws.owner", "Steps": "control.runbookUrl"}
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for _, row in sorted(enumerate(rows), key=order)[:1000]]
