//! `swap` of a collateral against quote with the house.

use plimsoll_interface::{
    Address,
    accounts::MarginAccount,
    effect::swap::{self, Parties},
    instruction::SwapArgs,
};

use super::{Effect, Result, Traded, balance::require_settled};
use crate::Snapshot;

/// `swap`, signed by the owner.
pub(crate) fn swap(
    scene: &mut Snapshot,
    account: &mut MarginAccount,
    address: &Address,
    args: &SwapArgs,
) -> Result<Effect> {
    let (now, quote_address) = (scene.timestamp(), scene.exchange.data.quote_bank);
    let (mut bank, mut quote_bank) = (scene.bank_copy(address)?, scene.bank_copy(&quote_address)?);
    let observation = scene.declared_price(&bank.market)?;
    let (mut market, mut house) = (scene.market_copy(&bank.market)?, scene.house_copy()?);
    let exchange = &scene.exchange.data;
    let mut parties = Parties {
        exchange,
        account,
        house: &mut house,
        quote_bank: &mut quote_bank,
        bank_address: address,
        bank: &mut bank,
        market: &mut market,
    };
    let applied = swap::apply(&mut parties, &exchange.risk(now), args, &observation, now)?;
    scene.markets.insert(bank.market, market);
    scene.banks.insert(*address, bank);
    scene.banks.insert(quote_address, quote_bank);
    scene.house = Some(house);
    let margin = match applied.deferred {
        true => Ok(()),
        false => swap::require_margin(
            |account| scene.margin_or_refusal(account),
            |account, _| require_settled(scene, account),
            account,
            &applied,
        ),
    };
    account.release_balance(applied.places.bank)?;
    account.release_balance(applied.places.quote)?;
    let (mid_price, base) = (observation.spot.raw(), applied.terms.base);
    Ok(Effect::checked(Some(Traded { observation, mid_price, base, quote: applied.terms.quote }), margin))
}
