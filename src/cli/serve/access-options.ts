/** Who may speak to a server, from the options of `hunt serve`. What would let everybody in by mistake is refused. */

import { hostOf, isLoopback } from '../../access/hosts.ts';
import { serverKeys } from '../../access/key-sources.ts';
import { originOf } from '../../access/origins.ts';
import { OperatingError } from '../../errors.ts';
import type { Log } from '../../system/log.ts';
import { repeatedOption } from '../repeated-option.ts';

export const ACCESS_OPTIONS = {
  key: {
    type: 'string',
    description:
      'Ask clients for this key; several with commas. Other users of this machine see it in the process list',
  },
  'key-file': {
    type: 'string',
    description: 'File of keys, one a line, # for comments; or set HUNT_KEY or HUNT_KEY_FILE',
  },
  'allow-host': {
    type: 'string',
    description: 'Another name under which clients reach this server, NAME or NAME:PORT: a proxy’s; may be repeated',
  },
  'allow-origin': {
    type: 'string',
    description: 'Let web pages of this origin speak to this server: https://game.example; may be repeated',
  },
  insecure: { type: 'boolean', default: false, description: 'Listen beyond this machine without keys all the same' },
} as const;

export interface AccessArguments {
  readonly listen: string;
  readonly 'clickhouse-listen': string;
  readonly clickhouse?: string | undefined;
  readonly insecure: boolean;
}

export interface AccessOptions {
  readonly keys: readonly string[];
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
}

export function accessOptions(args: AccessArguments, rawArgs: readonly string[], log: Log): AccessOptions {
  const keys = serverKeys({
    options: repeatedOption(rawArgs, 'key'),
    files: repeatedOption(rawArgs, 'key-file'),
    environment: process.env,
    warn: (message, fields) => log('warn', message, fields),
  });
  if (keys.length === 0 && !args.insecure) refuseOpenAddresses(args);
  return {
    keys,
    allowHosts: repeatedOption(rawArgs, 'allow-host').map(checkHost),
    allowOrigins: repeatedOption(rawArgs, 'allow-origin').map(checkOrigin),
  };
}

/** Whoever can reach a port without keys may read everything and change the rules. */
function refuseOpenAddresses(args: AccessArguments): void {
  for (const name of ['listen', 'clickhouse-listen'] as const) {
    if (name === 'clickhouse-listen' && args.clickhouse !== undefined) continue;
    const colon = args[name].lastIndexOf(':');
    // What is no address is refused as such by whoever listens on it.
    if (colon < 0 || isLoopback(args[name].slice(0, colon))) continue;
    throw new OperatingError(
      'insecure_listen',
      `without a key everybody who reaches this address could read all and change the rules: ${name}=${args[name]}; ` +
        'give a key with --key-file FILE, HUNT_KEY or HUNT_KEY_FILE, listen on 127.0.0.1, or say --insecure',
    );
  }
}

function checkHost(text: string): string {
  if (hostOf(text) !== null) return text;
  throw new OperatingError('bad_option', `not a name: allow-host=${text}; write game.example or game.example:8443`);
}

function checkOrigin(text: string): string {
  const origin = originOf(text);
  if (origin !== null) return origin;
  const message = `not an origin: allow-origin=${text}; name each one as browsers do, https://game.example, without a path; * is not taken`;
  throw new OperatingError('bad_option', message);
}
