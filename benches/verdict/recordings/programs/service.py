"""Small services in Python, one scenario each: service.py SCENARIO [NAME=NUMBER]...

Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
"""

import asyncio
import collections
import functools
import gc
import json
import logging
import math
import os
import random
import sqlite3
import sys
import threading
import time

HOUR = float(os.environ.get("HOUR", "7.5"))
BEGIN = float(os.environ.get("BEGIN", time.time()))
PHASE = float(os.environ.get("PHASE", "0"))
DAY = float(os.environ.get("DAY", "24"))
QUIET = float(os.environ.get("QUIET", "0.15"))


def hours():
    return (time.time() - BEGIN) / HOUR


def load(at):
    """Traffic as a share of its peak: quiet nights, busy days."""
    wave = 0.5 - 0.5 * math.cos(2 * math.pi * (at / DAY + PHASE))
    return QUIET + (1 - QUIET) * wave**1.5


def ticks(period=0.1):
    """Yields the hours since the tick before, ten times a real second."""
    before = hours()
    while True:
        time.sleep(period)
        at = hours()
        yield at - before
        before = at


def arrivals(hourly, passed):
    return int(hourly * load(hours()) * passed * random.uniform(0.5, 1.5) + random.random())


def serve(number, width=40):
    """A request: parse a document, look at it, answer."""
    document = json.dumps({f"field{i}": [number, i, "x" * (i % 7)] for i in range(width)})
    return sum(len(key) + value[1] for key, value in json.loads(document).items())


def list_cache(hourly=400, size=900, onset=0):
    """Answers are remembered by their whole address, which never comes again, from `onset` on."""
    cache = {}
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            number = random.getrandbits(60)
            serve(number)
            if hours() >= onset:
                cache[f"/item/{number}?session={random.getrandbits(40)}"] = os.urandom(int(size * random.uniform(0.5, 1.5)))


class Node:
    """Half of a pair that knows its other half."""

    def __init__(self, size):
        self.other = None
        self.payload = bytearray(os.urandom(int(size)))


def cycle(hourly, size, keep):
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(1)
            first, second = Node(size), Node(size)
            first.other, second.other = second, first
            if keep is not None:
                keep.append([first])


def cycle_without_gc(hourly=300, size=600):
    """Pairs of objects that know each other, with the collector switched off: never freed."""
    gc.disable()
    cycle(hourly, size, None)


def cycle_with_gc(hourly=300, size=600, recent=4000, rest=0, generations=10):
    """The same pairs, with the collector on and seldom: a sawtooth. The latest are kept for a while."""
    gc.set_threshold(int(rest) or 700, int(generations), int(generations))
    cycle(hourly, size, collections.deque(maxlen=int(recent)))


def handlers(hourly=300, onset=0, size=3000):
    """Each tenant's request adds a log handler with its buffer to a logger, and none is removed, from `onset` on."""
    logger = logging.getLogger("requests")
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(2)
            if hours() >= onset and len(logger.handlers) < 1_000_000:
                handler = logging.NullHandler()
                handler.buffer = os.urandom(int(size))
                logger.handlers.append(handler)


def idle():
    """Nothing but a heartbeat."""
    for _ in ticks(0.5):
        serve(3)


def batch(every=1, rows=4000, width=6, jitter=0.5):
    """Each `every` hours a job that reads rows, sorts and forgets them."""
    due = every / 2
    for _ in ticks():
        if hours() < due:
            continue
        due += every
        count = int(rows * random.uniform(1 - jitter, 1 + jitter))
        table = []
        for start in range(0, count, 500):
            table += [[os.urandom(24).hex() for _ in range(int(width))] for _ in range(min(500, count - start))]
            time.sleep(0.02)
        table.sort()
        time.sleep(0.3)
        del table


def lru(hourly=600, entries=20000, space=60000, size=1500):
    """functools.lru_cache with a bound, over keys of which some are asked for far more often than others."""

    @functools.lru_cache(maxsize=int(entries))
    def lookup(key):
        return os.urandom(int(size * (0.5 + key % 1000 / 1000)))

    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(4, 20)
            lookup(min(int(random.paretovariate(0.25)), int(space)))
            lookup(random.randrange(int(space)))


def warm(hourly=300, templates=3000, size=6000):
    """A new process loads what it is asked for once: templates, compiled patterns, connections. Then it is complete."""
    loaded = {}
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(5)
            loaded.setdefault(random.randrange(int(templates)), os.urandom(int(size)))


