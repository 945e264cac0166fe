"""Rows of 62 days and the answer to every widget's question, computed from them.

    python3 main.py --out DIR [--zone Asia/Tokyo] [--duplicates 0.2] [--seed 1] [--fleet | --trail-alone] [--chosen] [--missing relay] [--frequent]

writes DIR/rows.ndjson (one row a line, in order of arrival) and DIR/truth.json (`nowMs`, `zone`, how many rows of each type
are not past the retention, and the rows that each query of each widget must give). Makers of rows (`made/`) and answers
(`truth/`) share nothing but `base.py`; with `--chosen` it has the answers under each choice of `chosen.py`, too; answers are computed from the rows as written. It imports nothing of the project and
knows no query language.
"""

import argparse
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import base
import chosen
from made import controls, fleet, findings, identity, metrics, operation, posture, resources, trail
from truth import attack, detective, frameworks, health, overview, preventive
from truth import findings as findings_page, identity as identity_page, resources as resources_page

MAKERS = [trail, operation, controls, posture, findings, resources, identity, metrics]
PAGES = {
    "overview": overview, "detective": detective, "preventive": preventive, "findings": findings_page, "attack": attack,
    "frameworks": frameworks, "resources": resources_page, "identity": identity_page, "health": health,
}
# A point of a metric has no id: copies of it cannot be told from points. Errors are events of New Relic itself, which does not
# send twice. Counts of findings are a row for each account, Region, product, control and severity: more groups than a query may
# have, so that their sum cannot tell copies.
NEVER_DOUBLED = {"Metric", "NrIntegrationError", "AwsFindingSnapshot"}


def doubled(rows, share, seed):
    """The rows with copies of a share of them, half right behind, half much later in arrival."""
    if not share:
        return rows
    # A source of chance for each type, so that one type's rows do not move another's copies.
    chance = {}
    out, late = [], []
    for row in rows:
        out.append(row)
        rng = chance.setdefault(row["eventType"], random.Random(f"doubles:{seed}:{row['eventType']}"))
        if row["eventType"] not in NEVER_DOUBLED and rng.random() < share:
            (out if rng.random() < 0.5 else late).append(dict(row))
    return out + late


# What is not there: a relay that fell silent three days ago, one that fell silent eight days ago, one that told nothing of itself;
# one that reads no AWS Config, no findings, no catalogue; one that has not yet said what is open, or what violates; one whose runs are
# a day apart, the newest more than two days old; and where no finding is graver than LOW.
STATE = {"AwsPostureSummary", "AwsPostureRun", "AwsComplianceSnapshot", "AwsComplianceViolation", "AwsComplianceChange",
         "AwsFrameworkSnapshot", "AwsConformancePackSnapshot", "AwsFindingSnapshot", "AwsIdentityPosture", "CspmRelayControl", "Metric"}
RUNS = STATE - {"AwsComplianceChange", "AwsIdentityPosture", "Metric"}
FINDINGS = ("AwsSecurityFinding", "AwsFindingSnapshot")
MISSING = {
    "relay": lambda row, now: row["timestamp"] >= now - 3 * base.DAY,
    "relayOfWeek": lambda row, now: row["timestamp"] >= now - 8 * base.DAY,
    "heartbeat": lambda row, now: row["eventType"] == "CspmRelayHeartbeat",
    "state": lambda row, now: row["eventType"] in STATE,
    "runOfFindings": lambda row, now: row.get("run.kind") == "findings" or row["eventType"] == "AwsFindingSnapshot",
    "runOfViolations": lambda row, now: row.get("run.kind") == "violations" or row["eventType"] == "AwsComplianceViolation",
    "newRuns": lambda row, now: row["eventType"] in RUNS and row["timestamp"] >= now - 48.5 * base.HOUR,
    "graveFindings": lambda row, now: row["eventType"] in FINDINGS and row["control.severity"] != "LOW",
}
# Pages whose answers hold when that is missing.
WITHOUT = {
    "relay": ("overview", "detective", "preventive", "findings", "attack", "frameworks", "resources"),
    "relayOfWeek": ("overview", "detective", "preventive", "findings", "attack", "frameworks", "resources"),
    "heartbeat": ("overview", "detective", "preventive", "findings", "attack", "frameworks", "resources", "health"),
    "state": ("overview", "detective", "preventive", "findings", "attack", "frameworks", "resources"),
    "runOfFindings": ("findings", "identity"), "runOfViolations": ("overview", "preventive", "resources"),
    "newRuns": ("overview", "preventive", "findings", "attack", "frameworks", "resources"), "graveFindings": ("findings",),
}
# Every five minutes for 30 days, of each of these kinds of runs: more ids than one list in a query may have.
FREQUENT = ("summary", "snapshot")
LINES = ("findings", "frameworks", "identity")


