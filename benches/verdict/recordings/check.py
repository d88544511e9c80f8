"""Whether the recordings are what recordings.json says."""

import gzip
import json
import statistics

HEADER = "time,bytes,limit_bytes,start_time,cpu_seconds"
LENGTH = {"days": 104 * 3600, "fast": 4 * 3600, "real": 3000}
MOST_BYTES = 11 << 18  # of all files together
LEAK_GROWS = 1.05  # from its onset to its end
PLATEAU = 1.05  # how far the end of a benign one may lie above the peak of its first three quarters


def parse(text):
    """The rows of a recording, or the reason why they are none."""
    header, *lines = text.splitlines()
    if header != HEADER:
        raise ValueError(f"its header is {header!r}")
    rows = []
    for number, line in enumerate(lines, 2):
        words = line.split(",")
        if len(words) != 5:
            raise ValueError(f"line {number} has {len(words)} columns")
        rows.append((*map(int, words[:4]), float(words[4])))
    return rows


def lives(rows):
    """The rows of each life."""
    parts = []
    for row in rows:
        if not parts or parts[-1][-1][3] != row[3]:
            parts.append([])
        parts[-1].append(row)
    return parts


def format_faults(about, rows):
    """What is wrong with the rows, whatever they are about."""
    interval, length = about["interval_seconds"], LENGTH[about["regime"]]
    times = [row[0] for row in rows]
    if any(later <= earlier for earlier, later in zip(times, times[1:])):
        yield "time does not increase strictly"
    if any(time % interval for time in times):
        yield "samples lie off the grid"
    if len(rows) < 0.9 * length / interval or times[-1] < 0.9 * length:
        yield f"{len(rows)} samples until {times[-1]} s are less than 90 % of its length"
    if any(row[3] > row[0] for row in rows):
        yield "a life begins after its sample"
    for life in lives(rows):
        if any(later[4] < earlier[4] for earlier, later in zip(life, life[1:])):
            yield "CPU time runs backwards within a life"


def level(rows):
    return statistics.median(row[1] for row in rows)


def growth(about, rows):
    """How many times the level at its onset a leak has at the end of its longest life, warm-up left out."""
    longest = max(lives(rows), key=len)
    warm = longest[len(longest) // 25:]
    since = [row for row in warm if row[0] >= about["onset_seconds"]]
    few = max(5, len(since) // 20)
    return level(since[-few:]) / level(since[:few])


def excess(rows):
    """How many times the peak of the first three quarters the level at the end is."""
    return level(rows[-len(rows) // 20:]) / max(row[1] for row in rows[:len(rows) * 3 // 4])


def judge(about, rows):
    """A number that tells the label's worth, and whether it bears the label out."""
    if about["label"] == "leak":
        grown = growth(about, rows)
        return f"grows x{grown:.2f}", grown > LEAK_GROWS
    over = excess(rows)
    return f"ends at x{over:.2f} of its peak", over < PLATEAU


def main(here):
    """Prints a line a recording and counts; 1 if any is not what it should be."""
    index = json.loads((here / "recordings.json").read_text())
    failed = 0
    size = 0
    for about in index:
        target = here / "data" / f"{about['name']}.csv.gz"
        try:
            size += target.stat().st_size
            rows = parse(gzip.decompress(target.read_bytes()).decode())
            faults = list(format_faults(about, rows))
            verdict, right = judge(about, rows)
        except (OSError, ValueError, IndexError, statistics.StatisticsError) as error:
            faults, verdict, right, rows = [str(error)], "", False, []
        if not right and verdict:
            faults.append(f"not what a {about['label']} looks like")
        peak = max((row[1] for row in rows), default=0) / (1 << 20)
        limit = rows[-1][2] / (1 << 20) if rows else 0
        print(f"{about['name']:32} {about['label']:6} {len(rows):5} samples {len(lives(rows))} lives "
              f"peak {peak:6.1f} of {limit:5.1f} MiB  {verdict}  {'; '.join(faults)}")
        failed += bool(faults)
    stray = {path.name for path in (here / "data").iterdir()} - {f"{about['name']}.csv.gz" for about in index}
    if stray or size > MOST_BYTES:
        print(f"{size} bytes in data/, not listed: {sorted(stray)}")
        failed += 1
    counts = {(label, held): sum(about["label"] == label and about["held_out"] == held for about in index)
              for label in ("leak", "benign") for held in (False, True)}
    print(", ".join(f"{count} {label}{' held out' if held else ''}" for (label, held), count in counts.items()),
          f"- {size / 1024:.0f} KiB")
    print(f"{len(index) - min(failed, len(index))} passed, {failed} failed")
    return 1 if failed else 0
