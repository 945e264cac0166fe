"""Rows of identities: every IAM user, role, root and key of an account, once a day."""

from base import ACCOUNTS, DAY, HOUR, MINUTE, hundredths, place
from made.posture import ended

OUTSIDERS = ["anyone", "anyoneUnderCondition", "otherAccount", "oidc", "saml", "unknown"]
TRUSTS = OUTSIDERS + ["sameAccount", "awsService", "awsService", "awsService"]


def make(world):
    """Adds them to the world."""
    people = identities(world)
    hour = world.now // HOUR * HOUR
    for at in sorted(hour - n * DAY - 2 * HOUR for n in range(36)) + [world.now - 3 * MINUTE]:
        begin, refused = len(world.rows), at == world.now - 3 * MINUTE
        for born, gone, mended, row in people:
            if born <= at < gone:
                told = dict(row, **{"snapshot.id": f"identity-{at}"})
                if at < mended:
                    # It was worse before somebody took rights away.
                    told["identity.risk"], told["identity.overBroad"] = "critical", "true"
                if told["identity.idleDays"] is not None:
                    told["identity.idleDays"] = max(0, told["identity.idleDays"] - (world.now - at) // DAY)
                world.add("AwsIdentityPosture", at, told)
        if refused:
            del world.rows[begin + (len(world.rows) - begin) // 2:]
        ended(world, "identity", at, f"identity-{at}", len(world.rows) - begin, not refused)


def identities(world):
    """When it came, went, and was mended, and its attributes."""
    rng, found = world.random("identity"), []

    def add(account, kind, actor, name, more):
        number = account[0]
        path = {"root": "root", "role": f"role/{name}"}.get(kind, f"user/{name}")
        arn = f"arn:aws:iam::{number}:{path}"
        key = more.get("identity.keySlot")
        idle = rng.choice([None, 0, 3, 40, 95, 200, 400])
        unused = "unknown" if idle is None else "true" if idle > 90 else "false"
        broad = rng.choice(["true", "false", "false", "unknown"]) if kind != "root" else "true"
        granted = rng.randint(0, 60) if kind in ("user", "role") and rng.random() < 0.7 else None
        used = None if granted is None else rng.randint(0, granted)
        found.append((
            world.now - rng.randint(0, 60) * DAY if rng.random() < 0.15 else 0,
            world.now - rng.randint(0, 30) * DAY if rng.random() < 0.1 else world.now + DAY,
            world.now - rng.randint(1, 30) * DAY if rng.random() < 0.1 else 0,
            {**place(account), "identity.id": f"{arn}/accessKey/{key}" if key else arn, "identity.kind": kind,
             "identity.name": name,
             "identity.arn": arn, "actor.kind": actor, "identity.owner": rng.choice([None, "web-team", "支払い担当"]),
             "identity.overBroad": broad, "identity.overBroadReasons": "|admin|" if broad == "true" else None,
             "identity.unused": unused, "identity.unusedReason": "notUsedFor90Days" if unused == "true" else None,
             "identity.idleDays": idle, "identity.grantedServices": granted, "identity.usedServices": used,
             "identity.usedServicesPercent": hundredths(used, granted or 0),
             "identity.risk": rng.choice(["none", "low", "low", "medium", "high", "critical"]),
             "identity.riskReasons": rng.choice([None, "|noMfa|unused|", "|overBroad|"]), **more}))

    for account in ACCOUNTS:
        yes = lambda: rng.choice(["true", "false", "unknown"])
        add(account, "root", "root", "root", {
            "identity.mfaActive": yes(), "identity.activeKeys": rng.choice([0, 0, 1, None]),
            "identity.passwordEnabled": "unknown"})
        for number in range(rng.randint(3, 6)):
            # People of one name are in several accounts.
            name = ["tanaka", "o'brien", "山田", "deploy", "audit \"x\"", "backup"][number]
            add(account, "user", rng.choice(["human", "unknown", "workload"]), name, {
                "identity.mfaActive": yes(), "identity.passwordEnabled": yes(), "identity.activeKeys": rng.randint(0, 2)})
            for slot in range(1, rng.randint(1, 3)):
                known = rng.random() < 0.8
                add(account, "accessKey", "unknown", name, {
                    "identity.keySlot": slot, "identity.keyActive": "true",
                    "identity.keyAgeDays": rng.choice([10, 89, 91, 91, 400]),
                    "identity.keyRotationDue": rng.choice(["true", "true", "false", "unknown"]),
                    "identity.keyLastUsed": world.now - rng.randint(0, 300) * DAY if known else None,
                    "identity.keyLastUsedService": "s3" if known else None,
                    "identity.keyLastUsedRegion": "us-east-1" if known else None})
        for number in range(rng.randint(5, 9)):
            trust = rng.choice(TRUSTS)
            add(account, "role", rng.choice(["workload", "awsService", "ci", "federated"]), f"role-{number}", {
                "identity.trust": trust, "identity.trusts": f"|{trust}|",
                "identity.trustedAccounts": "|999999999999|" if trust == "otherAccount" else None,
                "identity.isServiceLinked": "false"})
    return found
