// What an application does with clickhouse-go over HTTP. Prints one JSON object a line: what was tried, and what came of it.
// Arguments: host:port, compression (none, lz4, zstd, gzip), password ("" for none).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

const rowsInserted = 1000

var methods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone,
	"lz4":  clickhouse.CompressionLZ4,
	"zstd": clickhouse.CompressionZSTD,
	"gzip": clickhouse.CompressionGZIP,
}

func try(name string, run func() (any, error)) {
	value, err := run()
	result := map[string]any{"name": name, "value": fmt.Sprint(value)}
	if err != nil {
		result["error"] = err.Error()
	}
	line, _ := json.Marshal(result)
	fmt.Println(string(line))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{os.Args[1]},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Database: "hunt", Username: "default", Password: os.Args[3]},
		Compression: &clickhouse.Compression{Method: methods[os.Args[2]]},
		DialTimeout: 10 * time.Second,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	count := func(query string) (any, error) {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		return n, rows.Err()
	}
	try("ping", func() (any, error) { return "pong", conn.Ping(ctx) })
	try("events", func() (any, error) {
		var n uint64
		err := conn.QueryRow(ctx, "SELECT count() FROM events").Scan(&n)
		return n, err
	})
	try("every column", func() (any, error) { return count("SELECT * FROM events") })
	try("parameter", func() (any, error) {
		var n int64
		err := conn.QueryRow(ctx, "SELECT {x:Int32} + 1", clickhouse.Named("x", "4")).Scan(&n)
		return n, err
	})
	try("types", func() (any, error) {
		return count(`SELECT number, toString(number), [number, 1], map('a', number), tuple(number, 'x'),
			toLowCardinality(toString(number % 2)), if(number % 2 = 0, NULL, number), [toLowCardinality('q')],
			CAST(if(number % 3 = 0, NULL, 'z') AS LowCardinality(Nullable(String))), toDateTime64(number, 3),
			toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), toDecimal64(number, 2), toIPv4('1.2.3.4'), toFixedString('ab', 4),
			CAST('a' AS Enum8('a' = 1, 'b' = 2)), [[toString(number)]], now() FROM numbers(150000)`)
	})
	try("create", func() (any, error) {
		if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS go_client"); err != nil {
			return nil, err
		}
		return "created", conn.Exec(ctx, `CREATE TABLE go_client.t
			(a UInt64, b String, c Array(LowCardinality(String)), d Nullable(Float64)) ENGINE = MergeTree ORDER BY a`)
	})
	try("insert", func() (any, error) {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO go_client.t")
		if err != nil {
			return nil, err
		}
		half := 1.5
		for i := 0; i < rowsInserted; i++ {
			if err := batch.Append(uint64(i), "it's", []string{"p", "q"}, &half); err != nil {
				return nil, err
			}
		}
		return rowsInserted, batch.Send()
	})
	try("read back", func() (any, error) {
		var n uint64
		var sum string
		err := conn.QueryRow(ctx, "SELECT count(), ifNull(toString(sum(d)), '') FROM go_client.t WHERE b = 'it''s'").Scan(&n, &sum)
		return fmt.Sprint(n, " ", sum), err
	})
	try("drop", func() (any, error) { return "dropped", conn.Exec(ctx, "DROP DATABASE go_client") })
	try("refused", func() (any, error) { return nil, conn.Exec(ctx, "SELECT nope FROM events") })
}
