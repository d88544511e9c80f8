"""Starts a server of its own and drives its load: drive.py SCENARIO [NAME=NUMBER]...

Writes the pid of the process that counts to WORK/pid, and stops the server when it is told to end. Everything is below
WORK and on unix sockets. Amounts are per hour of recorded time; HOUR and BEGIN come from the environment.
"""

import glob
import os
import pathlib
import pwd
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from service import BEGIN, arrivals, hours, load, ticks

WORK = pathlib.Path(os.environ["WORK"])
SOCKET = WORK / "socket"
ROOT = os.geteuid() == 0
os.environ["PATH"] += ":/usr/sbin"


def await_true(what, condition, seconds=60):
    """Waits until `condition` holds."""
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            sys.exit(f"{what} did not come within {seconds} s")
        time.sleep(0.1)


def answers():
    """Whether something accepts connections on the socket."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(SOCKET))
        return True
    except OSError:
        return False


def counts(pid):
    """Says which process is to be measured, and waits for the recording to begin."""
    (WORK / "pid.new").write_text(str(pid))
    (WORK / "pid.new").rename(WORK / "pid")
    time.sleep(max(0, BEGIN - time.time()))


class Client:
    """A connection on which every command is answered by one line."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(SOCKET))

    def send(self, commands):
        """Sends commands and waits for as many lines; `commands` has at most a few thousand."""
        for start in range(0, len(commands), 500):
            batch = commands[start:start + 500]
            self.socket.sendall(b"".join(batch))
            lines = 0
            while lines < len(batch):
                received = self.socket.recv(1 << 16)
                if not received:
                    sys.exit("the server closed the connection")
                lines += received.count(b"\n")


def redis(maxmemory=0, volatile=0, **load_of):
    policy = "volatile-ttl" if volatile else "allkeys-lru"
    flags = ["--maxmemory", f"{int(maxmemory)}mb", "--maxmemory-policy", policy] if maxmemory else []
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", SOCKET, "--save", "", "--appendonly", "no",
                               "--daemonize", "no", "--dir", WORK, *flags])
    yield server
    await_true("redis-server", answers)
    redis_load(Client(), server.pid, **load_of)


