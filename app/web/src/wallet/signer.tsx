import { useSelectedWalletAccount, useWalletAccountTransactionSigner } from '@solana/react';
import type { UiWalletAccount } from '@wallet-standard/react';
import type { TransactionModifyingSigner } from '@solana/kit';
import { createContext, useContext, type ReactNode } from 'react';

import type { Problem } from '../components/Progress';
import { useConnection } from '../session/live';

/** What signs for the reader: a wallet's account, or why none can. */
export type WalletSigner = { signer: TransactionModifyingSigner | null; problem: Problem | null };

const Context = createContext<WalletSigner>({ signer: null, problem: null });

/** Gives the page {@link useSigner}. */
export function SignerProvider({ children }: { children: ReactNode }) {
  const [account] = useSelectedWalletAccount();
  const { session } = useConnection();
  const chain = session?.chain;
  if (!account || !chain)
    return <Context.Provider value={{ signer: null, problem: null }}>{children}</Context.Provider>;
  if (!account.chains.includes(chain)) {
    return (
      <Context.Provider value={{ signer: null, problem: otherNetwork(account, chain) }}>{children}</Context.Provider>
    );
  }
  if (!account.features.includes('solana:signTransaction')) {
    return <Context.Provider value={{ signer: null, problem: cannotSign }}>{children}</Context.Provider>;
  }
  return (
    <Signing account={account} chain={chain}>
      {children}
    </Signing>
  );
}

function Signing(props: { account: UiWalletAccount; chain: `solana:${string}`; children: ReactNode }) {
  const signer = useWalletAccountTransactionSigner(props.account, props.chain);
  return <Context.Provider value={{ signer, problem: null }}>{props.children}</Context.Provider>;
}

const cannotSign: Problem = {
  title: 'The wallet cannot sign for this page',
  detail: 'It offers to sign and send by itself only, over a server of its own.',
  advice: 'Connect a wallet that signs transactions.',
  code: 'cannot-sign',
};

function name(chain: string): string {
  const [, network = chain] = chain.split(':');
  return network === 'localnet' ? 'a local chain' : network;
}

function otherNetwork(account: UiWalletAccount, chain: string): Problem {
  return {
    title: 'The wallet is on another network',
    detail: `This page is connected to ${name(chain)}; the wallet's account is for ${account.chains.map(name).join(', ')}.`,
    advice: 'Switch the network in the wallet and connect again, or choose another server in the settings.',
    code: 'wrong-network',
  };
}

/** See {@link WalletSigner}. */
export function useSigner(): WalletSigner {
  return useContext(Context);
}
