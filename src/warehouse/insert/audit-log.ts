/**
 * The table `audit_log`: entries go in once each, however often they come, and count as stored once they are on the disk.
 * Main thread; called by warehouse.ts, which tries again.
 */

import { OperatingError } from '../../errors.ts';
import type { AuditEntry } from '../../audit/audit-trail.ts';
import type { Connection } from './connection.ts';

export async function storeAudit(connection: Connection, entries: readonly AuditEntry[]): Promise<void> {
  const table = connection.table('audit_log');
  const ids = entries.map(({ id }) => id);
  const found = await connection.rows<{ id: string }>(`SELECT id FROM ${table} WHERE id IN ({ids:Array(String)})`, {
    ids,
  });
  const known = new Set(found.map(({ id }) => id));
  const rows = entries.filter(({ id }) => !known.has(id)).map(rowOf);
  if (rows.length > 0) {
    const body = [new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))];
    await connection.insert(`INSERT INTO ${table} FORMAT JSONEachRow`, body, {});
  }
  if (await connection.reachDisk()) return;
  throw new OperatingError('audit_not_synced', 'audit_log could not be synced', { retryable: true });
}

function rowOf({
  time,
  actor,
  scope,
  keyId,
  action,
  subject,
  version,
  reason,
  outcome,
  message,
  remote,
  id,
}: AuditEntry) {
  const at = new Date(time).toISOString().replace('T', ' ').replace('Z', '');
  return { time: at, actor, scope, key_id: keyId, action, subject, version, reason, outcome, message, remote, id };
}
