#!/usr/bin/env python3
"""Tests of the tools in this folder: `python3 -m unittest discover -s tests/tools`."""
import collections
import contextlib
import csv
import gzip
import io
import json
import os
import tempfile
import unittest

import gen_cloudtrail
import gen_posture
import ledger_oracle

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "fixtures", "cloudtrail")
A, B = "111122223333", "444455556666"


def record(number, account=A, **more):
    return {"eventTime": "2026-06-01T00:00:00Z", "eventID": "id-%d" % number, "eventName": "X",
            "awsRegion": "eu-west-1", "recipientAccountId": account, **more}


def event(number, rule="r", primary="true"):
    return {"kind": "event", "data": {"eventType": "AwsSecurityEvent", "event.id": "id-%d" % number,
                                      "detection.id": "id-%d/%s" % (number, rule), "detection.primary": primary}}


def log(number):
    return {"kind": "log", "data": {"attributes": {"event.id": "id-%d" % number}, "message": {}}}


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run_tool(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = ledger_oracle.main(list(arguments))
        return code, out.getvalue(), err.getvalue()


class Read(Folder):
    def test_every_form_of_input_gives_the_same_ids(self):
        rows = [record(1), record(2), record(2), record(3, B)]
        dump = json.dumps
        forms = {
            "records.json": dump({"Records": rows}),
            "pretty.json": dump({"Records": rows}, indent=2),
            "list.json": dump(rows),
            "lines.jsonl": "\n".join(map(dump, rows)),
            "packed.json.gz": gzip.compress(dump({"Records": rows}).encode()),
            "members.json.gz": gzip.compress(dump({"Records": rows[:2]}).encode())
            + gzip.compress(dump({"Records": rows[2:]}).encode()),
            "bus.jsonl": "\n".join(dump({"detail-type": "AWS API Call via CloudTrail", "detail": row}) for row in rows),
            "subscription.json": dump({"messageType": "DATA_MESSAGE", "logEvents": [{"message": dump(r)} for r in rows]}),
            "filter.jsonl": "\n".join(dump({"eventId": "7", "message": dump(row)}) for row in rows),
        }
        for name, data in forms.items():
            with self.subTest(name):
                found = ledger_oracle.read([self.write(name, data)])
                self.assertEqual(found["ids"], {(A, "id-1"): 1, (A, "id-2"): 2, (B, "id-3"): 1})
                self.assertEqual((found["received"], found["unique"], found["duplicates"]), (4, 3, 1))

    def test_a_record_without_an_id_is_named_by_account_region_and_bytes(self):
        def ids(row, **how):
            return set(ledger_oracle.read([self.write("x.json", json.dumps({"Records": [row]}, **how))])["ids"])

        row = {key: value for key, value in record(1).items() if key != "eventID"}
        self.assertEqual(ids(row), ids(row))
        self.assertNotEqual(ids(row), ids({**row, "eventName": "Y"}))
        self.assertNotEqual(ids(row), ids(row, separators=(",", ":")), "raw bytes, not their meaning")
        self.assertRegex(ids(row).pop()[1], "^[0-9a-f]{32}$")

    def test_an_updated_record_that_keeps_its_id_is_a_new_one(self):
        rows = [record(1), record(1, addendum={"reason": "UPDATED_DATA", "originalEventID": "id-1"}),
                record(1, addendum={"reason": "DELIVERY_DELAY"})]
        found = ledger_oracle.read([self.write("x.json", json.dumps({"Records": rows}))])
        self.assertEqual(sorted(found["ids"].values()), [1, 2])

    def test_digests_are_skipped_and_what_is_no_record_is_counted(self):
        self.write("AWSLogs/%s/CloudTrail-Digest/eu-west-1/d.json.gz" % A, gzip.compress(b"{}"))
        self.write("AWSLogs/%s/CloudTrail/x.json" % A, '{"Records":[7,{"eventName":"X"}]}')
        found = ledger_oracle.read([self.folder])
        self.assertEqual((found["digests"], found["files"], found["unreadable"], found["received"]), (1, 1, 1, 2))
        self.assertEqual([account for account, _ in found["ids"]], [A], "account from the key")

    def test_broken_input_is_an_error_with_its_name(self):
        for name, data in {"cut.json": '{"Records":[', "cut.json.gz": gzip.compress(b"[]")[:-9]}.items():
            with self.subTest(name):
                code, _, err = self.run_tool("read", self.write(name, data))
                self.assertEqual(code, 2)
                self.assertIn(name, err)
        self.assertEqual(self.run_tool("read", os.path.join(self.folder, "absent"))[0], 2)
        self.assertEqual(self.run_tool("read", self.write("empty.json", '{"Records":[]}'))[0], 2, "nothing to judge")


class Compare(Folder):
    def judge(self, output, mode="matched"):
        given = self.write("in/x.json", json.dumps({"Records": [record(1), record(2), record(2), record(3)]}))
        printed = self.write("out.ndjson", "\n".join(map(json.dumps, output)))
        return self.run_tool("compare", "--logs", mode, "--output", printed, given)

    def test_right_output_passes(self):
        for mode, output in {
            "matched": [event(1), event(1, "s", "false"), log(1)],
            "all": [log(1), event(2), log(2), log(3)],
            "none": [event(3)],
        }.items():
            with self.subTest(mode):
                code, out, err = self.judge(output, mode)
                self.assertEqual((code, err), (0, ""))
                self.assertEqual(json.loads(out)["duplicates"], 1)

    def test_a_message_names_the_record_when_no_attribute_does(self):
        for message in ({"eventID": "id-1"}, json.dumps({"eventID": "id-1"})):
            output = [event(1), {"kind": "log", "data": {"message": message}}]
            self.assertEqual(self.judge(output)[0], 0)

    def test_every_fault_is_found(self):
        for name, mode, output, text in [
            ("lost", "all", [log(1), log(2)], "that are not in the output: id-3"),
            ("doubled log", "all", [log(1), log(2), log(2), log(3)], "as a log more than once: id-2"),
            ("doubled detection", "none", [event(1), event(1)], "detections sent more than once: id-1/r"),
            ("invented", "matched", [event(9), log(9)], "input does not hold: id-9"),
            ("no primary", "none", [event(1, primary="false")], "without exactly one primary detection: id-1"),
            ("two primaries", "none", [event(1), event(1, "s")], "without exactly one primary detection: id-1"),
            ("log missing", "matched", [event(1)], "detected records without a log: id-1"),
            ("log too many", "matched", [log(1)], "logs of records without a detection: id-1"),
            ("unwanted log", "none", [log(1)], "although none were asked for: id-1"),
        ]:
            with self.subTest(name):
                code, _, err = self.judge(output, mode)
                self.assertEqual(code, 1)
                self.assertIn(text, err)

    def test_output_that_cannot_be_judged_is_no_pass(self):
        for output in ([{"kind": "metric", "data": {}}], [{"data": {}}], [{"kind": "log", "data": {"message": {}}}]):
            with self.subTest(str(output)):
                self.assertEqual(self.judge(output)[0], 2)


class Generate(Folder):
    def generate(self, *more):
        with contextlib.redirect_stdout(io.StringIO()):
            gen_cloudtrail.main(["--out", self.folder, "--records", "600", "--days", "2", "--accounts", "3", *more])
        with open(os.path.join(self.folder, "truth.json"), encoding="utf-8") as file:
            return json.load(file)

    def test_the_oracle_counts_what_the_generator_says(self):
        for form in ("s3", "jsonl", "cwlogs", "events"):
            with self.subTest(form):
                Folder.setUp(self)
                truth = self.generate("--format", form, "--duplicates", "0.1", "--extras")
                os.remove(os.path.join(self.folder, "truth.json"))
                found = ledger_oracle.read([self.folder])
                self.assertEqual(found["received"], truth["delivered"])
                self.assertEqual(found["duplicates"], truth["duplicates"])
                self.assertEqual(found["unique"], truth["unique"] + truth["insights"])
                self.assertGreater(truth["duplicates"], 10)
                named = {text for incident in truth["incidents"] for text in incident["event_ids"]}
                self.assertLessEqual(named, {text for _, text in found["ids"]})

    def test_the_same_arguments_give_the_same_bytes(self):
        def tree():
            found = {}
            for folder, _, names in os.walk(self.folder):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        found[os.path.relpath(os.path.join(folder, name), self.folder)] = file.read()
            return found

        self.generate()
        first = tree()
        Folder.setUp(self)
        self.generate()
        self.assertEqual(first, tree())


class Posture(Folder):
    STREAMS = ("config", "securityhub", "guardduty", "inspector", "macie", "accessanalyzer")

    def generate(self, *more):
        with contextlib.redirect_stdout(io.StringIO()):
            gen_posture.main(["--out", self.folder, "--accounts", "2", "--rules", "15", "--resources", "4", "--days", "20", *more])

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return [json.loads(line) for line in file] if name.endswith(".jsonl") else json.load(file)

    def events(self, stream):
        """Each event once, oldest first, whatever the order of delivery."""
        once = {event["id"]: event for event in self.read(stream + ".jsonl")}.values()
        return sorted(once, key=lambda event: (event["time"], event["id"]))

    def test_the_truth_is_what_the_events_add_up_to(self):
        self.generate("--duplicates", "0.1", "--shuffle", "30")
        truth = self.read("truth.json")
        for stream in self.STREAMS:
            self.assertEqual(len(self.read(stream + ".jsonl")), truth[stream]["delivered"], stream)
            self.assertEqual(len(self.events(stream)), truth[stream]["events"], stream)
        self.assertGreater(truth["config"]["delivered"], truth["config"]["events"] + 10)

        states = {}
        for event in self.events("config"):
            detail = event["detail"]
            pair = (detail["awsAccountId"], detail["awsRegion"], detail["configRuleName"], detail["resourceId"])
            old = detail.get("oldEvaluationResult", {}).get("complianceType")
            self.assertEqual(states.get(pair), old, "a change begins where the last one ended")
            states[pair] = detail["newEvaluationResult"]["complianceType"]
        states = {pair: state for pair, state in states.items() if state != "NOT_APPLICABLE"}
        counts = collections.Counter((account, state) for (account, *_), state in states.items())
        for account, want in truth["end_by_account"].items():
            self.assertEqual((counts[account, "COMPLIANT"], counts[account, "NON_COMPLIANT"]), tuple(want.values()))
        self.assertEqual(list(truth["by_day"].values())[-1]["non_compliant"], list(states.values()).count("NON_COMPLIANT"))

        answered = {}
        for account, regions in self.read("config-api.json").items():
            for region, box in regions.items():
                for name, results in box["EvaluationResults"].items():
                    for result in results:
                        resource = result["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]
                        answered[account, region, name, resource] = result["ComplianceType"]
        self.assertEqual(answered, states)

        findings = {}
        for event in self.events("securityhub"):
            finding, = event["detail"]["findings"]
            findings[finding["Id"]] = finding["Compliance"]["Status"]
        self.assertEqual(collections.Counter(findings.values()), truth["securityhub"]["by_status"])
        self.assertEqual(len({event["detail"]["id"] for event in self.events("guardduty")}), truth["guardduty"]["findings"])

    def test_the_same_arguments_give_the_same_bytes(self):
        def tree():
            found = {}
            for name in os.listdir(self.folder):
                with open(os.path.join(self.folder, name), "rb") as file:
                    found[name] = file.read()
            return found

        self.generate()
        first = tree()
        Folder.setUp(self)
        self.generate()
        self.assertEqual(first, tree())
        self.assertEqual(len(first), len(self.STREAMS) + 2)


class Fixtures(unittest.TestCase):
    def test_the_index_says_what_is_there(self):
        with open(os.path.join(FIXTURES, "index.csv"), encoding="utf-8", newline="") as file:
            index = {row["path"]: row for row in csv.DictReader(file)}
        there = {os.path.relpath(path, FIXTURES): path for path in ledger_oracle.files([os.path.join(FIXTURES, "AWSLogs")])}
        self.assertEqual(set(index), set(there))
        packed, found = 0, ledger_oracle.read([os.path.join(FIXTURES, "AWSLogs")])
        for path, row in index.items():
            self.assertEqual(ledger_oracle.read([there[path]])["received"], int(row["records"]), path)
            self.assertEqual(os.path.getsize(there[path]), int(row["gz_bytes"]), path)
            packed += int(row["gz_bytes"])
        self.assertLessEqual(packed, 350_000)
        self.assertEqual((found["duplicates"], found["unreadable"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
