#!/usr/bin/env python3
"""Check that the built-in rules look for calls that AWS really has (stdlib only).

A misspelt event name never matches and nothing tells. So every (eventSource, eventName) without wildcard in
src/classify/rules must name an operation of tests/fixtures/aws/operations.txt, or stand in EVENTS below with the reason why it is
none. The samples in the rule files are not looked at: their near misses may be made up.

  check_calls.py                      check; with --pairs also print every pair
  check_calls.py --write BOTOCORE     write operations.txt anew from a folder of botocore (the one that holds `data`)

How names and sources of a rule belong together: a part of the detection that has both is taken alone; names in a part without a
source belong to the sources of the other parts; names in a rule without any source may belong to any service. A name must be real
at one of its sources, and each source must have one of the names.

Exit code: 0 all hold, 1 a fault (all are printed), 2 a file could not be read.
"""
import argparse
import gzip
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "src", "classify", "rules")
OPERATIONS = os.path.join(ROOT, "tests", "fixtures", "aws", "operations.txt")
TAIL = ".amazonaws.com"

# Event sources whose models in botocore have another endpoint prefix, or are several.
MODELS = {
    "bedrock": ("bedrock", "bedrock-runtime"),
    "detective": ("detective",),
    "ecr": ("ecr",),
    "s3": ("s3", "s3control"),
    "sagemaker": ("sagemaker",),
    "ses": ("ses", "sesv2"),
    "sso": ("sso-admin",),
}

# What CloudTrail records although no public model has an operation of that name, and why.
S3 = "CloudTrail's name for {} of S3"
PORTAL = "made by the console or portal of Identity Center; in the Service Authorization Reference, in no public model"
SIGN_IN = "an event of AWS sign-in, no API call"
SHELL = "made by the console; CloudShell has no public API"
EVENTS = {
    ("bedrock", "PutFoundationModelEntitlement"): "made by the console of Bedrock; in the Service Authorization Reference",
    ("cloudshell", "CreateEnvironment"): SHELL,
    ("cloudshell", "CreateSession"): SHELL,
    ("organizations", "AccountDepartedOrganization"): "an event of the service in the management account, no API call",
    ("s3", "DeleteAccountPublicAccessBlock"): S3.format("DeletePublicAccessBlock (account)"),
    ("s3", "DeleteBucketPublicAccessBlock"): S3.format("DeletePublicAccessBlock (bucket)"),
    ("s3", "PutAccountPublicAccessBlock"): S3.format("PutPublicAccessBlock (account)"),
    ("s3", "PutBucketObjectLockConfiguration"): S3.format("PutObjectLockConfiguration"),
    ("s3", "PutBucketPublicAccessBlock"): S3.format("PutPublicAccessBlock (bucket)"),
    ("signin", "ConsoleLogin"): SIGN_IN,
    ("signin", "EmailUpdated"): SIGN_IN,
    ("signin", "GetSigninToken"): "asked at the federation endpoint of AWS sign-in, no API call",
    ("signin", "PasswordRecoveryCompleted"): SIGN_IN,
    ("signin", "PasswordRecoveryRequested"): SIGN_IN,
    ("signin", "PasswordUpdated"): SIGN_IN,
    ("sso", "AssociateDirectory"): PORTAL,
    ("sso", "DisassociateDirectory"): PORTAL,
    ("sso", "PutMfaDeviceManagementForDirectory"): PORTAL,
    ("sso", "UpdateSsoConfiguration"): PORTAL,
    ("sso-directory", "AddMemberToGroup"): PORTAL,
    ("sso-directory", "CreateExternalIdPConfigurationForDirectory"): PORTAL,
    ("sso-directory", "CreateUser"): PORTAL,
    ("sso-directory", "DeleteMfaDeviceForUser"): PORTAL,
    ("sso-directory", "DisableExternalIdPConfigurationForDirectory"): PORTAL,
    ("sso-directory", "EnableExternalIdPConfigurationForDirectory"): PORTAL,
    ("sso-directory", "ImportExternalIdPCertificate"): PORTAL,
    ("sso-directory", "UpdateExternalIdPConfigurationForDirectory"): PORTAL,
}

ENTRY = re.compile(r"^(?P<indent> *)(?P<item>- )?(?P<key>'[^']*'|[^\s:'#-][^:]*):(?: (?P<value>.*))?$")


def detection(lines):
    """The lines of the detection, each with its number from 1."""
    inside = False
    for number, line in enumerate(lines, 1):
        if re.match(r"\S", line):
            inside = line.startswith("detection:")
        elif inside and line.strip():
            yield number, line


def values(first, following):
    """The values of a key: behind it, in brackets over several lines, or as a list below it."""
    text = (first or "").strip()
    if not text or text.startswith("["):
        for line in following:
            if text.endswith("]"):
                break
            bare = line.strip()
            if text.startswith("[") or bare.startswith("["):
                text += " " + bare
            elif bare.startswith("- "):
                text += ("," if text else "") + bare[2:]
            else:
                break
    parts = text.strip().strip("[]").split(",")
    return [part.strip().strip("'\"") for part in parts if part.strip()]


