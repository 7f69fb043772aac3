/**
 * What a key may be used for. Every route (ingress/routes.ts) and every command (cli/commands.ts) declares its scope. One
 * key has all of them for now.
 */

export const SCOPES = ['ingest', 'query', 'decide', 'lists', 'deploy', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];
