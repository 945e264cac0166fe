"""Rows that are made, and rows as a reader sees them.

In: nothing but Python's own library. Out: `World`, which makers of rows fill, and `View`, from which answers are computed. What
always holds: a `View` knows only rows; nothing that a maker knew reaches an answer. A row is a dict of plain values with
`eventType` and `timestamp` (ms since 1970); an attribute that is not there is `None` for whoever asks.
"""

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

# Thursday 2026-07-09 01:20:30 in Tokyo, still Wednesday in UTC: the two zones differ in what today is.
NOW = int(datetime(2026, 7, 8, 16, 20, 30, tzinfo=timezone.utc).timestamp() * 1000)
EVENT_DAYS, METRIC_DAYS = 30, 395

# id, name (None: nobody named it, so events carry the id), organizational unit, environment, owner.
ACCOUNTS = [
    ("111111111111", "prod-payments", "Workloads/Prod", "prod", "payments-team"),
    ("222222222222", "prod-web", "Workloads/Prod", "prod", "web-team"),
    ("333333333333", "dev-sandbox", "Workloads/Dev", "dev", None),
    ("444444444444", "監査アカウント", "Security", "prod", "セキュリティ部"),
    ("555555555555", None, "unknown", "unknown", None),
    ("666666666666", 'team "blue"', "Workloads/Dev", "stage", "blue's team"),
]
REGIONS = ["ap-northeast-1", "us-east-1", "eu-west-1"]
SEVERITIES = {"CRITICAL": 95, "HIGH": 75, "MEDIUM": 50, "LOW": 20, "INFORMATIONAL": 5}

# By what a row is known when it comes twice. A type that is not here: by all it holds.
IDENTITY = {
    "AwsSecurityEvent": ("detection.id",),
    "AwsSecurityNotice": ("event.id", "control.id"),
    "AwsComplianceChange": ("event.id",),
    "AwsSecurityFinding": ("event.id",),
    # A history file tells a change again, and knows less.
    "AwsResourceChange": ("event.id", "change.origin"),
    "CspmRelayHeartbeat": ("heartbeat.id",),
    "CspmRelayGap": ("gap.id",),
}


def row_key(row):
    """By what a row and its copy are one."""
    names = IDENTITY.get(row["eventType"])
    if names and all(row.get(name) is not None for name in names):
        return (row["eventType"],) + tuple(row[name] for name in names)
    return (row["eventType"],) + tuple(sorted((name, repr(value)) for name, value in row.items()))


class World:
    """What makers fill: `add` rows in the order in which they arrive."""

    def __init__(self, zone="UTC", seed=1, now=NOW):
        self.zone, self.now, self.rng, self.rows = ZoneInfo(zone), now, random.Random(seed), []

    def random(self, name):
        """A source of chance of one's own, so that one maker does not move another's rows."""
        return random.Random(f"{name}:{self.rng.getstate()[1][0]}")

    def add(self, event_type, timestamp, attributes):
        """A row. Attributes without a value are left out, as the relay does."""
        row = {"eventType": event_type, "timestamp": int(timestamp)}
        row.update((name, whole(value)) for name, value in attributes.items() if value is not None)
        self.rows.append(row)
        return row

    def metric(self, timestamp, name, kind, value, attributes):
        """A point of a metric: `kind` is count or gauge."""
        fields = {"type": "count", "count": value} if kind == "count" else {
            "type": "gauge", "count": 1, "total": value, "min": value, "max": value, "latest": value}
        return self.add("Metric", timestamp, {"metricName": name, name: fields, **attributes})

    def local(self, ms):
        return local(ms, self.zone)

    def catalogue_times(self):
        """When the catalogue of controls was sent: once a day, all rows of a day at one moment. Whoever adds to it uses these."""
        return [self.now - 2 * HOUR - days * DAY for days in reversed(range(35))]

    def at(self, year, month, day, hour=0, minute=0, second=0):
        """Milliseconds of a moment in the zone of the relay."""
        return int(datetime(year, month, day, hour, minute, second, tzinfo=self.zone).timestamp() * 1000)

    def midnight(self, days_ago=0):
        """The beginning of a day in the zone of the relay; 0 is today."""
        day = self.local(self.now).date() - timedelta(days=days_ago)
        return self.at(day.year, day.month, day.day)

    def days(self, ms):
        """`event.date`, `event.week` and `event.month` of a moment."""
        moment = self.local(ms)
        year, week, _ = moment.isocalendar()
        return {"event.date": moment.strftime("%Y-%m-%d"), "event.week": f"{year}-W{week:02}",
                "event.month": moment.strftime("%Y-%m")}


