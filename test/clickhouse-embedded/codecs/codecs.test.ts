/**
 * Packed blocks and revisions apart from any driver: checksums against those of another implementation, LZ4 against the
 * reference library's frames and against itself, revisions by what they add and nothing else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cityHash128 } from '../../../src/clickhouse-embedded/codecs/city-hash.ts';
import { compressedBlocks, unpackBlocks } from '../../../src/clickhouse-embedded/codecs/compressed-blocks.ts';
import { compressBlock, decompressBlock, decompressFrames } from '../../../src/clickhouse-embedded/codecs/lz4.ts';
import { nativeOfRevision } from '../../../src/clickhouse-embedded/codecs/native-revision.ts';
import { nativeType } from '../../../src/clickhouse-embedded/codecs/native-type.ts';
import { chain, type Recoder } from '../../../src/clickhouse-embedded/codecs/recoder.ts';
import { useEmbeddedServer } from '../embedded-server.ts';

/**
 * Made with github.com/go-faster/city 1.0.1 (CH128): length, low word and high word. Byte i is (7 i + floor(i / 3)) mod 251.
 */
const HASHES: readonly (readonly [length: number, hash: string])[] = [
  [0, '3df09dfc64c09a2b3cb540c392e51e29'],
  [9, '19960d97000b474522da43139bf998a7'],
  [18, 'b3720e57c7737a134b10cb9e99872e58'],
  [27, 'b2119589428626d87be0ff34a4410eb5'],
  [36, '024deb7f16f334ce97e5304798e9bbbb'],
  [45, '59cb4fc99bd0b4770eeb2579a6c61734'],
  [54, '9604047454d6c3d0c04362218bae81ce'],
  [63, 'dbd74ce3b3ad9f5a45b7b69ba3567b52'],
  [72, '865307fc60bbc5c9f7f2398cd63b43ed'],
  [81, '7c68f6d2ced0131feb8735098a18d438'],
  [90, 'f79c3be9df5150834199973d008cf0ae'],
  [99, '3e1441d07131d6222eaa233c8e0e0bf9'],
  [108, '63ca59547226c13ebe8e0d00db99e0b6'],
  [117, 'de627731ed983114ac43fcd93fbc8bd3'],
  [120, 'd90a4b31c10dab71f94fb3dfe105d71f'],
  [121, '671bcdbe9a95e3550461aa2daa56aeee'],
  [122, 'ca61a8308b4bead0689afec8207557d3'],
  [123, '113cbce328f8f765bcb9af64c4a290f5'],
  [124, 'a20d54109a194f020922b0e1bfd58180'],
  [125, '8528ccdeea1f0ab06ad5c6507f3f75ab'],
  [126, 'af1c4fe79de1aeabd62a41f741e0e9e6'],
  [127, 'c647578edb3407a7c786deacfd85660e'],
  [128, '34b9d0773823b03373ed3a663bc748f4'],
  [129, '80f0f2cf3df5996f333f351614283eff'],
  [130, 'b67b85c2e2075f7920d0e7cb436d3d80'],
  [131, '343c9880debc9dea8f7554a9de9c8007'],
  [132, '498894836fe7f195ca2ef01d394498b1'],
  [133, 'a6599b72763e42f2f1e9b08d260c286c'],
  [134, '20129d826a181424f5362cd20ddc60b9'],
  [135, '27edcef5aadad3301250a6aa80e73dd4'],
  [136, 'bc666e30e8ddc089ddd3fcf8e39ebc1a'],
  [137, '4a87d27a3909ed21f54fb658731b3142'],
  [138, '2521b4eabb442928f60b54f4ae869d20'],
  [144, 'daa1cbbe6be43146d6fb4077f6b7690e'],
  [153, 'f563bfdf3b7a88215d276869f7582aa2'],
  [162, '32eb352cb31757842ed938d53748e7bd'],
  [171, 'd1a2f1c975ac18115d5c319284cee467'],
  [180, 'eebf32b17adf1fa8c01c5aabba89244b'],
  [189, '4f1b505a343b52ec57d37a9ed6e3d563'],
  [198, 'aa826ddd1a0636d5192acc23e1d67f8f'],
  [207, '88c16844edd14427801f09de9945992d'],
  [216, '28f1f2be7784a775101a71e765fea664'],
  [225, '64c787bfd05c4f35c4ed28a1ce5e447d'],
  [234, 'dbf182062e36403b73698462fce1c8c2'],
  [243, '9ee37714cffb7c16373d5e3090f4deb8'],
  [252, '21f43155a874564ec21969f18b18954e'],
  [261, '93f6ce4934b0a0f6a7f5b770cce99bc1'],
  [270, '7f90425fe22c9b4906b171f55ea08c66'],
  [279, '9a51e45a1ee1b12c3af72bfbdf34e02c'],
  [288, '6e371089588b59a502a4560ed8666a0a'],
  [297, '706dcd691b1fa602dbd377df7df01eb0'],
  [306, '49c0775a1a1f3025194985e89d8765f8'],
  [315, '71ac97deafab5931fe0be323953619ac'],
  [324, 'a9ae1b2f73600330df44d72a27fe2a55'],
  [333, '38f25e7a0d9119d05eba58583cdd18e0'],
  [342, '9efdc7db1be7a0a33b3714c7818d8103'],
  [351, 'fdded0ba366ca2d19833f6e7d1c5ff8c'],
  [360, '8261b7ef14ac7e2a670619935c830bdb'],
  [369, 'b9bbe66e2fd29da7792288be06c90969'],
  [378, 'f6c5a0c6adb162df45b60be559f7cd65'],
  [387, '6cbd49a4298221f78d9fa3a866c29ee6'],
  [396, 'b9d75699f4410477c93ad0e1d5c1b8f1'],
  [405, '7e8a5b86448e24fc1c9645cdad26f398'],
  [414, 'd0722f919563e5ff8a071ebd27a671c8'],
  [423, '58f20c2bb3271e7d8fd03c6325179220'],
  [432, '7e5f019030720c05e55b134324c7f631'],
  [441, '75960b67ec7949b59f74ef42ad958887'],
  [450, 'f4c005ec05cfbf8dfb10b73da6c19ea3'],
  [459, '2cfd35e85d58391fb841716abe6e9b40'],
  [468, '9d5876987c6a5b968dbae4ac9316140d'],
  [477, '6f4fadf79039400570ac8807b82b647b'],
  [486, '5aa5fea6609317d469210c18b522a9cb'],
  [495, 'b42c44db114998f38768476e6849ac13'],
  [504, '0357d49223068b573a0cf4bebbc163fc'],
  [513, 'e494ff9ffcccbeba582946e341bac0ba'],
  [522, '0c7338b2710f9be588bb122f9e2c9288'],
  [531, 'dd3e3d5a51365f31a6311e61cfadacf9'],
  [540, '3bd244bcb919156a1560c6805708f9f3'],
  [549, '71156362c4fa3d5e06a119ddee505e69'],
  [558, 'c30ba1f85b8affd92f5f05cda7a6cae9'],
  [567, '7db622542db85e8ecc61f7b11b02ab50'],
  [576, '74694912039dec0120595acc96bf812a'],
  [585, 'db21d9952e4ea22a2e62b01da2b1415e'],
  [594, 'a3c2c7812f3adad7808ccb4cd82389fe'],
  [603, '4ad4a02b1b27ff24a65f508929449765'],
  [612, '3ba39075352ae101066a0eac1f6efc32'],
  [621, '9d5180a2004bd2482588ba0992be413e'],
  [630, '1a3c20abeccde5127d986d2d99025e47'],
  [639, '317c7ca282416f740b0d946e406e8655'],
  [648, '295a052ea71c1c67306a640e8d0af68d'],
  [657, '660fa47aab96ea7f0706a65e9cb15db8'],
  [666, '983a7f62a5503acd5edeba587a46bfb6'],
  [675, '75b1910b2979ca0af101f8b4b88f8972'],
  [684, '19192dd134f7d31ed7f739dd92ad5f5f'],
  [693, '44ebe3beb4af24765e52d37d5786dd5c'],
];

const bytesOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + Math.floor(i / 3)) % 251);

/** Chunks as they may come. */
function through(recoder: Recoder, bytes: Uint8Array, chunkBytes: number): Buffer {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) out.push(...recoder.push(bytes.subarray(at, at + chunkBytes)));
  return Buffer.concat([...out, ...recoder.end()]);
}

test.each(HASHES)('the checksum of %i bytes', (length, hash) => {
  const words = cityHash128(bytesOf(length));
  const hex = (at: number): string => words.readBigUInt64LE(at).toString(16).padStart(16, '0');
  expect(hex(0) + hex(8)).toBe(hash);
});

describe('LZ4', () => {
  const repetitive = fc
    .array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(200)), { maxLength: 20 })
    .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

  test('a block unpacks to what was packed', () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 3000 })), (bytes) => {
        const target = new Uint8Array(bytes.length);
        expect(decompressBlock(compressBlock(bytes), target, 0)).toBe(bytes.length);
        expect(Buffer.from(target).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  test('what repeats becomes small', () => {
    expect(compressBlock(Buffer.from('treasure '.repeat(10_000))).length).toBeLessThan(500);
  });

  test('a frame of the reference library', () => {
    // lz4.frame.compress(b'hunt the treasure ' * 20) of lz4 4.4.5, which packs with the library of the format's authors.
    const frame = Buffer.from(
      '04224d1868406801000000000000361e000000ff0368756e7420746865207472656173757265201200ff3f50737572652000000000',
      'hex',
    );
    expect(Buffer.from(decompressFrames(frame, 1000)).toString()).toBe('hunt the treasure '.repeat(20));
    expect(() => decompressFrames(frame, 100)).toThrow(/beyond|more than/);
    expect(() => decompressFrames(frame.subarray(0, 20), 1000)).toThrow();
  });

  test('no bytes make it write or read beyond a block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const target = new Uint8Array(64).fill(7);
        const inner = target.subarray(0, 32);
        try {
          decompressBlock(bytes, inner, 0);
        } catch (error) {
          expect((error as Error).message).toMatch(/block/);
        }
        expect(target.subarray(32)).toEqual(new Uint8Array(32).fill(7));
      }),
    );
  });
});

