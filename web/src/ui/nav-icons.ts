import camera from '@carbon/icons/es/camera/20.js';
import catalog from '@carbon/icons/es/catalog/20.js';
import delivery from '@carbon/icons/es/delivery--parcel/20.js';
import document from '@carbon/icons/es/document/20.js';
import grid from '@carbon/icons/es/grid/20.js';
import health from '@carbon/icons/es/activity/20.js';
import playback from '@carbon/icons/es/video-player/20.js';
import time from '@carbon/icons/es/timer/20.js';
import user from '@carbon/icons/es/user--multiple/20.js';

/** Icons of the navigation. */
export const NAV_ICONS = {
  live: grid,
  playback,
  disclosures: delivery,
  verify: delivery,
  ledger: catalog,
  retention: time,
  health,
  cameras: camera,
  people: user,
  notice: document,
  account: user,
  enrol: user,
  missing: document,
};
