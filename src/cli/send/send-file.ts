/** Sends one file through HuntClient: resumes where an earlier run stopped, keeps credits, gathers the answers in order. */

import { finished } from 'node:stream/promises';
import { createWriteStream, type WriteStream } from 'node:fs';
import { SEQ_BITMAP_BITS } from '../../../native-free-core/layout/limits.ts';
import { HuntClient, HuntControl, JsonText, type ClientAnswer } from '../../client/index.ts';
import { OperatingError } from '../../errors.ts';
import { framesOf, type FileFrame } from './framing.ts';
import { refusedRows } from './refused-rows.ts';
import type { FileFormat, SourceRow } from './row.ts';
import { sourceRows } from './rows.ts';
import { openSource, type Source } from './sent-file.ts';
import { addAnswer, addProblem, emptySummary, type SendSummary } from './summary.ts';

export interface SendOptions {
  readonly url: string;
  readonly key: string | undefined;
  /** Path, or `-` for standard input. */
  readonly file: string;
  readonly format: FileFormat | null;
  readonly delimiter: string;
  /** undefined: the file's content is its name. */
  readonly producer: string | undefined;
  readonly eventsPerFrame: number;
  readonly ack: 'durable' | 'stored';
  readonly reconnectMs: number;
  /** File for one line per event, or undefined. */
  readonly answers: string | undefined;
  /** One of several files: its answers are added to those of the others, under its name. */
  readonly isOneOfSeveral?: boolean;
  readonly note: (message: string) => void;
  /** Called after each answer and each frame read. */
  readonly progress: (summary: SendSummary, source: Source) => void;
  /** Aborted: stop sending, and tell what was done. */
  readonly signal: AbortSignal;
}

/** After an interruption, answers to what is on its way have this long. */
const LAST_ANSWERS_MS = 5000;
/** Hex digits of the digest: 128 bits. */
const DIGEST_DIGITS = 32;

export async function sendFile(options: SendOptions): Promise<SendSummary> {
  const { plan, importMap } = await new HuntControl(options).pipeline();
  const source = await openSource(options.file, options.producer === undefined, options.note);
  try {
    const producer = options.producer ?? producerOf(source, options.eventsPerFrame);
    const client = await HuntClient.connect({
      ...options,
      producer,
      encoding: 'json',
      onReconnect: options.note,
    });
    const summary = emptySummary(source.name, producer);
    if (options.eventsPerFrame > client.hello.frameEventsMax) {
      await client.abort();
      throw new OperatingError(
        'bad_option',
        `too many events for one frame: events-per-frame=${options.eventsPerFrame} max=${client.hello.frameEventsMax}`,
      );
    }
    const rows = sourceRows({ ...options, source, plan, importMap });
    return await sendRows(options, client, source, rows, summary);
  } finally {
    await source.close();
  }
}

/** The same content in the same framing is the same producer. */
function producerOf(source: Source, eventsPerFrame: number): string {
  if (source.digest === null) {
    throw new OperatingError(
      'no_producer',
      `this input can be read only once and so not be known by its content: file=${source.name}; give --producer NAME`,
    );
  }
  return `send:${source.digest.slice(0, DIGEST_DIGITS)}:${eventsPerFrame}`;
}

