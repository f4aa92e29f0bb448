//! The engine: fed with accounts, answers everything else.

use plimsoll_client::{
    Address, Error, ID, Keyed,
    accounts::{AccountType, Bank, Board, DISCRIMINATOR_LEN, Exchange, House, MarginAccount, Market, Ticket},
    address, budget,
    decode::{self, AnyAccount},
    interface::{bridge::Inputs, upgrade::STEPS},
    risk::units::{Ppm, Price},
    snapshot::StressAxes,
    words::Names,
};
use serde::{Serialize, de::DeserializeOwned};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::{
    action::{self, Action},
    matching::Order,
    pack::PackedInstruction,
    state::State,
    view::{
        self,
        account::{AccountView, TicketView},
        exchange::{BankView, BoardView, BudgetUseView, ExchangeView, MarketView},
        risk::{AccountGreeks, MarginView, ReportView, StandaloneView},
        what_if::{
            LiquidationMoveView, LiquidationView, MaxSizeView, OptionQuoteView, PayoffView, StressView, WhatIfView,
        },
    },
    words::{self, ErrorWords},
};

/// Room that a limit leaves for what happens until an order is executed, millionths of the price: half a percent.
const SLIPPAGE_PPM: u32 = 5_000;

/// An error as JavaScript throws it: an `Error` whose message says what is wrong, with `code` and `name` where it is the
/// program's.
fn thrown(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    if let Some((code, name)) = words::identity(&error) {
        thrown.set_name(name);
        // Setting a field of an object that was just made cannot fail.
        let _ = js_sys::Reflect::set(&thrown, &"code".into(), &code.into());
    }
    thrown.into()
}

/// An object as JavaScript gets it.
fn given<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, JsValue> {
    value.into_ts().map_err(|error| js_sys::Error::new(&error.to_string()).into())
}

fn all_given<T: Tsify + Serialize>(values: &[T]) -> Result<Vec<Ts<T>>, JsValue> {
    values.iter().map(given).collect()
}

/// What JavaScript gave.
fn taken<T: Tsify<JsType: Clone> + DeserializeOwned>(value: &Ts<T>) -> Result<T, JsValue> {
    value.to_rust().map_err(|error| js_sys::Error::new(&format!("not of the type that is wanted: {error}")).into())
}

/// An address from base58.
///
/// # Errors
/// [`Error::Transaction`] for what is none.
pub fn parse(text: &str) -> Result<Address, Error> {
    text.parse().map_err(|_| Error::Transaction(format!("{text} is no address: base58 of 32 bytes is wanted")))
}

/// One exchange, its margin accounts and prices, as far as it was fed with them.
#[wasm_bindgen]
pub struct Engine(State);

#[wasm_bindgen]
impl Engine {
    /// An engine for the exchange at `address`, from its account. Throws where that is no exchange.
    #[wasm_bindgen(constructor)]
    pub fn new(address: &str, owner: &str, data: &[u8]) -> Result<Engine, JsValue> {
        let state = || State::new(parse(address)?, &parse(owner)?, data);
        state().map(Engine).map_err(thrown)
    }

    /// Takes an account in, whatever it is: one of the program's, the clock, a price account. Accounts of other exchanges
    /// are ignored. Throws for an account of the program whose type or version is unknown.
    pub fn put(&mut self, address: &str, owner: &str, data: Vec<u8>) -> Result<(), JsValue> {
        let mut put = || self.0.put(parse(address)?, parse(owner)?, data.clone());
        put().map_err(thrown)
    }

    /// Forgets an account that was closed.
    pub fn remove(&mut self, address: &str) -> Result<(), JsValue> {
        self.0.remove(&parse(address).map_err(thrown)?);
        Ok(())
    }

    /// Gives a mint a name for people.
    #[wasm_bindgen(js_name = nameMint)]
    pub fn name_mint(&mut self, mint: &str, symbol: String) -> Result<(), JsValue> {
        self.0.symbols.insert(parse(mint).map_err(thrown)?, symbol);
        Ok(())
    }

