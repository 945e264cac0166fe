"""Answers of the page ATT&CK: detections by tactic and technique, and what no control covers."""

from base import DAY, WEEK, between, buckets, distinct, grouped, least, most, newest, ranked, series, table
from truth.detective import SEVERE, SEVERITIES, by_actor, detections, fleet_of, heard, listed, listening

MONTHS_13 = 13 * 30 * DAY

MATRIX = {
    "Reconnaissance and resource development": ("reconnaissance", "resource-development"),
    "Initial access": ("initial-access",), "Execution": ("execution",), "Persistence": ("persistence",),
    "Privilege escalation": ("privilege-escalation",),
    "Defense evasion": ("defense-evasion", "stealth", "defense-impairment"), "Credential access": ("credential-access",),
    "Discovery": ("discovery",), "Lateral movement": ("lateral-movement",),
    "Command and control": ("command-and-control",),
    "Collection and exfiltration": ("collection", "exfiltration"), "Impact": ("impact",),
}


def catalogue(view):
    """The detective controls of the newest catalogue."""
    return [row for row in view.catalogue() if row["control.kind"] == "detective"]


def with_tactic(rows):
    """What has no tactic is told as unknown."""
    return [{**row, "tactic": row.get("attack.tactic", "unknown")} for row in rows]


def trend(view):
    """Detections of each day by tactic: days end now."""
    groups = grouped(detections(view, 30 * DAY), "attack.tactic")
    rows = []
    for group, _ in ranked({group: {"Detections": len(rows)} for group, rows in groups.items()}, 20):
        for begin, end in buckets(view.now, 30 * DAY, DAY):
            rows.append({"facet": group[0], "attack.tactic": group[0], "beginTimeSeconds": begin / 1000,
                         "endTimeSeconds": end / 1000, "Detections": len(between(groups[group], begin, end))})
    return rows


def never_fired(view):
    fired = {row["control.id"] for row in view.rows("AwsSecurityEvent", 30 * DAY)}
    idle = [row for row in with_tactic(catalogue(view)) if row["control.enabled"] == "true" and row["control.id"] not in fired]
    answers = {group: {"Severity": newest(rows, "control.severity"), "Technique": newest(rows, "attack.technique"),
                       "Title": newest(rows, "control.title")}
               for group, rows in grouped(idle, "tactic", "control.id").items()}
    # The first column is a text: the greatest first.
    order = sorted(answers, key=lambda group: group)
    order.sort(key=lambda group: answers[group]["Severity"], reverse=True)
    return [{"facet": list(group), "Tactic": group[0], "Control": group[1], **answers[group]} for group in order]


def tactics(view):
    answers = {}
    for group, rows in grouped(with_tactic(catalogue(view)), "tactic").items():
        off = [row for row in rows if row["control.enabled"] == "false"]
        answers[group] = {"Controls": distinct(rows, "control.id"), "✖ Switched off": distinct(off, "control.id"),
                          "Primary techniques covered": distinct(rows, "attack.technique")}
    return table(answers, ["Tactic"])


def new_techniques(view):
    # What was seen anywhere is not new.
    known = {row.get("attack.technique") for row in view.whole.rows("AwsSecurityEvent", 30 * DAY, WEEK)}
    new = [row for row in detections(view, WEEK) if row.get("attack.technique") and row["attack.technique"] not in known]
    answers = {group: {"Detections": len(rows), "Accounts": distinct(rows, "aws.accountId"), "First": least(rows, "event.time")}
               for group, rows in grouped(new, "attack.tactic", "attack.technique").items()}
    return table(answers, ["Tactic", "Technique"])


def weeks(view):
    """Detections of each week by severity, of the counters: weeks end now."""
    points = [row for row in view.rows("Metric", MONTHS_13)
              if row["metricName"] == "cspm.detections" and row["control.severity"] in SEVERITIES]
    groups, out = grouped(points, "control.severity"), []

    def counted(rows):
        return {"Detections": sum(row["cspm.detections"]["count"] for row in rows)}
    for group, _ in ranked({group: counted(rows) for group, rows in groups.items()}, 10):
        out += [{"facet": group[0], "control.severity": group[0], **row} for row in series(
            view.now, MONTHS_13, WEEK, lambda begin, end: counted(between(groups[group], begin, end)))]
    return out


def of_findings(view):
    rows = [row for row in view.rows("AwsSecurityFinding", 30 * DAY)
            if row.get("attack.technique") and row["finding.transition"] in ("new", "worsened", "reopened")]
    answers = {group: {"Findings": len(rows), "Score": most(rows, "control.severityScore"),
                       "Accounts": distinct(rows, "aws.accountId"), "Last": most(rows, "event.time")}
               for group, rows in grouped(rows, "attack.tactic", "attack.technique", "finding.product").items()}
    return table(answers, ["Tactic", "Technique", "Product"], 500)


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    month = detections(view, 30 * DAY)
    run = [row for row in catalogue(view) if row["control.enabled"] == "true"]
    off = [row for row in catalogue(view) if row["control.enabled"] == "false"]
    accounts = {group: {label: sum(row.get("attack.tactic") in tactics for row in rows) for label, tactics in MATRIX.items()}
                for group, rows in grouped(month, "aws.accountName", "aws.accountId").items()}
    techniques = {group: {"Detections": len(rows), "CRITICAL and HIGH": sum(row["control.severity"] in SEVERE for row in rows),
                          "Controls": distinct(rows, "control.id"), "Accounts": distinct(rows, "aws.accountId"),
                          "Last": most(rows, "event.time")}
                  for group, rows in grouped(month, "attack.tactic", "attack.technique").items()}
    actors = {group: {"Tactics": distinct(rows, "attack.tactic"), "Techniques": distinct(rows, "attack.technique"),
                      "Detections": len(rows), "Score": most(rows, "control.severityScore"),
                      "Accounts": distinct(rows, "aws.accountId"), "Last": most(rows, "event.time")}
              for group, rows in grouped(by_actor(detections(view, WEEK)), "actor.kind", "who").items() if distinct(rows, "attack.tactic")}
    log = {"Tactic": "attack.tactic", "Technique": "attack.technique", "Severity": "control.severity", "Control": "control.title",
           "Account": "aws.accountName", "Actor": "actor.name", "Action": "event.name"}
    severe = [row for row in view.stored("AwsSecurityEvent", WEEK) if row["control.severity"] in SEVERE]
    return {
        "attack-fired": [[{label: distinct(month, name) if heard(view) else None for label, name in (
            ("Controls that fired", "control.id"), ("Techniques seen", "attack.technique"),
            ("Accounts with a detection", "aws.accountId"))}],
                         [{"Accounts known": fleet_of(view, month)["Accounts known"]}], [listening(view)]],
        # Without a catalogue nobody knows what runs.
        "attack-coverage": [[{label: count if run or off else None for label, count in (
            ("Controls that run", distinct(run, "control.id")), ("✖ Switched off", distinct(off, "control.id")),
            ("Primary techniques covered", distinct(run, "attack.technique")))}]],
        "attack-accounts": [table(accounts, ["Account", "Account id"])],
        "attack-techniques": [table(techniques, ["Tactic", "Technique"])],
        "attack-trend": [trend(view)],
        "attack-never-fired": [never_fired(view)],
        "attack-tactics": [tactics(view)],
        "attack-actors": [table(actors, ["Kind", "Actor"])],
        "attack-new": [new_techniques(view)],
        "attack-findings": [of_findings(view)],
        "attack-log": [listed(severe, log, 200)],
        "attack-weeks": [weeks(view)],
    }