def whole(value):
    """A number without a fraction is written without one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def local(ms, zone):
    return datetime.fromtimestamp(ms / 1000, zone)


def place(account, region=None):
    """The attributes that say where, as events carry them."""
    number, name, unit, environment, owner = account
    return {"aws.accountId": number, "aws.accountName": name or number, "aws.organizationalUnit": unit,
            "aws.environment": environment, "aws.owner": owner, "aws.region": region}


class View:
    """Rows as a reader sees them: nothing past the retention, and of a row that came twice one."""

    def __init__(self, rows, now, zone, whole=None, chosen=None):
        self.now, self.zone = now, ZoneInfo(zone)
        # What there is beside what a reader chose to see; without a choice the same.
        self.whole = whole or self
        self.chosen = chosen
        self._stored, self._distinct, self._known, seen = {}, {}, {}, set()
        for row in rows:
            days = METRIC_DAYS if row["eventType"] == "Metric" else EVENT_DAYS
            if not now - days * DAY <= row["timestamp"]:
                continue
            self._stored.setdefault(row["eventType"], []).append(row)
            key = row_key(row)
            # Two points of a metric may be alike and are two.
            if row["eventType"] == "Metric" or key not in seen:
                seen.add(key)
                self._distinct.setdefault(row["eventType"], []).append(row)

    def without(self, *variables):
        """The rows as if nothing were chosen in these variables."""
        return self.whole if self.chosen in variables else self

    def rows(self, event_type, since=None, until=0):
        """Distinct rows of a type in [now - since, now - until), in order of arrival. Both in ms; None: all that is kept."""
        return self._between(self._distinct, event_type, since, until)

    def stored(self, event_type, since=None, until=0):
        """The same with every copy."""
        return self._between(self._stored, event_type, since, until)

    def _between(self, tables, event_type, since, until):
        begin = 0 if since is None else self.now - since
        end = self.now - until
        return [row for row in tables.get(event_type, []) if begin <= row["timestamp"] < end]

    def once(self, name, compute):
        """What `compute` gives, computed once."""
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def kept(self):
        """How many rows of each type are not past the retention, copies among them."""
        return {event_type: len(rows) for event_type, rows in sorted(self._stored.items())}

    def run(self, kind, since):
        """The `snapshot.id` of the newest accepted run."""
        best = self.newest_run(kind, since)
        return best and best["snapshot.id"]

    def newest_run(self, kind, since):
        """The newest accepted run of a kind that began within `since`; of equals the last to arrive."""
        best = None
        for row in self.rows("AwsPostureRun", since):
            if row["run.kind"] == kind and row["run.accepted"] == "true":
                if best is None or row["timestamp"] >= best["timestamp"]:
                    best = row
        return best

    def accepted(self, since=30 * DAY):
        """The `snapshot.id` of every accepted run."""
        return {row["snapshot.id"] for row in self.rows("AwsPostureRun", since) if row["run.accepted"] == "true"}

    def of_run(self, event_type, kind, since=DAY):
        """The rows of that run."""
        wanted = self.run(kind, since)
        return [row for row in self.rows(event_type, since) if row.get("snapshot.id") == wanted]

    def catalogue(self):
        """The controls of the newest day whose rows were all accepted: they are of their run's moment."""
        run = self.newest_run("controls", 3 * DAY)
        return [row for row in self.rows("CspmRelayControl", 3 * DAY) if run and row["timestamp"] == run["timestamp"]]

    def local(self, ms):
        return local(ms, self.zone)

    def stamp(self, ms, pattern="%Y-%m-%d"):
        """A moment in the zone of the relay as a text, None of none."""
        return None if ms is None else self.local(ms).strftime(pattern)


