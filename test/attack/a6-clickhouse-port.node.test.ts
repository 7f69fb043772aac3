/** The same over node:http. */

process.env['HUNT_TEST_TRANSPORT'] = 'node';
await import('./a6-clickhouse-port.test.ts');
