"""Which recordings there are: what runs, what it is given, and what is true of it.

A row is decided before anything is measured; whether it is held out depends on its name alone.
"""

import dataclasses
import zlib

HOURS = 3600


@dataclasses.dataclass(frozen=True)
class Regime:
    """How real time becomes recorded time."""

    name: str
    seconds: int  # real length of a recording
    period: float  # real seconds between samples
    factor: int  # recorded seconds a real one stands for
    day: float = 24  # recorded hours from one busiest moment to the next
    quiet: float = 0.15  # the least load, as a share of the most

    @property
    def interval(self):
        """Recorded seconds between samples."""
        return round(self.period * self.factor)

    @property
    def hour(self):
        """Real seconds of a recorded hour."""
        return HOURS / self.factor


DAYS = Regime("days", 13 * 60, 0.25, 480)
FAST = Regime("fast", 12 * 60, 0.5, 20)
REAL = Regime("real", 50 * 60, 5, 1, day=0.3, quiet=0.7)


@dataclasses.dataclass(frozen=True)
class Recording:
    """One program to record."""

    name: str
    regime: Regime
    language: str
    command: str  # how it is started: see record.command
    limit_mib: float
    what: str
    onset_hours: float | None = None  # None: it does not leak
    deploys: tuple[float, ...] = ()  # hours at which it is replaced by a new process
    dies_at_limit: bool = False  # killed at the limit and started again, as a container is
    quiet: float | None = None  # the least load, where it is not the regime's

    @property
    def quiet_share(self):
        return self.regime.quiet if self.quiet is None else self.quiet

    @property
    def held_out(self):
        return zlib.crc32(self.name.encode()) % 5 < 2

    @property
    def label(self):
        return "benign" if self.onset_hours is None else "leak"


def leak(name, regime, language, command, limit_mib, onset_hours, what, **more):
    return Recording(name, regime, language, command, limit_mib, what, onset_hours, **more)


def benign(name, regime, language, command, limit_mib, what, **more):
    return Recording(name, regime, language, command, limit_mib, what, **more)


