/** `GET /`: what this port serves, for whoever opens it in a browser or with curl. Ingress thread. */

import type { IngressContext } from './thread-context.ts';
import { ROUTES, type Route } from './routes.ts';

export function serveIndex(context: IngressContext): void {
  context.router.on('index', (_head, exchange) =>
    exchange.end(200, { 'content-type': 'text/plain; charset=utf-8' }, indexText(context.pipeline.name)),
  );
}

export function indexText(pipeline: string): string {
  const width = Math.max(...ROUTES.map(({ path }) => path.length));
  const line = (route: Route): string => {
    const types = route.method === 'POST' ? `  takes ${route.types.join(', ')}` : '';
    return `  ${route.method.padEnd(4)} ${route.path.padEnd(width)}  ${route.scope}${types}`;
  };
  return [
    `Treasure Hunt Engine, pipeline ${pipeline}. This port takes events and answers about them:`,
    '',
    ...ROUTES.map(line),
    '',
    'The word after each path is the scope that a key needs for it; GET /v1/stream is a WebSocket.',
    'SQL is asked on another port, which GET /v1/server names.',
    '',
  ].join('\n');
}
