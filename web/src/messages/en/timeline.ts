import type { Messages } from '../fi';
export default {} satisfies Messages['timeline'];
