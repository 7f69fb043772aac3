/** The columns of `events` as the pipeline's parts ask for them: names, ClickHouse types, and who came first. */

import { KINDS } from '../../native-free-core/language/kinds/index.ts';
import {
  columnAt,
  VIEWS_FROM,
  type ColumnKind,
  type ColumnPlan,
  type ColumnShape,
  type ViewPlan,
} from '../../native-free-core/plan/plan.ts';
import type { Path } from './source.ts';
import type { Problems } from './problems.ts';

/** Added by the insert, not by the worker. */
const INSERT_COLUMNS = ['_log', '_batch', '_row', '_epoch', '_pipeline'];

/** Wider tables are a mistake: each column is memory in every worker and a file in every part. */
const COLUMNS_MAX = 2000;

export interface ColumnRequest {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly shape?: ColumnShape;
  readonly nullable?: boolean;
  /** Bool instead of UInt8. */
  readonly bool?: boolean;
  readonly labels?: readonly string[];
  readonly enumNames?: readonly (readonly [number, string])[];
  readonly comment: string;
  readonly branch?: number;
  readonly codec?: string;
}

export interface ColumnBuilder {
  readonly columns: ColumnPlan[];
  readonly views: ViewPlan[];
  /** Column or view by the index that expressions use. */
  at(index: number): ColumnPlan;
  /**
   * A field whose values lie in a column that fields of other branches share: made with the first of them, called
   * `slotName`.
   */
  addView(
    request: ColumnRequest,
    slotName: string,
    owner: string,
    path: Path,
  ): { readonly view: number; readonly slot: number };
  /** Index of the new column. `owner` says who asks, `path` where in the pipeline file. */
  add(request: ColumnRequest, owner: string, path: Path): number;
}

export function createColumns(problems: Problems): ColumnBuilder {
  const columns: ColumnPlan[] = [];
  const views: ViewPlan[] = [];
  const slots = new Map<string, number>();
  const owners = new Map<string, string>(INSERT_COLUMNS.map((name) => [name, 'the engine']));
  const claimName = (name: string, owner: string, path: Path): void => {
    const before = owners.get(name);
    if (before !== undefined)
      problems.addAtKey(path, `two columns would be called ${name}: one of ${before}, one of ${owner}`);
    if (columns.length + views.length === COLUMNS_MAX) problems.addAtKey(path, `more than ${COLUMNS_MAX} columns`);
    owners.set(name, owner);
  };
  const builder: ColumnBuilder = {
    columns,
    views,
    at: (index) => columnAt({ columns, views }, index),
    add(request, owner, path) {
      claimName(request.name, owner, path);
      return columns.push(planColumn(request, columns.length)) - 1;
    },
    addView(request, slotName, owner, path) {
      claimName(request.name, owner, path);
      let slot = slots.get(slotName);
      if (slot === undefined) {
        const shared = {
          ...request,
          name: slotName,
          nullable: true,
          branch: -1,
          comment: 'shared by branches of the event type',
        };
        slot = builder.add(shared, 'the engine', path);
        slots.set(slotName, slot);
      }
      const view = VIEWS_FROM + views.length;
      views.push({ ...planColumn({ ...request, nullable: true }, view), codec: '', slot });
      return { view, slot };
    },
  };
  return builder;
}

function planColumn(request: ColumnRequest, index: number): ColumnPlan {
  const shape = request.shape ?? 'scalar';
  const nullable = shape === 'scalar' && (request.nullable ?? false);
  return {
    index,
    name: request.name,
    kind: request.kind,
    shape,
    nullable,
    clickhouseType: clickhouseType(request, shape, nullable),
    codec: request.codec ?? (shape === 'scalar' ? KINDS[request.kind].clickhouse.plannedCodec : ''),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
    ...(request.enumNames === undefined ? {} : { enumNames: request.enumNames }),
    comment: request.comment,
    branch: request.branch ?? -1,
  };
}

function clickhouseType(request: ColumnRequest, shape: ColumnShape, nullable: boolean): string {
  const { type, isLowCardinality } = KINDS[request.kind].clickhouse;
  const plain = request.bool === true ? 'Bool' : type;
  const value = nullable ? `Nullable(${plain})` : plain;
  const full = isLowCardinality ? `LowCardinality(${value})` : value;
  if (shape === 'list') return `Array(${full})`;
  return shape === 'map' ? `Map(String, ${full})` : full;
}
