"""The built-in rules look for calls that AWS really has, and a misspelt one is found."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = os.path.join(HERE, "check_calls.py")
ROOT = os.path.dirname(os.path.dirname(HERE))


def check(script, *arguments):
    return subprocess.run([sys.executable, "-W", "error", script, *arguments], capture_output=True, text=True, check=False)


class Calls(unittest.TestCase):
    def test_every_rule_names_real_calls_and_enough_of_them(self):
        ended = check(CHECK, "--pairs")
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        pairs = int(ended.stdout.strip().splitlines()[-1].split()[0])
        self.assertGreaterEqual(pairs, 90)

    def test_a_misspelt_call_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for part in ("src/classify/rules", "tests/fixtures/aws", "tests/tools"):
                shutil.copytree(os.path.join(ROOT, part), os.path.join(folder, part), ignore=shutil.ignore_patterns("emulators", "views", "__pycache__"))
            rule = os.path.join(folder, "src/classify/rules/cloudtrail/trail-deleted.yml")
            with open(rule, encoding="utf-8") as file:
                text = file.read()
            with open(rule, "w", encoding="utf-8") as file:
                file.write(text.replace("DeleteTrail", "DeleteTrial"))
            ended = check(os.path.join(folder, "tests/tools/check_calls.py"))
            self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
            self.assertIn("DeleteTrial", ended.stdout + ended.stderr)


if __name__ == "__main__":
    unittest.main()
