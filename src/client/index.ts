/** What programs import to send events, which is the client, and to ask a server about itself. */

export * from '../../client/src/index.ts';
export {
  HuntControl,
  type BegunChange,
  type ChangeOrigin,
  type DeployPreview,
  type EntityDescription,
  type LedgerDescription,
  type LedgerLine,
  type PipelineChange,
  type VersionsDescription,
  type PipelineDescription,
  type PipelinesDescription,
} from './control.ts';
export { openQuery, queryRows, queryTarget, type QueryTarget } from './query.ts';
export type { Figures } from '../contract/figures.ts';
export type { ListDescription } from '../contract/list-description.ts';
export type { QueryAnswer, QueryDescription } from '../contract/named-queries.ts';
