/* global performance */
/**
 * What the built page weighs, a line for each file, gzipped; and how long it takes until it shows an exchange.
 *
 * usage: npm run weigh [-- URL]   URL of a page that is served with a chain behind it: its load time is measured too
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = resolve(import.meta.dirname, '../dist');
const RUNS = 5;

/** Files of a folder and those below it. */
function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** When a file is loaded: what index.html names comes first, the engine and the charts when they are wanted. */
function when(name, index) {
  if (name === 'index.html' || index.includes(name)) return 'first';
  if (name.endsWith('.wasm')) return 'engine';
  return 'later';
}

function kilobytes(bytes) {
  return (bytes / 1024).toFixed(1).padStart(9);
}

function table() {
  const index = readFileSync(join(DIST, 'index.html'), 'utf8');
  const sums = new Map();
  console.log(`${'file'.padEnd(44)} ${'loaded'.padEnd(7)} ${'KiB'.padStart(9)} ${'KiB gz'.padStart(9)}`);
  for (const file of files(DIST)) {
    const name = file.slice(DIST.length + 1);
    const bytes = readFileSync(file);
    const part = when(name, index);
    const zipped = gzipSync(bytes, { level: 9 }).length;
    sums.set(part, (sums.get(part) ?? 0) + zipped);
    console.log(`${name.padEnd(44)} ${part.padEnd(7)} ${kilobytes(bytes.length)} ${kilobytes(zipped)}`);
  }
  for (const [part, sum] of sums)
    console.log(`${'all'.padEnd(44)} ${part.padEnd(7)} ${''.padStart(9)} ${kilobytes(sum)}`);
}

/** Milliseconds from the request to the first picture, and to the exchange being shown: the middle of several cold loads. */
async function loadTime(url) {
  const { chromium } = await import('playwright-core');
  const executablePath = execFileSync(resolve(import.meta.dirname, '../../../tools/chromium'), {
    encoding: 'utf8',
  }).trim();
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  const paints = [];
  const shown = [];
  for (let run = 0; run < RUNS; run += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(`${url}#/trade`);
    await page.getByRole('navigation', { name: 'Markets' }).waitFor();
    shown.push(performance.now() - began);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN));
    await context.close();
  }
  await browser.close();
  const middle = (values) => Math.round(values.sort((a, b) => a - b)[Math.floor(RUNS / 2)]);
  console.log(
    `\nfirst picture ${middle(paints)} ms, markets shown ${middle(shown)} ms (middle of ${RUNS} cold loads of ${url})`,
  );
}

table();
const [url] = process.argv.slice(2);
if (url) await loadTime(url);
