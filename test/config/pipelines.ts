/** A small pipeline and its .proto in memory, for tests that change a word of it and look what happens. */

import { compilePipeline, type CompiledPipeline } from '../../src/config/compile-pipeline.ts';
import { PipelineError } from '../../src/config/problems.ts';
import type { Problem } from '../../src/config/source.ts';
import type { ProtoReader } from '../../src/config/proto/index.ts';

export const PROTO = `syntax = "proto3";
package game.v1;
import "google/protobuf/timestamp.proto";
import "parts.proto";
message Event {
  string event_id = 1;
  uint64 player_id = 2;
  uint64 hunt_id = 3;
  google.protobuf.Timestamp event_time = 4;
  optional double lat = 5;
  string country = 6;
  Rarity rarity = 7;
  bool vip = 8;
  repeated int32 tags = 9;
  map<string, int64> scores = 10;
  uint64 wide = 11;
  bytes blob = 12;
  int32 level = 13;
  oneof action { Dig dig = 20; Find find = 21; string shout = 22; }
}
`;

export const PARTS = `syntax = "proto3";
package game.v1;
enum Rarity { COMMON = 0; RARE = 1; LEGENDARY = 7; }
message Dig { double depth = 1; Tool tool = 2; message Tool { string name = 1; } }
message Find { uint32 points = 1; optional int32 bonus = 2; }
`;

export const PIPELINE = `format: 1
pipeline: small
events:
  proto: events.proto
  message: game.v1.Event
  type: action
  id: event_id
  time: event_time
  fields:
    dig.depth: { decimals: 2 }
    country: { dictionary: true }
entities:
  player: { key: event.player_id, primary: true, max: 2M, ttl: 30d }
  hunt: { key: event.hunt_id, max: 100k, ttl: 30d }
features:
  player:
    digs: { agg: count, where: "event.type == 'dig'", windows: [1m, 5m] }
    depth: { agg: avg, of: event.dig.depth, window: 1h }
    points: { agg: sum, of: event.find.points, window: 10m, hop: 1m }
    last_lat: { agg: previous, of: event.lat, exact: false }
    quiet: { agg: time_since_last }
  hunt:
    finders: { agg: count, where: "event.type == 'find'", window: 10m }
decisions:
  trust:
    actions: [allow, challenge]
    rules:
      - { id: digger, when: 'player.digs_5m > 120', then: challenge }
    default: allow
`;

export function readerOf(files: Readonly<Record<string, string>>): ProtoReader {
  return (name) => {
    const text = Object.hasOwn(files, name) ? files[name] : undefined;
    return text === undefined ? null : { path: name, text };
  };
}

export const FILES = { 'events.proto': PROTO, 'parts.proto': PARTS };

export function compileText(text: string, files: Readonly<Record<string, string>> = FILES): CompiledPipeline {
  return compilePipeline('small.yaml', text, readerOf(files));
}

export function problemsOf(text: string, files: Readonly<Record<string, string>> = FILES): readonly Problem[] {
  try {
    compileText(text, files);
    return [];
  } catch (error) {
    if (error instanceof PipelineError) return error.problems;
    throw error;
  }
}

/** The pipeline with `from` replaced; `from` must be there. */
export function changed(from: string, to: string, text: string = PIPELINE): string {
  if (!text.includes(from)) throw new Error(`not in the text: ${from}`);
  return text.replace(from, () => to);
}
