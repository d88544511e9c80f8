/* Small services in C, one scenario each: service SCENARIO [NAME=NUMBER]...
 *
 * Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment. */
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int arguments;
static char **argument;
static double begin, hour;
static _Thread_local double before;
static _Thread_local uint64_t random_state;

static double number(const char *name, double otherwise) {
    size_t length = strlen(name);
    for (int i = 2; i < arguments; i++)
        if (!strncmp(argument[i], name, length) && argument[i][length] == '=') return atof(argument[i] + length + 1);
    return otherwise;
}

static double environment(const char *name, double otherwise) {
    const char *text = getenv(name);
    return text ? atof(text) : otherwise;
}

static double uniform(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) / 9007199254740992.0;
}

static double hours(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec + now.tv_nsec / 1e9 - begin) / hour;
}

/* Traffic as a share of its peak: quiet nights, busy days. */
static double load(double at) {
    double quiet = environment("QUIET", 0.15);
    double wave = 0.5 - 0.5 * cos(2 * M_PI * (at / environment("DAY", 24) + environment("PHASE", 0)));
    return quiet + (1 - quiet) * wave * sqrt(wave);
}

/* Sleeps until the next tick; the hours since the one before. */
static double tick(void) {
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    double at = hours(), passed = at - before;
    before = at;
    return passed;
}

/* How many of `hourly` (at peak load) come in `passed` hours. */
static int arrivals(double hourly, double passed) {
    return (int)(hourly * load(before) * passed * (0.5 + uniform()) + uniform());
}

static char *block(size_t bytes) {
    char *memory = malloc(bytes);
    if (!memory) exit(1);
    memset(memory, 0x5a, bytes);
    return memory;
}

static void hold(double megabytes) {
    for (double left = megabytes * 1024; left > 0; left -= 64) block(65536);
}

/* What every request does: a few buffers of its own, parsed and given back. */
static unsigned serve(void) {
    char *buffers[8];
    unsigned sum = 0;
    for (int i = 0; i < 8; i++) {
        size_t bytes = 64 + (size_t)(uniform() * 16000);
        buffers[i] = block(bytes);
        for (size_t at = 0; at < bytes; at += 16) sum += buffers[i][at];
    }
    for (int i = 0; i < 8; i++) free(buffers[i]);
    return sum;
}

/* A session record of each request is never freed, from `onset` on. */
static void leak_request(void) {
    double hourly = number("hourly", 2000), bytes = number("bytes", 200), onset = number("onset", 0);
    for (;;)
        for (int left = arrivals(hourly, tick()); left > 0; left--) {
            serve();
            if (before >= onset) block((size_t)(bytes * (0.5 + uniform())));
        }
}

/* 1 % of requests fail, half of them while a burst lasts; the error path forgets its buffer. */
static void leak_errors(void) {
    double hourly = number("hourly", 2000), bytes = number("bytes", 8192), onset = number("onset", 0), burst_ends = 0;
    for (;;) {
        double passed = tick();
        if (uniform() < passed * number("bursts", 0.15)) burst_ends = before + 0.5 * uniform();
        for (int left = arrivals(hourly, passed); left > 0; left--) {
            serve();
            double failing = before < burst_ends ? 0.5 : 0.01;
            if (uniform() < failing && before >= onset) block((size_t)bytes);
        }
    }
}

/* Blocks of random sizes and random lives: a heap in steady state, fragmented. */
static void fragmentation(void) {
    int slots = (int)number("slots", 6000);
    char **held = calloc(slots, sizeof *held);
    for (;;)
        for (int left = arrivals(number("hourly", 4000), tick()); left > 0; left--) {
            int slot = (int)(uniform() * slots);
            free(held[slot]);
            held[slot] = block((size_t)(32 + exp(uniform() * 10.3)));
        }
}

/* As many sessions as the load asks for; their buffers go to a free list, and never back to malloc. */
static void pool(void) {
    struct session { struct session *next; } *idle = NULL, *busy = NULL;
    int busy_count = 0;
    size_t bytes = (size_t)number("bytes", 16384);
    for (;;) {
        tick();
        int wanted = (int)(number("sessions", 2500) * load(before) * (0.95 + 0.1 * uniform()));
        for (; busy_count < wanted; busy_count++) {
            struct session *session = idle ? idle : (struct session *)block(bytes);
            if (idle) idle = idle->next;
            session->next = busy;
            busy = session;
        }
        for (; busy_count > wanted; busy_count--) {
            struct session *session = busy;
            busy = session->next;
            session->next = idle;
            idle = session;
        }
        for (int i = 0; i < 20; i++) serve();
    }
}

