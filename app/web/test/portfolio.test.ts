/** A wallet's way from connecting to being liquidated, by the page alone; what it shows is held to what the chain says. */
import { marginAccountAddress } from '@plimsoll/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { marginOf } from '../src/session/margin.js';
import { connect } from './page.js';
import {
  cents,
  expectQuiet,
  figure,
  funded,
  numberIn,
  openPage,
  picture,
  submit,
  until,
  useStage,
  withAccount,
} from './stage.js';
import type { Watched } from './page.js';
import type { TestWallet } from './wallet.js';

describe('a wallet', () => {
  const stage = useStage();
  let watched: Watched;
  let wallet: TestWallet;
  let account: string;

  beforeAll(async () => {
    await stage.chain.listBoard([32, 36, 40, 44, 48]);
    wallet = await funded(stage.chain, { USDC: 10_000, SOL: 500 });
    account = marginAccountAddress(stage.chain.exchange, wallet.address, 0);
    watched = await openPage(stage.browser, wallet);
  });

  afterAll(async () => {
    await watched.close();
  });

  /** The margin as the client reckons it from the chain's accounts now. */
  async function margin() {
    return marginOf(await stage.chain.engine(), account);
  }

  /** Waits until every figure of the page is what the client reckons, and has the program confirm both healths. */
  async function expectFigures() {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/portfolio`);
    await until('the page shows what the chain says', async () => {
      const now = await margin();
      const shown = {
        equity: await figure(page, 'equity'),
        init: await figure(page, 'health-init'),
        maint: await figure(page, 'health-maint'),
      };
      return (
        shown.equity === cents(now.equityMaint) &&
        shown.init === cents(now.healthInit) &&
        shown.maint === cents(now.healthMaint)
      );
    });
    // Interest goes on by the second: the program is asked again where one has passed in between.
    await until('the program finds the same healths', async () => {
      const { healthInit, healthMaint } = await margin();
      const { chain } = stage;
      return (await chain.hasHealth(account, healthInit, false)) && (await chain.hasHealth(account, healthMaint, true));
    });
  }

  test('connects, and opens its account with the first deposit', async () => {
    const { page } = watched;
    await page.goto(stage.site.url);
    await page.getByText('One account carries everything').waitFor();
    await picture(page, '01-harbour');
    await connect(page, wallet);
    await page.getByRole('button', { name: 'Deposit and open an account' }).click();
    await page.getByRole('textbox', { name: 'Amount' }).fill('5000');
    const after = page.locator('[data-row="equity"] dd').last();
    await after.waitFor();
    expect(numberIn(await after.innerText())).toBe(5_000);
    await picture(page, '02-first-deposit', false);
    expect(await submit(page, 'Open an account with USDC')).toContain('Deposited 5,000 USDC');
    await picture(page, '03-deposited', false);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await expectFigures();
    expect((await margin()).equityMaint).toBe(5_000_000_000n);
  });

  test('deposits SOL by keyboard alone', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Deposit', exact: true }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Deposit' }).waitFor();
    // Closing button, token, amount: in that order, and the first has the focus.
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('SELECT');
    await page.keyboard.type('SOL');
    await page.keyboard.press('Tab');
    await page.keyboard.type('100');
    await page.locator('[data-preview="fits"]').waitFor();
    await page.keyboard.press('Enter');
    const done = page.getByTestId('done');
    await done.waitFor();
    expect(await done.innerText()).toContain('Deposited 100 SOL');
    expect(await done.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Deposit');
    await expectFigures();
  });

  test('sees the margin after a perpetual before it signs, and has exactly that margin afterwards', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('textbox', { name: 'Size' }).fill('400');
    const after = page.locator('[data-row="health-init"] dd').last();
    await after.waitFor();
    const expected = numberIn(await after.innerText());
    await picture(page, '04-perpetual-ticket');
    expect(await submit(page, 'Buy SOL perpetual')).toContain('Bought 400 SOL');
    // Prices stand still, and interest and funding of a moment are below a cent.
    expect(cents((await margin()).healthInit)).toBe(expected);
    await expectFigures();
    await page.locator('[data-position="SOL"]').waitFor();
    await picture(page, '05-portfolio-with-perpetual');
  });

  test('fills in the largest size that the chain takes', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('button', { name: /largest size that the margin allows/ }).click();
    const size = page.getByRole('textbox', { name: 'Size' });
    const largest = Number(await size.inputValue());
    expect(largest).toBeGreaterThan(100);
    await page.locator('[data-preview="fits"]').waitFor();
    await size.fill(String(largest + 1));
    await page.locator('[data-refused="InsufficientMargin"]').waitFor();
    await size.fill('');
  });

  test('buys an option out of the chain', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('button', { name: /^Buy the 36 put/ }).click();
    await page.getByRole('textbox', { name: 'Lots' }).fill('1000');
    await page.locator('[data-preview="fits"]').waitFor();
    await picture(page, '06-option-ticket');
    expect(await submit(page, 'Buy 36 put')).toContain('Bought 1,000 lots of SOL put 36');
    await expectFigures();
    const options = (await stage.chain.engine()).account(account).options;
    expect(options.map(({ lots, isCall }) => ({ lots, isCall }))).toEqual([{ lots: 1_000, isCall: false }]);
  });

  test('shows stress, payoff, Greeks and what netting saves, as pictures and as tables', async () => {
    const { page } = watched;
    const stress = page.getByRole('region', { name: 'Stress' });
    await stress.locator('canvas').first().waitFor();
    await page.getByRole('region', { name: 'Payoff' }).locator('canvas').first().waitFor();
    await picture(page, '07-portfolio');
    await stress.getByRole('button', { name: 'Show as table' }).click();
    const cells = (await stage.chain.engine()).stress(account, [-20], [0]).cells;
    const shown = await stress.locator('tbody tr').nth(1).locator('td').nth(1).innerText();
    expect(numberIn(shown)).toBe(cents(cells[0]?.[0]?.pnl ?? 0n));
    const { requirementInit, savingInit } = (await stage.chain.engine()).standalone(account);
    expect(savingInit).toBeGreaterThan(0n);
    expect(numberIn(await page.locator('[data-figure="saving"]').innerText())).toBe(cents(savingInit));
    expect(requirementInit).toBeGreaterThan(savingInit);
    const greeks = page.getByRole('region', { name: 'Greeks' });
    expect(await greeks.getByRole('row', { name: /^SOL/ }).count()).toBe(1);
  });

  test('withdraws, closes a part of its position, and settles', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Withdraw', exact: true }).first().click();
    await page.getByRole('textbox', { name: 'Amount' }).fill('1000');
    expect(await submit(page, 'Withdraw USDC')).toContain('Withdrew 1,000 USDC');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Close SOL', exact: true }).click();
    await page.getByRole('textbox', { name: 'Size to close' }).fill('50');
    expect(await submit(page, 'Close SOL position')).toContain('Sold 50 SOL');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Settle SOL', exact: true }).click();
    expect(await submit(page, 'Settle SOL cash')).toContain('quote balance');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await expectFigures();
  });

  test('sees its health fall with the price, and the ship sink below the mark', async () => {
    const { page } = watched;
    const before = await margin();
    const depth = async () => Number(await page.locator('figure.hull').first().getAttribute('data-draught'));
    const depthBefore = await depth();
    await stage.chain.publish({ SOL: 36 });
    await until('the health falls', async () => (await figure(page, 'health-maint')) < cents(before.healthMaint));
    await expectFigures();
    expect(await depth()).toBeGreaterThan(depthBefore);
    await stage.chain.publish({ SOL: 19.5 });
    await page.locator('[data-state="liquidatable"]').waitFor();
    await expectFigures();
    expect(await depth()).toBeGreaterThan(1);
    await picture(page, '08-below-the-line');
  });

  test('is taken over by another wallet through the list of liquidations', async () => {
    const { wallet: taker } = await withAccount(stage.chain, 50_000, 'Taker');
    const other = await openPage(stage.browser, taker);
    const { page } = other;
    await page.goto(`${stage.site.url}#/liquidations`);
    await connect(page, taker);
    await page
      .locator(`[data-account="${account}"]`)
      .getByRole('button', { name: /Take over/ })
      .click();
    await page.locator('[data-preview="fits"]').waitFor();
    await picture(page, '09-take-over', false);
    const balance = (await margin()).healthMaint;
    expect(balance).toBeLessThan(0n);
    expect(await submit(page, 'Take over now')).toContain('Took over');
    expect((await margin()).healthMaint).toBeGreaterThan(0n);
    await picture(page, '10-taken-over', false);
    expectQuiet(other, stage);
    await other.close();
    await watched.page.locator('[data-state="liquidatable"]').waitFor({ state: 'detached' });
    await expectFigures();
  });

  test('reads in words what happened', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/activity`);
    const events = page.locator('.events');
    await events
      .getByText(/took over .* of your account/)
      .first()
      .waitFor();
    for (const words of ['Deposited 5,000 USDC', 'Bought 400 SOL', 'Withdrew 1,000 USDC']) {
      expect(await events.getByText(words).count()).toBeGreaterThan(0);
    }
    await picture(page, '11-activity');
  });

  test('has spoken to its chain alone, and without an error', () => {
    expectQuiet(watched, stage);
  });
});