async function sendRows(
  options: SendOptions,
  client: HuntClient,
  source: Source,
  rows: AsyncIterable<SourceRow>,
  summary: SendSummary,
): Promise<SendSummary> {
  const begun = performance.now();
  // Older frames were answered when the highest was sent: no sender lets them fall out of the server's memory unanswered.
  const { highestSeq } = client.hello;
  const resendFrom = highestSeq - SEQ_BITMAP_BITS + 1;
  const answers = await openAnswers(options, Math.max(1, resendFrom));
  let failure: Error | null = null;
  const fail = (error: unknown): void => void (failure ??= error as Error);
  const interrupted = abortionOf(options.signal);
  const frames = framesOf(rows, options.eventsPerFrame, (row, bytes) => {
    summary.rows++;
    summary.unanswered++;
    addProblem(summary, `row ${row + 1} fits no frame: bytes=${bytes}; it was not sent`);
  });
  if (highestSeq > 0)
    options.note(`the server has frames of ${client.producer} up to ${highestSeq}: going on from there`);
  try {
    for await (const frame of frames) {
      if (options.signal.aborted || failure !== null) break;
      summary.rows += frame.texts.length;
      if (frame.seq < resendFrom) {
        summary.skipped += frame.texts.length;
        options.progress(summary, source);
        continue;
      }
      await Promise.race([client.room().catch(fail), interrupted]);
      if (options.signal.aborted || failure !== null) {
        summary.unanswered += frame.texts.length;
        break;
      }
      summary.frames++;
      summary.unanswered += frame.texts.length;
      const events = frame.texts.map((text) => new JsonText(text));
      client.sendFrame(frame.seq, events).then((answer) => {
        summary.unanswered -= frame.texts.length;
        addAnswer(summary, frame, answer);
        answers?.add(frame, answer);
        options.progress(summary, source);
      }, fail);
    }
  } finally {
    await leave(client, options.signal, failure);
    await answers?.close();
    Object.assign(summary, {
      retries: client.retries,
      reconnects: client.reconnects,
      seconds: (performance.now() - begun) / 1000,
    });
    summary.rows_per_second = Math.round(summary.rows / Math.max(summary.seconds, 0.001));
  }
  if (failure !== null && !options.signal.aborted)
    addProblem(summary, `sending stopped: ${(failure as Error).message}`);
  if (options.signal.aborted) addProblem(summary, 'interrupted: run the same command again and it goes on from here');
  return summary;
}

async function leave(client: HuntClient, signal: AbortSignal, failure: Error | null): Promise<void> {
  if (failure !== null) return client.abort();
  const answered = client.close();
  if (!signal.aborted) return answered;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_ANSWERS_MS)));
  await Promise.race([answered, late]);
  clearTimeout(timer);
  await client.abort();
}

function abortionOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface AnswerFile {
  add(frame: FileFrame, answer: ClientAnswer): void;
  close(): Promise<void>;
}

/** Lines in the order of the rows, whatever was answered later after a RETRY. */
async function openAnswers(options: SendOptions, firstSeq: number): Promise<AnswerFile | null> {
  const { answers: path, isOneOfSeveral = false } = options;
  if (path === undefined) return null;
  const file: WriteStream = createWriteStream(path, isOneOfSeveral ? { flags: 'a' } : {});
  const name = isOneOfSeveral ? options.file : null;
  await new Promise<void>((resolve, reject) => {
    file.once('open', () => resolve());
    file.once('error', (cause) =>
      reject(
        new OperatingError('file_unwritable', `cannot write the answers: file=${path} reason=${cause.message}`, {
          cause,
        }),
      ),
    );
  });
  const early = new Map<number, string>();
  let next = firstSeq;
  return {
    add(frame, answer) {
      early.set(frame.seq, answerLines(name, frame, answer));
      for (let lines = early.get(next); lines !== undefined; lines = early.get(next)) {
        file.write(lines);
        early.delete(next++);
      }
    },
    async close() {
      for (const seq of [...early.keys()].sort((a, b) => a - b)) file.write(early.get(seq)!);
      file.end();
      await finished(file);
    },
  };
}

/** `name`: of the file, where there are several. */
function answerLines(name: string | null, frame: FileFrame, answer: ClientAnswer): string {
  const refused = new Map(refusedRows(frame, answer).map(({ index, rejection }) => [index, rejection]));
  return frame.rows
    .map((index, i) => {
      const rejection = refused.get(index);
      const line = {
        ...(name === null ? {} : { file: name }),
        index,
        decisions: answer.decisions[i] ?? null,
        ...(rejection === undefined ? {} : { rejection }),
      };
      return `${JSON.stringify(line)}\n`;
    })
    .join('');
}
