/**
 * The block that a worker is filling: its columns, and what it gathers besides rows. Written over once it has been sealed.
 */

import {
  createDeadLetterLog,
  createFrameLog,
  createNameLog,
  resetDeadLetterLog,
  resetFrameLog,
  resetNameLog,
  type DeadLetterLog,
  type FrameLog,
  type NameLog,
} from '../columns/block-logs.ts';
import { createColumn, resetColumn, type Column } from '../layout/column.ts';
import type { Plan } from '../plan/plan.ts';
import { createTicket, type EpochTicket } from './epoch.ts';
import { createFrameAnswers, resetFrameAnswers, type FrameAnswers } from './frame-answers.ts';

export interface Block {
  /** In the order of `Plan.columns`. */
  readonly columns: readonly Column[];
  readonly frames: FrameLog;
  readonly deadLetters: DeadLetterLog;
  readonly names: NameLog;
  readonly answers: FrameAnswers;
  /** Of the epoch that the worker has joined. */
  readonly ticket: EpochTicket;
  joined: boolean;
  /** Blocks so far, this one included. */
  number: number;
  rows: number;
  frameBytes: number;
  /** Fields of its events that the message does not have. */
  unknownFields: number;
  /** Oldest admitted_at among its frames, ms UTC; 0: none. */
  admittedAt: number;
  /** Of the newest. */
  newestAt: number;
}

export function createBlock(plan: Plan): Block {
  return {
    columns: plan.columns.map((column) => createColumn(column)),
    frames: createFrameLog(),
    deadLetters: createDeadLetterLog(),
    names: createNameLog(),
    answers: createFrameAnswers(),
    ticket: createTicket(),
    joined: false,
    number: 1,
    rows: 0,
    frameBytes: 0,
    unknownFields: 0,
    admittedAt: 0,
    newestAt: 0,
  };
}

export function resetBlock(block: Block): void {
  for (let i = 0; i < block.columns.length; i++) resetColumn(block.columns[i], block.rows);
  resetFrameLog(block.frames);
  resetDeadLetterLog(block.deadLetters);
  resetNameLog(block.names);
  resetFrameAnswers(block.answers);
  block.joined = false;
  block.number++;
  block.rows = 0;
  block.frameBytes = 0;
  block.unknownFields = 0;
  block.admittedAt = 0;
  block.newestAt = 0;
}