    /// Reads a market's price from another account than the usual one, which is the sponsored one of its feed: any account of the
    /// same feed and program is as good.
    #[wasm_bindgen(js_name = choosePrice)]
    pub fn choose_price(&mut self, market: &str, account: &str) -> Result<(), JsValue> {
        let mut choose = || {
            self.0.choose_price(parse(market)?, parse(account)?);
            Ok(())
        };
        choose().map_err(thrown)
    }

    /// Addresses besides the program's accounts that the engine wants: the clock and the markets' price accounts.
    pub fn wanted(&self) -> Vec<String> {
        self.0.wanted().iter().map(Address::to_string).collect()
    }

    /// Address of the house, whether there is one or not.
    #[wasm_bindgen(js_name = houseAddress)]
    pub fn house_address(&self) -> String {
        address::house(&self.0.snapshot.exchange.address).to_string()
    }

    /// Whether an account concerns an owner: a margin account or ticket of another's does not, everything else does.
    pub fn concerns(&self, account_owner: &str, data: &[u8], owner: &str) -> Result<bool, JsValue> {
        let look = || {
            let owner = parse(owner)?;
            let data = decode::upgraded(data);
            Ok(match decode::any(&Address::default(), &parse(account_owner)?, &data)? {
                AnyAccount::MarginAccount(account) => account.owner == owner,
                AnyAccount::Ticket(ticket) => ticket.owner == owner,
                _ => true,
            })
        };
        look().map_err(thrown)
    }

    /// The exchange.
    pub fn exchange(&self) -> Result<Ts<ExchangeView>, JsValue> {
        given(&ExchangeView::new(&self.0))
    }

    /// Its markets, by index.
    pub fn markets(&self) -> Result<Vec<Ts<MarketView>>, JsValue> {
        let snapshot = &self.0.snapshot;
        let views = snapshot.markets.keys().map(|address| MarketView::new(snapshot, address));
        let mut views = views.collect::<Result<Vec<_>, _>>().map_err(thrown)?;
        views.sort_by_key(|view| view.index);
        all_given(&views)
    }

    /// How much of a market's risk budget the house's inventory uses, and by what: what the program asks of each trade with the
    /// house, at options valued now.
    #[wasm_bindgen(js_name = budgetUse)]
    pub fn budget_use(&self, market: &str) -> Result<Ts<BudgetUseView>, JsValue> {
        let look = || BudgetUseView::new(&self.0.snapshot, &parse(market)?);
        given(&look().map_err(thrown)?)
    }

    /// Its banks, by index, with interest up to now.
    pub fn banks(&self) -> Result<Vec<Ts<BankView>>, JsValue> {
        let views = || {
            let snapshot = self.0.accrued()?;
            let mut banks: Vec<_> = snapshot.banks.iter().collect();
            banks.sort_by_key(|(_, bank)| bank.index);
            let views = banks.into_iter().map(|(address, bank)| BankView::new(&self.0, &snapshot, address, bank));
            views.collect::<Result<Vec<_>, Error>>()
        };
        all_given(&views().map_err(thrown)?)
    }

    /// Its option boards, by market and expiry.
    pub fn boards(&self) -> Result<Vec<Ts<BoardView>>, JsValue> {
        let snapshot = &self.0.snapshot;
        let mut boards: Vec<_> = snapshot.boards.iter().collect();
        boards.sort_by_key(|(_, board)| (board.market, board.expiry));
        let views = boards.into_iter().map(|(address, board)| BoardView::new(snapshot, address, board));
        all_given(&views.collect::<Result<Vec<_>, _>>().map_err(thrown)?)
    }

    /// Addresses of the margin accounts that were fed, of one owner where one is named.
    #[wasm_bindgen(js_name = accountAddresses)]
    pub fn account_addresses(&self, owner: Option<String>) -> Result<Vec<String>, JsValue> {
        let owner = owner.as_deref().map(parse).transpose().map_err(thrown)?;
        let mut found: Vec<_> =
            self.0.accounts.iter().filter(|(_, account)| owner.is_none_or(|owner| account.owner == owner)).collect();
        found.sort_by_key(|(_, account)| (account.owner, account.index));
        Ok(found.into_iter().map(|(address, _)| address.to_string()).collect())
    }