/* Sessions grow with the traffic, which climbs between `from` and `until` and stays there. */
static void ramp(void) {
    int most = (int)number("sessions", 3000), open = 0;
    char **held = calloc(most + 1, sizeof *held);
    for (;;) {
        tick();
        double share = (before - number("from", 0.5)) / (number("until", 2.5) - number("from", 0.5));
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        int wanted = (int)(most * (0.2 + 0.8 * share) * (0.96 + 0.04 * uniform()));
        while (open < wanted) held[open++] = block((size_t)(8192 + uniform() * 16384));
        while (open > wanted) free(held[--open]);
        for (int i = wanted / 100; i > 0; i--) serve();
    }
}

/* Tables are loaded anew on each reload: the new ones first, then the old ones go. Every other reload brings more. */
static void reload(void) {
    double next = 0, every = number("every", 17);
    size_t rows = 0;
    char **table = NULL;
    for (int version = 0;; ) {
        int left = arrivals(number("hourly", 2000), tick());
        while (left-- > 0) serve();
        if (before < next || version > number("reloads", 4)) continue;
        size_t count = (size_t)(number("rows", 6000) * (1 + 0.2 * (version / 2)));
        char **loaded = calloc(count, sizeof *loaded);
        for (size_t row = 0; row < count; row++) loaded[row] = block((size_t)(512 + uniform() * 7000));
        for (size_t row = 0; row < rows; row++) free(table[row]);
        free(table);
        table = loaded, rows = count, version++;
        next += every;
    }
}

/* Clients are noted in a table that doubles when it is full, with a note each; nobody ever leaves it. */
static void addresses(void) {
    struct client { uint64_t address; char *note; double seen[14]; } *table = calloc(2048, sizeof *table);
    size_t size = 2048, count = 0;
    for (;;)
        for (int left = arrivals(number("hourly", 200000), tick()); left > 0; left--) {
            uint64_t address = 1 + (uint64_t)(uniform() * 1e15);
            if (left % 8 == 0) serve();
            if (++count > size / 2) {
                struct client *larger = calloc(2 * size, sizeof *larger);
                for (size_t i = 0; i < size; i++) {
                    if (!table[i].address) continue;
                    size_t at = table[i].address % (2 * size);
                    while (larger[at].address) at = (at + 1) % (2 * size);
                    larger[at] = table[i];
                }
                free(table);
                table = larger, size *= 2;
            }
            size_t at = address % size;
            while (table[at].address) at = (at + 1) % size;
            table[at] = (struct client){address, block((size_t)(number("note", 80) * (0.5 + uniform()))), {before}};
        }
}

/* What a worker keeps: blocks of every size in a fixed number of slots, in an arena of malloc's that is its thread's. */
static void *worker(void *seed) {
    int slots = (int)number("slots", 3000);
    char **held = calloc(slots, sizeof *held);
    random_state = 88172645463325252ull + (uintptr_t)seed * 2654435761ull;
    before = hours();
    for (;;)
        for (int left = arrivals(number("hourly", 20000), tick()); left > 0; left--) {
            int slot = (int)(uniform() * slots);
            serve();
            free(held[slot]);
            held[slot] = block((size_t)(32 + exp(uniform() * 10.3)));
        }
    return NULL;
}

/* A worker more each `every` hours, until there are enough. */
static void arenas(void) {
    double due = 0;
    for (uintptr_t started = 0;;) {
        tick();
        if (before < due || started >= number("threads", 6)) continue;
        pthread_t thread;
        due += number("every", 0.05);
        if (pthread_create(&thread, NULL, worker, (void *)(++started + (uintptr_t)environment("SEED", 0)))) exit(1);
    }
}

/* Each request has many buffers at once and gives them back, but for notes between them that hold their places for ever. */
static void notes(void) {
    enum { most = 60 };
    char *buffers[most];
    double onset = number("onset", 0), bytes = number("bytes", 120);
    for (;;)
        for (int left = arrivals(number("hourly", 1500), tick()); left > 0; left--) {
            for (int i = 0; i < most; i++) {
                buffers[i] = block((size_t)(32 + exp(uniform() * 9.5)));
                if (i % 20 == 10 && before >= onset) block((size_t)(bytes * (0.5 + uniform())));
            }
            for (int i = 0; i < most; i++) free(buffers[i]);
        }
}

static void *lookup(void *seed) {
    random_state = 88172645463325252ull + (uintptr_t)seed * 2654435761ull;
    serve();
    return block((size_t)(number("bytes", 6000) * (0.5 + uniform())));
}

