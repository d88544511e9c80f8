// Small services in Go, one scenario each: service SCENARIO [NAME=NUMBER]...
//
// Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
package main

import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	hour    = environment("HOUR", 7.5)
	begin   = environment("BEGIN", float64(time.Now().Unix()))
	phase   = environment("PHASE", 0)
	day     = environment("DAY", 24)
	quiet   = environment("QUIET", 0.15)
	random  = rand.New(rand.NewSource(int64(environment("SEED", 0))))
	numbers = map[string]float64{}
	base    [][]byte // global, as the collector takes what nobody will read
)

func environment(name string, otherwise float64) float64 {
	if value, err := strconv.ParseFloat(os.Getenv(name), 64); err == nil {
		return value
	}
	return otherwise
}

func number(name string, otherwise float64) float64 {
	if value, known := numbers[name]; known {
		return value
	}
	return otherwise
}

func hours() float64 {
	return (float64(time.Now().UnixMicro())/1e6 - begin) / hour
}

// load is the traffic as a share of its peak: quiet nights, busy days.
func load(at float64) float64 {
	wave := 0.5 - 0.5*math.Cos(2*math.Pi*(at/day+phase))
	return quiet + (1-quiet)*math.Pow(wave, 1.5)
}

// requests handles what arrives, ten times a real second, for ever; afterwards runs even when nothing came.
func requests(hourly float64, handle, afterwards func(at float64)) {
	for before := hours(); ; {
		time.Sleep(100 * time.Millisecond)
		at := hours()
		expected := hourly*load(at)*(at-before)*(0.5+random.Float64()) + random.Float64()
		before = at
		for left := int(expected); left > 0; left-- {
			serve()
			handle(at)
		}
		afterwards(at)
	}
}

func nothing(float64) {}

func filled(about float64) []byte {
	return bytes.Repeat([]byte{0x5a}, int(about*(0.5+random.Float64())))
}

// serve is a request: a document that is parsed, looked at and garbage.
func serve() int {
	fields := map[string]int{}
	for i := 0; i < 30; i++ {
		fields[fmt.Sprint("field", i)] = random.Intn(1e6)
	}
	document, _ := json.Marshal(fields)
	_ = json.Unmarshal(document, &fields)
	return len(fields)
}

// goroutines are left behind: whoever gives up waiting leaves the one that answers, which blocks for ever.
func goroutines() {
	requests(number("hourly", 36000), func(at float64) {
		answer, body := make(chan []byte), filled(number("size", 2000))
		go func() { answer <- body }()
		if at < number("onset", 0) || random.Float64() > number("late", 0.2) {
			<-answer
		}
	}, nothing)
}

type series struct {
	labels  map[string]string
	buckets [16]float64
}

// labelSets is a registry of histograms; from onset on one of their labels is the visitor.
func labelSets() {
	registry := map[string]*series{}
	requests(number("hourly", 36000), func(at float64) {
		labels := map[string]string{"path": fmt.Sprint("/page/", random.Intn(200)), "code": "200"}
		if at >= number("onset", 0) {
			labels["visitor"] = strconv.FormatInt(random.Int63(), 36)
		}
		key := labels["path"] + "," + labels["visitor"]
		if registry[key] == nil {
			registry[key] = &series{labels: labels}
		}
		registry[key].buckets[random.Intn(16)]++
	}, nothing)
}

// excerpts keeps a short piece of each document, and with the piece the whole of what it is a piece of.
func excerpts() {
	titles := map[int]string{}
	requests(number("hourly", 36000), func(at float64) {
		document := strings.Repeat("title and text ", int(number("size", 1500)/15*(0.5+random.Float64())))
		key := len(titles)
		if at < number("onset", 0) {
			key = random.Intn(500)
		}
		titles[key] = document[:10]
	}, nothing)
}

// watches are timers that set themselves again and again; nobody stops one when its session ends.
func watches() {
	requests(number("hourly", 3000), func(at float64) {
		session := filled(number("size", 2000))
		left := 3
		var watch func()
		watch = func() {
			if left--; at >= number("onset", 0) || left > 0 {
				session[0]++
				time.AfterFunc(20*time.Second, watch)
			}
		}
		watch()
	}, nothing)
}

