//! `settle` and `settle_option`.

use plimsoll_interface::{
    Address,
    accounts::MarginAccount,
    effect::settlement::{self, Parties},
};

use super::{Effect, Result};
use crate::Snapshot;

/// `settle` of the account's cash in a market.
pub(crate) fn settle(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address) -> Result<Effect> {
    let quote_address = scene.exchange.data.quote_bank;
    let mut market = scene.market_copy(address)?;
    let (mut quote_bank, mut house) = (scene.bank_copy(&quote_address)?, scene.house_copy()?);
    let parties = Parties {
        exchange: &scene.exchange.data,
        account,
        market_address: address,
        market: &mut market,
        quote_bank: &mut quote_bank,
        house: &mut house,
    };
    settlement::settle(parties, |_| scene.seen_price(address), scene.timestamp())?;
    scene.banks.insert(quote_address, quote_bank);
    scene.markets.insert(*address, market);
    scene.house = Some(house);
    Ok(Effect::default())
}

/// `settle_option` of the account's options of a settled board.
pub(crate) fn settle_option(scene: &mut Snapshot, account: &mut MarginAccount, address: &Address) -> Result<Effect> {
    let mut board = scene.board_copy(address)?;
    let mut market = scene.market_copy(&board.market)?;
    let exchange = &scene.exchange.data;
    settlement::settle_option(exchange, account, &mut market, (address, &mut board), scene.timestamp())?;
    scene.markets.insert(board.market, market);
    scene.boards.insert(*address, board);
    Ok(Effect::default())
}
