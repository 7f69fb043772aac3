/**
 * The control region: the few words through which the threads agree. All are Int32, each group on cache lines of its own.
 *
 *   word  16 EPOCH_LOCK        0 free, 1 held                                            any worker
 *   word  17 EPOCH_CLOSING     1 once a worker has reached the end of the running epoch  under the lock
 *   word  18 EPOCH_ACTIVE      workers that joined the running epoch                     under the lock
 *   word  19 EPOCH_ARRIVED     of those, how many have reached its end                   under the lock
 *   word  20 EPOCH_LOW         low 32 bits of the running epoch's number                 under the lock
 *   word  21 EPOCH_HIGH        high bits of it                                           under the lock
 *   word  22 EPOCH_DAY         received_at of the running epoch: days since 1970         first worker to join, under the lock
 *   word  23 EPOCH_MILLISECOND received_at of the running epoch: ms of that day          first worker to join, under the lock
 *   word  24 EPOCH_SIXTEENTHS  of a ms, behind EPOCH_MILLISECOND                      first worker to join, under the lock
 *   word  25 EPOCH_CLOCK_LOW/HIGH  monotonic ms at which that was; 0: not yet         first worker to join, under the lock
 *   word  32 DURABLE_LOW       watermark (2 words): last epoch that has been fsynced     spool thread
 *   word  34 DURABLE_BELL      doorbell (2 words): rung with each advance of durable     spool thread
 *   word  48 STORED_LOW        watermark (2 words): last epoch that ClickHouse confirmed main thread
 *   word  64 SPOOL_BELL        doorbell (2 words): rung when a block has been sealed     workers
 *   word  80 STOPPING          1 once the process winds down                             main thread
 *   word  81 SPOOL_FULL        1 while the spool has reached its limit: ingress refuses  spool thread
 *   word  82 CHANGING          1 while the workers of one pipeline version make room for the next's        main thread
 *   word  84 WITHOUT_ROOM      events for whose entity no row was free: its features are absent (wraps)    workers, added
 *   word  85 OVERFLOWS         events of which a value was beyond its bound and is absent (wraps)           workers, added
 *   word  96 INGRESS_BELL      doorbell (2 words) for each ingress thread, 16 words apart: answers waiting or durable moved
 *   word 224 WORKER_BELL       doorbell (2 words) for each worker, 16 words apart        ingress
 *   word 480 PARTICIPANTS      ring of 1,024: how many blocks the epoch (low bits) has   the worker that closes it
 *
 * Readers of *_LOW alone compare with wrap-around: `(a - b) | 0`; epochs in flight are far fewer than 2^31.
 */

export const CONTROL_VERSION = 1;
export const EPOCH_LOCK = 16;
export const EPOCH_CLOSING = 17;
export const EPOCH_ACTIVE = 18;
export const EPOCH_ARRIVED = 19;
export const EPOCH_LOW = 20;
export const EPOCH_HIGH = 21;
export const EPOCH_DAY = 22;
export const EPOCH_MILLISECOND = 23;
export const EPOCH_SIXTEENTHS = 24;
export const EPOCH_CLOCK_LOW = 25;
export const EPOCH_CLOCK_HIGH = 26;
export const DURABLE_LOW = 32;
export const DURABLE_BELL = 34;
export const STORED_LOW = 48;
export const SPOOL_BELL = 64;
export const STOPPING = 80;
export const SPOOL_FULL = 81;
export const CHANGING = 82;
export const WITHOUT_ROOM = 84;
export const OVERFLOWS = 85;
export const INGRESS_BELL = 96;
export const INGRESSES_MAX = 8;
export const WORKER_BELL = 224;
export const WORKERS_MAX = 16;
export const BELL_STRIDE = 16;
export const PARTICIPANTS = 480;
export const PARTICIPANTS_RING = 1024;
export const CONTROL_WORDS = PARTICIPANTS + PARTICIPANTS_RING;