// bodies are read into pooled buffers, of every size, and are in work for some seconds.
func bodies() {
	type work struct {
		ends   float64
		buffer *bytes.Buffer
	}
	pool := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	var open []work
	requests(number("hourly", 36000), func(at float64) {
		buffer := pool.Get().(*bytes.Buffer)
		buffer.Reset()
		buffer.Write(filled(500 * math.Exp(random.Float64()*7)))
		open = append(open, work{at + number("lasts", 0.001)*random.Float64(), buffer})
	}, func(at float64) {
		still := open[:0]
		for _, one := range open {
			if one.ends > at {
				still = append(still, one)
			} else {
				pool.Put(one.buffer)
			}
		}
		open = still
	})
}

type row struct {
	key   int
	value []byte
}

func sorted(table map[int][]byte) []row {
	rows := make([]row, 0, len(table))
	for key, value := range table {
		rows = append(rows, row{key, append([]byte(nil), value...)})
	}
	sort.Slice(rows, func(one, other int) bool { return rows[one].key < rows[other].key })
	return rows
}

// merges are what a store of sorted tables does: a few small ones are written, then all become one.
func merges() {
	young, tables := map[int][]byte{}, [][]row{}
	requests(number("hourly", 36000), func(float64) {
		young[random.Intn(int(number("keys", 4000)))] = filled(number("size", 5000))
		if len(young) < int(number("full", 800)) {
			return
		}
		tables, young = append(tables, sorted(young)), map[int][]byte{}
		if len(tables) > 4 {
			all := map[int][]byte{}
			for _, table := range tables {
				for _, one := range table {
					all[one.key] = one.value
				}
			}
			tables = [][]row{sorted(all)}
		}
	}, nothing)
}

// cache is one with a bound, asked for few keys often and for many seldom: the least recently used leaves.
func cache() {
	keys := rand.NewZipf(random, number("skew", 1.1), 8, uint64(number("keys", 1e6)))
	order, known := list.New(), map[uint64]*list.Element{}
	type entry struct {
		key   uint64
		value []byte
	}
	requests(number("hourly", 36000), func(float64) {
		key := keys.Uint64()
		if element := known[key]; element != nil {
			order.MoveToFront(element)
			return
		}
		known[key] = order.PushFront(entry{key, filled(number("size", 3000))})
		if order.Len() > int(number("entries", 8000)) {
			delete(known, order.Remove(order.Back()).(entry).key)
		}
	}, nothing)
}

// retention keeps what came within so many hours, and drops what is older.
func retention() {
	type sample struct {
		at    float64
		value []byte
	}
	kept := list.New()
	requests(number("hourly", 36000), func(at float64) {
		kept.PushBack(sample{at, filled(number("size", 1500))})
	}, func(at float64) {
		for first := kept.Front(); first != nil && first.Value.(sample).at < at-number("keep", 0.4); first = kept.Front() {
			kept.Remove(first)
		}
	})
}

// logins are sessions that end with a logout after some hours; a share vanishes without one.
func logins() {
	type session struct {
		ends float64
		data []byte
	}
	known, next := map[int]session{}, 0
	requests(number("hourly", 900), func(at float64) {
		ends := at + number("lasts", 4)*(0.5+random.Float64())
		if random.Float64() < number("vanish", 0) {
			ends = math.Inf(1)
		}
		known[next] = session{ends, filled(number("size", 3000))}
		next++
	}, func(at float64) {
		for id, one := range known {
			if one.ends < at {
				delete(known, id)
			}
		}
	})
}

// defers pile up: what is to be done after each message is done when the loop over messages ends, and it never does.
func defers() {
	messages := make(chan []byte)
	go func() {
		for message := range messages {
			if message := message; hours() >= number("onset", 0) {
				defer func() { message[0]++ }()
			}
		}
	}()
	requests(number("hourly", 20000), func(float64) {
		messages <- filled(number("size", 400))
	}, nothing)
}

// idle is nothing but a heartbeat.
func idle() {
	for {
		time.Sleep(500 * time.Millisecond)
		serve()
	}
}

func main() {
	scenarios := map[string]func(){
		"goroutines": goroutines, "label-sets": labelSets, "excerpts": excerpts, "watches": watches,
		"bodies": bodies, "merges": merges, "cache": cache, "idle": idle, "retention": retention,
		"logins": logins, "defers": defers,
	}
	if len(os.Args) < 2 || scenarios[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "service: a scenario that exists is needed as first argument")
		os.Exit(2)
	}
	for _, setting := range os.Args[2:] {
		name, value, _ := strings.Cut(setting, "=")
		numbers[name], _ = strconv.ParseFloat(value, 64)
	}
	base = make([][]byte, int(number("base", 0)*16))
	for i := range base {
		base[i] = bytes.Repeat([]byte{0x5a}, 1<<16)
	}
	scenarios[os.Args[1]]()
}
