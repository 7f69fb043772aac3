/**
 * The version of the pipeline that decides, as the main thread holds it: plan, memory, tables, lists. Everything that
 * outlives a version asks here each time. Made by engine/start.ts; changed between two epochs by versions/.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { ImportMap } from '../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { parseList } from '../config/index.ts';
import type { RunningVersion } from './change.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { collectGarbage } from '../system/collect-garbage.ts';
import { Lists } from './running-lists.ts';
import type { Log } from '../system/log.ts';
import { openTables } from '../workers/open-tables.ts';

export interface Running {
  readonly version: RunningVersion;
  readonly plan: Plan;
  readonly importMap: ImportMap;
  readonly tables: Tables;
  readonly lists: Lists;
  changeTo(version: RunningVersion): void;
  /** The same tables, with nothing left to adopt. */
  settle(memory: SharedMemory): void;
}

/** `listFolder`: where replaced lists are kept. */
export function createRunning(first: RunningVersion, listFolder: string, log: Log): Running {
  let version = first;
  let tables = openTables(first.memory);
  let lists = listsOf();
  function listsOf(): Lists {
    return new Lists({
      lists: version.plan.lists ?? [],
      keys: tables.lists ?? [],
      directory: listFolder,
      read: parseList,
      log,
    });
  }
  return {
    get version() {
      return version;
    },
    get plan() {
      return version.plan;
    },
    get importMap() {
      return version.importMap;
    },
    get tables() {
      return tables;
    },
    get lists() {
      return lists;
    },
    changeTo(next) {
      version = next;
      tables = openTables(next.memory);
      lists = listsOf();
    },
    settle(memory) {
      version = { ...version, memory };
      tables = openTables(memory);
      lists = listsOf();
      collectGarbage();
    },
  };
}
