import common from './common';
import live from './live';
import nav from './nav';
import playback from './playback';
import prompts from './prompts';
import refusals from './refusals';
import signIn from './sign-in';
import timeline from './timeline';

// Finnish is the shape: what the other languages lack does not compile.
const messages = { common, live, nav, playback, prompts, refusals, signIn, timeline };

export default messages;
export type Messages = typeof messages;
