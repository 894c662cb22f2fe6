//! The signals that end the program: without them, a terminal that goes away would leave it running for nobody.

/// Waits for a signal that ends the program.
#[cfg(unix)]
pub async fn ended_by_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Waits for a signal that ends the program.
#[cfg(not(unix))]
pub async fn ended_by_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
