/**
 * Says in one line that Node is too old, before anything is loaded that only newer ones understand. The first import of
 * main.ts.
 */

const MAJOR_MIN = 20;
const MINOR_MIN = 19;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MAJOR_MIN || (major === MAJOR_MIN && minor < MINOR_MIN)) {
  process.stderr.write(
    `hunt: this Node is too old: node=${process.versions.node}; use ${MAJOR_MIN}.${MINOR_MIN} or later [node_too_old]\n`,
  );
  process.exit(1);
}

export {};
