import account from './account';
import alarms from './alarms';
import cameras from './cameras';
import common from './common';
import disclosures from './disclosures';
import enrol from './enrol';
import health from './health';
import ledger from './ledger';
import live from './live';
import nav from './nav';
import notice from './notice';
import people from './people';
import playback from './playback';
import prompts from './prompts';
import purposes from './purposes';
import refusals from './refusals';
import retention from './retention';
import roles from './roles';
import scan from './scan';
import signIn from './sign-in';
import timeline from './timeline';

// Finnish is the shape: what the other languages lack does not compile.
const messages = {
  account,
  alarms,
  cameras,
  common,
  disclosures,
  enrol,
  health,
  ledger,
  live,
  nav,
  notice,
  people,
  playback,
  prompts,
  purposes,
  refusals,
  retention,
  roles,
  scan,
  signIn,
  timeline,
};

export default messages;
export type Messages = typeof messages;
