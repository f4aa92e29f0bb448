/** Where the page finds its chain and exchange: what it was served with, unless the reader chose otherwise. */
export type Settings = {
  /** JSON-RPC server. */
  rpc: string;
  /** WebSocket of the same chain. */
  ws: string;
  /** The exchange; `null` to look for the only one that there is. */
  exchange: string | null;
  /** Name of the exchange's dollar. */
  quote: string;
};

const KEY = 'plimsoll.settings';

function read(value: unknown): Partial<Settings> {
  if (typeof value !== 'object' || value === null) return {};
  const found: Partial<Settings> = {};
  const fields = value as Record<string, unknown>;
  if (typeof fields.rpc === 'string') found.rpc = fields.rpc;
  if (typeof fields.ws === 'string') found.ws = fields.ws;
  if (typeof fields.exchange === 'string' || fields.exchange === null) found.exchange = fields.exchange;
  if (typeof fields.quote === 'string') found.quote = fields.quote;
  return found;
}

/** What the reader chose, if anything. */
export function chosenSettings(): Partial<Settings> {
  try {
    return read(JSON.parse(localStorage.getItem(KEY) ?? 'null'));
  } catch {
    return {};
  }
}

/** Remembers a choice; `null` forgets it. */
export function chooseSettings(settings: Settings | null) {
  if (settings === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(settings));
}

/** The settings in force. */
export async function loadSettings(): Promise<Settings> {
  const fallback: Settings = { rpc: 'http://127.0.0.1:8899', ws: 'ws://127.0.0.1:8900', exchange: null, quote: 'USDC' };
  const served = await fetch('./config.json', { cache: 'no-store' })
    .then((answer): Promise<unknown> | null => (answer.ok ? answer.json() : null))
    .catch(() => null);
  return { ...fallback, ...read(served), ...chosenSettings() };
}

/** What is wrong with an address of a server, in words; `null` where nothing is. */
export function serverProblem(text: string, schemes: readonly string[]): string | null {
  try {
    const { protocol } = new URL(text);
    return schemes.includes(protocol) ? null : `Begin with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
  } catch {
    return 'Enter a whole address, with its scheme';
  }
}
