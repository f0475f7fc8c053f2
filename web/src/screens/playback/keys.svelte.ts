// The keys of the playback screen. They can be switched off: who types by voice, or by chance, is not to set anything off.
import { remember, remembered } from '../../app/kept';

const NAME = 'keys';

/** Whoever clicks a button means the picture with the next space; whoever went there by keyboard means the button. */
let isByPointer = false;
addEventListener('pointerdown', () => (isByPointer = true), { capture: true, passive: true });
addEventListener('keydown', (event) => event.key === 'Tab' && (isByPointer = false), { capture: true });

/** Gives the keys back to the picture after a choice that was made by pointer. */
export function release(element: HTMLElement): void {
  if (isByPointer) element.blur();
}

class Shortcuts {
  isOn = $state(remembered(NAME) !== 'off');

  set(isOn: boolean): void {
    this.isOn = isOn;
    remember(NAME, isOn ? 'on' : 'off');
  }

  /** Does what a key is for, unless somebody is typing, or the key is for what has the focus. */
  handle(event: KeyboardEvent, acts: Record<string, () => void>): void {
    if (!this.isOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : undefined;
    if (target?.closest('input, select, textarea, dialog, [popover], [contenteditable]')) return;
    if (event.key === ' ' && !isByPointer && target?.closest('button, a, summary')) return;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

export const shortcuts = new Shortcuts();
