/**
 * Every event and every error of the program, decoded and in words.
 */
import { readFile } from 'node:fs/promises';
import { getBase64Decoder } from '@solana/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodePlimsollEvent, PLIMSOLL_EVENT_NAMES } from '../src/generated/events.js';
import { PLIMSOLL_PROGRAM_ADDRESS } from '../src/generated/index.js';
import { errorWords, eventsFromLogs, eventWords, explain } from '../src/index.js';
import golden from './golden/events.json';
import { loadBuiltEngine } from './localChain.js';

type Idl = { errors: { code: number; name: string; msg: string }[] };

beforeAll(loadBuiltEngine);

/** A value as Rust's `Debug` shows it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return String(value);
}

/** An event as Rust's `Debug` shows it. */
function shownEvent({ data, name }: { data: object; name: string }): string {
  const field = ([key, value]: [string, unknown]) => {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return `${snake === 'padding' ? '_padding' : snake}: ${shown(value)}`;
  };
  return `${name} { ${Object.entries(data).map(field).join(', ')} }`;
}

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** A program's log of one event. */
const log = (program: string, hex: string) => [
  `Program ${program} invoke [1]`,
  `Program data: ${getBase64Decoder().decode(bytes(hex))}`,
  `Program ${program} success`,
];

describe('events', () => {
  test('of every kind are there', () => {
    expect(golden.map(({ name }) => name).sort()).toEqual([...PLIMSOLL_EVENT_NAMES].sort());
  });

  test.each(golden)('$name is decoded as Rust decodes it, and has its sentence', (event) => {
    const entry = bytes(event.entry);
    const decoded = decodePlimsollEvent(entry);
    expect(decoded && shownEvent(decoded)).toBe(event.shown);
    expect(eventWords([{ entry }])).toEqual([event.words]);
  });

  test('count where the program itself logged them, and nowhere else', () => {
    const [first] = golden;
    const entry = first?.entry ?? '';
    expect(eventsFromLogs(log(PLIMSOLL_PROGRAM_ADDRESS, entry))).toHaveLength(1);
    expect(eventsFromLogs(log('Another11111111111111111111111111111111111', entry))).toEqual([]);
    expect(eventsFromLogs(log(PLIMSOLL_PROGRAM_ADDRESS, entry.slice(0, 40)))).toEqual([]);
    expect(eventsFromLogs([`Program ${PLIMSOLL_PROGRAM_ADDRESS} invoke [1]`, 'Program data: %%%'])).toEqual([]);
  });
});

describe('errors', () => {
  test('of every code have name and message of the IDL', async () => {
    const file = new URL('../../../idl/plimsoll.json', import.meta.url);
    const idl = JSON.parse(await readFile(file, 'utf8')) as Idl;
    expect(idl.errors.length).toBeGreaterThan(200);
    for (const { code, msg, name } of idl.errors) expect(errorWords(code)).toEqual({ code, name, message: msg });
  });

  test('that nobody foresaw are told as they are', () => {
    expect(explain(new Error('out of cheese'))).toMatchObject({ kind: 'unknown', message: 'out of cheese' });
    expect(explain(new TypeError('fetch failed'))).toMatchObject({ kind: 'network' });
    expect(explain(Object.assign(new Error('User rejected the request'), { code: 4001 }))).toMatchObject({
      kind: 'declined',
    });
    expect(explain('nothing at all')).toMatchObject({ kind: 'unknown', message: 'nothing at all' });
  });
});
