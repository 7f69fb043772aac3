/** The style that a test can hold: sizes, import arrows, what hot files may not contain, what may be imported where. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { declarations, importCircles } from './declared-names.ts';
import { longFunctions } from './long-functions.ts';
import { plainLookups } from './plain-lookups.ts';

const root = join(import.meta.dirname, '..');

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

/** What a reader of CONTRIBUTING.md is to write. */
const TO_BE_WRITTEN = ['native-free-core/language/aggregates/your-name.ts', 'src/cli/your-command.ts'];

const core = filesBelow('native-free-core');
const client = filesBelow('client/src');
const src = filesBelow('src');
const sources = [...core, ...client, ...src];
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

function importsOf(file: string): string[] {
  return [...read(file).matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'/gms)].map((match) => match[1]!);
}

/** Lines without what is said about them. */
function code(text: string): string[] {
  const blank = (comment: string): string => comment.replace(/[^\n]/g, '');
  return text
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/(^|\s)\/\/.*$/gm, '')
    .split('\n');
}

/** The file that a relative import names, from the project's root. */
function resolved(file: string, specifier: string): string {
  return relative(root, join(root, dirname(file), specifier));
}

function localImports(file: string): string[] {
  return importsOf(file).flatMap((specifier) => (specifier.startsWith('.') ? [resolved(file, specifier)] : []));
}

/** Folder of the core -> folders that it may import from. */
const CORE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  plan: ['base'],
  layout: ['base', 'plan'],
  ring: ['base', 'layout'],
  codec: ['base', 'plan', 'layout', 'language'],
  state: ['base', 'layout'],
  mapping: ['base', 'plan'],
  encodings: ['base', 'plan', 'layout', 'codec', 'mapping'],
  columns: ['base', 'plan', 'layout', 'language'],
  language: ['base', 'plan', 'layout', 'state'],
  features: ['base', 'plan', 'layout', 'state', 'language'],
  policy: ['base', 'plan', 'layout', 'state', 'language'],
  model: ['base', 'plan', 'layout'],
  decide: [
    'base',
    'plan',
    'layout',
    'ring',
    'codec',
    'encodings',
    'state',
    'columns',
    'language',
    'features',
    'policy',
    'model',
  ],
};

/** What the language calls its parts: leaves that a plan may name. */
const NAMES_OF_LANGUAGE = /^native-free-core\/language\/aggregates\/aggregate-names\.ts$/;

