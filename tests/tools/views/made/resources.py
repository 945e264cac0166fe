"""Rows of changes of resources: what AWS Config recorded, and who did it as far as the trail tells."""

from base import ACCOUNTS, DAY, HOUR, MINUTE, REGIONS, SECOND, place

TYPES = ["AWS::S3::Bucket", "AWS::EC2::SecurityGroup", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::EC2::Instance"]
# Kind, name, and whether a pipeline did it: None where the record does not tell what stands behind the actor.
ACTORS = [
    ("human", "tanaka", "false"), ("human", "o'brien", "false"), ("human", "山田", "false"), ("root", "root", "false"),
    ("ci", "github-actions", "true"), ("ci", "terraform", "true"), ("awsService", "autoscaling.amazonaws.com", "false"),
    ("workload", "batch-role", "false"), ("federated", "partner", "false"), ("unknown", "deploy-key", None),
]
# What a history file does not tell: it knows what is, not what was nor who made it so.
UNTOLD = ("actor.kind", "actor.name", "source.ip", "change.viaPipeline", "change.eventId", "change.eventName", "change.tagsOnly")
STACKS = [(None, None), ("cloudformation", "network"), ("terraform", "web \"blue\""), ("cdk", "支払い"), ("terraform", None)]


def of_history(row):
    """A change as a history file tells it."""
    return {**row, **dict.fromkeys(UNTOLD), "change.type": "unknown", "change.actorConfidence": "none", "change.origin": "history"}


def make(world):
    """Adds them to the world."""
    rng, told = world.random("resources"), []
    times = [rng.randint(world.now - 62 * DAY, world.now - 2 * MINUTE) for _ in range(1500)]
    # More this week, and on the edges of days, of the week and of what is kept.
    times += [rng.randint(world.now - 7 * DAY, world.now - 2 * MINUTE) for _ in range(420)]
    times += [world.midnight(n) + shift * SECOND for n in (0, 1, 6) for shift in (-1, 0)]
    times += [world.now - days * DAY + shift * SECOND for days in (7, 30) for shift in (-1, 0, 1)]
    for number, time in enumerate(sorted(times)):
        account = rng.choice(ACCOUNTS)
        region = REGIONS[0] if account[1] is None else rng.choice(REGIONS)
        kind = rng.choice(TYPES)
        # Functions are named alike everywhere.
        which = rng.randint(0, 25)
        name = f"nightly-{which}" if kind == TYPES[3] else f"{kind.rsplit('::', 1)[-1].lower()}-{account[0][:3]}-{which}"
        confidence = rng.choice(["certain", "certain", "certain", "likely", "ambiguous", "none"])
        who, by, pipeline = rng.choice(ACTORS) if confidence in ("certain", "likely") else (None, None, None)
        tool, stack = STACKS[which % len(STACKS)]
        change = rng.choice(["CREATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE", "DELETE"])
        late = rng.random() < 0.04
        arrival = min(time + 25 * HOUR, world.now - MINUTE) if late else time
        row = {
            "event.id": f"item-{number}", "event.category": "Configuration", "event.time": time, **world.days(time),
            **place(account, region), "resource.type": kind, "resource.id": name,
            "resource.arn": f"arn:aws:{kind}:{account[0]}:{name}" if which % 4 else None, "change.type": change,
            "change.tagsOnly": rng.choice(["true", "false", "false", "false"]) if change == "UPDATE" else None,
            "change.summary": f"{change} {kind} {name}: \"tags\" → '新'", "change.actorConfidence": confidence, "actor.kind": who,
            "actor.name": by, "source.ip": f"198.51.100.{which}" if who in ("human", "unknown") else None,
            "change.viaPipeline": pipeline, "change.eventId": f"trail-{number}" if who else None,
            "change.eventName": f"{change.title()}It" if who else None, "iac.tool": tool, "iac.stack": stack,
            "change.origin": "stream", "relay.late": "true" if late else "false"}
        luck = rng.random()
        # Nothing but a file of history tells it, or that tells it, too, under the same id: mostly behind the stream, or before it.
        told.append((arrival + rng.randint(0, 9) * SECOND, arrival, of_history(row) if luck < 0.05 else row))
        if luck > 0.92:
            told.append((arrival + (6 if luck < 0.97 else -1) * HOUR, arrival, of_history(row)))
    for _, timestamp, row in sorted(told, key=lambda item: item[0]):
        world.add("AwsResourceChange", timestamp, row)
