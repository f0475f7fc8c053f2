//! A box that serves pages and API, and who uses them.

use super::http::Client;
use super::{PASSPHRASE, TestBox, ran};
use std::net::SocketAddr;

impl TestBox {
    /// Serves pages, API and metrics on free ports of loopback from the next start on.
    pub(crate) fn serve(&self) {
        let keys = "[web]\nlisten = [\"127.0.0.1:0\"]\nmetrics = \"127.0.0.1:0\"\n";
        self.edit_config(|text| {
            assert!(text.contains("[web]\n"), "{text}");
            text.replacen("[web]\n", keys, 1)
        });
    }

    /// Where it listens, by what the log says before the address.
    #[track_caller]
    pub(crate) fn address(&mut self, before: &str) -> SocketAddr {
        self.recorder().wait_for_log(before);
        let log = self.log();
        let rest = log.split(before).nth(1).expect("an address");
        let text: String = rest.chars().take_while(|c| *c != '/').collect();
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// A client that trusts the box's authority.
    pub(crate) fn client(&mut self) -> Client {
        let address = self.address("pages and API on https://");
        Client::new(address, &self.dir.join("authority.crt"))
    }

    /// The controller, signed in.
    pub(crate) fn controller(&mut self) -> Client {
        let mut client = self.client();
        client.sign_in("controller1", PASSPHRASE, &self.factor.code());
        client
    }
}

/// Runs openssl with these arguments, fed with `input`; what it says on both outputs.
pub(crate) fn openssl(args: &[&str]) -> (bool, String) {
    let ran = ran(std::process::Command::new("openssl").args(args));
    (ran.code == 0, format!("{}{}", ran.stdout, ran.stderr))
}
