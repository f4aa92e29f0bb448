/** Every kind of trade beside the perpetual's, by the page alone: swaps, stored orders, options until they are settled. */
import type { Action } from '@plimsoll/client';
import type { Address } from '@solana/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { connect, openPage, picture, type Watched } from './page.js';
import { cents, expectQuiet, figure, numberIn, submit, until, useStage, withAccount } from './stage.js';
import type { TestWallet } from './wallet.js';

const SOL = 1_000_000_000n;

describe('a trader', () => {
  const stage = useStage();
  let watched: Watched;
  let wallet: TestWallet;
  let account: string;
  let board: Address;

  beforeAll(async () => {
    board = await stage.chain.listBoard([36, 40, 44]);
    ({ wallet, account } = await withAccount(stage.chain, 20_000));
    await stage.chain.fund(wallet.address, { SOL: 50 });
    const deposit = { kind: 'deposit', account, mint: stage.chain.mints.SOL, amount: 50n * SOL };
    await stage.chain.act(wallet.signer, [deposit as Action]);
    watched = await openPage(stage.browser, wallet);
    await watched.page.goto(`${stage.site.url}#/trade/SOL`);
    await connect(watched.page, wallet);
  });

  // A test may take longer than a price stays fresh.
  beforeEach(() => stage.chain.publish());

  afterAll(async () => {
    await watched.close();
  });

  /** The account as it is on the chain now. */
  async function onChain() {
    return (await stage.chain.engine()).account(account);
  }

  /** What the account has of SOL, native. */
  async function sol(): Promise<bigint> {
    return (await onChain()).balances.find((line) => line.symbol === 'SOL')?.amount ?? 0n;
  }

  /** Submits the ticket that is shown, and expects the initial health that it foresaw. */
  async function submitAsForeseen(button: string): Promise<string> {
    const { page } = watched;
    await page.locator('[data-preview="fits"]').waitFor();
    const foreseen = numberIn(await page.locator('[data-row="health-init"] dd').last().innerText());
    const told = await submit(page, button);
    expect(cents((await stage.chain.engine()).margin(account).healthInit)).toBeCloseTo(foreseen, 1);
    return told;
  }

  async function closeDialog() {
    await watched.page.getByRole('button', { name: 'Close', exact: true }).click();
    await watched.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  test('swaps SOL for USD, and all that the house has of it back', async () => {
    const { page } = watched;
    await page.getByRole('radio', { name: 'Swap' }).check();
    await page.getByRole('radio', { name: 'Buy SOL' }).check();
    // The house has none yet.
    await page.getByRole('textbox', { name: 'Amount' }).fill('10');
    await page.locator('[data-refused="SwapInventory"]').waitFor();
    await page.getByRole('radio', { name: 'Sell SOL' }).check();
    await picture(page, '13-swap-ticket');
    expect(await submitAsForeseen('Swap SOL for USD')).toMatch(/Sold 10 SOL for 399\.\d+ USD/);
    expect(await sol()).toBe(40n * SOL);
    await page.getByRole('button', { name: 'Another one' }).click();
    await page.getByRole('radio', { name: 'Buy SOL' }).check();
    await page.getByRole('button', { name: /all that the house has/ }).click();
    expect(await page.getByRole('textbox', { name: 'Amount' }).inputValue()).toBe('10');
    expect(await submitAsForeseen('Swap USD for SOL')).toMatch(/Bought 10 SOL for 40\d\.\d+ USD/);
    expect(await sol()).toBe(50n * SOL);
  });

  test('sells more SOL than it has: the rest is borrowed, and the page says so before', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Another one' }).click();
    await page.getByRole('radio', { name: 'Sell SOL' }).check();
    await page.getByRole('button', { name: /all SOL of the account/ }).click();
    expect(await page.getByRole('textbox', { name: 'Amount' }).inputValue()).toBe('50');
    await page.getByRole('textbox', { name: 'Amount' }).fill('55');
    await page.getByText('5 SOL would be borrowed').waitFor();
    expect(await submitAsForeseen('Swap SOL for USD')).toMatch(/Sold 55 SOL/);
    // A few native units are the rounding's, and the interest of a moment.
    expect(Number(await sol()) / 1e9).toBeCloseTo(-5, 6);
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.locator('[data-balance="SOL"]').getByText('borrowed').waitFor();
  });

  test('stores a stop loss, sees it, and takes it back', async () => {
    const { page } = watched;
    const long = { kind: 'openPosition', account, market: stage.chain.market('SOL'), size: 100n * SOL };
    await stage.chain.act(wallet.signer, [(await stage.chain.engine()).withLimit(long as Action)]);
    await placeStop();
    const orders = page.getByRole('list', { name: 'Stored orders' });
    await orders.getByText('Closes the long SOL position once the price is at or below 38 USD.').waitFor();
    await picture(page, '14-stored-order');
    await orders.getByRole('button', { name: 'Cancel the order for SOL' }).click();
    expect(await submit(page, 'Cancel the order')).toContain('was cancelled');
    await closeDialog();
    await orders.waitFor({ state: 'detached' });
    expect((await onChain()).triggers).toEqual([]);
  });

  /** By the page: the whole position at 38 USD, for a tip of half a dollar. */
  async function placeStop() {
    const { page } = watched;
    await page.getByRole('button', { name: 'Stop loss for SOL' }).click();
    await page.getByRole('textbox', { name: 'Price to wait for' }).fill('38');
    await page.getByRole('textbox', { name: /^Tip/ }).fill('0.5');
    expect(await submit(page, 'Store the order')).toMatch(
      /Stored order 0 .*in SOL, which waits for 38(\.0+)? USD, was placed/,
    );
    await closeDialog();
  }

  test('has a stop loss executed by whoever comes once the price is there, for its tip', async () => {
    const { page } = watched;
    await placeStop();
    const { wallet: crank, account: executor } = await withAccount(stage.chain, 100, 'Crank');
    const execute = [{ kind: 'executeTrigger', account, index: 0, executor }] as Action[];
    await expect(stage.chain.act(crank.signer, execute)).rejects.toThrow();
    await stage.chain.publish({ SOL: 37.5 });
    await stage.chain.act(crank.signer, execute);
    await page.getByRole('list', { name: 'Stored orders' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Stop loss for SOL' }).waitFor({ state: 'detached' });
    expect((await onChain()).positions.find((line) => line.symbol === 'SOL')?.size).toBe(0n);
    const tip = (await stage.chain.engine()).account(executor).positions.find((line) => line.symbol === 'SOL');
    expect(tip?.cash).toBe(500_000n);
    await page.goto(`${stage.site.url}#/activity`);
    await page.locator('.events').getByText('was executed').first().waitFor();
    await stage.chain.publish({ SOL: 40 });
    // The page looks at the prices every two seconds, and an order's limit is by what it shows.
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('link', { name: 'SOL 40.00' }).waitFor();
  });

  test('buys an option in the chain and closes it in the portfolio', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('button', { name: /^Buy the 40 call/ }).click();
    await page.getByRole('textbox', { name: 'Lots' }).fill('100');
    expect(await submitAsForeseen('Buy 40 call')).toContain('Bought 100 lots of SOL call 40');
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.getByRole('button', { name: /^Close SOL .* 40 call$/ }).click();
    expect(await page.getByRole('textbox', { name: 'Lots to close' }).inputValue()).toBe('100');
    expect(await submitAsForeseen('Sell to close')).toContain('Sold 100 lots of SOL call 40');
    await closeDialog();
    await page.getByRole('region', { name: 'Options' }).waitFor({ state: 'detached' });
    expect((await onChain()).options).toEqual([]);
  });

  test('sells an option, and buys a part of it back', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('button', { name: /^Sell the 44 call/ }).click();
    await page.getByRole('textbox', { name: 'Lots' }).fill('50');
    expect(await submitAsForeseen('Sell 44 call')).toContain('Sold 50 lots of SOL call 44');
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.getByRole('button', { name: /^Close SOL .* 44 call$/ }).click();
    await page.getByRole('textbox', { name: 'Lots to close' }).fill('20');
    expect(await submitAsForeseen('Buy to close')).toContain('Bought 20 lots of SOL call 44');
    await closeDialog();
    expect((await onChain()).options.map(({ lots }) => lots)).toEqual([-30]);
  });

  test('sees its margin by options computed anew where the chain has them old, and has the chain compute them', async () => {
    const { page } = watched;
    const refuses = async () => {
      try {
        (await stage.chain.engine()).margin(account);
        return null;
      } catch (error) {
        return (error as Error).name;
      }
    };
    expect(await refuses()).toBeNull();
    await stage.chain.travel(12 * 3_600);
    await stage.chain.publish();
    expect(await refuses()).toBe('BoardStale');
    await page.locator('[data-state="refreshed"]').waitFor();
    const { margin } = (await stage.chain.engine()).report(account);
    await until(
      'the page shows the margin',
      async () => (await figure(page, 'health-init')) === cents(margin.healthInit),
    );
    await picture(page, '18-boards-old');
    await page.getByRole('button', { name: 'Refresh the option boards' }).click();
    await page.locator('[data-state="refreshed"]').waitFor({ state: 'detached' });
    expect(await refuses()).toBeNull();
    const now = (await stage.chain.engine()).margin(account).healthInit;
    await until('the page shows the same', async () => (await figure(page, 'health-init')) === cents(now));
    expect(cents(now)).toBeCloseTo(cents(margin.healthInit), 1);
  });

  test('holds options over their expiry, and knows what they wait for', async () => {
    const { page } = watched;
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('button', { name: /^Buy the 36 call/ }).click();
    await page.getByRole('textbox', { name: 'Lots' }).fill('200');
    expect(await submitAsForeseen('Buy 36 call')).toContain('Bought 200 lots of SOL call 36');
    await stage.chain.sample(board, 42);
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.locator('[data-option]').getByText('expired').first().waitFor();
    await page.locator('[data-figure="equity"]').waitFor();
    await picture(page, '15-options-expired');
  });

  test('is paid by the settlement price, and has the cash in its balance', async () => {
    const { page } = watched;
    await stage.chain.settleBoard(board);
    const options = page.getByRole('region', { name: 'Options' });
    await options.getByRole('button', { name: /^Settle SOL .* 36 call$/ }).click();
    await picture(page, '16-settle-options', false);
    const before = (await stage.chain.engine()).margin(account).equityMaint;
    // 200 lots of 0.1 SOL, 6 dollars each, rounded down; the call that was sold ends worthless.
    expect(await submit(page, 'Settle the options')).toMatch(
      /Received 119\.99999\d USD for SOL options of \d{4}-\d\d-\d\d, settled at 42(\.0+)? USD/,
    );
    await closeDialog();
    await options.waitFor({ state: 'detached' });
    expect((await onChain()).options).toEqual([]);
    expect(cents((await stage.chain.engine()).margin(account).equityMaint)).toBeCloseTo(cents(before), 1);
    await page.getByRole('button', { name: 'Settle SOL', exact: true }).click();
    expect(await submit(page, 'Settle SOL cash')).toContain('quote balance');
    await closeDialog();
    await until('nothing is left in the market', async () => {
      return !(await onChain()).positions.some((line) => line.cash !== 0n);
    });
  });

  test('has spoken to its chain alone, and without an error', () => {
    expectQuiet(watched, stage);
  });
});
