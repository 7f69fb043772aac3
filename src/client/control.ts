/** What a server says of itself over HTTP: its description, its pipeline, its ledger, the features of an entity. */

import type { EntityState } from '../../native-free-core/features/read.ts';
import type { PlanChange } from '../../native-free-core/plan/change-plan.ts';
import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { ListDescription } from '../contract/list-description.ts';
import type { QueryDescription } from '../contract/named-queries.ts';
import { OperatingError } from '../errors.ts';
import type { Figures } from '../contract/figures.ts';
import type { Explanation, StoredExplanation } from '../contract/explanation.ts';
import { isClickHouse, refusalText, serverAddress, unreachable, type ServerAddress } from '../../client/src/address.ts';

export interface PipelineDescription {
  readonly plan: Plan;
  /** Field path -> column of a CSV file or key of an NDJSON file. */
  readonly importMap: ImportMap;
}

/** Events by what became of them (docs/semantics.md §11). */
export interface LedgerAccount {
  readonly received: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly refused: number;
  /** Refused as wrong; and frames that were, of which no event is counted. */
  readonly deadLettered: number;
  /** Answered, and lost by the disk; an operator has accepted it. In the total only: whose they were is lost, too. */
  readonly lost: number;
  readonly framesRejected: number;
  /** Of these: rows of dead_letters, and such that were only counted. */
  readonly deadLettersKept: number;
  readonly deadLettersNotKept: number;
}

/** Of one producer: as far as it is remembered. */
export interface LedgerLine extends LedgerAccount {
  readonly producer: string;
  readonly highestSeq: number;
  readonly gaps: number;
}

export interface LedgerDescription {
  readonly total: LedgerAccount;
  /** The sum of the producers that were forgotten, and how many they were. */
  readonly forgotten: LedgerAccount & { readonly producers: number };
  /** A page of them, in the order of their names. */
  readonly producers: readonly LedgerLine[];
  readonly producersInAll: number;
  /** The page behind this one begins after that name; null: this is the last one. */
  readonly next: string | null;
  readonly inSpool: { readonly events: number; readonly deadLetters: number };
  readonly losses: readonly {
    readonly at: string;
    readonly by: string;
    readonly firstEpoch: number;
    readonly lastEpoch: number;
    readonly events: number;
    readonly isAtLeast: boolean;
    readonly found: readonly string[];
    readonly keptIn: string;
  }[];
}

export interface EntityDescription extends EntityState {
  readonly entity: string;
  /** As it was asked for; the parts of a composite key. */
  readonly key: string | readonly string[];
}

interface RequestInput {
  readonly method?: string;
  readonly body?: Uint8Array;
  /** Content type of the body. */
  readonly type?: string;
}

/** A change of the pipeline, under way or over (`GET /v1/pipelines`). */
export interface PipelineChange {
  readonly id: number;
  readonly kind: string;
  readonly actor: string;
  readonly reason: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly version: string;
  /** Of the version that decides beside it. */
  readonly shadow: string | null;
  readonly from: string;
  readonly phase: 'tables' | 'backfill' | 'switch' | 'sweep' | 'snapshot';
  /** Stored rows read, of how many. */
  readonly done: number;
  readonly total: number;
  readonly diff: object;
  /** Since the new version decides. */
  readonly result?: {
    readonly afterEpoch: number;
    /** For how long no event was decided. */
    readonly pauseMs: number;
    /** Entities whose rows moved to another layout, and those that found no room there; once the change is over. */
    readonly rows?: number;
    readonly lost?: number;
  };
  readonly error?: { readonly code: string; readonly message: string };
}

export interface PipelinesDescription {
  readonly running: { readonly name: string; readonly version: string; readonly shadow: string | null };
  readonly activations: readonly {
    readonly number: number;
    readonly version?: string;
    readonly afterEpoch: number;
    readonly at: string;
  }[];
  readonly change: PipelineChange | null;
}

export interface VersionsDescription {
  readonly activations: readonly {
    readonly number: number;
    /** null: the data folder no longer has it. */
    readonly version: string | null;
    readonly shadow: string | null;
    readonly kind: string;
    readonly actor: string;
    readonly reason: string;
    readonly afterEpoch: number;
    readonly at: string;
    readonly differs: readonly string[] | null;
    readonly disabledRules: readonly string[];
  }[];
  /** Activations before these. */
  readonly older: number;
}

