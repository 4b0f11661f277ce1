# SPDX-License-Identifier: Apache-2.0
"""What others make of cron expressions: cron_oracle.py ORACLE FILE compares each line of the file with its own answer.

A line: expression, zone, first second, second behind the last, gap policy, repeat policy, the seconds that are to be checked; with
tabs between. Oracles: croniter and systemd (both in UTC), brute (every minute, through zoneinfo), days (every day of a calendar, for
times of day that no clock leaves out). Prints the lines that differ, then
how many were compared. Exit code 77: the oracle is not installed."""

import calendar
import os
import re
import subprocess
import sys
from datetime import date, datetime, time, timedelta, timezone

NAMES = {n: i for i, n in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
DAYS = {n: i for i, n in enumerate("SUN MON TUE WED THU FRI SAT".split())}
MOST = 20  # instants of one expression that croniter, systemd and days are asked for
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def number(word, names):
    word = word.upper()
    return names[word] if word in names else int(word)


def items(field, index):
    """The items of a field as (first, last, step)."""
    low, high = BOUNDS[index]
    names = {3: NAMES, 4: DAYS}.get(index, {})
    for item in field.split(","):
        body, _, step = item.partition("/")
        if body in ("*", "?"):
            yield low, high, int(step or 1)
        elif "-" in body:
            first, last = (number(word, names) for word in body.split("-"))
            yield first, last, int(step or 1)
        else:
            first = number(body, names)
            yield first, (high if step else first), int(step or 1)


def values(field, index):
    found = set()
    for first, last, step in items(field, index):
        found |= {v % 7 if index == 4 else v for v in range(first, last + 1, step)}
    return found


class Matcher:
    def __init__(self, text):
        fields = text.split(" ")
        self.sets = [values(field, i) for i, field in enumerate(fields)]
        self.both = fields[2][0] in "*?" or fields[4][0] in "*?"
        self.every_hour = len(self.sets[1]) == 24

    def __call__(self, local):
        minutes, hours, days, months, weekdays = self.sets
        if local.minute not in minutes or local.hour not in hours or local.month not in months:
            return False
        day, weekday = local.day in days, local.isoweekday() % 7 in weekdays
        return (day and weekday) if self.both else (day or weekday)


WINDOWS = {}


def window(zone, begin, end):
    """Each minute around the window with its local time, the local times that are left out, and when each local time is."""
    key = zone, begin, end
    if key in WINDOWS:
        return WINDOWS[key]
    from zoneinfo import ZoneInfo
    tz = ZoneInfo(zone)
    margin = 3 * 3600
    minutes, gaps, seen = [], [], {}
    before = None
    for t in range(begin - margin, end + margin, 60):
        local = datetime.fromtimestamp(t, tz).replace(tzinfo=None, fold=0)
        seen.setdefault(local, []).append(t)
        if before is not None and local - before > timedelta(minutes=1):
            # What is left out is as late as if the clock had gone on.
            lost, late = before + timedelta(minutes=1), t
            while lost < local:
                gaps.append((late, lost))
                lost, late = lost + timedelta(minutes=1), late + 60
        before = local
        minutes.append((t, local))
    WINDOWS.clear()
    WINDOWS[key] = minutes, gaps, seen
    return WINDOWS[key]


def brute(case):
    text, zone, begin, end, gap, repeat = case
    matches = Matcher(text)
    minutes, gaps, seen = window(zone, begin, end)
    found = set()
    for t, local in minutes:
        if not begin <= t < end or not matches(local):
            continue
        twins = seen[local]
        if matches.every_hour or repeat == "both" or t == (min(twins) if repeat == "first" else max(twins)):
            found.add(t)
    if gap == "shift" and not matches.every_hour:
        found |= {t for t, local in gaps if begin <= t < end and matches(local)}
    return sorted(found)


def nearest_workday(year, month, day):
    """The day of the month from Monday to Friday that is nearest to it, within the month."""
    last = calendar.monthrange(year, month)[1]
    near = [d for d in range(1, last + 1) if date(year, month, d).isoweekday() <= 5]
    return min(near, key=lambda d: abs(d - day))


def day_matches(field, day):
    last = calendar.monthrange(day.year, day.month)[1]
    for item in field.split(","):
        if item == "LW":
            found = day.day == nearest_workday(day.year, day.month, last)
        elif item[0] == "L":
            found = day.day == last - int(item[2:] or 0)
        elif item[-1] == "W":
            wanted = int(item[:-1])
            found = wanted <= last and day.day == nearest_workday(day.year, day.month, wanted)
        else:
            found = day.day in values(item, 2)
        if found:
            return True
    return False


def weekday_matches(field, day):
    last = calendar.monthrange(day.year, day.month)[1]
    for item in field.split(","):
        name, _, nth = item.partition("#")
        at_last = item[-1] == "L"
        weekdays = values(name[:-1] if at_last else name, 4)
        if day.isoweekday() % 7 not in weekdays:
            continue
        if (not nth and not at_last) or (at_last and day.day + 7 > last) or (nth and (day.day + 6) // 7 == int(nth)):
            return True
    return False


def by_days(case):
    from zoneinfo import ZoneInfo
    text, zone, begin, end, _, _ = case
    fields = text.split(" ")
    seconds = sorted(values(fields.pop(0), 0)) if len(fields) == 6 else [0]
    tz = ZoneInfo(zone)
    day = datetime.fromtimestamp(begin, tz).date() - timedelta(days=1)
    both = fields[2][0] in "*?" or fields[4][0] in "*?"
    found = []
    while len(found) < MOST and datetime.combine(day, time(), timezone.utc).timestamp() < end + 2 * 86400:
        one, other = day_matches(fields[2], day), weekday_matches(fields[4], day)
        if day.month in values(fields[3], 3) and ((one and other) if both else (one or other)):
            for second in seconds:
                t = int(datetime.combine(day, time(int(fields[1]), int(fields[0]), second), tz).timestamp())
                if begin <= t < end and len(found) < MOST:
                    found.append(t)
        day += timedelta(days=1)
    return found


def croniter_all(cases):
    from croniter import croniter
    for text, _, begin, end, _, _ in cases:
        found = []
        each = croniter(text, datetime.fromtimestamp(begin - 1, timezone.utc))
        try:
            while len(found) < MOST and (t := int(each.get_next(float))) < end:
                found.append(t)
        except Exception as error:
            yield str(error)
            continue
        yield found


def calendar_field(field, index):
    low, high = BOUNDS[index]
    if field in ("*", "?"):
        return "*"
    if index == 2 and field == "L":
        return "~01"
    if index == 2 and field.startswith("L-"):
        return "~%02d" % (int(field[2:]) + 1)
    parts = []
    for first, last, step in items(field, index):
        if index == 4:
            parts += ["Sun Mon Tue Wed Thu Fri Sat".split()[v % 7] for v in range(first, last + 1, step)]
        elif first == last:
            parts.append("%d" % first)
        else:
            parts.append("%d..%d/%d" % (first, last, step))
    return ",".join(parts)


def systemd_all(cases):
    """One process for all expressions: each is asked from the same second on."""
    begin = cases[0][2]
    texts = []
    for case in cases:
        minute, hour, day, month, weekday = (calendar_field(f, i) for i, f in enumerate(case[0].split(" ")))
        day = day if day.startswith("~") else "-" + day
        texts.append(("" if weekday == "*" else weekday + " ") + "*-%s%s %s:%s:00" % (month, day, hour, minute))
    base = datetime.fromtimestamp(begin - 1, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    said = subprocess.run(["systemd-analyze", "calendar", "--iterations=%d" % MOST, "--base-time=" + base] + texts,
                          capture_output=True, text=True, env=dict(os.environ, TZ="UTC", LC_ALL="C"))
    blocks = said.stdout.strip().split("\n\n")
    if len(blocks) != len(cases):
        sys.exit("systemd-analyze answered %d of %d: %s" % (len(blocks), len(cases), said.stderr))
    for block in blocks:
        yield [int(datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp())
               for at in re.findall(r"(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w+ (\S+ \S+) UTC", block)]


def main(oracle, path):
    cases, expected = [], []
    for line in open(path):
        text, zone, begin, end, gap, repeat, ours = line.rstrip("\n").split("\t")
        cases.append((text, zone, int(begin), int(end), gap, repeat))
        expected.append([int(t) for t in ours.split(",") if t])
    try:
        if oracle == "croniter":
            import croniter  # noqa: F401
            answers = croniter_all(cases)
        elif oracle == "systemd":
            subprocess.run(["systemd-analyze", "--version"], capture_output=True, check=True)
            answers = systemd_all(cases)
        else:
            import zoneinfo  # noqa: F401
            answers = map(brute if oracle == "brute" else by_days, cases)
    except (ImportError, OSError) as error:
        print(error)
        sys.exit(77)
    compared = different = instants = 0
    for case, ours, theirs in zip(cases, expected, answers):
        compared += 1
        instants += len(ours)
        if oracle == "systemd" and isinstance(theirs, list):
            most = min(len(ours), len(theirs))  # ours end with the window
            theirs = theirs[:most] if most == len(ours) else theirs
        if ours != theirs:
            different += 1
            lost = theirs if isinstance(theirs, str) else "theirs alone %s, ours alone %s" % (
                sorted(set(theirs) - set(ours))[:5], sorted(set(ours) - set(theirs))[:5])
            print(*case, lost)
    print("compared %d expressions, %d instants, %d different" % (compared, instants, different))
    sys.exit(1 if different else 0)


main(*sys.argv[1:])
