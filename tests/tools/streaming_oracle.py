#!/usr/bin/env python3
"""What New Relic's streaming evaluation says about random conditions and rows: an oracle, simple and slow.

In: how many cases and where chance begins. Out: one JSON object a line: the condition, its rows, and the points and incidents that
must come. What always holds: it imports nothing of ours and shares no code with what it judges; it walks through the instants at
which something can happen and does at each, for every signal, what the documentation says in so many words; the same seed gives the
same cases. All times are milliseconds since 1970.

    python3 tests/tools/streaming_oracle.py --cases 100 --seed 1

A case: `range` [begin, end], `clock` and `alignment` (what the documentation leaves open), `settles` (ALL: windows with rows that
wait at the end are closed as if nothing more came; SURE: if more could only have made them tell more; NO), `condition` in
NerdGraph's words, `query`,
`rows` [[facet or null, timestamp, arrival, value or null, passes WHERE 0/1, termination expected 0/1]], `expect` {late, signals}.
A signal: `facet`, `points` [[begin, end, closed, value or null, filled]] where windows without a value that follow each other are one,
`incidents` [[priority, cause, opened, closed or null, known or null, reason or null]].
"""

import argparse
import json
import random

MEMORY_MS = 2 * 3600 * 1000


class Signal:
    """One facet tuple."""

    def __init__(self, facet):
        self.facet = facet
        self.waiting = {}        # window end -> rows
        self.deadline = {}       # window end -> when its timer ends
        self.closed_end = None   # the last window closed
        self.clock = None        # greatest timestamp seen
        self.exists = False      # had a row in a window
        self.greatest_end = None # last window that ever had a row
        self.last_arrival = None
        self.expected = False    # said by the last row
        self.is_lost = False
        self.lost_after = set()  # last windows with rows at each loss: gaps after them are not filled
        self.with_rows = None    # end of the last closed window with rows
        self.began = None        # begin of its first window
        self.last_value = None
        self.history = None      # for each term: "bad", "good", "gap", each with when it was known
        self.open = {}           # term number or "lost" -> incident
        self.points = []
        self.incidents = []


