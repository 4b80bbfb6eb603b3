// SPDX-License-Identifier: MIT

// gocql HOST PORT CASE CONCURRENCY WARM_UP REQUESTS: Apache's Go driver with its defaults, a goroutine for each request in flight.
// See docs/benchmarks.md, "driver".
package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

const (
	keys          = 100000
	partitions    = 1000
	partitionRows = 49999
	batchRows     = 64
	pageRows      = 5000
	sample        = 8
)

type work struct {
	session        *gocql.Session
	operation      func(w *work, key int64, s *scan)
	offset, wanted int64
	sent           atomic.Int64
	lock           sync.Mutex
	latencies      []time.Duration
}

// scan is where one goroutine stands in reading the partition of bench.pages.
type scan struct {
	state     []byte
	sum, rows int64
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gocql:", err)
		os.Exit(1)
	}
}

func insert(w *work, pk int64, _ *scan) {
	must(w.session.Query("INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)", pk, 2*pk, 3*pk).Exec())
}

func selectOne(w *work, pk int64, _ *scan) {
	var v1, v2 int64
	must(w.session.Query("SELECT v1, v2 FROM bench.benchtab WHERE pk = ?", pk).Scan(&v1, &v2))
	if v1 != 2*pk || v2 != 3*pk {
		must(fmt.Errorf("a wrong answer"))
	}
}

func batch(w *work, key int64, _ *scan) {
	p := key % partitions
	b := w.session.Batch(gocql.UnloggedBatch)
	for row := int64(0); row < batchRows; row++ {
		b.Query("INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)", p, int32(row), p+row, 2*p+row)
	}
	must(b.Exec())
}

func page(w *work, _ int64, s *scan) {
	var c int32
	var v int64
	iter := w.session.Query("SELECT c, v FROM bench.pages WHERE p = ?", 1).
		PageSize(pageRows).PageState(s.state).Iter()
	state := iter.PageState()
	for n := iter.NumRows(); n > 0 && iter.Scan(&c, &v); n-- {
		s.sum += int64(c) + v
		s.rows++
	}
	must(iter.Close())
	s.state = state
	if len(state) > 0 {
		return
	}
	if s.rows != partitionRows || s.sum != int64(4)*partitionRows*(partitionRows-1)/2 {
		must(fmt.Errorf("a wrong answer"))
	}
	*s = scan{}
}

var cases = map[string]func(*work, int64, *scan){"insert": insert, "select": selectOne, "batch64": batch, "page5000": page}

func (w *work) worker(done *sync.WaitGroup) {
	defer done.Done()
	var s scan
	var latencies []time.Duration
	for n := w.sent.Add(1) - 1; n < w.wanted; n = w.sent.Add(1) - 1 {
		key := (w.offset + n) % keys
		if n%sample == 0 {
			begun := time.Now()
			w.operation(w, key, &s)
			latencies = append(latencies, time.Since(begun))
		} else {
			w.operation(w, key, &s)
		}
	}
	w.lock.Lock()
	w.latencies = append(w.latencies, latencies...)
	w.lock.Unlock()
}

func (w *work) run(concurrency int, wanted int64) {
	w.offset += w.wanted
	w.wanted = wanted
	w.sent.Store(0)
	w.latencies = nil
	var done sync.WaitGroup
	done.Add(concurrency)
	for i := 0; i < concurrency; i++ {
		go w.worker(&done)
	}
	done.Wait()
}

func cpu() time.Duration {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func peakRSS() float64 {
	status, err := os.ReadFile("/proc/self/status")
	must(err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	must(err)
	return kb / 1024
}

func (w *work) percentile(part float64) float64 {
	if len(w.latencies) == 0 {
		return 0
	}
	return float64(w.latencies[int(float64(len(w.latencies)-1)*part)].Nanoseconds()) / 1000
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

func main() {
	if len(os.Args) != 7 || cases[os.Args[3]] == nil {
		must(fmt.Errorf("usage: gocql HOST PORT CASE CONCURRENCY WARM_UP REQUESTS"))
	}
	cluster := gocql.NewCluster(os.Args[1])
	cluster.Port = int(number(os.Args[2]))
	cluster.Consistency = gocql.LocalOne
	session, err := cluster.CreateSession()
	must(err)
	w := &work{session: session, operation: cases[os.Args[3]]}
	concurrency, requests := int(number(os.Args[4])), number(os.Args[6])
	w.run(concurrency, number(os.Args[5]))
	begun, used := time.Now(), cpu()
	w.run(concurrency, requests)
	seconds, used := time.Since(begun).Seconds(), cpu()-used
	sort.Slice(w.latencies, func(a, b int) bool { return w.latencies[a] < w.latencies[b] })
	fmt.Printf("{\"rate\": %.3f, \"cpu_us\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rss_mb\": %.2f}\n",
		float64(requests)/seconds, used.Seconds()*1e6/float64(requests), w.percentile(0.50), w.percentile(0.99), peakRSS())
	session.Close()
}
