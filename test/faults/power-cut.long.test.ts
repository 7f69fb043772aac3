/** The long form of power-cut.test.ts: twelve times as many. */

import { describePowerCuts } from './power-cut-suite.ts';

describePowerCuts(1000, 150);
