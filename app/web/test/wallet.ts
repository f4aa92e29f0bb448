/** A wallet for tests, over the Wallet Standard: it lives in the page, and its key in this process. */
import {
  createSignerFromKeyPair,
  generateKeyPair,
  getTransactionDecoder,
  getTransactionEncoder,
  type KeyPairSigner,
  partiallySignTransaction,
} from '@solana/kit';
import type { Page } from 'playwright-core';

/** What its owner does when asked for a signature. */
export type Mood = 'sign' | 'decline' | 'break';

/** A test wallet. */
export type TestWallet = {
  signer: KeyPairSigner;
  address: string;
  name: string;
  /** Changed by tests between steps. */
  mood: Mood;
  /** Transactions that it was asked to sign. */
  asked: number;
};

/** A new wallet with a key of its own. */
export async function newWallet(name = 'Test Wallet'): Promise<TestWallet> {
  const signer = await createSignerFromKeyPair(await generateKeyPair());
  return { signer, address: signer.address, name, mood: 'sign', asked: 0 };
}

/** Puts the wallet into every document that the page opens from now on. */
export async function install(page: Page, wallet: TestWallet, chains: readonly string[] = ['solana:localnet']) {
  await page.exposeFunction('signWithTestWallet', (bytes: number[]) => sign(wallet, Uint8Array.from(bytes)));
  const publicKey = Array.from(new Uint8Array(await crypto.subtle.exportKey('raw', wallet.signer.keyPair.publicKey)));
  await page.addInitScript(inject, { name: wallet.name, address: wallet.address, publicKey, chains: [...chains] });
}

/** Answers with the signed transaction, or with why not: an exposed function cannot throw with a code. */
async function sign(
  wallet: TestWallet,
  bytes: Uint8Array,
): Promise<{ signed: number[] } | { code: number; message: string }> {
  wallet.asked += 1;
  if (wallet.mood === 'decline') return { code: 4001, message: 'User rejected the request.' };
  if (wallet.mood === 'break') return { code: -32603, message: 'Internal error of the wallet' };
  const transaction = getTransactionDecoder().decode(bytes);
  const signed = await partiallySignTransaction([wallet.signer.keyPair], transaction);
  return { signed: Array.from(getTransactionEncoder().encode(signed)) };
}

type Injected = { name: string; address: string; publicKey: number[]; chains: string[] };

/** Runs in the page: everything that it uses is inside of it. */
function inject({ name, address, publicKey, chains }: Injected) {
  type Window_ = typeof window & {
    signWithTestWallet: (bytes: number[]) => Promise<{ signed: number[] } | { code: number; message: string }>;
  };
  const features = ['solana:signTransaction'];
  const account = { address, publicKey: Uint8Array.from(publicKey), chains, features };
  const listeners = new Set<(change: object) => void>();
  let accounts: object[] = [];
  const change = (to: object[]) => {
    accounts = to;
    for (const listener of listeners) listener({ accounts });
  };
  const wallet = {
    version: '1.0.0',
    name,
    icon: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=',
    chains,
    get accounts() {
      return accounts;
    },
    features: {
      'standard:connect': {
        version: '1.0.0',
        connect: (options?: { silent?: boolean }) => {
          if (!options?.silent) localStorage.setItem('test-wallet', 'connected');
          if (localStorage.getItem('test-wallet') === 'connected') change([account]);
          return Promise.resolve({ accounts });
        },
      },
      'standard:disconnect': {
        version: '1.0.0',
        disconnect: () => {
          localStorage.removeItem('test-wallet');
          change([]);
          return Promise.resolve();
        },
      },
      'standard:events': {
        version: '1.0.0',
        on: (_event: string, listener: (change: object) => void) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: ['legacy', 0, 1],
        signTransaction: async (...inputs: { transaction: Uint8Array }[]) => {
          const outputs = [];
          for (const input of inputs) {
            const answer = await (window as Window_).signWithTestWallet(Array.from(input.transaction));
            if ('code' in answer) throw Object.assign(new Error(answer.message), { code: answer.code });
            outputs.push({ signedTransaction: Uint8Array.from(answer.signed) });
          }
          return outputs;
        },
      },
    },
  };
  type Api = { register: (wallet: object) => void };
  const register = (api: Api) => {
    api.register(wallet);
  };
  window.addEventListener('wallet-standard:app-ready', (event) => {
    register((event as CustomEvent<Api>).detail);
  });
  window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }));
}
