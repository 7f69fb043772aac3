/** Puts the parts of the figures together, as they are now. Called by requests.ts on the main thread. */

import type { Figures } from '../contract/figures.ts';
import { written } from '../contract/event-log.ts';
import type { StageInput, Stages } from './stages.ts';

export function figuresNow({ options, opened, recovered }: StageInput, stages: Stages): Figures {
  const { clickhouse, control, eventLog, memory, running } = recovered;
  const { snapshots, trimming, warehouse, ingress, bounds, readiness } = stages;
  const heldBy = trimming.heldBy();
  const { refusedByProducer: _, ...received } = ingress.figures();
  return {
    pid: process.pid,
    uptimeSeconds: Math.round(performance.now() / 1000),
    pipeline: { name: running.plan.pipeline, version: running.plan.version },
    data: options.data,
    log: { number: eventLog.number, heldBy: { ...heldBy, from: written(heldBy.from) } },
    workers: memory.workers,
    ingresses: memory.ingresses,
    transport: opened.transport.kind,
    clickhouse: clickhouse.figures(),
    epochs: { durable: written(eventLog.durable()), stored: written(control.storedEpoch()) },
    ready: readiness.now,
    bounds: bounds.figures(),
    absences: control.absences(),
    spool: eventLog.figures(),
    snapshots: snapshots.figures,
    warehouse: warehouse.figures(),
    ingress: received,
  };
}
