"""Answers of the page Overview: where we stand."""

from base import DAY, WEEK, between, distinct, grouped, least, most, series, share, table
from truth.detective import SEVERE, heard, listed
from truth.preventive import BAD, GOOD, cases, in_state, resources

MONTHS_13 = 13 * 30 * DAY


def primary(view, since, until=0):
    """Records with a detection, each once; this page has no filters."""
    return [row for row in view.rows("AwsSecurityEvent", since, until) if row["detection.primary"] == "true"]


def counted(rows, name, **wanted):
    """Sum of a counter; what came of findings, where it is asked for."""
    return sum(row[name]["count"] for row in rows if row["metricName"] == name
               and all(row.get(f"finding.{word}") == value for word, value in wanted.items()))


def counters(rows):
    """Without a point of findings nobody knows whether there were none."""
    findings = any(row["metricName"] == "cspm.findings" for row in rows)
    return {"Records": counted(rows, "cspm.records"), "Detections": counted(rows, "cspm.detections"),
            "New findings": counted(rows, "cspm.findings", transition="new") if findings else None}


def months(view):
    """Counters by month of the zone."""
    groups = {}
    for row in view.rows("Metric", 395 * DAY):
        groups.setdefault((view.local(row["timestamp"]).strftime("%Y-%m"),), []).append(row)
    answers = {}
    for group, rows in groups.items():
        days = len({view.local(row["timestamp"]).date() for row in rows if row["metricName"] == "cspm.records"})
        if days:
            counts = counters(rows)
            answers[group] = {**counts, "Days with records": days, "Detections a day": counts["Detections"] / days}
    return table(answers, ["Month"], 20)


def change(view):
    """30 days and the 30 before. Who counts nothing knows nothing, and nobody knows of a relay that is silent."""
    def span(since, until=0):
        rows = [row for row in view.rows("Metric", since, until)
                if row["metricName"] in ("cspm.records", "cspm.detections", "cspm.findings")]
        return {label: count if heard(view) and rows else None for label, count in counters(rows).items()}
    return [{"comparison": "current", **span(30 * DAY)}, {"comparison": "previous", **span(60 * DAY, 30 * DAY)}]


def known_total(rows, name):
    """The sum of what is known; of nothing known, nothing."""
    told = [row[name] for row in rows if row.get(name) is not None]
    return sum(told) if told else None


def improvement(view):
    """Percent compliant of each week, which ends now: every place counts once, by the mean of what the week's summaries said of it,
    however often they came."""
    rules = [row for row in view.rows("Metric", MONTHS_13) if row["metricName"] == "cspm.compliance"]

    def results(week, state):
        places = grouped([row for row in week if row["compliance.state"] == state], "aws.accountId", "control.severity", "control.pillar")
        return sum(sum(row["cspm.compliance"]["latest"] for row in mine) / len(mine) for mine in places.values())

    def percent(begin, end):
        week = between(rules, begin, end)
        good, bad = results(week, GOOD), results(week, BAD)
        return {"Compliant results, %": share(good, good + bad)}
    return series(view.now, MONTHS_13, WEEK, percent)


def accounts(summary):
    answers = {}
    for group, (row, *_) in grouped(summary, "aws.accountName", "aws.accountId").items():
        bad, good = row.get("posture.violatingRules"), row.get("posture.compliantRules")
        if bad is not None:
            answers[group] = {"✖ Violating rules": bad, "✔ Compliant rules, %": share(good, good + bad),
                              "Change, 7 days": row.get("posture.violatingRulesDelta7d")}
    return table(answers, ["Account", "Account id"])


def since(view):
    answers = {}
    for kind in ("AwsPostureSummary", "AwsSecurityEvent", "CspmRelayHeartbeat"):
        rows = view.rows(kind, 30 * DAY)
        if not rows:
            continue
        # A heartbeat is of no account.
        answers[(kind,)] = {"Accounts": distinct(rows, "aws.accountId") or None, "Data since": least(rows, "timestamp"),
                            "Newest": most(rows, "timestamp"), "AWS Config read": most(rows, "posture.observedAt")}
    return table(answers, ["Kind"], 10)


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    summary = view.of_run("AwsPostureSummary", "summary", 3 * DAY)
    rules = view.of_run("AwsComplianceSnapshot", "snapshot", 3 * DAY)
    violations = view.of_run("AwsComplianceViolation", "violations", 3 * DAY)
    severe = [row for row in view.stored("AwsSecurityEvent", WEEK) if row["control.severity"] in SEVERE]
    log = {"Severity": "control.severity", "Control": "control.title", "Account": "aws.accountName", "Actor": "actor.name",
           "Action": "event.name", "Outcome": "event.outcome"}
    open_findings = grouped(view.of_run("AwsFindingSnapshot", "findings", 3 * DAY), "control.severity")

    def posture(name):
        return known_total(summary, f"posture.{name}")

    def violating(of):
        bad, good = posture(f"violating{of}") or 0, posture(f"compliant{of}") or 0
        return share(bad, bad + good)
    return {
        "overview-months": [months(view)],
        # Whether it is more now nobody knows of a relay that is silent.
        "overview-week": [[{"comparison": name, "Records with a detection": len(rows) if heard(view) else None} for name, rows in (
            ("current", primary(view, WEEK)), ("previous", primary(view, 2 * WEEK, WEEK)))]],
        "overview-rules": [[{"✖ Violating rules": posture("violatingRules"), "✔ Compliant rules": posture("compliantRules"),
                             "◇ Excepted (counted as violating)": posture("exceptedRules"),
                             "? Unknown rules": posture("unknownRules")}]],
        "overview-percent": [[{"✖ Rules violating, %": violating("Rules"), "✖ Resources violating, %": violating("Resources")}]],
        "overview-ratio": [cases({sign: {"Rules": in_state(rules, state)} for sign, state in (("✔ Compliant", GOOD), ("✖ Violating", BAD))
                                  if in_state(rules, state)})],
        "overview-improvement": [improvement(view)],
        "overview-violated-rules": [table({
            group: {"Score": most(rows, "control.severityScore") or 0, "✖ Resources": resources(rows),
                    "Accounts": distinct(rows, "aws.accountId")}
            for group, rows in grouped(violations, "control.severity", "control.id").items()}, ["Severity", "Rule"])],
        "overview-accounts": [accounts(summary)],
        "overview-log": [listed(severe, log, 100)],
        "overview-change": [change(view)],
        "overview-findings": [table({group: {"Open": known_total(rows, "finding.open")} for group, rows in open_findings.items()},
                                    ["control.severity"], 10)],
        "overview-since": [since(view)],
    }
