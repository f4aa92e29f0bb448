import { useId } from 'react';

import { useAccount } from './account';
import { useLive } from './live';

/** Which of a wallet's margin accounts is shown: only where there are several. */
export function AccountPicker() {
  const id = useId();
  const { all, address, choose } = useAccount();
  const names = useLive((engine) => all.map((one) => engine.account(one).index), [all]) ?? [];
  if (all.length < 2) return null;
  return (
    <div className="input-row">
      <label className="visually-hidden" htmlFor={id}>
        Margin account
      </label>
      <select
        id={id}
        value={address ?? ''}
        onChange={(event) => {
          choose(event.target.value);
        }}
      >
        {all.map((one, place) => (
          <option key={one} value={one}>
            Account {names[place] ?? place}
          </option>
        ))}
      </select>
    </div>
  );
}
