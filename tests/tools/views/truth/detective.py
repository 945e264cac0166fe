"""Answers of the page Detective: what CloudTrail records tell."""

from base import DAY, MINUTE, WEEK, distinct, grouped, least, most, newest_first, table

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


def heard(view):
    """Whether the relay lives: it tells so once an hour at least. Of one that is silent nobody knows what is missing."""
    return bool(view.whole.rows("CspmRelayHeartbeat", 70 * MINUTE))


def periods(view, rows):
    """How many are of today, of this week, of this month, by the clock in the zone of the relay."""
    now = view.local(view.now)
    year, week, _ = now.isocalendar()
    words = {"Today": ("date", now.strftime("%Y-%m-%d")), "This week": ("week", f"{year}-W{week:02}"),
             "This month": ("month", now.strftime("%Y-%m"))}
    return {label: sum(row[f"event.{word}"] == current for row in rows) if heard(view) else None
            for label, (word, current) in words.items()}


def by(view, rows, columns, more=lambda rows: {}):
    """A table of the three periods: of what came this week or this month."""
    found = {}
    for group, mine in grouped(rows, *columns.values()).items():
        counts = periods(view, mine)
        if counts["This week"] or counts["This month"]:
            found[group] = {**counts, **more(mine)}
    return table(found, columns)


def accounts(view, rows):
    """Every account and Region of the month. Of one with nothing this week and this month the last is told, and no counts."""
    found = {}
    for group, mine in grouped(rows, "aws.accountName", "aws.accountId", "aws.region").items():
        counts = periods(view, mine)
        quiet = not (counts["This week"] or counts["This month"])
        found[group] = {**{label: None if quiet else count for label, count in counts.items()},
                        "Newest": most(mine, "event.time"), "Largest lag, s": lag(mine)}
    return table(found, ["Account", "Account id", "Region"])


def who(row):
    """One actor whatever the session: a person is known by the session, everybody else by the role behind it."""
    session = row.get("actor.arn") or row["actor.name"]
    return session if row["actor.kind"] in ("human", "federated") else row.get("actor.sessionIssuer") or session


def by_actor(rows):
    return [{**row, "who": who(row)} for row in rows]


def fleet_of(view, detected):
    """Accounts with a detection among those that are known at all; which Region or severity is asked for changes the first alone."""
    places = view.without("region", "severity")
    known = {row["aws.accountId"] for kind in ("AwsPostureSummary", "AwsSecurityEvent") for row in places.rows(kind, 30 * DAY)}
    return {"Accounts with a detection": distinct(detected, "aws.accountId") if heard(view) else None,
            "Accounts known": len(known) or None}


def listening(view):
    """Since when the relay listens, as far back as is kept."""
    first = least(view.whole.rows("CspmRelayHeartbeat", 30 * DAY), "timestamp")
    return {"Data since": None if first is None else day(view, first)}


def day(view, ms):
    return view.local(ms).strftime("%Y-%m-%d")


def signs(view, week):
    """How often in seven days."""
    return {"Failed console sign-ins": sum(row["event.name"] == "ConsoleLogin" and row["event.outcome"] == "failure" for row in week),
            "Root user": sum(row["actor.kind"] == "root" for row in week),
            "Sign-ins without MFA": sum(row["control.id"] == "console-login-without-mfa" for row in detections(view, WEEK)),
            "Refused calls": sum(row.get("event.errorCode") in REFUSED for row in week)}


def lag(rows):
    late_not = [row for row in rows if row["relay.late"] == "false"]
    largest = most(late_not, "relay.lagMs")
    return None if largest is None else largest / 1000


def weeks(view):
    """Seven days ago part what is recent from what is before. While the relay is silent nobody knows what became fewer."""
    answers = {}
    if not heard(view):
        return []
    for group, rows in grouped(records(view, 2 * WEEK), "aws.service", "event.name").items():
        recent = sum(row["timestamp"] >= view.now - WEEK for row in rows)
        before = len(rows) - recent
        answers[group] = {"Last 7 days": recent, "7 days before": before, "Change": recent - before,
                          "Change, %": 100 * (recent - before) / before if before else None}
    return table(answers, ["Service", "Action"])


def hours(view):
    """Records, copies among them, by weekday and hour of their own time."""
    answers = {}
    for row in view.stored("AwsSecurityEvent", 30 * DAY):
        if row["detection.primary"] == "true":
            moment = view.local(row["event.time"])
            answers.setdefault(moment.strftime("%A"), [0] * 24)[moment.hour] += 1
    # The day with most records comes first.
    order = sorted(answers.items(), key=lambda item: (-sum(item[1]), item[0]))
    return [{"facet": weekday, "weekdayOf(event.time)": weekday, "histogram": counts} for weekday, counts in order]


def new_actors(view):
    # Whoever was seen anywhere is not new.
    known = {who(row) for row in view.whole.rows("AwsSecurityEvent", 30 * DAY, WEEK)}
    new = [row for row in by_actor(records(view, WEEK)) if row["who"] not in known]
    answers = {group: {"Records with a detection": len(rows), "First": least(rows, "event.time"),
                       "Score": most(rows, "control.severityScore"), "Accounts": distinct(rows, "aws.accountId")}
               for group, rows in grouped(new, "actor.kind", "who").items()}
    return table(answers, ["Kind", "Actor"])


def silent(view):
    """A control that did not fire while the relay was not heard may have been silent or not."""
    if not heard(view):
        return []
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
           "Actor": "actor.name", "Action": "event.name", "Resource": "resource.id", "Source IP": "source.ip",
           "Error": "event.errorCode", "What to do": "control.remediation", "Event id": "event.id"}
    raw = {"event.id": "event.id", "aws.accountName": "aws.accountName", "message": "message"}
    return {
        "detective-periods": [*([{label: count}] for label, count in periods(view, month).items()),
                              [fleet_of(view, month)], [listening(view)]],
        "detective-signs": [[{label: count if heard(view) else None}] for label, count in signs(view, week).items()],
        "detective-controls": [by(view, detections(view, 30 * DAY), {"Severity": "control.severity", "Control": "control.id"},
                                  lambda rows: {"Score": most(rows, "control.severityScore")})],
        "detective-names": [by(view, month, {"Category": "event.category", "Service": "aws.service", "Action": "event.name"})],
        "detective-accounts": [accounts(view, month)],
        "detective-actors": [by(view, by_actor(month), {
            "Kind": "actor.kind", "Actor": "who", "Account": "aws.accountName", "Account id": "aws.accountId"})],
        "detective-weeks": [weeks(view)],
        "detective-hours": [hours(view)],
        "detective-new-actors": [new_actors(view)],
        "detective-silent": [silent(view)],
        "detective-log": [listed(view.stored("AwsSecurityEvent", WEEK), log, 500)],
        "detective-raw": [listed([row for row in view.stored("Log", WEEK) if row["logtype"] == "aws.cloudtrail"], raw, 500)],
    }
