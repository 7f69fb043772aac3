/** The engine's door: what `hunt serve`, the demo and tests start. */

export { startEngine } from './start.ts';
export type { Engine, EngineOptions } from './engine-options.ts';