class Oracle:
    def __init__(self, case):
        self.case = case
        condition = case["condition"]
        signal = condition["signal"]
        self.begin, self.end = case["range"]
        self.width = signal["aggregationWindow"] * 1000
        self.step = (signal.get("slideBy") or signal["aggregationWindow"]) * 1000
        self.slides = signal.get("slideBy") is not None
        self.origin = self.begin if case["alignment"] == "CREATION" else 0
        self.method = signal["aggregationMethod"]
        self.delay = signal.get("aggregationDelay", 0) * 1000
        self.timer = signal.get("aggregationTimer", 0) * 1000
        self.fill = signal["fillOption"]
        self.fill_value = signal.get("fillValue")
        self.evaluation_delay = signal["evaluationDelay"] * 1000
        self.terms = condition["terms"]
        self.limit = condition["violationTimeLimitSeconds"] * 1000
        self.expiration = None if case["nested"] else condition["expiration"]
        self.memory = max([MEMORY_MS] + [term["thresholdDuration"] * 1000 for term in self.terms])
        self.signals = {}
        self.whole_clock = None
        self.late = 0

    # ---- instants

    def run(self):
        rows = sorted(self.case["rows"], key=lambda row: row[2])
        rows = [row for row in rows if self.begin <= row[2] < self.end]
        instants = {row[2] for row in rows}
        if self.method == "EVENT_TIMER":
            instants |= {row[2] + self.timer for row in rows}
        if self.expiration:
            instants |= {row[2] + self.expiration["expirationDuration"] * 1000 for row in rows}
        if self.method == "CADENCE" and rows:
            end = self.floor(min(row[1] for row in rows)) + self.step
            while end <= max(row[1] for row in rows) + self.memory + 2 * self.width:
                instants.add(end + self.delay)
                end += self.step
        todo = sorted(instants)
        at = 0
        self.new_instants = []
        while at < len(todo):
            now = todo[at]
            at += 1
            if now >= self.end:
                settles = {"NO": False, "SURE": self.asks_for_much(), "ALL": True}[self.case["settles"]]
                if not settles:
                    break
                self.settle(now)
                continue
            for signal in list(self.signals.values()):
                if self.method == "CADENCE":
                    self.close_until(signal, now - self.delay, now)
                elif self.method == "EVENT_TIMER" and self.timer > 0:
                    self.close_timers(signal, now)
            for signal in self.signals.values():
                self.time_limits(signal, now)
            for signal in self.signals.values():
                self.loss(signal, now)
            for row in [row for row in rows if row[2] == now]:
                self.arrive(row, now)
            if self.method == "EVENT_TIMER" and self.timer == 0:
                for signal in list(self.signals.values()):
                    self.close_timers(signal, now)
            if self.new_instants:
                todo = sorted(set(todo) | set(self.new_instants))
                at = todo.index(now) + 1
                self.new_instants = []
        signals = [signal for signal in self.signals.values() if signal.points or signal.incidents]
        return {"late": self.late, "signals": [self.shown(signal) for signal in signals]}

    def asks_for_much(self):
        """Whether a window that lacks rows can only say less than the whole: more of them make its value greater, and great ones open."""
        if any(term["operator"] not in ("ABOVE", "ABOVE_OR_EQUALS") for term in self.terms):
            return False
        if self.case["nested"]:
            # A count that a condition leaves out is one that may still grow.
            return self.case["aggregate"] == "max" and self.case["nested_least"] <= 1
        # Values here are never negative: a sum grows.
        return self.case["aggregate"] in ("count", "filter", "uniqueCount", "sum", "max")

    def settle(self, now):
        """After the range nobody knows what came: windows with rows are closed in their time, and those before them; nothing else happens."""
        for signal in self.signals.values():
            if self.method == "CADENCE":
                # The rows of a nested query are the values of the inner one that its WHERE lets pass.
                with_rows = [end for end, rows in signal.waiting.items() if self.value(rows) is not None]
                if with_rows:
                    self.close_until(signal, min(now - self.delay, max(with_rows)), now)
            elif self.method == "EVENT_TIMER":
                self.close_timers(signal, now)

    # ---- windows

    def floor(self, ms):
        return ms - (ms - self.origin) % self.step

    def windows_of(self, ms):
        ends = []
        end = self.floor(ms) + self.step
        while end - self.width <= ms:
            # Sliding: nothing is evaluated until one whole window has passed since creation.
            if not self.slides or end - self.width >= self.begin:
                ends.append(end)
            end += self.step
        return ends

    def is_closed(self, signal, end, now):
        if self.method == "CADENCE":
            return end + self.delay <= now
        if self.method == "EVENT_FLOW":
            clock = self.whole_clock if self.case["clock"] == "CONDITION" else signal.clock
            return clock is not None and end + self.delay <= clock
        return signal.closed_end is not None and end <= signal.closed_end

    def arrive(self, row, now):
        facet, timestamp, _, _, passes, expected = row
        if not passes or facet is None:
            return
        key = None if self.case["nested"] else facet
        if key not in self.signals:
            self.signals[key] = Signal(key)
        signal = self.signals[key]
        ends = self.windows_of(timestamp)
        good = [end for end in ends if not self.is_closed(signal, end, now)]
        if len(good) < len(ends):
            self.late += 1
        for end in good:
            signal.waiting.setdefault(end, []).append(row)
            signal.deadline[end] = now + self.timer
            signal.greatest_end = end if signal.greatest_end is None else max(signal.greatest_end, end)
            signal.exists = True
        if signal.exists:
            if signal.is_lost:
                signal.is_lost = False
                if "lost" in signal.open:
                    self.close(signal, "lost", now, now, "RETURNED")
            signal.last_arrival = now
            signal.expected = bool(expected)
        if self.method == "EVENT_FLOW":
            if self.case["clock"] == "CONDITION":
                self.whole_clock = timestamp if self.whole_clock is None else max(self.whole_clock, timestamp)
                for other in list(self.signals.values()):
                    self.close_until(other, self.whole_clock - self.delay, now)
            else:
                signal.clock = timestamp if signal.clock is None else max(signal.clock, timestamp)
                self.close_until(signal, signal.clock - self.delay, now)

    def close_timers(self, signal, now):
        while signal.waiting:
            first = min(signal.waiting)
            if signal.deadline[first] > now:
                return
            self.close_until(signal, first, now)

    def close_until(self, signal, last_end, now):
        """Closes, one after the other, every window that ends at or before `last_end`."""
        end = signal.closed_end + self.step if signal.closed_end is not None else min(signal.waiting, default=None)
        while end is not None and end <= last_end:
            self.close_window(signal, end, now)
            signal.closed_end = end
            end += self.step

    # ---- values

    def value(self, rows):
        """None: no row passed; (None,): rows passed, but there is no number; else (number,)."""
        if not rows:
            return None
        aggregate = self.case["aggregate"]
        if self.case["nested"]:
            counts = {}
            for row in rows:
                counts[row[0]] = counts.get(row[0], 0) + 1
            counts = [count for count in counts.values() if count >= self.case["nested_least"]]
            if not counts:
                return None
            return (float(max(counts)) if aggregate == "max" else sum(counts) / len(counts),)
        numbers = [row[3] for row in rows if row[3] is not None]
        if aggregate == "count":
            return (float(len(rows)),)
        if aggregate == "filter":
            return (float(len([number for number in numbers if number > 5])),)
        if aggregate == "uniqueCount":
            return (float(len(set(numbers))),)
        if not numbers and aggregate != "sum":
            return (None,)
        compute = {"sum": sum, "max": max, "min": min, "average": lambda all: sum(all) / len(all)}
        return (float(compute[aggregate](numbers)),)

    def close_window(self, signal, end, now):
        value = self.value(signal.waiting.pop(end, []))
        signal.deadline.pop(end, None)
        begin = end - self.width
        anew = False
        if value is not None:
            if signal.with_rows is None or end - signal.with_rows > self.memory:
                # A new signal, or one that was forgotten.
                anew = True
                signal.began = begin
                signal.history = [[] for _ in self.terms]
                signal.last_value = None
            signal.with_rows = end
            fills = True
        else:
            if signal.with_rows is None or end - signal.with_rows > self.memory:
                return
            fills = signal.with_rows not in signal.lost_after
        number = value[0] if value else None
        filled = False
        if number is None and fills:
            if self.fill == "STATIC":
                number, filled = self.fill_value, True
            elif self.fill == "LAST_VALUE" and signal.last_value is not None:
                number, filled = signal.last_value, True
        signal.last_value = number
        signal.points.append([begin, end, now, number, filled, anew])
        if begin < signal.began + self.evaluation_delay:
            return
        for at in range(len(self.terms)):
            self.judge(signal, at, number, now)

    # ---- incidents

    def judge(self, signal, at, number, now):
        term = self.terms[at]
        needed = term["thresholdDuration"] * 1000 // self.step
        history = signal.history[at]
        if number is None:
            history.append(("gap", now))
            return
        compare = {
            "ABOVE": number > term["threshold"],
            "ABOVE_OR_EQUALS": number >= term["threshold"],
            "BELOW": number < term["threshold"],
            "BELOW_OR_EQUALS": number <= term["threshold"],
            "EQUALS": number == term["threshold"],
            "NOT_EQUALS": number != term["threshold"],
        }
        history.append(("bad" if compare[term["operator"]] else "good", now))
        newest = history[-needed:]
        if at in signal.open:
            if len(newest) == needed and all(kind == "good" for kind, _ in newest):
                # Set back to where this recovery began.
                since = len(history)
                while since > 0 and history[since - 1][0] == "good":
                    since -= 1
                self.close(signal, at, history[since][1], now, "RECOVERED")
        elif term["thresholdOccurrences"] == "AT_LEAST_ONCE":
            if history[-1][0] == "bad":
                self.open_incident(signal, at, term["priority"], "THRESHOLD", now)
        elif len(newest) == needed and all(kind == "bad" for kind, _ in newest):
            self.open_incident(signal, at, term["priority"], "THRESHOLD", now)

    def open_incident(self, signal, key, priority, cause, now):
        incident = [priority, cause, now, None, None, None]
        signal.incidents.append(incident)
        signal.open[key] = incident
        self.new_instants.append(now + self.limit)

    def close(self, signal, key, at, known, reason):
        signal.open.pop(key)[3:] = [at, known, reason]

    def time_limits(self, signal, now):
        for key in list(signal.open):
            if signal.open[key][2] + self.limit == now:
                self.close(signal, key, now, now, "TIME_LIMIT")

    def loss(self, signal, now):
        if not self.expiration or not signal.exists or signal.is_lost:
            return
        if not self.expiration["openViolationOnExpiration"] and not self.expiration["closeViolationsOnExpiration"]:
            return
        if signal.last_arrival + self.expiration["expirationDuration"] * 1000 != now:
            return
        signal.is_lost = True
        signal.lost_after.add(signal.greatest_end)
        if self.expiration["closeViolationsOnExpiration"]:
            for key in list(signal.open):
                self.close(signal, key, now, now, "SIGNAL_LOST")
        ignored = self.expiration["ignoreOnExpectedTermination"] and signal.expected
        if self.expiration["openViolationOnExpiration"] and not ignored:
            self.open_incident(signal, "lost", "CRITICAL", "SIGNAL_LOST", now)

    def shown(self, signal):
        points = []
        for point in signal.points:
            follows = points and points[-1][3] is None and points[-1][1] + self.step == point[1]
            if point[3] is None and follows and not point[5]:
                points[-1][1] = point[1]
            else:
                points.append(point[:5])
        return {"facet": signal.facet, "points": points, "incidents": signal.incidents}


