"""Answers of the page Detective: what CloudTrail records tell."""

from base import DAY, WEEK, distinct, grouped, least, most, newest, newest_first, table

SEVERE = ("CRITICAL", "HIGH")
REFUSED = ("AccessDenied", "Client.UnauthorizedOperation", "UnauthorizedOperation", "AccessDeniedException")
# The filters' defaults let these severities through.
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "unknown")


def detections(view, since, until=0):
    """One row for each record and control."""
    return [row for row in view.rows("AwsSecurityEvent", since, until) if row["control.severity"] in SEVERITIES]


def records(view, since, until=0):
    """One row for each record: its most severe detection."""
    return [row for row in detections(view, since, until) if row["detection.primary"] == "true"]


def periods(view, rows):
    """How many are of today, of this week, of this month: in the zone of the relay, which is what its last heartbeat says."""
    words = view.once("periods", lambda: now_of(view))
    return {label: sum(row[f"event.{word}"] == now for row in rows) for label, (word, now) in words.items()}


def now_of(view):
    beats = view.rows("CspmRelayHeartbeat", 30 * DAY)
    return {label: (word, newest(beats, f"heartbeat.{word}"))
            for label, word in (("Today", "date"), ("This week", "week"), ("This month", "month"))}


def by(view, rows, columns, more=lambda rows: {}):
    """A table of the three periods."""
    groups = grouped(rows, *columns.values())
    return table({group: {**periods(view, rows), **more(rows)} for group, rows in groups.items()}, columns)


def day(view, ms):
    return view.local(ms).strftime("%Y-%m-%d")


def lag(rows):
    late_not = [row for row in rows if row["relay.late"] == "false"]
    largest = most(late_not, "relay.lagMs")
    return None if largest is None else largest / 1000


def weeks(view):
    """Seven days before the last heartbeat part what is recent from what is before."""
    week_ago = most(view.rows("CspmRelayHeartbeat", 2 * WEEK), "timestamp") - WEEK
    answers = {}
    for group, rows in grouped(records(view, 2 * WEEK), "event.name").items():
        recent = sum(row["timestamp"] >= week_ago for row in rows)
        before = len(rows) - recent
        answers[group] = {"Last 7 days": recent, "7 days before": before, "Change": recent - before,
                          "Change, %": 100 * (recent - before) / before if before else None}
    return table(answers, ["Action"])


def hours(view):
    """Records, copies among them, by weekday and hour of their own time."""
    answers = {}
    for row in view.stored("AwsSecurityEvent", 30 * DAY):
        if row["detection.primary"] == "true":
            moment = view.local(row["event.time"])
            answers.setdefault(moment.strftime("%A"), [0] * 24)[moment.hour] += 1
    # The order is that of the first hour's count.
    order = sorted(answers.items(), key=lambda item: (-item[1][0], item[0]))
    return [{"facet": weekday, "weekdayOf(event.time)": weekday, "histogram": counts} for weekday, counts in order]


def new_actors(view):
    known = {row["actor.arn"] for row in view.rows("AwsSecurityEvent", 30 * DAY, WEEK) if row.get("actor.arn")}
    new = [row for row in records(view, WEEK) if row.get("actor.arn") and row["actor.arn"] not in known]
    answers = {group: {"Records with a detection": len(rows), "First": least(rows, "event.time"),
                       "Score": most(rows, "control.severityScore"), "Accounts": distinct(rows, "aws.accountId")}
               for group, rows in grouped(new, "actor.kind", "actor.name").items()}
    return table(answers, ["Kind", "Actor"], 100)


def silent(view):
    fired = {row["control.id"] for row in detections(view, WEEK)}
    gone = [row for row in detections(view, 30 * DAY, WEEK) if row["control.id"] not in fired]
    answers = {group: {"Detections": len(rows), "Last": most(rows, "event.time")}
               for group, rows in grouped(gone, "control.severity", "control.id").items()}
    return table(answers, ["Severity", "Control"])


def listed(rows, columns, limit):
    """A list: the newest first, with every copy that is stored."""
    return [{"timestamp": row["timestamp"], **{label: row.get(name) for label, name in columns.items()}}
            for row in newest_first(rows, limit)]


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    month, week = records(view, 30 * DAY), records(view, WEEK)
    log = {"Severity": "control.severity", "Control": "control.title", "Account": "aws.accountName", "Region": "aws.region",
           "Actor": "actor.name", "Action": "event.name", "Resource": "resource.id", "Source": "source.ip",
           "Error": "event.errorCode", "What to do": "control.remediation", "Event id": "event.id"}
    raw = {"event.id": "event.id", "aws.accountName": "aws.accountName", "message": "message"}
    return {
        "detective-periods": [[{**periods(view, month), "Accounts": distinct(month, "aws.accountId"),
                                "Data since": day(view, least(month, "event.time"))}]],
        "detective-signs": [[{
            "Failed console sign-ins": sum(row["event.name"] == "ConsoleLogin" and row["event.outcome"] == "failure" for row in week),
            "Root user": sum(row["actor.kind"] == "root" for row in week),
            "Sign-ins without MFA": sum(row["control.id"] == "console-login-without-mfa" for row in detections(view, WEEK)),
            "Refused calls": sum(row.get("event.errorCode") in REFUSED for row in week)}]],
        "detective-controls": [by(view, detections(view, 30 * DAY), {"Severity": "control.severity", "Control": "control.id"},
                                  lambda rows: {"Score": most(rows, "control.severityScore")})],
        "detective-names": [by(view, month, {"Category": "event.category", "Service": "aws.service", "Action": "event.name"})],
        "detective-accounts": [by(view, month, {"Account": "aws.accountName", "Region": "aws.region"},
                                  lambda rows: {"Newest": most(rows, "event.time"), "Largest lag, s": lag(rows)})],
        "detective-actors": [by(view, month, {"Kind": "actor.kind", "Actor": "actor.name", "Account": "aws.accountName"})],
        "detective-weeks": [weeks(view)],
        "detective-hours": [hours(view)],
        "detective-new-actors": [new_actors(view)],
        "detective-silent": [silent(view)],
        "detective-log": [listed(view.stored("AwsSecurityEvent", WEEK), log, 500)],
        "detective-raw": [listed([row for row in view.stored("Log", WEEK) if row["logtype"] == "aws.cloudtrail"], raw, 500)],
    }
