/**
 * Zstandard by Node, and in JavaScript for the versions of Node that have none or take what is cut short: what the reference
 * library packed unpacks, within the bound.
 */
import { expect, test } from 'vitest';
import { unpackInJavaScript, unpackZstd, UnpackedTooLarge } from '../../src/http/zstd.ts';

/** zstd.compress(b'hunt the treasure ' * 20) of the reference library, level 3. */
const SMALL = Buffer.from('28b52ffd606800cd00009068756e7420746865207472656173757265200100a64a9d61', 'hex');
/** Of five million times the letter a: a bomb of 175 bytes. */
const BOMB = Buffer.from(
  '28b52ffd8058404b4c005400001061610100fbff39c00202001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061020010610200106102001061035a0261',
  'hex',
);
const EXPECTED = 'hunt the treasure '.repeat(20);

test.each([
  ['in JavaScript', unpackInJavaScript],
  ['as this Node does it', unpackZstd],
])('%s', (_, unpack) => {
  expect(unpack(SMALL, EXPECTED.length).toString()).toBe(EXPECTED);
  expect(unpack(BOMB, 5_000_000).equals(Buffer.alloc(5_000_000, 'a'))).toBe(true);
  expect(() => unpack(SMALL, EXPECTED.length - 1)).toThrow(UnpackedTooLarge);
  expect(() => unpack(BOMB, 1 << 20)).toThrow(UnpackedTooLarge);
  for (let length = 1; length < SMALL.length; length++) expect(() => unpack(SMALL.subarray(0, length), 1000)).toThrow();
  expect(() => unpack(Buffer.from('{"events":[]}'), 1000)).toThrow();
});

test('two frames, one behind the other', () => {
  expect(unpackInJavaScript(Buffer.concat([SMALL, SMALL]), 1000).toString()).toBe(EXPECTED + EXPECTED);
});
