# Small services in Perl, one scenario each: service.pl SCENARIO [NAME=NUMBER]...
#
# Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
use v5.36;
use Time::HiRes qw(sleep time);

my %environment = (HOUR => 7.5, BEGIN => time, PHASE => 0, DAY => 24, QUIET => 0.15, SEED => 0, %ENV);
my ($scenario, @settings) = @ARGV;
my %number = map { split /=/ } @settings;
srand $environment{SEED};

sub hours { (time - $environment{BEGIN}) / $environment{HOUR} }

# Traffic as a share of its peak: quiet nights, busy days.
sub load_at ($at) {
    my $wave = 0.5 - 0.5 * cos(6.283185307 * ($at / $environment{DAY} + $environment{PHASE}));
    return $environment{QUIET} + (1 - $environment{QUIET}) * $wave**1.5;
}

# Calls `handle` for each request that arrives, ten times a real second, for ever.
sub requests ($handle) {
    my $before = hours;
    while (1) {
        sleep 0.1;
        my $at = hours;
        my $count = int(($number{hourly} // 18000) * load_at($at) * ($at - $before) * (0.5 + rand) + rand);
        $before = $at;
        for (1 .. $count) {
            serve();
            $handle->($at);
        }
    }
}

# A request: fields that are joined, split and forgotten.
sub serve {
    my %field = map { split /:/ } split /,/, join ',', map { "field$_:" . int rand 1e6 } 1 .. 40;
    return scalar keys %field;
}

# A session knows its items and each item its session: no count ever reaches zero.
sub links {
    requests(sub ($at) {
        my $session = { items => [], note => 'x' x (($number{size} // 800) * (0.5 + rand)) };
        push @{ $session->{items} }, { session => $session, name => "item $_" } for 1 .. 4;
        $session->{items} = [] if $at < ($number{onset} // 0);
    });
}

# Each kind of page keeps the buffer of its largest answer so far, as a lexical variable does in Perl.
sub pages {
    my $most = ($number{most} // 2) * (1 << 20);
    my @pages = map {
        my $unit = "<p>$_</p>";
        sub {
            my ($answer, $length) = ('', $most * rand()**8);
            $answer .= $unit while length $answer < $length;
            return length $answer;
        }
    } 1 .. ($number{kinds} // 30);
    requests(sub ($at) { $pages[ @pages * rand()**2 ]->() });
}

# What is asked for is compiled to a rule of its own, and a package keeps it by its name.
sub rules {
    my $rules = 0;
    requests(sub ($at) {
        $rules++;
        my $lines = join '', map { "return $_ if \$field =~ /^value $_ of $rules/;" } 1 .. ($number{lines} // 8);
        eval "sub Rule::rule_$rules (\$field) { $lines 0 } 1" or die $@;
    });
}

# Nothing happens for a while, then all clients connect anew: a handler for each stays where it was, with its buffer.
sub storms {
    my $due = ($number{onset} // 0) + ($number{every} // 0.1) * rand;
    my @handlers;
    requests(sub ($at) {
        return if $at < $due;
        $due = $at + ($number{every} // 0.1) * (0.5 + rand);
        for (1 .. ($number{clients} // 150) * (0.3 + 1.4 * rand)) {
            my $buffer = 'x' x (($number{size} // 8000) * (0.5 + rand));
            push @handlers, sub { length $buffer };
        }
    });
}

# A cache with a bound: the oldest leaves.
sub oldest {
    my (%cache, @order);
    requests(sub ($at) {
        my $key = int rand($number{space} // 60000);
        return if exists $cache{$key};
        $cache{$key} = 'x' x (($number{size} // 3000) * (0.5 + rand));
        push @order, $key;
        delete $cache{ shift @order } if @order > ($number{entries} // 6000);
    });
}

my %scenario = (links => \&links, pages => \&pages, rules => \&rules, storms => \&storms, oldest => \&oldest);
die "service.pl: a scenario that exists is needed as first argument\n" unless $scenario{ $scenario // '' };
my @base = map { chr(65 + $_ % 26) x 65536 } 1 .. ($number{base} // 0) * 16;
$scenario{$scenario}->();
