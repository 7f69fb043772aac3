// A server that does nothing but hold an embedded ClickHouse: lifecycle.test.ts kills it. Arguments: compiled module, folder.
const [modulePath, dataDirectory] = process.argv.slice(2);
const { startEmbedded } = await import(modulePath);
const clickhouse = await startEmbedded({ dataDirectory, listen: '127.0.0.1:0', log: () => undefined });
process.stdout.write(`${JSON.stringify({ pid: clickhouse.pid, url: clickhouse.url, ...clickhouse.writer })}\n`);
setInterval(() => undefined, 1000);
