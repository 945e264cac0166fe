#!/usr/bin/env python3
"""Tests of check_tree.py: each rule must be able to refuse."""
import unittest

from check_tree import (Crate, judge_bans, judge_engine, judge_features, judge_licences, judge_sources, judge_unused, licence_ok, meets,
                        read_tree)

INDEX = "https://github.com/rust-lang/crates.io-index"
SERDE = Crate("serde", "1.0.1")


class Judge(unittest.TestCase):
    def test_licence_expressions(self):
        allowed = {"MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"}
        for expression, good in {
            "MIT": True, "GPL-3.0-only": False, "MIT OR GPL-3.0-only": True, "MIT AND GPL-3.0-only": False,
            "GPL-3.0-only/MIT": True, "Apache-2.0 / GPL-3.0-only": True, "GPL-3.0-only OR MIT AND ISC": True,
            "(GPL-3.0-only OR MIT) AND ISC": True, "ISC AND (GPL-3.0-only OR AGPL-3.0)": False,
            "Apache-2.0 WITH LLVM-exception": True, "MIT WITH LLVM-exception": False,
        }.items():
            with self.subTest(expression):
                self.assertEqual(licence_ok(expression, allowed), good)
        for expression in ("", None, "MIT OR", "(MIT", "MIT ISC"):
            with self.subTest(str(expression)), self.assertRaises(ValueError):
                licence_ok(expression, allowed)
        self.assertEqual(len(list(judge_licences({SERDE}, {SERDE: "GPL-3.0-only"}, allowed))), 1)
        self.assertEqual(len(list(judge_licences({SERDE}, {}, allowed))), 1, "no licence is no permission")
        self.assertEqual(list(judge_licences({SERDE}, {SERDE: "MIT"}, allowed)), [])

    def test_sources(self):
        self.assertEqual(list(judge_sources({SERDE}, {SERDE: "registry+" + INDEX}, [INDEX])), [])
        for source in ("git+https://github.com/serde-rs/serde#1", "registry+https://example.invalid/index"):
            self.assertIn(source, list(judge_sources({SERDE}, {SERDE: source}, [INDEX]))[0])

    def test_versions(self):
        for version, wanted, good in [
            ("0.14.3", "<1", True), ("1.0.0", "<1", False), ("0.10.7", "0.10", True), ("0.11.0", "0.10", False),
            ("2.9.0", "2", True), ("3.0.0", "2", False), ("1.2.3", "=1.2.3", True), ("1.2.4", "=1.2.3", False), ("9.9.9", None, True),
        ]:
            with self.subTest("%s %s" % (version, wanted)):
                self.assertEqual(meets(version, wanted), good)

    def test_bans(self):
        deny = {"deny": [{"name": "hyper", "version": "<1", "reason": "old"}, {"name": "ring", "reason": "no"}]}
        self.assertEqual(list(judge_bans({Crate("hyper", "1.12.0")}, deny)), [])
        self.assertEqual(list(judge_bans({Crate("hyper", "0.14.32")}, deny)), ["hyper 0.14.32: banned (old)"])
        self.assertEqual(list(judge_bans({Crate("ring", "0.17.0")}, deny)), ["ring 0.17.0: banned (no)"])

    def test_doubled_crates_and_their_excuses(self):
        two = {Crate("syn", "2.0.1"), Crate("syn", "3.0.1")}
        self.assertIn("several versions: 2.0.1, 3.0.1", list(judge_bans(two, {}))[0])
        excuse = {"skip": [{"name": "syn", "version": "2"}]}
        self.assertEqual(list(judge_bans(two, excuse)), [])
        self.assertEqual(len(list(judge_bans(two | {Crate("syn", "1.0.0")}, excuse))), 1)
        self.assertIn("remove the excuse", list(judge_bans({Crate("syn", "3.0.1")}, excuse))[0])
        http = {Crate("hyper", "1.0.0"), Crate("hyper", "2.0.0")}
        self.assertEqual(len(list(judge_bans(http, {"skip": [{"name": "hyper", "version": "1"}]}))), 1, "never excused")

    def test_the_engine_stays_out_of_the_lean_agent(self):
        arrow = Crate("arrow-array", "60.1.0")
        self.assertEqual(list(judge_engine({SERDE}, {SERDE, arrow})), [])
        self.assertIn("in the lean agent", list(judge_engine({SERDE, arrow}, {SERDE, arrow}))[0])
        self.assertIn("wrong crates", list(judge_engine({SERDE}, {SERDE}))[0])

    def test_features_that_may_be_added(self):
        traits = Crate("num-traits", "0.2.19")
        self.assertEqual(list(judge_features({traits: {frozenset()}}, {traits: {frozenset({"libm"})}})), [])
        self.assertEqual(len(list(judge_features({traits: {frozenset()}}, {traits: {frozenset({"rand"})}}))), 1)

    def test_dependencies_nobody_names(self):
        manifest = {"dependencies": {"serde": "1", "aws-config": "1"}, "dev-dependencies": {"insta": "1"}}
        used = {"src/a.rs": "use serde::Serialize;\n    aws_config::load();\n", "tests/it/b.rs": "insta::assert_snapshot!();"}
        self.assertEqual(list(judge_unused(manifest, used)), [])
        self.assertEqual(list(judge_unused(manifest, {**used, "src/a.rs": "use aws_config as aws;\nextern crate serde;"})), [])
        for name, text in [("a comment", "  // serde::Serialize"), ("a module", "use crate::serde::X;"), ("a longer name", "my_serde::x")]:
            with self.subTest(name):
                faults = list(judge_unused(manifest, {**used, "src/a.rs": "use aws_config::X;\n" + text}))
                self.assertEqual(faults, ["serde: stands under [dependencies], but the agent names it nowhere"])
        moved = {**used, "src/a.rs": "use aws_config::X;", "src/a/tests.rs": "use serde::Serialize;"}
        self.assertEqual(len(list(judge_unused(manifest, moved))), 1, "tests alone need a dev-dependency")
        self.assertEqual(len(list(judge_unused(manifest, {**used, "tests/it/b.rs": ""}))), 1)

    def test_features(self):
        lean = {SERDE: {frozenset({"std"})}}
        self.assertEqual(list(judge_features(lean, {**lean, Crate("arrow", "60.0.0"): {frozenset({"x"})}})), [])
        self.assertIn("adds rc to", list(judge_features(lean, {SERDE: {frozenset({"std", "rc"})}}))[0])
        self.assertIn("not in the full", list(judge_features(lean, {}))[0])

    def test_tree_lines(self):
        text = "cspm-relay v0.1.0 (/src)\tdefault,lab\nserde v1.0.1\tderive,std\nserde v1.0.1\tderive,std (*)\nsyn v2.0.1 (proc-macro)\t\n"
        self.assertEqual(read_tree(text), {SERDE: {frozenset({"derive", "std"})}, Crate("syn", "2.0.1"): {frozenset()}})


if __name__ == "__main__":
    unittest.main()
