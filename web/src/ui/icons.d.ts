declare module '@carbon/icons/es/*.js' {
  import type { Drawing } from './Icon.svelte';
  const drawing: Drawing;
  export default drawing;
}
