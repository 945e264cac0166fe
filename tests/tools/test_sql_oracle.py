"""What the second opinion promises."""
import io
import json
import unittest

import sql_oracle

ROWS = [{"columns": ["kind", "odd-name"]}, {"row": ["a", 1]}, {"row": ["\u00c9", "1"]}, {"row": ["b", True]}, {"row": ["c", None]}]


def asked(*questions):
    out = io.StringIO()
    sql_oracle.run([json.dumps(line) for line in ROWS + [{"sql": sql} for sql in questions]], out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


class SqlOracle(unittest.TestCase):
    def test_kinds_stay_apart(self):
        found = asked('SELECT kind FROM rows WHERE "odd-name" = 1.0', 'SELECT kind FROM rows WHERE "odd-name" IN (\'1\')',
                      'SELECT kind FROM rows WHERE "odd-name" IS x\'01\'', 'SELECT "odd-name" FROM rows ORDER BY rowid')
        self.assertEqual(found, [{"rows": [["a"]]}, {"rows": [["\u00c9"]]}, {"rows": [["b"]]},
                                 {"rows": [[1.0], ["1"], [True], [None]]}])

    def test_letters_of_any_script_fold(self):
        self.assertEqual(asked("SELECT fold(kind) LIKE fold('\u00e9') FROM rows WHERE rowid = 2", "SELECT fold(NULL)"),
                         [{"rows": [[1]]}, {"rows": [[None]]}])
        self.assertEqual(sql_oracle.fold("STRASSE \u00df \u212a \u0130"), "strasse \u00df k \u0130")

    def test_a_question_that_is_none_is_told_and_ends_nothing(self):
        first, second = asked("SELECT nothing FROM rows", "SELECT count(*) FROM rows")
        self.assertEqual((list(first), second), (["error"], {"rows": [[4]]}))


if __name__ == "__main__":
    unittest.main()
