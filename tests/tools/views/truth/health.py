"""Answers of the page Relay health. What counts what is stored counts copies, too: that is its question."""

import json

from base import DAY, HOUR, MINUTE, WEEK, between, buckets, distinct, grouped, most, newest, newest_first, ranked, table, total
from truth.detective import heard, listed, listening

ENDED = {"✔ Delivered": "Delivered", "Ignored": "Ignored", "◇ Suppressed": "Suppressed", "Duplicate": "Duplicate",
         "✖ Unreadable": "Unreadable", "✖ Rejected": "Rejected", "↻ Returned": "Returned"}
# Types whose bytes the relay causes.
OURS = ("AwsSecurityEvent AwsSecurityNotice AwsComplianceChange AwsComplianceSnapshot AwsComplianceViolation AwsPostureSummary "
        "AwsFrameworkSnapshot AwsConformancePackSnapshot AwsSecurityFinding AwsFindingSnapshot AwsFindingInsight AwsPostureRun "
        "AwsResourceChange AwsIdentityPosture CspmRelayControl CspmRelayHeartbeat CspmRelayGap CspmRelayException Log "
        "Metric").split()


def books(rows):
    """What was there and what came, how it ended, and what has not ended; from the heartbeats, not from one another."""
    agents = [sorted(beats, key=lambda row: row["timestamp"]) for beats in grouped(rows, "relay.agent").values()]
    ended = {label: total(rows, f"heartbeat.records{word}") for label, word in ENDED.items()}
    return {"From before": sum(beats[0]["heartbeat.recordsWaitingBefore"] for beats in agents),
            "Received": total(rows, "heartbeat.recordsReceived"), **ended,
            "? On the way": sum(beats[-1]["heartbeat.recordsWaiting"] for beats in agents)}


def chart(view, rows, name, limit, fields):
    """Half hours of the last day by group; `fields` gives the values of rows, the first of which orders the groups."""
    groups, out = grouped(rows, name), []
    for group, _ in ranked({group: fields(rows) for group, rows in groups.items()}, limit):
        for begin, end in buckets(view.now, DAY, 30 * MINUTE):
            out.append({"facet": group[0], name: group[0], "beginTimeSeconds": begin / 1000, "endTimeSeconds": end / 1000,
                        **fields(between(groups[group], begin, end))})
    return out


def seconds(ms):
    return None if ms is None else ms / 1000


def mean(rows, name):
    return total(rows, name) / len(rows) if rows else None


def length(row):
    """Bytes of a row as JSON, not counting what escapes add."""
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) - text.count('\\"')


def ours(view, kind):
    """Rows of a type of the last day that the relay caused."""
    return [row for row in view.stored(kind, DAY)
            if "relay.version" in row or "snapshot.id" in row or row.get("metricName", "").startswith("cspm.")]


def gigabytes(rows):
    """In 30 days like this one."""
    return sum(map(length, rows)) * 30 / 1e9


def cost(view):
    answers = {}
    for kind in OURS:
        rows = ours(view, kind)
        if rows:
            answers[(kind,)] = {"GB in 30 days": gigabytes(rows)}
    return table(answers, ["eventType()"], 20)


def by_source(rows):
    """Rows by the source that they came through; `other` where they came through none."""
    found = {}
    for row in rows:
        found.setdefault((row.get("relay.source", "other"),), []).append(row)
    return found


def of_source(rows):
    """Of a source: what its rows add up to, heartbeats of it and what came through it."""
    return {"GB in 30 days": gigabytes(rows), "Fetched, MB": total(rows, "heartbeat.bytesPacked") / 1e6, "Unpacked, MB": total(rows, "heartbeat.bytesUnpacked") / 1e6,
            "Objects": total(rows, "heartbeat.objectsReceived"), "Records": total(rows, "heartbeat.recordsReceived"),
            "Detections": total(rows, "heartbeat.detections"), "↻ Redelivered": total(rows, "heartbeat.redelivered"),
            "Newest": most(rows, "heartbeat.newestEventTime")}


