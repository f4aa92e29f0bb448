//! The web page from a folder, on 127.0.0.1, with a file that says which chain it is to talk to.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context as _, Result};
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tower_http::services::{ServeDir, ServeFile};

use crate::failure::Refusal;

/// What the page reads before anything else, from `/config.json`.
#[derive(Clone, Debug)]
pub struct PageConfig {
    /// URL of JSON-RPC.
    pub rpc: String,
    /// URL of WebSocket.
    pub ws: String,
    /// The exchange.
    pub exchange: String,
}

impl PageConfig {
    fn json(&self) -> Value {
        json!({ "rpc": self.rpc, "ws": self.ws, "exchange": self.exchange })
    }
}

/// Serves a folder for as long as the process lives, and answers where. A path without a file is the page's own to show.
///
/// # Errors
/// A folder without `index.html`; a port that is not free.
pub fn serve(folder: &Path, port: Option<u16>, config: &PageConfig) -> Result<String> {
    let index = folder.join("index.html");
    if !index.is_file() {
        let cause = format!("{}: no page: there is no index.html in it", folder.display());
        return Err(Refusal::File(cause).into());
    }
    let wanted = port.unwrap_or(0);
    let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], wanted)))
        .with_context(|| format!("port {wanted} on 127.0.0.1 is not free: choose another with --page-port"))?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let said = config.json();
    let files = ServeDir::new(folder).fallback(ServeFile::new(index));
    let router = Router::new().route("/config.json", get(move || async move { Json(said) })).fallback_service(files);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    std::thread::Builder::new().name("page".into()).spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        })
    })?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;

    fn fetch(url: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_serves_files_its_configuration_and_itself_for_every_other_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("index.html"), "the page").unwrap();
        std::fs::write(folder.path().join("app.js"), "code").unwrap();
        let config = PageConfig { rpc: "http://r".into(), ws: "ws://w".into(), exchange: "e".into() };
        let url = serve(folder.path(), None, &config).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        assert!(fetch(&url, "/app.js").ends_with("code"));
        let answer = fetch(&url, "/config.json");
        assert!(answer.contains(r#"{"exchange":"e","rpc":"http://r","ws":"ws://w"}"#), "{answer}");
        let answer = fetch(&url, "/markets/SOL");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("the page"), "{answer}");
    }

    #[test]
    fn a_folder_without_a_page_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = PageConfig { rpc: String::new(), ws: String::new(), exchange: String::new() };
        let error = serve(folder.path(), None, &config).unwrap_err().to_string();
        assert!(error.ends_with("no page: there is no index.html in it"), "{error}");
    }
}
