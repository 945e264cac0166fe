#!/usr/bin/env python3
"""Terraform's language from standard input as JSON on standard output, by a parser that is not ours (python-hcl2).

  hcl_to_json.py <conditions.tf       {"<type>": {"<name>": {"<attribute>": value, "<block>": [{...}]}}}

Texts are what Terraform reads of them: without quotes, with escapes undone. Exit code: 0 parsed, 1 no HCL.
"""
import json
import re
import sys

import hcl2

ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|\$\$(?=\{)|%%(?=\{)', re.DOTALL)
LETTERS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def text(quoted):
    """What a quoted text says, by the rules of HCL."""
    def undone(match):
        if match.group(1) is None:
            return match.group(0)[0]
        return LETTERS.get(match.group(1)) or chr(int(match.group(1)[1:], 16))
    return ESCAPE.sub(undone, quoted[1:-1])


def plain(value):
    """The same without quotes and without the parser's own marks."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return text(value)
    return value


def main():
    try:
        parsed = plain(hcl2.loads(sys.stdin.read()))
    except Exception as error:  # whatever the parser raises: it is no HCL
        sys.exit("no HCL: %s" % error)
    resources = {}
    for block in parsed.get("resource", []):
        for kind, named in block.items():
            of_kind = resources.setdefault(kind, {})
            for name, body in named.items():
                if name in of_kind:
                    sys.exit("two resources %s.%s" % (kind, name))
                of_kind[name] = body
    json.dump(resources, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
