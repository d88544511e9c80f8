// Small services in Node, one scenario each: service.js SCENARIO [NAME=NUMBER]...
//
// Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
'use strict';
const { EventEmitter } = require('events');

const environment = (name, otherwise) => Number(process.env[name] ?? otherwise);
const HOUR = environment('HOUR', 7.5);
const BEGIN = environment('BEGIN', Date.now() / 1000);
const PHASE = environment('PHASE', 0);
const DAY = environment('DAY', 24);
const QUIET = environment('QUIET', 0.15);
const [scenario, ...settings] = process.argv.slice(2);
const numbers = Object.fromEntries(settings.map((text) => text.split('=')).map(([key, value]) => [key, Number(value)]));
const number = (name, otherwise) => numbers[name] ?? otherwise;

let state = (environment('SEED', 1) | 1) >>> 0;
function uniform() {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state / 4294967296;
}

const hours = () => (Date.now() / 1000 - BEGIN) / HOUR;

// Traffic as a share of its peak: quiet nights, busy days.
function load(at) {
  const wave = 0.5 - 0.5 * Math.cos(2 * Math.PI * (at / DAY + PHASE));
  return QUIET + (1 - QUIET) * wave ** 1.5;
}

// Calls `handle` for each request that arrives, ten times a real second; `flat` is a load that stays as it is.
function requests(hourly, handle, afterwards = () => {}) {
  let before = hours();
  setInterval(() => {
    const at = hours();
    const count = Math.floor(hourly * (number('flat', 0) || load(at)) * (at - before) * (0.5 + uniform()) + uniform());
    before = at;
    for (let i = 0; i < count; i++) handle(at);
    afterwards(at);
  }, 100);
}

const text = (length) => Math.floor(uniform() * 1e9).toString(36).padEnd(Math.floor(length), 'abcdefgh').split('').reverse().join('');

// A request: parse a document, answer with another.
function serve(width = 60) {
  const document = JSON.stringify(Array.from({ length: width }, (_, i) => ({ id: i, name: `name ${i} ${uniform()}` })));
  return JSON.parse(document).filter((row) => row.name.length > 12).length;
}

