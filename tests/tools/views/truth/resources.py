"""Answers of the page Resources and drift: what is exposed, what changed, who changed it."""

from base import DAY, HOUR, between, distinct, grouped, most, newest_first, series, table
from truth.preventive import resources

TOLD = ["AwsSecurityEvent", "AwsResourceChange", "AwsComplianceChange", "AwsSecurityFinding"]


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    month, week = view.rows("AwsResourceChange", 30 * DAY), view.rows("AwsResourceChange", 7 * DAY)
    stream = [row for row in month if row["change.origin"] == "stream"]
    violations = view.of_run("AwsComplianceViolation", "violations", 3 * DAY)
    return {
        "resources-changes": [[{
            "Changes": len(week), "▲ By hand": pipeline(week, "false"), "✔ By a pipeline": pipeline(week, "true"),
            "? Nobody known": sum(row["change.actorConfidence"] in ("ambiguous", "none") for row in week)}]],
        "resources-since": [[{
            "Accounts": distinct(month, "aws.accountId"), "Types": distinct(month, "resource.type"),
            "Data since": view.local(min(row["event.time"] for row in month)).strftime("%Y-%m-%d")}]],
        "resources-pipeline": [table({
            (label,): {"Changes": pipeline(month, word)}
            for label, word in (("✔ By a pipeline", "true"), ("▲ By hand", "false"), ("? Unknown", None))}, ["cases"])],
        "resources-exposed": [exposed(view)],
        "resources-types": [table({
            group: {"✖ Violations": len(rows), "Resources": resources(rows),
                    "✖ Exposed": sum(row.get("compliance.exposure") == "public" for row in rows)}
            for group, rows in grouped(violations, "resource.type").items()}, ["Type"])],
        "resources-trend": [kinds(view, week)],
        "resources-actors": [table({
            group: {"Changes": len(rows), "▲ By hand": pipeline(rows, "false"), "Types": distinct(rows, "resource.type"),
                    "Accounts": distinct(rows, "aws.accountId"), "Last": most(rows, "event.time")}
            for group, rows in grouped(
                [{**row, "kind": row.get("actor.kind", "unknown"), "name": row.get("actor.name", "unknown")}
                 for row in stream if row["timestamp"] >= view.now - 7 * DAY], "kind", "name").items()}, ["Kind", "Actor"], 500)],
        "resources-by-hand": [listed(
            [row for row in view.stored("AwsResourceChange", 7 * DAY) if row.get("change.viaPipeline") == "false"
             and row["actor.kind"] in ("human", "root", "unknown") and row.get("change.tagsOnly") == "false"], 200,
            {"Actor": "actor.name", "Account": "aws.accountName", "Change": "change.summary", "Action": "change.eventName",
             "Source": "source.ip", "Confidence": "change.actorConfidence"})],
        "resources-stacks": [table({
            group: {"Changes": len(rows), "▲ By hand": pipeline(rows, "false"), "Resources": resources(rows)}
            for group, rows in grouped(
                [{**row, "tool": row.get("iac.tool", "none"), "stack": row.get("iac.stack", "none")} for row in stream],
                "tool", "stack", "aws.accountName").items()}, ["Tool", "Stack", "Account"], 500)],
        "resources-broke": [listed(
            [row for row in view.stored("AwsComplianceChange", 7 * DAY)
             if row["compliance.outOfOrder"] == "false" and row["compliance.state"] == "NON_COMPLIANT"], 500,
            {"Severity": "control.severity", "Rule": "control.id", "Type": "resource.type", "Resource": "resource.id",
             "Account": "aws.accountName", "Region": "aws.region", "Why": "compliance.annotation",
             "↻ Reopened": "compliance.reopenCount", "Owner": "aws.owner"})],
        "resources-timeline": [timeline(view)],
        "resources-log": [listed(
            view.stored("AwsResourceChange", 7 * DAY), 500,
            {"Kind": "change.type", "Type": "resource.type", "Resource": "resource.id", "Change": "change.summary",
             "Actor": "actor.name", "Actor kind": "actor.kind", "Confidence": "change.actorConfidence",
             "Pipeline": "change.viaPipeline", "Source": "source.ip", "Stack": "iac.stack", "Account": "aws.accountName",
             "Region": "aws.region", "Event id": "change.eventId"})],
    }


def pipeline(rows, word):
    return sum(row.get("change.viaPipeline") == word for row in rows)


def listed(rows, limit, names):
    """A list shows a row that came twice twice."""
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for row in newest_first(rows, limit)]


def exposed(view):
    run = view.run("violations", 3 * DAY)
    rows = [row for row in view.stored("AwsComplianceViolation", 3 * DAY) if row["snapshot.id"] == run
            and row.get("compliance.exposure") == "public" and "|PCI-DSS" in row["control.frameworks"]]
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
        "Severity": row.get("control.severity"), "Actor": row.get("actor.name"), "Source": row.get("source.ip"),
        "Account": row.get("aws.accountName"), "Resource": row.get("resource.id")} for row in newest_first(rows, 500)]
