//! The command by which an agent asks Envoy's admin port.

/// The port that `pilot-agent request` asks where none is named. Old agents know no other, so it is named only where needed.
const AGENTS_DEFAULT: u16 = 15000;

/// The command that asks Envoy's admin port from within a proxy's container, as istioctl does.
pub fn agent_command(port: u16, method: &str, path: &str) -> Vec<String> {
    let port = (port != AGENTS_DEFAULT).then(|| ["--debug-port".to_owned(), port.to_string()]);
    let mut command = vec!["pilot-agent".to_owned(), "request".to_owned()];
    command.extend(port.into_iter().flatten());
    command.extend([method.to_owned(), path.trim_start_matches('/').to_owned()]);
    command
}
