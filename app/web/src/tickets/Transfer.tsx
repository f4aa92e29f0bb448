import { useMemo, useState } from 'react';

import { AmountField, SelectField, typed } from '../components/Field';
import { Ticket } from '../components/Ticket';
import { amountText, plainDecimal } from '../lib/decimal';
import { useAccount } from '../session/account';
import { useLive } from '../session/live';
import { fill, useMaxWithdrawal } from '../session/preview';
import { useTokenBalance } from '../session/tokens';
import type { Request } from '../session/actions';

function useBank(wanted: string | undefined) {
  const banks = useLive((engine) => engine.banks(), []) ?? [];
  const [mint, setMint] = useState(wanted);
  const bank = banks.find((one) => one.mint === mint) ?? banks.find((one) => one.isQuote) ?? banks[0];
  const options = banks.map((one) => ({ value: one.mint, label: one.symbol }));
  return { bank, options, setMint };
}

/** Puts tokens of the wallet into the account; the first time it opens the account in the same transaction. */
export function Deposit({ mint: wanted }: { mint?: string | undefined }) {
  const { bank, options, setMint } = useBank(wanted);
  const { address, fresh } = useAccount();
  const [text, setText] = useState('');
  const balance = useTokenBalance(bank?.mint ?? null);
  const amount = typed(text, bank?.decimals ?? 6);
  const exceeds = amount.value !== null && balance !== null && amount.value > balance;
  const error = exceeds ? `The wallet has only ${amountText(balance, bank?.decimals ?? 6)}` : amount.error;
  const value = error === null && amount.value !== null && amount.value > 0n ? amount.value : null;
  const request = useMemo((): Request | null => {
    if (!bank || value === null) return null;
    if (address) {
      return { account: address, actions: [{ kind: 'deposit', account: address, mint: bank.mint, amount: value }] };
    }
    if (!fresh) return null;
    const create = { kind: 'createAccount', index: fresh.index } as const;
    return {
      account: fresh.address,
      actions: [create, { kind: 'deposit', account: fresh.address, mint: bank.mint, amount: value }],
    };
  }, [bank?.mint, value, address, fresh?.address]);
  if (!bank) return <p role="status">Reading the banks…</p>;
  return (
    <Ticket
      request={request}
      incomplete="Enter an amount above zero that the wallet has."
      submit={address ? `Deposit ${bank.symbol}` : `Open an account with ${bank.symbol}`}
      onDone={() => {
        setText('');
      }}
    >
      <SelectField label="Token" value={bank.mint} onValue={setMint} options={options} />
      <AmountField
        label="Amount"
        unit={bank.symbol}
        text={text}
        onText={setText}
        error={error}
        aside={balance === null ? null : `in the wallet: ${amountText(balance, bank.decimals)}`}
        onMax={
          balance
            ? () => {
                setText(plainDecimal(balance, bank.decimals));
              }
            : undefined
        }
      />
    </Ticket>
  );
}

/** Takes tokens out of the account; beyond the deposit it borrows. */
export function Withdraw({ mint: wanted }: { mint?: string | undefined }) {
  const { bank, options, setMint } = useBank(wanted);
  const { address } = useAccount();
  const account = useLive((engine) => (address ? engine.account(address) : null), [address]);
  const [text, setText] = useState('');
  const amount = typed(text, bank?.decimals ?? 6);
  const held = account?.balances.find((line) => line.bank === bank?.address)?.amount ?? 0n;
  const value = amount.value !== null && amount.value > 0n ? amount.value : null;
  const borrows = value !== null && value > (held > 0n ? held : 0n);
  const request = useMemo((): Request | null => {
    if (!bank || !address || value === null) return null;
    return { account: address, actions: [{ kind: 'withdraw', account: address, mint: bank.mint, amount: value }] };
  }, [bank?.mint, value, address]);
  const max = useMaxWithdrawal(address, bank?.mint ?? null);
  if (!bank) return <p role="status">Reading the banks…</p>;
  return (
    <Ticket
      request={request}
      incomplete="Enter an amount above zero."
      submit={borrows ? `Withdraw and borrow ${bank.symbol}` : `Withdraw ${bank.symbol}`}
      onDone={() => {
        setText('');
      }}
    >
      <SelectField label="Token" value={bank.mint} onValue={setMint} options={options} />
      <AmountField
        label="Amount"
        unit={bank.symbol}
        text={text}
        onText={setText}
        error={amount.error}
        aside={`in the account: ${amountText(held, bank.decimals)}`}
        onMax={fill(max, (most) => {
          setText(plainDecimal(most, bank.decimals));
        })}
        maxLabel="whole deposit"
      />
      {borrows ? (
        <p className="notice warn small" role="status">
          This is more than the deposit: {amountText(value - (held > 0n ? held : 0n), bank.decimals)} {bank.symbol}{' '}
          would be borrowed at {bank.borrowRatePercent.toFixed(2)} % a year.
        </p>
      ) : null}
    </Ticket>
  );
}
