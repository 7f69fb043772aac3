/** The kernel of a function that gives a double of numbers by one call of JavaScript. */

import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { NumberPart } from './function.ts';

interface DoubleKernel {
  /** Of finite numbers it may give one that is none. */
  readonly wild?: boolean;
  /** Of a number that is none it may give a finite one, so its operands must be asked. */
  readonly swallows?: boolean;
}

/** `name`: '' gives the operand as it is. */
export function doubleKernel(
  name: string,
  { wild = false, swallows = false }: DoubleKernel = {},
): NumberPart['kernel'] {
  return (context, { operands }): NumberCode => {
    const codes = operands.map((one) => (swallows ? kernel.emitOperand : kernel.emitLoose)(context, one));
    return kernel.doubleCode(
      `${name}(${codes.map((code) => code.value).join(', ')})`,
      codes.flatMap((code) => code.absent),
      wild || codes.some((code) => code.wild),
    );
  };
}
