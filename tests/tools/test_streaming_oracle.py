"""What the second opinion on streaming promises."""
import random
import unittest

import streaming_oracle


def case(rows, **signal):
    signal = {"aggregationWindow": 60, "slideBy": None, "aggregationMethod": "EVENT_TIMER", "aggregationTimer": 60,
              "evaluationDelay": 0, "fillOption": "NONE", **signal}
    term = {"priority": "CRITICAL", "operator": "ABOVE", "threshold": 0, "thresholdDuration": 60,
            "thresholdOccurrences": "AT_LEAST_ONCE"}
    return {"range": [0, 600_000], "clock": "SIGNAL", "alignment": "EPOCH", "settles": "NO", "nested": False, "aggregate": "count",
            "condition": {"signal": signal, "terms": [term], "expiration": None, "violationTimeLimitSeconds": 300},
            "rows": [["", 1_000 * at, 1_000 * arrival, 1.0, 1, 0] for at, arrival in rows]}


class StreamingOracle(unittest.TestCase):
    def test_the_same_seed_makes_the_same_case(self):
        first, second = (streaming_oracle.one_case(random.Random("1:7")) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(streaming_oracle.Oracle(first).run(), streaming_oracle.Oracle(second).run())

    def test_a_timer_restarts_and_a_late_row_is_counted(self):
        found = streaming_oracle.Oracle(case([(10, 100), (20, 150), (30, 210)])).run()
        self.assertEqual(found["late"], 1)
        self.assertEqual(found["signals"][0]["points"], [[0, 60_000, 210_000, 2.0, False]])
        self.assertEqual(found["signals"][0]["incidents"], [["CRITICAL", "THRESHOLD", 210_000, 510_000, 510_000, "TIME_LIMIT"]])

    def test_gaps_that_follow_each_other_are_one(self):
        found = streaming_oracle.Oracle(case([(10, 10), (250, 250)], aggregationMethod="EVENT_FLOW", aggregationDelay=0)).run()
        self.assertEqual(found["signals"][0]["points"], [[0, 60_000, 250_000, 1.0, False], [60_000, 240_000, 250_000, None, False]])

    def test_what_waits_at_the_end_is_closed_only_where_the_end_is_no_end_of_time(self):
        waits = case([(10, 10), (590, 595)])
        ends = [point[1] for point in streaming_oracle.Oracle(waits).run()["signals"][0]["points"]]
        self.assertEqual(ends, [60_000])
        points = streaming_oracle.Oracle({**waits, "settles": "ALL"}).run()["signals"][0]["points"]
        self.assertEqual([point[1] for point in points], [60_000, 540_000, 600_000])
        self.assertEqual([point[2] for point in points], [70_000, 655_000, 655_000])


if __name__ == "__main__":
    unittest.main()
