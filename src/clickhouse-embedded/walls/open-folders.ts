/**
 * Which files the embedded ClickHouse needs besides its own folder: Node, the libraries, its packages, what the system tells
 * about itself. Called by launcher.ts.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../system/compiled-url.ts';
import type { OpenFolders } from './landlock.ts';

const LIBRARIES = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib'];
/** Zones, names of hosts for the address to listen on, where libraries are. None of it is secret. */
const SYSTEM = [
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/timezone',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/nsswitch.conf',
  '/etc/gai.conf',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/openssl.cnf',
  '/etc/crypto-policies',
  '/usr/share/zoneinfo',
  '/sys',
];
/** Of /proc only what tells of the machine and of this process: other ones' arguments stand there too. */
const PROC = [
  'cpuinfo',
  'diskstats',
  'filesystems',
  'loadavg',
  'meminfo',
  'stat',
  'uptime',
  'version',
  'vmstat',
  'sys/kernel',
  'sys/vm',
];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom'];

/** `program` is the compiled child.js. */
export function openFolders(program: string, dataDirectory: string): OpenFolders {
  const root = packageRoot(pathToFileURL(program).href);
  return {
    readable: [
      ...SYSTEM,
      ...PROC.map((name) => `/proc/${name}`),
      `/proc/${process.pid}`,
      join(root, 'dist'),
      join(root, 'package.json'),
      ...moduleFolders(program),
    ],
    runnable: [process.execPath, ...LIBRARIES, ...loadedFolders()],
    writable: [dataDirectory, ...DEVICES],
  };
}

/** The folders called node_modules that hold what the child loads. */
function moduleFolders(program: string): string[] {
  const require = createRequire(program);
  const folders = ['chdb', 'uWebSockets.js', 'koffi'].map((name) => {
    try {
      const path = require.resolve(name);
      return path.slice(0, path.lastIndexOf('node_modules') + 'node_modules'.length);
    } catch {
      return '';
    }
  });
  return [...new Set(folders)].filter((folder) => folder !== '');
}

/** Where the libraries of this very Node lie, wherever a distribution puts them. */
function loadedFolders(): string[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n');
  const files = lines.map((line) => line.slice(line.indexOf('/'))).filter((path) => path.includes('.so'));
  return [...new Set(files.map(dirname))].filter((folder) => folder.startsWith('/'));
}