LEAKS = [
    leak("c-session-records", DAYS, "C", "c leak-request base=30 hourly=2000 bytes=300", 128, 0,
         "A record of each request is never freed; traffic follows the day, so the leak does too."),
    leak("c-error-path", DAYS, "C", "c leak-errors base=40 hourly=2000 bytes=6000 onset=30", 96, 30,
         "An error path that a release brought at 30 h forgets its buffer: a few, and many at once in bursts of errors."),
    leak("c-steady-fast", FAST, "C", "c leak-request base=24 hourly=60000 bytes=400", 128, 0,
         "Each request leaks a little under nearly constant traffic, until the limit is close after hours."),
    leak("c-error-bursts-fast", FAST, "C", "c leak-errors base=30 hourly=60000 bytes=2500 bursts=2 onset=1", 96, 1,
         "From the first hour on failed requests forget their buffer; bursts of them make it irregular."),
    leak("c-crash-loop-fast", FAST, "C", "c leak-request base=20 hourly=60000 bytes=800", 90, 0,
         "A steady leak that is killed at the limit and started again: several lives.", dies_at_limit=True),
    leak("python-list-cache", DAYS, "CPython", "python list-cache base=24 hourly=300 size=1200", 128, 0,
         "Answers are cached by an address that never comes again, without a bound; daily load."),
    leak("python-cycle-no-gc", DAYS, "CPython", "python cycle-without-gc base=30 hourly=200 size=700", 96, 0,
         "Pairs of objects know each other and the collector is switched off, so none is ever freed."),
    leak("python-late-onset", DAYS, "CPython", "python list-cache base=48 hourly=300 size=900 onset=46", 128, 46,
         "Nearly two days of a plateau, then a feature is switched on that caches without a bound."),
    leak("python-restart-at-limit", DAYS, "CPython", "python list-cache base=16 hourly=900 size=2600", 64, 0,
         "An unbounded cache in a container that is killed at its limit and started again: several lives.",
         dies_at_limit=True),
    leak("python-deploys-and-leak", DAYS, "CPython", "python list-cache base=30 hourly=400 size=1300", 96, 0,
         "The same unbounded cache, but deploys restart the process long before the limit.", deploys=(27, 52, 78)),
    leak("python-handlers-fast", FAST, "CPython", "python handlers base=40 hourly=9000 size=2500 onset=1.2", 96, 1.2,
         "From 1.2 h on each request adds a log handler with a buffer, and none is removed."),
    leak("rust-reference-cycle", DAYS, "Rust", "rust reference-cycle base=16 hourly=600 size=1000", 128, 0,
         "The two ends of each session hold one another by strong counts; daily load."),
    leak("rust-interned-names", DAYS, "Rust", "rust intern base=90 hourly=2000", 192, 0,
         "Names are interned for ever, slowly, on top of a large constant base: little in proportion."),
    leak("rust-late-channel", DAYS, "Rust", "rust channel base=24 hourly=1500 size=700 onset=52 share=0.6", 128, 52,
         "After half of the recording the reader of an unbounded channel is slower than its writer, and stays so."),
    leak("rust-channel-fast", FAST, "Rust", "rust channel base=30 hourly=40000 size=900 onset=1.5 share=0.5", 128, 1.5,
         "From 1.5 h on the reader of an unbounded channel takes half of what is written."),
    leak("rust-reference-cycle-fast", FAST, "Rust", "rust reference-cycle base=20 hourly=15000 size=900", 128, 0,
         "Reference-counted cycles under nearly constant traffic."),
    leak("node-listeners", DAYS, "Node", "node --max-old-space-size=96 listeners hourly=200 rows=60", 160, 0,
         "Each request adds a listener, and with it its data, to an emitter that outlives it."),
    leak("node-closures-late", DAYS, "Node", "node --max-old-space-size=96 closures hourly=250 rows=400 onset=34", 160, 34,
         "From a change at 34 h on each closure keeps the one before alive through a shared scope."),
    leak("node-request-map", DAYS, "Node", "node --max-old-space-size=96 request-map base=20 hourly=300 size=1400", 160, 0,
         "A map of requests by id whose entries are not deleted when the answer is sent."),
    leak("node-request-map-fast", FAST, "Node", "node --max-old-space-size=128 request-map hourly=9000 size=2200 onset=0.7", 160, 0.7,
         "From 0.7 h on requests stay in a map by their id."),
    leak("java-static-map", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx96m static-map hourly=400 size=1500 garbage=3000", 176, 0,
         "A static map grows by an entry a request beneath the sawtooth of the serial collector."),
    leak("java-thread-local", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx96m thread-local hourly=300 size=1400 garbage=3000", 176, 0,
         "Threads of a pool that never end keep each request's context in a ThreadLocal."),
    leak("java-audit-fast", FAST, "JVM", "java -XX:+UseG1GC -Xms8m -Xmx80m audit hourly=15000 size=3000 garbage=3000 onset=0.8", 128, 0.8,
         "From 0.8 h on a list of audit records is never written out, in a heap of the G1 collector."),
    leak("redis-keys-without-ttl", DAYS, "Redis", "drive redis base=20 hourly=600 size=900", 96, 0,
         "An application writes keys that never expire and are never asked for again; daily load."),
    leak("redis-forgotten-ttl", DAYS, "Redis", "drive redis base=12 hourly=4000 size=700 ttl=3 unlimited=0.12 onset=40", 96, 40,
         "Keys expire after hours, but from a release at 40 h on some are written without a time to live."),
    leak("redis-queue-fast", FAST, "Redis", "drive redis base=16 hourly=8000 size=700 ttl=0.5 queue=16000 onset=0.6", 64, 0.6,
         "From 0.6 h on jobs are pushed to a list that nobody reads."),
    leak("postgres-prepared", DAYS, "PostgreSQL", "drive prepared hourly=20", 48, 0,
         "One session prepares ever more statements and never gives them back."),
    leak("postgres-temporary-tables-fast", FAST, "PostgreSQL", "drive temporary-tables hourly=700 onset=0.5", 64, 0.5,
         "From 0.5 h on a session's temporary tables are no longer dropped; its catalog caches know them all."),
    leak("python-slow-large-base", DAYS, "CPython", "python list-cache base=100 hourly=250 size=900", 192, 0,
         "An unbounded cache that is little beside what the program holds anyway."),
    leak("node-restart-at-limit", DAYS, "Node", "node --max-old-space-size=96 listeners hourly=600 rows=120", 64, 0,
         "Listeners that are never removed, in a container that is killed at its limit and started again.",
         dies_at_limit=True),
    leak("java-late-g1", DAYS, "JVM", "java -XX:+UseG1GC -Xms8m -Xmx112m audit hourly=500 size=1800 garbage=3000 onset=48", 192, 48,
         "After two days of a G1 heap at work a release brings a list of audit records that is never written out."),
    leak("go-goroutines-real", REAL, "Go", "go goroutines base=20 hourly=36000 size=2000 late=0.3", 128, 0,
         "Who gives up waiting leaves a goroutine behind that wants to hand over its answer, and blocks for ever."),
    leak("go-label-sets-real", REAL, "Go", "go label-sets base=30 hourly=90000 onset=0.35", 128, 0.35,
         "From 0.35 h on a registry of metrics has a label that tells visitors apart: each makes a histogram."),
    leak("ruby-memoized-real", REAL, "Ruby", "ruby memoized base=40 hourly=18000 rows=6", 112, 0,
         "A class remembers what it found by everything that was asked, which never comes again."),
    leak("ruby-error-bursts-real", REAL, "Ruby", "ruby errors base=30 hourly=18000 rows=60 onset=0.2", 96, 0.2,
         "From 0.2 h on errors, which come in bursts, wait with their requests for a collector that is never reached."),
    leak("perl-links-real", REAL, "Perl", "perl links base=24 hourly=18000 size=800", 80, 0,
         "Sessions and their items refer to one another, and Perl only counts references."),
    leak("php-query-log-real", REAL, "PHP", "php query-log base=16 hourly=54000 values=60", 40, 0,
         "A worker's log of statements is meant for debugging; it is killed at the limit and started again: several lives.",
         dies_at_limit=True),
    leak("python-timeouts-real", REAL, "CPython", "python later base=40 hourly=45000 size=2000 onset=0.4", 112, 0.4,
         "From 0.4 h on the timeout of a request, a day away, is not cancelled and keeps what it would need."),
    leak("python-threads-real", REAL, "CPython", "python threads base=30 hourly=700 rows=2000 onset=0.1", 128, 0.1,
         "From 0.1 h on each reconnect leaves a thread behind that waits for ever, with its stack and its data."),
    leak("python-cursors-real", REAL, "CPython", "python cursors base=20 hourly=18000 share=0.1 onset=0.25", 96, 0.25,
         "From 0.25 h on some requests leave a cursor of SQLite open in the middle of a sorted answer."),
    leak("node-promise-race-real", REAL, "Node", "node --max-old-space-size=128 race hourly=54000 size=1100", 128, 0,
         "Every answer races with a promise that is never settled, which keeps all that raced with it."),
    leak("node-heartbeats-real", REAL, "Node", "node --max-old-space-size=128 heartbeats hourly=12000 size=6000 onset=0.3", 96, 0.3,
         "From 0.3 h on the heartbeat of a connection is not cleared when the connection ends."),
    leak("java-delete-on-exit-real", REAL, "JVM", "java -XX:+UseG1GC -Xms8m -Xmx96m delete-on-exit hourly=72000 garbage=120000 onset=0.2", 144, 0.2,
         "From 0.2 h on temporary files are to be deleted at the end of the process, and the JVM notes each until then."),
    leak("java-direct-buffers-real", REAL, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m direct hourly=36000 size=8000 share=0.2 garbage=90000", 112, 0,
         "A share of the buffers outside the heap is never given back; the heap itself is small and well."),
    leak("redis-seen-set-real", REAL, "Redis", "drive redis base=20 hourly=20000 ttl=0.1 seen=400000", 96, 0,
         "The ids of all events are kept in a set to know one that comes twice, and none is ever removed."),
    leak("postgres-held-cursors-real", REAL, "PostgreSQL", "drive held-cursors hourly=1500 rows=200 onset=0.15", 64, 0.15,
         "From 0.15 h on a session's cursors, which outlive their transaction, are not closed."),
    leak("c-addresses-real", REAL, "C", "c addresses base=10 hourly=180000", 96, 0,
         "Clients are noted in a table that nobody leaves: a slope of notes, and a step each time that the table doubles."),
    leak("rust-retries-real", REAL, "Rust", "rust retries base=24 hourly=40000 size=3000 gone=0.4 onset=0.3", 64, 0.3,
         "From 0.3 h on messages to a receiver that is gone are tried again without an end, beside those that are delivered."),
    leak("go-watches-fast", FAST, "Go", "go watches base=20 hourly=6000 size=2000 onset=0.8", 144, 0.8,
         "From 0.8 h on the timer that looks after a session sets itself again when the session is long over.", quiet=0.6),
    leak("ruby-finders", DAYS, "Ruby", "ruby finders base=24 hourly=600 onset=24", 80, 24,
         "From a release at 24 h on a method is defined for each thing that is looked for, and methods stay; daily load."),
    leak("rust-tokens-after-warm-up", DAYS, "Rust", "rust tokens base=16 hourly=1000 size=1500 templates=1500 onset=40", 128, 40,
         "A warm-up of a day; from 40 h on requests do not leave the token that would cancel them all."),
    leak("redis-cart-fields-fast", FAST, "Redis", "drive redis base=12 hourly=8000 size=700 ttl=0.5 fields=8000 onset=1", 64, 1,
         "From 1 h on carts are fields of one hash; only whole keys have a time to live, so that no cart ever leaves.", quiet=0.6),
    leak("java-script-loaders", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m scripts hourly=400 every=6 scripts=250 garbage=3000", 112, 0,
         "Every few hours scripts are loaded anew by class loaders of their own, and a registry keeps the old ones: metaspace in steps."),
    leak("go-excerpts", DAYS, "Go", "go excerpts base=30 hourly=500 size=1500 onset=20", 144, 20,
         "From a release at 20 h on a title is kept of every document, and with it the whole document that it is a piece of."),
    leak("node-import-slices", DAYS, "Node", "node --max-old-space-size=64 slices hourly=200 from=2 until=5 documents=220 size=12000", 128, 2,
         "Documents are imported at night only; a slice of each buffer stays, outside the heap, and keeps all of it."),
    leak("perl-compiled-rules", DAYS, "Perl", "perl rules base=16 hourly=60 lines=8", 96, 0,
         "What is asked for is compiled to a rule with a name of its own, which its package keeps; daily load."),
    leak("php-identity-map", DAYS, "PHP", "php identity-map base=10 hourly=1500 size=1500", 64, 0,
         "A worker knows every row that it ever read; it is killed at the limit and started again: several lives.",
         dies_at_limit=True),
    leak("redis-event-log", DAYS, "Redis", "drive redis base=10 hourly=0 events=1500 latest=8000 size=900 onset=32", 96, 32,
         "The latest events are kept in a sorted set, full within hours; from a release at 32 h on nobody trims it."),
    leak("c-pinned-notes", DAYS, "C", "c notes base=12 hourly=1500 bytes=120", 96, 0,
         "Small notes that stay lie between large buffers that go, so that the heap is left in pieces as well; daily load."),
    leak("c-unjoined-threads-fast", FAST, "C", "c lookups base=20 hourly=900 bytes=6000 onset=0.5", 80, 0.5,
         "From 0.5 h on threads that have ended are not joined: what each returned stays, and the rest of its stack.", quiet=0.6),
    leak("ruby-open-exports-fast", FAST, "Ruby", "ruby exports base=16 hourly=3000 share=0.2 onset=0.7", 112, 0.7,
         "From 0.7 h on some exports are not read to their end, and each leaves a fiber with its stack behind.", quiet=0.6),
    leak("redis-script-cache-fast", FAST, "Redis", "drive redis base=16 hourly=8000 size=700 ttl=0.4 scripts=12000 onset=1.2", 96, 1.2,
         "From 1.2 h on scripts are sent with their values in the text: each is compiled and kept as another one.", quiet=0.6),
    leak("postgres-session-settings-fast", FAST, "PostgreSQL", "drive settings hourly=700 size=6000", 32, 0,
         "Each request leaves a setting with a name of its own, and a session keeps them until it ends.", quiet=0.6),
    leak("rust-leaked-reloads-fast", FAST, "Rust", "rust reloads base=24 hourly=20000 every=0.25 rows=9000", 96, 0,
         "Rules are read anew every quarter of an hour and leaked, so that everybody may borrow them: a staircase.", quiet=0.6),
    leak("c-restless-sessions-real", REAL, "C", "c restless base=12 sessions=700 hourly=90000 bytes=160", 64, 0,
         "A note of each request is never freed, while sessions come and go by chance, megabytes within minutes."),
    leak("node-tenant-contexts-real", REAL, "Node", "node --max-old-space-size=128 tenants hourly=9000 every=0.03 onset=0.15", 72, 0.15,
         "From 0.15 h on each new tenant's script gets a context with globals of its own, and none is ever given up: steps."),
    leak("perl-reconnect-storms-real", REAL, "Perl", "perl storms base=20 hourly=18000 onset=0.1 every=0.1 clients=170 size=8000", 64, 0.1,
         "From 0.1 h on clients that connect anew leave their former handlers behind; all do so at once, minutes apart."),
]

