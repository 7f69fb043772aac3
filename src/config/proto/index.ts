/** Reading .proto files. */

export { loadProto, type LoadedProto, type ProtoReader } from './load-proto.ts';
export { placeText, ProtoProblem, type ProtoFile } from './place.ts';
export type { ProtoEnum, ProtoField, ProtoMessage, ProtoOneof } from './types.ts';