/** Where the version decides already, nothing is begun. */
export type BegunChange =
  PipelineChange | { readonly unchanged: true; readonly version: string; readonly shadow: string | null };

export interface DeployPreview {
  readonly version: string;
  readonly shadow: string | null;
  readonly from: string;
  /** Rules that decide now and would be switched off, as `decision.rule`. */
  readonly newlyDisabled: readonly string[];
  readonly refusals: readonly string[];
  /** null: it is refused. */
  readonly change: PlanChange | null;
  readonly diff: object;
}

/** Who wants a change, and why. */
export interface ChangeOrigin {
  readonly actor: string;
  readonly reason: string;
}

/** A server that neither answers nor hangs up is given up after this. */
const ANSWER_MS = 60_000;
const LEDGER_PAGE = 10_000;

export class HuntControl {
  readonly address: ServerAddress;
  /** The API key, where one was given. */
  readonly key: string | undefined;

  /** `url`: `http://…` or `ws://…`. */
  constructor(options: { readonly url: string; readonly key?: string | undefined }) {
    this.address = serverAddress(options.url, options.key);
    this.key = options.key;
  }

  server(): Promise<Figures> {
    return this.get('/v1/server');
  }

  pipeline(): Promise<PipelineDescription> {
    return this.get('/v1/pipeline');
  }

  /** The totals, and a page of producers: the first ones, or those behind the name `after`. */
  ledger(page: { readonly after?: string | null; readonly limit?: number } = {}): Promise<LedgerDescription> {
    const query = new URLSearchParams();
    if (page.limit !== undefined) query.set('limit', String(page.limit));
    if (typeof page.after === 'string') query.set('after', page.after);
    return this.get(query.size === 0 ? '/v1/ledger' : `/v1/ledger?${query.toString()}`);
  }

  /** All producers, page by page; what comes in meanwhile is in some pages and not in others. */
  async *ledgerLines(): AsyncGenerator<LedgerLine> {
    let after: string | null = null;
    do {
      const page: LedgerDescription = await this.ledger({ after, limit: LEDGER_PAGE });
      yield* page.producers;
      after = page.next;
    } while (after !== null);
  }

  /** Features as of the entity's last event. `key`: the parts of a composite key in their order. */
  entity(entity: string, ...key: readonly (string | number)[]): Promise<EntityDescription> {
    return this.get(entityPath(entity, key));
  }

  /** Features as of this moment: what has left its window since the last event is out. */
  entityNow(entity: string, ...key: readonly (string | number)[]): Promise<EntityDescription> {
    return this.get(`${entityPath(entity, key)}?at=now`);
  }

  async lists(): Promise<readonly ListDescription[]> {
    return (await this.get<{ readonly lists: readonly ListDescription[] }>('/v1/lists')).lists;
  }

  /** `entries`: UTF-8, one a line. It counts for every event from then on. */
  replaceList(name: string, entries: Uint8Array, origin?: ChangeOrigin): Promise<ListDescription> {
    const query = origin === undefined ? '' : `?${new URLSearchParams({ ...origin }).toString()}`;
    const path = `/v1/lists/${encodeURIComponent(name)}${query}`;
    return this.#request(path, { method: 'POST', body: entries, type: 'text/csv' });
  }

  /** What would be decided on an event now; nothing is recorded. `type`: `application/json` or `application/x-protobuf`. */
  decide(event: Uint8Array, type = 'application/json'): Promise<Explanation> {
    return this.#request('/v1/decide', { method: 'POST', body: event, type });
  }

  /** Why a stored event was decided as it was. `day`: UTC day of its arrival, 2024-12-31, which finds it sooner. */
  decision(eventId: string, day?: string): Promise<StoredExplanation> {
    const query = day === undefined ? '' : `?day=${encodeURIComponent(day)}`;
    return this.get(`/v1/decisions/${encodeURIComponent(eventId)}${query}`);
  }

  /** What can be asked by name. */
  async queries(): Promise<readonly QueryDescription[]> {
    return (await this.get<{ readonly queries: readonly QueryDescription[] }>('/v1/queries')).queries;
  }

