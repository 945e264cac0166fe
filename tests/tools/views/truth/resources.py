"""Answers of the page Resources and drift: what is exposed, what changed, who changed it."""

from base import DAY, HOUR, between, distinct, grouped, least, most, newest_first, series, table
from truth.detective import heard
from truth.preventive import resources

PEOPLE = ("human", "root")
PROGRAMS = ("workload", "awsService")
TOLD = ["AwsSecurityEvent", "AwsResourceChange", "AwsComplianceChange", "AwsSecurityFinding"]


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    month, week = view.rows("AwsResourceChange", 30 * DAY), view.rows("AwsResourceChange", 7 * DAY)
    # A history file tells a change again, and knows neither who made it nor of what kind it was.
    stream, accounts = of_stream(month), month + view.rows("AwsPostureSummary", 30 * DAY)
    violations = view.of_run("AwsComplianceViolation", "violations", 3 * DAY)
    return {
        "resources-changes": [[{
            label: count if heard(view) and week else None for label, count in (
                ("Changes", distinct(week, "event.id")), *((label, len(ids)) for label, ids in by_whom(week).items()))}]],
        "resources-since": [[{
            **{label: count if accounts else None for label, count in (
                ("Accounts", distinct(accounts, "aws.accountId")), ("Accounts with changes", distinct(month, "aws.accountId")),
                ("Types", distinct(month, "resource.type")))},
            "Data since": view.stamp(least(month, "timestamp"))}]],
        "resources-pipeline": [table({(label,): {"Changes": len(ids)} for label, ids in by_whom(stream).items() if ids}, ["cases"])],
        "resources-exposed": [exposed(view)],
        "resources-types": [inventory(view, violations)],
        "resources-trend": [kinds(view, of_stream(week))],
        "resources-actors": [table({
            group: {"Changes": len(rows), "▲ By hand": by_hand(rows), "Types": distinct(rows, "resource.type"),
                    "Accounts": distinct(rows, "aws.accountId"), "Last": most(rows, "event.time")}
            for group, rows in grouped(
                [{**row, "kind": row.get("actor.kind", "unknown"), "name": row.get("actor.name", "unknown")}
                 for row in stream if row["timestamp"] >= view.now - 7 * DAY], "kind", "name").items()}, ["Kind", "Actor"], 500)],
        "resources-by-hand": [listed(
            [row for row in view.stored("AwsResourceChange", 7 * DAY) if row.get("actor.kind") in PEOPLE
             and row.get("change.tagsOnly") != "true"], 200,
            {"Actor": "actor.name", "Account": "aws.accountName", "What changed": "change.summary",
             "Action": "change.eventName", "Source IP": "source.ip", "Confidence": "change.actorConfidence"})],
        "resources-stacks": [table({
            group: {"Changes": len(rows), "▲ By hand": by_hand(rows), "Resources": resources(rows)}
            for group, rows in grouped(
                [{**row, "tool": row.get("iac.tool", "none"), "stack": row.get("iac.stack", "none")} for row in stream],
                "tool", "stack", "aws.accountName", "aws.accountId").items()}, ["Tool", "Stack", "Account", "Account id"], 500)],
        "resources-broke": [listed(
            [row for row in view.stored("AwsComplianceChange", 7 * DAY)
             if row["compliance.outOfOrder"] == "false" and row["compliance.state"] == "NON_COMPLIANT"], 500,
            {"Severity": "control.severity", "Rule": "control.id", "Type": "resource.type", "Resource": "resource.id",
             "Account": "aws.accountName", "Region": "aws.region", "Why": "compliance.annotation",
             "↻ Reopened": "compliance.reopenCount", "Owner": "aws.owner"})],
        "resources-timeline": [timeline(view)],
        "resources-log": [listed(
            view.stored("AwsResourceChange", 7 * DAY), 500,
            {"Kind": "change.type", "Type": "resource.type", "Resource": "resource.id", "What changed": "change.summary",
             "Actor": "actor.name", "Actor kind": "actor.kind", "Confidence": "change.actorConfidence",
             "Pipeline": "change.viaPipeline", "Source IP": "source.ip", "Stack": "iac.stack", "Account": "aws.accountName",
             "Region": "aws.region", "Event id": "change.eventId"})],
    }