def resp(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def value(size):
    return random.randbytes(int(size * random.uniform(0.3, 1.7)))


SCRIPT = """
local user, most = 'user:{user}', 40
local calls = redis.call('EXISTS', user .. ':calls')
if calls > most then
  return redis.call('EXISTS', user .. ':paid')
end
return calls
"""


TASK = """
redis.call('XADD', 'tasks', 'MAXLEN', '~', '2000', '*', 'task', ARGV[1])
if redis.call('EXISTS', 'grouped') == 0 then
  redis.call('XGROUP', 'CREATE', 'tasks', 'group', '0')
  redis.call('SET', 'grouped', '1')
end
local read = redis.call('XREADGROUP', 'GROUP', 'group', 'worker', 'STREAMS', 'tasks', '>')
for _, task in ipairs(ARGV[2] == '1' and {} or read[1][2]) do
  redis.call('XACK', 'tasks', 'group', task[1])
end
return 1
"""


def redis_load(client, pid, base=0, hourly=0, size=900, keys=1e15, ttl=0, unlimited=0, onset=0, queue=0, seen=0,
               fields=0, events=0, latest=0, scripts=0, visits=0, pages=1000, tasks=0):
    """SETs of `keys` different keys; with a time to live of `ttl` hours but for a share of `unlimited` from `onset` on.

    From there on as many jobs as `queue` says are pushed to a list, ids `seen` to a set, and `fields` to a hash, and each of
    `scripts` is a text of its own. Of `events` in a sorted set the `latest` are kept until then, and all of them after.
    Of `tasks` a stream keeps the latest, and they are read by a group, which does not acknowledge them from then on.
    A hundred `visits` at a time are counted for one of `pages` pages.
    """
    client.send([resp("SET", f"base:{number}", random.randbytes(1024)) for number in range(int(base * 1024))])
    counts(pid)
    hour = float(os.environ["HOUR"])
    for passed in ticks():
        commands = []
        for _ in range(arrivals(hourly, passed)):
            key = f"item:{random.randrange(int(keys))}"
            forever = not ttl or (hours() >= onset and random.random() < unlimited)
            lasts = () if forever else ("PX", int(ttl * hour * 1000 * random.uniform(0.8, 1.2)))
            commands.append(resp("SET", key, value(size), *lasts))
        if queue and hours() >= onset:
            commands += [resp("RPUSH", "jobs", value(size)) for _ in range(arrivals(queue, passed))]
        if seen and hours() >= onset:
            commands += [resp("SADD", "seen", random.randbytes(20).hex()) for _ in range(arrivals(seen, passed))]
        if fields and hours() >= onset:
            commands += [resp("HSET", "carts", random.getrandbits(60), value(size)) for _ in range(arrivals(fields, passed))]
        if events:
            commands += [resp("ZADD", "events", hours(), value(size)) for _ in range(arrivals(events, passed))]
            if hours() < onset:
                commands.append(resp("ZREMRANGEBYRANK", "events", 0, -int(latest) - 1))
        if scripts and hours() >= onset:
            commands += [resp("EVAL", SCRIPT.format(user=random.getrandbits(60)), 0) for _ in range(arrivals(scripts, passed))]
        for _ in range(arrivals(visits, passed)):
            visitors = (random.getrandbits(40) for _ in range(100))
            commands.append(resp("PFADD", f"page:{int(pages * random.random() ** 2)}", *visitors))
        for _ in range(arrivals(tasks, passed)):
            commands.append(resp("EVAL", TASK, 0, value(size), int(hours() >= onset)))
        client.send(commands)


def memcached(megabytes=40, hourly=3000, size=800, keys=1e15, skew=1, ttl=0):
    """Sets of `keys` different keys; a `skew` above 1 sets some far more often than others. They last `ttl` hours, or for ever."""
    user = ["-u", "root"] if ROOT else []
    server = subprocess.Popen(["memcached", "-s", SOCKET, "-m", str(int(megabytes)), "-t", "2", *user])
    yield server
    await_true("memcached", answers)
    client = Client()
    counts(server.pid)
    lasts = round(ttl * float(os.environ["HOUR"]))
    for passed in ticks():
        commands = []
        for _ in range(arrivals(hourly, passed)):
            data = value(size)
            commands.append(b"set item:%d 0 %d %d\r\n%s\r\n" % (keys * random.random() ** skew, lasts, len(data), data))
        client.send(commands)


NGINX = """
daemon off; {user} worker_processes 1; pid {work}/nginx.pid; error_log {work}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; gzip on; gzip_comp_level 1; gzip_types *; keepalive_timeout 600s; send_timeout 600s;
  client_body_temp_path {work}/body; proxy_temp_path {work}/proxy; fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
  server {{ listen unix:{work}/socket; root {work}/files; }}
}}
"""


def start_nginx():
    """An nginx with one worker and a large file."""
    (WORK / "files").mkdir()
    (WORK / "files" / "large").write_text(random.randbytes(1 << 20).hex())
    (WORK / "nginx.conf").write_text(NGINX.format(work=WORK, user="user www-data;" if ROOT else ""))
    return subprocess.Popen(["nginx", "-p", WORK, "-e", WORK / "error.log", "-c", WORK / "nginx.conf"])


def worker_of(server):
    """The pid of nginx's worker, as soon as it is there."""
    await_true("nginx", answers)
    children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children")
    await_true("nginx's worker", lambda: children.read_text().split())
    return children.read_text().split()[0]


def asked(path):
    """A connection on which `path` was asked for."""
    reader = socket.socket(socket.AF_UNIX)
    reader.connect(str(SOCKET))
    reader.sendall(b"GET %s HTTP/1.1\r\nHost: here\r\nAccept-Encoding: gzip\r\n\r\n" % path)
    return reader


def nginx(most=80, lasts=6, flat=0):
    """Downloads by slow readers, each with a compressor of its own; there are as many as the load brings."""
    server = start_nginx()
    yield server
    counts(worker_of(server))
    readers = []
    for _ in ticks():
        wanted = most * (flat or load(hours())) * random.uniform(0.9, 1.1)
        for _ in range(min(3, int(wanted) - len(readers))):
            readers.append((hours() + lasts * random.uniform(0.5, 1.5), asked(b"/large")))
        for reader in [pair for pair in readers if pair[0] < hours()]:
            readers.remove(reader)
            reader[1].close()


def stuck(most=40, lasts=0.4, flat=0.8, hourly=30, onset=0):
    """The same downloads, and others: from `onset` on their readers vanish, and nginx is told to wait for them."""
    steps = nginx(most, lasts, flat)
    yield next(steps)
    threading.Thread(target=next, args=(steps, None), daemon=True).start()
    vanished = []
    await_true("nginx's worker", (WORK / "pid").exists)
    for passed in ticks():
        if hours() >= onset:
            vanished += [asked(b"/large") for _ in range(arrivals(hourly, passed))]


def keep_alive(most=700, slow=0.1):
    """Connections stay open between requests, as many as the load brings; a `slow` share reads a download little by little."""
    server = start_nginx()
    yield server
    counts(worker_of(server))
    opened = []
    for _ in ticks():
        wanted = int(most * load(hours()) * random.uniform(0.98, 1.02))
        for _ in range(min(3, wanted - len(opened))):
            opened.append(asked(b"/large" if random.random() < slow else b"/absent"))
        random.shuffle(opened)
        for connection in opened[wanted:] + opened[:1]:
            connection.close()
        opened = opened[1:wanted]


def postgres(scenario, **settings):
    data = WORK / "cluster"
    data.mkdir()
    owner = {}
    if ROOT:
        os.chown(data, pwd.getpwnam("postgres").pw_uid, -1)
        owner = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": data}
    programs = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
    subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-N", "-U", "postgres"], check=True,
                   stdout=subprocess.DEVNULL, **owner)
    options = ["listen_addresses=", "fsync=off", "shared_buffers=16MB", "max_wal_size=64MB", "jit=off",
               f"unix_socket_directories={data}"]
    server = subprocess.Popen([programs / "postgres", "-D", data, *(f"-c{option}" for option in options)], **owner)
    yield server
    await_true("postgres", lambda: list(data.glob(".s.PGSQL.*[0-9]")))
    session = subprocess.Popen(["psql", "-h", data, "-U", "postgres", "-X", "-q", "-t", "-A"], stdin=subprocess.PIPE,
                               text=True, bufsize=1)

    def say(statement):
        session.stdin.write(statement + "\n")
        session.stdin.flush()

    told = WORK / "backend"
    say(f"\\o {told}\nselect pg_backend_pid();\n\\o /dev/null")
    await_true("the backend's pid", lambda: told.exists() and told.read_text().strip())
    scenario(say, int(told.read_text()), **settings)


