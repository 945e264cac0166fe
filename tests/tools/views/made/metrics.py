"""Roll-ups of 14 months, the first of them past the retention: counters and the gauge of rules, by account."""

from base import ACCOUNTS, DAY, HOUR, MINUTE, REGIONS, place


def make(world):
    """Adds them to the world."""
    chance, summaries = world.random("metrics"), summarised()
    for days in reversed(range(420)):
        time = world.now - days * DAY - 40 * MINUTE
        for number, account in enumerate(ACCOUNTS[:5]):
            where = place(account, REGIONS[number % 3])
            # Who owns an account no point says; the gauge is of all its Regions.
            del where["aws.owner"]
            whole = {name: value for name, value in where.items() if name != "aws.region"}
            world.metric(time, "cspm.records", "count", 500 + chance.randrange(900), {**where, "aws.service": "s3"})
            if (days + number) % 3 == 0:
                world.metric(time, "cspm.detections", "count", chance.randrange(40), {**where, "control.severity": ["HIGH", "LOW"][number % 2]})
            # In the first months no source of findings was connected.
            if (days + number) % 4 == 0 and days < 300:
                world.metric(time, "cspm.findings", "count", chance.randrange(25), {
                    **where, "control.severity": "LOW", "finding.transition": ["new", "resolved"][days % 8 // 4]})
            for pillar in ("CSPM", "DSPM") if days in summaries else ():
                for state, results in [("COMPLIANT", 100 + (420 - days) // 8), ("NON_COMPLIANT", 60 - (420 - days) // 10 + number),
                                       ("INSUFFICIENT_DATA", 3)]:
                    # In the first weeks nothing was judged, and that was said.
                    results *= days <= 370
                    for hours in summaries[days]:
                        world.metric(time - hours * HOUR, "cspm.compliance", "gauge", results if pillar == "CSPM" else results // 9 + hours,
                                     {**whole, "control.severity": ["HIGH", "LOW"][number % 2], "control.pillar": pillar,
                                      "compliance.state": state})
    uneven(world)
    # Either side of the first of a month, in the zone of the relay.
    for month in (1, 4, 7):
        for offset in (-1, 0):
            world.metric(world.at(2026, month, 1) + offset, "cspm.records", "count", 7,
                         {"aws.accountId": ACCOUNTS[0][0], "aws.region": REGIONS[0], "aws.service": "iam"})
    for hours, count in ((5, 2), (30 * 24 + 1, 100), (29 * 24, 3)):
        world.metric(world.now - hours * HOUR, "cspm.rollup.maybeDouble", "count", count, {"relay.agent": "agent-1"})


def uneven(world):
    """A week in which one place is told of every hour, and another, with far more violations, in its first four hours alone; the
    summaries of a third came every hour, then every five minutes."""
    for number, good, bad, hours in ((0, 90, 10, range(168)), (5, 40, 1_000, range(164, 168)),
                                     (2, 30, 170, [*range(84, 168), *(minute / 12 for minute in range(84 * 12))])):
        where = place(ACCOUNTS[number])
        del where["aws.owner"]
        for hour in sorted(hours, reverse=True):
            for state, results in (("COMPLIANT", good), ("NON_COMPLIANT", bad)):
                world.metric(world.now - 21 * DAY - hour * HOUR - MINUTE, "cspm.compliance", "gauge", results, {
                    **where, "control.severity": "CRITICAL", "control.pillar": "CIEM", "compliance.state": state})


def summarised():
    """Days ago: hours before it at which a summary was sent. Somebody made the interval shorter; for three weeks and for half a
    week the relay did not run."""
    often = {days: (0,) if days > 30 or days % 2 else (0, 6, 12) for days in range(420) if days < 60 or days % 2 == 0}
    return {days: hours for days, hours in often.items() if not 100 <= days <= 122 and not 36 <= days <= 39}
