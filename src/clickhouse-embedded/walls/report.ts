/** Which walls stand around the embedded ClickHouse; said in the log at each start. Child process and parent. */

export interface Wall {
  /**
   * `files`: only its own folder. `network`: no way out. `programs`: none can be started. `processes`: no other one can be
   * read or ended.
   */
  readonly name: 'files' | 'network' | 'programs' | 'processes';
  readonly stands: boolean;
  /** What holds it, or why it could not be raised. */
  readonly by: string;
}

/** One line for the log: what stands, and what does not and why. */
export function wallsSaid(walls: readonly Wall[]): string {
  const say = (each: readonly Wall[]): string => each.map(({ name, by }) => `${name} (${by})`).join(', ');
  const standing = walls.filter((wall) => wall.stands);
  const missing = walls.filter((wall) => !wall.stands);
  if (missing.length === 0) return `walls around the embedded ClickHouse: ${say(standing)}`;
  const rest = standing.length === 0 ? '' : `; it stands for: ${say(standing)}`;
  return (
    `the embedded ClickHouse runs without a wall of the system for: ${say(missing)}${rest}. ` +
    'What its clients may say is checked in any case; see docs/security.md'
  );
}
