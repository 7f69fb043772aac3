/**
 * Preloaded into a server under test (`NODE_OPTIONS=--require=<this file>`): the packages that HUNT_TEST_MISSING names, by commas, cannot
 * be loaded, in the loader's own words of a system whose glibc is too old (`name`) or that has no binary (`name!`).
 */

const Module = require('node:module');

const missing = (process.env.HUNT_TEST_MISSING ?? '').split(',');
const load = Module._load;

Module._load = function (request, ...rest) {
  const name = missing.find((one) => one !== '' && one.replace('!', '') === request);
  if (name === undefined) return load.call(this, request, ...rest);
  if (name.endsWith('!')) {
    throw Object.assign(new Error(`Cannot find module '${request}'\nRequire stack:\n- somewhere`), {
      code: 'MODULE_NOT_FOUND',
    });
  }
  throw new Error(
    `This version supports only some.\n\nError: /lib/x86_64-linux-gnu/libc.so.6: version \`GLIBC_2.38' not found (required by x.node)`,
  );
};
