import { Dialog } from '../components/Dialog';
import { CancelTrigger, CloseOption, ClosePosition, Settle, SettleOption, StopLoss } from './AccountTickets';
import { Deposit, Withdraw } from './Transfer';

/** Which ticket is asked for. */
export type Asked =
  | { kind: 'deposit'; mint?: string }
  | { kind: 'withdraw'; mint?: string }
  | { kind: 'close'; market: string }
  | { kind: 'stop'; market: string }
  | { kind: 'settle'; market: string }
  | { kind: 'cancel-trigger'; market: string; index: number }
  | { kind: 'close-option'; board: string; series: number }
  | { kind: 'settle-option'; board: string };

const TITLES: Record<Asked['kind'], string> = {
  deposit: 'Deposit',
  withdraw: 'Withdraw',
  close: 'Close a position',
  stop: 'Stop loss',
  settle: 'Settle',
  'cancel-trigger': 'Cancel a stored order',
  'close-option': 'Close an option',
  'settle-option': 'Settle options',
};

/** A ticket in a dialog. */
export function ActionDialog({ asked, onClose }: { asked: Asked; onClose: () => void }) {
  return (
    <Dialog title={TITLES[asked.kind]} onClose={onClose}>
      <Body asked={asked} />
    </Dialog>
  );
}

function Body({ asked }: { asked: Asked }) {
  switch (asked.kind) {
    case 'deposit':
      return <Deposit mint={asked.mint} />;
    case 'withdraw':
      return <Withdraw mint={asked.mint} />;
    case 'close':
      return <ClosePosition market={asked.market} />;
    case 'stop':
      return <StopLoss market={asked.market} />;
    case 'settle':
      return <Settle market={asked.market} />;
    case 'cancel-trigger':
      return <CancelTrigger index={asked.index} />;
    case 'close-option':
      return <CloseOption board={asked.board} series={asked.series} />;
    case 'settle-option':
      return <SettleOption board={asked.board} />;
  }
}