# ---- chance

QUERIES = {
    "count": "count(*)",
    "filter": "filter(count(*), WHERE value > 5)",
    "uniqueCount": "uniqueCount(value)",
    "sum": "sum(value)",
    "max": "max(value)",
    "min": "min(value)",
    "average": "average(value)",
}


def one_case(chance):
    window = chance.choice([30, 60, 60, 120, 300])
    slides = {30: [None], 60: [None, None, 30], 120: [None, 30, 60], 300: [None, 30, 60, 150]}
    method = chance.choice(["EVENT_FLOW", "EVENT_TIMER", "CADENCE"])
    signal = {
        "aggregationWindow": window,
        "slideBy": chance.choice(slides[window]),
        "aggregationMethod": method,
        "evaluationDelay": chance.choice([0, 0, 0, 0, window, 300]),
        "fillOption": chance.choice(["NONE", "STATIC", "LAST_VALUE"]),
    }
    if signal["fillOption"] == "STATIC":
        signal["fillValue"] = float(chance.choice([0, 0, 3, 9]))
    if method == "EVENT_TIMER":
        signal["aggregationTimer"] = chance.choice([0, 5, 30, 60, 60, 300])
    else:
        signal["aggregationDelay"] = chance.choice([0, 0, 30, 60, 120, 600])
    terms = []
    for priority in chance.choice([["CRITICAL"], ["CRITICAL"], ["WARNING"], ["CRITICAL", "WARNING"], ["WARNING", "CRITICAL"]]):
        durations = [many * window for many in (1, 1, 2, 2, 3, 5, 12) if many * window >= 60]
        terms.append({
            "priority": priority,
            "operator": chance.choice(["ABOVE", "ABOVE", "ABOVE_OR_EQUALS", "BELOW", "BELOW_OR_EQUALS", "EQUALS", "NOT_EQUALS"]),
            "threshold": float(chance.choice([0, 0, 1, 2, 3, 5, 8])),
            "thresholdDuration": chance.choice(durations),
            "thresholdOccurrences": chance.choice(["ALL", "AT_LEAST_ONCE"]),
        })
    if chance.random() < 0.03:
        terms[0]["thresholdDuration"] = 10_800
    expiration = None
    if chance.random() < 0.6:
        expiration = {
            "expirationDuration": chance.choice([30, 45, 60, 120, 300, 900, 7_500]),
            "openViolationOnExpiration": chance.random() < 0.6,
            "closeViolationsOnExpiration": chance.random() < 0.6,
            "ignoreOnExpectedTermination": chance.random() < 0.3,
        }
    nested = chance.random() < 0.1
    aggregate = chance.choice(["max", "average"]) if nested else chance.choice(list(QUERIES))
    least = chance.choice([1, 1, 2]) if nested else 0
    faceted = chance.random() < 0.7
    if nested:
        where = f" WHERE n >= {least}" if least > 1 else ""
        query = f"SELECT {aggregate}(n) FROM (SELECT count(*) AS n FROM T WHERE pass = 1 FACET who){where}"
    else:
        query = f"SELECT {QUERIES[aggregate]} FROM T WHERE pass = 1" + (" FACET who" if faceted else "")
    begin = 1_700_000_000_000 + chance.choice([1_000 * chance.randrange(0, 4_000), 30_000 * chance.randrange(0, 130)])
    case = {
        "range": [begin, begin + 1_000 * chance.choice([600, 1_800, 3_600, 14_400, 30_000])],
        "clock": chance.choice(["SIGNAL", "SIGNAL", "CONDITION"]),
        "alignment": chance.choice(["EPOCH", "EPOCH", "EPOCH", "CREATION"]),
        "nested": nested,
        "nested_least": least,
        "aggregate": aggregate,
        "query": query,
        "condition": {
            "signal": signal,
            "terms": terms,
            "expiration": expiration,
            "violationTimeLimitSeconds": chance.choice([300, 900, 3_600, 3_600, 259_200]),
        },
    }
    case["rows"] = rows_of(chance, case, window, nested or faceted)
    case["settles"] = chance.choice(["NO", "NO", "SURE", "SURE", "ALL"])
    return case


