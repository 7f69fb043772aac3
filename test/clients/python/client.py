"""What an analyst does with clickhouse-connect. Prints one JSON object a line: what was tried, and what came of it.

Arguments: host, port, compression (true, lz4, zstd, gzip, false), password ("" for none).
"""

import json
import sys

import clickhouse_connect

HOST, PORT, COMPRESSION, PASSWORD = sys.argv[1:]
compress = {"true": True, "false": False}.get(COMPRESSION, COMPRESSION)
client = clickhouse_connect.get_client(
    host=HOST, port=int(PORT), database="hunt", username="default", password=PASSWORD, compress=compress
)


def attempt(name, run):
    result = {"name": name}
    try:
        result["value"] = str(run())
    except Exception as error:
        result["error"] = str(error)
    print(json.dumps(result))


def rows(query, **options):
    return client.query(query, **options).result_rows


attempt("events", lambda: rows("SELECT count() FROM events")[0][0])
attempt("every column", lambda: len(rows("SELECT * FROM events")))
attempt("settings", lambda: rows("SELECT getSetting('max_threads')", settings={"max_threads": 1})[0][0])
attempt("parameter", lambda: rows("SELECT {x:Int32} + 1", parameters={"x": 4})[0][0])
attempt("stream", lambda: sum(len(block) for block in client.query_row_block_stream("SELECT number FROM numbers(100000)").__enter__()))
attempt("raw", lambda: client.raw_query("SELECT 1 FORMAT CSV").decode().strip())
attempt("create database", lambda: client.command("CREATE DATABASE IF NOT EXISTS connect_client") and "")
attempt("create", lambda: client.command("CREATE TABLE connect_client.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a") and "")
attempt("insert", lambda: client.insert("t", [[i, "it's"] for i in range(1000)], column_names=["a", "b"], database="connect_client").written_rows)
attempt("read back", lambda: rows("SELECT count(), max(b) FROM connect_client.t")[0])
attempt("drop", lambda: client.command("DROP DATABASE connect_client") and "")
attempt("refused", lambda: rows("SELECT nope FROM events"))
