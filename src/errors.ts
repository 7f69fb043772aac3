/** Operating errors, for all of src; the client has the same class. */

export { OperatingError, type OperatingErrorOptions } from '../native-free-core/base/operating-error.ts';
