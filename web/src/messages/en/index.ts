import common from './common';
import live from './live';
import nav from './nav';
import playback from './playback';
import prompts from './prompts';
import refusals from './refusals';
import signIn from './sign-in';
import timeline from './timeline';

import type { Messages } from '../fi';

const messages: Messages = { common, live, nav, playback, prompts, refusals, signIn, timeline };

export default messages;
