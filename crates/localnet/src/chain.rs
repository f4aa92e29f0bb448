//! A local chain inside this process: Surfpool's virtual machine with JSON-RPC and WebSocket on 127.0.0.1.
//!
//! It is started from surfpool-core and not through surfpool-sdk, which chooses its ports itself.

use std::{
    net::TcpListener,
    path::Path,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use plimsoll_client::{Address, instruction::TOKEN_PROGRAM, rpc::Rpc};
use serde_json::{Value, json};
use solana_program_pack::Pack;
use solana_rpc_client_api::request::RpcRequest;
use spl_token_interface::state::{Account as TokenAccount, AccountState, Mint};
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{BlockProductionMode, RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};

/// Nothing here is served to anybody else.
const HOST: &str = "127.0.0.1";
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for an account of any size used here to be exempt from rent.
const RENT_LAMPORTS: u64 = 1_000_000_000;
/// An ELF file's machine numbers for Solana programs: SBF, and BPF before it had a number of its own.
const ELF_MACHINES: [u16; 2] = [263, 247];

/// Ports to serve on; a free one where none is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// JSON-RPC.
    pub rpc: Option<u16>,
    /// WebSocket.
    pub ws: Option<u16>,
}

/// A running chain. Dropping it stops it and frees its ports.
pub struct LocalChain {
    url: String,
    ws_url: String,
    rpc: Rpc,
    commands: Sender<SimnetCommand>,
    thread: Option<JoinHandle<()>>,
}

impl LocalChain {
    /// Starts a chain that makes a block every `slot_time_ms`.
    ///
    /// # Errors
    /// A port that is not free; a chain that does not start.
    pub fn start(ports: Ports, slot_time_ms: u64) -> Result<Self> {
        let rpc_port = reserve(ports.rpc, "--rpc-port")?;
        let ws_port = reserve(ports.ws, "--ws-port")?;
        ensure!(rpc_port != ws_port, "port {rpc_port} is wanted for both JSON-RPC and WebSocket: choose two");
        let simnet = SimnetConfig {
            offline_mode: true,
            remote_rpc_url: None,
            slot_time: slot_time_ms,
            block_production_mode: BlockProductionMode::Clock,
            instruction_profiling_enabled: false,
            ..SimnetConfig::default()
        };
        let svm = SurfnetSvmConfig {
            slot_time: slot_time_ms,
            instruction_profiling_enabled: false,
            ..SurfnetSvmConfig::default()
        };
        let config = SurfpoolConfig {
            simnets: vec![simnet],
            rpc: RpcConfig { bind_host: HOST.into(), bind_port: rpc_port, ws_port, ..RpcConfig::default() },
            ..SurfpoolConfig::default()
        };
        let (commands, events, thread) = spawn(svm, config)?;
        let url = format!("http://{HOST}:{rpc_port}");
        let chain =
            Self { rpc: Rpc::new(&url), url, ws_url: format!("ws://{HOST}:{ws_port}"), commands, thread: Some(thread) };
        wait_until_ready(&events)?;
        // Nobody reads the chain's events from here on; its sender drops what finds no room.
        Ok(chain)
    }

    /// URL of JSON-RPC.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// URL of WebSocket.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// A connection to it.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Puts an account on the chain as it is.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn set_account(&self, address: &Address, owner: &Address, data: &[u8]) -> Result<()> {
        let account = json!({ "lamports": RENT_LAMPORTS, "owner": owner.to_string(), "data": hex(data) });
        self.cheat("surfnet_setAccount", json!([address.to_string(), account]))
    }

    /// Gives a wallet lamports.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn fund(&self, wallet: &Address, lamports: u64) -> Result<()> {
        self.cheat("surfnet_setAccount", json!([wallet.to_string(), { "lamports": lamports }]))
    }

    /// Puts a mint on the chain, with `supply` native units in circulation.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn set_mint(&self, mint: &Address, authority: &Address, decimals: u8, supply: u64) -> Result<()> {
        let mut data = vec![0; Mint::LEN];
        let state =
            Mint { mint_authority: Some(*authority).into(), supply, decimals, is_initialized: true, ..Mint::default() };
        Mint::pack(state, &mut data)?;
        self.set_account(mint, &TOKEN_PROGRAM, &data)
    }

    /// Puts a token account on the chain.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn set_token_account(&self, address: &Address, owner: &Address, mint: &Address, amount: u64) -> Result<()> {
        let mut data = vec![0; TokenAccount::LEN];
        let state = TokenAccount {
            mint: *mint,
            owner: *owner,
            amount,
            state: AccountState::Initialized,
            ..TokenAccount::default()
        };
        TokenAccount::pack(state, &mut data)?;
        self.set_account(address, &TOKEN_PROGRAM, &data)
    }

    /// Deploys a program at an address.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn deploy(&self, program: &Address, elf: &[u8]) -> Result<()> {
        self.cheat("surfnet_writeProgram", json!([program.to_string(), hex(elf), 0]))
    }

    /// Moves the chain's clock forward by some seconds.
    ///
    /// # Errors
    /// What the chain refuses.
    pub fn travel(&self, seconds: u32) -> Result<()> {
        let target = self.rpc.now()?.saturating_add(i64::from(seconds));
        self.cheat("surfnet_timeTravel", json!([{ "absoluteTimestamp": target.saturating_mul(1000) }]))
    }

    fn cheat(&self, method: &'static str, params: Value) -> Result<()> {
        let answer = self.rpc.client().send::<Value>(RpcRequest::Custom { method }, params);
        answer.map(drop).map_err(|error| anyhow!("{method}: {error}"))
    }
}

