/** Everything that may go wrong between a wallet and the chain: said in words, with what to do, and never a dead end. */
import type { Action } from '@plimsoll/client';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { PAUSE } from './chain.js';
import { connect, openPage, picture, serve, type Watched } from './page.js';
import { submit, until, useStage, withAccount } from './stage.js';
import { newWallet, type TestWallet } from './wallet.js';

describe('a failure is told in words', () => {
  const stage = useStage();
  let wallet: TestWallet;
  let account: string;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    ({ wallet, account } = await withAccount(stage.chain, 5_000));
  });

  beforeEach(async () => {
    wallet.mood = 'sign';
    watched = await openPage(stage.browser, wallet);
    ({ page } = watched);
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await connect(page, wallet);
  });

  afterEach(async () => {
    await watched.close();
  });

  /** Fills in a size and presses the button. */
  async function buy(size: string) {
    await page.getByRole('textbox', { name: 'Size' }).fill(size);
    await page.locator('button[type="submit"]').getByText('Buy SOL perpetual').click();
  }

  /** Expects the problem with this code, with the focus on it, and an advice. */
  async function expectProblem(code: string) {
    const problem = page.locator(`[data-problem="${code}"]`);
    await until(`the page tells ${code}`, async () => (await problem.count()) > 0).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; it tells ${JSON.stringify(await page.locator('main').innerText())}`);
    });
    expect(await problem.evaluate((element) => element === document.activeElement)).toBe(true);
    expect((await problem.locator('strong').innerText()).length).toBeGreaterThan(10);
    await picture(page, `failure-${code}`, false);
  }

  test('the wallet declines, and the same ticket goes through the second time', async () => {
    wallet.mood = 'decline';
    await buy('10');
    await expectProblem('declined');
    wallet.mood = 'sign';
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('done').waitFor();
  });

  test('the wallet breaks', async () => {
    wallet.mood = 'break';
    await buy('10');
    await expectProblem('wallet');
  });

  test('the margin does not suffice: how much is missing is said before anything is signed, and the chain says so too', async () => {
    const asked = wallet.asked;
    await page.getByRole('textbox', { name: 'Size' }).fill('2000');
    const refused = page.locator('[data-refused="InsufficientMargin"]');
    await refused.waitFor();
    expect(await refused.innerText()).toMatch(/[\d,]+\.\d\d USD are missing/);
    expect(wallet.asked).toBe(asked);
    await page.locator('button[type="submit"]').getByText('Buy SOL perpetual').click();
    await expectProblem('InsufficientMargin');
  });

  test('the size is no number, or has too many decimals', async () => {
    const size = page.getByRole('textbox', { name: 'Size' });
    await size.fill('much');
    await page.getByText('Enter a number like 1250.5').waitFor();
    await size.fill('1.0000000001');
    await page.getByText('At most 9 decimals').waitFor();
    expect(await size.getAttribute('aria-invalid')).toBe('true');
    await page.locator('button[type="submit"]').getByText('Buy SOL perpetual').click();
    await page.getByRole('alert').getByText('Enter a size above zero.').waitFor();
  });

  test('the price is too old', async () => {
    await stage.chain.travel(120);
    await page.locator('[data-state="stale"]').waitFor();
    await buy('10');
    await page.locator('[data-refused="OracleStale"]').waitFor();
    await expectProblem('OracleStale');
    await stage.chain.publish();
    await page.locator('[data-state="stale"]').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('done').waitFor();
  });

  test('trading is paused', async () => {
    await stage.chain.pause(PAUSE.trade);
    await page.locator('[data-state="paused"]').waitFor();
    await buy('10');
    await expectProblem('Paused');
    await stage.chain.pause(0);
    await page.locator('[data-state="paused"]').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('done').waitFor();
  });

  test('the server is gone: what was read stays, and it goes on by itself', async () => {
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.locator('[data-figure="equity"]').waitFor();
    await watched.page.route(`${stage.chain.urls.rpc}/**`, (route) => route.abort());
    await page.locator('[data-problem="network-down"]').waitFor();
    await picture(page, 'failure-network-down', false);
    expect(await page.locator('[data-figure="equity"]').count()).toBe(1);
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await buy('10');
    await expectProblem('network');
    await watched.page.unroute(`${stage.chain.urls.rpc}/**`);
    await page.locator('[data-problem="network-down"]').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('done').waitFor();
  });

  test('the transaction expires', async () => {
    // The server takes the transaction and passes it on to nobody, and its blocks go on.
    await page.route(`${stage.chain.urls.rpc}/**`, async (route) => {
      const request = route.request().postDataJSON() as { id: unknown; method: string } | null;
      const answer = (result: unknown) => route.fulfill({ json: { jsonrpc: '2.0', id: request?.id, result } });
      if (request?.method === 'sendTransaction') await answer('1'.repeat(64));
      else if (request?.method === 'getBlockHeight') await answer(1_000_000_000);
      else await route.continue();
    });
    await buy('10');
    await expectProblem('expired');
    await page.unroute(`${stage.chain.urls.rpc}/**`);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('done').waitFor();
  });

  test('the wallet has nothing to pay with', async () => {
    const poor = await newWallet('Poor');
    const other = await openPage(stage.browser, poor);
    await other.page.goto(stage.site.url);
    await connect(other.page, poor);
    await other.page.getByRole('button', { name: 'Deposit and open an account' }).click();
    await other.page.getByRole('textbox', { name: 'Amount' }).fill('10');
    await other.page.getByText('The wallet has only 0').waitFor();
    await other.page.locator('button[type="submit"]').click();
    await other.page.getByRole('alert').getByText('Enter an amount above zero that the wallet has.').waitFor();
    await other.close();
  });

  test('there is no wallet', async () => {
    const other = await openPage(stage.browser, null);
    await other.page.goto(`${stage.site.url}#/trade/SOL`);
    await other.page.locator('button[type="submit"]').click();
    await other.page.locator('[data-problem="no-wallet"]').waitFor();
    await picture(other.page, 'failure-no-wallet', false);
    await other.page.keyboard.press('Escape');
    await other.page.getByRole('dialog').waitFor({ state: 'detached' });
    await other.close();
  });

  test('the wallet is on another network', async () => {
    const stranger = await openPage(stage.browser, wallet, { chains: ['solana:mainnet'] });
    await stranger.page.goto(`${stage.site.url}#/trade/SOL`);
    await connect(stranger.page, wallet);
    await stranger.page.getByRole('textbox', { name: 'Size' }).fill('10');
    await stranger.page.locator('button[type="submit"]').getByText('Buy SOL perpetual').click();
    await stranger.page.locator('[data-problem="wrong-network"]').waitFor();
    expect(await stranger.page.locator('[data-problem="wrong-network"]').innerText()).toContain('mainnet');
    await stranger.close();
  });

  test('there is no exchange, or no server: the settings lead out', async () => {
    const lost = await serve({ ...stage.chain.urls, exchange: wallet.address });
    const other = await openPage(stage.browser, null);
    await other.page.goto(lost.url);
    await other.page.locator('main [role="alert"]').waitFor();
    await picture(other.page, 'failure-no-exchange', false);
    await other.page.locator('main').getByRole('button', { name: 'Settings' }).click();
    await other.page.getByLabel(/^Exchange/).fill('not an address');
    await other.page.getByRole('button', { name: 'Save and reconnect' }).click();
    await other.page.getByText('Enter an address, or nothing').waitFor();
    await other.page.getByLabel(/^Exchange/).fill(stage.chain.exchange);
    await other.page.getByRole('button', { name: 'Save and reconnect' }).click();
    await other.page.getByText('One account carries everything').waitFor();
    await other.page.evaluate(() => {
      localStorage.setItem('plimsoll.settings', JSON.stringify({ rpc: 'http://127.0.0.1:1', ws: 'ws://127.0.0.1:1' }));
    });
    await other.page.reload();
    await other.page.locator('[data-problem="network"]').waitFor();
    await other.close();
    await lost.stop();
  });

  test('somebody else was quicker: the account is above its line again', async () => {
    const engine = await stage.chain.engine();
    expect(engine.margin(account).healthMaint).toBeGreaterThan(0n);
    const action = { kind: 'liquidate', taker: account, account } as Action;
    await expect(stage.chain.act(wallet.signer, [action])).rejects.toThrow();
  });

  test('after all of it the account still trades', async () => {
    await page.getByRole('textbox', { name: 'Size' }).fill('1');
    expect(await submit(page, 'Buy SOL perpetual')).toContain('Bought 1 SOL');
    await until('the position is on the chain', async () => {
      return ((await stage.chain.engine()).account(account).positions[0]?.size ?? 0n) > 0n;
    });
  });
});
