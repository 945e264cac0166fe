"""Rows of 62 days and the answer to every widget's question, computed from them.

    python3 main.py --out DIR [--zone Asia/Tokyo] [--duplicates 0.2] [--seed 1] [--fleet | --trail-alone] [--chosen] [--missing relay]

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


# What is not there: a relay that fell silent three days ago; one that reads no AWS Config, no findings, no catalogue.
STATE = {"AwsPostureSummary", "AwsPostureRun", "AwsComplianceSnapshot", "AwsComplianceViolation", "AwsComplianceChange",
         "AwsFrameworkSnapshot", "AwsConformancePackSnapshot", "AwsFindingSnapshot", "AwsIdentityPosture", "CspmRelayControl", "Metric"}
MISSING = {
    "relay": lambda row, now: row["timestamp"] >= now - 3 * base.DAY,
    "state": lambda row, now: row["eventType"] in STATE,
}
# Pages whose answers hold when something is missing.
WITHOUT = ("overview", "detective", "attack", "frameworks")


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
    given = arguments.parse_args()

    world = base.World(given.zone, given.seed)
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
    asked = {name: PAGES[name] for name in WITHOUT} if given.missing else PAGES
    if given.fleet:
        pages = fleet.answers(view)
    else:
        pages = {} if given.trail_alone else {name: page.answers(view) for name, page in asked.items()}
    under = under_choices(rows, view, given.zone, pages) if given.chosen else []
    with open(os.path.join(given.out, "truth.json"), "w", encoding="utf-8") as file:
        truth = {"nowMs": world.now, "zone": given.zone, "kept": view.kept(), "pages": pages, "chosen": under}
        json.dump(truth, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
