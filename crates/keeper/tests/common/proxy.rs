//! A TCP proxy in front of the chain, to cut the bots off.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

/// A proxy on a port of its own. While it is cut it closes whatever comes.
pub struct Proxy {
    pub port: u16,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accepted: Arc<AtomicU32>,
}

impl Proxy {
    /// In front of a URL's host and port.
    pub fn of(url: &str) -> Self {
        let target = url.split("//").nth(1).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            open: Arc::default(),
            accepted: Arc::default(),
        };
        let (is_cut, open, accepted) =
            (Arc::clone(&proxy.is_cut), Arc::clone(&proxy.open), Arc::clone(&proxy.accepted));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target) else { continue };
                accepted.fetch_add(1, Ordering::Relaxed);
                let ends = [&client, &server].map(|end| end.try_clone().unwrap());
                open.lock().unwrap().extend(ends);
                let (client_again, server_again) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pump(client, server));
                thread::spawn(move || pump(server_again, client_again));
            }
        });
        proxy
    }

    /// Connections so far.
    pub fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closes every connection, and every new one until [`Self::restore`].
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Closes every connection once.
    pub fn close(&self) {
        for end in self.open.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
