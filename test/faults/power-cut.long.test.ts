/** The long form of power-cut.test.ts: ten times as many. */

import { describePowerCuts } from './power-cut-suite.ts';

describePowerCuts(2000, 300);