impl Drop for LocalChain {
    fn drop(&mut self) {
        let _ = self.commands.send(SimnetCommand::Terminate(None));
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

type Running = (Sender<SimnetCommand>, Receiver<Result<SimnetEvent>>, JoinHandle<()>);

/// Runs the chain on a thread of its own. Its end, should it come early, arrives as an error among its events.
fn spawn(svm: SurfnetSvmConfig, config: SurfpoolConfig) -> Result<Running> {
    let (svm, events, geyser) = SurfnetSvm::new(svm).map_err(|error| anyhow!("the local chain: {error}"))?;
    let locker = SurfnetSvmLocker::new(svm);
    let (commands, commands_rx) = unbounded();
    let (ready, ready_rx) = unbounded();
    let (runtime, commands_tx) = (tokio::runtime::Runtime::new()?, commands.clone());
    let forward = ready.clone();
    std::thread::Builder::new().name("chain-events".into()).spawn(move || {
        for event in events {
            // After the start nobody listens; reading on keeps the chain's channel from filling up.
            let _ = forward.send(Ok(event));
        }
    })?;
    let thread = std::thread::Builder::new().name("chain".into()).spawn(move || {
        let run = start_local_surfnet_runloop(locker, config, commands_tx, commands_rx, geyser);
        if let Err(error) = runtime.block_on(run) {
            let _ = ready.send(Err(anyhow!("the local chain: {error}")));
        }
    })?;
    Ok((commands, ready_rx, thread))
}

fn wait_until_ready(events: &Receiver<Result<SimnetEvent>>) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        match events.recv_deadline(deadline) {
            Ok(Ok(SimnetEvent::CoreStarted(_))) => return Ok(()),
            Ok(Ok(SimnetEvent::Aborted(cause))) => bail!("the local chain did not start: {cause}"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => {
                bail!("the local chain did not start within {} s", START_TIMEOUT.as_secs())
            }
            Err(RecvTimeoutError::Disconnected) => bail!("the local chain ended while it started"),
        }
    }
}

/// The port that is wanted, or a free one.
fn reserve(wanted: Option<u16>, option: &str) -> Result<u16> {
    let port = wanted.unwrap_or(0);
    let listener = TcpListener::bind((HOST, port))
        .with_context(|| format!("port {port} on {HOST} is not free: choose another with {option}"))?;
    Ok(listener.local_addr()?.port())
}

/// Reads a program's file and checks that it is one.
///
/// # Errors
/// One line that says what the file is not.
pub fn read_program(path: &Path) -> Result<Vec<u8>> {
    let file = path.display();
    let elf = std::fs::read(path)
        .map_err(|error| anyhow!("{file}: {error}: build the program first (make program) or name it with --so"))?;
    let is_elf = elf.get(..4) == Some(b"\x7fELF");
    let machine = elf.get(18..20).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    match machine {
        Some(machine) if is_elf && ELF_MACHINES.contains(&machine) => Ok(elf),
        Some(machine) if is_elf => bail!("{file}: built for another machine (ELF number {machine}), not for Solana"),
        _ => bail!("{file}: not a program: no ELF file"),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_one_clear_line() {
        let taken = TcpListener::bind((HOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = format!("{:#}", reserve(Some(port), "--rpc-port").unwrap_err());
        let expected = format!("port {port} on 127.0.0.1 is not free: choose another with --rpc-port: ");
        assert!(error.starts_with(&expected) && !error.contains('\n'), "{error}");
        assert_ne!(reserve(None, "--ws-port").unwrap(), 0);
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.so");
        let error = |path: &Path| read_program(path).unwrap_err().to_string();
        assert!(error(&path).contains("make program"));
        std::fs::write(&path, "text").unwrap();
        assert!(error(&path).ends_with("some.so: not a program: no ELF file"));
        let mut elf = vec![0; 64];
        elf[..4].copy_from_slice(b"\x7fELF");
        elf[18] = 62;
        std::fs::write(&path, &elf).unwrap();
        assert!(error(&path).ends_with("built for another machine (ELF number 62), not for Solana"));
        elf[18..20].copy_from_slice(&263u16.to_le_bytes());
        std::fs::write(&path, &elf).unwrap();
        assert_eq!(read_program(&path).unwrap(), elf);
    }

    #[test]
    fn bytes_in_hexadecimal() {
        assert_eq!(hex(&[0, 15, 160, 255]), "000fa0ff");
    }
}
