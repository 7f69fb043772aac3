/** A .proto file as it is written, before names are resolved: what parse-file.ts makes and link.ts reads. */

import type { Place, ProtoFile } from './place.ts';

export interface Word {
  readonly text: string;
  readonly place: Place;
}

export interface OptionSyntax {
  /** As written, for example `deprecated` or `(my.option).part`. */
  readonly name: Word;
  /** A name, number or text; '' for `{ … }`. */
  readonly value: Word;
  readonly isText: boolean;
}

export interface FieldSyntax {
  readonly label: 'optional' | 'repeated' | '';
  /** Type of the value, of a map’s values. */
  readonly type: Word;
  readonly mapKey: Word | null;
  readonly name: Word;
  readonly number: number;
  readonly numberPlace: Place;
  readonly options: readonly OptionSyntax[];
  readonly oneof: OneofSyntax | null;
  readonly comment: string;
}

export interface OneofSyntax {
  readonly name: Word;
}

export interface ReservedSyntax {
  readonly ranges: { readonly first: number; readonly last: number; readonly place: Place }[];
  readonly names: Word[];
}

export interface EnumSyntax {
  readonly name: Word;
  readonly values: { readonly name: Word; readonly number: number; readonly place: Place }[];
  readonly options: OptionSyntax[];
  readonly reserved: ReservedSyntax;
}

export interface ExtendSyntax {
  readonly extendee: Word;
  readonly fields: FieldSyntax[];
}

export interface ServiceSyntax {
  readonly name: Word;
  readonly methods: { readonly name: Word; readonly input: Word; readonly output: Word }[];
}

/** What a message and a file alike declare. */
export interface BodySyntax {
  readonly messages: MessageSyntax[];
  readonly enums: EnumSyntax[];
  readonly extends: ExtendSyntax[];
  readonly options: OptionSyntax[];
}

export interface MessageSyntax extends BodySyntax {
  readonly name: Word;
  readonly fields: FieldSyntax[];
  readonly oneofs: OneofSyntax[];
  readonly reserved: ReservedSyntax;
}

export interface ImportSyntax {
  readonly name: Word;
  readonly isPublic: boolean;
}

export interface FileSyntax extends BodySyntax {
  readonly file: ProtoFile;
  /** '' without one. */
  readonly packageName: Word;
  readonly imports: ImportSyntax[];
  readonly services: ServiceSyntax[];
}