def requests(hourly):
    """Numbers requests as they arrive, the first is 1."""
    number = 0
    for passed in ticks():
        for _ in range(arrivals(hourly, passed)):
            number += 1
            yield number


def prepared(say, pid, hourly=20, release=0):
    """A statement is prepared for each kind of request, under a name of its own; with `release` it is given back."""
    counts(pid)
    for number in requests(hourly):
        columns = ", ".join(f"relname || 'x{number}_{i}'" for i in range(3))
        say(f"PREPARE p{number} AS SELECT {columns} FROM pg_class WHERE oid = $1;")
        say(f"EXECUTE p{number}({number});")
        if release and number > release:
            say(f"DEALLOCATE p{number - int(release)};")


def temporary_tables(say, pid, hourly=400, onset=0):
    """Each request makes a temporary table that only the end of the session would drop."""
    counts(pid)
    for number in requests(hourly):
        say(f"CREATE TEMP TABLE t{number} (id int, name text); INSERT INTO t{number} VALUES (1, 'x');")
        if hours() < onset:
            say(f"DROP TABLE t{number};")


def sorts(say, pid, hourly=4, rows=40000):
    """A cursor over a sort is open most of the time; how many rows it holds goes with the load."""
    counts(pid)
    say("BEGIN;")
    for _ in requests(hourly):
        count = int(rows * load(hours()) * random.uniform(0.3, 1.7))
        say(f"COMMIT; BEGIN; SET LOCAL work_mem = '{random.choice((4, 16, 32))}MB';")
        say(f"DECLARE c CURSOR FOR SELECT repeat(g::text, 20) AS k FROM generate_series(1, {count}) g ORDER BY k;")
        say("FETCH 1 FROM c;")


def held_cursors(say, pid, hourly=1500, onset=0, rows=200):
    """Reports are read through cursors that outlive their transaction; from `onset` on nobody closes one."""
    counts(pid)
    for number in requests(hourly):
        count = int(rows * random.uniform(0.5, 1.5))
        say(f"DECLARE c{number} CURSOR WITH HOLD FOR SELECT repeat(g::text, 20) FROM generate_series(1, {count}) g;")
        say(f"FETCH 1 FROM c{number};")
        if hours() < onset:
            say(f"CLOSE c{number};")


def aggregates(say, pid, hourly=1200, rows=30000):
    """Groups of every size are counted in memory, and forgotten with the answer."""
    counts(pid)
    say("SET work_mem = '48MB';")
    for _ in requests(hourly):
        groups = int(rows * random.random() ** 4) + 1
        say(f"SELECT max(n) FROM (SELECT repeat(g::text, 20), count(*) AS n FROM generate_series(1, {groups}) g GROUP BY 1) x;")


