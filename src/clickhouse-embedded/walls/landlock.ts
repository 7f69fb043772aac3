/**
 * Landlock: the kernel's own list of files that this process may touch, from Linux 5.19 on, for anybody. It holds for the
 * calling thread and whatever comes from it, which is why launcher.ts raises it and then becomes the child. Called by
 * launcher.ts.
 *
 *     ruleset (bytes)    0 files handled   8 network handled   16 scopes
 *     rule    (bytes)    0 rights (8)      8 descriptor (4)
 */
import { constants, closeSync, openSync, statSync } from 'node:fs';
import type { Native } from './libc.ts';
import type { Wall } from './report.ts';

/** The numbers are the same on all machines. */
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;
const ASK_VERSION = 1;
const RULE_PATH = 1;

const EXECUTE = 1 << 0;
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const TRUNCATE = 1 << 14;
const IOCTL = 1 << 15;
/** What a rule on a file, and not on a folder, may hold. */
const OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL;
const CONNECT_TCP = 1 << 1;
const SCOPE_SOCKETS_AND_SIGNALS = 3;
/** O_PATH of Linux, which Node does not name: a descriptor that names a file and reads nothing of it. */
const O_PATH = 0o10000000;
/** From here on a file can be renamed from one folder to another, which the engine does. */
const VERSION_MIN = 2;

export interface OpenFolders {
  /** Read, and nothing else. */
  readonly readable: readonly string[];
  /** Read and run. */
  readonly runnable: readonly string[];
  /** Everything but running. */
  readonly writable: readonly string[];
}

export function raiseLandlock(native: Native, folders: OpenFolders): Wall[] {
  const version = native.call(CREATE_RULESET, 0, 0, ASK_VERSION);
  if (version < VERSION_MIN)
    return missing(version < 0 ? 'this kernel has no landlock' : `landlock version ${version} is too old`);
  const all = rightsOf(version);
  const ruleset = native.call(CREATE_RULESET, rulesetBytes(version, all), version >= 6 ? 24 : version >= 4 ? 16 : 8, 0);
  if (ruleset < 0) return missing(`landlock refused: ${native.error()}`);
  try {
    const allow = (paths: readonly string[], rights: number): void => {
      for (const path of paths) addRule(native, ruleset, path, rights & all);
    };
    allow(folders.readable, READ_FILE | READ_DIR);
    allow(folders.runnable, READ_FILE | READ_DIR | EXECUTE);
    allow(folders.writable, all & ~EXECUTE);
    if (!native.renounceRights() || native.call(RESTRICT_SELF, ruleset, 0) !== 0)
      return missing(`landlock refused: ${native.error()}`);
  } finally {
    closeSync(ruleset);
  }
  const by = `landlock ${version}`;
  const processes: Wall =
    version >= 6
      ? { name: 'processes', stands: true, by }
      : { name: 'processes', stands: false, by: `landlock ${version} keeps their memory apart, not their signals` };
  return [{ name: 'files', stands: true, by }, processes];
}

/** Each version knew more kinds of access. */
function rightsOf(version: number): number {
  const bits = version >= 5 ? 16 : version >= 3 ? 15 : 14;
  return 2 ** bits - 1;
}

function rulesetBytes(version: number, rights: number): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(BigInt(rights), 0);
  if (version >= 4) bytes.writeBigUInt64LE(BigInt(CONNECT_TCP), 8);
  if (version >= 6) bytes.writeBigUInt64LE(BigInt(SCOPE_SOCKETS_AND_SIGNALS), 16);
  return bytes;
}

/** What is not there needs no rule. */
function addRule(native: Native, ruleset: number, path: string, rights: number): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_PATH | constants.O_NOCTTY);
  } catch {
    return;
  }
  try {
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(BigInt(statSync(path).isDirectory() ? rights : rights & OF_FILES), 0);
    rule.writeInt32LE(descriptor, 8);
    native.call(ADD_RULE, ruleset, RULE_PATH, rule, 0);
  } finally {
    closeSync(descriptor);
  }
}

function missing(by: string): Wall[] {
  return [
    { name: 'files', stands: false, by },
    { name: 'processes', stands: false, by },
  ];
}
