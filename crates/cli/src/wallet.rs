//! Key pair files, as the Solana tools write them.

use std::path::Path;

use anyhow::{Result, anyhow};
use plimsoll_keeper::run;
use solana_keypair::{Keypair, write_keypair_file};

use crate::failure::Refusal;

/// Reads a key pair from a file.
pub fn read(path: &Path) -> Result<Keypair> {
    run::keypair(path).map_err(|error| Refusal::File(error.to_string()).into())
}

/// Writes a key pair to a file that only its owner can read.
pub fn write(keypair: &Keypair, path: &Path) -> Result<()> {
    write_keypair_file(keypair, path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn a_key_pair_survives_its_file_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let keypair = Keypair::new();
        write(&keypair, &path).unwrap();
        assert_eq!(read(&path).unwrap().pubkey(), keypair.pubkey());
        std::fs::write(&path, "[1, 2]").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("not a key pair file"));
    }
}
