/**
 * Where keys come from: an option, a file, the environment. On the server all of them count; a command shows the first that
 * it finds. Main thread, at start.
 */

import { readFileSync, statSync } from 'node:fs';
import { OperatingError } from '../errors.ts';

export const KEY_VARIABLE = 'HUNT_KEY';
/** Names a key file, which is how containers are given secrets. */
const FILE_VARIABLE = 'HUNT_KEY_FILE';

export interface KeySources {
  /** Each one key, or several with commas between them. */
  readonly options: readonly string[];
  readonly files: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly warn: (message: string, fields: object) => void;
}

/** What a header can carry, and no comma, which stands between keys. */
const KEY = /^[\x21-\x2b\x2d-\x7e]{1,1000}$/;
const GROUP_AND_OTHERS = 0o077;

/** Every key that the server was given. An empty one is an error: a variable that is not set must not open the server. */
export function serverKeys({ options, files, environment, warn }: KeySources): string[] {
  const variable = environment[KEY_VARIABLE];
  const named = environment[FILE_VARIABLE];
  const keys = [
    ...options.flatMap((text) => keysOf(text.split(','), '--key')),
    ...[...files, ...(named === undefined ? [] : [named])].flatMap((file) => {
      const mode = statMode(file);
      if ((mode & GROUP_AND_OTHERS) !== 0)
        warn('the key file can be read by other users of this machine; chmod 600 keeps it to one', { file });
      return readKeyFile(file);
    }),
    ...(variable === undefined ? [] : keysOf(variable.split(','), KEY_VARIABLE)),
  ];
  return [...new Set(keys)];
}

/** The key that a command shows: the first that it is given. */
export function clientKey(given: {
  readonly key: string | undefined;
  readonly file: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}): string | undefined {
  if (given.key !== undefined) return given.key;
  if (given.file !== undefined) return readKeyFile(given.file)[0];
  const { [KEY_VARIABLE]: variable, [FILE_VARIABLE]: named } = given.environment;
  if (variable !== undefined) return variable.split(',')[0];
  return named === undefined ? undefined : readKeyFile(named)[0];
}

/** One key a line; what begins with # is a comment. */
export function readKeyFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatingError('bad_option', `cannot read the key file: key-file=${file}; check the path`, { cause });
  }
  const lines = text.split('\n').map((line) => line.trim());
  return keysOf(
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    `key-file=${file}`,
  );
}

function statMode(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
}

/** The keys themselves stand in no message. */
function keysOf(keys: readonly string[], from: string): string[] {
  if (keys.length === 0 || keys.includes(''))
    throw new OperatingError('bad_option', `there is an empty key: ${from}; write the key, or leave the option out`);
  if (!keys.every((key) => KEY.test(key))) {
    const message = `not a key: ${from}; a key has letters, digits and signs of ASCII, no spaces and no commas`;
    throw new OperatingError('bad_option', message);
  }
  return [...keys];
}