    /// A margin account in human terms, with interest and funding up to now.
    pub fn account(&self, account: &str) -> Result<Ts<AccountView>, JsValue> {
        given(&self.with(account, |state, account| AccountView::new(state, &state.accrued()?, account))?)
    }

    /// The tickets that were fed, by owner and index.
    pub fn tickets(&self) -> Result<Vec<Ts<TicketView>>, JsValue> {
        let mut tickets: Vec<_> = self.0.tickets.iter().collect();
        tickets.sort_by_key(|(_, ticket)| (ticket.owner, ticket.index));
        tickets.into_iter().map(|(address, ticket)| given(&TicketView::new(address, ticket))).collect()
    }

    /// Equity, requirement and health of an account: to the unit what the chain computes at these accounts and this clock. Where
    /// the chain would refuse because of a board that is too old, this and what follows reckon with boards refreshed now.
    pub fn margin(&self, account: &str) -> Result<Ts<MarginView>, JsValue> {
        given(
            &self.with(account, |state, account| {
                MarginView::new(&account.data, &state.snapshot.margin(&account.data)?)
            })?,
        )
    }

    /// Health that a withdrawal must leave at zero or above, quote native.
    #[wasm_bindgen(js_name = withdrawalHealth)]
    pub fn withdrawal_health(&self, account: &str) -> Result<i64, JsValue> {
        self.with(account, |state, account| state.seen(|snapshot| snapshot.withdrawal_health(&account.data)))
    }

    /// Where an account's requirement comes from.
    pub fn report(&self, account: &str) -> Result<Ts<ReportView>, JsValue> {
        given(&self.with(account, |state, account| {
            ReportView::new(&state.snapshot, &account.data, &state.seen(|snapshot| snapshot.report(&account.data))?)
        })?)
    }

    /// Delta, gamma, vega and theta of an account.
    pub fn greeks(&self, account: &str) -> Result<Ts<AccountGreeks>, JsValue> {
        given(&self.with(account, |state, account| state.seen(|snapshot| AccountGreeks::new(snapshot, &account.data)))?)
    }

    /// What an account would require in parts, and what netting saves against that.
    pub fn standalone(&self, account: &str) -> Result<Ts<StandaloneView>, JsValue> {
        given(
            &self.with(account, |state, account| {
                Ok((&state.seen(|snapshot| snapshot.standalone(&account.data))?).into())
            })?,
        )
    }

    /// What an account would be after trades that follow one another in one transaction of `signer`, to the unit what the chain
    /// would leave and say: boards that are too old are refreshed before, as `instructionsOf` does. The first may be
    /// `createAccount`; all others are trades of one margin account, and `execution` is the last one's. `slippage_ppm` is
    /// what `limit` of the answer leaves room for, millionths of the price; 5,000 where it is left out. Throws for what is
    /// no trade.
    #[wasm_bindgen(js_name = whatIf)]
    pub fn what_if(
        &self,
        signer: &str,
        actions: Vec<Ts<Action>>,
        slippage_ppm: Option<u32>,
    ) -> Result<Ts<WhatIfView>, JsValue> {
        let actions = actions.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        let look = || {
            let (address, what_if) = self.0.what_if(&parse(signer)?, &actions)?;
            WhatIfView::new(&self.0, &address, &what_if, Ppm::from_raw(slippage_ppm.unwrap_or(SLIPPAGE_PPM)))
        };
        given(&look().map_err(thrown)?)
    }

    /// A trade with the limit that `whatIf` says: `slippage_ppm` millionths worse than what it would be made at; 5,000 where it
    /// is left out. Trades without a price stay as they are. Throws where it could not be made at any price.
    #[wasm_bindgen(js_name = withLimit)]
    pub fn with_limit(&self, action: Ts<Action>, slippage_ppm: Option<u32>) -> Result<Ts<Action>, JsValue> {
        let action = taken(&action)?;
        let look = || {
            let (_, what_if) = self.0.what_if(&Address::default(), std::slice::from_ref(&action))?;
            if let Some(error) = what_if.refused.filter(|_| !what_if.is_applied) {
                return Err(Error::Program(error));
            }
            let slippage = Ppm::from_raw(slippage_ppm.unwrap_or(SLIPPAGE_PPM));
            Ok(action::limited(action.clone(), &what_if.with_slippage(slippage)))
        };
        given(&look().map_err(thrown)?)
    }

