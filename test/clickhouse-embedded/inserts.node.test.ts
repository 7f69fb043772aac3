/** The same over node:http and ws. */

process.env['HUNT_TEST_TRANSPORT'] = 'node';
await import('./inserts.test.ts');