/** The client is a package of its own: of the core it takes what it needs to read and write messages. */
const CLIENT_ARROWS = ['base', 'codec', 'layout'];
/** What a browser does not have; one file of the client is for Node alone. */
const NODE_ONLY = /\bBuffer\b|\bprocess\.|\bNodeJS\b|\brequire\(|from 'node:/;
const FOR_NODE = ['client/src/ws-socket.ts', 'client/src/index.ts'];

/**
 * Folder of src -> folders that it may import from. Stages (ingress, workers, spool, warehouse, explain) do not import one
 * another: they meet in shared memory, in contract/ and through engine/, which sees them all.
 */
const SRC_ARROWS: Readonly<Record<string, readonly string[]>> = {
  system: [],
  contract: [],
  access: ['http'],
  http: ['system'],
  memory: ['system', 'contract'],
  config: ['system'],
  audit: ['system', 'contract'],
  client: ['contract'],
  ingress: ['access', 'http', 'memory', 'system', 'contract'],
  workers: ['memory', 'system', 'contract'],
  spool: ['system', 'contract'],
  'clickhouse-embedded': ['access', 'http', 'system'],
  warehouse: ['access', 'http', 'audit', 'system', 'contract', 'clickhouse-embedded', 'spool'],
  explain: ['system', 'contract'],
  queries: ['contract'],
  versions: ['audit', 'config', 'memory', 'spool', 'system', 'contract', 'warehouse', 'workers'],
  examples: ['cli', 'client', 'config', 'contract', 'engine', 'system'],
  recovery: ['audit', 'config', 'memory', 'spool', 'system', 'contract', 'versions', 'warehouse', 'workers'],
};
/** These two wire all others. */
const WIRING = ['engine', 'cli'];

/** Package -> where alone it may be imported. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['src/http/uws.ts'],
  ws: ['src/http/', 'client/src/ws-socket.ts'],
  piscina: ['src/workers/'],
  '@clickhouse/client': ['src/warehouse/'],
  chdb: ['src/clickhouse-embedded/'],
  koffi: ['src/clickhouse-embedded/walls/'],
};

/** Bytes that are drawn elsewhere, and what they are. */
const FOREIGN_BYTES: Readonly<Record<string, string>> = {
  'native-free-core/codec/emit-value.ts': 'a fixed64 of protobuf, in emitted code',
  'native-free-core/columns/fixed-loops.ts': 'two words a row',
  'src/cli/load/frames/id-slots.ts': 'values within protobuf events',
  'src/cli/load/frames/key-slots.ts': 'values within protobuf events',
  'src/cli/load/frames/time-slots.ts': 'values within protobuf events',
  'src/cli/repeated-option.ts': 'words of a command line',
  'src/clickhouse-embedded/codecs/city-hash.ts': 'CityHash',
  'src/clickhouse-embedded/codecs/lz4.ts': 'LZ4 frames',
  'src/clickhouse-embedded/walls/node-options.ts': 'words of NODE_OPTIONS',
};

/** Who may ask the system's wall clock itself: durations go by the monotonic one, since this one may jump by hours. */
const WALL_CLOCK: Readonly<Record<string, string>> = {
  'src/system/clock.ts': 'the clocks',
  'src/examples/treasure-hunt/demo.ts': 'event_time of a made-up event',
  'src/examples/treasure-hunt/demo/own-server.ts': 'stamps of a log',
  'src/cli/load/run-load.ts': 'names of the producers of a run',
  'src/cli/load/load-stream.ts': 'event_time of made-up events',
  'src/examples/treasure-hunt/play/play-game.ts': 'event_time of made-up events, and the number of a run',
  'src/cli/verify.ts': '--since 2h ago',
};
/** Who may ask for the time of day in the server, and why. */
const WALL_TIMES: Readonly<Record<string, string>> = {
  'src/recovery/accept-loss.ts': 'when a loss was accepted',
  'src/versions/change.ts': 'when a version began',
  'src/engine/recovered.ts': 'when the first version began',
  'src/explain/dry-run.ts': 'received_at, through timeNow',
  'src/ingress/admission.ts': 'admitted_at, which nothing is measured by',
  'src/audit/audit-trail.ts': 'when a change was asked for',
  'src/system/end-process.ts': 'when a thread died',
  'src/versions/running-lists.ts': 'when a list was replaced',
  'src/versions/pipeline-versions.ts': 'when a version began',
  'src/warehouse/warehouse.ts': 'sealed_at of a batch',
  'src/workers/decision-worker.ts': 'received_at, through joinEpoch',
};

/** Exported names that two files may declare, and why. */
const DECLARED_TWICE: Readonly<Record<string, string>> = {
  HuntClient: 'one client with two doors: browser.ts and index.ts give it the socket of their platform',
};
/** The emitters of kernels and of SQL are two families with the same members, imported as `kernel` and `sql`. */
const EMITTERS = /^native-free-core\/language\/(expression|sql)\//;

function isEmitterPair(files: readonly string[]): boolean {
  const families = files.map((file) => EMITTERS.exec(file)?.[1]);
  return files.length === 2 && !families.includes(undefined) && families[0] !== families[1];
}

/** Tests, and functions of tests, of more than 70 lines. The list may only become shorter. */
const LONG: readonly string[] = [
  'test/cli/plan-change.test.ts: planned, deployed, rolled back',
  'test/client/wire-server.ts: startWireServer',
  'test/columns/block-world.ts: createBlockWorld',
  'test/warehouse/insert/store-world.ts: createStoreWorld',
  'test/warehouse/tables/create-tables.test.ts: dead letters arrive with bytes and reason',
];

describe('tidy', () => {
  test('no file is over 400 lines', () => {
    expect(sources.filter((file) => read(file).split('\n').length > 401)).toEqual([]);
  });

  test('no test is over 70 lines', () => {
    const long = filesBelow('test').flatMap((file) => longFunctions(read(file), 70).map((name) => `${file}: ${name}`));
    expect(long).toEqual(LONG);
    const planted = ["test('short', () => {", '  1;', '});', "describe('all', () => {", "  test('long', async () => {"];
    expect(longFunctions([...planted, '    1;', '    2;', '  });', '});'].join('\n'), 3)).toEqual(['long']);
  });

  test('every file begins with a header comment', () => {
    expect(sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)))).toEqual([]);
  });

  test('comments stay within 125 columns, but for drawings', () => {
    const drawn = /^\s*(\*|\/\/) {2}|\S {2,}\S/;
    const wrong: string[] = [];
    for (const file of [...sources, ...filesBelow('test')]) {
      read(file)
        .split('\n')
        .forEach((line, i) => {
          const isComment = /^\s*(\/\*\*|\*|\/\/) /.test(line);
          if (isComment && line.length > 125 && !drawn.test(line.trim())) wrong.push(`${file}:${i + 1}`);
        });
    }
    expect(wrong).toEqual([]);
  });

  test('files that comments name are there', () => {
    const files = [...sources, ...filesBelow('test')];
    const others = [...filesBelow('client'), ...filesBelow('bench'), 'vitest.config.ts'];
    const names = new Set([...files, ...others].map((file) => file.split('/').at(-1)!));
    const named = (file: string): string[] =>
      read(file)
        .split('\n')
        .filter((line) => /^\s*(\/\*\*|\*|\/\/) /.test(line))
        .flatMap((line) => [...line.matchAll(/[\w-]+(?:\.[\w-]+)*\.ts\b/g)].map(([name]) => name));
    const wrong = files.flatMap((file) =>
      named(file)
        .filter((name) => !names.has(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  /* Programs and patterns in texts are not seen by the compiler when a file is renamed. */
  test('files that texts name by their folder are there', () => {
    const path =
      /(?<![\w./\\-])(?:dist\\?\/)?(?:native-free-core|src|client|bench|test)(?:\\?\/[\w.-]+)+\\?\.(?:ts|js|mjs)\b/g;
    const files = [
      ...sources,
      ...filesBelow('test'),
      ...filesBelow('bench'),
      'package.json',
      '.ci/run',
      '.ci/tests.mjs',
    ];
    const isThere = (name: string): boolean =>
      TO_BE_WRITTEN.includes(name) || [name, name.replace(/\.js$/, '.ts')].some((one) => existsSync(join(root, one)));
    const wrong = files.flatMap((file) =>
      [...read(file).matchAll(path)]
        .map(([name]) => name.replaceAll('\\', '').replace(/^dist\//, ''))
        .filter((name) => !isThere(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('file names are kebab-case and none is called after nothing', () => {
    const bad = /(^|[-/])(utils?|helpers?|common|manager|misc)([-./]|$)/;
    expect(sources.filter((file) => !/^[a-z0-9-]+\.ts$/.test(file.split('/').at(-1)!) || bad.test(file))).toEqual([]);
  });

  /* A command's file is called as the command, and what the language names as the language names it. */
  test('a file name stands for one file', () => {
    const named = /\/index\.ts$|^src\/cli\/[^/]+$|^native-free-core\/language\/(aggregates|functions|kinds)\//;
    const byName = new Map<string, string[]>();
    for (const file of sources) {
      if (!/^(native-free-core|src)\//.test(file) || named.test(file)) continue;
      const name = file.split('/').at(-1)!;
      byName.set(name, [...(byName.get(name) ?? []), file]);
    }
    expect([...byName.values()].filter((files) => files.length > 1)).toEqual([]);
  });

  test('an exported name is declared in one file', () => {
    const twice = [...declarations(sources, read)].filter(([, files]) => files.length > 1);
    const wrong = twice.filter(([name, files]) => !Object.hasOwn(DECLARED_TWICE, name) && !isEmitterPair(files));
    expect(wrong).toEqual([]);
    expect(Object.keys(DECLARED_TWICE).filter((name) => !twice.some(([one]) => one === name))).toEqual([]);
  });

  test('no files import one another in a circle, types included', () => {
    // A type that both sides need belongs into a file of its own.
    expect(importCircles(sources, read)).toEqual([]);
    const planted: Readonly<Record<string, string>> = {
      'a/one.ts': "import type { Two } from './two.ts';",
      'a/two.ts': "import { three } from '../b/three.ts';",
      'b/three.ts': "export type { One } from '../a/one.ts';",
    };
    expect(importCircles(Object.keys(planted), (file) => planted[file]!)).toEqual([Object.keys(planted)]);
  });

  test('the core imports only along its arrows, and nothing from outside', () => {
    const wrong: string[] = [];
    for (const file of core) {
      const folder = file.split('/')[1]!;
      for (const specifier of importsOf(file)) {
        const target = resolved(file, specifier).split('/');
        const inside = specifier.startsWith('.') && target[0] === 'native-free-core';
        if (folder === 'plan' && NAMES_OF_LANGUAGE.test(target.join('/'))) continue;
        if (!inside || (target[1] !== folder && !CORE_ARROWS[folder]?.includes(target[1]!)))
          wrong.push(`${file} -> ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the client imports itself and messages of the core, and has nothing of Node in it', () => {
    const wrong: string[] = [];
    for (const file of client) {
      for (const specifier of importsOf(file)) {
        const target = resolved(file, specifier).split('/');
        const inside = specifier.startsWith('.') && target[0] === 'client';
        const ofCore =
          specifier.startsWith('.') && target[0] === 'native-free-core' && CLIENT_ARROWS.includes(target[1]!);
        if (specifier !== 'ws' && !inside && !ofCore) wrong.push(`${file} -> ${specifier}`);
        if (FOR_NODE.includes(resolved(file, specifier)) && !FOR_NODE.includes(file))
          wrong.push(`${file} -> ${specifier}`);
      }
      if (!FOR_NODE.includes(file) && NODE_ONLY.test(read(file))) wrong.push(`${file} is not for browsers`);
    }
    expect(wrong).toEqual([]);
  });

  test('src imports only along its arrows', () => {
    const wrong: string[] = [];
    for (const file of src) {
      const folder = file.split('/').length < 3 ? '' : file.split('/')[1]!;
      if (folder === '' || WIRING.includes(folder)) continue;
      for (const specifier of importsOf(file).filter((s) => s.startsWith('.'))) {
        const target = resolved(file, specifier).split('/');
        if (target[0] !== 'src' || target.length < 3 || target[1] === folder) continue;
        if (!SRC_ARROWS[folder]?.includes(target[1]!)) wrong.push(`${file} -> ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the embedded ClickHouse reaches nothing of the engine, by whatever way', () => {
    const mayReach = /^(src\/(clickhouse-embedded|access|http|system)\/|src\/errors\.ts$|native-free-core\/base\/)/;
    const reached = new Set(src.filter((file) => file.startsWith('src/clickhouse-embedded/')));
    // A set goes on with what is added while it is walked.
    for (const file of reached) for (const target of localImports(file)) reached.add(target);
    expect([...reached].filter((file) => !mayReach.test(file))).toEqual([]);
    expect(reached).toContain('src/access/door.ts');
  });

  test('packages are imported where they belong', () => {
    const wrong: string[] = [];
    for (const file of [...client, ...src]) {
      for (const specifier of importsOf(file)) {
        const places =
          PACKAGES[
            specifier
              .split('/')
              .slice(0, specifier.startsWith('@') ? 2 : 1)
              .join('/')
          ];
        if (places && !places.some((place) => file.startsWith(place))) wrong.push(`${file} -> ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the wall clock is asked by few, for the reasons given', () => {
    const wrong: string[] = [];
    for (const file of sources.filter((one) => !Object.hasOwn(WALL_CLOCK, one))) {
      const code = read(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/\/\/.*$/gm, '');
      if (/\bDate\.now\b|new Date\(\)|\btimeOrigin\b|\bhrtime\b/.test(code)) wrong.push(file);
      if (/\bwallMs\b|\bwallTime\b/.test(code) && !Object.hasOwn(WALL_TIMES, file)) wrong.push(`${file}: wallMs`);
    }
    expect(wrong).toEqual([]);
  });

  test('hot files allocate nothing', () => {
    const banned = /=>|\.\.\.|\btry\b|\basync\b|`|\.subarray\(|BigInt/;
    const wrong: string[] = [];
    for (const file of sources) {
      const text = read(file);
      if (!text.includes('// hot path: no allocation')) continue;
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
      let setup = false;
      code.split('\n').forEach((line, i) => {
        // What is made once, or copied for a snapshot, may allocate.
        if (/^(export )?(function|const|interface)/.test(line))
          setup = /^export function (create|open|compile|copy|restore)/.test(line);
        if (setup) return;
        const isImport = /^import |^export (type|interface)/.test(line);
        if (!isImport && banned.test(line) && !/: \(.*\) =>/.test(line)) wrong.push(`${file}:${i + 1} ${line.trim()}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('outside text is never looked up in what objects inherit', () => {
    const configs = ['native-free-core', 'client', 'src'].map((folder) => `${folder}/tsconfig.json`);
    expect(plainLookups(root, configs)).toEqual([]);
    const file = join(root, 'src', 'errors.ts');
    const planted = `
      const TABLE: Readonly<Record<string, number>> = { a: 1 };
      const text: string = process.argv[2]!;
      export const value = TABLE[text];
      export const there = text in TABLE;
      export const fixed = TABLE['a'] + TABLE[\`x_\${text}\`];
      for (const key of Object.keys(TABLE)) console.log(TABLE[key]);
      for (const key of Object.keys(process.env)) console.log(TABLE[key]);`;
    const found = plainLookups(root, configs, new Map([[file, `${read('src/errors.ts')}${planted}`]]));
    expect(found.map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      'text in TABLE',
      'TABLE[text]',
      'TABLE[key]',
    ]);
  });

  test('the table of events is named in one place', () => {
    const named = /\b(FROM|JOIN|INTO|TABLE|MERGES)\s+(\S*\.)?[`"]?events\b|\}\.`?events\b|['"`]events['"`]/;
    const asTable = /^src\/(warehouse|recovery|explain|versions|audit|engine|cli\/(audit|verify|load|plan|demo|diff))/;
    const wrong: string[] = [];
    for (const file of src.filter((one) => one !== 'src/contract/events-source.ts')) {
      code(read(file)).forEach((line, i) => {
        const found = named.exec(line);
        if (found !== null && (found[1] !== undefined || asTable.test(file)))
          wrong.push(`${file}:${i + 1} ${line.trim()}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('long forms of tests are known by what they import', () => {
    const reading = filesBelow('test').filter((file) => /process\.env\['HUNT_LONG'\]/.test(read(file)));
    expect(reading).toEqual(['test/long.ts']);
  });

  test('positions of the log are reckoned with by the log alone', () => {
    // The type refuses operators (test/contract/log.test.ts): what is left is to make a number of one first.
    const one = /written\((?:[^()]|\([^()]*\))*\)/.source;
    const reckons = new RegExp(`${one} ?(?:[+*/%-]|[<>]=?) |[+*/%<>-]=? ${one}|Math\\.\\w+\\([^;]*${one}`);
    const plain = /[eE]poch\w*(\(\))?\)? ?[+-] ?1\b/;
    const wrong: string[] = [];
    for (const file of src.filter((one) => !one.startsWith('src/spool/') && one !== 'src/contract/event-log.ts')) {
      code(read(file)).forEach((line, i) => {
        if (reckons.test(line) || plain.test(line)) wrong.push(`${file}:${i + 1} ${line.trim()}`);
      });
    }
    expect(wrong).toEqual([]);
    const planted = [
      'if (written(durable()) >= other) stop();',
      'if (other < written(durable)) stop();',
      'const next = written(after(epoch)) + count;',
      'const last = Math.max(0, written(epoch));',
      'const next = epoch + 1;',
    ];
    expect(planted.filter((line) => !reckons.test(line) && !plain.test(line))).toEqual([]);
  });

  test('offsets of records have names, in layout', () => {
    // A number as the place itself or behind a plus; `at + 8 * i` is a stride.
    const inView = /\.(?:get|set)(?:Big)?(?:Uint|Int|Float)\d+\(\s*(?:[^(),]*\+ )?\d+\s*[,)]/;
    const inWords = /\bwords\[[a-z]\w* \+ \d+\]/;
    const wrong: string[] = [];
    for (const file of sources) {
      if (file.startsWith('native-free-core/layout/') || Object.hasOwn(FOREIGN_BYTES, file)) continue;
      const code = read(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/\/\/.*$/gm, '');
      code.split('\n').forEach((line) => {
        if (inView.test(line) || inWords.test(line)) wrong.push(`${file}: ${line.trim()}`);
      });
    }
    expect(wrong).toEqual([]);
    for (const planted of ['view.setUint32(at + 8, x, true)', 'view.getFloat64(16, true)', 'view.getInt8( 3)'])
      expect(inView.test(planted)).toBe(true);
    expect(inWords.test('words[at + 1] = k1')).toBe(true);
  });

  test('no machine paths and nothing left to do', () => {
    const marks = /\b(TODO|FIXME|XXX)\b|\/(work|home|root)\//;
    expect(sources.filter((file) => marks.test(read(file)))).toEqual([]);
  });
});
