/** This engine, as `hunt serve` starts it, with the pipeline that comes with the package. */

import { HuntControl, queryTarget } from '../../src/client/index.ts';
import { startServer } from '../load/server.ts';
import { startNodeLoad } from './node-load.ts';
import type { System } from './systems.ts';

export const engine: System = {
  name: 'this engine',
  guarantee:
    'answered after fsync; every event in ClickHouse once; features recomputed from its rows are equal bit for bit',
  eventsPerSecond: 400_000,
  warmEvents: 1_000_000,
  missing: () => null,
  async start(folder, list) {
    const server = await startServer(folder);
    const control = new HuntControl({ url: server.url });
    const { pid, clickhouse } = await control.server();
    const load = await startNodeLoad({ url: server.url, encoding: 'protobuf', list });
    return {
      pids: { server: pid, ClickHouse: clickhouse.pid! },
      clickhouse: await queryTarget(control, undefined),
      load: (phase) => load.drive(phase),
      async stop() {
        await load.stop();
        await server.kill();
      },
    };
  },
};
