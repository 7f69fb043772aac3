/** Distances and tiles on the globe for emitted code. */
// hot path: no allocation

/** Mean radius of the Earth in metres (IUGG R1). */
const RADIUS_M = 6371008.8;
const RADIANS = Math.PI / 180;

/** Metres between two points in degrees, along a great circle (haversine formula). */
export function geoDistance(latitude1: number, longitude1: number, latitude2: number, longitude2: number): number {
  const sinLatitude = Math.sin(((latitude2 - latitude1) * RADIANS) / 2);
  const sinLongitude = Math.sin(((longitude2 - longitude1) * RADIANS) / 2);
  const cosines = Math.cos(latitude1 * RADIANS) * Math.cos(latitude2 * RADIANS);
  const square = sinLatitude * sinLatitude + cosines * sinLongitude * sinLongitude;
  return 2 * RADIUS_M * Math.asin(Math.min(1, Math.sqrt(square)));
}

/** '0123456789bcdefghjkmnpqrstuvwxyz': geohash leaves a, i, l and o out. */
const DIGITS = Uint8Array.of(
  48,
  49,
  50,
  51,
  52,
  53,
  54,
  55,
  56,
  57,
  98,
  99,
  100,
  101,
  102,
  103,
  104,
  106,
  107,
  109,
  110,
  112,
  113,
  114,
  115,
  116,
  117,
  118,
  119,
  120,
  121,
  122,
);

/** Three bits with room for another between each two; two bits likewise, one further up. */
const SPREAD_THREE = Uint8Array.of(0, 1, 4, 5, 16, 17, 20, 21);
const SPREAD_TWO = Uint8Array.of(0, 2, 8, 10);

/** Writes `precision` digits of the point's geohash to out[at…]: bits of longitude and latitude in turn, five a digit. */
export function geoTile(latitude: number, longitude: number, precision: number, out: Uint8Array, at: number): void {
  const bits = 5 * precision;
  let x = interval(longitude, 180, (bits + 1) >> 1);
  let y = interval(latitude, 90, bits >> 1);
  for (let i = precision - 1; i >= 0; i--) {
    if ((i & 1) === 0) {
      out[at + i] = DIGITS[SPREAD_THREE[x & 7] | SPREAD_TWO[y & 3]];
      x >>= 3;
      y >>= 2;
    } else {
      out[at + i] = DIGITS[SPREAD_THREE[y & 7] | SPREAD_TWO[x & 3]];
      x >>= 2;
      y >>= 3;
    }
  }
}

/**
 * Which of the 2^bits equal intervals of [-limit, limit] holds a value, the upper one at a border. The borders are exact
 * doubles; the first guess is rounded, so it is compared with them.
 */
function interval(value: number, limit: number, bits: number): number {
  const count = 1 << bits;
  const step = (2 * limit) / count;
  const guess = Math.floor((value + limit) / step);
  const index = guess * step - limit > value ? guess - 1 : (guess + 1) * step - limit <= value ? guess + 1 : guess;
  return index < count ? index : count - 1;
}
