/** Whether the long forms of tests run: `npm run test:long` runs every test that imports this. */
export const isLong = process.env['HUNT_LONG'] === '1';