    /// What each listed series of a board costs and brings for so many lots, whoever asks.
    #[wasm_bindgen(js_name = optionQuotes)]
    pub fn option_quotes(&self, board: &str, lots: i64) -> Result<Vec<Ts<OptionQuoteView>>, JsValue> {
        let look = || {
            let address = parse(board)?;
            let quotes = self.0.option_quotes(&address, lots.max(1))?;
            let market = self.0.snapshot.board(&address)?.market;
            let decimals = self.0.snapshot.market(&market)?.0.base_decimals;
            let views = quotes.iter().map(|(series, quote)| OptionQuoteView::new(*series, quote, decimals));
            Ok(views.collect::<Vec<_>>())
        };
        all_given(&look().map_err(thrown)?)
    }

    /// The largest size of a trade that the chain would accept; the action's own size says the direction alone. `withdraw` may
    /// borrow.
    #[wasm_bindgen(js_name = maxSize)]
    pub fn max_size(&self, action: Ts<Action>) -> Result<Ts<MaxSizeView>, JsValue> {
        let action = taken(&action)?;
        let look = || {
            let account = self.0.account(&action::account_of(&action)?)?.data;
            let missing = Error::Transaction("only trades have a size".into());
            let trade = action::trade(&self.0, &action)?.ok_or(missing)?;
            Ok(MaxSizeView::from(&self.0.snapshot.refreshed()?.max_size(&account, &trade)?))
        };
        given(&look().map_err(thrown)?)
    }

    /// The largest part of a deposit that the chain would let go, native: nothing is borrowed.
    #[wasm_bindgen(js_name = maxWithdraw)]
    pub fn max_withdraw(&self, account: &str, mint: &str) -> Result<Ts<MaxSizeView>, JsValue> {
        given(&self.with(account, |state, account| {
            Ok(MaxSizeView::from(&state.snapshot.refreshed()?.max_withdraw(&account.data, &parse(mint)?)?))
        })?)
    }

    /// The most that the chain would let an account withdraw beyond its deposit, native.
    #[wasm_bindgen(js_name = maxBorrow)]
    pub fn max_borrow(&self, account: &str, mint: &str) -> Result<Ts<MaxSizeView>, JsValue> {
        given(&self.with(account, |state, account| {
            Ok(MaxSizeView::from(&state.snapshot.refreshed()?.max_borrow(&account.data, &parse(mint)?)?))
        })?)
    }

    /// For every market that an account depends on, where it would be liquidated if only that price moved.
    #[wasm_bindgen(js_name = liquidationPrices)]
    pub fn liquidation_prices(&self, account: &str) -> Result<Vec<Ts<LiquidationView>>, JsValue> {
        let views = self.with(account, |state, account| {
            let prices = state.seen(|snapshot| snapshot.liquidation_prices(&account.data))?;
            prices.iter().map(|prices| LiquidationView::new(&state.snapshot, prices)).collect::<Result<Vec<_>, _>>()
        });
        all_given(&views?)
    }

    /// How far prices must move together until an account would be liquidated: by risk group, and all.
    #[wasm_bindgen(js_name = liquidationMoves)]
    pub fn liquidation_moves(&self, account: &str) -> Result<Vec<Ts<LiquidationMoveView>>, JsValue> {
        let views = self.with(account, |state, account| {
            let moves = state.seen(|snapshot| snapshot.liquidation_moves(&account.data))?;
            Ok(moves.iter().map(LiquidationMoveView::from).collect::<Vec<_>>())
        });
        all_given(&views?)
    }

