import type { Messages } from '../fi';

export default {
  kinds: {
    'camera-lost': { name: 'A camera cannot be reached', effect: 'Nothing is recorded of this stream.', remedy: 'Look at the camera’s power, cable, address and password. Try it on the Cameras screen.' },
    gap: { name: 'Recording has gaps', effect: 'Nothing, or not all, is recorded of this stream.', remedy: 'The administrator sees why with sinetti ls.' },
    'volume-missing': { name: 'A volume is missing', effect: 'Its cameras are not recorded, and what lies there can be neither shown nor deleted.', remedy: 'Connect it again. Administrator: sinetti doctor.' },
    'volume-full': { name: 'A volume is full', effect: 'Its cameras are not recorded.', remedy: 'Look at what else lies there, or get a larger disk.' },
    'volume-failing': { name: 'A disk does not write or read', effect: 'Its cameras are not recorded, or not surely.', remedy: 'Look at the disk, and replace it.' },
    'volume-behind': { name: 'A disk does not keep up', effect: 'Pictures are about to be lost: the disk does not take them fast enough.', remedy: 'Look at what else uses the disk, or have fewer cameras on it.' },
    'sync-lag': { name: 'A disk lags', effect: 'A power cut would lose more than it should.', remedy: 'Look at the disk.' },
    'sweep-late': { name: 'Deletion is late', effect: 'Footage is kept for longer than it may be. It cannot be shown.', remedy: 'The administrator sees what stands in the way with sinetti retention.' },
    'early-deletion': { name: 'Footage is deleted early', effect: 'Footage is lost before the time for which it should be kept.', remedy: 'Get a larger disk, or keep footage for a shorter time.' },
    'guarantee-lost': { name: 'Promised footage is missing', effect: 'Footage that was promised to be there is not.', remedy: 'Get a larger disk, or promise less ([retention] in the configuration).' },
    'hold-review': { name: 'A hold waits for review', effect: 'Footage may be held without need, or be let go while it is needed.', remedy: 'A controller reviews, extends or releases the hold.' },
    'clock-unsynchronised': { name: 'Nothing keeps the clock right', effect: 'Times of footage are only as good as the box’s own clock.', remedy: 'Look at the time service of the box.' },
    'clock-in-doubt': { name: 'The time of day is in doubt', effect: 'Footage is not deleted until it is believed again.', remedy: 'Set the clock, or say that it is right: sinetti clock confirm.' },
    'clock-stepped': { name: 'The clock was set', effect: 'Footage around this time is marked as uncertain in time.', remedy: 'Find out who or what set the clock.' },
    'scrub-damage': { name: 'Footage is damaged', effect: 'Damaged segments cannot be handed out whole.', remedy: 'The administrator sees them with sinetti scrub. Look at the disk.' },
    'scrub-missing': { name: 'Footage is missing', effect: 'These segments are lost.', remedy: 'The administrator sees them with sinetti check. Find out who removed them.' },
    stranger: { name: 'Somebody else changed the footage folder', effect: 'Footage may have been removed or tampered with.', remedy: 'Find out who has access to the box, run sinetti check --deep, then acknowledge the alarm.' },
    certificate: { name: 'The certificate ends soon', effect: 'Browsers will refuse the pages.', remedy: 'Renew the certificate as documented.' },
    'vault-holder': { name: 'Few can open the footage', effect: 'Soon it opens with the recovery shares alone.', remedy: 'Add a person who may play back, or extend the validity.' },
    'no-anchor': { name: 'No anchor was taken', effect: 'A rewritten ledger would not be noticed.', remedy: 'Take an anchor on the Ledger screen.' },
    'ledger-trouble': { name: 'The ledger cannot be signed', effect: 'Nothing is handed out or shown.', remedy: 'Administrator: sinetti ledger verify.' },
    'ledger-mirror': { name: 'The copy of the ledger cannot be kept', effect: 'A lost state folder would take the ledger with it, or the volume has another ledger.', remedy: 'The administrator sees why with sinetti status.' },
    delivery: { name: 'Alarms do not arrive', effect: 'Nobody is told of alarms who does not look here.', remedy: 'Look at the target of alarms: sinetti alarms test.' },
  },
} satisfies Messages['alarms'];
