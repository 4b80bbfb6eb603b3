// SPDX-License-Identifier: MIT
// HOST PORT: Apache's Go driver, protocols 3, 4 and 5: values of every type there and back, prepared statements, pages, batches,
// conditions, what it learns of the schema, events, compression, errors, tracing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"reflect"
	"strconv"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"
	"gopkg.in/inf.v0"
)

type place struct {
	Street string `cql:"street"`
	Number *int   `cql:"number"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprintln(what...))
	}
}

func connect(host, port string, version int, compressor gocql.Compressor, keyspace string) *gocql.Session {
	cluster := gocql.NewCluster(host)
	cluster.Port, _ = strconv.Atoi(port)
	cluster.ProtoVersion = version
	cluster.Compressor = compressor
	cluster.Keyspace = keyspace
	cluster.Timeout, cluster.ConnectTimeout = 30*time.Second, 30*time.Second
	session, err := cluster.CreateSession()
	must(err)
	return session
}

func run(session *gocql.Session, text string, values ...any) {
	if err := session.Query(text, values...).Exec(); err != nil {
		panic(text + ": " + err.Error())
	}
}

func checkValue(session *gocql.Session, number int, kind string, value any) {
	table := "v" + strconv.Itoa(number)
	run(session, "CREATE TABLE "+table+" (k int PRIMARY KEY, v "+kind+")")
	run(session, "INSERT INTO "+table+" (k, v) VALUES (?, ?)", 1, value)
	got := reflect.New(reflect.TypeOf(value))
	must(session.Query("SELECT v FROM "+table+" WHERE k = ?", 1).Scan(got.Interface()))
	same := fmt.Sprint(got.Elem().Interface()) == fmt.Sprint(value)
	if reflect.TypeOf(value).Kind() == reflect.Struct || reflect.TypeOf(value).Kind() == reflect.Slice {
		same = same || reflect.DeepEqual(got.Elem().Interface(), value)
	}
	expect(same, kind, got.Elem().Interface(), value)
}

func checkValues(session *gocql.Session, version int) {
	run(session, "CREATE TYPE place (street text, number int)")
	varint, _ := new(big.Int).SetString("1267650600228229401496703205376", 10)
	decimal, _ := new(inf.Dec).SetString("-123.4567890123456789")
	stamp, _ := gocql.ParseUUID("5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e")
	number := 5
	values := []struct {
		kind  string
		value any
	}{
		{"ascii", "abc"}, {"bigint", int64(-1 << 63)}, {"blob", []byte{0, 255}}, {"boolean", true},
		{"date", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}, {"decimal", *decimal}, {"double", 1.5}, {"float", float32(0.25)},
		{"inet", net.ParseIP("::1")}, {"int", -7}, {"smallint", int16(-3)}, {"text", "žluť"}, {"time", 12345 * time.Nanosecond},
		{"timestamp", time.UnixMilli(-1).UTC()}, {"timeuuid", stamp}, {"tinyint", int8(4)}, {"uuid", stamp}, {"varint", *varint},
		{"list<int>", []int{1, 2}}, {"set<text>", []string{"a", "b"}}, {"map<text, int>", map[string]int{"k": 1}},
		{"frozen<list<int>>", []int{3}}, {"map<int, frozen<map<text, int>>>", map[int]map[string]int{1: {"a": 2}}},
		{"vector<float, 3>", []float32{1, 2.5, -3}}, {"frozen<place>", place{"Main", nil}}, {"list<frozen<place>>", []place{{"Side", &number}}},
		{"duration", gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}},
	}
	for i, each := range values {
		if version < 5 && each.kind == "duration" {
			continue
		}
		if p, ok := each.value.([]place); ok {
			var got []place
			run(session, "CREATE TABLE ps (k int PRIMARY KEY, v "+each.kind+")")
			run(session, "INSERT INTO ps (k, v) VALUES (?, ?)", 1, p)
			must(session.Query("SELECT v FROM ps").Scan(&got))
			expect(len(got) == 1 && *got[0].Number == 5, each.kind)
			continue
		}
		checkValue(session, i, each.kind, each.value)
	}
	var a int
	var b *string
	run(session, "CREATE TABLE tuples (k int PRIMARY KEY, v tuple<int, text>)")
	run(session, "INSERT INTO tuples (k, v) VALUES (1, (?, ?))", 1, nil)
	must(session.Query("SELECT v FROM tuples").Scan(&a, &b))
	expect(a == 1 && b == nil, "tuple")
}

func checkPages(session *gocql.Session) {
	run(session, "CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))")
	for i := 0; i < 300; i++ {
		run(session, "INSERT INTO p (a, c, b) VALUES (?, ?, ?)", 1, i, strconv.Itoa(i))
	}
	iter := session.Query("SELECT c FROM p WHERE a = ?", 1).PageSize(7).Iter()
	seen, c := 0, 0
	for iter.Scan(&c) {
		expect(c == seen, "pages", c)
		seen++
	}
	must(iter.Close())
	expect(seen == 300, "pages", seen)
	first := session.Query("SELECT c FROM p").PageSize(7).PageState(nil).Iter()
	state := first.PageState()
	expect(first.NumRows() == 7 && len(state) > 0, "a page")
	must(first.Close())
	must(session.Query("SELECT c FROM p").PageSize(3).PageState(state).Scan(&c))
	expect(c == 7, "the next page", c)
}

func checkBatches(session *gocql.Session) {
	for _, kind := range []gocql.BatchType{gocql.LoggedBatch, gocql.UnloggedBatch} {
		batch := session.Batch(kind)
		batch.Query("INSERT INTO p (a, c, b) VALUES (?, ?, ?)", 2, 1, "x")
		batch.Query("INSERT INTO p (a, c) VALUES (2, 2)")
		must(batch.Exec())
	}
	var count int64
	must(session.Query("SELECT count(*) FROM p WHERE a = 2").Scan(&count))
	expect(count == 2, "batches", count)
	run(session, "CREATE TABLE n (k int PRIMARY KEY, n counter)")
	batch := session.Batch(gocql.CounterBatch)
	for _, by := range []int64{1, 2, -5} {
		batch.Query("UPDATE n SET n = n + ? WHERE k = 1", by)
	}
	must(batch.Exec())
	must(session.Query("SELECT n FROM n").Scan(&count))
	expect(count == -2, "counters", count)
}

func checkConditions(session *gocql.Session) {
	was := map[string]any{}
	applied, err := session.Query("INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS").MapScanCAS(was)
	must(err)
	expect(!applied && was["b"] == "1", "IF NOT EXISTS", was)
	applied, err = session.Query("UPDATE p SET b = ? WHERE a = 1 AND c = 1 IF b = ?", "new", "1").MapScanCAS(map[string]any{})
	must(err)
	expect(applied, "IF")
	star := func() int {
		row := map[string]any{}
		must(session.Query("SELECT * FROM p WHERE a = ? AND c = ?", 1, 1).MapScan(row))
		return len(row)
	}
	expect(star() == 3, "SELECT *")
	run(session, "ALTER TABLE p ADD z int")
	for i := 0; i < 1000 && star() != 4; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	expect(star() == 4, "a column added")
}

func checkMetadata(session *gocql.Session) {
	run(session, "CREATE INDEX by_b ON p (b)")
	awaitTable(session, "p")
	keyspace, err := session.KeyspaceMetadata("go")
	must(err)
	table := keyspace.Tables["p"]
	expect(table.PartitionKey[0].Name == "a" && table.ClusteringColumns[0].Name == "c", "keys")
	expect(len(keyspace.UserTypes["place"].FieldNames) == 2, "user types")
	must(session.AwaitSchemaAgreement(context.Background()))
}

// What was made is known by an event, upon which the driver forgets what it knew, some time later.
func awaitTable(session *gocql.Session, name string) {
	for i := 0; i < 3000; i++ {
		keyspace, err := session.KeyspaceMetadata("go")
		must(err)
		if keyspace.Tables[name] != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("no event of the schema was seen")
}

func checkErrors(session *gocql.Session) {
	for text, code := range map[string]int{
		"SELECT * FORM p": gocql.ErrCodeSyntax, "SELECT * FROM missing": gocql.ErrCodeInvalid, "CREATE TABLE p (a int PRIMARY KEY)": gocql.ErrCodeAlreadyExists,
	} {
		var refused gocql.RequestError
		expect(errors.As(session.Query(text).Exec(), &refused) && refused.Code() == code, text)
	}
	var unavailable *gocql.RequestErrUnavailable
	err := session.Query("SELECT * FROM p").Consistency(gocql.Two).Exec()
	expect(errors.As(err, &unavailable) && unavailable.Required == 2, "TWO", err)
	must(session.Query("SELECT * FROM p LIMIT 1").Trace(gocql.NewTraceWriter(session, io.Discard)).Exec())
}

func check(host, port string, version int, compressor gocql.Compressor) {
	admin := connect(host, port, version, compressor, "")
	run(admin, "DROP KEYSPACE IF EXISTS go")
	run(admin, "CREATE KEYSPACE go WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	session := connect(host, port, version, compressor, "go")
	checkValues(session, version)
	checkPages(session)
	checkBatches(session)
	checkConditions(session)
	checkMetadata(session)
	run(admin, "CREATE TABLE go.pushed (k int PRIMARY KEY)")
	awaitTable(session, "pushed")
	checkErrors(session)
	session.Close()
	admin.Close()
}

func main() {
	host, port := os.Args[1], os.Args[2]
	check(host, port, 3, nil)
	check(host, port, 4, snappy.SnappyCompressor{})
	check(host, port, 4, lz4.LZ4Compressor{})
	check(host, port, 5, nil)
	check(host, port, 5, lz4.LZ4Compressor{})
	fmt.Println("gocql is content")
}
