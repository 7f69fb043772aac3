/**
 * What the events' port answers beside events: control requests, explanations and look-ups, each change with its entry in
 * the audit trail. Called by start.ts on the main thread.
 */

import { AuditTrail } from '../audit/audit-trail.ts';
import { audited } from '../audit/audited-requests.ts';
import { describeChange } from '../config/index.ts';
import { explainRequests } from '../explain/explain-requests.ts';
import type { ProxiedRequest } from '../ingress/thread-messages.ts';
import { queryRequests } from '../queries/query-requests.ts';
import { pipelineRequests } from '../versions/version-requests.ts';
import { controlRequests } from './control-requests.ts';
import { figuresNow } from './gather-figures.ts';
import type { PipelineChanges } from './pipeline-changes.ts';
import type { StageInput, Stages } from './stages.ts';

export function serveRequests(input: StageInput, stages: Stages, { deployer }: PipelineChanges): AuditTrail {
  const { options, opened, recovered } = input;
  const { ingress, warehouse } = stages;
  const { ledger, running } = recovered;
  const controls = controlRequests({
    running: () => running,
    ledger,
    losses: opened.losses,
    ingress: ingress.figures,
    stored: warehouse.stored,
    figures: () => figuresNow(input, stages),
    pipelines: pipelineRequests({
      deployer,
      versions: opened.versions,
      running: () => running.version,
      differences: (from, to) => describeChange(from, to, { rollback: true }),
    }),
  });
  const explanations = explanationsOf(input, stages);
  const queries = queryRequests({ plan: () => running.plan, read: warehouse.readForClient });
  const audit = new AuditTrail({ data: options.data, store: warehouse.storeAudit, log: options.log });
  const serve = (request: ProxiedRequest) => explanations(request) ?? queries(request) ?? controls(request);
  ingress.onRequest((request) =>
    audited(
      audit,
      request,
      () => serve(request),
      () => deployer.over(),
    ),
  );
  ingress.onRefusedChange((attempt, message) => audit.refused(attempt, message));
  ingress.onLookup(warehouse.lookupDecisions);
  return audit;
}

function explanationsOf({ opened, recovered }: StageInput, { warehouse }: Stages) {
  const { clickhouse, control, eventLog, running } = recovered;
  return explainRequests({
    live: () => ({ plan: running.plan, tables: running.tables, control: control.words }),
    planOf: (number) => opened.versions.find(number)?.plan,
    store: {
      ask: warehouse.rows,
      database: clickhouse.database,
      logNumber: opened.batchLog.logNumber,
      storedBatch: () => warehouse.stored().batch,
      durableEpoch: eventLog.durable,
      storedEpoch: control.storedEpoch,
    },
  });
}
