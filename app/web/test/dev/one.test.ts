import { test } from 'vitest';
import { openBrowser, openPage, serve } from '../page.js';
test('look', async () => {
  const site = await serve({ rpc: 'http://127.0.0.1:18899', ws: 'ws://127.0.0.1:18900' });
  const browser = await openBrowser();
  const { page, complaints } = await openPage(browser, null);
  await page.goto(`${site.url}#/portfolio`);
  await page.waitForTimeout(2000);
  console.log(complaints, await page.locator('main').innerText());
  await browser.close();
  await site.stop();
}, 60_000);
