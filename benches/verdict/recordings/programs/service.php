<?php
// Small workers in PHP, one scenario each: service.php SCENARIO [NAME=NUMBER]...
//
// Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
declare(strict_types=1);

ini_set('memory_limit', '-1');
[, $scenario] = $argv + [1 => ''];
parse_str(implode('&', array_slice($argv, 2)), $numbers);
mt_srand((int) environment('SEED', 0));

function environment(string $name, float $otherwise): float
{
    return (float) (getenv($name) ?: $otherwise);
}

function number(string $name, float $otherwise): float
{
    global $numbers;
    return (float) ($numbers[$name] ?? $otherwise);
}

function uniform(): float
{
    return mt_rand() / (mt_getrandmax() + 1);
}

function hours(): float
{
    static $begin = null;
    $begin ??= environment('BEGIN', microtime(true));
    return (microtime(true) - $begin) / environment('HOUR', 7.5);
}

/** Traffic as a share of its peak: quiet nights, busy days. */
function load(float $at): float
{
    $quiet = environment('QUIET', 0.15);
    $wave = 0.5 - 0.5 * cos(2 * M_PI * ($at / environment('DAY', 24) + environment('PHASE', 0)));
    return $quiet + (1 - $quiet) * $wave ** 1.5;
}

/** Yields the time for each job that arrives, ten times a real second, for ever. */
function jobs(float $hourly): Generator
{
    for ($before = hours(); ; $before = $at) {
        usleep(100_000);
        $at = hours();
        for ($left = (int) ($hourly * load($at) * ($at - $before) * (0.5 + uniform()) + uniform()); $left > 0; $left--) {
            serve();
            yield $at;
        }
    }
}

/** A job: a document that is parsed, looked at and forgotten. */
function serve(): int
{
    $document = json_encode(array_map(fn ($i) => ['id' => $i, 'name' => "name $i " . uniform()], range(1, 40)));
    return array_sum(array_column(json_decode($document, true), 'id'));
}

/** Every statement is noted in a log that is meant for debugging and is never emptied. */
function query_log(): void
{
    $log = [];
    foreach (jobs(number('hourly', 18000)) as $at) {
        if ($at >= number('onset', 0)) {
            $given = array_map(fn () => uniform(), range(1, (int) number('values', 20)));
            $log[] = ['query' => "select * from items where id in ($given[0])", 'bindings' => $given, 'time' => $at];
        }
    }
}

final class Node
{
    public ?Node $parent = null;
    public ?Node $child = null;

    public function __construct(public string $text)
    {
    }
}

/** Documents whose nodes know their parents are left to the cyclic collector; the latest are kept for a while. */
function documents(): void
{
    $latest = new SplQueue();
    foreach (jobs(number('hourly', 18000)) as $at) {
        $root = new Node(str_repeat('x', (int) (number('size', 2000) * (0.5 + uniform()))));
        $root->child = new Node('child');
        $root->child->parent = $root;
        $latest->enqueue($root);
        if (count($latest) > number('recent', 3000)) {
            $latest->dequeue();
        }
    }
}

/** Each row is known by its id, as an object and as it was when it was read, and nobody clears what is known. */
function identity_map(): void
{
    $known = [];
    foreach (jobs(number('hourly', 1500)) as $at) {
        $id = count($known);
        $row = ['id' => $id, 'name' => "name $id", 'note' => str_repeat('x', (int) (number('size', 1500) * (0.5 + uniform())))];
        $known["Item#$id"] = ['object' => (object) $row, 'original' => $row];
    }
}

/** Texts are loaded with the page that first needs them, until all are. */
function texts(): void
{
    $loaded = [];
    foreach (jobs(number('hourly', 300)) as $at) {
        $page = (int) (uniform() * number('pages', 800));
        $loaded[$page] ??= array_map(fn ($i) => str_repeat("text $i of $page ", 5), range(1, (int) number('lines', 250)));
    }
}

/** Again and again a job reads more and more rows until it can write all of them; what is wrong with a row may be noted for ever. */
function imports(): void
{
    $rows = $errors = [];
    $due = number('every', 1.1) * uniform();
    $read = hours();
    foreach (jobs(number('hourly', 9000)) as $at) {
        if ($at >= $due + number('lasts', 0.7)) {
            $rows = [];
            $due += number('every', 1.1) * (0.8 + 0.4 * uniform());
        }
        for (; $at >= $due && $read < $at; $read += number('lasts', 0.7) / number('rows', 16000)) {
            $id = count($rows);
            $rows[] = ['id' => $id, 'text' => str_repeat('x', (int) (number('size', 1000) * (0.5 + uniform())))];
            if (uniform() < number('wrong', 0)) {
                $errors[] = ['at' => $at, 'message' => "row $id: " . str_repeat('?', (int) number('size', 1000))];
            }
        }
        $read = max($read, $at);
    }
}

$scenarios = [
    'query-log' => query_log(...), 'documents' => documents(...), 'identity-map' => identity_map(...), 'texts' => texts(...),
    'imports' => imports(...),
];
if (!isset($scenarios[$scenario])) {
    fwrite(STDERR, "service.php: a scenario that exists is needed as first argument\n");
    exit(2);
}
$base = array_map(fn () => str_repeat('Z', 1 << 16), array_fill(0, (int) (number('base', 0) * 16), 0));
$scenarios[$scenario]();