def settings(say, pid, hourly=700, size=6000):
    """Each request leaves its context in a setting with a name of its own, which a session keeps until it ends."""
    counts(pid)
    for number in requests(hourly):
        say(f"SET context.request_{number} = '{random.randbytes(int(size * random.uniform(0.25, 0.75))).hex()}';")


def temporary_rows(say, pid, hourly=2000, megabytes=24):
    """Rows go to a temporary table; buffers of the session's own fill with it until all are in use."""
    counts(pid)
    say(f"SET temp_buffers = '{int(megabytes)}MB'; CREATE TEMP TABLE kept (id int, note text);")
    for _ in requests(hourly):
        say("INSERT INTO kept SELECT g, repeat(g::text, 200) FROM generate_series(10, 29) g;")


def reconnected(say):
    """The pid of a new backend, which knows nothing yet."""
    say("\\c")
    told = WORK / "reconnected"
    say(f"\\o {told}\nselect pg_backend_pid();\n\\o /dev/null")
    await_true("the backend's pid", lambda: told.exists() and told.read_text().strip())
    return int(told.read_text())


def functions(say, pid, hourly=1500, functions=500, statements=6):
    """A session calls all functions in turn; each is compiled when it is called first, and planned."""
    for number in range(int(functions)):
        lines = " ".join(f"SELECT count(*) + n INTO n FROM pg_class WHERE relname = a || '{number}_{i}';"
                         for i in range(int(statements)))
        say(f"CREATE FUNCTION f{number}(a text) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int := 0; "
            f"BEGIN {lines} RETURN n; END $$;")
    counts(reconnected(say))
    for number in requests(hourly):
        say(f"SELECT f{number % int(functions)}('x');")


def open_transaction(say, pid, hourly=1500, rows=300, onset=0):
    """Rows refer to others, which is checked at the end of each transaction; from `onset` on one is never ended."""
    say("CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 1000);")
    say("CREATE TABLE child (parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);")
    counts(pid)
    ended = True
    for _ in requests(hourly):
        if ended:
            say("BEGIN;")
        say(f"INSERT INTO child SELECT 1 + g % 1000 FROM generate_series(1, {int(rows * random.uniform(0.5, 1.5))}) g;")
        ended = hours() < onset
        if ended:
            say("COMMIT;")


def catalog_warm_up(say, pid, hourly=40, tables=600):
    """A backend learns the schema table by table: its caches grow until it knows them all."""
    for number in range(int(tables)):
        columns = ", ".join(f"c{i} int" for i in range(20))
        say(f"CREATE TABLE u{number} ({columns}, PRIMARY KEY (c0));")
    counts(reconnected(say))
    for _ in requests(hourly):
        say(f"SELECT count(c1) FROM u{random.randrange(int(tables))} WHERE c0 = 1;")


SCENARIOS = {
    "redis": redis,
    "memcached": memcached,
    "nginx": nginx,
    "stuck": stuck,
    "keep-alive": keep_alive,
    "held-cursors": lambda **settings: postgres(held_cursors, **settings),
    "aggregates": lambda **settings: postgres(aggregates, **settings),
    "prepared": lambda **settings: postgres(prepared, **settings),
    "temporary-tables": lambda **settings: postgres(temporary_tables, **settings),
    "sorts": lambda **settings: postgres(sorts, **settings),
    "settings": lambda **numbers: postgres(settings, **numbers),
    "temporary-rows": lambda **settings: postgres(temporary_rows, **settings),
    "open-transaction": lambda **settings: postgres(open_transaction, **settings),
    "functions": lambda **settings: postgres(functions, **settings),
    "catalog-warm-up": lambda **settings: postgres(catalog_warm_up, **settings),
}


def end(_number, _frame):
    sys.exit(0)


def main():
    scenario, *settings = sys.argv[1:]
    numbers = {name: float(text) for name, text in (setting.split("=") for setting in settings)}
    random.seed(int(os.environ.get("SEED", "0")))
    signal.signal(signal.SIGTERM, end)
    steps = SCENARIOS[scenario](**numbers)
    server = next(steps)
    try:
        next(steps, None)
    finally:
        server.send_signal(signal.SIGQUIT if server.args[0] not in ("redis-server", "memcached", "nginx") else signal.SIGTERM)
        server.wait()


if __name__ == "__main__":
    main()
