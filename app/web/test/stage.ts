/** What a file of browser tests plays on: a chain, the built page on a server, a browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

import { type Action, marginAccountAddress } from '@plimsoll/client';

import { Chain } from './chain.js';
import { openBrowser, openPage, picture, serve, type Site, type Watched } from './page.js';
import { newWallet, type TestWallet } from './wallet.js';

/** A chain, a site and a browser. */
export type Stage = { chain: Chain; site: Site; browser: Browser };

/** Sets the stage before a file's tests and strikes it after them. */
export function useStage(): Stage {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.chain = await Chain.start();
    stage.site = await serve({ ...stage.chain.urls, exchange: stage.chain.exchange });
    stage.browser = await openBrowser();
  });
  afterAll(async () => {
    await stage.browser.close();
    await stage.site.stop();
    await stage.chain.stop();
  });
  return stage;
}

/** A wallet with lamports and tokens. */
export async function funded(chain: Chain, tokens: Record<string, number>, name?: string): Promise<TestWallet> {
  const wallet = await newWallet(name);
  await chain.fund(wallet.address, tokens);
  return wallet;
}

/** A wallet with a margin account that holds `dollars`, made without the page. */
export async function withAccount(chain: Chain, dollars: number, name?: string) {
  const wallet = await funded(chain, { USDC: dollars }, name);
  const account = marginAccountAddress(chain.exchange, wallet.address, 0);
  const deposit = { kind: 'deposit', account, mint: chain.mints.USDC, amount: BigInt(dollars) * 1_000_000n };
  await chain.act(wallet.signer, [{ kind: 'createAccount', index: 0 }, deposit as Action]);
  return { wallet, account };
}

/** A text of the page as a number: digits, sign and point alone. */
export function numberIn(text: string): number {
  return Number(text.replaceAll('−', '-').replace(/[^0-9.-]/g, ''));
}

/** A figure of the portfolio in units of 1e-6, as the page shows it: rounded to cents. */
export async function figure(page: Page, id: string): Promise<number> {
  const text = await page.locator(`[data-figure="${id}"] dd .number`).first().innerText();
  return numberIn(text);
}

/** Quote native as the page rounds it. */
export function cents(value: bigint): number {
  return Math.round(Number(value) / 1e4) / 100;
}

/** Waits for something to be so. */
export async function until(what: string, is: () => Promise<boolean>, within = 20_000) {
  const deadline = Date.now() + within;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Submits the ticket that is shown and waits until it is confirmed; answers with what the page says happened. */
export async function submit(page: Page, button: string): Promise<string> {
  const press = page.locator('button[type="submit"]').getByText(button, { exact: true });
  // The button goes away with the result: the form is held by itself.
  const form = await page.locator('form').filter({ has: press }).elementHandle();
  await press.click();
  const end = await form.waitForSelector('[data-testid="done"], [data-problem]');
  const told = await end.innerText();
  expect(await form.$$('[data-problem]'), told).toEqual([]);
  return told;
}

/** Expects a page without errors of its own, that spoke to nobody but its server and the chain. */
export function expectQuiet({ complaints, hosts }: Watched, { chain, site }: Stage) {
  expect(complaints).toEqual([]);
  const allowed = [site.url, chain.urls.rpc].map((url) => new URL(url).host);
  expect([...hosts].filter((host) => !allowed.includes(host))).toEqual([]);
}

export { openPage, picture };
