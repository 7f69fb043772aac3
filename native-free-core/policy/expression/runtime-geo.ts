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

/** Writes `precision` digits of the point's geohash to out[at…]. The middles of all intervals are exact doubles. */
export function geoTile(latitude: number, longitude: number, precision: number, out: Uint8Array, at: number): void {
  let west = -180;
  let east = 180;
  let south = -90;
  let north = 90;
  let isLongitude = true;
  for (let i = 0; i < precision; i++) {
    let digit = 0;
    for (let bit = 0; bit < 5; bit++) {
      digit <<= 1;
      if (isLongitude) {
        const middle = (west + east) / 2;
        if (longitude >= middle) {
          digit |= 1;
          west = middle;
        } else east = middle;
      } else {
        const middle = (south + north) / 2;
        if (latitude >= middle) {
          digit |= 1;
          south = middle;
        } else north = middle;
      }
      isLongitude = !isLongitude;
    }
    out[at + i] = DIGITS[digit];
  }
}
