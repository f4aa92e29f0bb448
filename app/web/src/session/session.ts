import { Engine, loadEngine, programAddress } from "@plimsoll/client";
import wasm from "@plimsoll/client/engine.wasm?url";
import { address, createSolanaRpc } from "@solana/kit";

import type { Problem } from "../components/Progress";
import type { Settings } from "./settings";

export interface SessionState {
  revision: number;
  network: "opening" | "live" | "polling" | "down";
}

export interface Session {
  rpc: ReturnType<typeof createSolanaRpc>;
  chain: `solana:${string}`;
  engine: Engine;
  subscribe: (listener: () => void) => () => void;
  state: () => SessionState;
  refresh: () => void;
  close: () => void;
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

export async function openSession(settings: Settings): Promise<{ session: Session | null; problem: Problem | null }> {
  await loadEngine(wasm);
  const rpc = createSolanaRpc(settings.rpc);
  const program = address(programAddress());
  const read = async () => await rpc.getProgramAccounts(program, { encoding: "base64" }).send();
  const all = await read();
  const root = all.find((one) => one.pubkey === settings.exchange) ?? all.find((one) => bytes(one.account.data[0]).length === 1000);
  if (!root) return { session: null, problem: { title: "none", detail: "", advice: "" } };
  const engine = new Engine(root.pubkey, program, bytes(root.account.data[0]));
  engine.nameMint(engine.exchange().quoteMint, 'USDC');
  const listeners = new Set<() => void>();
  let state: SessionState = { revision: 0, network: "opening" };
  const feed = async (accounts: typeof all) => {
    for (const one of accounts) engine.put(one.pubkey, one.account.owner, bytes(one.account.data[0]));
    const wanted = engine.wanted();
    const found = await rpc.getMultipleAccounts(wanted.map((one) => address(one)), { encoding: "base64" }).send();
    found.value.forEach((one, index) => one && engine.put(wanted[index]!, one.owner, bytes(one.data[0])));
    state = { revision: state.revision + 1, network: "live" };
    for (const listener of listeners) listener();
  };
  await feed(all);
  const timer = setInterval(() => void read().then(feed), 1500);
  return {
    problem: null,
    session: {
      engine,
      rpc,
      chain: 'solana:localnet',
      subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
      state: () => state,
      refresh: () => void read().then(feed),
      close: () => clearInterval(timer),
    },
  };
}
