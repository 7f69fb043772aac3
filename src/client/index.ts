/** The client: what programs import to send events and to ask a server about itself. */

export { HuntClient, FRAMES_HELD_MAX, type ClientOptions } from './hunt-client.ts';
export type { ClientAnswer, ClientHello, Decisions, Rejection, Warning } from './answer.ts';
export { JsonText, type ClientEvent, type Encoding } from './frame.ts';
export {
  HuntControl,
  type BegunChange,
  type ChangeOrigin,
  type DeployPreview,
  type EntityDescription,
  type LedgerDescription,
  type LedgerLine,
  type ListDescription,
  type PipelineChange,
  type VersionsDescription,
  type PipelineDescription,
  type PipelinesDescription,
  type ServerDescription,
} from './control.ts';
export { openQuery, queryRows, queryTarget, type QueryTarget } from './query.ts';
