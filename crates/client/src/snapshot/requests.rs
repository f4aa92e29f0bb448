//! Which trade an instruction asks for: what a wallet shows before it signs.

use borsh::BorshDeserialize;
use plimsoll_interface::{
    Address, ID,
    instruction::{AmountArgs, WithdrawArgs, tag},
};
use solana_instruction::Instruction;

use super::{Snapshot, Trade};

/// A trade that an instruction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The margin account.
    pub account: Address,
    /// Who signs for it; `None` where nobody must.
    pub authority: Option<Address>,
    /// The trade. A deposit's amount is what is sent.
    pub trade: Trade,
}

impl Snapshot {
    /// The trade that an instruction asks for; `None` for one that asks for something else, is malformed, or names a bank that is
    /// not in the snapshot.
    pub fn request(&self, instruction: &Instruction) -> Option<Request> {
        let (tag, data) = instruction.data.split_first().filter(|_| instruction.program_id == ID)?;
        let at = |index: usize| instruction.accounts.get(index).map(|meta| meta.pubkey);
        let mint = |index: usize| Some(self.banks.get(&at(index)?)?.mint);
        let trade = match *tag {
            tag::DEPOSIT => Trade::Deposit { mint: mint(3)?, amount: args::<AmountArgs>(data)?.amount },
            tag::WITHDRAW => Trade::Withdraw { mint: mint(3)?, amount: args::<WithdrawArgs>(data)?.amount },
            tag::OPEN_POSITION => Trade::OpenPosition { market: at(3)?, args: args(data)? },
            tag::CLOSE_POSITION => Trade::ClosePosition { market: at(3)?, args: args(data)? },
            tag::OPEN_OPTION => Trade::OpenOption { board: at(4)?, args: args(data)? },
            tag::CLOSE_OPTION => Trade::CloseOption { board: at(4)?, args: args(data)? },
            tag::SWAP => Trade::Swap { mint: mint(5)?, args: args(data)? },
            tag::SETTLE => Trade::Settle { market: at(2)? },
            tag::SETTLE_OPTION => Trade::SettleOption { board: at(3)? },
            _ => return None,
        };
        let is_crank = matches!(trade, Trade::Settle { .. } | Trade::SettleOption { .. });
        let (account, authority) = if is_crank { (at(1)?, None) } else { (at(2)?, Some(at(0)?)) };
        Some(Request { account, authority, trade })
    }
}

fn args<T: BorshDeserialize>(data: &[u8]) -> Option<T> {
    borsh::from_slice(data).ok()
}
