"""The catalogue of detective controls: every control a day, and which of them run."""

from base import SEVERITIES
from made.trail import CONTROLS

# Never fired: one that runs, one that is switched off, one without a tactic, one of a technique that no other covers.
UNUSED = [
    ("organization-left", "Account left the organization", "CRITICAL", "impact", "T1531", "CSPM", "true"),
    ("bedrock-logging-deleted", "Model logging deleted", "HIGH", "defense-evasion", "T1562.008", "CSPM", "false"),
    ("support-case-opened", "Support case opened", "INFORMATIONAL", None, None, "CSPM", "true"),
    ("route-changed", "Route changed", "LOW", "command-and-control", "T1090", "CSPM", "true"),
]


def make(world):
    """Adds them to the world."""
    controls = [(*control, "false" if control[0] == "region-enabled" else "true") for control in CONTROLS] + UNUSED
    for time in world.catalogue_times():
        for control, title, severity, tactic, technique, pillar, enabled in controls:
            world.add("CspmRelayControl", time, {
                "control.id": control, "control.title": title, "control.kind": "detective", "control.severity": severity,
                "control.severityScore": SEVERITIES.get(severity), "control.pillar": pillar, "control.enabled": enabled,
                "attack.tactic": tactic, "attack.technique": technique, "relay.version": "0.1.0", "relay.agent": "agent-1",
            })
