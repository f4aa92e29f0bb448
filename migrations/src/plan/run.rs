//! Carries a plan out.

use plimsoll_client::Address;

use super::{Plan, PlanError, PlanOptions, State, Step, plan};
use crate::Deployment;

/// A chain that can be read and written. The client's RPC connection is one, a test's virtual machine another.
pub trait Chain {
    /// What goes wrong in it.
    type Error: std::error::Error + 'static;

    /// What it has of an exchange.
    ///
    /// # Errors
    /// The chain's own.
    fn state(&mut self, exchange: &Address) -> Result<State, Self::Error>;

    /// The owner of an account: of a mint, its token program. `None` where there is no account.
    ///
    /// # Errors
    /// The chain's own.
    fn owner(&mut self, account: &Address) -> Result<Option<Address>, Self::Error>;

    /// Sends one step, signed by the admin, and waits until it is confirmed.
    ///
    /// # Errors
    /// The chain's own.
    fn send(&mut self, step: &Step) -> Result<(), Self::Error>;
}

/// Why a migration stopped. Run it again: it goes on where the chain stands.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E: std::error::Error + 'static> {
    /// The file and the chain contradict one another.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The chain could not be read.
    #[error("cannot read the exchange: {0}")]
    Read(#[source] E),
    /// A step failed.
    #[error("cannot {step}: {cause}")]
    Step {
        /// What it was to do.
        step: String,
        /// Why not.
        #[source]
        cause: E,
    },
}

/// What a chain has of a deployment, the token programs of its mints included.
///
/// # Errors
/// [`RunError::Read`].
pub fn observe_chain<C: Chain>(
    deployment: &Deployment,
    exchange: &Address,
    chain: &mut C,
) -> Result<State, RunError<C::Error>> {
    let mut state = chain.state(exchange).map_err(RunError::Read)?;
    for bank in std::iter::once(&deployment.quote).chain(&deployment.banks) {
        let owner = chain.owner(&bank.mint).map_err(RunError::Read)?;
        state.token_programs.extend(owner.map(|owner| (bank.mint, owner)));
    }
    Ok(state)
}

/// Sends a plan's steps, in order. `on_step` hears of each before it is sent.
///
/// # Errors
/// [`RunError::Step`]. Plan and run again: it goes on where the chain stands.
pub fn run_plan<C: Chain>(
    plan: &Plan,
    chain: &mut C,
    mut on_step: impl FnMut(&Step),
) -> Result<usize, RunError<C::Error>> {
    for step in plan.steps() {
        on_step(step);
        chain.send(step).map_err(|cause| RunError::Step { step: step.name.clone(), cause })?;
    }
    Ok(plan.steps().count())
}

/// Brings a chain to what the file wants and answers how many steps that took. `on_step` hears of each before it is sent.
///
/// # Errors
/// [`RunError`].
pub fn run<C: Chain>(
    deployment: &Deployment,
    admin: &Address,
    chain: &mut C,
    on_step: impl FnMut(&Step),
) -> Result<usize, RunError<C::Error>> {
    let state = observe_chain(deployment, &deployment.address(admin), chain)?;
    let plan = plan(deployment, &state, admin, &PlanOptions::default())?;
    run_plan(&plan, chain, on_step)
}
