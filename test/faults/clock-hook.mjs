/**
 * Preloaded into a server under test, in all of its threads (`NODE_OPTIONS=--import=<this file>`): the wall clock of the process is off
 * by what a file says, and jumps when the test writes another number into it. The monotonic clock stays as it is, as in a machine whose
 * time is set.
 *
 *   HUNT_CLOCK_FILE   milliseconds, as text, padded to 20 characters; without it (the embedded ClickHouse is told nothing) all stays as it is
 */

import fs from 'node:fs';

const path = process.env.HUNT_CLOCK_FILE;
if (path !== undefined) install(fs.openSync(path, 'r'));

function install(file) {
  const bytes = Buffer.alloc(20);
  const RealDate = Date;
  const offset = () => {
    const length = fs.readSync(file, bytes, 0, bytes.length, 0);
    return Number(bytes.toString('latin1', 0, length)) || 0;
  };
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + offset());
      else super(...args);
    }

    static now() {
      return RealDate.now() + offset();
    }
  };
}