def nightly(hourly=300, rows=12000):
    """Light traffic, and a report at night that needs several times the memory for an hour or two."""
    night = 3.0
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(6)
        if hours() >= night:
            night += 24 + random.uniform(-0.3, 0.3)
            report = []
            for _ in range(int(rows * random.uniform(0.8, 1.2)) // 200):
                report += [os.urandom(1200) for _ in range(200)]
                time.sleep(0.1)
            report.sort()
            del report


def later(hourly=18000, size=2000, onset=0, after=24):
    """Each request sets a timeout of `after` real hours; from `onset` on it is not cancelled when the answer is there."""

    async def run():
        loop = asyncio.get_running_loop()
        before = hours()
        while True:
            await asyncio.sleep(0.1)
            count, before = arrivals(hourly, hours() - before), hours()
            for _ in range(count):
                serve(7)
                timeout = loop.call_later(after * 3600, os.urandom(int(size * random.uniform(0.5, 1.5))).hex)
                if hours() < onset:
                    timeout.cancel()

    asyncio.run(run())


def threads(hourly=700, onset=0, rows=60):
    """Each reconnect, from `onset` on, leaves a reader behind: a thread with data of its own that waits for ever."""

    def reader(ended):
        kept = [serve(number) for number in range(3)], [random.random() for _ in range(int(rows))]
        ended.wait()
        return kept

    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            ended = threading.Event()
            threading.Thread(target=reader, args=(ended,), daemon=True).start()
            if hours() < onset:
                ended.set()


def cursors(hourly=18000, onset=0, items=400, share=0.05):
    """From `onset` on a `share` of requests stops in the middle of a sorted answer, and its cursor stays open."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, kind INTEGER, name TEXT)")
    database.executemany("INSERT INTO item VALUES (?, ?, ?)",
                         ((number, number % 40, os.urandom(40).hex()) for number in range(int(items) * 40)))
    database.execute("CREATE INDEX kinds ON item (kind)")
    opened = []
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            cursor = database.execute("SELECT name FROM item WHERE kind = ? ORDER BY name", (random.randrange(40),))
            cursor.fetchone()
            if hours() >= onset and random.random() < share:
                opened.append(cursor)
            else:
                cursor.close()


def sessions(most=3000, size=12000, step=1e9, larger=1.6):
    """As many sessions are open as the load brings; from `step` on each client opens `larger` times as many."""
    opened = []
    for _ in ticks():
        wanted = int(most * load(hours()) * random.uniform(0.98, 1.02) * (larger if hours() >= step else 1))
        for _ in range(min(wanted - len(opened), 100)):
            opened.append({"buffer": bytearray(os.urandom(int(size * random.uniform(0.5, 1.5)))), "seen": set(range(20))})
        random.shuffle(opened)
        del opened[wanted:]
        serve(9)


def index(begins=20, lasts=20, documents=16000, hourly=300):
    """From `begins` on documents are read for `lasts` hours; an index of their words stays, with an excerpt of each."""
    postings = {f"word {number}": [] for number in range(20000)}
    words, excerpts = list(postings), []
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(10)
            len(postings[random.choice(words)])
        while len(excerpts) < documents * min(1, (hours() - begins) / lasts):
            for word in random.choices(words, k=60):
                postings[word].append(len(excerpts))
            excerpts.append(os.urandom(int(1000 * random.uniform(0.5, 1.5))))


def pages(hourly=400, rows=80000, size=900, megabytes=24):
    """A table in a file is larger than SQLite's cache of pages, which fills as rows are read, and then evicts."""
    path = os.path.join(os.environ["WORK"], "table")
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA synchronous = OFF")
        writer.execute("PRAGMA cache_size = 100")
        writer.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)")
        writer.executemany("INSERT INTO item VALUES (?, ?)", ((number, os.urandom(int(size))) for number in range(int(rows))))
    writer.close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA cache_size = {-int(megabytes * 1024)}")
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(11)
            database.execute("SELECT body FROM item WHERE id = ?", (random.randrange(int(rows)),)).fetchone()


def shards(hourly=1500, each=12, count=160, terms=500):
    """An index lies in files; one more is loaded with every so many requests, until all are in memory."""
    folder = os.environ["WORK"]
    for number in range(int(count)):
        with open(os.path.join(folder, f"shard-{number}"), "w", encoding="ascii") as file:
            json.dump({f"term {number} {i}": random.choices(range(10**6), k=8) for i in range(int(terms))}, file)
    loaded, served = [], 0
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(12)
            served += 1
            if served % each == 0 and len(loaded) < count:
                with open(os.path.join(folder, f"shard-{len(loaded)}"), encoding="ascii") as file:
                    loaded.append(json.load(file))


def vocabulary(hourly=3000, words=20, tail=0.8):
    """Every word that was ever seen is known; most are known already, and ever more so, but there is no last one."""
    known = {}
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            serve(13)
            for _ in range(int(words)):
                word = int(random.paretovariate(tail))
                known.setdefault(word, [f"word {word}", 0, {}])[1] += 1


SCENARIOS = {
    function.__name__.replace("_", "-"): function
    for function in (list_cache, cycle_without_gc, cycle_with_gc, handlers, idle, batch, lru, warm, nightly, later, threads,
                     cursors, sessions, index, pages, shards, vocabulary)
}


def main():
    scenario, *settings = sys.argv[1:]
    numbers = {name: float(value) for name, value in (setting.split("=") for setting in settings)}
    random.seed(int(os.environ.get("SEED", "0")))
    base = [os.urandom(1 << 16) for _ in range(int(numbers.pop("base", 0) * 16))]
    SCENARIOS[scenario](**numbers)
    del base


if __name__ == "__main__":
    main()
