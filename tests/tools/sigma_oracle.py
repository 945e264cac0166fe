#!/usr/bin/env python3
"""Say which records each Sigma rule of a folder matches: a plain reader that shares no code with the agent.

  python3 -m venv venv && venv/bin/pip install pysigma==2.0.1
  venv/bin/python tests/tools/sigma_oracle.py tests/fixtures/sigma tests/fixtures/cloudtrail > tests/fixtures/sigma/expected.csv

pySigma reads the rules; the walk over its parsed conditions is here, one record and one rule at a time. It knows what the rules of
`tests/fixtures/sigma` use and stops at anything else. A placeholder without values matches nothing. No test runs it: the CSV that
it wrote is what the tests hold the agent to.
"""
import argparse
import gzip
import json
import os
import re
import sys

from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import (Placeholder, SigmaBool, SigmaFieldReference, SigmaNull, SigmaNumber, SigmaRegularExpression,
                         SigmaString, SpecialChars)


def values(node, path):
    """Every value at a dotted path; any element of an array may be the one."""
    if isinstance(node, list):
        return [found for element in node for found in values(element, path)]
    if not path:
        return [node]
    return values(node[path[0]], path[1:]) if isinstance(node, dict) and path[0] in node else []


def text(value):
    """A value as the text that a rule is compared with: JSON for what is no text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pattern(wanted):
    """A Sigma string as a regular expression over the whole value, in any case."""
    parts = []
    for part in wanted.s:
        if isinstance(part, Placeholder):
            return None
        parts.append({SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}.get(part) or re.escape(part))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def holds(item, record):
    """Whether one test of one field holds."""
    found = [value for value in values(record, item.field.split(".")) if value is not None]
    wanted = item.value
    if isinstance(wanted, SigmaNull):
        return not found
    if isinstance(wanted, SigmaFieldReference):
        others = [text(value).lower() for value in values(record, wanted.field.split(".")) if value is not None]
        return any(text(value).lower() in others for value in found)
    if isinstance(wanted, SigmaRegularExpression):
        return any(re.search(str(wanted.regexp), text(value)) for value in found)
    if isinstance(wanted, (SigmaNumber, SigmaBool)):
        return any(text(value).lower() == str(wanted).lower() for value in found)
    if isinstance(wanted, SigmaString):
        whole = pattern(wanted)
        return whole is not None and any(whole.fullmatch(text(value)) for value in found)
    raise NotImplementedError("%s: %r" % (item.field, wanted))


def matches(condition, record):
    """Whether a parsed condition holds."""
    if isinstance(condition, ConditionAND):
        return all(matches(part, record) for part in condition.args)
    if isinstance(condition, ConditionOR):
        return any(matches(part, record) for part in condition.args)
    if isinstance(condition, ConditionNOT):
        return not matches(condition.args[0], record)
    if isinstance(condition, ConditionFieldEqualsValueExpression):
        return holds(condition, record)
    raise NotImplementedError(type(condition).__name__)


def records(folder):
    """Every record below a folder of a trail's objects."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".json.gz"):
                with gzip.open(os.path.join(place, name), "rt", encoding="utf-8") as file:
                    yield from json.load(file)["Records"]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", help="folder of rule files")
    parser.add_argument("records", help="folder of a trail's objects")
    args = parser.parse_args(arguments)
    found = list(records(args.records))
    print("rule_id,file,matches,event_ids")
    pairs = 0
    for name in sorted(name for name in os.listdir(args.rules) if name.endswith(".yml")):
        with open(os.path.join(args.rules, name), encoding="utf-8") as file:
            rule, = SigmaCollection.from_yaml(file.read()).rules
        conditions = [condition.parsed for condition in rule.detection.parsed_condition]
        ids = sorted(record["eventID"] for record in found if any(matches(one, record) for one in conditions))
        pairs += len(ids)
        print("%s,%s,%d,%s" % (rule.id, name, len(ids), ";".join(ids)))
    print("%d records, %d matches" % (len(found), pairs), file=sys.stderr)


if __name__ == "__main__":
    main()
