/** The door of changes: what a new version of a pipeline means. */
export { describeChange } from './describe.ts';
export type {
  ChangeDescription,
  ChangeOptions,
  Edit,
  EditClass,
  EntityChangeText,
  EntityFate,
  FeatureChange,
  FeatureFate,
} from './description.ts';