def grouped(rows, *names):
    """Rows by the values of attributes; a row that lacks one of them is in no group. Order of first sight."""
    groups = {}
    for row in rows:
        key = tuple(row.get(name) for name in names)
        if None not in key:
            groups.setdefault(key, []).append(row)
    return groups


def values(rows, name):
    return [row[name] for row in rows if row.get(name) is not None]


def distinct(rows, name):
    return len(set(values(rows, name)))


def total(rows, name):
    return sum(values(rows, name))


def most(rows, name):
    return max(values(rows, name), default=None)


def least(rows, name):
    return min(values(rows, name), default=None)


def newest(rows, name):
    """The value of the newest row that has one; of equals the last to arrive."""
    best = None
    for row in rows:
        if row.get(name) is not None and (best is None or row["timestamp"] >= best["timestamp"]):
            best = row
    return best and best[name]


def hundredths(part, whole):
    """Percent as the relay writes it, None of nothing: two places at most, a whole number without any."""
    if not whole:
        return None
    percent = round(100 * part / whole, 2)
    return int(percent) if percent == int(percent) else percent


def share(part, whole):
    """Percent, None of nothing."""
    return 100 * part / whole if whole else None


def ranked(answers, limit=None):
    """Answers of groups in the order of a table: `answers` maps a group (tuple) to its fields (dict). The greatest first field
    comes first, what has none last, equals stand in the order of the group's values."""
    def order(item):
        group, fields = item
        first = next(iter(fields.values()))
        return (first is None, -first if first is not None else 0, tuple(map(sortable, group)))
    chosen = sorted(answers.items(), key=order)
    return chosen if limit is None else chosen[:limit]


def sortable(value):
    return (0, value, "") if isinstance(value, (int, float)) else (1, 0, str(value))


def table(answers, columns, limit=None):
    """Rows of a faceted table: the group as `facet`, each of its values under its column, then the fields."""
    rows = []
    for group, fields in ranked(answers, limit):
        label = [text(value) for value in group]
        rows.append({"facet": label if len(label) > 1 else label[0], **dict(zip(columns, group)), **fields})
    return rows


def worded(rows, first):
    """Rows of a faceted table whose first field is a text: the last of the alphabet first, equals in the order of groups."""
    return sorted(sorted(rows, key=lambda row: row["facet"]), key=lambda row: row[first], reverse=True)


def text(value):
    """A value as the label of a group."""
    return value if isinstance(value, str) else f"{value:g}"


def newest_first(rows, limit=None):
    """Rows as a list shows them: the newest first, of equals the last to arrive."""
    order = sorted(enumerate(rows), key=lambda item: (-item[1]["timestamp"], -item[0]))
    chosen = [row for _, row in order]
    return chosen if limit is None else chosen[:limit]


def buckets(now, span, width):
    """[begin, end) of each bucket in ms; the last ends now, and only whole ones are there."""
    count = span // width
    begin = now - count * width
    return [(begin + n * width, begin + (n + 1) * width) for n in range(count)]


def series(now, span, width, compute):
    """Rows of a chart over time: `compute(begin, end)` gives the fields of a bucket."""
    return [{"beginTimeSeconds": begin / 1000, "endTimeSeconds": end / 1000, **compute(begin, end)}
            for begin, end in buckets(now, span, width)]


def between(rows, begin, end):
    return [row for row in rows if begin <= row["timestamp"] < end]