def frequent(world):
    """Runs whose rows say nothing new."""
    for at in range(world.now - 30 * base.DAY, world.now - base.HOUR, 5 * base.MINUTE):
        for kind in FREQUENT:
            posture.ended(world, kind, at, f"{kind}-{at}", 0, True)


def under_choices(rows, view, zone, pages):
    """The answers under each choice: of a widget that does not follow it those without a choice."""
    found, shown = [], findings_page.SHOWN
    for variable, values in chosen.CHOICES:
        if variable == "findingSeverity":
            findings_page.SHOWN = tuple(values)
        seen = base.View(chosen.left(rows, variable, values), view.now, zone, whole=view, chosen=variable)
        under = {}
        for name, page in PAGES.items():
            followed = [widget for widget in pages[name] if chosen.follows(name, widget, variable)]
            told = page.answers(seen) if followed else {}
            under[name] = {widget: told[widget] if widget in followed else rows for widget, rows in pages[name].items()}
        findings_page.SHOWN = shown
        follow = [widget for name in pages for widget in pages[name] if chosen.follows(name, widget, variable)]
        found.append({"variable": variable, "values": values, "pages": under, "follow": follow})
    return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--zone", default="UTC")
    arguments.add_argument("--duplicates", type=float, default=0.0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--fleet", action="store_true", help="200 accounts × 3 Regions × 150 rules, posture alone")
    arguments.add_argument("--trail-alone", action="store_true", help="rows of the trail and of the relay alone, without answers")
    arguments.add_argument("--chosen", action="store_true", help="answers under each choice of the variables, too")
    arguments.add_argument("--missing", choices=MISSING, help="leave out what is not there")
    arguments.add_argument("--frequent", action="store_true", help="runs every five minutes, and the answers of the lines of runs alone")
    given = arguments.parse_args()

    world = base.World(given.zone, given.seed)
    if given.frequent:
        # The list takes those that arrived first.
        frequent(world)
    for maker in [fleet] if given.fleet else [trail, operation] if given.trail_alone else MAKERS:
        maker.make(world)
    if given.missing:
        world.rows = [row for row in world.rows if not MISSING[given.missing](row, world.now)]
    rows = doubled(world.rows, given.duplicates, given.seed)

    os.makedirs(given.out, exist_ok=True)
    path = os.path.join(given.out, "rows.ndjson")
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    view = base.View(rows, world.now, given.zone)
    wanted = WITHOUT[given.missing] if given.missing else LINES if given.frequent else PAGES
    asked = {name: PAGES[name] for name in wanted}
    if given.fleet:
        pages = fleet.answers(view)
    else:
        pages = {} if given.trail_alone else {name: page.answers(view) for name, page in asked.items()}
    if given.frequent:
        pages = {name: {f"{name}-trend": pages[name][f"{name}-trend"]} for name in LINES}
    under = under_choices(rows, view, given.zone, pages) if given.chosen else []
    with open(os.path.join(given.out, "truth.json"), "w", encoding="utf-8") as file:
        truth = {"nowMs": world.now, "zone": given.zone, "kept": view.kept(), "pages": pages, "chosen": under}
        json.dump(truth, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
