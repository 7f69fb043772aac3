/**
 * One HTTP request with any head at all, Host and Origin among it, which fetch() does not let one choose; and an attempt at
 * a WebSocket.
 */

import { request } from 'node:http';

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** As a WebSocket would begin. */
  readonly upgrade?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Of an error body. */
  readonly code: string;
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-protocol': 'hunt.v1.json',
};
const ANSWER_MS = 30_000;

/** `url`: of the server; the Host header is its own unless another is given. */
export function ask(
  url: string,
  { method = 'GET', path, headers = {}, body, upgrade = false }: Ask,
): Promise<Answered> {
  const { hostname, port, host } = new URL(url);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = { host, ...length, ...(upgrade ? UPGRADE : { connection: 'close' }), ...headers };
  return new Promise((resolve, reject) => {
    const asked = request({
      hostname,
      port,
      method,
      path,
      headers: sent,
      setHost: false,
      agent: false,
      timeout: ANSWER_MS,
    });
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () => {
        const code = /"code":"(\w+)"/.exec(text)?.[1] ?? '';
        resolve({ status: response.statusCode!, headers: response.headers, text, code });
      });
      response.on('error', reject);
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, headers: response.headers, text: '', code: '' });
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer: ${method} ${path}`)));
    asked.on('error', reject);
    asked.end(body);
  });
}
