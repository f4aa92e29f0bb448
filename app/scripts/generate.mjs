// Writes the generated client, client/src/generated, from idl/plimsoll.json.
//
// usage: node scripts/generate.mjs [--check]
//
// With --check nothing is written: the client is generated beside, and the first file that differs is an error.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { createFromRoot } from 'codama';

const idl = fileURLToPath(new URL('../../idl/plimsoll.json', import.meta.url));
const generated = fileURLToPath(new URL('../client/src/generated', import.meta.url));

/** @param {string} folder where the client goes; what is in it is removed */
async function generate(folder) {
  const codama = createFromRoot(rootNodeFromAnchor(JSON.parse(await readFile(idl, 'utf8'))));
  const prettierOptions = JSON.parse(await readFile(new URL('../.prettierrc.json', import.meta.url), 'utf8'));
  // Arguments of instructions are called …Args already.
  const nameTransformers = { dataArgsType: (name, { pascalCase }) => `${pascalCase(name)}Input` };
  await codama.accept(renderVisitor(folder, { nameTransformers, prettierOptions, syncPackageJson: false }));
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
