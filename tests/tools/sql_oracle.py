#!/usr/bin/env python3
"""Answer SQL on rows, by the SQLite that Python carries: a second opinion on the lab's engine that shares no code with it.

  sql_oracle.py < asked.ndjson > answers.ndjson

Standard input, one JSON object a line: first {"columns": [name, ...]}, then {"row": [value, ...]} for each row, then {"sql": text} for
each question. Standard output: for each question {"rows": [[value, ...], ...]} or {"error": text}.

Python's SQLite and not a crate's: building one costs 2.3 MB of C twice in each run of the tests, and Python is needed anyway.

What NRQL and SQLite see differently is mapped here, openly, and by whoever writes the SQL:
- columns have no type, so that nothing converts; every number is a double; true and false are the blobs 01 and 00, which equal no
  number and no text;
- fold(text) makes letters that differ only in case the same, of any script: SQLite's LIKE knows ASCII alone.
"""
import json
import sqlite3
import sys

TRUE, FALSE = b"\x01", b"\x00"


def stored(value):
    """A JSON value as SQLite is to hold it."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return float(value) if isinstance(value, int) else value


def shown(value):
    """And back."""
    return value == TRUE if isinstance(value, bytes) else value


def fold(text):
    """Unicode's simple folding: the capital's small letter, where each is one letter."""
    def one(letter, change):
        changed = change(letter)
        return changed if len(changed) == 1 else letter
    return None if text is None else "".join(one(one(letter, str.upper), str.lower) for letter in text)


def answer(database, sql):
    """The rows of a question, or why there are none."""
    try:
        return {"rows": [[shown(value) for value in row] for row in database.execute(sql)]}
    except sqlite3.Error as error:
        return {"error": str(error)}


def run(lines, out):
    """Reads rows and questions, writes answers."""
    database = sqlite3.connect(":memory:")
    database.create_function("fold", 1, fold, deterministic=True)
    insert = ""
    for line in lines:
        asked = json.loads(line)
        if "columns" in asked:
            names = ", ".join('"%s"' % name.replace('"', '""') for name in asked["columns"])
            database.execute("CREATE TABLE rows (%s)" % names)
            insert = "INSERT INTO rows VALUES (%s)" % ", ".join("?" * len(asked["columns"]))
        elif "row" in asked:
            database.execute(insert, [stored(value) for value in asked["row"]])
        else:
            print(json.dumps(answer(database, asked["sql"])), file=out)
    database.close()


if __name__ == "__main__":
    run(sys.stdin, sys.stdout)