BENIGN = [
    benign("c-fragmentation", DAYS, "C", "c fragmentation slots=9000 hourly=5000", 96,
           "Blocks of random sizes and lives in a fixed number of slots: malloc's heap fragments and levels off."),
    benign("c-pool-daily", DAYS, "C", "c pool base=10 sessions=3000 bytes=16384", 128,
           "A free list keeps what the busiest hour needed; the peak of the day is never returned to the system."),
    benign("c-reload-steps", DAYS, "C", "c reload base=10 every=17 rows=7000", 96,
           "Configuration is loaded anew every 17 h, the new tables before the old ones go; some reloads bring more rows."),
    benign("c-traffic-ramp-fast", FAST, "C", "c ramp base=12 sessions=3500 from=0.5 until=2.5", 128,
           "Traffic and with it the number of sessions climb for two hours and stay there."),
    benign("c-fragmentation-fast", FAST, "C", "c fragmentation slots=6000 hourly=40000 base=8", 64,
           "A heap of random sizes and lives that fills within the first hour and goes on in a steady state."),
    benign("python-idle", DAYS, "CPython", "python idle", 48, "An interpreter with a heartbeat and nothing else."),
    benign("python-hourly-batch", DAYS, "CPython", "python batch base=12 every=2 rows=5000", 96,
           "Every two hours a job reads, sorts and forgets rows; some jobs are three times as large as others."),
    benign("python-lru-cache", DAYS, "CPython", "python lru base=12 hourly=300 entries=8000 space=30000 size=3000", 128,
           "functools.lru_cache with a bound fills over a day and more, then evicts."),
    benign("python-deploys-warm-up", DAYS, "CPython", "python warm base=16 hourly=400 templates=1500 size=9000", 96,
           "Each deploy starts a process that loads what it is asked for once and is then complete.",
           deploys=(22, 29, 53, 71)),
    benign("python-nightly-report", DAYS, "CPython", "python nightly base=20 rows=14000", 96,
           "Light traffic, and a nightly report that needs twice the memory for an hour and frees it."),
    benign("python-gc-cycles", DAYS, "CPython", "python cycle-with-gc base=16 hourly=600 rest=700 generations=3 recent=1200 size=900", 96,
           "Pairs of objects that only the cyclic collector frees, run seldom: a sawtooth over a bounded history."),
    benign("python-batch-fast", FAST, "CPython", "python batch base=12 every=0.2 rows=6000", 96,
           "A job every twelve minutes that allocates and frees, of varying size."),
    benign("python-warm-up-fast", FAST, "CPython", "python warm base=20 hourly=8000 templates=1000 size=24000", 128,
           "A warm-up that takes hours: what is asked for is loaded once, what is rare late."),
    benign("rust-arena-daily", DAYS, "Rust", "rust arena base=12 hourly=3000", 96,
           "An arena grows with the day's work and is replaced by a smaller one at the end of the day."),
    benign("rust-cache-fill", DAYS, "Rust", "rust cache-fill base=10 until=34 entries=24000", 96,
           "A cache is filled evenly for 34 h until it is complete: a straight line that ends."),
    benign("rust-connection-pool", DAYS, "Rust", "rust connections base=8 most=700", 96,
           "A pool of connections with buffers is enlarged at 40 h, and made a little smaller at 75 h."),
    benign("rust-backlog-fast", FAST, "Rust", "rust backlog base=12 hourly=40000 workers=22000 size=2500 period=1.6", 128,
           "A queue builds while work comes faster than it is done, and drains after, again and again."),
    benign("rust-bounded-cache-fast", FAST, "Rust", "rust bounded-cache base=10 hourly=30000 entries=14000", 96,
           "A cache with a bound fills for an hour or two and then evicts the oldest."),
    benign("node-idle", DAYS, "Node", "node idle", 96, "A runtime with a heartbeat and nothing else."),
    benign("node-garbage", DAYS, "Node", "node --max-old-space-size=64 garbage hourly=150", 128,
           "Requests make garbage in a heap that warms up and is collected."),
    benign("node-lru", DAYS, "Node", "node --max-old-space-size=64 lru hourly=300 entries=5000 size=1800", 128,
           "A map with a bound fills for a day and more."),
    benign("node-sessions-daily", DAYS, "Node", "node --max-old-space-size=96 sessions hourly=300 lasts=4", 128,
           "Sessions expire hours after they began; there are as many as the time of day brings."),
    benign("node-uploads-fast", FAST, "Node", "node uploads hourly=4000 size=40000 flat=0.6", 192,
           "Buffers outside the heap come and go with uploads."),
    benign("node-garbage-fast", FAST, "Node", "node --max-old-space-size=64 garbage hourly=6000 width=120", 128,
           "Requests make garbage, in the first hours of a heap."),
    benign("java-idle", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m idle", 128,
           "A runtime with a heartbeat; the young generation is touched slowly until its first collection."),
    benign("java-serial-sawtooth", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m sawtooth hourly=1000 recent=4000 garbage=12000", 144,
           "The heap expands towards -Xmx over a bounded window of answers: the serial collector's sawtooth."),
    benign("java-lru", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx96m lru hourly=500 entries=4000 space=30000 size=5000", 176,
           "A LinkedHashMap with removeEldestEntry fills over a day and more and then evicts."),
    benign("java-g1-sawtooth", DAYS, "JVM", "java -XX:+UseG1GC -Xms8m -Xmx80m sawtooth hourly=1000 recent=3000 garbage=12000", 176,
           "The heap of the G1 collector expands over a bounded window of answers."),
    benign("java-g1-fast", FAST, "JVM", "java -XX:+UseG1GC -Xms8m -Xmx80m sawtooth hourly=25000 recent=5000 garbage=12000", 176,
           "The first hours of a G1 heap under load: it expands, then it is a sawtooth."),
    benign("redis-lru-maxmemory", DAYS, "Redis", "drive redis maxmemory=40 hourly=3400 size=900", 72,
           "A cache without times to live fills to maxmemory in a day, then the least recently used keys leave."),
    benign("redis-ttl-daily", DAYS, "Redis", "drive redis base=8 hourly=5000 size=800 ttl=5", 72,
           "Keys expire after hours; there are as many as the time of day brings."),
    benign("redis-lru-fast", FAST, "Redis", "drive redis maxmemory=32 hourly=60000 size=700", 64,
           "A cache fills to maxmemory in the first hours, then it evicts."),
    benign("redis-idle", DAYS, "Redis", "drive redis base=4", 32, "A server that nobody talks to."),
    benign("memcached-fill", DAYS, "memcached", "drive memcached megabytes=36 hourly=2600 size=700", 96,
           "A cache fills to its -m in about a day and evicts from then on."),
    benign("memcached-fast", FAST, "memcached", "drive memcached megabytes=24 hourly=120000 size=600", 64,
           "A cache fills to its -m within the first hours."),
    benign("nginx-slow-readers", DAYS, "nginx", "drive nginx most=70 lasts=6", 80,
           "Downloads by slow readers, each with a compressor, as many as the time of day brings."),
    benign("nginx-steady-fast", FAST, "nginx", "drive nginx most=60 lasts=0.5 flat=0.8", 64,
           "A nearly constant number of downloads that come and go."),
    benign("postgres-sorts-daily", DAYS, "PostgreSQL", "drive sorts hourly=5 rows=30000", 64,
           "A session's sorts are as large as the time of day brings, with varying work_mem."),
    benign("postgres-catalog-warm-up", DAYS, "PostgreSQL", "drive catalog-warm-up hourly=30 tables=500", 48,
           "A session learns the schema table by table, until its caches know all of it."),
    benign("postgres-prepared-released-fast", FAST, "PostgreSQL", "drive prepared hourly=1500 release=300", 48,
           "A session prepares ever more statements and gives back the oldest."),
    benign("c-healthy", DAYS, "C", "c leak-request base=24 hourly=2000 onset=1e9", 64,
           "The service whose twin leaks a record a request, without the leak."),
    benign("rust-healthy-channel", DAYS, "Rust", "rust channel base=20 hourly=1500 size=700 onset=1e9", 64,
           "A channel whose reader keeps up with its writer."),
    benign("python-healthy", DAYS, "CPython", "python list-cache base=24 hourly=300 onset=1e9", 64,
           "The service whose twin caches without a bound, without the cache."),
    benign("node-healthy", DAYS, "Node", "node --max-old-space-size=64 listeners base=8 hourly=250 onset=1e9", 128,
           "The service whose twin never removes its listeners, without them."),
    benign("java-healthy", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m static-map hourly=400 garbage=3000 onset=1e9", 144,
           "The service whose twin fills a static map, without the map."),
    benign("java-deploys", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m lru hourly=800 entries=3000 space=12000 size=2500", 144,
           "Deploys restart a service whose bounded cache fills anew each time.", deploys=(25, 33, 62, 90)),
    benign("go-bodies-real", REAL, "Go", "go bodies base=20 hourly=72000", 224,
           "Bodies of every size are read into buffers of a pool, which the collector empties; more in busy minutes.", quiet=0.3),
    benign("go-merges-real", REAL, "Go", "go merges base=10 hourly=72000 keys=4000 size=5000", 208,
           "A store writes small sorted tables and merges them every few minutes, over a bounded number of keys."),
    benign("ruby-jobs-real", REAL, "Ruby", "ruby jobs base=16 threads=5 every=0.02 rows=20000", 176,
           "Five threads do jobs of every size; each has an arena of malloc's, and the heap keeps what the largest needed."),
    benign("perl-pages-real", REAL, "Perl", "perl pages base=10 hourly=9000 kinds=30 most=2", 112,
           "Each kind of page keeps the buffer of its largest answer so far, up to a bound: steps that become rare."),
    benign("php-documents-real", REAL, "PHP", "php documents base=8 hourly=54000 size=6000 recent=3000", 112,
           "Documents are left to PHP's cyclic collector, which runs at ten thousand candidates: a sawtooth."),
    benign("python-sessions-real", REAL, "CPython", "python sessions base=16 most=3000 size=12000", 96,
           "As many sessions are open as a load brings that rises and falls within minutes.", quiet=0.3),
    benign("node-campaign-real", REAL, "Node", "node --max-old-space-size=96 campaign hourly=72000 until=0.3", 96,
           "Heavy traffic for twenty minutes, then next to none: an idle heap that the runtime may shrink."),
    benign("node-templates-real", REAL, "Node", "node --max-old-space-size=96 templates hourly=9000 templates=600 lines=150", 96,
           "Templates are compiled when they are first asked for, until all of them are."),
    benign("java-parallel-real", REAL, "JVM", "java -XX:+UseParallelGC -Xms8m -Xmx80m sawtooth hourly=72000 recent=9000 garbage=150000", 144,
           "The heap of the parallel collector grows towards -Xmx over a bounded window of answers, and is collected."),
    benign("java-shenandoah-lru-real", REAL, "JVM", "java -XX:+UseShenandoahGC -Xms8m -Xmx96m lru hourly=36000 entries=4000 space=30000 size=5000 garbage=60000", 176,
           "A bounded cache fills and evicts under a collector that works alongside and gives back what it does not need."),
    benign("redis-volatile-real", REAL, "Redis", "drive redis maxmemory=40 volatile=1 hourly=140000 size=900 ttl=2", 64,
           "A cache fills to maxmemory; from then on the keys leave that would expire first."),
    benign("memcached-skewed-real", REAL, "memcached", "drive memcached megabytes=28 hourly=240000 size=600 keys=200000 skew=3", 64,
           "A cache with some keys that are set again and again fills to its -m and evicts."),
    benign("nginx-keep-alive-real", REAL, "nginx", "drive keep-alive most=700 slow=0.1", 64,
           "Connections stay open between requests, as many as the minute's load brings; a few read slowly.", quiet=0.3),
    benign("postgres-aggregates-real", REAL, "PostgreSQL", "drive aggregates hourly=1200 rows=80000", 64,
           "A session counts groups of every size in memory, and forgets them with the answer."),
    benign("c-arenas-real", REAL, "C", "c arenas base=6 threads=6 every=0.04 hourly=90000 slots=3000", 96,
           "Workers start one after another, each with an arena of malloc's and a bounded number of blocks in it."),
    benign("rust-recent-real", REAL, "Rust", "rust recent base=12 hourly=40000 entries=6000 size=4000", 64,
           "A cache with a bound, asked for few keys often and for many seldom, fills and then evicts."),
    benign("go-cache-fast", FAST, "Go", "go cache base=10 hourly=36000 entries=8000 size=3000", 112,
           "A cache with a bound and a few keys that are asked for most of the time fills and evicts.", quiet=0.6),
    benign("ruby-reports", DAYS, "Ruby", "ruby jobs base=16 threads=4 every=1 rows=8000", 128,
           "Threads make reports of every size about once an hour and forget them."),
    benign("python-sessions-step", DAYS, "CPython", "python sessions base=16 most=1500 size=12000 step=50 larger=1.4", 96,
           "Sessions follow the time of day; from 50 h on each client opens more of them, and it stays so."),
    benign("python-index-build", DAYS, "CPython", "python index base=16 begins=20 lasts=20 documents=16000", 128,
           "An index is built from 20 h to 40 h, in a straight line; from then on it is only asked."),
    benign("python-sqlite-pages", DAYS, "CPython", "python pages base=8 hourly=300 rows=100000 megabytes=28", 80,
           "SQLite's cache of pages fills for two days as rows of a larger table are read, and then evicts."),
    benign("ruby-fragments", DAYS, "Ruby", "ruby fragments base=8 hourly=300 entries=5000 space=30000 size=2000 every=6", 80,
           "A hash with a bound fills for a day and a half in nearly a straight line, then the oldest leaves; collected every few hours."),
    benign("php-recycled-worker", DAYS, "PHP", "php texts base=6 hourly=300 pages=800 lines=250", 64,
           "A worker is replaced after so many jobs; each loads anew what it is asked for, until that is all of it.",
           deploys=(18, 37, 58, 80)),
    benign("java-soft-cache", DAYS, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx64m soft-cache hourly=1000 space=30000 size=4000 garbage=3000", 144,
           "Soft references fill the heap until full collections clear what is long unused; the heap stays as large as it became."),
    benign("c-job-summaries", DAYS, "C", "c summaries base=6 hourly=1500 every=6 rows=8000", 80,
           "Jobs free their rows, but a small summary at the heap's top keeps malloc from giving anything back; the latest are kept."),
    benign("rust-log-store-fast", FAST, "Rust", "rust log-store base=8 hourly=20000 keys=6000 size=2500", 96,
           "A log of a bounded number of keys grows until most of it is outdated, and is then written anew: a sawtooth.", quiet=0.6),
    benign("node-worker-pool-fast", FAST, "Node", "node --max-old-space-size=64 workers hourly=4000 most=5 every=0.4", 112,
           "A pool of worker threads, each with a heap of its own, is made larger step by step until 1.6 h.", quiet=0.6),
    benign("redis-latest-events-fast", FAST, "Redis", "drive redis base=8 hourly=0 events=16000 latest=24000 size=800 onset=1e9", 64,
           "A sorted set of events fills for hours in a straight line until it holds the latest that are wanted.", quiet=0.6),
    benign("postgres-temporary-buffers-fast", FAST, "PostgreSQL", "drive temporary-rows hourly=2000 megabytes=24", 64,
           "A session's buffers for temporary tables fill in a straight line until temp_buffers are in use.", quiet=0.6),
    benign("memcached-expiring-fast", FAST, "memcached", "drive memcached megabytes=40 hourly=40000 size=700 ttl=0.6", 80,
           "Sessions last a good half hour; the memory of those that expired serves the next ones, below -m.", quiet=0.95),
    benign("go-at-rest-fast", FAST, "Go", "go idle base=6", 32,
           "A heartbeat and nothing else: the heap creeps from one of the runtime's rare collections to the next."),
    benign("java-cached-threads-real", REAL, "JVM", "java -XX:+UseSerialGC -Xms8m -Xmx32m cached-threads hourly=36000 garbage=20000", 80,
           "A thread for each request that waits, with a stack of its own, as many as the minute's load needs.", quiet=0.3),
    benign("go-retention-real", REAL, "Go", "go retention base=8 hourly=36000 size=1500 keep=0.35", 96,
           "What came within the last 0.35 h is kept: a straight line until the first of it is old enough to go."),
    benign("rust-frames-real", REAL, "Rust", "rust frames base=8 hourly=14000 frames=4500", 64,
           "Pages of a large file are read into the frames of a pool until none is free; from then on frames change hands."),
    benign("postgres-functions-real", REAL, "PostgreSQL", "drive functions hourly=1500 functions=450 statements=4", 48,
           "A session calls all functions in turn and keeps each compiled and planned, until it has called the last."),
]

ALL = LEAKS + BENIGN
