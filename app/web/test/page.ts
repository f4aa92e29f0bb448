/** The built page on a server of its own, in a headless Chromium. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve } from 'node:path';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

import { ROOT } from './chain.js';
import { install, type TestWallet } from './wallet.js';

const DIST = resolve(import.meta.dirname, '../dist');
/** Where pictures of the page are put: artefacts, not part of the repository. */
const SCREENSHOTS = resolve(ROOT, 'target/screenshots');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** A server of the built page. */
export type Site = { url: string; stop: () => Promise<void> };

/** Serves the built page with a `config.json` that names the chain. */
export async function serve(config: { rpc: string; ws: string; exchange?: string }): Promise<Site> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
    const send = (status: number, type: string, body: Buffer | string) => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (path === '/config.json') {
      send(200, 'application/json', JSON.stringify(config));
      return;
    }
    const file = join(DIST, path === '/' ? 'index.html' : path);
    readFile(file).then(
      (body) => {
        send(200, TYPES[extname(file)] ?? 'application/octet-stream', body);
      },
      () => {
        send(404, 'text/plain', 'not found');
      },
    );
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => {
          done();
        });
      }),
  };
}

/** Starts the browser. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = execFileSync(resolve(ROOT, 'tools/chromium'), { encoding: 'utf8' }).trim();
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page of a test tells besides what it shows. */
export type Watched = {
  page: Page;
  /** Errors of its console, and what it threw. */
  complaints: string[];
  /** Hosts that it asked for anything. */
  hosts: Set<string>;
  close: () => Promise<void>;
};

/** A page in a browser profile of its own, with a wallet or without. */
export async function openPage(
  browser: Browser,
  wallet: TestWallet | null,
  options: BrowserContextOptions & { chains?: string[] } = {},
): Promise<Watched> {
  const { chains, ...context } = options;
  const profile = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...context,
  });
  const page = await profile.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:') hosts.add(host);
  });
  if (wallet) await install(page, wallet, chains);
  return { page, complaints, hosts, close: () => profile.close() };
}

/** Keeps a picture of the page. */
export async function picture(page: Page, name: string, fullPage = true) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.evaluate(() => {
    window.scrollTo(0, 0);
  });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage });
}

/** Connects the wallet by the page's own buttons. */
export async function connect(page: Page, wallet: TestWallet) {
  await page.locator('header').getByRole('button', { name: 'Connect wallet' }).click();
  await page.getByRole('dialog').getByRole('button', { name: wallet.name }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
