"""The relay about itself: heartbeats, gaps, expired exceptions, and what New Relic refused."""

from base import ACCOUNTS, DAY, HOUR, MINUTE, SECOND

AGENTS = [("agent-1", "trail"), ("agent-1", "config"), ("agent-2", "trail"), ("agent-2", "queue of \"findings\"")]


def make(world):
    """Adds them to the world."""
    chance = world.random("operation")
    heartbeats(world, chance)
    gaps(world, chance)
    exceptions(world)
    for days, feature, message in [(1, "Event API", "name too long"), (2, "Event API", "name too long"), (3, "Log API", "too big"),
                                   (9, "Event API", "name too long")]:
        world.add("NrIntegrationError", world.now - days * DAY, {"newRelicFeature": feature, "message": message, "category": "Ingest"})


def heartbeats(world, chance):
    """Every two hours of 62 days, every ten minutes of the last day; the last just before now."""
    times = [world.now - 20 * SECOND - step * 10 * MINUTE for step in range(144)]
    times += [world.now - DAY - step * 2 * HOUR for step in range(1, 61 * 12)]
    waiting = dict.fromkeys(AGENTS, 0)
    for time in sorted(times):
        for agent, source in AGENTS:
            received = chance.randrange(2_000)
            ignored, suppressed, duplicate = received // 2, received // 20, received // 50
            unreadable, rejected, returned = (chance.random() < 0.02) * 1, (chance.random() < 0.01) * 2, received // 100
            before = waiting[agent, source]
            # Most of what is on its way has arrived by the next heartbeat; the day begins, and ends, with some on its way.
            held = 3 if chance.random() < 0.1 else 0
            edge = abs(time - (world.now - DAY)) < 3 * HOUR or world.now - time < MINUTE
            waiting[agent, source] = 40 + chance.randrange(40) if edge else held
            ended = ignored + suppressed + duplicate + unreadable + rejected + returned
            delivered = before + received - ended - waiting[agent, source]
            if delivered < 0:
                delivered, waiting[agent, source] = 0, before + received - ended
            world.add("CspmRelayHeartbeat", time, {
                "heartbeat.id": f"{agent}:{source}:{time}", "relay.version": "0.1.0", "relay.source": source, "relay.agent": agent,
                **{name.replace("event.", "heartbeat."): value for name, value in world.days(time).items()},
                "heartbeat.recordsWaitingBefore": before, "heartbeat.recordsWaiting": waiting[agent, source],
                "heartbeat.recordsReceived": received, "heartbeat.recordsDelivered": delivered,
                "heartbeat.recordsIgnored": ignored, "heartbeat.recordsSuppressed": suppressed,
                "heartbeat.recordsDuplicate": duplicate, "heartbeat.recordsUnreadable": unreadable,
                "heartbeat.recordsRejected": rejected, "heartbeat.recordsReturned": returned,
                "heartbeat.objectsReceived": received // 10, "heartbeat.objectsReleased": received // 10,
                "heartbeat.objectsParked": 1 if chance.random() < 0.01 else 0, "heartbeat.objectsReturned": 0,
                "heartbeat.bytesPacked": received * 310, "heartbeat.bytesUnpacked": received * 1_250,
                "heartbeat.detections": received // 40, "heartbeat.redelivered": received // 300,
                "heartbeat.requests": 1 + received // 200, "heartbeat.retries": 1 if chance.random() < 0.1 else 0,
                "heartbeat.lagMsMax": 1_000 + chance.randrange(90_000), "heartbeat.queueAgeMs": chance.randrange(60_000),
                "heartbeat.newestEventTime": time - 30 * SECOND if received > 20 else None,
            })


def gaps(world, chance):
    """Objects that could not be read: some in the week, some in the month, some hidden."""
    for number, hours in enumerate((3, 3, 40, 150, 169, 500, 719, 721, 1_000)):
        kind = ["gone", "corrupt", "tooLarge"][number % 3]
        world.add("CspmRelayGap", world.now - hours * HOUR, {
            "gap.id": f"{number:030x}", "gap.object": f"s3://org-trail/AWSLogs/{number}.json.gz", "gap.kind": kind,
            "gap.reason": "ends in the middle of a record" if kind == "corrupt" else f"{kind}: 'no such key'",
            "gap.recordsRead": number * 7 if kind == "corrupt" else None, "relay.version": "0.1.0", "relay.source": "trail",
            "relay.agent": "agent-1", "aws.accountId": ACCOUNTS[number % 3][0],
        })


def exceptions(world):
    """Exceptions that have expired, told every day as long as they stand: one is told no more, for it was renewed, one never was,
    and of one the owner changed."""
    for days in reversed(range(40)):
        time = world.now - days * DAY - 5 * HOUR
        for number, control in enumerate(["root-used", "s3-bucket-made-public", "restricted-ssh", "access-key-created"]):
            if not (days < number * 5 and (number != 2 or days > 3)):
                continue
            world.add("CspmRelayException", time, {
                "control.id": control, "exception.id": f"{number + 1:030x}", "exception.state": "expired",
                "exception.owner": "web-team" if days > 2 else "new owner's team", "exception.reason": "公開サイト",
                "exception.scope": f"accounts: {ACCOUNTS[number][0]}" if number != 3 else None,
                "exception.expires": world.local(world.now - number * 5 * DAY).strftime("%Y-%m-%d"),
                "relay.version": "0.1.0", "relay.agent": "agent-1",
            })