def of_stream(rows):
    return [row for row in rows if row["change.origin"] == "stream"]


def by_whom(rows):
    """Ids of changes by what stands behind the actor, as whichever row of a change tells it; whose nature nobody knows is not taken
    for a person."""
    kinds = {kind: "▲ By hand" for kind in PEOPLE} | {kind: "By programs" for kind in PROGRAMS} | {"ci": "✔ By a pipeline"}
    found = {label: set() for label in ("▲ By hand", "✔ By a pipeline", "By programs", "? Nobody known")}
    for (number,), told in grouped(rows, "event.id").items():
        known = {kinds[row["actor.kind"]] for row in told if row.get("actor.kind") in kinds}
        for label in known or {"? Nobody known"}:
            found[label].add(number)
    return found


def by_hand(rows):
    return sum(row.get("actor.kind") in PEOPLE for row in rows)


def inventory(view, violations):
    """Resources of each type of AWS Config that anything told of in 30 days, and those of them that violate something now: without
    a run of violations nobody knows."""
    known = view.run("violations", 3 * DAY) is not None
    seen = [row for kind in ("AwsResourceChange", "AwsComplianceChange", "AwsComplianceViolation")
            for row in view.without("severity").rows(kind, 30 * DAY)]
    found = {}
    for group, rows in grouped(seen, "resource.type").items():
        bad = [row for row in violations if row["resource.type"] == group[0]]
        exposed_now = [row for row in bad if row.get("compliance.exposure") == "public"]
        found[group] = {"Resources": resources(rows), "✖ Violating resources": resources(bad) if known else None,
                        "✖ Exposed": resources(exposed_now) if known else None}
    return table(found, ["Type"])


def listed(rows, limit, names):
    """A list shows a row that came twice twice."""
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for row in newest_first(rows, limit)]


def exposed(view):
    run = view.run("violations", 3 * DAY)
    now = [row for row in view.stored("AwsComplianceViolation", 3 * DAY) if row["snapshot.id"] == run]

    def resource(row):
        return tuple(row[name] for name in ("aws.accountId", "aws.region", "resource.type", "resource.id"))
    # Whichever rule says that the internet reaches it.
    public = {resource(row) for row in now if row.get("compliance.exposure") == "public"}
    rows = [row for row in now if resource(row) in public and "|PCI-DSS" in row["control.frameworks"]]
    names = {"Severity": "control.severity", "Type": "resource.type", "Resource": "resource.id", "Account": "aws.accountName",
             "Region": "aws.region", "Rule": "control.id", "Days": "compliance.ageDays", "Owner": "aws.owner",
             "Steps": "control.runbookUrl"}
    order = sorted(enumerate(rows), key=lambda item: (-item[1]["control.severityScore"], -item[0]))
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}} for _, row in order[:500]]


def kinds(view, week):
    told, found = grouped(week, "change.type"), []
    for group in sorted(told, key=lambda group: (-len(told[group]), group)):
        found += [{"facet": group[0], "change.type": group[0], **row} for row in series(
            view.now, 7 * DAY, 6 * HOUR, lambda begin, end: {"Changes": len(between(told[group], begin, end))})]
    return found


def timeline(view):
    rows = [row for kind in TOLD for row in view.stored(kind, 30 * DAY)
            if (row.get("resource.id") is not None or row.get("resource.arn") is not None) and row.get("aws.region") is not None]

    def first(row, *names):
        return next((row[name] for name in names if row.get(name) is not None), None)
    return [{
        "timestamp": row["timestamp"], "Time": row.get("event.time"), "Told by": row["eventType"],
        "What": first(row, "event.name", "change.summary", "finding.title", "control.title"),
        "State": first(row, "compliance.state", "finding.status", "event.outcome", "change.type"),
        "Severity": row.get("control.severity"), "Actor": row.get("actor.name"), "Source IP": row.get("source.ip"),
        "Account": row.get("aws.accountName"), "Resource": row.get("resource.id")} for row in newest_first(rows, 500)]
