/** A pipeline's `events.import`, as plain data beside its plan. Applied by mapping/. */

/** Field path (`dig.depth`) -> column of a table or key of a JSON object. */
export type ImportMap = Readonly<Record<string, string>>;
