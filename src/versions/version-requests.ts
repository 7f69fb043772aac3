/**
 * Control requests about the pipeline's versions. Main thread; engine/control-requests.ts hands them over. Every answer is
 * JSON.
 *
 *   GET  /v1/pipelines            the running version, the activations that are remembered, the change under way or the last one
 *   GET  /v1/pipelines/versions   the newest activations, each with what it changed in words
 *   POST /v1/pipelines            { sources, actor, reason }: another version; with "preview": true only what it would do
 *   POST /v1/pipelines/shadow     { sources, actor, reason }: decides beside the live version; sources null: ends
 *   POST /v1/pipelines/rollback   { to?, actor, reason }; with "preview": true only what it would do
 *   POST /v1/pipelines/rules      { rule, disabled, actor, reason }
 */

import { z } from 'zod';
import { lookup } from '../../native-free-core/base/lookup.ts';
import { OperatingError } from '../errors.ts';
import type { ChangeState, Deployer } from './deployer.ts';
import type { ChangeKind, ActivationOrigin, PipelineVersions } from './pipeline-versions.ts';
import type { RunningVersion } from './change.ts';
import { versionHistory, type DescribeDifference } from './version-history.ts';

export const PIPELINES_PATH = '/v1/pipelines';

export interface PipelineRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

export interface PipelineAnswer {
  readonly status: number;
  readonly body: object;
}

const who = { actor: z.string().max(200).default(''), reason: z.string().max(2000).default('') };
const sources = z.strictObject({
  file: z.string().max(1000),
  text: z.string(),
  files: z
    .array(
      z.strictObject({
        name: z.string().max(1000),
        importer: z.string().max(1000).nullable(),
        path: z.string().max(1000),
        text: z.string(),
      }),
    )
    .max(1000),
});
const deployBody = z.strictObject({ sources, preview: z.boolean().default(false), ...who });
const shadowBody = z.strictObject({ sources: sources.nullable(), ...who });
const rollbackBody = z.strictObject({ to: z.string().max(64).optional(), preview: z.boolean().default(false), ...who });
const ruleBody = z.strictObject({ rule: z.string().max(200), disabled: z.boolean(), ...who });

export interface PipelineRequestSources {
  readonly deployer: Deployer;
  readonly versions: PipelineVersions;
  readonly running: () => RunningVersion;
  readonly differences: DescribeDifference;
}

export function pipelineRequests(served: PipelineRequestSources): (request: PipelineRequest) => PipelineAnswer {
  const { deployer } = served;
  const posts: Readonly<Record<string, (body: unknown) => PipelineAnswer>> = {
    '': (body) => {
      const { sources: texts, preview, ...from } = deployBody.parse(body);
      if (preview) return { status: 200, body: deployer.preview(texts) };
      return begun(served, deployer.deploy(texts, originOf('deploy', from)));
    },
    '/shadow': (body) => {
      const { sources: texts, ...from } = shadowBody.parse(body);
      if (texts === null) return begun(served, deployer.endShadow(originOf('end-shadow', from)));
      return begun(served, deployer.shadow(texts, originOf('shadow', from)));
    },
    '/rollback': (body) => {
      const { to, preview, ...from } = rollbackBody.parse(body);
      if (preview) return { status: 200, body: deployer.previewRollback(to) };
      return begun(served, deployer.rollback(to, originOf('rollback', from)));
    },
    '/rules': (body) => {
      const { rule, disabled, ...from } = ruleBody.parse(body);
      return begun(served, deployer.setRule(rule, disabled, originOf(disabled ? 'disable' : 'enable', from)));
    },
  };
  return ({ method, path, body }) => {
    const rest = path.slice(PIPELINES_PATH.length);
    if (method === 'GET' && rest === '/versions')
      return { status: 200, body: versionHistory(served.versions, served.differences) };
    const post = lookup(posts, rest);
    if (post === undefined) return failed(404, 'not_found', `nothing is served here: path=${path}`);
    if (method === 'GET' && rest === '') return { status: 200, body: describe(served) };
    if (method !== 'POST')
      return failed(405, 'method_not_allowed', `${path} does not answer this method: method=${method}`);
    try {
      return post(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
    } catch (error) {
      return refusal(error);
    }
  };
}

function originOf(kind: ChangeKind, from: { readonly actor: string; readonly reason: string }): ActivationOrigin {
  return { kind, ...from };
}

function begun({ running, versions }: PipelineRequestSources, state: ChangeState | null): PipelineAnswer {
  if (state === null) return { status: 200, body: { unchanged: true, ...versions.namesOf(running()) } };
  return { status: 202, body: state };
}

function describe({ deployer, versions, running }: PipelineRequestSources): object {
  const version = running();
  return {
    running: { name: version.plan.pipeline, ...versions.namesOf(version) },
    activations: versions.activations().map(({ at, ...activation }) => {
      const found = versions.find(activation.number);
      return { ...(found === null ? {} : versions.namesOf(found)), ...activation, at: new Date(at).toISOString() };
    }),
    change: deployer.last,
  };
}

const STATUS: Readonly<Record<string, number>> = {
  change_refused: 422,
  change_under_way: 409,
  no_such_version: 404,
  no_such_rule: 404,
  no_shadow: 404,
  shadow_refused: 422,
};

function refusal(error: unknown): PipelineAnswer {
  if (error instanceof z.ZodError) return failed(400, 'bad_request', z.prettifyError(error));
  if (error instanceof SyntaxError || error instanceof TypeError) {
    return failed(400, 'bad_request', `the body is not JSON in UTF-8: ${error.message}`);
  }
  if (error instanceof OperatingError) return failed(lookup(STATUS, error.code) ?? 400, error.code, error.message);
  throw error;
}

function failed(status: number, code: OperatingError['code'], message: string): PipelineAnswer {
  return { status, body: { error: { code, message } } };
}