    /// Equity and health at moved prices (the columns) and moved volatilities of options (the rows), both percent of
    /// themselves; of all markets together where none is named.
    pub fn stress(
        &self,
        account: &str,
        moves_percent: Option<Vec<f64>>,
        volatility_percent: Option<Vec<f64>>,
        markets: Option<Vec<String>>,
    ) -> Result<Ts<StressView>, JsValue> {
        given(&self.with(account, |state, account| {
            let usual = StressAxes::default();
            let ppm = |percent: Vec<f64>| percent.into_iter().map(|percent| (percent * 1e4).round() as i64).collect();
            let markets = markets.unwrap_or_default();
            let axes = StressAxes {
                moves_ppm: moves_percent.map_or(usual.moves_ppm, ppm),
                volatility_shocks_ppm: volatility_percent.map_or(usual.volatility_shocks_ppm, ppm),
                markets: markets.iter().map(|market| parse(market)).collect::<Result<_, _>>()?,
            };
            Ok(StressView::from(&state.seen(|snapshot| snapshot.stress(&account.data, &axes))?))
        })?)
    }

    /// What an account would be worth over one market's price, in dollars: now, and at the first expiry of its options.
    pub fn payoff(&self, account: &str, market: &str, prices_usd: Vec<f64>) -> Result<Ts<PayoffView>, JsValue> {
        given(&self.with(account, |state, account| {
            let address = parse(market)?;
            let decimals = state.snapshot.market(&address)?.0.base_decimals;
            let raw = |usd: &f64| Price::from_raw(view::price_raw(*usd, decimals));
            let prices: Vec<_> = prices_usd.iter().map(raw).collect();
            Ok(PayoffView::new(&state.seen(|snapshot| snapshot.payoff(&account.data, &address, &prices))?, decimals))
        })?)
    }

    /// The instructions of what `signer` does in one transaction, one thing after the other, every account packed in the order
    /// that the program wants, behind `observe` and `refresh_board` of what is too old for them.
    #[wasm_bindgen(js_name = instructionsOf)]
    pub fn instructions_of(
        &self,
        signer: &str,
        actions: Vec<Ts<Action>>,
    ) -> Result<Vec<Ts<PackedInstruction>>, JsValue> {
        let actions = actions.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        let build = || action::instructions(&self.0, parse(signer)?, actions.clone());
        build().map_err(thrown)?.into_iter().map(|instruction| given(&instruction.into())).collect()
    }

    /// What the instructions of one transaction may consume at most, by the table of what each was measured to: what the
    /// transaction should ask for. Instructions of other programs may be given without accounts and data.
    #[wasm_bindgen(js_name = computeLimit)]
    pub fn compute_limit(&self, instructions: Vec<Ts<PackedInstruction>>) -> Result<u32, JsValue> {
        let packed = instructions.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        let unpacked = packed.iter().map(PackedInstruction::unpack).collect::<Result<Vec<_>, _>>().map_err(thrown)?;
        Ok(budget::limit(&unpacked, &self.0.largest_of(&unpacked)))
    }

    /// What is signed of an order, as a message: with its signature it is an order of `fillOrders`.
    #[wasm_bindgen(js_name = orderBytes)]
    pub fn order_bytes(&self, order: Ts<Order>) -> Result<Vec<u8>, JsValue> {
        let order: Order = taken(&order)?;
        let bytes = || Ok(order.terms(&self.0)?.to_bytes().to_vec());
        bytes().map_err(thrown)
    }

    /// Accounts of an earlier layout among those that were fed: shown as `upgradeAccount` will leave them. `instructionsOf` upgrades
    /// those that it names.
    pub fn outdated(&self) -> Vec<String> {
        self.0.outdated.iter().map(Address::to_string).collect()
    }

    /// A market's price in dollars for a whole token as the chain has it: Q16.48 quote native per base unit.
    #[wasm_bindgen(js_name = priceOf)]
    pub fn price_of(&self, market: &str, usd: f64) -> Result<u64, JsValue> {
        let price = || {
            let market = self.0.snapshot.market(&parse(market)?)?.0;
            Ok(view::price_raw(usd, market.base_decimals))
        };
        price().map_err(thrown)
    }

    /// Events in words, one sentence each, from their decoded `Program data:` entries: by the names and decimals of this exchange.
    /// What `owner`, where one is given, and the margin accounts of its that the engine was fed with do is told without
    /// saying who.
    #[wasm_bindgen(js_name = eventWords)]
    pub fn event_words(&self, entries: Vec<js_sys::Uint8Array>, owner: Option<String>) -> Result<Vec<String>, JsValue> {
        let owner = owner.map(|owner| parse(&owner)).transpose().map_err(thrown)?;
        Ok(words::sentences(&entries, &self.0.names(owner)))
    }

