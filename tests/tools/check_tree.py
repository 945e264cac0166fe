#!/usr/bin/env python3
"""Check what enters the build: licences, sources, banned, doubled and unused crates, and that `lab` changes nothing in the lean agent.

Reads `.deny.toml` and asks cargo (`cargo metadata`, `cargo tree`; no network). Stdlib only. Holds:

- every crate comes from an allowed registry, under an allowed licence;
- no banned crate is in the graph, and no crate has two versions but those `.deny.toml` excuses; an excuse nobody needs is a fault;
- there is exactly one version each of the crates that speak HTTP and TLS, excuses or not;
- the feature `lab` adds crates, but never a feature to a crate of the lean agent;
- every dependency is named in code: by the agent, or, a dev-dependency, by its tests.

Exit code: 0 all hold, 1 a fault (all are printed), 2 cargo could not be asked.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ONE_VERSION = ("h2", "http", "hyper", "reqwest", "rustls", "tokio")
TOKEN = re.compile(r"\s*(\(|\)|[^\s()/]+|/)")
FULL, LEAN = (), ("--no-default-features",)

# How the crates of the lab's engine begin.
ENGINE = ("arrow-", "parquet")

# Features that the lab may add to a crate of the lean agent, and why that changes nothing of the lean agent.
ADDED = {
    # Arrow's. Traits of numbers: more methods and more types that have them, and none that nothing asks for does anything.
    "num-traits": {"i128", "libm"},
}


class Crate(collections.namedtuple("Crate", "name version")):
    """A package of the graph."""

    def __str__(self):
        return "%s %s" % self


def licence_ok(expression, allowed):
    """Whether an SPDX expression can be met by allowed licences alone. `/` is an old way to write OR."""
    tokens, at = [token for token in TOKEN.findall(expression or "")], 0

    def peek():
        return tokens[at] if at < len(tokens) else None

    def take():
        nonlocal at
        at += 1
        return tokens[at - 1]

    def one():
        if peek() is None:
            raise ValueError("licence expression %r ends too early" % expression)
        token = take()
        if token == "(":
            value = either()
            if peek() != ")":
                raise ValueError("licence expression %r: a bracket is not closed" % expression)
            take()
            return value
        if peek() == "WITH":
            take()
            token += " WITH " + take()
        return token in allowed

    def both():
        value = one()
        while peek() == "AND":
            take()
            value = one() and value
        return value

    def either():
        value = both()
        while peek() in ("OR", "/"):
            take()
            value = both() or value
        return value

    value = either()
    if peek() is not None:
        raise ValueError("licence expression %r: %r is not understood" % (expression, peek()))
    return value


def number(version):
    return tuple(int(part) for part in re.findall(r"\d+", version.split("-")[0].split("+")[0]))


def meets(version, wanted):
    """Whether a version meets a requirement: none, `<1`, `=1.2.3`, or `0.10` (cargo's caret)."""
    if not wanted:
        return True
    if wanted.startswith("<"):
        return number(version) < number(wanted[1:])
    if wanted.startswith("="):
        return number(version) == number(wanted[1:])
    need = number(wanted)
    fixed = need[: next((i for i, part in enumerate(need) if part), len(need) - 1) + 1]
    return number(version)[: len(fixed)] == fixed and number(version) >= need


def judge_licences(crates, licences, allowed):
    for crate in sorted(crates):
        try:
            if not licence_ok(licences.get(crate), allowed):
                yield "%s: licence %r is not allowed (allowed: %s)" % (crate, licences.get(crate), ", ".join(sorted(allowed)))
        except ValueError as error:
            yield "%s: %s" % (crate, error)


def judge_sources(crates, sources, allowed):
    for crate in sorted(crates):
        source = sources.get(crate)
        if source is not None and source.removeprefix("registry+") not in allowed:
            yield "%s: comes from %s (allowed: %s)" % (crate, source, ", ".join(allowed))


def judge_bans(crates, bans):
    for crate in sorted(crates):
        for ban in bans.get("deny", ()):
            if crate.name == ban["name"] and meets(crate.version, ban.get("version")):
                yield "%s: banned (%s)" % (crate, ban["reason"])
    versions = collections.defaultdict(set)
    for crate in crates:
        versions[crate.name].add(crate.version)
    excuses = bans.get("skip", ())
    for name, found in sorted(versions.items()):
        left = {v for v in found if not any(e["name"] == name and meets(v, e.get("version")) for e in excuses)}
        if len(left) > 1 or (name in ONE_VERSION and len(found) > 1):
            yield "%s: several versions: %s (one is allowed)" % (name, ", ".join(sorted(found, key=number)))
    for excuse in excuses:
        found = versions.get(excuse["name"], set())
        if len(found) < 2 or not any(meets(version, excuse.get("version")) for version in found):
            yield "%s %s: excused in .deny.toml, but there is one version only: remove the excuse" % (
                excuse["name"], excuse.get("version", ""))


def judge_features(lean, full):
    """`lean` and `full`: crate -> set of feature sets it is built with."""
    for crate in sorted(lean):
        if crate not in full:
            yield "%s: in the lean agent but not in the full one" % (crate,)
            continue
        added = {feature for features in full[crate] for feature in features}
        added -= {feature for features in lean[crate] for feature in features} | ADDED.get(crate.name, set())
        if added:
            yield "%s: the feature `lab` adds %s to a crate of the lean agent" % (crate, ", ".join(sorted(added)))


def judge_engine(lean, full):
    """No crate of the engine is in the lean agent; that the full one has them shows that the right names are looked for."""
    if not any(crate.name.startswith(ENGINE) for crate in full):
        yield "no crate of the engine in the full agent: the check looks for the wrong crates (%s)" % ", ".join(ENGINE)
    for crate in sorted(lean):
        if crate.name.startswith(ENGINE):
            yield "%s: a crate of the engine in the lean agent" % (crate,)


def is_test(path):
    """Whether a source file holds tests alone."""
    return path.startswith("tests/") or "/tests/" in path or path.endswith("tests.rs")


def judge_unused(manifest, sources):
    """`sources`: path -> text of every Rust file. Tests inside a file of the agent count as the agent's."""
    for kind, whose in (("dependencies", "the agent"), ("dev-dependencies", "a test")):
        for name in sorted(manifest.get(kind, ())):
            path = re.compile(r"^(?!\s*//).*(?<![\w:])%s(::|;| as )" % name.replace("-", "_"), re.M)
            users = [file for file, text in sources.items() if path.search(text)]
            if not any(kind == "dev-dependencies" or not is_test(file) for file in users):
                yield "%s: stands under [%s], but %s names it nowhere" % (name, kind, whose)


def rust_files():
    """Every Rust file of the package: path from the root, and text."""
    for top in ("src", "tests"):
        for place, _, names in os.walk(os.path.join(ROOT, top)):
            for name in (name for name in names if name.endswith(".rs")):
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    yield os.path.relpath(os.path.join(place, name), ROOT).replace(os.sep, "/"), file.read()


def read_tree(text):
    """Lines of `cargo tree --prefix none -f '{p}\\t{f}'` as crate -> set of feature sets; the package itself left out."""
    found = collections.defaultdict(set)
    for line in text.splitlines():
        package, _, features = line.partition("\t")
        words = package.split()
        if len(words) < 2 or "(/" in package:
            continue
        found[Crate(words[0], words[1].removeprefix("v"))].add(frozenset(filter(None, features.removesuffix(" (*)").split(","))))
    return dict(found)


def cargo(*arguments):
    result = subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        print("check_tree: cargo %s: %s" % (" ".join(arguments), result.stderr.strip()), file=sys.stderr)
        sys.exit(2)
    return result.stdout


def tree(edges, which, target):
    return read_tree(cargo("tree", "--locked", "-e", edges, "--target", target, "--prefix", "none", "-f", "{p}\t{f}", *which))


def main():
    with open(os.path.join(ROOT, ".deny.toml"), "rb") as file:
        rules = tomllib.load(file)
    platforms = ["--filter-platform=" + target for target in rules["graph"]["targets"]]
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1", *platforms))["packages"]
    licences = {Crate(p["name"], p["version"]): p["license"] for p in packages}
    sources = {Crate(p["name"], p["version"]): p["source"] for p in packages}
    faults, seen = [], set()
    for target in rules["graph"]["targets"]:
        crates = set(tree("normal,build,dev", FULL, target))
        if not crates:
            faults.append("cargo tree names no crate for %s" % target)
        seen |= crates
        lean, full = tree("normal,build", LEAN, target), tree("normal,build", FULL, target)
        faults += ["%s (%s)" % (fault, target) for fault in judge_features(lean, full)]
        faults += ["%s (%s)" % (fault, target) for fault in judge_engine(lean, full)]
        missing = [name for name in ONE_VERSION if name not in {crate.name for crate in lean}]
        faults += ["%s is not in the lean agent (%s): the check looks for the wrong crates" % (n, target) for n in missing]
    faults += judge_licences(seen, licences, set(rules["licenses"]["allow"]))
    faults += judge_sources(seen, sources, rules["sources"]["allow-registry"])
    faults += judge_bans(seen, rules["bans"])
    with open(os.path.join(ROOT, "Cargo.toml"), "rb") as file:
        faults += judge_unused(tomllib.load(file), dict(rust_files()))
    for fault in sorted(set(faults)):
        print("check_tree: %s" % fault, file=sys.stderr)
    print("check_tree: %d crates in the full build with tests, %d in the lean agent, %d faults" % (
        len(seen), len(lean), len(set(faults))))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
