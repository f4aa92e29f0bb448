import { useSelectedWalletAccount } from '@solana/react';
import { useConnect, useDisconnect, type UiWallet } from '@wallet-standard/react';
import { useId, useRef, useState } from 'react';

import { Dialog } from '../components/Dialog';
import { ProblemNotice, type Problem } from '../components/Progress';
import { shortAddress } from '../lib/text';
import { rejectionOf } from '../session/problem';

/** Connects a wallet, or shows which one is. */
export function WalletButton() {
  const [account, , wallets] = useSelectedWalletAccount();
  const [isChoosing, setIsChoosing] = useState(false);
  const wallet = account && wallets.find((one) => one.accounts.some((own) => own.address === account.address));
  return (
    <>
      {account && wallet ? (
        <AccountMenu wallet={wallet} address={account.address} />
      ) : (
        <button
          type="button"
          className="button primary"
          onClick={() => {
            setIsChoosing(true);
          }}
        >
          Connect wallet
        </button>
      )}
      {isChoosing && !account ? (
        <WalletDialog
          onClose={() => {
            setIsChoosing(false);
          }}
        />
      ) : null}
    </>
  );
}

/** A list of the wallets that this browser has. */
export function WalletDialog({ onClose }: { onClose: () => void }) {
  const [, , wallets] = useSelectedWalletAccount();
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <Dialog title="Connect a wallet" onClose={onClose}>
      {problem ? <ProblemNotice key={problem.title} problem={problem} /> : null}
      {wallets.length === 0 ? (
        <div className="notice warn" role="status" data-problem="no-wallet">
          <h3>No wallet found in this browser</h3>
          <p>
            Plimsoll works with every Solana wallet that speaks the Wallet Standard. Install one, or unlock the one you
            have; it appears here by itself. Markets, the pool and accounts near liquidation can be read without a
            wallet.
          </p>
        </div>
      ) : (
        <ul className="wallet-list">
          {wallets.map((wallet) => (
            <li key={wallet.name}>
              <WalletChoice wallet={wallet} onClose={onClose} onProblem={setProblem} />
            </li>
          ))}
        </ul>
      )}
      <p className="small quiet">
        Connecting shows this page your address. Nothing is signed, and nothing can be moved.
      </p>
    </Dialog>
  );
}

type ChoiceProps = {
  wallet: UiWallet;
  onClose: () => void;
  onProblem: (problem: Problem | null) => void;
};

function WalletChoice({ wallet, onClose, onProblem }: ChoiceProps) {
  const [, select] = useSelectedWalletAccount();
  const [isConnecting, connect] = useConnect(wallet);
  const choose = async () => {
    onProblem(null);
    try {
      const accounts = await connect();
      const account = accounts.find((one) => one.chains.some((chain) => chain.startsWith('solana:')));
      if (account) {
        select(account);
        onClose();
      } else {
        onProblem({
          title: `${wallet.name} shared no Solana account`,
          detail: 'The wallet connected, but without an account for Solana.',
          advice: 'Choose a Solana account in the wallet and connect again.',
        });
      }
    } catch (error) {
      onProblem(rejectionOf(error, wallet.name));
    }
  };
  return (
    <button type="button" className="button" onClick={() => void choose()} aria-disabled={isConnecting}>
      <img src={wallet.icon} alt="" />
      {wallet.name}
      {isConnecting ? <span className="quiet small">waiting for the wallet…</span> : null}
    </button>
  );
}

function AccountMenu({ wallet, address }: { wallet: UiWallet; address: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  return (
    <div
      className="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        setIsOpen(false);
        button.current?.focus();
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setIsOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          setIsOpen(!isOpen);
        }}
      >
        <span className="visually-hidden">Wallet </span>
        <span className="number">{shortAddress(address)}</span>
      </button>
      <div className="menu-panel" id={id} hidden={!isOpen}>
        <p className="small">
          {wallet.name}
          <br />
          <span className="address">{address}</span>
        </p>
        <button type="button" className="button" onClick={() => void navigator.clipboard.writeText(address)}>
          Copy address
        </button>
        {wallet.features.includes('standard:disconnect') ? <Disconnect wallet={wallet} /> : <Forget />}
      </div>
    </div>
  );
}

function Disconnect({ wallet }: { wallet: UiWallet }) {
  const [, select] = useSelectedWalletAccount();
  const [, disconnect] = useDisconnect(wallet);
  const leave = () => {
    select(undefined);
    void disconnect().catch(() => undefined);
  };
  return (
    <button type="button" className="button" onClick={leave}>
      Disconnect
    </button>
  );
}

function Forget() {
  const [, select] = useSelectedWalletAccount();
  return (
    <button
      type="button"
      className="button"
      onClick={() => {
        select(undefined);
      }}
    >
      Disconnect
    </button>
  );
}
