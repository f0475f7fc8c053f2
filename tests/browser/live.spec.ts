// Live pictures of the running recorder.
import { configure, expect, report, test } from './footage';

test.use({ role: 'controller' });

test('every picture of the wall is there within two seconds, and says how old it is', async ({ page }) => {
  const began = Date.now();
  await page.goto('/live');
  const tiles = page.locator('[data-camera]');
  await expect(tiles.first()).toHaveAttribute('data-showing', 'picture');
  report('first live picture, page included', Date.now() - began, 4_000);
  const count = await tiles.count();
  expect(count).toBeGreaterThan(2);
  for (let i = 0; i < count; i++) {
    await expect(tiles.nth(i)).toHaveAttribute('data-showing', 'picture');
    expect(Number(await tiles.nth(i).getAttribute('data-age'))).toBeLessThan(2_000_000);
    await expect(tiles.nth(i)).toContainText('Tallentaa');
  }
  // They move.
  const frames = () => page.$$eval('[data-camera] video', (all) => all.map((v) => (v as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames));
  const before = await frames();
  await expect.poll(async () => (await frames()).every((n, i) => n > (before[i] ?? 0) + 5)).toBe(true);
});

test('a camera that is cut off is grey and bears a sentence, and comes back by itself', async ({ page }) => {
  test.setTimeout(90_000);
  await page.goto('/live');
  const tile = page.locator('[data-camera="hylly-1"]');
  await expect(tile).toHaveAttribute('data-showing', 'picture');
  configure('sub = "/hylly-1/sub"', 'sub = "/hylly-1/gone"');
  try {
    await expect(tile).toContainText(/Ei kuvaa klo \d\d\.\d\d\.\d\d jälkeen/u, { timeout: 15_000 });
    expect(Number(await tile.locator('video').evaluate((v) => getComputedStyle(v).opacity))).toBeLessThan(0.5);
    await expect(page.locator('[aria-live="polite"]').first()).toContainText('kuva katkesi');
  } finally {
    configure('sub = "/hylly-1/gone"', 'sub = "/hylly-1/sub"');
  }
  await expect(tile).toHaveAttribute('data-showing', 'picture', { timeout: 40_000 });
  await expect(page.locator('[aria-live="polite"]').first()).toContainText('kuva palasi');
});

test('one camera large; without a decoder for H.265 its small picture and a word about it', async ({ page }) => {
  await page.goto('/live/kassa-2');
  const tile = page.locator('[data-camera="kassa-2"]');
  await expect(tile).toHaveAttribute('data-showing', 'picture', { timeout: 15_000 });
  const canDecode = await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L63.90"'));
  if (!canDecode) await expect(tile).toContainText('Esikatselulaatu');
  await page.getByRole('link', { name: 'Viimeiset 5 minuuttia' }).click();
  await expect(page).toHaveURL(/\/playback\?cameras=kassa-2&at=/u);
});

test('a page that nobody sees asks for no pictures', async ({ page }) => {
  let sockets = 0;
  page.on('websocket', (socket) => {
    sockets += 1;
    socket.on('close', () => (sockets -= 1));
  });
  await page.goto('/live');
  await expect(page.locator('[data-camera]').first()).toHaveAttribute('data-showing', 'picture');
  expect(sockets).toBeGreaterThan(2);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect.poll(() => sockets).toBe(0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: false, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(page.locator('[data-camera]').first()).toHaveAttribute('data-showing', 'picture');
});