  /** The answer as it comes. `format`: json, csv, arrow or parquet. */
  query(name: string, parameters: ReadonlyMap<string, string>, format: string): Promise<Response> {
    const query = new URLSearchParams({ format });
    for (const [parameter, value] of parameters) query.set(`param.${parameter}`, value);
    return this.#open(`/v1/queries/${encodeURIComponent(name)}?${query.toString()}`, {});
  }

  pipelines(): Promise<PipelinesDescription> {
    return this.get('/v1/pipelines');
  }

  /** `sources`: the pipeline file and all that it names, as texts. */
  deploy(sources: object, origin: ChangeOrigin): Promise<BegunChange> {
    return this.#post('/v1/pipelines', { sources, ...origin });
  }

  /** What `deploy` would do, nothing else. `diff`: what differs; refusals: why it would not. */
  previewDeploy(sources: object): Promise<DeployPreview> {
    return this.#post('/v1/pipelines', { sources, preview: true });
  }

  /** Lets the version decide beside the live one; null: ends that. */
  shadow(sources: object | null, origin: ChangeOrigin): Promise<BegunChange> {
    return this.#post('/v1/pipelines/shadow', { sources, ...origin });
  }

  /** `to`: version; default: the one before. */
  rollback(to: string | undefined, origin: ChangeOrigin): Promise<BegunChange> {
    return this.#post('/v1/pipelines/rollback', { ...(to === undefined ? {} : { to }), ...origin });
  }

  /** What `rollback` would do, nothing else. */
  previewRollback(to: string | undefined): Promise<DeployPreview> {
    return this.#post('/v1/pipelines/rollback', { ...(to === undefined ? {} : { to }), preview: true });
  }

  /** The newest activations, oldest first, each with what it changed in words. */
  versions(): Promise<VersionsDescription> {
    return this.get('/v1/pipelines/versions');
  }

  setRule(rule: string, disabled: boolean, origin: ChangeOrigin): Promise<BegunChange> {
    return this.#post('/v1/pipelines/rules', { rule, disabled, ...origin });
  }

  #post<Body>(path: string, body: object): Promise<Body> {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return this.#request(path, { method: 'POST', body: bytes, type: 'application/json' });
  }

  /** Any other path that answers JSON. */
  get<Body>(path: string): Promise<Body> {
    return this.#request(path, {});
  }

  async #request<Body>(path: string, input: RequestInput): Promise<Body> {
    const response = await this.#open(path, input);
    try {
      return parsed<Body>(await response.text(), this.address);
    } catch (cause) {
      throw cause instanceof OperatingError ? cause : unreachable(this.address, cause);
    }
  }

  /** The answer where it is one of success; its body is still to be read. */
  async #open(path: string, { type, ...init }: RequestInput): Promise<Response> {
    const { address } = this;
    const headers = type === undefined ? address.headers : { ...address.headers, 'content-type': type };
    let response: Response;
    let refusal = '';
    try {
      response = await fetch(new URL(path, address.http), {
        ...init,
        headers,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      if (!response.ok) refusal = await response.text();
    } catch (cause) {
      throw unreachable(address, cause);
    }
    if (isClickHouse(response)) {
      throw new OperatingError(
        'wrong_port',
        `ClickHouse answers there, not the engine: url=${address.http.origin}; name the port for events by --url (8700 by default), this one by --clickhouse`,
      );
    }
    if (response.ok) return response;
    throw new OperatingError(
      'server_refused',
      `the server refused a request: path=${path} status=${response.status} ${refusalText(refusal)}`,
      {
        retryable: response.status >= 500 || response.status === 429,
      },
    );
  }
}

function parsed<Body>(text: string, address: ServerAddress): Body {
  try {
    return JSON.parse(text) as Body;
  } catch (cause) {
    const shown = text.replace(/\s+/g, ' ').trim().slice(0, 100);
    throw new OperatingError(
      'wrong_port',
      `something else answers there: url=${address.http.origin} body=${shown}; name the engine's port for events by --url (8700 by default)`,
      { cause },
    );
  }
}

function entityPath(entity: string, key: readonly (string | number)[]): string {
  const parts = key.map((part) => encodeURIComponent(String(part)));
  return `/v1/entities/${encodeURIComponent(entity)}/${parts.join(',')}`;
}
