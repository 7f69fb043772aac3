/**
 * The engine's own reading of a statement: the text of `EXPLAIN AST` as a list of nodes. What the guard concludes from it
 * cannot disagree with what the engine then runs, whatever the front's own lexer thinks of quotes and comments. Pure. Child
 * process.
 *
 *     SelectQuery (children 2)
 *       Function sum (alias total) (children 1)      kind Function, name sum, alias total
 *       TableIdentifier hunt.events
 *     ColumnsApplyTransformer                        what APPLY holds is not shown: see guard-tokens.ts
 */

export interface SyntaxNode {
  /**
   * `Function`, `TableIdentifier`, `SelectQuery` and so on; of two words where the engine writes two: `Storage definition`.
   */
  readonly kind: string;
  /** What follows the kind, without alias and number of children. */
  readonly name: string;
  readonly alias: string | undefined;
  readonly depth: number;
  readonly parent: SyntaxNode | undefined;
}

const LINE = /^( *)(Storage definition|Columns definition|Refresh strategy definition|\S+)(?: (.*))?$/;
const TAIL = /(?: \(alias (.*?)\))?(?: \(children \d+\))?$/;

/** The tree's root is the first node. */
export function syntaxTree(explained: string): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  const path: SyntaxNode[] = [];
  for (const line of explained.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const depth = match[1]?.length ?? 0;
    const rest = match[3] === undefined ? '' : ` ${match[3]}`;
    const tail = TAIL.exec(rest);
    const node: SyntaxNode = {
      kind: match[2] ?? '',
      name: rest.slice(1, tail?.index ?? rest.length),
      alias: tail?.[1],
      depth,
      parent: depth === 0 ? undefined : path[depth - 1],
    };
    path[depth] = node;
    nodes.push(node);
  }
  return nodes;
}

/** Whether a node of this kind and name stands above. */
export function isBelow(node: SyntaxNode, kind: string, name?: string): boolean {
  for (let above = node.parent; above !== undefined; above = above.parent) {
    if (above.kind === kind && (name === undefined || above.name.toUpperCase() === name)) return true;
  }
  return false;
}
