/**
 * Events: from a transaction's log, and in words.
 */
import { getBase64Encoder, type ReadonlyUint8Array } from '@solana/kit';
import { type Engine, plainEventWords } from './engine.js';
import { decodePlimsollEvent, type PlimsollEvent } from './generated/events.js';
import { PLIMSOLL_PROGRAM_ADDRESS } from './generated/programs/index.js';

const DATA = 'Program data: ';

/** An event, and the bytes that it was logged as. */
export type LoggedEvent = PlimsollEvent & {
  /** Its decoded `Program data:` entry. */
  entry: ReadonlyUint8Array;
};

/**
 * The program's events in a transaction's log, in order.
 *
 * Only what the program itself logged counts: another program in the same transaction can write the same bytes.
 */
export function eventsFromLogs(logs: readonly string[]): LoggedEvent[] {
  const running: string[] = [];
  const events: LoggedEvent[] = [];
  for (const line of logs) {
    if (line.startsWith(DATA)) {
      const event =
        running.at(-1) === PLIMSOLL_PROGRAM_ADDRESS ? decodeEntry(line.slice(DATA.length).trim()) : undefined;
      if (event !== undefined) events.push(event);
      continue;
    }
    // "Program <id> invoke [<depth>]", "Program <id> success", "Program <id> failed: …"; all else is text.
    const [first, id, what] = line.split(' ');
    if (first !== 'Program' || id === undefined || id === 'log:') continue;
    if (what === 'invoke') running.push(id);
    else if ((what === 'success' || what === 'failed:') && running.at(-1) === id) running.pop();
  }
  return events;
}

function decodeEntry(text: string): LoggedEvent | undefined {
  try {
    const entry = getBase64Encoder().encode(text);
    const event = decodePlimsollEvent(entry);
    return event && { ...event, entry };
  } catch {
    // Not base64, or shorter than the event that it begins as.
    return undefined;
  }
}

/**
 * Events in words, one sentence each.
 *
 * @param engine Names markets and mints and knows their decimals; without it amounts are native units.
 * @param owner A wallet: what it and its margin accounts do is told without saying who.
 */
export function eventWords(events: readonly Pick<LoggedEvent, 'entry'>[], engine?: Engine, owner?: string): string[] {
  const entries = events.map(({ entry }) => Uint8Array.from(entry));
  return engine === undefined ? plainEventWords(entries) : engine.eventWords(entries, owner);
}
