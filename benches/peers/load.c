/* The load: processes to look at. Usage: load PROCESSES SECONDS
 *
 * Nine of ten sleep for ever; each tenth holds up to 256 KiB of touched memory, and exchanges it for another amount after
 * one to three thirds of SECONDS. They are forked from one parent, so that they share memory and start within
 * seconds, and have 40 names.
 *
 * Says "ready" once all are there, and then after each line of standard input: "odd" starts one process with 20,000
 * mappings, "odd big" besides one with 4 GiB in memory, "even" ends them. All are gone when standard input ends, or when
 * whoever started this dies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES 40
#define PAGE 4096UL
#define MOST_PAGES 64
#define MAPPINGS 20000UL
#define BIG (4UL << 30)

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Dies with `parent`, even where that died before we could ask for it. */
static void follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static void *map(size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void sleep_for(double seconds)
{
	struct timespec time = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
	nanosleep(&time, NULL);
}

static void act(unsigned seed, double seconds)
{
	for (;;) {
		size_t bytes = PAGE * (1 + rand_r(&seed) % MOST_PAGES);
		char *held = map(bytes, 0);
		if (held != MAP_FAILED)
			for (size_t at = 0; at < bytes; at += PAGE)
				held[at] = 1;
		sleep_for(seconds * (1 + 2.0 * rand_r(&seed) / RAND_MAX) / 3);
		if (held != MAP_FAILED)
			munmap(held, bytes);
	}
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static pid_t start(long index, double seconds)
{
	static const char *const kinds[] = {"api", "worker", "cache", "agent"};
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	follow(parent);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	char name[16];
	snprintf(name, sizeof name, "%s-%ld", kinds[index % 4], index % NAMES / 4);
	prctl(PR_SET_NAME, name);
	/* Not by the index alone: the names would have only idle or only active ones. */
	if ((index + index / NAMES) % 10 == 0)
		act(index, seconds);
	sleep_for_ever();
	return 0;
}

/* Whether there is a place in memory for each page. */
static int fill(void)
{
	return map(BIG, MAP_POPULATE) != MAP_FAILED;
}

/* Neighbours that differ in protection are a mapping each. */
static int split(void)
{
	char *all = map(MAPPINGS * PAGE, MAP_NORESERVE);
	if (all == MAP_FAILED)
		return 0;
	for (size_t at = 0; at < MAPPINGS; at += 2)
		if (mprotect(all + at * PAGE, PAGE, PROT_READ) != 0)
			return 0;
	return 1;
}

/* A process that does it and then sleeps, once it is done. */
static pid_t start_odd(const char *name, int (*grow)(void))
{
	int ends[2];
	char done = 0;
	if (pipe(ends) != 0)
		fail("pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		follow(parent);
		prctl(PR_SET_NAME, name);
		if (!grow()) {
			fprintf(stderr, "load: %s: %s\n", name, strerror(errno));
			_exit(1);
		}
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		close(ends[0]);
		close(ends[1]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		sleep_for_ever();
	}
	close(ends[1]);
	if (read(ends[0], &done, 1) != 1)
		exit(1);
	close(ends[0]);
	return pid;
}

static void stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

int main(int count, char **arguments)
{
	if (count != 3)
		return 2;
	long processes = atol(arguments[1]);
	double seconds = atof(arguments[2]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid_t *pids = calloc(processes + 1, sizeof *pids), big = 0, split_up = 0;
	if (pids == NULL)
		fail("calloc");
	for (long index = 0; index < processes; index++)
		pids[index] = start(index, seconds);
	say_ready();
	char line[32];
	while (fgets(line, sizeof line, stdin) != NULL) {
		stop(&big);
		stop(&split_up);
		if (strcmp(line, "odd big\n") == 0)
			big = start_odd("odd-big", fill);
		if (strncmp(line, "odd", 3) == 0)
			split_up = start_odd("odd-mapped", split);
		say_ready();
	}
	stop(&big);
	stop(&split_up);
	for (long index = 0; index < processes; index++)
		kill(pids[index], SIGKILL);
	for (long index = 0; index < processes; index++)
		waitpid(pids[index], NULL, 0);
	return 0;
}
