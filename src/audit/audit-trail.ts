/**
 * Who changed what: a line of the table `audit_log` for each change and each attempt at one. An entry is on the disk before
 * the change begins, and stays there until ClickHouse has it on its own disk, across restarts. Main thread; made by
 * engine/start.ts.
 *
 *   audit/entries.json   in the data folder: { entries: [AuditEntry, …] }, oldest first, those that ClickHouse may not have yet
 */

import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatingError } from '../errors.ts';
import { readDurableJson, writeDurableJson } from '../system/durable-json.ts';
import { wallMs } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** `interrupted`: the server ended in the middle of it. */
export type AuditOutcome = 'done' | 'unchanged' | 'refused' | 'failed' | 'interrupted';

export interface AuditSubject {
  readonly actor: string;
  readonly reason: string;
  readonly scope: string;
  /** Of the key that was shown; '': none was needed, or none was right. */
  readonly keyId: string;
  /** Address of who asked; '': nobody, the server itself. */
  readonly remote: string;
  readonly action: string;
  /** The rule, the list, the version that was asked for. */
  readonly subject: string;
}

export interface AuditEntry extends AuditSubject {
  readonly id: string;
  /** ms UTC, when it began. */
  readonly time: number;
  /** The version of the pipeline that decides then; '': it stays. */
  readonly version: string;
  /** null: not over yet. */
  readonly outcome: AuditOutcome | null;
  readonly message: string;
}

export interface AuditTrailSources {
  /** The data folder. */
  readonly data: string;
  /** Resolves once ClickHouse has them on its disk, each once, however often they are given. Rejects at the server's end. */
  readonly store: (entries: readonly AuditEntry[]) => Promise<void>;
  readonly log: Log;
}

/** Entries that wait for ClickHouse; beyond it changes are refused, so that none goes unrecorded. */
const WAITING_MAX = 1000;
const STOP_MS = 2000;
const TEXT_MAX = 2000;
const INTERRUPTED = 'the server ended before it was over; whether it took place is not known';
const ADVICE = 'restore it from a copy, or move it away: what it held is then missing in audit_log';

export class AuditTrail {
  readonly #sources: AuditTrailSources;
  readonly #path: string;
  #entries: readonly AuditEntry[];
  #storing: Promise<void> | null = null;

  constructor(sources: AuditTrailSources) {
    this.#sources = sources;
    const folder = join(sources.data, 'audit');
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, 'entries.json');
    const file = readDurableJson(this.#path, ADVICE) as { readonly entries?: readonly AuditEntry[] } | null;
    this.#entries = file?.entries ?? [];
  }

  /**
   * Ends what a server before this one had begun, and stores what it had not; to be called at the start. `tookPlace`: as far
   * as can be told.
   */
  recover(tookPlace: (entry: AuditEntry) => boolean): void {
    for (const entry of this.#entries) {
      if (entry.outcome !== null) continue;
      const [outcome, message] = tookPlace(entry) ? (['done', ''] as const) : (['interrupted', INTERRUPTED] as const);
      this.end(entry.id, outcome, message);
    }
    this.store();
  }

  /** Durable on return, with the id by which the entry is ended. */
  begin(subject: AuditSubject): string {
    if (this.#entries.length >= WAITING_MAX) {
      const message = `too many changes wait to be recorded in ClickHouse: waiting=${this.#entries.length}; try again when it is back`;
      throw new OperatingError('audit_full', message, { retryable: true });
    }
    const entry = { ...bounded(subject), id: randomUUID(), time: wallMs(), version: '', outcome: null, message: '' };
    const entries = [...this.#entries, entry];
    writeDurableJson(this.#path, { entries });
    this.#entries = entries;
    return entry.id;
  }

  /** Which version the change leads to, so that the next start can tell whether it got there. Durable on return. */
  leadsTo(id: string, version: string): void {
    this.#change(id, { version });
  }

  /** Durable on return; ClickHouse has it soon after. */
  end(id: string, outcome: AuditOutcome, message = ''): void {
    this.#change(id, { outcome, message: message.slice(0, TEXT_MAX) });
    this.store();
  }

  /** An attempt that was refused before it began. Where too many wait already it is only logged. */
  refused(subject: AuditSubject, message: string): void {
    if (this.#entries.length >= WAITING_MAX) return;
    this.end(this.begin(subject), 'refused', message);
  }

  /** Hands what is over to ClickHouse; at the start, too. */
  store(): void {
    this.#storing ??= this.#storeAll().finally(() => (this.#storing = null));
  }

  /** Gives what is being stored a moment; the next start stores the rest. */
  async stop(): Promise<void> {
    if (this.#storing === null) return;
    const given = new AbortController();
    const moment = pause(STOP_MS, undefined, { signal: given.signal }).catch(() => undefined);
    await Promise.race([this.#storing, moment]);
    given.abort();
  }

  async #storeAll(): Promise<void> {
    for (;;) {
      const over = this.#entries.filter(({ outcome }) => outcome !== null);
      if (over.length === 0) return;
      try {
        await this.#sources.store(over);
      } catch (error) {
        this.#sources.log('warn', 'changes are not in audit_log yet; the next start stores them', {
          error: String(error),
        });
        return;
      }
      const stored = new Set(over.map(({ id }) => id));
      this.#entries = this.#entries.filter(({ id }) => !stored.has(id));
      // Where this fails the next start finds that ClickHouse has them.
      this.#tryWrite();
    }
  }

  /** What has happened is not undone because the disk is full: it is written with the next entry. */
  #change(id: string, more: Partial<AuditEntry>): void {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? { ...entry, ...more } : entry));
    this.#tryWrite();
  }

  #tryWrite(): void {
    try {
      writeDurableJson(this.#path, { entries: this.#entries });
    } catch (error) {
      this.#sources.log('error', 'the audit trail could not be written', { file: this.#path, error: String(error) });
    }
  }
}

function bounded(subject: AuditSubject): AuditSubject {
  const { actor, reason, subject: what } = subject;
  return {
    ...subject,
    actor: actor.slice(0, TEXT_MAX),
    reason: reason.slice(0, TEXT_MAX),
    subject: what.slice(0, TEXT_MAX),
  };
}