const scenarios = {
  // Each request adds a listener with its own data to an emitter that outlives it, and none is removed.
  listeners() {
    const emitter = new EventEmitter();
    emitter.setMaxListeners(0);
    requests(number('hourly', 300), (at) => {
      serve();
      if (at < number('onset', 0)) return;
      const session = { id: uniform(), rows: Array.from({ length: number('rows', 60) }, uniform) };
      emitter.on('refresh', () => session.rows.length);
    });
  },
  // Requests are noted by their id; the note is not deleted when the answer is sent.
  'request-map'() {
    const pending = new Map();
    requests(number('hourly', 300), (at) => {
      serve();
      if (at < number('onset', 0)) return;
      pending.set(`request-${uniform()}`, { at, headers: text(number('size', 600)), done: false });
    });
  },
  // Each closure keeps the one before alive through the scope they share.
  closures() {
    let latest = null;
    requests(number('hourly', 300), (at) => {
      serve();
      if (at < number('onset', 0)) return;
      const earlier = latest;
      const rows = Array.from({ length: number('rows', 80) }, uniform);
      const unused = () => earlier;
      latest = { answer: () => rows.length, unused };
    });
  },
  // Nothing but a heartbeat.
  idle() {
    setInterval(() => serve(5), 1000);
  },
  // Garbage, request after request.
  garbage() {
    requests(number('hourly', 600), () => serve(number('width', 150)));
  },
  // A map with a bound, the oldest leaves.
  lru() {
    const cache = new Map();
    requests(number('hourly', 600), () => {
      serve();
      const key = Math.floor(uniform() ** 2 * number('space', 30000));
      const value = cache.get(key) ?? { key, body: text(number('size', 800)) };
      cache.delete(key);
      cache.set(key, value);
      if (cache.size > number('entries', 12000)) cache.delete(cache.keys().next().value);
    });
  },
  // Sessions that expire an hour or so after they began.
  sessions() {
    const sessions = new Map();
    let next = 0;
    requests(number('hourly', 600), (at) => {
      serve();
      sessions.set(next++, { ends: at + number('lasts', 3) * (0.5 + uniform()), data: text(number('size', 3000)) });
    }, (at) => {
      for (const [id, session] of sessions) if (session.ends < at) sessions.delete(id);
    });
  },
  // Buffers outside the heap for uploads that come and go.
  uploads() {
    const open = [];
    requests(number('hourly', 100), (at) => {
      serve();
      open.push({ ends: at + 0.3 + uniform(), body: Buffer.alloc(Math.floor(uniform() * number('size', 300000)), 1) });
    }, (at) => {
      for (let i = open.length - 1; i >= 0; i--) if (open[i].ends < at) open.splice(i, 1);
    });
  },
  // Each answer races with the end of the process, which never comes and keeps what every race has noted with it.
  race() {
    const shutdown = new Promise(() => {});
    requests(number('hourly', 18000), async (at) => {
      serve();
      const answer = Promise.resolve({ at, body: text(number('size', 600)) });
      await (at < number('onset', 0) ? answer : Promise.race([answer, shutdown]));
    });
  },
  // Each connection has a heartbeat; from `onset` on it goes on when the connection has ended.
  heartbeats() {
    requests(number('hourly', 6000), (at) => {
      serve();
      const session = { at, beats: 0, data: text(number('size', 4000)) };
      const heartbeat = setInterval(() => session.beats++, 30000);
      if (at < number('onset', 0)) clearInterval(heartbeat);
    });
  },
  // Templates are compiled when they are first asked for, until all are. `noted` bytes of each rendering are kept.
  templates() {
    const compiled = new Map();
    const notes = [];
    const compile = (id) => {
      const lines = Array.from({ length: number('lines', 150) }, (_, i) => `out.push("line ${i} of ${id}", row.f${i % 9});`);
      return new Function('row', `const out = []; ${lines.join('\n')} return out;`);
    };
    requests(number('hourly', 9000), () => {
      const id = Math.floor(uniform() * number('templates', 600));
      if (!compiled.has(id)) compiled.set(id, compile(id));
      compiled.get(id)({ f1: serve() });
      if (number('noted', 0)) notes.push(text(number('noted', 0) * (0.5 + uniform())));
    });
  },
  // A campaign's traffic until `until`, then next to nothing.
  campaign() {
    const recent = [];
    requests(number('hourly', 40000), (at) => {
      if (at > number('until', 0.3) && uniform() > 0.01) return;
      serve(number('width', 150));
      recent.push(text(number('size', 2000)));
      if (recent.length > number('recent', 4000)) recent.shift();
    });
  },
  // Documents are imported at night; a slice of each is kept for its name, and the slice keeps the whole.
  slices() {
    const names = [];
    let before = 0;
    requests(number('hourly', 200), () => serve(), (at) => {
      const tonight = at % 24 > number('from', 2) && at % 24 < number('until', 5);
      const expected = tonight ? number('documents', 200) * (at - before) : 0;
      before = at;
      for (let left = Math.floor(expected + uniform()); left > 0; left--) {
        names.push(Buffer.alloc(Math.floor(number('size', 12000) * (0.5 + uniform())), 1).subarray(0, 20));
      }
    });
  },
  // Buffers outside the heap, up to a bound in bytes: the oldest leave.
  blobs() {
    const blobs = new Map();
    let bytes = 0;
    requests(number('hourly', 1250), () => {
      serve();
      const body = Buffer.alloc(Math.floor(number('size', 20000) * (0.5 + uniform())), 1);
      blobs.set(uniform(), body);
      bytes += body.length;
      while (bytes > number('megabytes', 40) * 1048576) {
        const [key, oldest] = blobs.entries().next().value;
        blobs.delete(key);
        bytes -= oldest.length;
      }
    });
  },
  // Records are written to a stream that takes less than comes, and nobody heeds that it asks to wait.
  unheeded() {
    const { Writable } = require('stream');
    const write = (record, encoding, done) => setTimeout(done, (HOUR * 1000) / number('drains', 4000));
    const stream = new Writable({ objectMode: true, write });
    requests(number('hourly', 30000), (at) => {
      serve();
      stream.write({ at, body: text(number('size', 2500)) });
    });
  },
  // From `onset` on a script of each tenant gets a context of its own, which stays; tenants come one by one.
  tenants() {
    const vm = require('vm');
    const contexts = [];
    let due = number('onset', 0);
    requests(number('hourly', 4000), (at) => {
      serve();
      if (contexts.length) contexts[Math.floor(uniform() * contexts.length)].last = at;
      if (at < due) return;
      due = at + number('every', 0.05) * (0.3 + 1.4 * uniform());
      const context = vm.createContext({});
      vm.runInContext(`table = Array.from({ length: ${number('rows', 2000)} }, (_, i) => ({ i, name: 'row ' + i }))`, context);
      contexts.push(context);
    });
  },
  // A pool of workers that is made larger, one by one, until there are enough; each has a heap of its own.
  workers() {
    const { Worker } = require('worker_threads');
    const source = `
      const { parentPort } = require('worker_threads');
      const recent = [];
      parentPort.on('message', (rows) => {
        recent.push(rows.map((row) => ({ row })));
        if (recent.length > 100) recent.shift();
      });`;
    const pool = [];
    requests(number('hourly', 4000), (at) => {
      if (pool.length < Math.min(number('most', 5), 1 + at / number('every', 0.4))) {
        pool.push(new Worker(source, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } }));
      }
      pool[Math.floor(uniform() * pool.length)].postMessage(Array.from({ length: 200 }, uniform));
    });
  },
};

if (!scenarios[scenario]) {
  console.error('service.js: a scenario that exists is needed as first argument');
  process.exit(2);
}
const base = Array.from({ length: number('base', 0) * 16 }, () => Buffer.alloc(1 << 16, 1));
scenarios[scenario]();
setInterval(() => base.length, 1 << 30);
