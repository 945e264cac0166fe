#!/usr/bin/env python3
"""Say which records an input holds, and whether the relay's output holds exactly those (stdlib only).

An oracle: it shares no code with the relay and knows CloudTrail only from AWS's documentation and the relay's promises.

  ledger_oracle.py read PATH...                       counts, ids and copies of the input as JSON
  ledger_oracle.py compare --output FILE PATH...      input against NDJSON of `cspm-relay replay --to stdout`
                   [--logs all|matched|none]          which records the relay was told to keep as logs (default: matched)

PATH is a file or a folder: .json, .jsonl, .ndjson, .log, each also with .gz; `-` is standard input. A file holds
{"Records":[...]}, a list of records, records one a line, EventBridge envelopes ("detail"), CloudWatch Logs subscription payloads
("logEvents") or FilterLogEvents entries ("message"). Digest files are skipped and counted.

Exit code: 0 the output is right, 1 it is not (every fault is printed), 2 the input could not be used.
"""
import argparse
import collections
import hashlib
import json
import os
import re
import sys
import zlib

SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")
DECODER = json.JSONDecoder()
SPACE = re.compile(r"[ \t\r\n]*")
KEY_ACCOUNT = re.compile(r".*AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/")
RECORD_FIELDS = ("eventID", "eventId", "eventName", "eventSource", "eventType")


class Unusable(Exception):
    """The input cannot be judged."""


def inflate(data):
    """All members of a gzip file; other bytes as they are."""
    if data[:2] != b"\x1f\x8b":
        return data
    out = []
    while data[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(31)
        out.append(member.decompress(data))
        if not member.eof:
            raise Unusable("gzip data ends too early")
        data = member.unused_data
    return b"".join(out)


def skip(text, at):
    return SPACE.match(text, at).end()


def values(text):
    """Every JSON value of a text of one or many, as (value, start, end)."""
    at = skip(text, 0)
    while at < len(text):
        try:
            value, end = DECODER.raw_decode(text, at)
        except ValueError as error:
            raise Unusable("not JSON at character %d: %s" % (at, error)) from error
        yield value, at, end
        at = skip(text, end)


def items(text, at):
    """The members of the object or list that starts at `at`, as (key or None, value, start, end)."""
    is_object, close = text[at] == "{", {"{": "}", "[": "]"}[text[at]]
    at = skip(text, at + 1)
    while text[at] != close:
        key = None
        if is_object:
            key, at = DECODER.raw_decode(text, at)
            at = skip(text, skip(text, at) + 1)
        value, end = DECODER.raw_decode(text, at)
        yield key, value, at, end
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)


def records(text):
    """Every trail record in a text, as (record, its raw text); (None, raw) for what is not a record."""
    for value, start, end in values(text):
        yield from unwrap(text, value, start, end)


def unwrap(text, value, start, end):
    if isinstance(value, list):
        for _, entry, at, stop in items(text, start):
            yield from unwrap(text, entry, at, stop)
    elif not isinstance(value, dict):
        yield None, text[start:end]
    elif isinstance(value.get("Records"), list):
        for key, _, at, _ in items(text, start):
            if key == "Records":
                for _, entry, begin, stop in items(text, at):
                    yield (entry if isinstance(entry, dict) else None), text[begin:stop]
    elif isinstance(value.get("detail"), dict):
        for key, detail, at, stop in items(text, start):
            if key == "detail":
                yield detail, text[at:stop]
    elif isinstance(value.get("logEvents"), list):
        for entry in value["logEvents"]:
            yield from records(entry["message"])
    elif isinstance(value.get("message"), str) and "eventTime" not in value:
        yield from records(value["message"])
    elif any(field in value for field in RECORD_FIELDS):
        yield value, text[start:end]
    elif value.get("messageType") == "CONTROL_MESSAGE":
        return
    else:
        yield None, text[start:end]


