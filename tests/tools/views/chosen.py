"""What a reader chose in the dashboard's variables, and which widgets follow it.

In: rows. Out: `CHOICES` (variable, values), the rows that a choice leaves, and `follows`, which tells whether a widget's question
is asked of the chosen rows alone. What always holds: a row that does not know a variable (a heartbeat has no account) is not
touched by it; what follows nothing is listed here and said in the widget's title or in dashboards/README.md.
"""

# A name as a pattern and an id as it is: the variable takes both.
CHOICES = [
    ("account", ["prod-%"]), ("account", ["333333333333"]), ("ou", ["Workloads/Dev"]), ("environment", ["prod"]),
    ("region", ["us-east-1"]), ("severity", ["HIGH", "unknown"]), ("findingSeverity", ["CRITICAL"]), ("event", ["%7"]),
    ("resource", ["%1%"]),
]
PLACE, DETECTIONS = {"account", "ou", "environment"}, {"account", "ou", "environment", "region", "severity"}
FINDINGS, CHANGES = PLACE | {"region", "findingSeverity"}, PLACE | {"region", "resource"}

# Of a page, then of widgets that differ from their page.
PAGES = {
    "overview": set(), "detective": DETECTIONS, "preventive": DETECTIONS, "findings": FINDINGS, "attack": DETECTIONS,
    "frameworks": PLACE, "resources": CHANGES, "identity": PLACE, "health": set(),
}
WIDGETS = {
    "detective-log": DETECTIONS | {"event"}, "detective-raw": {"account", "event"},
    # Summaries of accounts know neither Region nor severity; points of the gauge know no Region.
    "preventive-trend": PLACE, "preventive-accounts": PLACE, "preventive-year": PLACE | {"severity"},
    "findings-open": PLACE | {"region"}, "findings-accounts": PLACE | {"region"}, "findings-since": PLACE | {"region"},
    "findings-insights": PLACE | {"region"}, "findings-trend": PLACE | {"region"},
    # The catalogue of controls is the same everywhere.
    "attack-coverage": set(), "attack-tactics": set(), "attack-never-fired": set(), "attack-findings": PLACE | {"region"},
    "frameworks-packs": PLACE | {"region"}, "frameworks-not-automated": set(), "frameworks-not-evaluated": {"severity"},
    "frameworks-drift": DETECTIONS,
    "resources-since": PLACE | {"region"}, "resources-exposed": DETECTIONS, "resources-types": DETECTIONS, "resources-broke": DETECTIONS | {"resource"},
    "identity-activity": DETECTIONS, "identity-escalation": DETECTIONS, "identity-analyzer": PLACE | {"region"},
}

ATTRIBUTES = {"ou": "aws.organizationalUnit", "environment": "aws.environment", "region": "aws.region",
              "severity": "control.severity", "findingSeverity": "control.severity", "event": "event.id"}
# Types whose severity is that of a finding.
OF_FINDINGS = ("AwsSecurityFinding", "AwsFindingSnapshot")


def follows(page, widget, variable):
    return variable in WIDGETS.get(widget, PAGES[page])


def like(text, pattern):
    """Letter case aside, `%` stands for any text."""
    text, parts = text.lower(), pattern.lower().split("%")
    if len(parts) == 1:
        return text == parts[0]
    if not (text.startswith(parts[0]) and text.endswith(parts[-1]) and len(text) >= len(parts[0]) + len(parts[-1])):
        return False
    at, end = len(parts[0]), len(text) - len(parts[-1])
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def left(rows, variable, values):
    """The rows that the choice leaves."""
    # Counts by rule carry the id of their account alone.
    names = {row["aws.accountId"]: row for row in rows if "aws.accountName" in row}

    def stays(row):
        where = row if "aws.accountName" in row else names.get(row.get("aws.accountId"), row)
        if variable == "account":
            known = [where[name] for name in ("aws.accountName", "aws.accountId") if name in where]
        elif variable in ("ou", "environment"):
            known = [where[ATTRIBUTES[variable]]] if ATTRIBUTES[variable] in where else []
        elif variable == "resource":
            known = [row[name] for name in ("resource.id", "resource.arn") if name in row]
        elif variable in ("severity", "findingSeverity") and (row["eventType"] in OF_FINDINGS) != (variable == "findingSeverity"):
            known = []
        else:
            known = [row[ATTRIBUTES[variable]]] if ATTRIBUTES[variable] in row else []
        return not known or any(like(text, value) for text in known for value in values)
    return [row for row in rows if stays(row)]