def parts(path):
    """Each part of a rule's detection: (line, sources, names, beginnings of names)."""
    with open(path, encoding="utf-8") as file:
        lines = list(detection(file.read().split("\n")))
    found, part = [], None
    for at, (number, line) in enumerate(lines):
        entry = ENTRY.match(line)
        if not entry:
            continue
        if len(entry["indent"]) == 2 and not entry["item"]:
            part = {"line": number, "sources": [], "names": [], "beginnings": []}
            found.append(part)
        if part is None:
            continue
        field, _, modifier = entry["key"].partition("|")
        kind = {"eventSource": "sources", "eventName": "names"}.get(field)
        if kind and modifier in ("", "cased"):
            part[kind] += values(entry["value"], [text for _, text in lines[at + 1:]])
        elif field == "eventName" and modifier == "startswith":
            part["beginnings"] += values(entry["value"], [text for _, text in lines[at + 1:]])
    return [part for part in found if any(part[key] for key in ("sources", "names", "beginnings"))]


def read_operations():
    """event source -> names."""
    found, names = {}, None
    with open(OPERATIONS, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("["):
                names = found.setdefault(line.strip("[]"), set())
            elif line and not line.startswith("#"):
                names.add(line)
    return found


def check(known, show):
    """Every fault as `file:line: what`."""
    faults, used, pairs = [], set(), set()
    known = {source: set(names) for source, names in known.items()}
    anywhere = set().union(*known.values())
    for folder, _, files in sorted(os.walk(RULES)):
        for name in sorted(files):
            if not name.endswith(".yml"):
                continue
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, ROOT)
            every = parts(path)
            shared = [source for part in every for source in part["sources"] if not part["names"] and not part["beginnings"]]
            for part in every:
                where = f"{shown}:{part['line']}"
                sources = part["sources"] or shared
                if not part["names"] and not part["beginnings"]:
                    continue
                if not sources:
                    for call in part["names"]:
                        if call not in anywhere:
                            faults.append(f"{where}: {call} is no operation of any service here")
                    continue
                real = {source: 0 for source in sources}
                for call, begins in [(call, False) for call in part["names"]] + [(call, True) for call in part["beginnings"]]:
                    at = []
                    for source in sources:
                        short = source.removesuffix(TAIL)
                        if (short, call) in EVENTS:
                            used.add((short, call))
                            at.append(source)
                        elif begins and any(one.startswith(re.sub(r"\d+$", "", call)) for one in known.get(source, ())):
                            at.append(source)
                        elif not begins and ("*" in call or call in known.get(source, ())):
                            at.append(source)
                    if not at:
                        faults.append(f"{where}: {call} is no operation of {' or '.join(sources)}")
                    for source in at:
                        real[source] += 1
                        pairs.add((source, call + "*" if begins else call))
                faults += [f"{where}: {source} has none of the names" for source, count in real.items() if not count]
    for event in sorted(set(EVENTS) - used):
        faults.append(f"tests/tools/check_calls.py: EVENTS holds {event}, which no rule looks for")
    if show:
        for source, call in sorted(pairs):
            print(source, call)
    return faults, len(pairs)


def sources_of_rules():
    found = set()
    for folder, _, files in os.walk(RULES):
        for name in files:
            if name.endswith(".yml"):
                found.update(source for part in parts(os.path.join(folder, name)) for source in part["sources"])
    return sorted(found)


def write(botocore):
    """operations.txt, from the models of botocore: only the services that rules look at."""
    data, models = os.path.join(botocore, "data"), {}
    for service in sorted(os.listdir(data)):
        folder = os.path.join(data, service)
        versions = sorted(version for version in os.listdir(folder) if re.match(r"\d{4}-", version)) if os.path.isdir(folder) else []
        path = os.path.join(folder, versions[-1], "service-2.json.gz") if versions else ""
        if os.path.exists(path):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                model = json.load(file)
            models[service] = (model["metadata"]["endpointPrefix"], list(model["operations"]))
    out = ["# Operations of AWS services by CloudTrail event source; see README.md beside this file."]
    for source in sources_of_rules():
        short = source.removesuffix(TAIL)
        chosen = MODELS.get(short) or [service for service, (prefix, _) in models.items() if prefix == short]
        names = sorted({name for service in chosen for name in models[service][1]})
        if names:
            out += ["", f"[{source}]", *names]
    os.makedirs(os.path.dirname(OPERATIONS), exist_ok=True)
    with open(OPERATIONS, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--write", metavar="BOTOCORE", help="write operations.txt anew from this folder of botocore")
    options.add_argument("--pairs", action="store_true", help="print every pair of source and name")
    chosen = options.parse_args()
    try:
        if chosen.write:
            write(chosen.write)
        faults, count = check(read_operations(), chosen.pairs)
    except OSError as error:
        print(f"check_calls: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{count} pairs of source and name, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
