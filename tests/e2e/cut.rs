//! A way to the API server that can be cut: a TCP proxy, and a kubeconfig that leads through it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::world::kubectl;

/// The proxy. It ends with the test's process.
pub struct Cut {
    folder: TempDir,
    is_cut: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cut {
    /// A way that is open.
    pub fn open() -> Self {
        let config = kubectl(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
        let mut config: Value = serde_json::from_str(&config).unwrap();
        let cluster = &mut config["clusters"][0]["cluster"];
        let server = cluster["server"].as_str().unwrap().strip_prefix("https://").unwrap().trim_end_matches('/').to_owned();
        let (host, _) = server.rsplit_once(':').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        cluster["tls-server-name"] = host.into();
        cluster["server"] = format!("https://{}", listener.local_addr().unwrap()).into();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).unwrap();
        let cut = Self { folder, is_cut: Arc::default(), connections: Arc::default() };
        let (is_cut, connections) = (cut.is_cut.clone(), cut.connections.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(to) = TcpStream::connect(&server) else { continue };
                connections.lock().unwrap().extend([client.try_clone().unwrap(), to.try_clone().unwrap()]);
                copy(client.try_clone().unwrap(), to.try_clone().unwrap());
                copy(to, client);
            }
        });
        cut
    }

    /// The kubeconfig that leads through it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Ends every connection, and every new one at once.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