def digest(*parts):
    """128 bits of SHA-256, in hexadecimal; each part is followed by its length as eight bytes."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
        sha.update(len(part).to_bytes(8, "big"))
    return sha.hexdigest()[:32]


def identity(record, raw, key_account):
    """(account, record id) as the relay promises them."""
    account = record.get("recipientAccountId") or record.get("accountId") or key_account or ""
    text = record.get("eventID") or record.get("eventId")
    body = raw.encode("utf-8", "surrogateescape")
    if not text:
        return account, digest(account.encode(), (record.get("awsRegion") or "").encode(), body)
    addendum = record.get("addendum") or {}
    if addendum.get("reason") == "UPDATED_DATA" and addendum.get("originalEventID", text) == text:
        text += "+" + digest(body)[:8]
    return account, text


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    if name.removesuffix(".gz").endswith(SUFFIXES):
                        yield os.path.join(folder, name)
        elif path == "-" or os.path.isfile(path):
            yield path
        else:
            raise Unusable("%s: no such file or folder" % path)


def is_digest(path):
    return "/CloudTrail-Digest/" in path or "_CloudTrail-Digest_" in os.path.basename(path)


def read(paths):
    """What the input holds."""
    found = {"files": 0, "digests": 0, "unreadable": 0, "received": 0, "ids": collections.Counter()}
    for path in files(paths):
        if is_digest(path):
            found["digests"] += 1
            continue
        found["files"] += 1
        match = KEY_ACCOUNT.match(path)
        try:
            if path == "-":
                data = sys.stdin.buffer.read()
            else:
                with open(path, "rb") as file:
                    data = file.read()
            for record, raw in records(inflate(data).decode("utf-8", "surrogateescape")):
                found["received"] += 1
                if record is None:
                    found["unreadable"] += 1
                else:
                    found["ids"][identity(record, raw, match and match.group(1))] += 1
        except (Unusable, zlib.error) as error:
            raise Unusable("%s: %s" % (path, error)) from error
    found["unique"] = len(found["ids"])
    found["duplicates"] = sum(found["ids"].values()) - found["unique"]
    return found


def read_output(path):
    """What the relay printed: (log ids, detection rows)."""
    logs, rows = collections.Counter(), []
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                kind, data = row["kind"], row["data"]
                if kind == "log":
                    logs[log_id(data)] += 1
                elif kind == "event":
                    rows.append(data)
                else:
                    raise ValueError("kind is %r (event or log is allowed)" % kind)
            except (ValueError, KeyError, TypeError) as error:
                raise Unusable("%s line %d: %r" % (path, number, error)) from error
    return logs, rows


def log_id(data):
    attributes = data.get("attributes") or {}
    found = attributes.get("event.id") or data.get("event.id")
    if found:
        return found
    message = data["message"]
    message = json.loads(message) if isinstance(message, str) else message
    found = message.get("eventID") or message.get("eventId")
    if not found:
        raise ValueError("a log without a record id")
    return found


def compare(found, output, logs_mode):
    """Every way in which the output is not what the input asks for, as text."""
    logs, rows = output
    known = collections.Counter(text for _, text in found["ids"])
    faults = []

    def fault(what, ids):
        ids = sorted(ids)
        if ids:
            faults.append("%d %s: %s%s" % (len(ids), what, ", ".join(ids[:5]), ", …" if len(ids) > 5 else ""))

    detections = [row for row in rows if row.get("eventType") == "AwsSecurityEvent"]
    detected = {row.get("event.id", "") for row in detections}
    fault("records in the output that the input does not hold", (set(logs) | detected) - set(known))
    fault("records sent as a log more than once", (text for text, n in logs.items() if n > max(1, known[text])))
    times = collections.Counter(str(row.get("detection.id")) for row in detections)
    fault("detections sent more than once", (text for text, n in times.items() if n > 1))
    primary = collections.Counter(row.get("event.id", "") for row in detections if row.get("detection.primary") == "true")
    fault("detected records without exactly one primary detection",
          (text for text in detected if not 1 <= primary[text] <= max(1, known[text])))
    if logs_mode == "all":
        fault("records of the input that are not in the output", (text for text, n in known.items() if logs[text] < n))
    elif logs_mode == "matched":
        fault("detected records without a log", detected - set(logs))
        fault("logs of records without a detection", set(logs) - detected)
    elif logs:
        fault("logs although none were asked for", set(logs))
    return faults


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("read", "compare"):
        command = commands.add_parser(name)
        command.add_argument("paths", nargs="+")
        if name == "compare":
            command.add_argument("--output", required=True)
            command.add_argument("--logs", choices=["all", "matched", "none"], default="matched")
    options = parser.parse_args(argv)
    try:
        found = read(options.paths)
        if not found["received"]:
            raise Unusable("no record in the input: nothing to judge")
        summary = {key: found[key] for key in ("files", "digests", "received", "unique", "duplicates", "unreadable")}
        if options.command == "read":
            summary["ids"] = sorted(text for _, text in found["ids"])
            json.dump(summary, sys.stdout, indent=1)
            print()
            return 0
        output = read_output(options.output)
        faults = compare(found, output, options.logs)
    except (Unusable, OSError) as error:
        print("ledger_oracle: %s" % error, file=sys.stderr)
        return 2
    summary.update(logs=sum(output[0].values()), events=len(output[1]), faults=faults)
    print(json.dumps(summary, ensure_ascii=False))
    for text in faults:
        print("ledger_oracle: %s" % text, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
