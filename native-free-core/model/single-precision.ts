/**
 * exp and log of float32 as glibc (2.27 and later) computes them: XGBoost calls `expf` and `logf`, and neither is always the
 * nearest float32, so that Math.fround(Math.exp(x)) would differ in one of 1,600 values. The method and its constants are
 * those of ARM's optimized routines (MIT licence, Copyright (c) 2017-2018 Arm Limited), which glibc and musl share: a table,
 * a short polynomial in double precision, and one rounding at the end. Called by links.ts for scores, and by
 * xgboost-objectives.ts when a file is read.
 */
// hot path: no allocation

/** 2^(i/32). */
const ROOTS = Float64Array.of(
  1.0,
  1.0218971486541166,
  1.0442737824274138,
  1.0671404006768237,
  1.0905077326652577,
  1.1143867425958924,
  1.1387886347566916,
  1.1637248587775775,
  1.189207115002721,
  1.215247359980469,
  1.241857812073484,
  1.2690509571917332,
  1.2968395546510096,
  1.3252366431597413,
  1.3542555469368927,
  1.383909881963832,
  1.4142135623730951,
  1.4451808069770467,
  1.4768261459394993,
  1.5091644275934228,
  1.5422108254079407,
  1.5759808451078865,
  1.6104903319492543,
  1.645755478153965,
  1.681792830507429,
  1.718619298122478,
  1.7562521603732995,
  1.7947090750031072,
  1.8340080864093424,
  1.8741676341103,
  1.9152065613971474,
  1.9571441241754002,
);
const ROOT_BITS = 5;
const ROOT_COUNT = 1 << ROOT_BITS;
/** 2^-150 to 2^128: results beyond are 0 and Infinity as a float32. */
const EXPONENT_MIN = -151;
const POWERS = new Float64Array(281);
for (let i = 0; i < POWERS.length; i++) POWERS[i] = 2 ** (EXPONENT_MIN + i);
const EXP_INPUT_MAX = 89;
const EXP_INPUT_MIN = -104;
/** Adding and subtracting it rounds to a whole number, ties to even. */
const ROUND = 6755399441055744;
const ROOTS_PER_UNIT = 1.4426950408889634 * ROOT_COUNT;
const EXP_CUBE = 0.05550361559341535 / ROOT_COUNT / ROOT_COUNT / ROOT_COUNT;
const EXP_SQUARE = 0.2402284522445722 / ROOT_COUNT / ROOT_COUNT;
const EXP_LINEAR = 0.6931471806916203 / ROOT_COUNT;

/** 1/c and log(c), for the middle c of each sixteenth of the binade around 1. */
const INVERSES = Float64Array.of(
  1.398907162146528,
  1.3403141896637998,
  1.286432210124115,
  1.2367150214269895,
  1.1906977166711752,
  1.1479821020556429,
  1.1082251448272158,
  1.0711297413057381,
  1.036437278977283,
  1.0,
  0.9492859795739057,
  0.8951049428609004,
  0.8476821620351103,
  0.8050314851692001,
  0.7664671008843108,
  0.731428603316328,
);
const LOGARITHMS = Float64Array.of(
  -0.33569133332882284,
  -0.2929040563774074,
  -0.2518726580937369,
  -0.21245868807117255,
  -0.17453945183745634,
  -0.1380057072319758,
  -0.10275976698545139,
  -0.06871392447020525,
  -0.0357891387398228,
  0.0,
  0.05204517742929496,
  0.11081431298787942,
  0.1652495223695143,
  0.21687389031699977,
  0.2659635028121397,
  0.3127556664073557,
);
const LOG_FOURTH = -0.25089342214237154;
const LOG_CUBE = 0.333456765744066;
const LOG_SQUARE = -0.4999997485802103;
/** Bits of the float32 that the table begins at, about 0.7. */
const LOG_OFFSET = 0x3f330000;
const SUBNORMAL_SHIFT = 23;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** e^x; `x` is a float32. */
export function expSingle(x: number): number {
  if (!(x < EXP_INPUT_MAX)) return x >= EXP_INPUT_MAX ? Infinity : NaN;
  if (x < EXP_INPUT_MIN) return 0;
  const scaled = ROOTS_PER_UNIT * x;
  const whole = scaled + ROUND - ROUND;
  const rest = scaled - whole;
  const scale = ROOTS[whole & (ROOT_COUNT - 1)] * POWERS[(whole >> ROOT_BITS) - EXPONENT_MIN];
  return Math.fround(((EXP_CUBE * rest + EXP_SQUARE) * (rest * rest) + (EXP_LINEAR * rest + 1)) * scale);
}

/** The natural logarithm; `x` is a float32. */
export function logSingle(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  if (x === 1) return 0;
  float[0] = x;
  let word = bits[0];
  if (word < 0x800000) {
    float[0] = x * 2 ** SUBNORMAL_SHIFT;
    word = bits[0] - (SUBNORMAL_SHIFT << 23);
  }
  const from = word - LOG_OFFSET;
  const entry = (from >> 19) & 15;
  const exponent = from >> 23;
  bits[0] = word - (exponent << 23);
  const rest = float[0] * INVERSES[entry] - 1;
  const first = LOGARITHMS[entry] + exponent * Math.LN2;
  const square = rest * rest;
  return Math.fround((LOG_FOURTH * square + (LOG_CUBE * rest + LOG_SQUARE)) * square + (first + rest));
}
