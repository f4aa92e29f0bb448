/** Every page in both themes and at 360 pixels: axe's rules with contrast, no sideways scrolling, landmarks, titles. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Action } from '@plimsoll/client';
import { connect, openPage, picture, type Watched } from './page.js';
import { useStage, withAccount } from './stage.js';
import type { TestWallet } from './wallet.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = ['portfolio', 'trade/SOL', 'pool', 'liquidations', 'activity'] as const;
const NARROW = { width: 360, height: 780 };
const WIDE = { width: 1280, height: 900 };

/** What axe finds wrong, a line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run: (options: RunOptions) => Promise<AxeResults> } };
    return axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  });
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** What reaches beyond the page's right edge, if it scrolls sideways. */
async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const beyond = [...document.querySelectorAll('main *')].filter(
      (one) => one.getBoundingClientRect().right > width + 0.5,
    );
    return ['the page scrolls sideways', ...beyond.map((one) => one.outerHTML.slice(0, 120))];
  });
}

describe('everybody can use', () => {
  const stage = useStage();
  let wallet: TestWallet;
  const open = new Map<string, Watched>();

  beforeAll(async () => {
    const { chain } = stage;
    const board = await chain.listBoard([32, 36, 40, 44, 48]);
    const made = await withAccount(chain, 8_000);
    wallet = made.wallet;
    const trades = [
      { kind: 'openPosition', account: made.account, market: chain.market('SOL'), size: 500_000_000_000n },
      { kind: 'openOption', account: made.account, board, series: 3, lots: 2_000n },
    ];
    for (const trade of trades) await chain.act(wallet.signer, [(await chain.engine()).withLimit(trade as Action)]);
    // A second account that has sunk, for the list of liquidations.
    const sunk = await withAccount(chain, 2_000, 'Sunk');
    const long = { kind: 'openPosition', account: sunk.account, market: chain.market('SOL'), size: 300_000_000_000n };
    await chain.act(sunk.wallet.signer, [(await chain.engine()).withLimit(long as Action)]);
    await chain.publish({ SOL: 35 });
    for (const scheme of ['light', 'dark'] as const) {
      const watched = await openPage(stage.browser, wallet, { colorScheme: scheme });
      await watched.page.goto(stage.site.url);
      await connect(watched.page, wallet);
      open.set(scheme, watched);
    }
  });

  afterAll(async () => {
    for (const watched of open.values()) await watched.close();
  });

  for (const scheme of ['light', 'dark'] as const) {
    for (const path of PAGES) {
      const name = path.split('/')[0] ?? path;
      test(`${name}, ${scheme}: wide and at 360 pixels`, async () => {
        const watched = open.get(scheme);
        if (!watched) throw new Error('no page');
        const { page } = watched;
        for (const [width, viewport] of [
          ['wide', WIDE],
          ['360', NARROW],
        ] as const) {
          await page.setViewportSize(viewport);
          await page.goto(`${stage.site.url}#/${path}`);
          await page.locator('main h1').waitFor();
          if (name === 'portfolio') await page.locator('canvas').first().waitFor();
          if (name === 'liquidations') await page.locator('[data-state="sunk"]').waitFor();
          await page.waitForTimeout(400);
          await picture(page, `page-${name}-${scheme}-${width}`);
          expect(await violations(page)).toEqual([]);
          expect(await overflow(page)).toEqual([]);
          expect(await page.title()).toContain('Plimsoll');
          expect(await page.locator('h1').count()).toBe(1);
        }
      });
    }
  }

  test('a ticket in a dialog, and the theme by its switch', async () => {
    const watched = open.get('light');
    if (!watched) throw new Error('no page');
    const { page } = watched;
    await page.setViewportSize(NARROW);
    await page.goto(`${stage.site.url}#/portfolio`);
    await page.getByRole('button', { name: 'Withdraw', exact: true }).first().click();
    await page.getByRole('textbox', { name: 'Amount' }).fill('100');
    await page.locator('[data-preview]').waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, 'dialog-withdraw-light-360', false);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Switch to dark' }).click();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.reload();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.getByRole('button', { name: 'Switch to light' }).click();
  });

  test('the way past the navigation is the first stop of the Tab key', async () => {
    const watched = open.get('light');
    if (!watched) throw new Error('no page');
    const { page } = watched;
    await page.setViewportSize(WIDE);
    await page.goto(`${stage.site.url}#/pool`);
    await page.reload();
    await page.locator('main h1').waitFor();
    const focused = () =>
      page.evaluate(() => {
        const at = document.activeElement;
        return at?.id === '' ? at.className : at?.id;
      });
    await page.keyboard.press('Tab');
    await expect.poll(focused).toBe('skip-link');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toBe('main');
  });

  test('nothing moves for who has asked for that', async () => {
    const watched = open.get('light');
    if (!watched) throw new Error('no page');
    const { page } = watched;
    await page.goto(`${stage.site.url}#/portfolio`);
    const swell = page.locator('.swell').first();
    await swell.waitFor();
    const count = await swell.evaluate((element) => getComputedStyle(element).animationIterationCount);
    expect(count).toBe('1');
  });

  test('a strict policy is in force: no script or style that is not the page’s own', async () => {
    const watched = open.get('light');
    if (!watched) throw new Error('no page');
    const policy = await watched.page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).not.toContain("'unsafe-eval'");
    for (const { complaints } of open.values()) expect(complaints).toEqual([]);
  });
});
