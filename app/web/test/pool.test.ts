/** Joining the house and leaving it again, and staying connected over a reload. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect, openPage, picture, type Watched } from './page.js';
import { expectQuiet, funded, numberIn, submit, until, useStage } from './stage.js';
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
