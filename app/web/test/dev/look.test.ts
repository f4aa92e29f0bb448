import { test } from 'vitest';
import { connect, openBrowser, openPage, picture, serve } from '../page.js';
import { newWallet } from '../wallet.js';
test('look', async () => {
  const site = await serve({ rpc: 'http://127.0.0.1:18899', ws: 'ws://127.0.0.1:18900' });
  const browser = await openBrowser();
  for (const [scheme, width] of [['light', 1280], ['dark', 1280], ['light', 360]] as const) {
    const wallet = await newWallet();
    const { page, complaints } = await openPage(browser, wallet, { colorScheme: scheme, viewport: { width, height: 800 } });
    for (const name of ['portfolio', 'trade', 'pool', 'liquidations', 'activity']) {
      await page.goto(`${site.url}#/${name}`);
      await page.waitForTimeout(900);
      await picture(page, `dev-${name}-${scheme}-${width}`);
    }
    await page.goto(`${site.url}#/portfolio`);
    console.log(complaints); await connect(page, wallet);
    await page.waitForTimeout(600);
    await picture(page, `dev-connected-${scheme}-${width}`);
    await page.getByRole('button', { name: 'Deposit and open' }).click();
    await page.waitForTimeout(300);
    await picture(page, `dev-deposit-${scheme}-${width}`, false);
    console.log(complaints);
  }
  await browser.close();
  await site.stop();
}, 120_000);