describe('packed blocks', () => {
  test('unpack to what was packed, in whatever chunks it came', () => {
    const bytes = Buffer.from('some rows '.repeat(300_000));
    const packed = through(compressedBlocks(), bytes, 70_001);
    expect(packed.length).toBeLessThan(bytes.length / 10);
    expect(unpackBlocks(packed, bytes.length).equals(bytes)).toBe(true);
    expect(() => unpackBlocks(packed, bytes.length - 1)).toThrow(/too large/);
  });

  test('a wrong bit and a cut are found', () => {
    const packed = through(compressedBlocks(), Buffer.from('some rows'), 100);
    for (let at = 0; at < packed.length; at++) {
      const wrong = Buffer.from(packed);
      wrong[at] = wrong[at]! ^ 1;
      expect(() => unpackBlocks(wrong, 1000)).toThrow(/could not be unpacked|too large/);
    }
    expect(() => unpackBlocks(packed.subarray(0, -1), 1000)).toThrow(/cut short/);
  });
});

describe('types', () => {
  test.each([
    ['Tuple(a UInt8, `b c` Array(String))', { kind: 'tuple', of: [{ bytes: 1 }, { kind: 'array' }] }],
    ["Enum8('a,(' = 1, 'b\\'' = 2)", { kind: 'fixed', bytes: 1 }],
    ["DateTime64(3, 'Europe/Berlin')", { kind: 'fixed', bytes: 8 }],
    ['Decimal(38, 2)', { kind: 'fixed', bytes: 16 }],
    ['LowCardinality(Nullable(String))', { kind: 'dictionary', of: { kind: 'string' } }],
    ['Map(String, Nullable(UInt64))', { kind: 'array', of: { kind: 'tuple' } }],
    ['SimpleAggregateFunction(sum, UInt64)', { kind: 'fixed', bytes: 8 }],
    ['Polygon', { kind: 'array', of: { kind: 'array', of: { kind: 'tuple' } } }],
  ])('%s', (text, expected) => expect(nativeType(text)).toMatchObject(expected));

  test.each(['AggregateFunction(sum, UInt64)', 'JSON', 'Dynamic', 'Variant(String, UInt8)'])(
    '%s is refused',
    (text) => {
      expect(() => nativeType(text)).toThrow(/cannot be sent/);
    },
  );
});

describe('revisions', () => {
  const server = useEmbeddedServer();
  const QUERY = `SELECT number, toString(number) AS s, [number, 1] AS a, map('k', number) AS m, (number, 'x') AS t,
    toLowCardinality(toString(number % 3)) AS l, [toLowCardinality('q')] AS al, if(number % 2 = 0, NULL, number) AS n,
    CAST(NULL AS LowCardinality(Nullable(String))) AS ln, NULL AS nothing, [] AS none, toFixedString('ab', 3) AS f
    FROM numbers(1000) SETTINGS max_block_size = 300 FORMAT Native`;
  const INFO_BYTES = 8;
  const COLUMNS = 12;

  test('blocks are found whatever is in them, and only heads are added', async () => {
    const plain = Buffer.from(await (await server.fetch('', { body: QUERY })).arrayBuffer());
    const whole = through(nativeOfRevision(54_460), plain, plain.length);
    const perBlock = INFO_BYTES + COLUMNS;
    const blocks = (whole.length - plain.length) / perBlock;
    expect(Number.isInteger(blocks) && blocks >= 4).toBe(true);
    expect(through(nativeOfRevision(54_453), plain, plain.length).length).toBe(plain.length + blocks * INFO_BYTES);
    for (const chunkBytes of [1, 17, 4096])
      expect(through(nativeOfRevision(54_460), plain, chunkBytes).equals(whole)).toBe(true);
    const packed = through(chain([nativeOfRevision(54_460), compressedBlocks()]), plain, 999);
    expect(unpackBlocks(packed, whole.length).equals(whole)).toBe(true);
  });

  test('what has no such form is refused with words, not broken off', async () => {
    const answer = await server.ask('SELECT sumState(number) FROM numbers(3) FORMAT Native', {
      url: { client_protocol_version: '54460' },
    });
    expect(answer.status).toBe(501);
    expect(answer.text).toContain('AggregateFunction');
  });
});
