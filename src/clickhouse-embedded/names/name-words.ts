/** How the name lists of this folder are written: words between blanks. */

export function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
