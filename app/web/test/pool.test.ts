/** Joining the house and leaving it again, and staying connected over a reload. */
import type { Action } from '@plimsoll/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect, openPage, picture, type Watched } from './page.js';
import { cents, expectQuiet, funded, numberIn, submit, until, useStage, withAccount } from './stage.js';
import type { TestWallet } from './wallet.js';

describe('a provider of liquidity', () => {
  const stage = useStage();
  let watched: Watched;
  let wallet: TestWallet;

  beforeAll(async () => {
    wallet = await funded(stage.chain, { USDC: 10_000 });
    watched = await openPage(stage.browser, wallet);
    await watched.page.goto(`${stage.site.url}#/pool`);
    await connect(watched.page, wallet);
  });

  afterAll(async () => {
    await watched.close();
  });

  /** Lets the ticket's delay pass, then executes and claims it. */
  async function executeAndClaim() {
    const { page } = watched;
    await page.locator('[data-ticket="waiting"]').waitFor();
    await stage.chain.travel(61);
    await stage.chain.publish();
    await page.locator('[data-ticket="due"]').waitFor();
    await page.getByRole('button', { name: 'Value the house and execute' }).click();
    await page.locator('[data-ticket="executed"]').waitFor();
    await page.getByRole('button', { name: /^Claim/ }).click();
    await page.locator('[data-ticket]').waitFor({ state: 'detached' });
    await page.getByTestId('done').getByText('were claimed').waitFor();
  }

  test('puts quote aside, and gets shares for it at a later valuation', async () => {
    const { page } = watched;
    await page.getByRole('textbox', { name: 'Amount' }).fill('4000');
    expect(await submit(page, 'Provide liquidity')).toContain('4,000 USD were put aside to join the house');
    await picture(page, '12-pool-ticket');
    await executeAndClaim();
    await until('the house has grown', async () => {
      return numberIn(await page.locator('[data-figure="nav"] dd .number').first().innerText()) === 2_004_000;
    });
  });

  test('gets quote for its shares, at a later valuation too', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Another one' }).click();
    await page.getByRole('radio', { name: 'Redeem' }).check();
    await page.getByText('in the wallet: 4,000').waitFor();
    await page.getByRole('button', { name: /fill in all of it/ }).click();
    expect(await page.getByRole('textbox', { name: 'Amount' }).inputValue()).toBe('4000');
    await page.getByRole('textbox', { name: 'Amount' }).fill('1000');
    expect(await submit(page, 'Redeem shares')).toContain('1,000 house shares were put aside to leave the house');
    await executeAndClaim();
    const { house } = (await stage.chain.engine()).exchange();
    expect(house?.shareSupply).toBe(2_003_000_000_000n);
  });

  test('sees how much of each budget is used, and by what', async () => {
    const { page } = watched;
    const { chain } = stage;
    const market = chain.market('SOL');
    const board = await chain.listBoard([36, 40, 44]);
    const { wallet: trader, account } = await withAccount(chain, 50_000, 'Trader');
    await chain.fund(trader.address, { SOL: 200 });
    const trades = [
      { kind: 'deposit', account, mint: chain.mints.SOL, amount: 200_000_000_000n },
      { kind: 'swap', account, mint: chain.mints.SOL, amount: -150_000_000_000n },
      { kind: 'openPosition', account, market, size: -400_000_000_000n },
      { kind: 'openOption', account, board, series: 2, lots: 1_000n },
    ] as Action[];
    for (const trade of trades) await chain.act(trader.signer, [(await chain.engine()).withLimit(trade)]);
    const use = async () => (await chain.engine()).budgetUse(market);
    const row = page.getByRole('region', { name: 'Risk budgets' }).locator('[data-use="SOL"]');
    const shown = async (column: number) =>
      numberIn((await row.locator('td').nth(column).innerText()).split('\n')[0] ?? '');
    await until('the page shows what the engine says', async () => {
      const { perpetual, options, spot, used, inForce } = await use();
      const parts = [perpetual, options, spot, used, inForce - used].map(cents);
      return (await Promise.all(parts.map(async (part, column) => (await shown(column)) === part))).every(Boolean);
    });
    const { perpetual, options, spot, used } = await use();
    expect([perpetual, options, spot].every((part) => part > 0n)).toBe(true);
    // The house is short the options and long the rest: together it loses less than each alone would.
    expect(used).toBeLessThan(perpetual + options + spot);
    const meter = page.getByRole('meter', { name: "SOL: used of the house's budget" });
    expect(await meter.getAttribute('aria-valuetext')).toMatch(/^[\d,.]+ of 500,000\.00 USD$/);
    await picture(page, '17-budgets');
    await page.goto(`${stage.site.url}#/trade/SOL`);
    await page.getByRole('region', { name: 'What the house may still take on' }).locator('[data-use="SOL"]').waitFor();
    await page.goto(`${stage.site.url}#/pool`);
  });

  test('is still connected after a reload, and until it disconnects', async () => {
    const { page } = watched;
    await page.reload();
    const menu = page.getByRole('button', { name: /^Wallet/ });
    const leave = page.getByRole('button', { name: 'Disconnect' });
    await menu.waitFor();
    // The wallet answers while the page loads, and makes the menu anew then, closed.
    await expect
      .poll(async () => {
        if (!(await leave.isVisible())) await menu.click();
        return leave.click({ timeout: 1_000 }).then(
          () => 'clicked',
          () => 'closed again',
        );
      })
      .toBe('clicked');
    await page.locator('header').getByRole('button', { name: 'Connect wallet' }).waitFor();
    expectQuiet(watched, stage);
  });
});
