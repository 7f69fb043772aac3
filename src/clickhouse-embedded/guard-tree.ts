/**
 * What an ordinary client's statement calls, by the engine's own syntax tree: each function, table function, table engine,
 * index type and codec must be one that is open. Child process, for each statement of user `default`, before it runs.
 */
import { denied, EngineFailure } from './engine-failure.ts';
import {
  isClosedFunction,
  isClosedTableFunction,
  isCodec,
  isIndexType,
  isOpenEngine,
  isOpenFunction,
  isOpenTableFunction,
} from './open-names.ts';
import { isBelow, type SyntaxNode } from './syntax-tree.ts';

/** Commands of ALTER that stay inside the table, or name another one (those the tokens show: see command-targets.ts). */
const OPEN_ALTER_COMMANDS =
  /^((ADD|DROP|MODIFY|RENAME|COMMENT|CLEAR|MATERIALIZE)_(COLUMN|INDEX|PROJECTION|CONSTRAINT|STATISTICS|TTL|COMMENT|ORDER_BY|SAMPLE_BY|SETTING|REFRESH)|COMMENT_COLUMN|RESET_SETTING|REMOVE_(TTL|SAMPLE_BY)|(MODIFY|ADD|DROP|CLEAR|MATERIALIZE)_STATISTICS|MODIFY_COMMENT|MODIFY_DATABASE_COMMENT|MODIFY_TTL|MATERIALIZE_TTL|DELETE|UPDATE|APPLY_DELETED_MASK|APPLY_PATCHES|REWRITE_PARTS|(DROP|REPLACE|MOVE|ATTACH|DETACH)_PARTITION|DROP_PART|FORGET_PARTITION|NO_TYPE)$/;

export interface TreeFindings {
  /** Tables that are read, as written; a parameter's name is not among them. */
  readonly tables: readonly string[];
  /** Table functions that no list knows: views with parameters, if there are such views. */
  readonly unknownTables: readonly string[];
}

export function guardTree(nodes: readonly SyntaxNode[]): TreeFindings {
  const lambdas = new Set(nodes.filter((node) => node.name === 'lambda').map((node) => node.alias));
  const tables: string[] = [];
  const unknownTables: string[] = [];
  for (const node of nodes) {
    if (node.kind === 'Function') {
      if (isTablePlace(node)) refuseTableFunction(node, unknownTables);
      else if (!lambdas.has(node.name) || isClosedFunction(node.name)) refuseFunction(node);
    } else if (node.kind === 'AlterCommand') {
      // The bounds of a view stand in its query: see own-space.ts.
      if (node.name === 'MODIFY_QUERY')
        denied('ALTER ... MODIFY QUERY is not open to user default; create the view again');
      if (!OPEN_ALTER_COMMANDS.test(node.name))
        denied(`ALTER ... ${node.name.replaceAll('_', ' ')} is not open to user default`);
    } else if (node.kind === 'TableIdentifier') {
      tables.push(node.name);
    }
  }
  return { tables, unknownTables };
}

/** FROM, JOIN, DESCRIBE, and `CREATE TABLE ... AS function()`. */
function isTablePlace(node: SyntaxNode): boolean {
  return node.parent?.kind === 'TableExpression' || (node.parent?.kind === 'CreateQuery' && node.parent.depth === 0);
}

function refuseTableFunction({ name }: SyntaxNode, unknown: string[]): void {
  if (isOpenTableFunction(name)) return;
  if (isClosedTableFunction(name) || isClosedFunction(name))
    denied(`table function ${name} is not open to user default`);
  unknown.push(name);
}

function refuseFunction(node: SyntaxNode): void {
  const { name } = node;
  if (isOpenFunction(name)) return;
  const isStorage = node.parent?.kind === 'Storage definition' && isOpenEngine(name);
  if (isStorage || (isBelow(node, 'Index') && isIndexType(name)) || (isCodec(name) && isInsideCodec(node))) return;
  if (isClosedFunction(name) || isClosedTableFunction(name)) denied(`function ${name} is not open to user default`);
  if (node.parent?.kind === 'Storage definition')
    denied(`${name} as an engine is not open to user default; the MergeTree family, Memory, Log, Set and Join are`);
  throw new EngineFailure(46, 'UNKNOWN_FUNCTION', `Function with name ${JSON.stringify(name)} does not exist`);
}

function isInsideCodec(node: SyntaxNode): boolean {
  return isBelow(node, 'Function', 'CODEC') || isBelow(node, 'Function', 'STATISTICS') || isBelow(node, 'Stat');
}
