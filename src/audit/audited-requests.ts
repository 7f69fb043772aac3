/**
 * Control requests that change something, each with its entry in the audit trail: begun on the disk before the request is
 * served, ended by what came of it. Which requests these are the route table says (ingress/routes.ts). Main thread, between
 * ingress and those who answer.
 */

import { OperatingError } from '../errors.ts';
import type { AuditOutcome, AuditSubject, AuditTrail } from './audit-trail.ts';

export interface AuditedRequest {
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
  readonly keyId: string;
  readonly remote: string;
  /** null: it changes nothing. */
  readonly change: RequestedChange | null;
}

export interface RequestedChange {
  readonly scope: string;
  readonly action: string;
}

export interface AuditedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** How a change went on after its request was answered. */
export interface ChangeEnd {
  readonly state: string;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/** `over`: the end of the change that an answer 202 tells of. */
export async function audited(
  trail: AuditTrail,
  request: AuditedRequest,
  serve: () => AuditedResponse | Promise<AuditedResponse>,
  over: () => Promise<ChangeEnd | null>,
): Promise<AuditedResponse> {
  const subject = request.change === null ? null : subjectOf(request, request.change);
  if (subject === null) return serve();
  let id: string;
  try {
    id = trail.begin(subject);
  } catch (error) {
    if (error instanceof OperatingError) return unavailable(error);
    throw error;
  }
  let response: AuditedResponse;
  try {
    response = await serve();
  } catch (error) {
    trail.end(id, 'failed', String(error));
    throw error;
  }
  const told = jsonOf(response.body);
  if (response.status !== 202) {
    trail.end(id, outcomeOf(response.status, told), messageOf(told));
    return response;
  }
  trail.leadsTo(id, textOf(told['version']));
  void over().then((end) => {
    const { state = 'failed', error } = end ?? {};
    trail.end(id, state === 'done' ? 'done' : 'failed', error === undefined ? '' : `${error.code}: ${error.message}`);
  });
  return response;
}

function unavailable({ code, message }: OperatingError): AuditedResponse {
  const headers = { 'content-type': 'application/json', 'retry-after': '1' };
  return { status: 503, headers, body: JSON.stringify({ error: { code, message } }) };
}

/** null: the request only asks what it would change. */
function subjectOf({ path, query, body, keyId, remote }: AuditedRequest, change: RequestedChange): AuditSubject | null {
  const { scope } = change;
  const caller = { scope, keyId, remote };
  if (change.action === 'replace-list') {
    const parameters = new URLSearchParams(query);
    const [actor, reason] = [parameters.get('actor') ?? '', parameters.get('reason') ?? ''];
    return { ...caller, action: change.action, actor, reason, subject: path.slice(path.lastIndexOf('/') + 1) };
  }
  const told = jsonOf(body);
  if (told['preview'] === true) return null;
  const subject = textOf(told['rule']) || textOf(told['to']);
  return {
    ...caller,
    action: actionOf(change.action, told),
    actor: textOf(told['actor']),
    reason: textOf(told['reason']),
    subject,
  };
}

/** As the table `pipelines` has them. */
function actionOf(action: string, told: Readonly<Record<string, unknown>>): string {
  if (action === 'switch-rule') return told['disabled'] === false ? 'enable' : 'disable';
  return action === 'shadow' && told['sources'] === null ? 'end-shadow' : action;
}

function outcomeOf(status: number, told: Readonly<Record<string, unknown>>): AuditOutcome {
  if (status >= 500) return 'failed';
  if (status >= 400) return 'refused';
  return told['unchanged'] === true ? 'unchanged' : 'done';
}

function messageOf(told: Readonly<Record<string, unknown>>): string {
  const { code, message } = (told['error'] ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return code === undefined ? '' : `${textOf(code)}: ${textOf(message)}`;
}

/** Fixed names only are read of it. What is no object has none. */
function jsonOf(body: string | Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
