/** The Node services: `service/` in one of its two encodings, beside a ClickHouse of its own. */

import { compiledUrl } from '../../src/system/compiled-url.ts';
import { startChild } from '../load/children.ts';
import type { Encoding } from './event-list.ts';
import { startNodeLoad } from './node-load.ts';
import { startPeerClickHouse } from './peer-clickhouse.ts';
import type { System } from './systems.ts';

const START_MS = 20_000;

export function nodeService(encoding: Encoding, library: string, eventsPerSecond: number): System {
  return {
    name: `Node, ${library}`,
    guarantee: 'answered from memory: a crash loses what was answered in the last second or more, and all features',
    eventsPerSecond,
    warmEvents: 200_000,
    missing: () => null,
    async start(folder, list) {
      const clickhouse = await startPeerClickHouse(folder);
      const file = new URL(compiledUrl(import.meta.url, './service/main.js')).pathname;
      const service = startChild('the Node service', process.execPath, [file, encoding, clickhouse.url]);
      const { port } = JSON.parse(await service.line(START_MS)) as { port: number };
      const load = await startNodeLoad({ url: `http://127.0.0.1:${port}`, encoding, list });
      return {
        pids: { service: service.pid, ClickHouse: clickhouse.pid },
        clickhouse: clickhouse.target,
        load: (phase) => load.drive(phase),
        async stop() {
          await load.stop();
          await service.kill();
          await clickhouse.kill();
        },
      };
    },
  };
}
