"""Answers of the page Overview: where we stand."""

from base import DAY, WEEK, between, buckets, distinct, grouped, least, most, ranked, series, share, table, total
from truth.detective import SEVERE, listed
from truth.preventive import BAD, GOOD, cases, in_state, resources

MONTHS_13 = 13 * 30 * DAY


def primary(view, since, until=0):
    """Records with a detection, each once; this page has no filters."""
    return [row for row in view.rows("AwsSecurityEvent", since, until) if row["detection.primary"] == "true"]


def counted(rows, name):
    return sum(row[name]["count"] for row in rows if row["metricName"] == name)


def months(view):
    """Counters by month of the zone."""
    groups = {}
    for row in view.rows("Metric", MONTHS_13):
        groups.setdefault((view.local(row["timestamp"]).strftime("%Y-%m"),), []).append(row)
    answers = {group: {"Records": counted(rows, "cspm.records"), "Detections": counted(rows, "cspm.detections"),
                       "Findings": counted(rows, "cspm.findings")} for group, rows in groups.items()}
    return table(answers, ["Month"], 20)


def improvement(view):
    """Percent compliant of each week's gauges: weeks end now."""
    rules = [row for row in view.rows("Metric", MONTHS_13) if row["metricName"] == "cspm.compliance"]

    def percent(begin, end):
        week = between(rules, begin, end)
        good = sum(row["cspm.compliance"]["total"] for row in week if row["compliance.state"] == GOOD)
        bad = sum(row["cspm.compliance"]["total"] for row in week if row["compliance.state"] == BAD)
        return {"Compliant results, %": share(good, good + bad)}
    return series(view.now, MONTHS_13, WEEK, percent)


def accounts(summary):
    answers = {}
    for group, rows in grouped(summary, "aws.accountName").items():
        rows = [row for row in rows if row.get("posture.violatingRules") is not None]
        if rows:
            bad, good = total(rows, "posture.violatingRules"), total(rows, "posture.compliantRules")
            answers[group] = {"✖ Violating rules": bad, "✔ Compliant rules, %": share(good, good + bad),
                              "Change, 7 days": total(rows, "posture.violatingRulesDelta7d")}
    return table(answers, ["Account"])


def days(view):
    """Records of each day by severity: days end now."""
    groups, out = grouped(primary(view, 30 * DAY), "control.severity"), []
    for group, _ in ranked({group: {"rows": len(rows)} for group, rows in groups.items()}, 10):
        for begin, end in buckets(view.now, 30 * DAY, DAY):
            out.append({"facet": group[0], "control.severity": group[0], "beginTimeSeconds": begin / 1000,
                        "endTimeSeconds": end / 1000, "Records with a detection": len(between(groups[group], begin, end))})
    return out


def since(view):
    answers = {}
    for kind in ("AwsPostureSummary", "AwsSecurityEvent"):
        rows = view.rows(kind, 30 * DAY)
        answers[(kind,)] = {"Accounts": distinct(rows, "aws.accountId"), "Data since": least(rows, "timestamp"),
                            "Newest": most(rows, "timestamp"), "Oldest reading of AWS Config": least(rows, "posture.observedAt")}
    return table(answers, ["Kind"], 10)


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    summary = view.of_run("AwsPostureSummary", "summary")
    rules = view.of_run("AwsComplianceSnapshot", "snapshot")
    violations = view.of_run("AwsComplianceViolation", "violations", 3 * DAY)
    severe = [row for row in view.stored("AwsSecurityEvent", WEEK) if row["control.severity"] in SEVERE]
    open_findings = grouped(view.of_run("AwsFindingSnapshot", "findings"), "control.severity")
    log = {"Severity": "control.severity", "Control": "control.title", "Account": "aws.accountName", "Actor": "actor.name",
           "Action": "event.name", "Outcome": "event.outcome"}

    def posture(name):
        return total(summary, f"posture.{name}")

    def violating(of):
        return share(posture(f"violating{of}"), posture(f"violating{of}") + posture(f"compliant{of}"))
    return {
        "overview-months": [months(view)],
        "overview-week": [[{"comparison": "current", "Records with a detection": len(primary(view, WEEK))},
                           {"comparison": "previous", "Records with a detection": len(primary(view, 2 * WEEK, WEEK))}]],
        "overview-rules": [[{"✖ Violating rules": posture("violatingRules"), "✔ Compliant rules": posture("compliantRules"),
                             "◇ Excepted (counted as violating)": posture("exceptedRules"),
                             "? Unknown rules": posture("unknownRules")}]],
        "overview-percent": [[{"✖ Rules violating, %": violating("Rules"), "✖ Resources violating, %": violating("Resources")}]],
        "overview-ratio": [cases({"✔ Compliant": {"Rules": in_state(rules, GOOD)}, "✖ Violating": {"Rules": in_state(rules, BAD)}})],
        "overview-improvement": [improvement(view)],
        "overview-violated-rules": [table({
            group: {"Score": most(rows, "control.severityScore") or 0, "✖ Violating resources": resources(rows),
                    "Accounts": distinct(rows, "aws.accountId")}
            for group, rows in grouped(violations, "control.severity", "control.id").items()}, ["Severity", "Rule"])],
        "overview-accounts": [accounts(summary)],
        "overview-days": [days(view)],
        "overview-log": [listed(severe, log, 100)],
        "overview-findings": [table({group: {"Open": total(rows, "finding.open")} for group, rows in open_findings.items()},
                                    ["control.severity"], 10)],
        "overview-since": [since(view)],
    }
