"""Answers of the page Findings: what is open, what came and went. It shows CRITICAL and HIGH until more is chosen."""

from base import DAY, between, distinct, grouped, least, most, newest, newest_first, series, table, total
from truth.detective import heard

SHOWN = ("CRITICAL", "HIGH")


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    counts = view.of_run("AwsFindingSnapshot", "findings", 3 * DAY)
    chosen = [row for row in counts if row["control.severity"] in SHOWN]
    month = [row for row in view.rows("AwsSecurityFinding", 30 * DAY) if row["control.severity"] in SHOWN]
    week = [row for row in month if row["timestamp"] >= view.now - 7 * DAY]
    came = [row for row in month if row["finding.transition"] in ("new", "worsened", "reopened")]
    told = view.rows("AwsFindingSnapshot", 30 * DAY) + view.rows("AwsSecurityFinding", 30 * DAY)
    # A run without a row says nothing; one with rows says of whatever is not among them that it is not open.
    run = view.newest_run("findings", 3 * DAY)
    known = bool(run and run["run.rows"] > 0)
    # What came, of whatever severity, says that somebody looks.
    came_at_all = bool(view.without("findingSeverity").rows("AwsSecurityFinding", 7 * DAY))
    return {
        "findings-open": [[{label: count if known or counts else None for label, count in (
            *open_by(counts, "CRITICAL", "HIGH", "MEDIUM", "LOW").items(), ("◇ Set aside", aside(counts)))}]],
        "findings-week": [[{label: sum(row["finding.transition"] == word for row in week) if heard(view) and (known or came_at_all) else None
                            for label, word in (("✖ New", "new"), ("▲ Worsened", "worsened"), ("↻ Reopened", "reopened"),
                                                ("✔ Resolved", "resolved"))}]],
        "findings-since": [[{"Accounts": distinct(told, "aws.accountId") or None, "Data since": view.stamp(least(told, "timestamp"))}]],
        "findings-accounts": [table({
            group: open_by(rows, "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")
            for group, rows in grouped(counts, "aws.accountName", "aws.accountId").items()}, ["Account", "Account id"])],
        "findings-start": [start([row for row in chosen if row["finding.open"] > 0])],
        # CRITICAL and HIGH are all that is shown until more is chosen.
        "findings-pillars": [table({
            group: {"Open": total(rows, "finding.open"), "CRITICAL and HIGH": total(rows, "finding.open"),
                    "◇ Set aside": aside(rows)}
            for group, rows in grouped(chosen, "control.pillar", "finding.product").items()}, ["Pillar", "Product"])],
        "findings-trend": [series(view.now, 30 * DAY, DAY, lambda begin, end: trend(view, begin, end))],
        "findings-owners": [table({group: mended(rows) for group, rows in grouped(
            [{**row, "owner": row.get("aws.owner", "unknown")} for row in month], "owner").items()}, ["Owner"])],
        "findings-resources": [table({
            group: {"Findings": len(rows), "Score": most(rows, "control.severityScore"), "Controls": distinct(rows, "control.id")}
            for group, rows in grouped(came, "aws.accountName", "aws.accountId", "resource.type", "resource.id").items()},
            ["Account", "Account id", "Type", "Resource"], 100)],
        # Those that came back, all of them.
        "findings-back": [table({
            group: {"↻ Reopened": sum(row["finding.transition"] == "reopened" for row in rows), "Findings": len(rows),
                    "Accounts": distinct(rows, "aws.accountId")}
            for group, rows in grouped([row for row in came if row["finding.transition"] != "worsened"], "control.id",
                                       "control.title").items()
            if any(row["finding.transition"] == "reopened" for row in rows)}, ["Control", "Title"])],
        "findings-insights": [table({
            group: {"Findings": newest(rows, "insight.count"), "As of": most(rows, "event.time")}
            for group, rows in grouped(newest_results(view), "aws.accountName", "aws.accountId", "aws.region", "insight.name",
                                       "insight.result").items()},
            ["Account", "Account id", "Region", "Insight", "Value"])],
        "findings-log": [log(view)],
    }


def open_by(rows, *severities):
    return {severity: total([row for row in rows if row["control.severity"] == severity], "finding.open")
            for severity in severities}


def aside(rows):
    return total(rows, "finding.suppressed") + total(rows, "finding.excepted")


def start(rows):
    """Ten controls with most weight: each open finding counts as its severity's score, twice where the internet reaches the
    resource. The places are those in which there is work."""
    found = {}
    for group, mine in grouped(rows, "control.severity", "finding.product", "control.id").items():
        public = any(row.get("compliance.exposure") == "public" for row in mine)
        places = len({(row["aws.accountId"], row["aws.region"]) for row in mine})
        weight = total(mine, "finding.open") * most(mine, "control.severityScore") * (2 if public else 1)
        found[group] = {"Weight": weight, "Open": total(mine, "finding.open"), "Exposed": "public" if public else None,
                        "Places": places, "Accounts": distinct(mine, "aws.accountId"), "Weight per place": weight / places}
    return table(found, ["Severity", "Product", "Control"], 10)


def newest_results(view):
    """Of each insight of an account and Region what was told of it last."""
    found = []
    for mine in grouped(view.rows("AwsFindingInsight", 30 * DAY), "aws.accountId", "aws.region", "insight.arn").values():
        last = newest(mine, "event.id")
        found += [row for row in mine if row["event.id"] == last]
    return found


def trend(view, begin, end):
    """Open findings of any severity, as the mean of the runs of a day whose rows are all there."""
    runs = {row["snapshot.id"] for row in between(view.rows("AwsPostureRun", 30 * DAY), begin, end)
            if row["run.kind"] == "findings" and row["run.accepted"] == "true"}
    rows = [row for row in between(view.rows("AwsFindingSnapshot", 30 * DAY), begin, end)
            if row["snapshot.id"] in runs]
    return {severity: count / len(runs) if runs else None
            for severity, count in open_by(rows, "CRITICAL", "HIGH", "MEDIUM", "LOW").items()}


def mended(rows):
    done = [row for row in rows if row["finding.transition"] == "resolved"]
    days = [row["finding.openMs"] / DAY for row in done]
    return {"✔ Resolved": len(done), "Mean days to resolve": sum(days) / len(days) if days else None,
            "↻ Reopened": sum(row["finding.transition"] == "reopened" for row in rows)}


def log(view):
    """The list shows a row that came twice twice."""
    rows = [row for row in view.stored("AwsSecurityFinding", 7 * DAY)
            if row["control.severity"] in SHOWN and row["finding.transition"] in ("new", "worsened", "reopened")]
    names = {"Severity": "control.severity", "Change": "finding.transition", "Product": "finding.product",
             "Finding": "finding.title", "Account": "aws.accountName", "Region": "aws.region", "Resource": "resource.id", "Owner": "aws.owner",
             "Fix available": "finding.fixAvailable", "What to do": "control.remediation", "Steps": "control.runbookUrl"}
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in names.items()}}
            for row in newest_first(rows, 500)]