    fn with<T>(
        &self,
        account: &str,
        answer: impl FnOnce(&State, &Keyed<MarginAccount>) -> Result<T, Error>,
    ) -> Result<T, JsValue> {
        let look = || answer(&self.0, &self.0.account(&parse(account)?)?);
        look().map_err(thrown)
    }
}

/// The program's address.
#[wasm_bindgen(js_name = programAddress)]
pub fn program_address() -> String {
    ID.to_string()
}

/// Events in words where no exchange is known: amounts are native units, and names addresses.
#[wasm_bindgen(js_name = plainEventWords)]
pub fn plain_event_words(entries: Vec<js_sys::Uint8Array>) -> Vec<String> {
    words::sentences(&entries, &Names::default())
}

/// A custom error code in words: the program's own, Anchor's, or that it is another program's.
#[wasm_bindgen(js_name = errorWords)]
pub fn error_words(code: u32) -> Result<Ts<ErrorWords>, JsValue> {
    given(&ErrorWords::new(code))
}

/// Address of an owner's margin account.
#[wasm_bindgen(js_name = marginAccountAddress)]
pub fn margin_account_address(exchange: &str, owner: &str, index: u16) -> Result<String, JsValue> {
    let derive = || Ok(address::margin_account(&parse(exchange)?, &parse(owner)?, index).to_string());
    derive().map_err(thrown)
}

/// Address of an owner's ticket.
#[wasm_bindgen(js_name = ticketAddress)]
pub fn ticket_address(exchange: &str, owner: &str, index: u16) -> Result<String, JsValue> {
    let derive = || Ok(address::ticket(&address::house(&parse(exchange)?), &parse(owner)?, index).to_string());
    derive().map_err(thrown)
}

/// How accounts of a type are found with `getProgramAccounts`.
#[derive(Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct AccountFilter {
    /// The type: `exchange`, `market`, `bank`, `house`, `board`, `marginAccount` or `ticket`.
    pub kind: &'static str,
    /// Bytes of the whole account.
    pub size: u32,
    /// The same of earlier layouts of the type, which `upgradeAccount` rewrites; the fields below stand at the same places in them.
    pub earlier_sizes: Vec<u32>,
    /// The bytes it begins with.
    pub discriminator: Vec<u8>,
    /// Where the address of its exchange is (of a ticket, of its house); `undefined` for the exchange itself.
    pub exchange_offset: Option<u32>,
    /// Where the address of its owner is; `undefined` where it has none.
    pub owner_offset: Option<u32>,
}

/// How accounts are found.
#[wasm_bindgen(js_name = accountFilters)]
pub fn account_filters() -> Result<Vec<Ts<AccountFilter>>, JsValue> {
    use std::mem::offset_of;
    all_given(&[
        filter::<Exchange>("exchange", None, None),
        filter::<Market>("market", Some(offset_of!(Market, exchange)), None),
        filter::<Bank>("bank", Some(offset_of!(Bank, exchange)), None),
        filter::<House>("house", Some(offset_of!(House, exchange)), None),
        filter::<Board>("board", Some(offset_of!(Board, exchange)), None),
        filter::<MarginAccount>(
            "marginAccount",
            Some(offset_of!(MarginAccount, exchange)),
            Some(offset_of!(MarginAccount, owner)),
        ),
        filter::<Ticket>("ticket", Some(offset_of!(Ticket, house)), Some(offset_of!(Ticket, owner))),
    ])
}

fn filter<T: AccountType>(kind: &'static str, exchange: Option<usize>, owner: Option<usize>) -> AccountFilter {
    let offset = |at: usize| (DISCRIMINATOR_LEN + at) as u32;
    let earlier = STEPS.iter().filter(|step| step.discriminator == T::DISCRIMINATOR);
    AccountFilter {
        kind,
        size: T::SPACE as u32,
        earlier_sizes: earlier.map(|step| step.from_space as u32).collect(),
        discriminator: T::DISCRIMINATOR.to_vec(),
        exchange_offset: exchange.map(offset),
        owner_offset: owner.map(offset),
    }
}
