/**
 * The known name that a misspelt one most likely means; the core says so in rejections, too. Called wherever a name in a
 * pipeline is unknown.
 */

export { nearest } from '../../native-free-core/base/nearest.ts';
