# Small services in Ruby, one scenario each: service.rb SCENARIO [NAME=NUMBER]...
#
# Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
# frozen_string_literal: true

require "json"

HOUR = Float(ENV.fetch("HOUR", 7.5))
BEGIN_AT = Float(ENV.fetch("BEGIN", Time.now.to_f))
PHASE = Float(ENV.fetch("PHASE", 0))
DAY = Float(ENV.fetch("DAY", 24))
QUIET = Float(ENV.fetch("QUIET", 0.15))
RANDOM = Random.new(Integer(ENV.fetch("SEED", 0)))
SCENARIO, *SETTINGS = ARGV
NUMBERS = SETTINGS.to_h { |setting| setting.split("=") }.transform_values { |text| Float(text) }

def number(name, otherwise) = NUMBERS.fetch(name, otherwise)

def hours = (Time.now.to_f - BEGIN_AT) / HOUR

# Traffic as a share of its peak: quiet nights, busy days.
def load_at(at)
  wave = 0.5 - 0.5 * Math.cos(2 * Math::PI * (at / DAY + PHASE))
  QUIET + (1 - QUIET) * wave**1.5
end

# Yields for each request that arrives, ten times a real second, for ever.
def requests(hourly)
  before = hours
  loop do
    sleep 0.1
    at = hours
    count = (hourly * load_at(at) * (at - before) * (0.5 + RANDOM.rand) + RANDOM.rand).to_i
    before = at
    count.times do
      serve
      yield at
    end
  end
end

# A request: a document that is parsed, looked at and garbage.
def serve
  document = JSON.generate((0...30).to_h { |i| ["field#{i}", RANDOM.rand(1_000_000)] })
  JSON.parse(document).sum { |_, value| value }
end

def rows(count) = Array.new(count) { { "id" => RANDOM.rand(1_000_000), "name" => RANDOM.bytes(40).unpack1("H*") } }

# What is found is remembered in a class by everything that was asked, which never comes again.
def memoized
  found = {}
  requests(number("hourly", 18_000)) do |at|
    key = at >= number("onset", 0) ? ["user", RANDOM.rand(1 << 60)] : ["user", RANDOM.rand(100)]
    found[key] ||= rows(number("rows", 6).to_i)
  end
end

# Errors, with the request each is about, wait for a collector that is never reached; they come in bursts.
def errors
  waiting = []
  burst_ends = 0
  requests(number("hourly", 18_000)) do |at|
    burst_ends = at + number("lasts", 0.02) if RANDOM.rand < number("bursts", 10) / number("hourly", 18_000)
    body = rows(number("rows", 40).to_i)
    raise KeyError, "no such item in #{body.first}" if RANDOM.rand < (at < burst_ends ? 0.5 : 0.01)
  rescue KeyError => error
    waiting << { error: error, body: body } if at >= number("onset", 0)
  end
end

# A finder for each thing asked for is defined as a method, and methods stay.
def finders
  finder = Object.new
  defined = 0
  requests(number("hourly", 18_000)) do |at|
    next if at < number("onset", 0)
    (defined += 1).then { |id| finder.define_singleton_method(:"find_by_#{id}") { |given = id| [given, at] } }
  end
end

# Threads that do jobs of every size: rows are read, sorted and forgotten, then the thread waits for its next job.
def jobs
  threads = Array.new(number("threads", 5).to_i) do
    Thread.new do
      loop do
        sleep number("every", 0.02) * HOUR * (0.5 + RANDOM.rand)
        table = []
        (number("rows", 20_000) * RANDOM.rand / 500).ceil.times do
          table.concat(rows(500))
          sleep 0.03
        end
        table.sort_by! { |row| row["name"] }
      end
    end
  end
  threads.each(&:join)
end

# Exports are read page by page. From `onset` on some readers stop early: an enumerator stays, a fiber with its stack.
def exports
  open = []
  requests(number("hourly", 3000)) do |at|
    export = Enumerator.new { |pages| 3.times { pages << rows(10) } }
    if at >= number("onset", 0) && RANDOM.rand < number("share", 0.2)
      export.next
      open << export
    else
      loop { export.next }
    end
  end
end

# Fragments of pages are kept; the oldest leaves when there are too many. All garbage is collected every few hours.
def fragments
  kept = {}
  due = 0
  requests(number("hourly", 300)) do |at|
    key = RANDOM.rand(number("space", 30_000).to_i)
    kept[key] ||= RANDOM.bytes((number("size", 2000) * (0.5 + RANDOM.rand)).to_i).unpack1("H*")
    kept.shift if kept.size > number("entries", 6000)
    next if at < due
    due = at + number("every", 6)
    GC.start
  end
end

# Each view is compiled to a method when it is first asked for; they are asked for in turn.
def views
  pages = Object.new
  asked = 0
  requests(number("hourly", 400)) do
    name = :"view_#{asked % number("views", 600).to_i}"
    asked += 1
    unless pages.respond_to?(name)
      lines = (0...number("lines", 150).to_i).map { |i| "out << \"line #{i} of #{name}: \" << row.fetch(:f#{i % 9}, \"\")" }
      pages.instance_eval("def #{name}(row) = (out = +\"\"; #{lines.join("; ")}; out)", __FILE__, __LINE__)
    end
    pages.public_send(name, { f1: "1" })
  end
end

class Upload
  def initialize(bytes)
    @bytes = bytes
  end

  def remove_later = ObjectSpace.define_finalizer(self, proc { @bytes = nil })
end

# From `onset` on an upload is to be removed when it is garbage; the block that would do it knows the upload, so it never is.
def finalizers
  requests(number("hourly", 9000)) do |at|
    upload = Upload.new("u" * (number("size", 1500) * (0.5 + RANDOM.rand)).to_i)
    upload.remove_later if at >= number("onset", 0)
  end
end

scenarios = { "memoized" => :memoized, "errors" => :errors, "finders" => :finders, "jobs" => :jobs,
              "exports" => :exports, "fragments" => :fragments, "views" => :views,
              "finalizers" => :finalizers }
abort "service.rb: a scenario that exists is needed as first argument" unless scenarios.key?(SCENARIO)
base = Array.new((number("base", 0) * 16).to_i) { "Z" * (1 << 16) }
send(scenarios[SCENARIO])
base.clear