def rows_of(chance, case, window, faceted):
    begin, end = case["range"]
    rows = []
    time = begin + 1_000 * chance.randrange(-window, 2 * window)
    pace = chance.choice([0.2, 0.5, 1.0, 3.0])
    lateness = chance.choice([[0], [0, 0, 1, 5], [0, 1, 30, 60, 200], [0, 5, 600, 1_200]])
    # Things meet at one instant where times are coarse.
    grain = chance.choice([1, 1_000, 15_000, 30_000])
    names = ["a", "b", "c"][: chance.choice([1, 2, 2, 3])]
    for _ in range(chance.choice([3, 8, 15, 25, 40])):
        time += int(1_000 * window * pace * chance.random() * 2)
        if chance.random() < 0.1:
            time -= time % (1_000 * window)   # just on an edge
        time = (time + grain // 2) // grain * grain
        if chance.random() < 0.04:
            time += 1_000 * chance.choice([600, 2_400, 7_200, 7_500, 9_000])
        arrival = time + 1_000 * chance.choice(lateness) - (20_000 if chance.random() < 0.02 else 0)
        facet = chance.choice(names) if faceted else ""
        if faceted and chance.random() < 0.03:
            facet = None
        value = None if chance.random() < 0.1 else float(chance.randrange(0, 10))
        rows.append([facet, time, arrival, value, int(chance.random() < 0.85), int(chance.random() < 0.3)])
    # Rows are stored as they arrive.
    rows.sort(key=lambda row: row[2])
    return [row for row in rows if row[2] < end + 60_000]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for number in range(asked.cases):
        case = one_case(random.Random(f"{asked.seed}:{number}"))
        case["name"] = f"{asked.seed}:{number}"
        case["expect"] = Oracle(case).run()
        print(json.dumps(case))


if __name__ == "__main__":
    main()
