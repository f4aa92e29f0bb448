// Writes the generated client, client/src/generated, from idl/plimsoll.json.
//
// usage: node scripts/generate.mjs [--check]
//
// With --check nothing is written: the client is generated beside, and the first file that differs is an error.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { createFromRoot } from 'codama';
import { format } from 'prettier';

const idl = fileURLToPath(new URL('../../idl/plimsoll.json', import.meta.url));
const generated = fileURLToPath(new URL('../client/src/generated', import.meta.url));

/** @param {string} folder where the client goes; what is in it is removed */
async function generate(folder) {
  const source = JSON.parse(await readFile(idl, 'utf8'));
  // Codama has no node for events: their structs become types like any other, and events.ts says which they are.
  const codama = createFromRoot(rootNodeFromAnchor({ ...source, events: [] }));
  const prettierOptions = JSON.parse(await readFile(new URL('../.prettierrc.json', import.meta.url), 'utf8'));
  // Arguments of instructions are called …Args already.
  const nameTransformers = { dataArgsType: (name, { pascalCase }) => `${pascalCase(name)}Input` };
  await codama.accept(renderVisitor(folder, { nameTransformers, prettierOptions, syncPackageJson: false }));
  const text = await format(events(source), { ...prettierOptions, parser: 'typescript' });
  await writeFile(join(folder, 'events.ts'), text);
}

/** @returns {string} the module that tells events by their first eight bytes */
function events(source) {
  const names = source.events.map((event) => event.name);
  const rows = source.events.map(({ name, discriminator }) => {
    const hex = Buffer.from(discriminator).toString('hex');
    return `'${hex}': (bytes) => ({ name: '${name}', data: get${name}Decoder().decode(bytes) }),`;
  });
  return `/**
 * Written by scripts/generate.mjs from the IDL: do not edit.
 */
import type { ReadonlyUint8Array } from '@solana/kit';
import { ${names.map((name) => `get${name}Decoder, type ${name}`).join(', ')} } from './types';

/** An event of the program, by name. */
export type PlimsollEvent = ${names.map((name) => `{ name: '${name}'; data: ${name} }`).join(' | ')};

const DECODERS: Record<string, (bytes: ReadonlyUint8Array) => PlimsollEvent> = { ${rows.join('\n')} };

/** Names of all events. */
export const PLIMSOLL_EVENT_NAMES = [${names.map((name) => `'${name}'`).join(', ')}] as const;

/** The event in one decoded \`Program data:\` entry, or \`undefined\` where it is none of the program's. */
export function decodePlimsollEvent(entry: ReadonlyUint8Array): PlimsollEvent | undefined {
  const key = Array.from(entry.slice(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return Object.hasOwn(DECODERS, key) ? DECODERS[key]?.(entry.slice(8)) : undefined;
}
`;
}

/** @param {string} folder @returns {Promise<Map<string, string>>} its files by relative path */
async function read(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async (file) => [relative(folder, file), await readFile(file, 'utf8')])),
  );
}

async function check() {
  const folder = await mkdtemp(join(tmpdir(), 'plimsoll-generated-'));
  try {
    await generate(folder);
    const [wanted, written] = [await read(folder), await read(generated)];
    const names = [...new Set([...wanted.keys(), ...written.keys()])].sort();
    const stale = names.filter((name) => wanted.get(name) !== written.get(name));
    if (stale.length > 0) {
      throw new Error(
        `client/src/generated is not what the IDL gives (${stale.length} files, the first ${stale[0]}): run npm run generate`,
      );
    }
  } finally {
    await rm(folder, { force: true, recursive: true });
  }
}

try {
  await (process.argv.includes('--check') ? check() : generate(generated));
} catch (error) {
  console.error(`generate: failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