/* Each lookup is a thread; from `onset` on nobody joins it, and what it returned stays with what is left of its stack. */
static void lookups(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    for (uintptr_t started = 0;;)
        for (int left = arrivals(number("hourly", 900), tick()); left > 0; left--) {
            pthread_t thread;
            void *answer;
            if (pthread_create(&thread, &small, lookup, (void *)++started)) exit(1);
            if (before >= number("onset", 0)) continue;
            pthread_join(thread, &answer);
            free(answer);
        }
}

/* Every `every` hours a job fills the heap with rows and frees them. The latest summaries, made last, hold up its top. */
static void summaries(void) {
    enum { kept = 12 };
    char *summary[kept] = {0};
    double every = number("every", 6), due = every / 2;
    for (int job = 0;;) {
        for (int left = arrivals(number("hourly", 2000), tick()); left > 0; left--) serve();
        if (before < due) continue;
        size_t count = (size_t)(number("rows", 8000) * (0.5 + uniform()));
        char **rows = calloc(count, sizeof *rows);
        for (size_t row = 0; row < count; row++) rows[row] = block((size_t)(64 + uniform() * 4000));
        free(summary[job % kept]);
        summary[job++ % kept] = block(20000);
        for (size_t row = 0; row < count; row++) free(rows[row]);
        free(rows);
        due += every;
    }
}

/* As many sessions as chance brings, another number every few minutes, and what is free goes back to the system.
 * A note of each request is never freed, from `onset` on. */
static void restless(void) {
    int most = (int)number("sessions", 500), open = 0, wanted = most / 2;
    double due = 0, bytes = number("bytes", 150), onset = number("onset", 0);
    char **held = calloc(most + 1, sizeof *held);
    for (;;) {
        for (int left = arrivals(number("hourly", 90000), tick()); left > 0; left--) {
            serve();
            if (before >= onset) block((size_t)(bytes * (0.5 + uniform())));
        }
        if (before >= due) {
            wanted = (int)(most * (0.4 + 0.6 * uniform()));
            due = before + number("every", 0.05) * (0.5 + uniform());
            malloc_trim(0);
        }
        for (int left = 40; left > 0 && open < wanted; left--) held[open++] = block((size_t)(8192 + uniform() * 16384));
        for (int left = 40; left > 0 && open > wanted; left--) {
            int gone = (int)(uniform() * open--);
            free(held[gone]);
            held[gone] = held[open];
        }
    }
}

/* A log that was laid out at the start is written in order, and over again when it is full: its pages are touched once. */
static void ring(void) {
    size_t size = (size_t)number("megabytes", 40) << 20, at = 0;
    char *log = malloc(size);
    if (!log) exit(1);
    for (;;)
        for (int left = arrivals(number("hourly", 18000), tick()); left > 0; left--) {
            size_t bytes = (size_t)(number("bytes", 1500) * (0.5 + uniform()));
            serve();
            if (at + bytes > size) at = 0;
            memset(log + at, 0x5a, bytes);
            at += bytes;
        }
}

/* Blocks in a fixed number of slots, larger and smaller as the hours go by: what small ones left does not fit large ones. */
static void drifting(void) {
    int slots = (int)number("slots", 6000);
    char **held = calloc(slots, sizeof *held);
    for (;;)
        for (int left = arrivals(number("hourly", 40000), tick()); left > 0; left--) {
            int slot = (int)(uniform() * slots);
            double about = number("bytes", 1500) * exp(1.5 * sin(2 * M_PI * before / number("period", 0.8)));
            free(held[slot]);
            held[slot] = block((size_t)(about * (0.5 + uniform())));
        }
}

static const struct { const char *name; void (*run)(void); } scenarios[] = {
    {"leak-request", leak_request}, {"leak-errors", leak_errors}, {"fragmentation", fragmentation},
    {"pool", pool}, {"ramp", ramp}, {"reload", reload}, {"addresses", addresses},
    {"arenas", arenas}, {"notes", notes}, {"lookups", lookups}, {"summaries", summaries},
    {"restless", restless}, {"ring", ring}, {"drifting", drifting},
};

int main(int count, char **values) {
    arguments = count, argument = values;
    hour = environment("HOUR", 7.5);
    begin = environment("BEGIN", time(NULL));
    random_state = 88172645463325252ull + (uint64_t)environment("SEED", 0) * 2654435761ull;
    hold(number("base", 0));
    before = hours();
    for (size_t i = 0; count > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(values[1], scenarios[i].name)) scenarios[i].run();
    fprintf(stderr, "service: a scenario that exists is needed as first argument\n");
    return 2;
}
