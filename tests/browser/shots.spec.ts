import { test, settled } from './fixtures';
const PAGES: [string, any, string][] = [
  ['signin', undefined, '/ledger'], ['notice', undefined, '/notice'], ['enrol', undefined, '/enrol'],
  ['ledger', 'auditor', '/ledger'], ['entry', 'auditor', '/ledger/12'], ['health', 'admin', '/health?all=1'], ['cameras', 'admin', '/cameras'],
  ['people', 'admin', '/people'], ['person', 'admin', '/people/manager1'], ['denied', 'staff', '/ledger'],
];
for (const [name, role, path] of PAGES) test.describe(name, () => {
  test.use({ role });
  test('shot', async ({ page }) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(path); await settled(page); await page.waitForTimeout(900);
    await page.screenshot({ path: `/tmp/b/web-shots/${name}.png`, fullPage: true });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `/tmp/b/web-shots/${name}-phone.png` });
  });
});
