/** A real nginx in front of servers under test, in a folder and on a port of its own; no root, no files of the system's. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder, until } from './server.ts';

export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

/** What is missing, '' where nothing is. In CI its absence is a failure. */
export function nginxMissing(): string {
  const isThere = spawnSync('nginx', ['-v'], { env: environment() }).status === 0;
  return isThere ? '' : 'nginx is not installed here (apt-get install nginx)';
}

/** Debian puts it where ordinary users do not look. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

/** `server`: what stands in nginx's `server { … }`, without `listen`. */
export async function startNginx(server: string): Promise<Nginx> {
  const folder = temporaryFolder();
  const port = await freePort();
  mkdirSync(join(folder.path, 'temp'));
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const configuration = `
    ${userInfo().uid === 0 ? 'user root;' : ''}
    daemon off; master_process off; pid ${folder.path}/pid; error_log ${folder.path}/error.log;
    events { worker_connections 256; }
    http {
      access_log off;
      ${kinds.map((kind) => `${kind}_temp_path ${folder.path}/temp;`).join('\n')}
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      server { listen 127.0.0.1:${port}; ${server} }
    }`;
  writeFileSync(join(folder.path, 'nginx.conf'), configuration);
  const args = ['-p', folder.path, '-e', join(folder.path, 'error.log'), '-c', join(folder.path, 'nginx.conf')];
  const child = spawn('nginx', args, { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const killAtExit = (): unknown => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const url = `http://127.0.0.1:${port}`;
  const answers = (): Promise<boolean> =>
    fetch(`${url}/nginx-is-there`).then(
      () => true,
      () => false,
    );
  await until(async () => (await answers()) || child.exitCode !== null, 'nginx answers');
  if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      process.off('exit', killAtExit);
      folder.remove();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