def runs(view):
    answers = {}
    for group, rows in grouped(view.rows("AwsPostureRun", 15 * DAY), "run.kind").items():
        answers[group] = {"Complete": newest(rows, "run.complete"), "Accepted": newest(rows, "run.accepted"),
                          "Last": most(rows, "run.ended"), "Rows": newest(rows, "run.rows"), "Places": newest(rows, "run.places"),
                          "✖ Places failed": newest(rows, "run.placesFailed"), "Repairs": newest(rows, "run.repairs"),
                          "Most repairs in a run": most(rows, "run.repairs"), "Calls": newest(rows, "run.calls")}
    # The first column is a text: the greatest first.
    order = sorted(answers)
    order.sort(key=lambda group: answers[group]["Complete"], reverse=True)
    return [{"facet": group[0], "Run": group[0], **answers[group]} for group in order[:20]]


def exceptions(view):
    rows = [row for row in view.rows("CspmRelayException", 2 * DAY) if row["exception.state"] == "expired"]
    answers = {group: {"Owner": newest(rows, "exception.owner"), "Expired": newest(rows, "exception.expires"),
                       "Scope": newest(rows, "exception.scope"), "Why": newest(rows, "exception.reason")}
               for group, rows in grouped(rows, "control.id", "exception.id").items()}
    order = sorted(answers)
    order.sort(key=lambda group: answers[group]["Owner"], reverse=True)
    return [{"facet": list(group), "Control": group[0], "Exception": group[1], **answers[group]} for group in order]


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    # A heartbeat is a sum over a minute: a copy adds to it.
    last_day, week = view.stored("CspmRelayHeartbeat", DAY), view.stored("CspmRelayHeartbeat", WEEK)
    stored = view.stored("AwsSecurityEvent", 30 * DAY)
    refused = grouped(view.rows("NrIntegrationError", WEEK), "newRelicFeature", "message")
    gaps = {"Kind": "gap.kind", "Object": "gap.object", "Why": "gap.reason", "Records read": "gap.recordsRead", "Source": "relay.source"}
    doubts = [row["cspm.rollup.maybeDouble"]["count"] for row in view.rows("Metric", 30 * DAY)
              if row["metricName"] == "cspm.rollup.maybeDouble"]
    everything = [row for kind in OURS for row in ours(view, kind)]
    counted = [row for row in view.rows("Metric", DAY) if row["metricName"] == "cspm.records"]
    return {
        "health-books": [table({group: books(rows) for group, rows in grouped(last_day, "relay.source").items()}, ["Source"])],
        # Gaps are told by themselves; letters only by a heartbeat.
        "health-dead": [[{"✖ Records dead-lettered": total(week, "heartbeat.recordsUnreadable") + total(week, "heartbeat.recordsRejected") if week else None,
                          "✖ Objects dead-lettered": total(week, "heartbeat.objectsParked") if week else None,
                          "✖ Gaps": distinct(view.rows("CspmRelayGap", WEEK), "gap.id")}]],
        "health-doubles": [
            [{"Agents, last 2 hours": distinct(view.rows("CspmRelayHeartbeat", 2 * HOUR), "relay.agent") or None}],
            [{"Accounts, last day": distinct(counted, "aws.accountId")}],
            [listening(view)],
            [{"Doubled detections (exact to 50,000)": len(stored) - distinct(stored, "detection.id")}],
            [{"Roll-ups: at most too many": sum(doubts) if heard(view) else None}]],
        "health-total": [[{"GB in 30 days": gigabytes(everything)}]],
        "health-lag": [chart(view, last_day, "relay.source", 20, lambda rows: {
            "Largest lag, s": seconds(most(rows, "heartbeat.lagMsMax")), "Oldest message, s": seconds(most(rows, "heartbeat.queueAgeMs"))})],
        "health-retries": [chart(view, last_day, "relay.agent", 20, lambda rows: {
            "Requests": mean(rows, "heartbeat.requests"), "Retries": mean(rows, "heartbeat.retries")})],
        "health-cost": [cost(view)],
        "health-sources": [table({group: of_source(rows) for group, rows in by_source(everything).items()}, ["Source"])],
        "health-refused": [table({group: {"Errors": len(rows), "Last": most(rows, "timestamp")} for group, rows in refused.items()},
                                 ["Feature", "Message"], 100)],
        "health-gaps": [listed(view.stored("CspmRelayGap", 30 * DAY), gaps, 200)],
        "health-exceptions": [exceptions(view)],
        "health-runs": [runs(view)],
    }
