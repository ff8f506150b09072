# SPDX-License-Identifier: MIT
"""A trace obeys the rules of the Trace Event Format. usage: check_trace.py FILE TASKS

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU"""

import collections
import json
import sys

METADATA = {"process_name", "thread_name"}


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_event(event):
    assert event["ph"] in ("M", "X"), event
    assert isinstance(event["name"], str) and event["name"], event
    assert isinstance(event["pid"], int) and event["pid"] > 0, event
    assert isinstance(event["args"], dict), event
    if event["ph"] == "M":
        assert event["name"] in METADATA and isinstance(event["args"]["name"], str), event
        return
    assert isinstance(event["tid"], int) and event["tid"] > 0, event
    assert number(event["ts"]) and event["ts"] > 0 and number(event["dur"]) and event["dur"] >= 0, event
    assert set(event["cat"].split(",")) <= {"task", "failed"}, event
    assert ("failed" in event["cat"]) == (event["args"]["status"] != "ok"), event


def check_rows(events):
    """The bars of a worker do not overlap: it does one thing at a time."""
    rows = collections.defaultdict(list)
    for event in events:
        rows[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for row in rows.values():
        row.sort()
        assert all(before[1] <= after[0] + 0.0011 for before, after in zip(row, row[1:])), row
    return rows


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        trace = json.load(file)
    assert set(trace) == {"displayTimeUnit", "traceEvents"} and trace["displayTimeUnit"] in ("ms", "ns")
    for event in trace["traceEvents"]:
        check_event(event)
    bars = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    threads = {event["tid"] for event in trace["traceEvents"] if event["name"] == "thread_name" and event["ph"] == "M"}
    assert set(check_rows(bars)) == threads
    assert sum(event["args"]["tasks"] for event in bars) == int(sys.argv[2]), len(bars)
    assert len({event["args"]["index"] for event in bars}) == len(bars)
    print("\n".join(sorted({event["name"] for event in bars})))


main()
