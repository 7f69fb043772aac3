/** What `kill -9` cannot show: a power cut leaves only what a returned fdatasync has covered. */

import { describePowerCuts } from './power-cut-suite.ts';

describePowerCuts(40, 12);
